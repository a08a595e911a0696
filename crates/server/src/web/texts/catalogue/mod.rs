//! The catalogue of pages: a file for each language that mails have, in the same order. Refuses a text that another
//! language lacks: the type has a place for each.

mod ar;
mod de;
mod en;
mod es;
mod fr;
mod ja;
mod pt_br;
mod zh_cn;

use super::Texts;

/// Every language that there is, the default first.
pub static CATALOGUE: &[Texts] =
    &[en::TEXTS, ar::TEXTS, de::TEXTS, es::TEXTS, fr::TEXTS, ja::TEXTS, pt_br::TEXTS, zh_cn::TEXTS];
