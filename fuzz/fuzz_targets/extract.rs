//! Any bytes as a message, as text and as HTML: no panic, and no code that is not in the message.

#![no_main]

use doorcode_core::extract::{Format, Message, classify, extract, symbols, visible};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for format in [Format::Text, Format::Html] {
        let message = Message { subject: None, text, format };
        let _ = classify(&message);
        if let Some(found) = extract(&message) {
            assert!(symbols(&visible(&message)).contains(found.code.expose().as_str()));
        }
    }
});
