//! A real IMAP server of the tests' own: Dovecot over a Maildir, in a folder of its own, on loopback ports that were free, for as long as
//! whoever started it lives. Refuses to be a server that was there before.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The server's only user.
pub(crate) const USER: &str = "ada";

/// The server. `$1` the folder: its standard input is what it lives by.
const KEEPER: &str = r#"
dir=$1
dovecot -F -c "$dir/dovecot.conf" >>"$dir/log" 2>&1 &
pid=$!
while read -r word; do
    case $word in
    stop) kill "$pid"; wait "$pid" 2>/dev/null ;;
    start) dovecot -F -c "$dir/dovecot.conf" >>"$dir/log" 2>&1 & pid=$! ;;
    *) rm -rf "$dir"/mail/*/* "$dir"/mail/dovecot* "$dir"/mail/subscriptions ;;
    esac
    echo done
done
kill "$pid" 2>/dev/null
wait "$pid" 2>/dev/null
rm -rf "$dir"
"#;

/// A running one.
pub(crate) struct Dovecot {
    keeper: Child,
    dir: PathBuf,
    /// The port without TLS.
    pub(crate) port: u16,
}

impl Dovecot {
    /// None where Dovecot is not installed, which is said.
    pub(crate) fn start(password: &str) -> Option<Self> {
        if !Path::new("/usr/sbin/dovecot").exists() {
            say("Dovecot is not installed: skipped");
            return None;
        }
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        // Short: the path of a socket has room for a hundred characters.
        let dir = std::env::temp_dir().join(format!("doorcode-imap-{}-{number}", std::process::id()));
        for folder in ["mail/new", "mail/cur", "mail/tmp"] {
            fs::create_dir_all(dir.join(folder)).unwrap();
        }
        let port = free_port(number);
        let (user, group, mut command) = unprivileged();
        fs::write(dir.join("dovecot.conf"), settings(&dir, port, &user, &group)).unwrap();
        fs::write(dir.join("users"), format!("{USER}:{{PLAIN}}{password}\n")).unwrap();
        assert!(Command::new("chown").arg("-R").arg(&user).arg(&dir).status().unwrap().success());
        command.args(["sh", "-c", KEEPER, "keeper"]).arg(&dir).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        let keeper = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let server = Self { keeper, dir, port };
        server.wait();
        Some(server)
    }

    fn wait(&self) {
        for _ in 0..600 {
            if std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(50));
        }
        panic!("no IMAP server: {}", fs::read_to_string(self.dir.join("log")).unwrap_or_default());
    }

    fn tell(&mut self, word: &str) {
        use std::io::{BufRead as _, BufReader, Write as _};
        self.keeper.stdin.as_mut().unwrap().write_all(format!("{word}\n").as_bytes()).unwrap();
        let mut line = String::new();
        BufReader::new(self.keeper.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "done\n");
    }

    /// Ends it, and every connection to it.
    pub(crate) fn stop(&mut self) {
        self.tell("stop");
    }

    /// Begins it again.
    pub(crate) fn again(&mut self) {
        self.tell("start");
        self.wait();
    }

    /// Forgets every message and every number, as a server does whose mailbox was made anew.
    pub(crate) fn renumber(&mut self) {
        self.stop();
        self.tell("forget");
        self.again();
    }

    /// The same, with a message in it when it begins again.
    pub(crate) fn renumbered_with(&mut self, raw: &str) {
        self.stop();
        self.tell("forget");
        self.deliver(raw);
        self.again();
    }

    /// How often somebody was not let in, since it was started.
    pub(crate) fn failures(&self) -> usize {
        let log = fs::read_to_string(self.dir.join("log")).unwrap_or_default();
        log.lines().filter(|line| line.contains("imap-login") && line.contains("auth failed")).count()
    }

    /// How many are signed in.
    pub(crate) fn connections(&self) -> usize {
        let config = self.dir.join("dovecot.conf");
        let said = Command::new("doveadm").arg("-c").arg(config).args(["who", "-1"]).output().unwrap().stdout;
        String::from_utf8(said).unwrap().lines().filter(|line| line.starts_with(USER)).count()
    }

    /// Puts a message into the mailbox as a mail server does: written whole, then moved to its place.
    pub(crate) fn deliver(&self, raw: &str) {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("{:010}.{}.test", COUNT.fetch_add(1, Ordering::Relaxed), std::process::id());
        let (made, place) = (self.dir.join("mail/tmp").join(&name), self.dir.join("mail/new").join(&name));
        fs::write(&made, raw).unwrap();
        fs::rename(made, place).unwrap();
    }

    /// Another password.
    pub(crate) fn set_password(&self, password: &str) {
        fs::write(self.dir.join("users"), format!("{USER}:{{PLAIN}}{password}\n")).unwrap();
    }

    /// The names of the messages as they lie there: a flag that somebody set is part of one.
    pub(crate) fn names(&self) -> Vec<String> {
        let list = |folder: &str| fs::read_dir(self.dir.join("mail").join(folder)).unwrap();
        let entries = list("new").chain(list("cur"));
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// Below those that the system gives to connections out: one of them would be somebody's before the server has it.
fn free_port(number: u32) -> u16 {
    let first = (std::process::id() * 31 + number * 101) % 10_000;
    let ports = (0..10_000).map(|step| u16::try_from(20_000 + (first + step) % 10_000).unwrap());
    ports.into_iter().find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).unwrap()
}

fn settings(dir: &Path, port: u16, user: &str, group: &str) -> String {
    let dir = dir.display();
    format!(
        "base_dir = {dir}/run\nstate_dir = {dir}/state\nlog_path = {dir}/log\nprotocols = imap\nlisten = 127.0.0.1\nssl = no\n\
         default_internal_user = {user}\ndefault_login_user = {user}\ndefault_internal_group = {group}\n\
         disable_plaintext_auth = no\nmail_location = maildir:{dir}/mail\nmail_uid = {user}\nmail_gid = {group}\n\
         first_valid_uid = 1\nauth_failure_delay = 0\nauth_cache_size = 0\n\
         passdb {{\n driver = passwd-file\n args = scheme=PLAIN username_format=%u {dir}/users\n}}\n\
         userdb {{\n driver = static\n args = uid={user} gid={group} home={dir}\n}}\n\
         service imap-login {{\n chroot =\n inet_listener imap {{\n  port = {port}\n }}\n inet_listener imaps {{\n  port = 0\n }}\n}}\n\
         service anvil {{\n chroot =\n}}\nservice stats {{\n chroot =\n}}\n"
    )
}

/// Who it runs as: whoever runs the tests, but not root.
fn unprivileged() -> (String, String, Command) {
    let id = |what: &str| {
        let said = Command::new("id").arg(what).output().unwrap().stdout;
        String::from_utf8(said).unwrap().trim().to_owned()
    };
    if id("-u") != "0" {
        return (id("-un"), id("-gn"), Command::new("env"));
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]);
    ("nobody".to_owned(), "nogroup".to_owned(), command)
}

#[expect(clippy::print_stderr, reason = "whoever runs the tests should know what was not tried")]
fn say(line: &str) {
    eprintln!("{line}");
}
