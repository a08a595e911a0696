//! The tests that need more than one module.

mod app;
mod contract;
mod outx;
mod races;
mod smtp;
mod smtp_server;
