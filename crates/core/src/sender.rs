//! Senders: who an agent may have a message from, who may vouch for a domain, and whose messages no agent gets. Refuses
//! patterns that would take in more than one owner's mail: a wildcard stands in the local part, or left of a
//! registrable domain (public suffix list), and nowhere else. Compares bare addresses only; a display name is whatever its
//! sender likes it to be.

mod denied;
mod domain;
mod pattern;

pub use denied::DenyList;
pub(crate) use domain::is_top_level;
pub use domain::{canonical_domain, is_aligned, registrable};
pub use pattern::{SenderPattern, Specificity};
