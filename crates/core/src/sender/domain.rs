//! Domains as owners have them. Refuses to take a public suffix (`co.uk`, `github.io`) for anybody's.

use crate::address::Email;

/// A domain in canonical form, as [`Email::domain`] has it: lower case, A-labels, two labels at least. None for what is none.
pub fn canonical_domain(domain: &str) -> Option<String> {
    // A domain is what may stand behind an @, so there is one rule for both.
    Email::parse(&format!("x@{domain}")).ok().map(|email| email.domain().to_owned())
}

/// What somebody can register, of a domain in canonical form: the public suffix and one label. None for a public suffix.
/// Under a top-level domain that is not on the list the last two labels are taken, as the list has it.
pub fn registrable(domain: &str) -> Option<&str> {
    let plain = domain.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.');
    if !plain || domain.split('.').any(str::is_empty) {
        return None;
    }
    let length = psl::domain(domain.as_bytes())?.as_bytes().len();
    domain.get(domain.len() - length..)
}

/// Whether a signature of domain `d` may vouch for mail from `from_domain`: the domain itself, or a parent of it that is
/// not above what its owner registered. Never a child, which may be given to somebody else.
pub fn is_aligned(from_domain: &str, d: &str) -> bool {
    let (Some(from), Some(d)) = (canonical_domain(from_domain), canonical_domain(d)) else { return false };
    let same_owner = || registrable(&from).is_some_and(|owner| registrable(&d) == Some(owner));
    from == d || is_under(&from, &d) && same_owner()
}

/// Whether a domain is below another one, both in canonical form.
pub(super) fn is_under(domain: &str, parent: &str) -> bool {
    domain.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.'))
}

/// Whether names end with this label, in any spelling: it is on the list of public suffixes.
pub(crate) fn is_top_level(label: &str) -> bool {
    const LONGEST: usize = 63 * 4;
    let known = |name: &str| psl::suffix(name.as_bytes()).is_some_and(|suffix| suffix.is_known());
    !label.is_empty()
        && label.len() <= LONGEST
        && canonical_domain(&format!("x.{label}")).is_some_and(|name| name.matches('.').count() == 1 && known(&name))
}
