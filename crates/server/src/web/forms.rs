//! What forms send, and the proof that it was we who gave the form to this browser. Refuses what another site sends, by what the
//! browser says of it and by a token that the other site can't know.

use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::response::Response;
use doorcode_core::Result;

use super::reply::Page;
use super::{cookies, sealed};
use crate::app::App;
use crate::body;

/// The hidden field with the token.
pub(super) const TOKEN_FIELD: &str = "form_token";
/// How long a browser keeps what its forms are known by.
const KEPT: u64 = 30 * 86_400;

/// A form that was sent, with the headers that came with it.
pub(super) struct Sent {
    fields: Vec<(String, String)>,
    /// The headers of the request.
    pub(super) headers: HeaderMap,
}

impl FromRequest<Arc<App>> for Sent {
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> std::result::Result<Self, Response> {
        let headers = request.headers().clone();
        let bytes = body::read(request.into_body(), app).await.map_err(|_| Page::refused(app, &headers))?;
        let fields = url::form_urlencoded::parse(&bytes).into_owned().collect();
        Ok(Self { fields, headers })
    }
}

impl Sent {
    /// A field; empty where there is none.
    pub(super) fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(had, _)| had == name).map_or("", |(_, value)| value)
    }

    /// Every field of that name, as boxes that were ticked have.
    pub(super) fn fields(&self, name: &str) -> Vec<&str> {
        self.fields.iter().filter(|(had, _)| had == name).map(|(_, value)| value.as_str()).collect()
    }

    /// Whether it is a form that we gave to this browser.
    pub(super) fn is_ours(&self, app: &App) -> bool {
        // Browsers say where a request comes from (Fetch Metadata); those that do not are held to the token alone.
        let foreign = self.headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin");
        let known = cookies::get(app, &self.headers, cookies::FORMS);
        let token = sealed::open(app, "form", self.field(TOKEN_FIELD));
        !foreign && known.is_some() && token.as_deref() == known.as_deref().map(str::as_bytes)
    }
}

/// The token for the forms of a page, and, for a browser that has none, the cookie that goes with it.
pub(super) struct Token {
    /// The value of [`TOKEN_FIELD`].
    pub(super) token: String,
    /// The cookie to be set.
    pub(super) cookie: Option<String>,
}

impl Token {
    /// For the browser that sent these headers.
    pub(super) fn of(app: &App, headers: &HeaderMap) -> Result<Self> {
        let (known, cookie) = match cookies::get(app, headers, cookies::FORMS) {
            Some(known) if known.len() <= 64 => (known, None),
            _ => {
                let new = sealed::nonce(app)?;
                let cookie = cookies::set(app, cookies::FORMS, &new, KEPT);
                (new, Some(cookie))
            }
        };
        Ok(Self { token: sealed::seal(app, "form", known.as_bytes()), cookie })
    }
}
