//! What pages load, compiled in: one stylesheet, one script, and one more for the page that is live. Refuses to be kept past its content: pages ask for each
//! by the hash of what is in it, and only that answer may be kept for good.

use axum::http::{HeaderName, header};

/// A file that pages load.
pub struct Asset {
    /// Its route.
    pub path: &'static str,
    /// What it is.
    pub kind: &'static str,
    /// What is in it.
    pub text: &'static str,
    /// The hash of that, to tell versions apart.
    pub version: u64,
}

/// The stylesheet.
pub static STYLE: Asset =
    Asset::of("/assets/style.css", "text/css; charset=utf-8", include_str!("../../assets/style.css"));

/// The script.
pub static SCRIPT: Asset =
    Asset::of("/assets/door.js", "text/javascript; charset=utf-8", include_str!("../../assets/door.js"));

/// The script of the pages about agents.
pub static APPROVALS: Asset =
    Asset::of("/assets/approvals.js", "text/javascript; charset=utf-8", include_str!("../../assets/approvals.js"));

/// What tells a person while no page is open.
pub static WORKER: Asset = Asset::of("/sw.js", "text/javascript; charset=utf-8", include_str!("../../assets/sw.js"));

/// The address of the stylesheet in pages.
#[must_use]
pub fn style_href() -> String {
    STYLE.href()
}

/// The address of the script in pages.
#[must_use]
pub fn script_href() -> String {
    SCRIPT.href()
}

impl Asset {
    const fn of(path: &'static str, kind: &'static str, text: &'static str) -> Self {
        Self { path, kind, text, version: fnv1a(text.as_bytes()) }
    }

    /// The address in pages: the path, `?v=` and the version in hexadecimal.
    #[must_use]
    pub fn href(&self) -> String {
        format!("{}?v={:016x}", self.path, self.version)
    }

    /// The file, with its headers. `version` is the parameter `v` of the request: only what was asked for by its own
    /// version may be kept without asking again.
    #[must_use]
    pub fn answer(&self, version: Option<&str>) -> ([(HeaderName, &'static str); 3], &'static str) {
        let current = version.is_some_and(|version| u64::from_str_radix(version, 16) == Ok(self.version));
        let kept = if current { "public, max-age=31536000, immutable" } else { "no-cache" };
        let headers = [
            (header::CONTENT_TYPE, self.kind),
            (header::CACHE_CONTROL, kept),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        (headers, self.text)
    }
}

/// FNV-1a, 64 bits: tells versions of a file of ours apart, at compile time. No defence against anybody.
const fn fnv1a(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_current_version_is_kept() {
        for asset in [&STYLE, &SCRIPT, &APPROVALS] {
            let current = asset.href();
            let version = current.split_once("?v=").unwrap().1;
            let kept = |version| asset.answer(version).0[1].1;
            assert!(kept(Some(version)).contains("immutable"));
            assert_eq!(kept(None), "no-cache");
            assert_eq!(kept(Some("0")), "no-cache");
            assert_eq!(kept(Some("x")), "no-cache");
        }
    }

    #[test]
    fn the_hash_is_fnv_1a() {
        // From draft-eastlake-fnv, the test vectors of the 64-bit version.
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn neither_loads_anything() {
        assert!(!STYLE.text.contains("url(") && !STYLE.text.contains("@import"));
        for way in ["import", "fetch(", "XMLHttpRequest", "eval(", "innerHTML", "http", ".submit("] {
            assert!(!SCRIPT.text.contains(way), "{way}");
        }
        assert!(SCRIPT.text.lines().count() < 150);
    }

    #[test]
    fn the_live_page_asks_this_server_only_and_makes_no_markup_of_texts() {
        for way in [
            "import(",
            "import {",
            "XMLHttpRequest",
            "eval(",
            "HTML =",
            "insertAdjacent",
            "document.write",
            "http:",
            "https:",
        ] {
            assert!(!APPROVALS.text.contains(way), "{way}");
        }
        assert_eq!(APPROVALS.text.matches("fetch(").count(), 1);
    }
}
