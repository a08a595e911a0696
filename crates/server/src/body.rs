//! The bytes of a request's body, for every door and page: size and time are limited in one place. Refuses to say what went wrong: that
//! is dressed by the door.

use axum::body::{Body, Bytes};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

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
pub(crate) async fn read(body: Body, app: &App) -> Result<Bytes, Trouble> {
    let reading = Limited::new(body, MOST).collect();
    match tokio::time::timeout(app.config.server.read_timeout, reading).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Trouble::TooLarge),
        Ok(Err(_)) => Err(Trouble::Unreadable),
        Err(_) => Err(Trouble::Late),
    }
}
