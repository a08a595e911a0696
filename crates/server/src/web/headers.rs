//! What every page says about itself to the browser. Refuses inline scripts and styles, frames around it, anything from elsewhere, being
//! kept, and telling the next site where one came from (docs/threat-model.md).

use axum::http::{HeaderName, header};

/// The headers of a page.
#[must_use]
pub const fn page_headers() -> [(HeaderName, &'static str); 4] {
    with_policy(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; frame-src 'self'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'",
    )
}

/// The policy of a page whose form ends at an app's own address: browsers hold every step of the way against it.
#[must_use]
pub fn policy_towards(uri: &str) -> String {
    let end = doorcode_core::redirect::form_action(uri);
    page_headers()[0].1.replace("form-action 'self'", &format!("form-action 'self' {end}"))
}

/// The policy of a page that hears from this server what is new, and looks at it.
#[must_use]
pub fn policy_live() -> String {
    page_headers()[0].1.replace("script-src 'self'", "script-src 'self'; connect-src 'self'")
}

/// The headers of a captured mail in the dev inbox. It is shown in a frame of the inbox, and unlike a page it has
/// inline styles: so it is a document of its own, without an origin, whose policy does not loosen the inbox's.
#[must_use]
pub const fn mail_headers() -> [(HeaderName, &'static str); 4] {
    with_policy(
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'self'",
    )
}

const fn with_policy(policy: &'static str) -> [(HeaderName, &'static str); 4] {
    [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
    ]
}
