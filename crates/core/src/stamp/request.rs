//! What a stamp signs where a request has more to it than a body: method, path with its query, organisation, time, a nonce and the body's
//! digest. Refuses a time that is not of now and a nonce that is short. What a signer signs and what a server verifies is made here, so it
//! is one text.

use std::time::Duration;

use super::key::PublicKey;
use super::print::BodyPrint;
use crate::fingerprint::fingerprint;
use crate::hex;
use crate::id::{ChallengeId, OrgId};
use crate::time::Timestamp;

/// How far from now a request may say that it is, on either side. Nothing is answered again for the same bytes here, as activities are, so
/// nobody gains by sending old ones: the window has to be as wide as clocks go wrong, and no wider, since that is how long each nonce is kept.
pub const REQUEST_WINDOW: Duration = Duration::from_secs(300);
/// For how long a nonce is known as spent: longer than both sides of the window.
pub const NONCES_KEPT: Duration = Duration::from_secs(900);

/// Characters of a nonce. 16 of hexadecimal are 64 bits, so two draws of one key in a window are not the same.
const NONCE_LEAST: usize = 16;
const NONCE_MOST: usize = 64;

/// A request that somebody signs.
#[derive(Clone, Copy)]
pub struct Signable<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// The path as it is sent, with `?` and the query where there is one.
    pub target: &'a str,
    /// In which organisation the key is.
    pub org: OrgId,
    /// When it is made.
    pub at: Timestamp,
    /// What makes it one of its kind.
    pub nonce: &'a str,
    /// The body; empty, if there is none.
    pub body: &'a [u8],
}

impl Signable<'_> {
    /// What is signed: seven lines, the last one without an end. None of the first six can have a line end in it, so no two requests have one text.
    pub fn text(&self) -> Vec<u8> {
        let digest = hex::encode(BodyPrint::of(self.body).as_bytes());
        let Self { method, target, org, at, nonce, .. } = self;
        format!("doorcode-v1\n{method}\n{target}\n{org}\n{}\n{nonce}\n{digest}", at.millis()).into_bytes()
    }

    /// Whether its nonce is one: 16 to 64 letters, digits, `-` and `_`.
    pub fn has_nonce(&self) -> bool {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (NONCE_LEAST..=NONCE_MOST).contains(&self.nonce.len()) && self.nonce.bytes().all(plain)
    }

    /// Whether it is of now.
    pub fn is_timely(&self, now: Timestamp) -> bool {
        now.since(self.at) <= REQUEST_WINDOW && self.at.since(now) <= REQUEST_WINDOW
    }

    /// What is spent of it: the nonce in its millisecond, by this key there. `made_at` of the id is `known_from`, by which it is let go of.
    pub fn spent_id(&self, key: &PublicKey, known_from: Timestamp) -> ChallengeId {
        let at = self.at.millis().to_be_bytes();
        let curve = key.curve().name().as_bytes();
        let print =
            fingerprint("stamp nonce", &[self.org.as_bytes(), curve, &key.to_bytes(), &at, self.nonce.as_bytes()]);
        let mut random = [0; 10];
        random.copy_from_slice(&print[..10]);
        ChallengeId::new(known_from, random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;

    const CALL: Signable<'static> = Signable {
        method: "POST",
        target: "/v1/verifications?a=b",
        org: OrgId::from_bytes([1; 16]),
        at: Timestamp::from_millis(NOW),
        nonce: "0123456789abcdef",
        body: b"{}",
    };

    #[test]
    fn the_text_is_the_published_one() {
        let text = String::from_utf8(CALL.text()).unwrap();
        assert_eq!(
            text,
            "doorcode-v1\nPOST\n/v1/verifications?a=b\n01010101-0101-0101-0101-010101010101\n1800000000000\n0123456789abcdef\n\
             44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
        );
    }

    #[test]
    fn the_window_has_sharp_edges() {
        let timely = |offset: i64| CALL.is_timely(Timestamp::from_millis(NOW + offset));
        assert!(timely(0) && timely(300_000) && timely(-300_000));
        assert!(!timely(300_001) && !timely(-300_001) && !timely(i64::MAX - NOW) && !timely(-NOW));
        let never = Signable { at: Timestamp::from_millis(i64::MAX), ..CALL };
        assert!(!never.is_timely(Timestamp::from_millis(i64::MIN)));
    }

    /// The attack: a recorded request is made again once its nonce is forgotten.
    #[test]
    fn a_request_is_stale_before_its_nonce_is_forgotten() {
        assert!(NONCES_KEPT > REQUEST_WINDOW + REQUEST_WINDOW);
    }

    #[test]
    fn a_nonce_is_long_and_plain() {
        fn good(nonce: &str) -> bool {
            Signable { nonce, ..CALL }.has_nonce()
        }
        assert!(good("0123456789abcdef") && good("AZaz09-_AZaz09-_") && good(&"x".repeat(64)));
        for bad in ["", "0123456789abcde", "0123456789abcde\n", "0123456789abcde ", "0123456789abcdé", &"x".repeat(65)]
        {
            assert!(!good(bad), "{bad:?}");
        }
    }
}
