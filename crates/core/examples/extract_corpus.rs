//! Scratch.
use doorcode_core::extract::{Format, Message, extract};
fn main() {
    let path = std::env::args().nth(1).unwrap();
    let quiet = std::env::args().nth(2);
    let text = std::fs::read_to_string(path).unwrap();
    for line in text.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let s = |k: &str| row[k].as_str();
        let m = Message {
            subject: s("subject"),
            text: s("text").unwrap(),
            format: if s("format") == Some("html") { Format::Html } else { Format::Text },
        };
        let f = extract(&m);
        let (c, conf) = f.map(|f| (f.code.expose().clone(), f.confidence)).unwrap_or_default();
        println!("{}\t{}\t{}", s("id").unwrap(), c, conf);
        if quiet.is_some() {
            println!("{}", doorcode_core::extract::visible(&m));
        }
    }
}
