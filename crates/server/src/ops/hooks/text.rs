//! What names stand in the text of an SMS: for the list of senders that are never relayed, and to know this installation's own mail again
//! though somebody forwards it as a text. Refuses to miss a name for how it is written; one too many costs a code, one too few an account.

use doorcode_core::sender::{canonical_domain, registrable};

use crate::app::App;

/// The most names of one text that are looked at.
const NAMES_MOST: usize = 64;

/// Every domain that a text or a sender names: of links, of addresses, of codes that are bound to one, or by itself. Canonical.
pub(super) fn domains(sender: &str, text: &str) -> Vec<String> {
    let words = [sender, text].into_iter().flat_map(|text| text.split(|c: char| !belongs(c)));
    let named = words.filter(|word| word.contains(['.', '。'])).filter_map(|word| {
        let domain = canonical_domain(word.trim_matches(['.', '-', '。']))?;
        registrable(&domain).is_some().then_some(domain)
    });
    let mut found: Vec<String> = named.take(NAMES_MOST).collect();
    found.sort_unstable();
    found.dedup();
    found
}

fn belongs(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '-' | '。')
}

/// Whether a text is a mail of this installation, or says so: it names the host of its links or the domain that it writes from.
pub(super) fn is_ours(app: &App, sender: &str, text: &str) -> bool {
    let base = app.base_url();
    let host = base.split_once("://").map_or(base.as_str(), |(_, rest)| rest);
    let host = host.split('/').next().unwrap_or_default();
    let capture = &app.config.capture;
    let own = capture.own_domains.iter().map(String::as_str).chain([app.config.mail.domain(), host]);
    let own: Vec<String> = own.map(without_port).filter(|own| !own.is_empty()).collect();
    // Both as they are: a host of a test or of a home network is no domain that anybody registered.
    let whole = format!("{sender}\n{text}").to_lowercase();
    let named = domains(sender, text);
    own.iter().any(|own| names(&whole, own) || named.iter().any(|name| is_at_or_below(name, own)))
}

fn without_port(host: &str) -> String {
    let host = host
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
        .map_or(host, |it| it.0);
    host.trim_matches(['[', ']']).to_lowercase()
}

fn is_at_or_below(name: &str, own: &str) -> bool {
    name == own || name.strip_suffix(own).is_some_and(|rest| rest.ends_with('.'))
}

/// Whether a host stands in a text by itself or below: not as a part of another's name.
fn names(text: &str, host: &str) -> bool {
    text.match_indices(host).any(|(at, _)| {
        let (before, behind) = (text[..at].chars().next_back(), text[at + host.len()..].chars());
        let begins = before.is_none_or(|c| !(c.is_alphanumeric() || c == '-'));
        let mut behind = behind.peekable();
        // A dot may end a sentence.
        let dotted = behind.next_if_eq(&'.').is_some();
        let ends = behind.next().is_none_or(|c| !(c.is_alphanumeric() || (c == '-' && !dotted)));
        begins && ends
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_found_however_they_stand() {
        let text = "Code 123456 for https://Pay.Acme.com/x?y, see help@shop.co.uk.\n@bank.example #123456 (büro.de) 3.14 e.g. a.b";
        let found = domains("+15551234567", text);
        for domain in ["pay.acme.com", "shop.co.uk", "bank.example", "xn--bro-hoa.de"] {
            assert!(found.iter().any(|name| name == domain), "{domain}: {found:?}");
        }
        assert_eq!(domains("acme.com", "no names 12.30"), ["acme.com"]);
    }

    #[test]
    fn a_host_is_itself_and_no_part_of_another() {
        for text in [
            "see https://codes.acme.com/l/1",
            "codes.acme.com",
            "at codes.acme.com.",
            "x.codes.acme.com",
            "a@codes.acme.com, b",
        ] {
            assert!(names(text, "codes.acme.com"), "{text}");
        }
        for text in [
            "mycodes.acme.com",
            "codes.acme.community",
            "codes.acme.com.evil.example",
            "acme.com",
            "codes.acme.com-x.example",
        ] {
            assert!(!names(text, "codes.acme.com"), "{text}");
        }
        assert_eq!((without_port("127.0.0.1:8080"), without_port("[::1]:80")), ("127.0.0.1".into(), "::1".into()));
    }
}
