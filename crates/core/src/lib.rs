//! The rules of Doorcode. Nothing here reaches the world: no I/O, no clock, no randomness, no SQL, no HTTP.

pub mod secret;

pub use secret::Secret;
