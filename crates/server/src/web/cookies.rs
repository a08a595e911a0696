//! What a browser keeps for us. Over TLS every name begins with `__Host-`, so that no neighbouring site can set one. Refuses to be
//! read by scripts, and to go along when another site asks.

use axum::http::{HeaderMap, header};

use crate::app::App;

/// The session of somebody who is signed in.
pub(super) const SESSION: &str = "door";
/// What this browser asked for and waits for.
pub(super) const ASKED: &str = "door_asked";
/// By what the forms that we gave this browser are known.
pub(super) const FORMS: &str = "door_forms";

/// Whether the browser reaches us over TLS, as the operator says.
fn is_secure(app: &App) -> bool {
    app.base_url().starts_with("https://")
}

fn name(app: &App, name: &str) -> String {
    if is_secure(app) { format!("__Host-{name}") } else { name.to_owned() }
}

/// The cookie of that name, if there is exactly one.
pub(super) fn get(app: &App, headers: &HeaderMap, wanted: &str) -> Option<String> {
    let wanted = name(app, wanted);
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut found = all
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, _)| *name == wanted)
        .map(|(_, value)| value.to_owned());
    match (found.next(), found.next()) {
        (Some(value), None) => Some(value),
        _ => None,
    }
}

/// A cookie that stays for so many seconds.
pub(super) fn set(app: &App, which: &str, value: &str, seconds: u64) -> String {
    let secure = if is_secure(app) { "; Secure" } else { "" };
    format!("{}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}", name(app, which))
}

/// The end of a cookie.
pub(super) fn end(app: &App, which: &str) -> String {
    set(app, which, "", 0)
}
