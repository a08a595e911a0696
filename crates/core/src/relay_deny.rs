//! Senders whose codes are never relayed: banks, payment services and identity providers, and whatever else a person adds. A code of
//! theirs moves money or opens every other account. Pure: a domain or an SMS, and a person's settings as they are kept. Refuses settings that
//! name what is no domain, since a rule that never holds would be taken for one that does.

mod names;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::sender::registrable;
use names::{NAMED, Reading};

/// Domains of one list of a person's.
const LISTED_MOST: usize = 200;

/// Registrable domains that are refused unless their owner excuses them, in the order of the alphabet. Chosen by hand: the largest of
/// their kind on each continent, from what they say of themselves; a person's own list is there for the rest.
pub const DEFAULTS: [&str; 84] = [
    "1password.com",
    "adyen.com",
    "affirm.com",
    "alipay.com",
    "americanexpress.com",
    "apple.com",
    "auth0.com",
    "bankofamerica.com",
    "barclays.co.uk",
    "bbva.com",
    "binance.com",
    "bitwarden.com",
    "bnpparibas.com",
    "bradesco.com.br",
    "bunq.com",
    "caixabank.es",
    "capitalone.com",
    "cash.app",
    "chase.com",
    "citi.com",
    "coinbase.com",
    "commbank.com.au",
    "commerzbank.de",
    "credit-agricole.fr",
    "crypto.com",
    "dbs.com",
    "deutsche-bank.de",
    "dkb.de",
    "duosecurity.com",
    "emiratesnbd.com",
    "facebook.com",
    "facebookmail.com",
    "fidelity.com",
    "gemini.com",
    "github.com",
    "gocardless.com",
    "google.com",
    "hdfcbank.com",
    "hdfcbank.net",
    "hsbc.com",
    "icbc.com.cn",
    "icicibank.com",
    "id.me",
    "ing.com",
    "intesasanpaolo.com",
    "itau.com.br",
    "klarna.com",
    "kraken.com",
    "lastpass.com",
    "live.com",
    "lloydsbank.co.uk",
    "login.gov",
    "mastercard.com",
    "mercadopago.com",
    "microsoft.com",
    "microsoftonline.com",
    "mizuhobank.co.jp",
    "monzo.com",
    "mufg.jp",
    "n26.com",
    "natwest.com",
    "nubank.com.br",
    "okta.com",
    "onelogin.com",
    "outlook.com",
    "paypal.com",
    "paytm.com",
    "pingidentity.com",
    "proton.me",
    "rbc.com",
    "revolut.com",
    "santander.com",
    "sbi.co.in",
    "schwab.com",
    "smbc.co.jp",
    "societegenerale.fr",
    "sparkasse.de",
    "standardbank.co.za",
    "starlingbank.com",
    "stripe.com",
    "ubs.com",
    "venmo.com",
    "wellsfargo.com",
    "wise.com",
];

/// A person's settings of senders, as they are kept: JSON with both members.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Senders {
    /// Domains that are refused besides the default ones.
    #[serde(default)]
    pub denied: Vec<String>,
    /// Default ones that are not refused.
    #[serde(default)]
    pub allowed: Vec<String>,
}

impl Senders {
    /// Reads what is kept; nothing kept is nothing changed.
    ///
    /// # Errors
    /// `Invalid` if it is not of this shape.
    pub fn parse(kept: Option<&str>) -> Result<Self> {
        let Some(text) = kept else { return Ok(Self::default()) };
        serde_json::from_str(text).map_err(|_| Error::Invalid { field: "senders", why: "must hold denied and allowed" })
    }

    /// Of what a person typed: domains, or addresses whose domain is meant. Canonical, each once, in order.
    ///
    /// # Errors
    /// `Invalid` for what is no domain, and for more than two hundred of them.
    pub fn of(denied: &[&str], allowed: &[&str]) -> Result<Self> {
        let mut senders = Self { denied: domains(denied)?, allowed: domains(allowed)? };
        senders.allowed.retain(|domain| DEFAULTS.contains(&domain.as_str()));
        senders.denied.retain(|domain| !DEFAULTS.contains(&domain.as_str()));
        Ok(senders)
    }

    /// As it is kept.
    ///
    /// # Errors
    /// `Internal` if it can't be written, which does not happen.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(Error::internal)
    }

    /// Whether a domain, or one that it lies below, is refused. What a person refuses themselves wins over what they excuse.
    pub fn deny(&self, domain: &str) -> bool {
        // A name that no rule can be held against is no reason to let it pass.
        let Ok(domain) = canonical(domain) else { return domain.contains('.') };
        let own = self.denied.iter().any(|denied| covers(denied, &domain));
        let listed = DEFAULTS.iter().find(|listed| covers(listed, &domain));
        own || listed.is_some_and(|listed| !self.allowed.iter().any(|allowed| allowed == listed))
    }
}

impl Senders {
    /// Whether messages of whom a request names are refused: of an address or pattern the domain, else what it calls them.
    pub fn deny_wanted(&self, sender: &str) -> bool {
        let domain = sender.trim_end_matches('>').rsplit('@').next().unwrap_or_default().trim_start_matches("*.");
        // A name with a full stop in it is no domain, and refused only as a name.
        let listed = canonical(domain).is_ok_and(|domain| self.deny(&domain));
        listed || (!sender.contains('@') && self.deny_text(sender, ""))
    }

    /// Whether an SMS is from a sender that is refused, by the names that it gives: its sender's, and those in its text. That it gives none
    /// proves nothing.
    pub fn deny_text(&self, sender: &str, text: &str) -> bool {
        let reading = Reading::of(sender, text);
        let listed = NAMED.iter().filter(|named| !self.allowed.iter().any(|domain| domain == named.domain));
        listed.into_iter().any(|named| reading.names(named))
            || self.denied.iter().any(|domain| is_named(&reading, domain))
    }
}

/// Whether a domain of a person's own is named: the label that its owner registered, as a word or as several.
fn is_named(reading: &Reading, domain: &str) -> bool {
    let label = registrable(domain).and_then(|owned| owned.split('.').next()).unwrap_or_default();
    let name = names::folded(&idna::domain_to_unicode(label).0);
    !name.is_empty() && reading.is_from(&name)
}

impl Senders {
    /// All that are refused: the default ones that are not excused, and the person's own.
    pub fn all(&self) -> Vec<String> {
        let listed = DEFAULTS.iter().map(|domain| (*domain).to_owned());
        listed.filter(|domain| !self.allowed.contains(domain)).chain(self.denied.iter().cloned()).collect()
    }
}

/// Whether a domain is refused under a person's settings as they are kept. Settings that can't be read excuse nobody.
pub fn is_denied(kept: Option<&str>, domain: &str) -> bool {
    Senders::parse(kept).unwrap_or_default().deny(domain)
}

/// Whether one domain is the other, or lies above it.
fn covers(above: &str, domain: &str) -> bool {
    domain == above || domain.strip_suffix(above).is_some_and(|rest| rest.ends_with('.'))
}

/// Of a domain, or of an address, the domain as it is compared: its A-label, in small letters (UTS 46).
fn canonical(text: &str) -> Result<String> {
    let bad = Error::Invalid { field: "domain", why: "must be a domain, as example.com" };
    let text = text.trim().rsplit('@').next().unwrap_or_default().trim_end_matches('.');
    let domain = idna::domain_to_ascii_strict(text).ok().filter(|domain| domain.len() <= 253 && domain.contains('.'));
    // An address of a network is no name.
    let named = |domain: &String| domain.rsplit('.').next().is_some_and(|last| last.parse::<u64>().is_err());
    domain.filter(|domain| named(domain) && psl::domain_str(domain).is_some()).ok_or(bad)
}

fn domains(typed: &[&str]) -> Result<Vec<String>> {
    let mut domains = typed.iter().map(|text| canonical(text)).collect::<Result<Vec<_>>>()?;
    domains.sort_unstable();
    domains.dedup();
    if domains.len() > LISTED_MOST {
        return Err(Error::Invalid { field: "domain", why: "must be two hundred at most" });
    }
    Ok(domains)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_order_and_every_one_is_a_registrable_domain() {
        assert!(DEFAULTS.is_sorted());
        for domain in DEFAULTS {
            assert_eq!(psl::domain_str(domain), Some(domain), "{domain}");
            assert_eq!(canonical(domain).ok().as_deref(), Some(domain));
            assert!(is_denied(None, domain) && is_denied(None, &format!("mail.{domain}")), "{domain}");
        }
    }

    #[test]
    fn a_name_that_only_ends_alike_is_not_meant() {
        for domain in ["notpaypal.com", "paypal.com.evil.example", "paypal.example", "", "com", "paypal"] {
            assert!(!is_denied(None, domain), "{domain}");
        }
        assert!(is_denied(None, "PayPal.COM.") && is_denied(None, "service@mail.paypal.com"));
    }

    #[test]
    fn a_person_refuses_more_and_excuses_some() {
        let senders = Senders::of(&["Bücher.example", "a@acme.com", "acme.com"], &["github.com", "acme.com"]).unwrap();
        assert_eq!(senders.denied, ["acme.com", "xn--bcher-kva.example"]);
        assert_eq!(senders.allowed, ["github.com"], "only what is on the list needs an excuse");
        let kept = senders.to_json().unwrap();
        assert_eq!(Senders::parse(Some(&kept)).unwrap(), senders);
        assert!(is_denied(Some(&kept), "login.acme.com") && is_denied(Some(&kept), "bücher.example"));
        assert!(!is_denied(Some(&kept), "github.com") && is_denied(Some(&kept), "paypal.com"));
    }

    #[test]
    fn whom_a_request_names_is_known_by_domain_or_name() {
        let senders = Senders::of(&["acme.com"], &["github.com"]).unwrap();
        for sender in [
            "*@*.paypal.com",
            "*@paypal.com",
            "service@mail.paypal.com",
            "PayPal <service@paypal.com>",
            "paypal.com",
            "PayPal",
            "CHASE",
            "Bank of America",
            "acme.com",
            "login@acme.com",
            "Acme",
            "ACME Inc.",
        ] {
            assert!(senders.deny_wanted(sender), "{sender}");
        }
        for sender in [
            "*@example.com",
            "Example Air",
            "Dr. Example",
            "Ex. Air Inc.",
            "",
            "GitHub",
            "github.com",
            "a@example.com",
            "+15550001111",
        ] {
            assert!(!senders.deny_wanted(sender), "{sender}");
        }
    }

    #[test]
    fn what_is_no_domain_is_refused_and_settings_that_cannot_be_read_excuse_nobody() {
        for bad in ["", "com", "co.uk", "localhost", "a b.com", "<b>.com", "1.2.3.4", "-a.com"] {
            assert!(Senders::of(&[bad], &[]).is_err(), "{bad}");
        }
        let many: Vec<String> = (0..201).map(|n| format!("a{n}.example")).collect();
        assert!(Senders::of(&many.iter().map(String::as_str).collect::<Vec<_>>(), &[]).is_err());
        assert!(is_denied(Some("{\"allowed\": \"paypal.com\"}"), "paypal.com"));
    }
}
