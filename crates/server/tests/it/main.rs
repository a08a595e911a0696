//! The tests that need more than one module.

mod app;
mod outx;
mod races;
mod smtp;
mod smtp_server;
