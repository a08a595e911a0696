//! The tests that need more than one module.

mod crash;
mod process;
mod sink;
mod smtp;
mod smtp_server;
mod talk;
