//! Doorcode's server: the world around the rules of `doorcode-core`.

// What is freed is wiped: codes pass through buffers of bodies and mails that nobody thinks of, and a core dump would hold them all.
// Without huge pages (the feature `no_thp`): of a connection that waits, half of each buffer is never touched, and would be there.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<mimalloc::MiMalloc> = zeroizing_alloc::ZeroAlloc(mimalloc::MiMalloc);

pub mod api;
pub mod app;
pub mod body;
pub mod capture;
pub mod cli;
pub mod clock;
pub mod config;
pub mod deliver;
mod descriptors;
pub mod egress;
pub mod entropy;
pub mod keyring;
pub mod metrics;
pub mod ops;
pub mod serve;
pub mod steady;
pub mod store;
pub mod web;

/// An error with everything behind it, for the log. Never for a client.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
