//! The settings of the database, `[database]`, as they are written. Refuses to quote a URL: it may hold a password.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;

use super::complaints::Complaints;
use crate::store::PgSettings;

/// `[database]`, as written.
#[derive(Deserialize)]
pub(super) struct RawDatabase {
    url: String,
    url_file: String,
    ca_file: String,
    connections: usize,
    statement_timeout: String,
}

impl RawDatabase {
    pub(super) fn mean(self, bad: &mut Complaints) -> Option<Arc<PgSettings>> {
        let ca_file = Some(PathBuf::from(self.ca_file.trim())).filter(|file| !file.as_os_str().is_empty());
        let timeout = bad.duration("database.statement_timeout", &self.statement_timeout);
        let url = bad.secret("database.url", &self.url, &self.url_file)?;
        match PgSettings::read(&url, ca_file, self.connections, timeout) {
            Ok(settings) => Some(Arc::new(settings)),
            Err(why) => {
                bad.push(format!("database.url: {why}"));
                None
            }
        }
    }
}
