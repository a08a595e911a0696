//! How a connection becomes a WebSocket (RFC 6455 section 4.2). Refuses every other request, without using anything up: a ticket is
//! looked at only behind it. Offers no sub-protocol and no compression.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::upgrade::OnUpgrade;

use crate::api::Place;
use crate::api::agentotp::error::{self, Refused};
use crate::app::App;

/// What every server puts behind the client's key (RFC 6455 section 1.3).
const MARK: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// The version that there is.
const VERSION: HeaderValue = HeaderValue::from_static("13");
const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");
const UPGRADE: HeaderValue = HeaderValue::from_static("Upgrade");

/// A request to become one.
pub(in crate::api::agentotp) struct Handshake {
    accept: HeaderValue,
    connection: Connection,
}

/// What the connection will be, and its place in the house.
pub(super) struct Connection {
    pub(super) upgrade: OnUpgrade,
    pub(super) place: Option<Place>,
}

impl FromRequestParts<Arc<App>> for Handshake {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Refused> {
        let headers = &parts.headers;
        let asks = parts.method == Method::GET
            && has_word(headers, &header::CONNECTION, "upgrade")
            && has_word(headers, &header::UPGRADE, "websocket")
            && headers.get(header::SEC_WEBSOCKET_VERSION) == Some(&VERSION);
        let accept = headers.get(header::SEC_WEBSOCKET_KEY).filter(|_| asks).and_then(accept);
        let place = parts.extensions.remove::<Place>();
        match (accept, parts.extensions.remove::<OnUpgrade>()) {
            (Some(accept), Some(upgrade)) => Ok(Self { accept, connection: Connection { upgrade, place } }),
            _ => Err(Refused::from(needed())),
        }
    }
}

impl Handshake {
    /// The answer, after which the connection is one.
    pub(super) fn answer(self) -> (Response, Connection) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, UPGRADE);
        headers.insert(header::UPGRADE, WEBSOCKET);
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, self.accept);
        (response, self.connection)
    }
}

/// What is wrong with every other request: this is a WebSocket.
fn needed() -> Response {
    let mut response = error::upgrade_required();
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, UPGRADE);
    headers.insert(header::UPGRADE, WEBSOCKET);
    headers.insert(header::SEC_WEBSOCKET_VERSION, VERSION);
    response
}

/// Whether a header names a word, in any case, among others.
fn has_word(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|found| found.trim().eq_ignore_ascii_case(word))
}

/// The proof that the request was read, for a key of 16 bytes.
fn accept(key: &HeaderValue) -> Option<HeaderValue> {
    let key = key.as_bytes().trim_ascii();
    STANDARD.decode(key).ok().filter(|bytes| bytes.len() == 16)?;
    let mut digest = ring::digest::Context::new(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY);
    digest.update(key);
    digest.update(MARK);
    HeaderValue::from_str(&STANDARD.encode(digest.finish())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standards_example() {
        let key = HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(accept(&key).unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        for bad in ["", "c2hvcnQ=", "no base64!!", "dGhlIHNhbXBsZSBub25jZXM="] {
            assert_eq!(accept(&HeaderValue::from_static(bad)), None, "{bad}");
        }
    }

    #[test]
    fn words_are_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::CONNECTION, HeaderValue::from_static("keep-alive, UpGrade"));
        assert!(has_word(&headers, &header::CONNECTION, "upgrade"));
        assert!(!has_word(&headers, &header::CONNECTION, "grade"));
        assert!(!has_word(&headers, &header::UPGRADE, "websocket"));
    }
}
