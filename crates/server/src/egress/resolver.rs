//! From a name to addresses: the system's resolver, or a test's table. Refuses to be asked twice for one request: who
//! connects takes an address that was judged.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use super::failure::{Failure, Kind};

/// Where names are looked up.
#[derive(Clone, Default)]
pub enum Resolver {
    /// The operating system's.
    #[default]
    System,
    /// A test's, in which names can change their mind.
    Table(Arc<Mutex<HashMap<String, Vec<IpAddr>>>>),
}

impl Resolver {
    /// A table with nothing in it.
    pub fn table() -> Self {
        Self::Table(Arc::default())
    }

    /// From now on a name has these addresses. The system's names are not ours to set.
    pub fn set(&self, name: &str, addresses: &[IpAddr]) {
        if let Self::Table(table) = self {
            table.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), addresses.to_vec());
        }
    }

    pub(super) async fn look_up(&self, name: &str, port: u16) -> Result<Vec<SocketAddr>, Failure> {
        let found = match self {
            Self::System => tokio::net::lookup_host((name, port)).await.map(Iterator::collect).ok(),
            Self::Table(table) => {
                let table = table.lock().unwrap_or_else(PoisonError::into_inner);
                table.get(name).map(|all| all.iter().map(|ip| SocketAddr::new(*ip, port)).collect())
            }
        };
        found.ok_or(Failure::new(Kind::Unreachable, "the name could not be resolved"))
    }
}
