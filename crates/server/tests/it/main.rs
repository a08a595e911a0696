//! The tests that need more than one module.

mod app;
mod contract;
mod guesses;
mod outx;
mod races;
mod sends;
mod smtp;
mod smtp_server;
