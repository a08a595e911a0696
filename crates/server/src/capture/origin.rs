//! Where a message comes from, as far as that forbids to relay it: this installation's own mail, and every domain that the list of
//! those who are never relayed must be asked about. Refuses to be told apart: there is no setting for either.

use doorcode_core::Secret;
use doorcode_core::origin::Mark;

use super::message::{Mailbox, Parsed};
use super::{chain, domain};
use crate::keyring::Keyring;

/// Whether this installation sent it: one of its marks is ours, or it is from a domain that we write from. An agent that was let have
/// such a code would sign in here as its owner.
pub fn is_ours(parsed: &Parsed, own_from_domains: &[&str], keys: &Keyring) -> bool {
    let mut marks = parsed.marks.iter().filter_map(|mark| Mark::parse(mark));
    let made_here = |mark: Mark| keys.iter().any(|roots| roots.kid == mark.kid() && mark.is_of(&roots.header));
    marks.any(made_here) || is_from(parsed, own_from_domains)
}

/// Whether some installation sent it, or it is from a domain that ours writes from: for whoever has no key to tell ours by.
pub fn is_anybodys(parsed: &Parsed, own_from_domains: &[&str]) -> bool {
    parsed.marks.iter().any(|mark| Mark::parse(mark).is_some()) || is_from(parsed, own_from_domains)
}

fn is_from(parsed: &Parsed, own_from_domains: &[&str]) -> bool {
    let own = |found: String| {
        own_from_domains.iter().filter_map(|own| domain::canonical(own)).any(|own| domain::is_at_or_below(&found, &own))
    };
    parsed.from.iter().chain(&parsed.sender).filter_map(Mailbox::domain).any(own)
}

/// Every domain that has to do with a message, for the list of those that are never relayed: who it is from in any sense, who signed
/// it, who signed it before a forwarder changed it, who sealed it on its way, and what its code is bound to (`@host #code`). Each once,
/// canonical. Seals of those who `carry` this person's mail are passed over: they are on every mail of it, whoever wrote that. Some
/// providers of mailboxes are on the list themselves, and would keep everything from their users; what such a one writes itself is named
/// by From and by its own signature.
pub fn domains_of(parsed: &Parsed, raw: &[u8], carries: impl Fn(&str) -> bool) -> Vec<String> {
    let people = [&parsed.from, &parsed.sender, &parsed.reply_to].into_iter().flatten().filter_map(Mailbox::domain);
    let mut found: Vec<String> = people.collect();
    for (name, seals) in [("DKIM-Signature", false), ("ARC-Message-Signature", true), ("ARC-Seal", true)] {
        let values = parsed.fields.values(raw, name).filter_map(|value| str::from_utf8(value).ok());
        // Of a list that can be read in two ways, each reading counts.
        let signed = values.flat_map(signers).filter_map(|signer| domain::canonical(&signer));
        found.extend(signed.filter(|signer| !seals || !carries(signer)));
    }
    for value in parsed.fields.values(raw, "ARC-Authentication-Results") {
        found.extend(chain::mentioned(&String::from_utf8_lossy(value)));
    }
    for text in [&parsed.text, &parsed.html].into_iter().flatten().map(Secret::expose) {
        found.extend(bound_to(text));
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// What stands at `d=` in a list of tags, at each if there are several, with its folds undone as readers of signatures do.
fn signers(value: &str) -> Vec<String> {
    let parts = value.split(';').filter_map(|part| part.split_once('='));
    let named = parts.filter(|(name, _)| name.trim().eq_ignore_ascii_case("d"));
    named.map(|(_, value)| value.split_whitespace().collect()).collect()
}

/// The hosts of codes that are bound to one: `@host #code`, and `%host` behind it for a page inside of another's. Anywhere in a line,
/// since HTML has its own ideas of lines. Each `@` is looked at as far as to the next one: whoever sends a mail of nothing else must not make
/// it a square.
fn bound_to(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for rest in text.split('@').skip(1) {
        let host = rest.split(|c: char| c.is_whitespace() || c == '<').next().unwrap_or_default();
        let behind = rest[host.len()..].trim_start_matches([' ', '\t', '\u{a0}']);
        if host.len() <= 253 && behind.len() < rest.len() - host.len() && behind.starts_with('#') {
            let line = behind.lines().next().unwrap_or_default();
            let embedded = line.split_whitespace().filter_map(|word| word.strip_prefix('%'));
            let of = [host].into_iter().chain(embedded);
            found.extend(of.filter_map(|host| domain::canonical(host.split(':').next().unwrap_or_default())));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_are_bound_say_to_what() {
        assert_eq!(bound_to("Your code is 123.\n\n@Example.com #123456"), ["example.com"]);
        assert_eq!(bound_to("@a.com #123 %pay.b.com\n@c.com:8443  #9"), ["a.com", "pay.b.com", "c.com"]);
        assert_eq!(bound_to("<p>@a.com #123</p>"), ["a.com"]);
        // Were each read to the end of its line, this would be a square of three million names.
        assert_eq!(bound_to(&"@a.com #1 %c.com ".repeat(3000)).len(), 6000);
        assert!(bound_to(&"@".repeat(1 << 20)).is_empty());
        for none in ["ada@example.com", "@example.com", "@example.com is #1", "@ #1", "@example.com#1"] {
            assert!(bound_to(none).is_empty(), "{none}");
        }
    }
}
