//! The real way of a mail, on this machine alone: the system's Postfix and Dovecot with settings, data and ports of their own, for as long
//! as whoever started them lives; a sender whose signatures check; and the wire between a mail client and its server, listened to. For
//! `doorcode bench --scenario relay`, and for the tests, which set up the same. Refuses to touch the servers that the system itself runs.

mod dovecot;
mod keeper;
mod postfix;
mod sender;
mod wire;

use std::io;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

pub use dovecot::{Dovecot, Extra, USER};
pub use postfix::Postfix;
pub use sender::Sender;
pub use wire::Wire;

/// The domain that Postfix takes mail for: every address of it is the one mailbox.
pub const DOMAIN: &str = "home.example";

/// How often, and how long between two looks, a server is waited for.
const LOOKS: (u32, Duration) = (600, Duration::from_millis(50));

/// Who runs a server: numbers for what takes no names.
struct Account {
    user: String,
    group: String,
    uid: String,
    gid: String,
}

/// Whoever runs this, but not root.
fn unprivileged() -> io::Result<(Account, Command)> {
    let root = id("-u", None)? == "0";
    let name = root.then_some("nobody");
    let account =
        Account { user: id("-un", name)?, group: id("-gn", name)?, uid: id("-u", name)?, gid: id("-g", name)? };
    if !root {
        return Ok((account, Command::new("env")));
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", &account.uid, "--regid", &account.gid, "--clear-groups"]);
    Ok((account, command))
}

fn id(what: &str, of: Option<&str>) -> io::Result<String> {
    let said = Command::new("id").arg(what).args(of).output()?.stdout;
    Ok(String::from_utf8_lossy(&said).trim().to_owned())
}

/// A folder that nobody had, and a number that nobody in this process had. The name is short: the path of a socket has room for a hundred
/// characters.
fn folder(name: &str) -> io::Result<(PathBuf, u32)> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("doorcode-{name}-{}-{number}", std::process::id()));
    std::fs::create_dir(&path)?;
    Ok((path, number))
}

/// Below those that the system gives to connections out: one of them would be somebody's before the server has it.
fn free_port(number: u32) -> io::Result<u16> {
    let first = (std::process::id() * 31 + number * 101) % 10_000;
    let ports = (0..10_000).filter_map(|step| u16::try_from(20_000 + (first + step) % 10_000).ok());
    let mut free = ports.filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free.next().ok_or_else(|| io::Error::other("no port is free"))
}

/// Waits until somebody listens there; what the server wrote, if nobody does.
fn answers(port: u16, log: &Path) -> io::Result<()> {
    for _ in 0..LOOKS.0 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Ok(());
        }
        std::thread::park_timeout(LOOKS.1);
    }
    let wrote = std::fs::read_to_string(log).unwrap_or_default();
    Err(io::Error::other(format!("nobody answers at port {port}; its log: {wrote}")))
}
