//! Pages for people. They work without JavaScript, load nothing from elsewhere and change nothing by being looked at.

pub mod assets;
pub mod headers;
pub mod pages;
