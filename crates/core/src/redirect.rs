//! Where a browser may be sent back to, and the proof that an app exchanges its code with (RFC 7636). Refuses what two programs
//! could read differently, whatever a browser would run, and every method of proof but S256.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::error::{Error, Result};

/// The longest address, in bytes.
const LONGEST: usize = 512;

/// Schemes that a browser runs, reads from its own machine or hands to whoever it likes.
const NEVER: [&str; 10] =
    ["javascript", "data", "intent", "file", "blob", "vbscript", "about", "view-source", "filesystem", "ws"];

/// Checks an address for the list of an org: `https://…`, `http://` on this very machine, or a scheme of an app's own with a
/// dot in it (RFC 8252 section 7.1). It is compared to the byte, so it is kept as it is written.
///
/// # Errors
/// `Invalid` with what is wrong with it.
pub fn check_uri(uri: &str) -> Result<()> {
    let bad = |why| Err(Error::Invalid { field: "uri", why });
    if uri.is_empty() || uri.len() > LONGEST {
        return bad("must have 1 to 512 characters");
    }
    if !uri.bytes().all(|b| b.is_ascii_graphic()) || uri.contains(['\\', '#', '"', '<', '>', '^', '`', '{', '}', '|']) {
        return bad("must be plain ASCII without spaces, backslashes, quotes or a fragment");
    }
    let Some((scheme, rest)) = uri.split_once(':') else { return bad("must begin with a scheme, such as https:") };
    if scheme != scheme.to_ascii_lowercase() || NEVER.contains(&scheme) {
        return bad("must begin with https:, or with a scheme of your app's own");
    }
    match scheme {
        "https" | "http" => check_authority(scheme, rest).map_or(Ok(()), bad),
        _ if scheme.contains('.') && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b".-+".contains(&b)) => {
            if rest.len() > 1 { Ok(()) } else { bad("must name something behind the scheme") }
        }
        _ => bad("must begin with https:, or with a scheme of your app's own, which has a dot in it"),
    }
}

/// What is wrong with the host of a web address.
fn check_authority(scheme: &str, rest: &str) -> Option<&'static str> {
    let Some(rest) = rest.strip_prefix("//") else { return Some("must have // behind the scheme") };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    if authority.contains('@') {
        return Some("must have no user name in it");
    }
    if !authority.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b)) {
        return Some("must name one host, in letters, digits, dots and dashes");
    }
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    if host.is_empty() || host.contains('*') || host.contains('%') {
        return Some("must name one host");
    }
    let local = host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
    (scheme == "http" && !local).then_some("must be https, except on this very machine")
}

/// Whether a text can be an S256 code challenge: 43 characters of base64url.
pub fn is_challenge(text: &str) -> bool {
    text.len() == 43 && URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == 32)
}

/// Whether a verifier (43 to 128 unreserved characters) is the origin of a challenge.
pub fn proves(verifier: &str, challenge: &str) -> bool {
    let plain = verifier.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
    if !(43..=128).contains(&verifier.len()) || !plain {
        return false;
    }
    let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    digest.as_bytes().ct_eq(challenge.as_bytes()).into()
}

/// The address with parameters behind it.
pub fn with_query(uri: &str, parameters: &[(&str, &str)]) -> String {
    let mut longer = uri.to_owned();
    for (name, value) in parameters {
        longer.push(if longer.contains('?') { '&' } else { '?' });
        longer.push_str(name);
        longer.push('=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                longer.push(char::from(byte));
            } else {
                longer.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    longer
}

/// What a form may be sent on to, for a content security policy: the address's origin, or its scheme.
pub fn form_action(uri: &str) -> String {
    match uri.split_once("://") {
        Some((scheme @ ("https" | "http"), rest)) => {
            format!("{scheme}://{}", rest.split(['/', '?']).next().unwrap_or_default())
        }
        _ => format!("{}:", uri.split(':').next().unwrap_or_default()),
    }
}
