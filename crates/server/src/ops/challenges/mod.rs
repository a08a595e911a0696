//! The engine: start a challenge, check what comes back. The same for every door. Refuses to look at users when a code
//! is asked for, to compare what no budget paid for, and to answer before the debit is durable.

mod check;
mod post;
mod start;

pub use check::{Aim, Attempt, Checked, Entry, Tally, check, miss};
pub use post::{SEALED, post};
pub use start::{Asked, Begun, Leased, Live, Start, Terms, conclude, start};
