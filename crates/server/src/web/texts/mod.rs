//! What pages say, in the languages that mails have: one entry each, chosen by `deliver/texts/`. Refuses logic and markup in
//! a text: an entry is data with placeholders, and what stands for them is escaped with the rest. The pages of `--dev`
//! and the landing page are for developers, and are in English only.

mod approvals;
mod catalogue;

use crate::deliver::texts::{self as mail, Direction, Part, Plural, parts};

pub(in crate::web) use approvals::Approvals;
pub use catalogue::CATALOGUE;

/// What pages say in one language.
pub struct Texts {
    /// The BCP 47 tag, one of those that mails have.
    pub language: &'static str,
    pub(super) common: Common,
    pub(super) address: Address,
    pub(super) code: Code,
    pub(super) link: Link,
    pub(super) done: Done,
    pub(super) failure: Failures,
    pub(super) account: Account,
    pub(super) approvals: Approvals,
}

/// What is on more than one page.
pub(super) struct Common {
    pub skip: &'static str,
    pub copy: &'static str,
    pub copied: &'static str,
    /// From when on something may be tried again; `{count}` minutes, and for longer waits hours.
    pub wait_minutes: Plural,
    pub wait_hours: Plural,
    /// `{wait}` is one of the two above.
    pub too_many: &'static str,
    pub form_expired: &'static str,
}

/// The page that asks for an address.
pub(super) struct Address {
    /// With `{product}`; a link's page has it too.
    pub title: &'static str,
    pub lead: &'static str,
    pub label: &'static str,
    pub button: &'static str,
    pub invalid: &'static str,
}

/// The page that asks for a code.
pub(super) struct Code {
    pub title: &'static str,
    /// The masked address follows.
    pub lead: &'static str,
    pub label: &'static str,
    /// What a code looks like: digits only, or letters as well.
    pub digits: &'static str,
    pub symbols: &'static str,
    pub button: &'static str,
    pub wrong: &'static str,
    pub expired: &'static str,
    /// With `{wait}`.
    pub too_many: &'static str,
    pub resend_hint: &'static str,
    /// With `{time}`, minutes and seconds as `0:45`.
    pub resend_wait: &'static str,
    pub resend_ready: &'static str,
    pub resend_button: &'static str,
    pub other_address: &'static str,
}

/// The pages behind a link.
pub(super) struct Link {
    /// The page that confirms an address for an app.
    pub(super) confirm_title: &'static str,
    pub(super) confirm_lead: &'static str,
    pub(super) confirm_button: &'static str,
    pub same_lead: &'static str,
    pub same_button: &'static str,
    pub same_not_you: &'static str,
    pub other_title: &'static str,
    pub other_lead: &'static str,
    pub other_warning: &'static str,
    pub dead_title: &'static str,
    pub dead_lead: &'static str,
    pub dead_hint: &'static str,
    pub dead_again: &'static str,
}

/// The page after a proof that leads nowhere else.
pub(super) struct Done {
    pub title: &'static str,
    pub lead: &'static str,
}

/// The pages about a failure: what happened, and what to do now.
pub(super) struct Failures {
    pub back: &'static str,
    pub not_found: [&'static str; 2],
    pub refused: [&'static str; 2],
    /// The second with `{wait}`.
    pub limited: [&'static str; 2],
    pub unavailable: [&'static str; 2],
}

/// The page of somebody who is signed in.
pub(super) struct Account {
    pub title: &'static str,
    pub signed_in_as: &'static str,
    pub team: &'static str,
    pub sign_out: &'static str,
    pub members: &'static str,
    pub name: &'static str,
    pub address: &'static str,
    pub joined: &'static str,
    pub you: &'static str,
    pub keys: &'static str,
    pub no_keys: &'static str,
    pub key: &'static str,
    pub scopes: &'static str,
    /// What a key without any scope may do, and with `admin`.
    pub scope_use: &'static str,
    pub scope_admin: &'static str,
    pub created: &'static str,
    pub last_used: &'static str,
    pub expires: &'static str,
    pub never: &'static str,
    pub revoke: &'static str,
    pub revoke_warning: &'static str,
    pub revoke_sure: &'static str,
    pub create: &'static str,
    pub create_button: &'static str,
    /// With `{count}`, a number far above ten.
    pub name_invalid: &'static str,
    pub new_key: &'static str,
    pub new_key_once: &'static str,
    pub sessions: &'static str,
    pub browser: &'static str,
    pub this_browser: &'static str,
    pub last_seen: &'static str,
    pub end_all: &'static str,
    pub actions: &'static str,
    pub key_revoked: &'static str,
    pub session_ended: &'static str,
}

/// The texts that serve a reader best, from the value of an `Accept-Language` header.
#[must_use]
pub fn choose(accept_language: &str) -> &'static Texts {
    of(mail::choose(accept_language).language)
}

/// The texts of a language, by its tag. A tag that is not in the catalogue gets English.
#[must_use]
pub fn of(language: &str) -> &'static Texts {
    CATALOGUE.iter().find(|texts| texts.language == language).unwrap_or(&CATALOGUE[0])
}

/// The longest wait that is said in minutes.
const IN_MINUTES: u32 = 90;

impl Texts {
    /// The way that the language is written.
    #[must_use]
    pub fn direction(&self) -> Direction {
        mail::choose(self.language).direction
    }

    /// `in 5 minutes`: from when on something may be tried again, in minutes or, if it is long, in hours. Nought is one.
    pub(super) fn wait(&self, minutes: u32) -> String {
        let minutes = minutes.max(1);
        let (plural, count) = match minutes {
            ..=IN_MINUTES => (self.common.wait_minutes, minutes),
            _ => (self.common.wait_hours, minutes.div_ceil(60)),
        };
        let form = (mail::choose(self.language).form)(count);
        fill(plural.of(form), &[("count", &count.to_string())])
    }
}

/// A text with its placeholders filled in. A name that is not among the values stays as it is: a test finds it.
pub(super) fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len() + 32);
    for part in parts(text) {
        match part {
            Part::Plain(plain) => filled.push_str(plain),
            Part::Name(name) => match values.iter().find(|(known, _)| *known == name) {
                Some((_, value)) => filled.push_str(value),
                None => filled.extend(["{", name, "}"]),
            },
        }
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_speak_the_languages_of_mails() {
        assert_eq!(CATALOGUE.len(), mail::CATALOGUE.len());
        for texts in mail::CATALOGUE {
            assert_eq!(of(texts.language).language, texts.language);
        }
        assert_eq!(choose("nl, pt;q=0.5").language, "pt-BR");
        assert_eq!((of("tlh").language, choose("").language), ("en", "en"));
    }

    #[test]
    fn waits_are_counted_as_the_language_counts() {
        for (language, minutes, said) in [
            ("en", 0, "in 1 minute"),
            ("en", 5, "in 5 minutes"),
            ("en", 91, "in 2 hours"),
            ("de", 1, "in einer Minute"),
            ("de", 90, "in 90 Minuten"),
            ("fr", 1440, "dans 24 heures"),
            ("ar", 2, "بعد دقيقتين"),
            ("ar", 5, "بعد 5 دقائق"),
            ("ar", 11, "بعد 11 دقيقة"),
            ("ar", 120, "بعد ساعتين"),
            ("ja", 1, "1 分後に"),
        ] {
            assert_eq!(of(language).wait(minutes), said);
        }
    }

    #[test]
    fn what_stands_for_a_placeholder_is_not_read_again() {
        assert_eq!(fill("{a} {b}", &[("a", "{b}"), ("b", "c")]), "{b} c");
        assert_eq!(fill("{x}", &[]), "{x}");
    }
}
