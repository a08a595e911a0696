//! What capture clients hand in, and what is no ciphertext whatever it is called.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::{known, modulus, public, why};

pub fn envelope(encrypted: &str) -> String {
    serde_json::json!({
        "version": 1, "algorithm": "RSA-OAEP-SHA256", "encrypted": encrypted, "timestamp": "2026-02-20T10:00:00.000Z",
    })
    .to_string()
}

#[test]
fn the_mail_services_envelope_is_unwrapped() {
    let sealed = known("rsa", "sealed");
    for payload in [envelope(&sealed), format!(" {}\n", envelope(&sealed)), envelope(&sealed).replace('/', "\\/")] {
        assert_eq!(public("rsa").unwrap_envelope(&payload).unwrap().as_str(), sealed);
    }
    let refuse = |payload: &str| why(public("rsa").unwrap_envelope(payload), "encryptedPayload");
    let good = envelope(&sealed);
    refuse(&good.replace("\"version\":1", "\"version\":2"));
    refuse(&good.replace("\"version\":1", "\"version\":\"1\""));
    refuse(&good.replace("OAEP-SHA256", "OAEP"));
    refuse(&good.replace("RSA-OAEP-SHA256", "none"));
    refuse(&good.replacen('{', "{\"code\":\"847291\",", 1));
    refuse(&good.replacen('{', "{\"version\":1,", 1));
    refuse(&good[..good.len() - 1]);
    refuse(&format!("{good}{good}"));
    refuse(&format!("[{good}]"));
    refuse(&envelope(&good));
    refuse("{}");
    why(public("hpke").unwrap_envelope(&envelope(&known("hpke", "sealed"))), "encryptedPayload");
}

#[test]
fn what_is_no_ciphertext_is_refused() {
    let clear = |text: String| STANDARD.encode(text);
    let sized = |bytes: Vec<u8>| STANDARD.encode(bytes);
    let utf16: Vec<u8> = "Your code is 847291. ".encode_utf16().cycle().take(128).flat_map(u16::to_le_bytes).collect();
    let mut random_behind = STANDARD.decode(known("rsa", "sealed")).unwrap();
    random_behind[..21].copy_from_slice(b"mock_encrypted:847291");
    for bad in [
        String::new(),
        "847291".to_owned(),
        clear("847291".to_owned()),
        clear("mock_encrypted:847291".to_owned()),
        clear(format!("mock_encrypted:{}", "8".repeat(241))),
        sized(random_behind),
        clear("847291 is your code. ".repeat(13)[..256].to_owned()),
        clear("é✓847291, ваш код и ещё немного ".repeat(9).chars().take(160).collect::<String>()),
        clear((0..0xc0).map(char::from).collect()),
        sized([0x41, 0xff].repeat(128)),
        sized(utf16),
        sized(vec![0; 256]),
        sized(vec![0xff; 256]),
        sized([vec![0; 250], b"847291".to_vec()].concat()),
        sized((0..=255).rev().collect()),
        sized(modulus(255)),
        sized(modulus(257)),
        known("rsa", "sealed").replace('=', ""),
        format!("{}{}", known("rsa", "sealed"), known("rsa", "sealed")),
        known("hpke", "sealed"),
    ] {
        why(public("rsa").unwrap_envelope(&bad), "encryptedPayload");
        why(public("rsa").unwrap_envelope(&envelope(&bad)), "encryptedPayload");
    }
    let part = |text: &[u8]| URL_SAFE_NO_PAD.encode(text);
    let enc = known("hpke", "sealed").split('.').nth(1).unwrap().to_owned();
    for bad in [
        "847291".to_owned(),
        clear("mock_encrypted:847291".to_owned()),
        format!("hpke1.{enc}"),
        format!("hpke1.{enc}."),
        format!("hpke1.{enc}.{}", part(&[7; 15])),
        format!("hpke1.{enc}.{}", part(&[7; 1041])),
        format!("hpke1.{enc}.{}", part(b"mock_encrypted:847291")),
        format!("hpke1.{enc}.{}.x", part(&[7; 22])),
        format!("hpke2.{enc}.{}", part(&[7; 22])),
        known("rsa", "sealed"),
    ] {
        why(public("hpke").unwrap_envelope(&bad), "encryptedPayload");
    }
}

proptest! {
    #[test]
    fn whatever_is_captured_is_refused_or_kept_as_it_is(text in "\\PC{0,80}|\\{\\PC{0,80}\\}|[A-Za-z0-9+/]{342}==|hpke1\\.[A-Za-z0-9_-]{43}\\.[A-Za-z0-9_-]{20,40}") {
        for kind in ["rsa", "hpke"] {
            if let Ok(kept) = public(kind).unwrap_envelope(&text) {
                prop_assert_eq!(kept.as_str(), text.as_str());
            }
        }
    }
}
