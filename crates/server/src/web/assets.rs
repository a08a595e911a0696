//! What pages load, compiled in: one stylesheet. Refuses to be kept past its content: pages ask for it by the hash of
//! what is in it, and only that answer may be kept for good.

use axum::http::{HeaderName, header};

/// The stylesheet itself.
pub const STYLE: &str = include_str!("../../assets/style.css");

/// The route of the stylesheet.
pub const STYLE_PATH: &str = "/assets/style.css";

/// The hash of the stylesheet's content, to tell versions apart.
pub const STYLE_VERSION: u64 = fnv1a(STYLE.as_bytes());

/// The address of the stylesheet in pages: `/assets/style.css?v=` and its version in hexadecimal.
#[must_use]
pub fn style_href() -> String {
    format!("{STYLE_PATH}?v={STYLE_VERSION:016x}")
}

/// The stylesheet, with its headers. `version` is the parameter `v` of the request: only what was asked for by its own
/// version may be kept without asking again.
#[must_use]
pub fn stylesheet(version: Option<&str>) -> ([(HeaderName, &'static str); 3], &'static str) {
    let current = version.is_some_and(|version| u64::from_str_radix(version, 16) == Ok(STYLE_VERSION));
    let kept = if current { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, kept),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, STYLE)
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
        let current = style_href();
        let version = current.strip_prefix("/assets/style.css?v=").unwrap();
        let kept = |version| stylesheet(version).0[1].1;
        assert!(kept(Some(version)).contains("immutable"));
        assert_eq!(kept(None), "no-cache");
        assert_eq!(kept(Some("0")), "no-cache");
        assert_eq!(kept(Some("x")), "no-cache");
    }

    #[test]
    fn the_hash_is_fnv_1a() {
        // From draft-eastlake-fnv, the test vectors of the 64-bit version.
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn the_stylesheet_loads_nothing() {
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
    }
}
