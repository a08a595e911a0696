//! Fuzzes the extraction on the stable toolchain: `cargo run --release --example fuzz_extract -- --seconds 3600`.
//! Takes messages of its own, cuts, repeats, splices and flips them, and checks what must hold of any message:
//! no panic, a code of 3 to 16 ASCII symbols, which stands in what a person sees. `--seed N` repeats a run.

#![expect(clippy::disallowed_methods, reason = "it runs for as long as it was told")]
#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::time::{Duration, Instant};

use doorcode_core::extract::{Format, Message, classify, extract, visible};

/// What is mutated. One message of each kind that the extraction treats in its own way.
const SEEDS: [&str; 16] = [
    "Your verification code is 482017. It expires in 10 minutes. Do not share it.",
    "<#> Lantern: 482-017\nqR7+bTz0LmN",
    "G-482017 is your code",
    "Your code: AB12-CD34",
    "4 8 2 0 1 7 is your PIN",
    "【灯笼鱼】您的验证码是４８２０１７，10分钟内有效。",
    "رمز التحقق الخاص بك هو ٤٨٢٠١٧",
    "รหัสยืนยันของคุณคือ 482017",
    "Ваш код: 482017. Никому его не сообщайте",
    "Code 482017\n\n@shop.example #482017 %frame.example",
    "INR 4,999.00 debited from A/c XX4417 on 26-11-26. Ref 402918330912. Call 1800223344",
    "Use promo code SAVE2024 for 20% off: https://x.example/482017?code=1234",
    "<html><head><style>.gone{display:none}</style></head><body><p class='gone'>111111</p><h1>482017</h1></body></html>",
    "<table><tr><td style=\"font-size:0\"><b style=\"font-size:9px\">code</b></td><td>4</td><td>8</td></tr></table>",
    "<!--[if mso]>1<![endif]--><p>a&nbsp;&#52;&amp;code: 482017<br/>x</p>",
    "(510) 555-0142 +44 7700 900123 14:35 2026-11-26 1.250,00 €",
];

/// What mutations put in.
const PIECES: [&str; 20] = [
    "<", ">", "</", "<!--", "-->", "\"", "'", "&", ";", "\n", "\u{200f}", "é", "验", "٤", "1", "-", " ", "code ",
    "@a.b #", "://",
];

/// xorshift64: the same run for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut seconds, mut seed) = (10, 1);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or("each option has a value")?.parse()?;
        match name.as_str() {
            "--seconds" => seconds = value,
            "--seed" => seed = value,
            _ => return Err("options are --seconds and --seed".into()),
        }
    }
    let mut dice = Dice(seed.max(1));
    let (started, mut messages, mut codes) = (Instant::now(), 0_u64, 0_u64);
    while started.elapsed() < Duration::from_secs(seconds) {
        for _ in 0..1000 {
            let text = mutate(&mut dice);
            codes += u64::from(check(&text, Format::Text)) + u64::from(check(&text, Format::Html));
            messages += 2;
        }
    }
    println!("{messages} messages, {codes} codes, nothing wrong (seed {seed})");
    Ok(())
}

/// A seed after a few changes.
fn mutate(dice: &mut Dice) -> String {
    let mut text = SEEDS[dice.below(SEEDS.len())].to_owned();
    for _ in 0..=dice.below(8) {
        let at = text.floor_char_boundary(dice.below(text.len() + 1));
        let to = text.floor_char_boundary(at + dice.below(12)).max(at);
        match dice.below(5) {
            0 => text.insert_str(at, PIECES[dice.below(PIECES.len())]),
            1 => text.replace_range(at..to, ""),
            2 => {
                let part = text[at..to].repeat(dice.below(40));
                text.insert_str(at, &part);
            }
            3 => {
                let other = SEEDS[dice.below(SEEDS.len())];
                text.insert_str(at, &other[other.floor_char_boundary(dice.below(other.len()))..]);
            }
            _ => {
                let c = char::from_u32(dice.below(0x1_1000) as u32).unwrap_or('\u{fffd}');
                text.insert(at, c);
            }
        }
    }
    text
}

/// Panics if what was found can't be right. Says whether there was a code.
fn check(text: &str, format: Format) -> bool {
    let message = Message { subject: None, text, format };
    let _ = classify(&message);
    let Some(found) = extract(&message) else { return false };
    let code = found.code.expose();
    let seen = doorcode_core::extract::symbols(&visible(&message));
    assert!((3..=16).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_alphanumeric()), "{text:?}");
    assert!(seen.contains(code.as_str()), "{code} is not in {text:?}");
    true
}
