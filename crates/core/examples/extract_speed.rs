//! Messages a second on one core: `cargo run --release --example extract_speed -- PATH/otp-messages-open.jsonl`.
//! Reads the file once, warms up, then extracts from every message for about two seconds. Where the system tells (Linux),
//! only the time that the program really ran counts, so that neighbours on a shared machine do not.

#![expect(clippy::disallowed_methods, reason = "a measurement needs a watch")]
#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use doorcode_core::extract::{Format, Message, extract};
use serde_json::Value;

/// How long is measured.
const ROUND: Duration = Duration::from_secs(2);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("the path of a corpus is missing")?;
    let text = std::fs::read_to_string(path)?;
    let rows = text.lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>()?;
    let messages: Vec<Message<'_>> = rows.iter().map(message).collect();
    let bytes: usize = messages.iter().map(|message| message.text.len()).sum();
    let pass = || messages.iter().filter(|message| extract(black_box(message)).is_some()).count();
    let found = pass();
    let (started, ran, mut passes) = (Instant::now(), on_core(), 0);
    while started.elapsed() < ROUND {
        black_box(pass());
        passes += 1;
    }
    let wall = started.elapsed();
    let spent = ran.zip(on_core()).map_or(wall, |(before, after)| after - before);
    let seconds = spent.as_secs_f64();
    let done = f64::from(passes) * messages.len() as f64;
    println!("messages        {} ({} bytes each), {found} with a code", messages.len(), bytes / messages.len().max(1));
    println!("messages/s      {:.0}", done / seconds);
    println!("microseconds    {:.2} each", seconds * 1e6 / done);
    println!("on the core     {:.0} %", 100.0 * seconds / wall.as_secs_f64());
    println!("megabytes/s     {:.0}", f64::from(passes) * bytes as f64 / seconds / 1e6);
    Ok(())
}

/// How long this thread has run so far.
fn on_core() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

fn message(row: &Value) -> Message<'_> {
    let format = if row["format"] == "html" { Format::Html } else { Format::Text };
    Message { subject: row["subject"].as_str(), text: row["text"].as_str().unwrap_or_default(), format }
}
