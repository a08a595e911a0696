//! The name of a request (`Idempotency-Key`), where an answer that was lost on the way must not be lost for good. Refuses what is no name.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::error::Refused;
use super::fields::wrong;
use crate::api::request_name::{NoName, WRONG, request_name};
use crate::app::App;
use crate::ops::audit::Whose;
use crate::ops::idempotency::{HEADER, Once};

/// What stands there, if anything does. Looked at by whoever wants it, so that who may not call hears that first.
pub(super) struct RequestName(Result<Option<String>, NoName>);

impl FromRequestParts<Arc<App>> for RequestName {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Infallible> {
        Ok(Self(request_name(&parts.headers)))
    }
}

impl RequestName {
    /// It.
    pub(super) fn read(self) -> Result<Option<String>, Refused> {
        self.0.map_err(|NoName| wrong(HEADER, WRONG))
    }

    /// The request of a person to an operation, if it has a name.
    pub(super) fn once(self, whose: Whose, operation: &str, body: &[u8]) -> Result<Option<Once>, Refused> {
        let of = format!("{operation} of {}", whose.owner);
        Ok(self.read()?.map(|name| Once::new(whose.org, &of, &name, body)))
    }
}
