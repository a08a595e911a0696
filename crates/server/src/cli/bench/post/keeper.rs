//! A server that lives no longer than whoever started it, however that ends: a shell holds it by its process id and ends it when its
//! standard input does. Refuses to leave its folder behind.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// `$1` the folder, `$2…` the server. An interrupt at the terminal is for whoever started it, whose end is then this one's.
const SCRIPT: &str = r#"
trap '' INT
dir=$1
shift
"$@" >>"$dir/log" 2>&1 &
pid=$!
while read -r word; do
    case $word in
    stop) kill "$pid"; wait "$pid" 2>/dev/null ;;
    start) "$@" >>"$dir/log" 2>&1 & pid=$! ;;
    forget) rm -rf "$dir"/mail/*/* "$dir"/mail/dovecot* "$dir"/mail/subscriptions ;;
    esac
    echo done
done
kill "$pid" 2>/dev/null
wait "$pid" 2>/dev/null
rm -rf "$dir"
"#;

/// Whoever keeps it. It ends, and the folder goes, when this is dropped.
#[derive(Debug)]
pub(super) struct Keeper {
    shell: Child,
    dir: PathBuf,
}

impl Keeper {
    /// Starts `server`, its words, by way of `through`.
    pub(super) fn start(dir: PathBuf, mut through: Command, server: &[&str]) -> io::Result<Self> {
        through.args(["sh", "-c", SCRIPT, "keeper"]).arg(&dir).args(server);
        through.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        let shell = through.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        Ok(Self { shell, dir })
    }

    /// The folder.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Says a word to the script, and waits until it is done.
    pub(super) fn tell(&mut self, word: &str) -> io::Result<()> {
        let gone = || io::Error::other("whoever keeps the server is gone");
        writeln!(self.shell.stdin.as_mut().ok_or_else(gone)?, "{word}")?;
        let mut line = String::new();
        BufReader::new(self.shell.stdout.as_mut().ok_or_else(gone)?).read_line(&mut line)?;
        if line == "done\n" { Ok(()) } else { Err(gone()) }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}
