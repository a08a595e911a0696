//! Messages on their way out: what they say, how they look, and how they leave. Knows no door and no HTTP.

mod busy;
pub mod failure;
pub mod inbox;
pub mod message;
pub mod mime;
pub mod push;
pub mod render;
mod settings;
pub mod smtp;
pub mod texts;
mod told;
pub mod webhooks;
mod wire;
pub mod worker;
