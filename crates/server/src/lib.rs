//! The world around the rules of `doorcode-core`.

pub mod cli;
