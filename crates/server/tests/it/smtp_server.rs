//! Starts `smtp_server.py`, a real SMTP server, and stops it by its process handle. Refuses to pass over a machine
//! without it: the tests fail and name the command that installs it.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use doorcode::deliver::smtp::{Security, SmtpSettings};
use doorcode_core::Secret;
use serde_json::Value;

pub(crate) const USER: &str = "doorcode";
pub(crate) const PASSWORD: &str = "correct horse";

/// A running mail server with certificates of its own. Stops when dropped.
pub(crate) struct MailServer {
    child: Child,
    folder: PathBuf,
    port: u16,
    mode: &'static str,
}

impl MailServer {
    /// With TLS from the first byte, and sign-in.
    pub(crate) fn implicit_tls() -> Self {
        Self::start("implicit", &["--user", USER, "--password", PASSWORD])
    }

    /// With STARTTLS, and sign-in.
    pub(crate) fn starttls() -> Self {
        Self::start("starttls", &["--user", USER, "--password", PASSWORD])
    }

    /// `mode` is that of the script, `more` its other arguments.
    pub(crate) fn start(mode: &'static str, more: &[&str]) -> Self {
        let folder = folder();
        certificates(&folder);
        let mut child = Command::new(python())
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/smtp_server.py"))
            .args(["--mode", mode, "--cert", "server.crt", "--key", "server.key", "--out", "mails.jsonl"])
            .args(more)
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(folder.join("complaints.txt")).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Ok(port) = line.trim().parse() else {
            panic!("no mail server: {}", fs::read_to_string(folder.join("complaints.txt")).unwrap())
        };
        Self { child, folder, port, mode }
    }

    /// The settings that fit this server.
    pub(crate) fn settings(&self) -> SmtpSettings {
        let signed_in = self.mode != "plain";
        SmtpSettings {
            host: "localhost".to_owned(),
            port: self.port,
            security: match self.mode {
                "implicit" => Security::ImplicitTls,
                "starttls" => Security::StartTls,
                _ => Security::None,
            },
            allow_plaintext: false,
            username: signed_in.then(|| USER.to_owned()),
            password: signed_in.then(|| Secret::new(PASSWORD.to_owned())),
            ca_file: signed_in.then(|| self.folder.join("ca.crt")),
            from: "Doorcode <no-reply@example.com>".to_owned(),
            reply_to: None,
            timeout: Duration::from_secs(10),
            pool: 4,
            hello_name: Some("doorcode.example.com".to_owned()),
        }
    }

    /// What it has accepted so far, oldest first.
    pub(crate) fn mails(&self) -> Vec<Value> {
        let lines = fs::read_to_string(self.folder.join("mails.jsonl")).unwrap_or_default();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The Python of `./check`, which has aiosmtpd.
pub(crate) fn python() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let python = root.join(".tools/venv/bin/python");
    assert!(python.exists(), "{} is missing: run ./check, which makes it (aiosmtpd for Python)", python.display());
    python
}

fn folder() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("smtp-{}-{number}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// An authority (`ca.crt`) and a certificate of its for `localhost` (`server.crt`, `server.key`).
pub(crate) fn certificates(folder: &Path) {
    fs::write(folder.join("san.txt"), "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n").unwrap();
    let new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    let authority =
        ["req", "-x509", "-days", "2", "-subj", "/CN=Test authority", "-keyout", "ca.key", "-out", "ca.crt"];
    openssl(folder, &authority, &new_key);
    openssl(folder, &["req", "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr"], &new_key);
    let sign = ["x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"];
    openssl(folder, &sign, &["-days", "2", "-extfile", "san.txt", "-out", "server.crt"]);
}

/// OpenSSL's command, with these words.
pub(crate) fn openssl(folder: &Path, first: &[&str], last: &[&str]) {
    let done = Command::new("openssl").args(first).args(last).current_dir(folder).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}
