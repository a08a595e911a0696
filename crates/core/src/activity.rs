//! Activities: what a stamped caller asks for, each by the name of its kind and version, with a table of what it takes and gives. Refuses a
//! member of the wrong form, what is not supported (wallets, passkeys, foreign sign-ins, more than one vote) instead of keeping and
//! ignoring it, and to let a code or a token into what is kept. Members that no table names are ignored, and not kept.
//!
//! A door reads the bytes with [`Request::read`] and asks [`Parameters`] for what it needs; what an activity then does is the server's.

mod field;
mod given;
mod kind;
mod mailed;
mod parameters;
mod request;
pub mod rules;
mod status;
mod tables;

pub use field::{Answer, Field, Form, KEY_WORDS};
pub use given::{NewKey, NewUser};
pub use kind::Kind;
pub use mailed::{Mailed, numbers_of};
pub use parameters::{MASK, Parameters};
pub use request::{BODY_MOST, Request};
pub use status::Status;
