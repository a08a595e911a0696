//! Codes on their way in: a message that came to somebody's mailbox, read and judged before anything is looked for in it. Refuses
//! to trust what a message says of itself: who sent it is what a signature proves, and whatever two readers could read in two ways
//! is proof of nothing.
//!
//! ```text
//! raw bytes → message::Parsed → origin::is_ours, domain::is_provider, origin::domains_of → verified::Verifier::judge
//! ```

mod chain;
pub mod domain;
mod fields;
pub mod inbound;
mod keys;
pub mod mail;
pub mod mailbox;
pub mod message;
mod mime;
pub mod origin;
mod shares;
mod signature;
mod spf;
mod tags;
#[cfg(test)]
mod tests;
pub mod verified;
pub mod watched;

pub use message::{Parsed, Unreadable};
pub use spf::Carrier;
pub use verified::{By, Expectation, Judgement, Verdict, Verifier};
