//! Postfix in front of a mailbox: takes mail by SMTP on loopback for every address of one domain and puts it into Dovecot's Maildir. Refuses
//! to send anything on: mail for elsewhere is turned away.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use super::dovecot::Dovecot;
use super::keeper::Keeper;
use super::{Account, DOMAIN, answers, folder, free_port, id, unprivileged};

/// Postfix's own root: what `postfix start` runs, without the settings of the system.
const PROGRAM: &str = "/usr/lib/postfix/sbin/master";

/// Makes what `postfix check` makes for the system's own: a queue that only Postfix can read. `$1` the folder.
const QUEUE: &str = r#"
set -e
chmod 755 "$1"
cd "$1"
mkdir -m 755 queue queue/pid
mkdir -m 700 data
cd queue
mkdir -m 700 active bounce corrupt defer deferred flush hold incoming private saved trace
mkdir -m 710 public
mkdir -m 730 maildrop
chown postfix active bounce corrupt defer deferred flush hold incoming private saved trace public maildrop ../data
chgrp postdrop public maildrop
"#;

/// A running one. It ends when this is dropped.
#[derive(Debug)]
pub struct Postfix {
    _keeper: Keeper,
    /// The port where it speaks SMTP.
    pub port: u16,
}

impl Postfix {
    /// Starts one that delivers into this mailbox.
    ///
    /// # Errors
    /// `NotFound` where it is not installed, `PermissionDenied` where this is not root and can't be without a password, each saying what to
    /// do; whatever else is in the way.
    pub fn start(mailbox: &Dovecot) -> io::Result<Self> {
        if !Path::new(PROGRAM).exists() {
            let why = "Postfix is not installed; as root: apt-get install postfix";
            return Err(io::Error::new(io::ErrorKind::NotFound, why));
        }
        let mut prepare = as_root()?;
        let (dir, number) = folder("smtp")?;
        let port = free_port(number)?;
        fs::write(dir.join("main.cf"), settings(&dir, mailbox.dir(), &unprivileged()?.0))?;
        fs::write(dir.join("master.cf"), services(port))?;
        if !prepare.args(["sh", "-c", QUEUE, "queue"]).arg(&dir).status()?.success() {
            return Err(io::Error::other("the queue can't be made"));
        }
        let log = dir.join("log");
        let config = dir.display().to_string();
        let keeper = Keeper::start(dir, as_root()?, &[PROGRAM, "-c", &config])?;
        let server = Self { _keeper: keeper, port };
        answers(port, &log)?;
        Ok(server)
    }
}

/// Postfix begins as root, and most of it goes on as somebody else.
fn as_root() -> io::Result<Command> {
    if id("-u", None)? == "0" {
        return Ok(Command::new("env"));
    }
    let mut sudo = Command::new("sudo");
    sudo.arg("-n");
    let may = Command::new("sudo").args(["-n", "true"]).stderr(Stdio::null()).status();
    if may.is_ok_and(|status| status.success()) {
        return Ok(sudo);
    }
    let why = "Postfix is started by root only; run this as root, or where sudo asks for no password";
    Err(io::Error::new(io::ErrorKind::PermissionDenied, why))
}

fn settings(dir: &Path, mailbox: &Path, account: &Account) -> String {
    let (dir, mailbox, Account { uid, gid, .. }) = (dir.display(), mailbox.display(), account);
    format!(
        "compatibility_level = 2\nqueue_directory = {dir}/queue\ndata_directory = {dir}/data\n\
         maillog_file = {dir}/log\nmaillog_file_prefixes = {dir}\nmail_owner = postfix\nsetgid_group = postdrop\n\
         myhostname = mail.{DOMAIN}\nmydestination =\nmynetworks = 127.0.0.0/8\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\n\
         disable_dns_lookups = yes\nsmtpd_peername_lookup = no\nalias_maps =\nalias_database =\nlocal_recipient_maps =\nnotify_classes =\n\
         virtual_mailbox_domains = {DOMAIN}\nvirtual_mailbox_base = {mailbox}\nvirtual_mailbox_maps = static:mail/\n\
         virtual_uid_maps = static:{uid}\nvirtual_gid_maps = static:{gid}\nvirtual_minimum_uid = 1\nvirtual_transport = virtual\n\
         default_transport = error:nothing is sent on\nrelay_transport = error:nothing is sent on\nlocal_transport = error:nobody is here\n\
         smtpd_relay_restrictions = reject_unauth_destination\n"
    )
}

/// What runs: what takes mail in, what queues it, what delivers it.
fn services(port: u16) -> String {
    format!(
        "127.0.0.1:{port} inet n - n - - smtpd\n\
         cleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\nrewrite unix - - n - - trivial-rewrite\n\
         bounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\ntrace unix - - n - 0 bounce\nverify unix - - n - 1 verify\n\
         proxymap unix - - n - - proxymap\nanvil unix - - n - 1 anvil\nscache unix - - n - 1 scache\n\
         error unix - - n - - error\nretry unix - - n - - error\nvirtual unix - n n - - virtual\n\
         postlog unix-dgram n - n - 1 postlogd\n"
    )
}
