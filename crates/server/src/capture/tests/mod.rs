//! Messages as they come, signed in every way that proves something and in those that only seem to, before a name server of our own.

mod arc;
mod dkim;
mod origins;
mod parsing;
mod post;
mod server;
