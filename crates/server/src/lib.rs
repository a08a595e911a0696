//! Doorcode's server: the world around the rules of `doorcode-core`.

pub mod deliver;
pub mod web;
