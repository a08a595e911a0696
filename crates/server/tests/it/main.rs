//! The tests that need more than one module.

mod smtp;
mod smtp_server;
