//! The bytes of a request's body, for every door and page: size and time are limited in one place. Refuses to say what went wrong: that
//! is dressed by the door.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::IntoResponse as _;

use crate::app::App;

/// The most bytes of a body.
pub const MOST: usize = 64 * 1024;

/// Why there is no body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Trouble {
    /// It is over [`MOST`].
    TooLarge,
    /// It broke off, or was no body.
    Unreadable,
    /// It did not come in time.
    Late,
}

/// Reads all of it.
pub(crate) async fn read(request: Request, app: &Arc<App>) -> Result<Bytes, Trouble> {
    let reading = Bytes::from_request(request, app);
    match tokio::time::timeout(app.config.server.read_timeout, reading).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(rejection)) => Err(match rejection.into_response().status() {
            StatusCode::PAYLOAD_TOO_LARGE => Trouble::TooLarge,
            _ => Trouble::Unreadable,
        }),
        Err(_) => Err(Trouble::Late),
    }
}
