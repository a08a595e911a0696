//! A connection that is lent. Refuses to go back into the pool with a transaction open: unless somebody says that it is clean, it
//! is closed, and the database rolls back what it had begun.

use deadpool_postgres::{ClientWrapper, Object};
use doorcode_core::{Error, Result};

/// A connection, until it is given back or dropped.
pub(super) struct Connection(Option<Object>);

impl Connection {
    pub(super) fn new(object: Object) -> Self {
        Self(Some(object))
    }

    /// The client to ask with.
    pub(super) fn client(&mut self) -> Result<&mut ClientWrapper> {
        self.0.as_deref_mut().ok_or_else(|| Error::internal("a connection was used after it was given back"))
    }

    /// Nothing is open on it: the next may have it.
    pub(super) fn give_back(mut self) {
        drop(self.0.take());
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            drop(Object::take(object));
        }
    }
}
