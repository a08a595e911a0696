//! The door `hooks`: programs push a person's messages here, each to a path that only it knows, each message signed. Refuses whatever is
//! not signed with the secret of that very path, and to say of a message what became of it: whoever pushes is not who asked.

pub(in crate::api) mod error;
mod sms;
mod twilio;
mod whatsapp;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::body;
use error::Refused;

/// The door's routes.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(sms::push))
        .routes(routes!(twilio::push))
        .routes(routes!(whatsapp::push, whatsapp::greet))
}

/// A body, exactly as it came: that is what was signed.
struct Raw(Bytes);

impl FromRequest<Arc<App>> for Raw {
    type Rejection = Refused;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Refused> {
        Ok(Self(body::read(request.into_body(), app).await?))
    }
}

/// The one value of a header. What stands there twice says nothing.
fn lone<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().unwrap_or_default(),
        _ => "",
    }
}
