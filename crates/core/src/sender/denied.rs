//! Domains whose messages no agent gets: banks, identity providers. Refuses an entry that would deny what nobody in
//! particular owns.

use std::collections::HashSet;

use super::domain::{canonical_domain, registrable};
use crate::error::{Error, Result};

/// Bytes that are looked at; a domain has 253 octets, more when it is not ASCII.
const LONGEST: usize = 1024;

/// A list of domains; each stands for itself and everything below.
#[derive(Clone, Default)]
pub struct DenyList(HashSet<String>);

impl DenyList {
    /// Of these domains, in any spelling.
    ///
    /// # Errors
    /// `Invalid` for what is no domain, or a public suffix.
    pub fn of<'a>(domains: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let entry = |domain: &str| {
            canonical_domain(domain).filter(|domain| registrable(domain).is_some()).ok_or(Error::Invalid {
                field: "denied domain",
                why: "must be a domain that somebody can register, or one below it",
            })
        };
        domains.into_iter().map(entry).collect::<Result<_>>().map(Self)
    }

    /// Whether a domain is on the list or below one that is. A strange label further left, which no canonical domain has,
    /// does not help, and what is too long for a domain is denied.
    pub fn covers(&self, domain: &str) -> bool {
        if domain.len() > LONGEST {
            return true;
        }
        // What IDNA takes for dots are dots.
        let dotted = domain.trim().replace(['\u{3002}', '\u{ff0e}', '\u{ff61}'], ".");
        let mut rest = Some(dotted.trim_matches('.'));
        while let Some(name) = rest {
            if canonical_domain(name).is_some_and(|name| self.0.contains(&name)) {
                return true;
            }
            rest = name.split_once('.').map(|(_, parent)| parent);
        }
        false
    }
}
