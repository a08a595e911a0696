//! One server per data directory. The lock is the operating system's and ends with the process, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use doorcode_core::{Error, Result};

/// Held while this process serves a data directory.
pub struct ServerLock {
    /// Open for as long as the lock is held.
    _file: File,
}

impl ServerLock {
    /// Takes the lock, or says who has it.
    pub fn take(dir: &Path) -> Result<Self> {
        match Self::try_take(dir)? {
            Some(lock) => Ok(lock),
            None => Err(Error::Conflict(
                "another server is serving this data directory, or what is in it moves elsewhere; stop that, or name another one with --data",
            )),
        }
    }

    /// Whether nobody serves the directory at the moment.
    pub fn is_free(dir: &Path) -> Result<bool> {
        Ok(Self::try_take(dir)?.is_some())
    }

    fn try_take(dir: &Path) -> Result<Option<Self>> {
        let path = dir.join("serve.lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(path)
            .map_err(Error::unavailable)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(Error::unavailable(error)),
        }
    }
}
