//! Dovecot over a Maildir: a mailbox with one user. Refuses to run as root, and to start where it is not installed.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use super::keeper::Keeper;
use super::{Account, answers, folder, free_port, unprivileged};

/// The mailbox's only user.
pub const USER: &str = "ada";

const PROGRAM: &str = "/usr/sbin/dovecot";

/// What is different from the usual: a server without TLS that knows a password and pushes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extra<'a> {
    /// Settings that follow the others and win; `{dir}` is the server's folder.
    pub settings: &'a str,
    /// Files in that folder, by name.
    pub files: &'a [(&'a str, &'a str)],
}

/// A running one. It ends, and its mailbox goes, when this is dropped.
#[derive(Debug)]
pub struct Dovecot {
    keeper: Keeper,
    /// The port where it speaks IMAP, without TLS at first.
    pub port: u16,
}

impl Dovecot {
    /// Starts one whose user has that password.
    ///
    /// # Errors
    /// `NotFound` where it is not installed, saying what to do; whatever else is in the way.
    pub fn start(password: &str, extra: &Extra<'_>) -> io::Result<Self> {
        if !Path::new(PROGRAM).exists() {
            let why = "Dovecot is not installed; as root: apt-get install dovecot-imapd";
            return Err(io::Error::new(io::ErrorKind::NotFound, why));
        }
        let (dir, number) = folder("imap")?;
        for folder in ["mail/new", "mail/cur", "mail/tmp"] {
            fs::create_dir_all(dir.join(folder))?;
        }
        let port = free_port(number)?;
        let (account, command) = unprivileged()?;
        let text = settings(&dir, port, &account) + &extra.settings.replace("{dir}", &dir.display().to_string());
        fs::write(dir.join("dovecot.conf"), text)?;
        for (name, text) in extra.files {
            fs::write(dir.join(name), text)?;
        }
        set_password(&dir, password)?;
        if !Command::new("chown").arg("-R").arg(&account.user).arg(&dir).status()?.success() {
            return Err(io::Error::other("the mailbox can't be given to the server's user"));
        }
        let config = dir.join("dovecot.conf").display().to_string();
        let keeper = Keeper::start(dir, command, &[PROGRAM, "-F", "-c", &config])?;
        let server = Self { keeper, port };
        server.wait()?;
        Ok(server)
    }

    /// Its folder: the mailbox is the Maildir `mail` in it.
    pub fn dir(&self) -> &Path {
        self.keeper.dir()
    }

    fn wait(&self) -> io::Result<()> {
        answers(self.port, &self.dir().join("log"))
    }

    /// Ends it, and every connection to it.
    ///
    /// # Errors
    /// It is gone.
    pub fn stop(&mut self) -> io::Result<()> {
        self.keeper.tell("stop")
    }

    /// Begins it again.
    ///
    /// # Errors
    /// It does not answer.
    pub fn again(&mut self) -> io::Result<()> {
        self.keeper.tell("start")?;
        self.wait()
    }

    /// Forgets every message and every number, as a server does whose mailbox was made anew. It must be stopped.
    ///
    /// # Errors
    /// It is gone.
    pub fn forget(&mut self) -> io::Result<()> {
        self.keeper.tell("forget")
    }

    /// Another password, from now on.
    ///
    /// # Errors
    /// Its file can't be written.
    pub fn set_password(&self, password: &str) -> io::Result<()> {
        set_password(self.dir(), password)
    }
}

fn set_password(dir: &Path, password: &str) -> io::Result<()> {
    fs::write(dir.join("users"), format!("{USER}:{{PLAIN}}{password}\n"))
}

fn settings(dir: &Path, port: u16, account: &Account) -> String {
    let (dir, Account { user, group, .. }) = (dir.display(), account);
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
