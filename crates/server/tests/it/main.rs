//! The tests that need more than one module.

mod app;
mod bad_input;
mod budgets;
mod contract;
mod delivery;
mod guesses;
mod house;
mod keys;
mod networks;
mod operate;
mod outx;
mod post_office;
mod races;
mod restore;
mod sends;
mod signup;
mod single_use;
mod smtp;
mod smtp_server;
