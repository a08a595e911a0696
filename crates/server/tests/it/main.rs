//! The tests that need more than one module.

mod beside;
mod cli;
mod clients;
mod crash;
mod days;
mod hostile;
mod needles;
mod process;
mod secrets;
mod sink;
mod smtp;
mod smtp_server;
mod talk;
