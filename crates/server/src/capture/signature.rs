//! What a signature must be, beyond being right, to prove who sent a message. The library that checks signatures takes more than we do:
//! parts of a body, headers left out, SHA-1, a third party's word. Each of those is refused here by name.

use doorcode_core::Timestamp;

use super::fields::Fields;
use super::tags::Tags;

/// What a reader is shown or goes by, and a signature must cover where it stands in the message. MIME-Version may be missing, as it is
/// from the plainest mail: nothing is read otherwise for it, and one that somebody added stands there and is not covered.
const COVERED: &[&str] = &["From", "To", "Subject", "Date", "MIME-Version", "Content-Type"];

/// The most headers that a signature may name. Looking up so many takes the library the square of their number.
const MAX_NAMES: usize = 128;

/// Why this signature can't prove anything, right or not. `tags` are those of DKIM-Signature or ARC-Message-Signature.
pub(super) fn flaw(tags: &Tags<'_>, now: Timestamp) -> Option<&'static str> {
    let signs = |algorithm: &&str| tags.get("a").is_some_and(|a| a.eq_ignore_ascii_case(algorithm));
    let expires = tags.get("x").map(|x| x.parse::<i64>().map_or(i64::MIN, |x| x.saturating_mul(1000)));
    match () {
        () if tags.get("l").is_some() => Some("its signature covers a part of the body only"),
        () if !["rsa-sha256", "ed25519-sha256"].iter().any(signs) => {
            Some("its signature is of a kind that proves nothing any more")
        }
        () if tags.get("h").is_some_and(|names| names.split(':').count() > MAX_NAMES) => {
            Some("its signature names too many headers")
        }
        () if expires.is_some_and(|expires| expires <= now.millis()) => Some("its signature has expired"),
        () => None,
    }
}

/// Why a right signature is not enough: a header that it leaves to others.
pub(super) fn gap(tags: &Tags<'_>, fields: &Fields, raw: &[u8]) -> Option<&'static str> {
    let open = |name: &&&str| fields.count(raw, name) > 0 && !tags.has("h", name);
    COVERED.iter().find(open).map(|name| match *name {
        "From" => "its signature leaves out From",
        "To" => "its signature leaves out To",
        "Subject" => "its signature leaves out Subject",
        "Date" => "its signature leaves out Date",
        "MIME-Version" => "its signature leaves out MIME-Version",
        _ => "its signature leaves out Content-Type",
    })
}
