//! The last line of a message that binds its code to a site: `@host #code`, with `@embedded` or `%embedded` behind it
//! (WICG, origin-bound one-time codes; Apple, domain-bound codes). Refuses it anywhere but on the last line.

use super::Found;
use crate::secret::Secret;

/// The code and host of the last line.
pub(super) fn read(text: &str) -> Option<Found> {
    let line = text.trim_end().rsplit(['\n', '\r']).next()?.trim();
    let mut fields = line.strip_prefix('@')?.split(' ');
    let host = fields.next()?;
    let code = fields.next()?.strip_prefix('#')?;
    let named =
        host.split('.').all(|label| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
    let fits = (3..=16).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_alphanumeric());
    // A mention and a hashtag look the same, but have no digit or no dot.
    if !named || !fits || !host.contains('.') || host.len() > 253 || !code.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(Found { code: Secret::new(code.to_owned()), confidence: 99, bound_to: Some(host.to_ascii_lowercase()) })
}
