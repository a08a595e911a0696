//! The one catalogue: every language that there is, one file each. Refuses an order of taste: English is first, since it
//! is what everybody else gets; the rest are by their tags.

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
