//! What people call a code, what they say around one, and what else has a number, language by language. Written from
//! knowledge of the languages, not from messages. Refuses sentences: every entry is a word or a set phrase that any
//! sender might use.
//!
//! An entry is matched without regard to case and accents, as a whole word. `*` at its end lets the word go on
//! (inflection), at its beginning lets it be the tail of a compound. Inside a phrase, `*` ends each word that may go on.
//! Scripts whose words carry prefixes and suffixes, or that put no spaces, are matched anywhere.

mod east_asian;
mod english;
mod germanic;
mod near_east;
mod romance;
mod slavic;
mod south_asian;
mod south_east;
mod uralic_turkic;

/// What a word says about a number near it.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Term {
    /// By itself the name of a one-time code.
    Otp,
    /// Code, password, PIN: may be something else.
    Code,
    /// Verify, confirm, sign in, register, security: what codes are for.
    Auth,
    /// What joins a name and its value: is, use, enter, with.
    Is,
    /// How long it lives, and what to do if nobody asked for it.
    Life,
    /// Do not share.
    Keep,
    /// What has a number that is no code: order, account, telephone, balance.
    Number,
    /// What has a code that signs nobody in: voucher, parcel, booking, postal code.
    Promo,
    /// Currencies.
    Money,
    /// What a number counts.
    Unit,
    /// Tells somebody to type what comes next.
    Enter,
}

/// The words of one language, or of a few that are close. Entries are separated by commas.
pub(super) struct Language {
    /// BCP 47, for people who look for it; several if close languages share the lists.
    #[cfg_attr(not(test), expect(dead_code, reason = "read by a test, and by whoever looks for a language"))]
    pub(super) tag: &'static str,
    pub(super) otp: &'static str,
    pub(super) code: &'static str,
    pub(super) auth: &'static str,
    pub(super) is: &'static str,
    pub(super) life: &'static str,
    pub(super) keep: &'static str,
    pub(super) number: &'static str,
    pub(super) promo: &'static str,
    pub(super) money: &'static str,
    pub(super) unit: &'static str,
}

/// Verbs that tell somebody to type what stands right behind them, of all languages that put them there. Not those that people are told to
/// answer a text with.
pub(super) const ENTER: &str = "enter, type, type in, key in, input, confirm with, verify with, tippen sie, bestätigen sie mit, saisissez, saisir, \
    entrez, tapez, ingresa, ingrese, ingresá, introduce, introduzca, introduzca el, escriba, escribe, teclea, digita, digite, confirma con, \
    confirme con, insira, introduza, confirme com, inserisci, inserisca, immetti, conferma con, voer, typ, vul, toets, ange, skriv, indtast, \
    skriv inn, tast inn, syötä, sláðu inn, wpisz, wprowadź, podaj, zadejte, zadej, zadajte, zadaj, unesite, upišite, vnesite, въведете, \
    введите, введи, укажите, введіть, уведіть, введи, увядзіце, внесете, унесите, introduceți, introdu, tastați, írja be, adja meg, \
    εισάγετε, πληκτρολογήστε, καταχωρίστε, įveskite, ievadiet, sisestage, sisesta, vendosni, masukkan, masukan, nhập, ilagay, i-enter, กรอก, \
    ป้อน, أدخل, ادخل, اكتب, הזן, הזינו, הקלד, הקלידו, מלאו, შეიყვანეთ, մուտքագրեք, ingiza, 输入, 輸入, 填写, 填寫";

/// A language of which nothing is known yet.
const NONE: Language = Language {
    tag: "",
    otp: "",
    code: "",
    auth: "",
    is: "",
    life: "",
    keep: "",
    number: "",
    promo: "",
    money: "",
    unit: "",
};

impl Language {
    /// Its lists with what they mean.
    pub(super) const fn lists(&self) -> [(Term, &'static str); 10] {
        [
            (Term::Otp, self.otp),
            (Term::Code, self.code),
            (Term::Auth, self.auth),
            (Term::Is, self.is),
            (Term::Life, self.life),
            (Term::Keep, self.keep),
            (Term::Number, self.number),
            (Term::Promo, self.promo),
            (Term::Money, self.money),
            (Term::Unit, self.unit),
        ]
    }
}

/// All of them.
pub(super) fn languages() -> impl Iterator<Item = &'static Language> {
    [
        std::slice::from_ref(&english::ENGLISH),
        germanic::GERMANIC,
        romance::ROMANCE,
        slavic::SLAVIC,
        uralic_turkic::URALIC_TURKIC,
        near_east::NEAR_EAST,
        south_asian::SOUTH_ASIAN,
        south_east::SOUTH_EAST,
        east_asian::EAST_ASIAN,
    ]
    .into_iter()
    .flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Term, languages};

    #[test]
    fn every_language_is_listed_once_and_can_name_a_code() {
        let mut tags = HashSet::new();
        for language in languages() {
            for tag in language.tag.split(' ') {
                assert!(!tag.is_empty() && tags.insert(tag), "{tag}");
            }
            assert!(!language.code.is_empty() && !language.auth.is_empty(), "{}", language.tag);
        }
        assert!(tags.len() >= 70, "{}", tags.len());
    }

    /// An entry that every text contains, or that is none, would be noise for all languages at once.
    #[test]
    fn no_entry_is_empty_or_in_every_word() {
        for (term, list) in languages().flat_map(super::Language::lists).filter(|(_, list)| !list.is_empty()) {
            for entry in list.split(',').map(str::trim) {
                let stem = entry.trim_matches('*');
                assert!(!stem.is_empty(), "an empty entry in {list}");
                let open = entry.len() > stem.len() && stem.is_ascii();
                let closed = matches!(term, Term::Is | Term::Unit | Term::Money);
                assert!(!open || stem.len() >= 3 || closed, "{entry} goes on after {stem}");
            }
        }
    }
}
