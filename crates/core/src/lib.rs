//! The rules of Doorcode. Nothing here reaches the world: no I/O, no clock, no randomness, no SQL, no HTTP.
//!
//! Time comes in as a [`Timestamp`], random bytes as arrays. What is secret is a [`Secret`] and does not print; what
//! names a person prints as a mask. The main types are re-exported here; functions keep their module
//! (`code::derive`, `challenge::judge`, `budget::may_send`), which reads better where they are called.

pub mod activity;
pub mod address;
pub mod apikey;
pub mod budget;
pub mod challenge;
pub mod code;
pub mod content;
pub mod error;
pub mod extract;
pub mod fingerprint;
mod glyph;
pub mod hex;
pub mod hook;
pub mod id;
pub mod json;
pub mod known;
pub mod line;
pub mod mailbox;
pub mod network;
pub mod origin;
pub mod push;
pub mod reason;
pub mod redirect;
pub mod relay;
pub mod relay_deny;
pub mod root;
pub mod seal;
pub mod secret;
pub mod sender;
pub mod session;
pub mod stamp;
pub mod ticket;
pub mod time;
pub mod token;
pub mod vault;
pub mod webhook;

pub use address::{Address, Email, Phone};
pub use budget::{Chance, Class, GuessPolicy, KNOWN_FOR, Ring, SendPolicy, Window};
pub use challenge::{Standing, State, Verdict};
pub use code::{Alphabet, Binding, Code, Shape};
pub use error::{Error, Result};
pub use id::{
    ActivityId, AgentId, ChallengeId, CredentialId, DeliveryId, DeviceId, EventId, HookId, Id, MailboxId, OrgId,
    PushId, RedirectId, RelayId, SessionId, UserId, WebhookId, WebhookMessageId,
};
pub use network::Network;
pub use root::{Kid, MasterKey, Root, Use};
pub use secret::Secret;
pub use time::Timestamp;
