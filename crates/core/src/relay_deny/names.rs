//! What the senders of the list are called where there is no domain to go by: in an SMS, whose sender is a number or a name that anybody may
//! take, and whose text says who it is from. Refuses to take a word of everyday language for a sender, unless it stands where senders stand;
//! and to promise anything: whoever is called otherwise, or in another script, is not known here.

use std::sync::LazyLock;

use icu_normalizer::DecomposingNormalizerBorrowed;

use crate::glyph::{is_dash, is_hidden};

/// The shortest name with which a longer word of a sender may begin, in characters: `HDFCBK` is HDFC, `INGRID` is not ING.
const BEGINS_LEAST: usize = 4;

/// What one of the default domains is called.
pub(super) struct Named {
    /// The domain.
    pub(super) domain: &'static str,
    /// Names that mean nobody else, wherever they stand.
    sure: &'static [&'static str],
    /// Words that mean other things as well, and firms that others name: only where a sender stands.
    common: &'static [&'static str],
}

const fn named(domain: &'static str, sure: &'static [&'static str], common: &'static [&'static str]) -> Named {
    Named { domain, sure, common }
}

/// The default domains that have a name which another of the same owner has not.
pub(super) const NAMED: [Named; 80] = [
    named("1password.com", &["1password"], &[]),
    named("adyen.com", &["adyen"], &[]),
    named("affirm.com", &[], &["affirm"]),
    named("alipay.com", &["alipay", "支付宝", "支付寶"], &[]),
    named("americanexpress.com", &["american express", "amex"], &[]),
    named("apple.com", &["apple id", "apple account", "icloud"], &["apple"]),
    named("auth0.com", &["auth0"], &[]),
    named("bankofamerica.com", &["bank of america", "bofa"], &[]),
    named("barclays.co.uk", &["barclays", "barclaycard"], &[]),
    named("bbva.com", &["bbva"], &[]),
    named("binance.com", &["binance"], &[]),
    named("bitwarden.com", &["bitwarden"], &[]),
    named("bnpparibas.com", &["bnp paribas"], &["bnp"]),
    named("bradesco.com.br", &["bradesco"], &[]),
    named("bunq.com", &["bunq"], &[]),
    named("caixabank.es", &["caixabank"], &[]),
    named("capitalone.com", &["capital one"], &[]),
    named("cash.app", &["cash app"], &[]),
    named("chase.com", &["chase bank", "jpmorgan"], &["chase"]),
    named("citi.com", &["citibank", "citibk"], &["citi"]),
    named("coinbase.com", &["coinbase"], &[]),
    named("commbank.com.au", &["commbank", "commonwealth bank"], &[]),
    named("commerzbank.de", &["commerzbank"], &[]),
    named("credit-agricole.fr", &["credit agricole"], &[]),
    named("crypto.com", &["crypto com"], &[]),
    named("dbs.com", &["dbs bank", "posb"], &["dbs"]),
    named("deutsche-bank.de", &["deutsche bank"], &[]),
    named("dkb.de", &["dkb"], &[]),
    named("duosecurity.com", &["duo security", "duo mobile"], &["duo"]),
    named("emiratesnbd.com", &["emirates nbd", "enbd"], &[]),
    named("facebook.com", &[], &["facebook", "meta"]),
    named("fidelity.com", &["fidelity investments"], &["fidelity"]),
    named("gemini.com", &[], &["gemini"]),
    named("github.com", &["github"], &[]),
    named("gocardless.com", &["gocardless"], &[]),
    named("google.com", &[], &["google"]),
    named("hdfcbank.com", &["hdfc"], &[]),
    named("hsbc.com", &["hsbc"], &[]),
    named("icbc.com.cn", &["icbc", "工商银行", "工商銀行"], &[]),
    named("icicibank.com", &["icici"], &[]),
    named("id.me", &[], &["id me"]),
    named("ing.com", &["ing diba", "ing bank"], &["ing"]),
    named("intesasanpaolo.com", &["intesa sanpaolo"], &["intesa"]),
    named("itau.com.br", &["itau"], &[]),
    named("klarna.com", &["klarna"], &[]),
    named("kraken.com", &[], &["kraken"]),
    named("lastpass.com", &["lastpass"], &[]),
    named("lloydsbank.co.uk", &["lloyds"], &[]),
    named("login.gov", &["login gov"], &[]),
    named("mastercard.com", &["mastercard"], &[]),
    named("mercadopago.com", &["mercado pago"], &[]),
    named("microsoft.com", &[], &["microsoft"]),
    named("mizuhobank.co.jp", &["mizuho", "みずほ銀行"], &[]),
    named("monzo.com", &["monzo"], &[]),
    named("mufg.jp", &["mufg", "三菱UFJ"], &[]),
    named("n26.com", &["n26"], &[]),
    named("natwest.com", &["natwest"], &[]),
    named("nubank.com.br", &["nubank"], &[]),
    named("okta.com", &["okta"], &[]),
    named("onelogin.com", &["onelogin"], &[]),
    named("outlook.com", &[], &["outlook"]),
    named("paypal.com", &["paypal"], &[]),
    named("paytm.com", &["paytm", "ipaytm"], &[]),
    named("pingidentity.com", &["ping identity", "pingid"], &[]),
    named("proton.me", &["protonmail"], &["proton"]),
    named("rbc.com", &["rbc", "royal bank of canada"], &[]),
    named("revolut.com", &["revolut"], &[]),
    named("santander.com", &["santander"], &[]),
    named("sbi.co.in", &["sbi", "state bank of india", "sbiinb", "sbiupi", "sbipsg", "sbicrd", "sbiotp"], &[]),
    named("schwab.com", &["schwab"], &[]),
    named("smbc.co.jp", &["smbc", "三井住友銀行"], &[]),
    named("societegenerale.fr", &["societe generale"], &[]),
    named("sparkasse.de", &["sparkasse"], &[]),
    named("standardbank.co.za", &["standard bank", "stdbank"], &[]),
    named("starlingbank.com", &["starling bank"], &["starling"]),
    named("stripe.com", &[], &["stripe"]),
    named("ubs.com", &["ubs"], &[]),
    named("venmo.com", &["venmo"], &[]),
    named("wellsfargo.com", &["wells fargo"], &[]),
    named("wise.com", &["transferwise"], &["wise"]),
];

/// Words behind which the name of a sender stands, as in "your … code", "from …", in the languages of the pages; folded.
const BEFORE: [&str; 34] = [
    "your", "from", "by", "for", "to", "as", "team", "votre", "de", "du", "par", "pour", "chez", "tu", "su", "para",
    "seu", "sua", "da", "do", "von", "ihr", "ihre", "ihrem", "ihren", "dein", "deine", "bei", "fur", "il", "tuo",
    "per", "din", "del",
];

/// A word, folded.
struct Word {
    text: String,
    /// It stands in brackets, before a colon, or in the middle of a script that puts no spaces.
    set_apart: bool,
    /// A dash, or the end of a line, stands before it, as before who signs.
    signs: bool,
}

/// An SMS, read for names.
pub(super) struct Reading {
    sender: Vec<Word>,
    text: Vec<Word>,
    /// All of it without what stands between words.
    run: String,
}

impl Reading {
    /// Reads a sender and a text.
    pub(super) fn of(sender: &str, text: &str) -> Self {
        let (sender, text) = (words(sender), words(text));
        let run = sender.iter().chain(&text).map(|word| word.text.as_str()).collect();
        Self { sender, text, run }
    }

    /// Whether it is from one of those, as far as it says.
    pub(super) fn names(&self, named: &Named) -> bool {
        named.sure.iter().any(|name| self.says(name)) || named.common.iter().any(|name| self.is_from(name))
    }

    /// Whether a name stands anywhere in it, or begins a word of its sender.
    fn says(&self, name: &str) -> bool {
        if !name.is_ascii() {
            return self.run.contains(&folded(name));
        }
        let joined: String = name.split(' ').collect();
        let begins = joined.len() >= BEGINS_LEAST && self.sender.iter().any(|word| word.text.starts_with(&joined));
        begins || places(&self.sender, name).next().is_some() || places(&self.text, name).next().is_some()
    }

    /// Whether a name is its sender's, or stands in its text where a sender stands: first, in brackets, before a colon, at the end behind a
    /// dash, or behind a word such as "your" and "from".
    pub(super) fn is_from(&self, name: &str) -> bool {
        let text = &self.text;
        let at_its_place = |(from, to): (usize, usize)| {
            let before = from.checked_sub(1).map(|before| text[before].text.as_str());
            let signed = to == text.len() && text[from].signs;
            signed
                || before.is_none_or(|before| BEFORE.contains(&before))
                || text[from..to].iter().any(|word| word.set_apart)
        };
        places(&self.sender, name).next().is_some() || places(text, name).any(at_its_place)
    }
}

/// Where a name stands among words: as it is written, or as one word.
fn places<'a>(words: &'a [Word], name: &'a str) -> impl Iterator<Item = (usize, usize)> + 'a {
    let count = name.split(' ').count();
    let joined: String = name.split(' ').collect();
    (0..words.len()).filter_map(move |at| {
        if words[at].text == joined {
            return Some((at, at + 1));
        }
        let these = words.get(at..at + count)?;
        these.iter().map(|word| word.text.as_str()).eq(name.split(' ')).then_some((at, at + count))
    })
}

/// A name as it is compared: of a domain's label, or of the table.
pub(super) fn folded(name: &str) -> String {
    let words: Vec<String> = words(name).into_iter().map(|word| word.text).collect();
    words.join(if words.iter().all(|word| word.is_ascii()) { " " } else { "" })
}

/// What a character is for finding words.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// `a` to `z` and digits.
    Plain,
    /// A letter of another script.
    Other,
    Between,
}

fn class(c: char) -> Class {
    match c {
        _ if c.is_ascii_alphanumeric() => Class::Plain,
        // Marks of kana, which are no letters.
        _ if c.is_alphanumeric() || matches!(c, '\u{3099}' | '\u{309a}') => Class::Other,
        _ => Class::Between,
    }
}

/// The words of a text, in small letters, without accents, and whatever nobody sees gone.
fn words(text: &str) -> Vec<Word> {
    static FOLD: LazyLock<DecomposingNormalizerBorrowed<'static>> =
        LazyLock::new(DecomposingNormalizerBorrowed::new_nfkd);
    let seen = text.chars().filter(|c| c.is_whitespace() || !is_hidden(*c));
    let plain = FOLD.normalize_iter(seen).filter(|c| !matches!(c, '\u{300}'..='\u{36f}'));
    let mut found: Vec<Word> = Vec::new();
    let (mut before, mut last, mut opened, mut signs) = (Class::Between, ' ', false, false);
    for c in plain.flat_map(char::to_lowercase) {
        let now = class(c);
        let word = found.last_mut();
        match (now, before) {
            (Class::Between, _) => {
                let closes = matches!(c, ':' | ']' | ')' | '>' | '}' | '】' | '」' | '』' | '〕' | '»');
                if let Some(word) = word.filter(|_| closes && before != Class::Between) {
                    word.set_apart = true;
                }
                opened = matches!(c, '[' | '(' | '<' | '{' | '【' | '「' | '『' | '〔' | '«');
                signs |= c == '\n' || (is_dash(c) && last.is_whitespace());
            }
            (now, before) if now == before => word.into_iter().for_each(|word| word.text.push(c)),
            (_, before) => {
                // Two scripts that touch: the one puts no spaces.
                let touches = before != Class::Between;
                if let Some(word) = word {
                    word.set_apart |= touches;
                }
                found.push(Word { text: c.to_string(), set_apart: opened || touches, signs });
                (opened, signs) = (false, false);
            }
        }
        (before, last) = (now, c);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::{DEFAULTS, Senders};
    use super::*;

    fn denied(sender: &str, text: &str) -> bool {
        Senders::default().deny_text(sender, text)
    }

    #[test]
    fn the_table_is_of_the_list_in_its_order_and_compares_what_it_says() {
        assert!(NAMED.is_sorted_by_key(|named| named.domain));
        for named in &NAMED {
            assert!(DEFAULTS.contains(&named.domain), "{}", named.domain);
            for name in named.sure.iter().chain(named.common) {
                assert!(!name.is_ascii() || folded(name) == *name, "{name}");
                assert!(denied(name, "Your code is 482913"), "{name}");
                assert!(denied(&name.to_uppercase(), "482913"), "{name}");
                assert!(denied("+15551234567", &format!("{name}: 482913 is your code")), "{name}");
            }
        }
        // The rest is an owner's second domain, under the same name.
        let without = DEFAULTS.iter().filter(|domain| NAMED.iter().all(|named| named.domain != **domain));
        assert!(without.eq(&["facebookmail.com", "hdfcbank.net", "live.com", "microsoftonline.com"]));
    }

    #[test]
    fn senders_are_known_as_networks_write_them() {
        for sender in [
            "PAYPAL",
            "PayPal",
            "VM-HDFCBK-S",
            "AX-ICICIT",
            "JX-SBIINB-S",
            "Chase",
            "ING",
            "HSBC UK",
            "BankofAmerica",
            "Itaú",
            "Apple",
        ] {
            assert!(denied(sender, "482913"), "{sender}");
        }
        for sender in ["+15551234567", "Acme", "INGRID", "CHASERS", "WISECARE", "VM-ACMEBK-S", "Applebees", "INFO", ""]
        {
            assert!(!denied(sender, "482913"), "{sender}");
        }
    }

    #[test]
    fn a_text_names_its_sender() {
        for text in [
            "Your PayPal code is 482913",
            "Wise: 482913 is your code",
            "482913 is your Google verification code",
            "[Apple] 482913",
            "【支付宝】验证码482913",
            "您的Apple验证码是482913",
            "Use 482913 for Microsoft authentication",
            "482913. Never share it. - Chase",
            "Votre code de la Société Générale : 482913",
            "OTP 482913 for txn at ACME on HDFC Bank card",
            "みずほ銀行 482913",
            "Pay\u{200b}Pal 482913",
        ] {
            assert!(denied("+15551234567", text), "{text}");
        }
    }

    #[test]
    fn a_word_of_everyday_language_and_a_way_to_sign_in_are_no_senders() {
        for text in [
            "Your Acme code is 482913",
            "Acme: 482913. Did you sign in with Google?",
            "Acme code 482913. We never chase you for it, be wise",
            "482913 is your Acme code. Get our app in the Apple store now",
            "Your Acme code: 482913. Confirm or affirm it today",
            "Acme: live in 5 minutes, 482913",
        ] {
            assert!(!denied("+15551234567", text), "{text}");
        }
    }

    #[test]
    fn a_person_excuses_one_and_refuses_another_by_its_name() {
        let senders = Senders::of(&["acme-shop.com", "bücher.example"], &["github.com"]).unwrap();
        assert!(!senders.deny_text("GitHub", "Your GitHub code is 482913"));
        assert!(senders.deny_text("PayPal", "482913"));
        assert!(senders.deny_text("AcmeShop", "482913") && senders.deny_text("1", "Your Acme Shop code is 482913"));
        assert!(senders.deny_text("1", "Bücher: 482913"));
        assert!(!senders.deny_text("1", "Zeta: 482913, as in any shop or acme of the day"));
    }
}
