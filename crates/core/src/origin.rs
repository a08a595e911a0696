//! The mark by which an installation knows its own mail when it comes back through somebody's mailbox: it must never be
//! relayed to an agent, which would then sign in as its owner (docs/threat-model.md). Refuses to lean on any other header:
//! relays write their own Message-ID and Date over ours, so the mark carries what it is made of.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;

use crate::root::{Kid, Root};

/// The header that carries it.
pub const HEADER: &str = "X-Doorcode-Stamp";

/// 16 bytes in base64.
const ENCODED: usize = 22;

/// A mark as it stands in the header: `<kid> <id> <mac>`, where the id is any 16 bytes (the delivery's) and the mac 16 bytes, both
/// in base64url. It is no secret: whoever copies it into a mail of theirs keeps only that mail from being relayed.
#[derive(Clone, Copy)]
pub struct Mark {
    kid: Kid,
    id: [u8; 16],
    mac: [u8; 16],
}

impl Mark {
    /// The mark of one message, under the root [`crate::Use::Header`] of the master key of that name.
    pub fn new(kid: Kid, root: &Root, id: [u8; 16]) -> Self {
        Self { kid, id, mac: mac(root, &id) }
    }

    /// Reads what stands in the header, however it was folded. None: no installation writes such a thing.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let (kid, id, mac) = (words.next()?.parse().ok()?, bytes(words.next()?)?, bytes(words.next()?)?);
        words.next().is_none().then_some(Self { kid, id, mac })
    }

    /// The master key that it says it was made with.
    pub const fn kid(&self) -> Kid {
        self.kid
    }

    /// Whether it was made with this root.
    pub fn is_of(&self, root: &Root) -> bool {
        bool::from(mac(root, &self.id).ct_eq(&self.mac))
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.kid, URL_SAFE_NO_PAD.encode(self.id), URL_SAFE_NO_PAD.encode(self.mac))
    }
}

fn mac(root: &Root, id: &[u8; 16]) -> [u8; 16] {
    root.short_mac(&[b"mail", id])
}

fn bytes(text: &str) -> Option<[u8; 16]> {
    // The decoder is asked for one length only, so its output has one too.
    (text.len() == ENCODED).then(|| URL_SAFE_NO_PAD.decode(text).ok())??.try_into().ok()
}
