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
    // What is left of a backup that was cut short must not be in the way of every one after it.
    drop(std::fs::remove_file(half));
    // It holds addresses: its owner alone reads it, from the first byte.
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(half).map_err(at(half))?;
    let made = write(source, half).and_then(|()| {
        std::fs::File::open(half).and_then(|file| file.sync_all()).map_err(at(half))?;
        // A hard link refuses a name that somebody took meanwhile, which a rename would overwrite.
        std::fs::hard_link(half, target).map_err(at(target))
    });
    drop(std::fs::remove_file(half));
    made?;
    // The name, too, must outlive a power cut.
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(folder))
}

/// An error of the machine, with the path that it is about.
fn at(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    move |why| Error::unavailable(format!("{}: {why}", path.display()))
}

fn write(source: &Path, half: &Path) -> Result<()> {
    let connection = Connection::open(source).map_err(failed)?;
    connection.busy_timeout(Duration::from_secs(30)).map_err(failed)?;
    let name = half.to_str().ok_or(Error::Invalid { field: "file", why: "must be a UTF-8 path" })?;
    // A consistent snapshot in one read transaction: writers go on, only the log can't shrink meanwhile.
    let copied = connection.execute("VACUUM INTO ?1", [name]);
    copied.map_err(|why| Error::unavailable(format!("{}: {why}", half.display())))?;
    let copy = Connection::open(half).map_err(failed)?;
    copy.execute_batch("INSERT OR REPLACE INTO meta (name, value) VALUES ('backup', 'unopened')").map_err(failed)
}
