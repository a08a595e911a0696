//! A copy of the running database, marked, so that whoever serves it knows that it is a copy: the first start on it
//! voids what was live ([`super::meta`]). Refuses to overwrite, and leaves no half a copy under the asked-for name.

use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use doorcode_core::{Error, Result};
use rusqlite::Connection;

use super::db::failed;

/// Copies `source` to `target` through a temporary name beside it.
pub(super) fn copy(source: &Path, target: &Path) -> Result<()> {
    if target.exists() {
        return Err(Error::Conflict("there is a file of that name; choose another one"));
    }
    let mut half = target.as_os_str().to_owned();
    half.push(".part");
    let half = Path::new(&half);
    let made = write(source, half).and_then(|()| {
        std::fs::File::open(half).and_then(|file| file.sync_all()).map_err(Error::unavailable)?;
        // A hard link refuses a name that somebody took meanwhile, which a rename would overwrite.
        std::fs::hard_link(half, target).map_err(Error::unavailable)
    });
    drop(std::fs::remove_file(half));
    made
}

fn write(source: &Path, half: &Path) -> Result<()> {
    drop(std::fs::remove_file(half));
    // It holds addresses: its owner alone reads it, from the first byte.
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(half).map_err(Error::unavailable)?;
    let connection = Connection::open(source).map_err(failed)?;
    connection.busy_timeout(Duration::from_secs(30)).map_err(failed)?;
    let name = half.to_str().ok_or(Error::Invalid { field: "file", why: "must be a UTF-8 path" })?;
    // A consistent snapshot in one read transaction: writers go on, only the log can't shrink meanwhile.
    connection.execute("VACUUM INTO ?1", [name]).map_err(failed)?;
    let copy = Connection::open(half).map_err(failed)?;
    copy.execute_batch("INSERT OR REPLACE INTO meta (name, value) VALUES ('backup', 'unopened')").map_err(failed)
}
