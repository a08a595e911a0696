//! Domains of senders and of mailboxes: which belong together. Refuses to let a sub-domain speak for what is above it, and a
//! neighbour below a public suffix for its neighbour.

pub use doorcode_core::sender::{is_aligned, registrable};

/// Whether `domain` lies below `above`.
pub(super) fn is_below(domain: &str, above: &str) -> bool {
    domain.strip_suffix(above).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

/// Whether `domain` is `above`, or lies below it.
pub(super) fn is_at_or_below(domain: &str, above: &str) -> bool {
    domain == above || is_below(domain, above)
}

/// The domains that one provider of mailboxes writes from, and has mailboxes and servers at. A word without a dot is the label
/// that was registered, under any public suffix (`outlook.de`). Too much here costs the owner of such a mailbox the codes of a
/// neighbour; too little would hand over the mailbox.
const FAMILIES: &[&[&str]] = &[
    &["google", "googlemail", "gmail", "youtube"],
    &[
        "microsoft",
        "outlook",
        "hotmail",
        "live",
        "msn",
        "office",
        "office365",
        "microsoftonline",
        "onmicrosoft",
        "passport",
    ],
    &["yahoo", "ymail", "rocketmail", "yahoo-inc", "yahooinc", "yahoodns", "aol", "aim.com", "verizon.net"],
    &["apple", "icloud", "me.com", "mac.com"],
    &["proton.me", "protonmail", "proton.ch", "pm.me"],
    &["gmx", "web.de", "1und1", "1and1", "ionos", "mail.com", "united-internet", "ui-portal.de"],
    &["fastmail", "messagingengine.com", "fastmailteam.com", "pobox.com"],
    &["zoho", "zohomail", "zohocorp", "zohoaccounts", "zohoportal"],
    &["yandex", "ya.ru", "narod.ru"],
    &["mail.ru", "inbox.ru", "bk.ru", "list.ru", "internet.ru", "vk"],
    &["qq.com", "foxmail", "tencent", "wechat.com"],
    &["163.com", "126.com", "yeah.net", "netease", "188.com"],
    &["tuta", "tutanota", "tutamail", "tutao.de", "keemail.me"],
    &["t-online", "magenta.de", "telekom"],
    &["freenet", "freenetmail.de"],
    &["orange", "wanadoo"],
    &["free.fr", "libertysurf.fr"],
    &["laposte"],
    &["comcast", "xfinity"],
    &["att", "sbcglobal.net", "bellsouth.net"],
    &["hey.com", "basecamp", "37signals"],
    &["naver", "navercorp"],
    &["daum", "hanmail", "kakao", "kakaocorp"],
    &["libero", "virgilio", "inwind", "iol.it"],
    &["seznam", "email.cz", "post.cz"],
    &["wp.pl", "o2.pl"],
    &["uol", "bol.com.br"],
    &["rambler"],
];

/// Whether a message from `from` is the mailbox's own provider's: account mail, whose codes open the mailbox itself. `mailbox` is the
/// domain of the mailbox's address, or the host that its messages are fetched from; both have to be asked about.
pub fn is_provider(mailbox: &str, from: &str) -> bool {
    // What has no registrable domain of its own is compared whole.
    let (mailbox, from) = (registrable(mailbox).unwrap_or(mailbox), registrable(from).unwrap_or(from));
    mailbox == from || are_family(mailbox, from)
}

/// Whether two domains are one of those providers' own.
pub fn are_family(one: &str, other: &str) -> bool {
    let (one, other) = (registrable(one).unwrap_or(one), registrable(other).unwrap_or(other));
    FAMILIES.iter().any(|family| is_of(family, one) && is_of(family, other))
}

fn is_of(family: &[&str], registrable: &str) -> bool {
    let label = registrable.split('.').next().unwrap_or_default();
    family.iter().any(|member| if member.contains('.') { *member == registrable } else { *member == label })
}

/// A domain that stands somewhere in a message, in the form that domains are compared in: lower case, A-labels, no dot at the end.
/// None: it is none.
pub(super) fn canonical(text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches('.');
    if text.len() > 1024 {
        return None;
    }
    // The one canonical form of the house is that of addresses.
    let address = doorcode_core::Email::parse(&format!("x@{text}")).ok()?;
    Some(address.domain().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_domain_or_a_parent_speaks_and_nobody_else() {
        for (signer, from) in [
            ("acme.com", "acme.com"),
            ("acme.com", "mail.acme.com"),
            ("eu.acme.com", "mail.eu.acme.com"),
            ("acme.co.uk", "mail.acme.co.uk"),
            ("ada.github.io", "ada.github.io"),
        ] {
            assert!(is_aligned(from, signer), "{signer} speaks for {from}");
        }
        for (signer, from) in [
            ("mail.acme.com", "acme.com"),
            ("news.acme.com", "mail.acme.com"),
            ("com", "acme.com"),
            ("co.uk", "acme.co.uk"),
            ("github.io", "ada.github.io"),
            ("eve.github.io", "ada.github.io"),
            ("cme.com", "acme.com"),
            ("", "acme.com"),
            ("acme.com.evil.com", "acme.com"),
        ] {
            assert!(!is_aligned(from, signer), "{signer} does not speak for {from}");
        }
    }

    #[test]
    fn what_brings_a_providers_own_mail_is_known_and_what_brings_its_own_is_not_one() {
        assert!(are_family("out5-smtp.messagingengine.com", "fastmail.com"));
        assert!(are_family("mail-ej1.google.com", "accounts.google.com"));
        assert!(!are_family("mta1.acme.com", "acme.com"), "whoever brings their own mail is no provider by that");
        assert!(!are_family("[192.0.2.1]", "acme.com") && !are_family("", "fastmail.com"));
    }

    #[test]
    fn a_provider_is_known_by_its_other_names() {
        for (mailbox, from) in [
            ("gmail.com", "accounts.google.com"),
            ("imap.gmail.com", "google.com"),
            ("outlook.office365.com", "accountprotection.microsoft.com"),
            ("hotmail.co.uk", "microsoft.com"),
            ("outlook.de", "live.com"),
            ("imap.mail.me.com", "id.apple.com"),
            ("icloud.com", "email.apple.com"),
            ("yahoo.co.jp", "cc.yahoo-inc.com"),
            ("proton.me", "notify.proton.me"),
            ("gmx.net", "web.de"),
            ("imap.web.de", "gmx.net"),
            ("acme.com", "mail.acme.com"),
            ("mx.acme.co.uk", "acme.co.uk"),
        ] {
            assert!(is_provider(mailbox, from), "{from} provides {mailbox}");
        }
        for (mailbox, from) in [
            ("gmail.com", "microsoft.com"),
            ("gmail.com", "github.com"),
            ("me.com", "me.uk"),
            ("acme.co.uk", "other.co.uk"),
        ] {
            assert!(!is_provider(mailbox, from), "{from} does not provide {mailbox}");
        }
    }

    #[test]
    fn domains_have_one_form() {
        assert_eq!(canonical(" ACME.com. ").as_deref(), Some("acme.com"));
        assert_eq!(canonical("bücher.example").as_deref(), Some("xn--bcher-kva.example"));
        for none in ["", "localhost", "a b.com", "[127.0.0.1]", "a@b.com"] {
            assert!(canonical(none).is_none(), "{none}");
        }
    }
}
