//! What stands in a path, for every door. Refuses nothing: what is no text is empty, which names nothing, so that the door itself says in
//! its form that there is no such thing.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::app::App;

/// The id in a path; `(String, String)` where there are two. What is no text is no id.
pub(super) struct Segment<T = String>(pub(super) T);

impl<T: DeserializeOwned + Default + Send> FromRequestParts<Arc<App>> for Segment<T> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        let found = Path::<T>::from_request_parts(parts, app).await;
        Ok(Self(found.map(|Path(text)| text).unwrap_or_default()))
    }
}
