//! The browser that asks: who is signed in with it, and what it calls itself. Refuses to keep more of its name than a person needs
//! to know it again.

use std::sync::Arc;

use axum::http::HeaderMap;
use doorcode_core::session::Kind;

use super::cookies;
use crate::app::App;
use crate::ops::sessions::{self, Live};

/// Who is signed in with the browser that sent these headers.
pub(super) async fn session(app: &Arc<App>, headers: &HeaderMap) -> Option<Arc<Live>> {
    let cookie = cookies::get(app, headers, cookies::SESSION)?;
    match sessions::read(app, Kind::Cookie, &cookie).await {
        Ok(live) => live,
        Err(error) => {
            tracing::error!(error = %crate::chain(&error), "a session could not be read");
            None
        }
    }
}

/// `Firefox on Linux`, as far as it can be told from what a browser says of itself.
pub(super) fn name_of(agent: &str) -> String {
    // Each says that it is the ones behind it, too.
    let browsers = [
        ("Edg", "Edge"),
        ("OPR", "Opera"),
        ("SamsungBrowser", "Samsung Internet"),
        ("Firefox", "Firefox"),
        ("FxiOS", "Firefox"),
        ("CriOS", "Chrome"),
        ("Chrome", "Chrome"),
        ("Safari", "Safari"),
        ("curl", "curl"),
    ];
    let systems = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ];
    let find =
        |list: &[(&str, &'static str)]| list.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name);
    match (find(&browsers), find(&systems)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(name), None) | (None, Some(name)) => name.to_owned(),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::name_of;

    #[test]
    fn a_browser_is_called_what_people_call_it() {
        for (agent, name) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
                "Chrome on Windows",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1",
                "Safari on iPhone",
            ),
            ("Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
            ("curl/8.0", "curl"),
            ("<script>alert(1)</script>", ""),
            ("", ""),
        ] {
            assert_eq!(name_of(agent), name, "{agent}");
        }
    }
}
