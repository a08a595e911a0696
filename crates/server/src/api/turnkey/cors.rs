//! What browsers ask before a page of another origin may call (the Fetch standard, section 3.2). Signed calls are open to every page: no cookie is
//! read, and whoever signs has the key. Calls through the auth proxy are answered to the origins of its organisation's list only, which is
//! looked at when the call comes; what is asked before names no organisation. Refuses credentials: none is said to be allowed.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

/// The headers that clients of the door send.
const HEADERS: HeaderValue = HeaderValue::from_static(
    "Content-Type, X-Stamp, X-Stamp-Webauthn, X-Stamp-Attested, X-Client-Version, X-Auth-Proxy-Config-ID, X-Captcha-Token, X-Session",
);

/// Around every call of the house; of other doors nothing is said.
pub(in crate::api) async fn around<A>(request: Request, answer: impl FnOnce(Request) -> A) -> Response
where
    A: Future<Output = Response>,
{
    let path = request.uri().path();
    let proxy = super::proxy::PATHS.contains(&path);
    if !proxy && !path.starts_with("/public/v1/") {
        return answer(request).await;
    }
    let origin = request.headers().get(header::ORIGIN).cloned();
    let asked = request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if request.method() == Method::OPTIONS && asked {
        let mut response = StatusCode::NO_CONTENT.into_response();
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
        response.headers_mut().insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        if let (true, Some(origin)) = (proxy, &origin) {
            allow(response.headers_mut(), origin.clone());
        }
        response
    } else {
        answer(request).await
    };
    if !proxy {
        allow(response.headers_mut(), HeaderValue::from_static("*"));
    }
    response
}

/// Lets pages of an origin read an answer.
pub(super) fn allow(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
}
