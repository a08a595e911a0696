//! Who asks, as far as the network says: what guesses and sends are counted by, and by what the repeat of a right answer
//! is told from somebody else's. Refuses to believe a place that an untrusted peer named.

use std::net::IpAddr;

use doorcode_core::fingerprint::fingerprint;
use doorcode_core::known::Tag;
use doorcode_core::time::HOUR;
use doorcode_core::{Class, Network, Timestamp};

use crate::store::meters::Meter;
use crate::store::targets::TriesTag;

/// The other end of a request.
#[derive(Clone)]
pub struct Client {
    network: Network,
    /// Digests of the network and of the full address, worked out once.
    of_network: [u8; 16],
    of_host: [u8; 16],
    traced: bool,
    /// The languages it asks for, as it said them.
    pub languages: String,
}

impl Client {
    /// A client at an address that we saw ourselves or that a trusted proxy named.
    pub fn at(address: IpAddr) -> Self {
        let network = Network::of(address);
        let of_network = fingerprint("network", &[&network.exact()]);
        let of_host = fingerprint("host", &[&network.host()]);
        Self { network, of_network, of_host, traced: true, languages: String::new() }
    }

    /// A client behind a peer that is not trusted to name it: always a stranger, never given a repeat.
    pub fn untraced(peer: IpAddr) -> Self {
        Self { traced: false, ..Self::at(peer) }
    }

    /// The same client, with the languages of its request.
    pub fn speaking(self, languages: &str) -> Self {
        Self { languages: languages.chars().take(200).collect(), ..self }
    }

    /// By what a success is remembered: the network.
    pub fn tag(&self) -> Option<Tag> {
        self.traced.then(|| first_eight(&self.of_network))
    }

    /// By what the repeat of a right answer is recognised: the full address.
    pub fn host(&self) -> Option<[u8; 8]> {
        self.traced.then(|| first_eight(&self.of_host))
    }

    /// What it is to an address whose list of known networks this is.
    pub fn class(&self, known: &str, now: Timestamp) -> Class {
        self.tag().map_or(Class::Stranger, |tag| doorcode_core::known::class(known, &tag, now))
    }

    /// By what tries on one code are counted.
    pub fn tries_tag(&self) -> TriesTag {
        const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut tag = [b','; 7];
        for (digit, byte) in tag.iter_mut().take(6).zip(self.of_network) {
            *digit = DIGITS[usize::from(byte & 0x3f)];
        }
        tag
    }

    /// The meter of its network and of the wider one, for a kind of use.
    pub fn meters(&self, what: &str, network: u32, wide: u32) -> [Meter; 2] {
        [
            Meter { id: fingerprint(what, &[b"network", &self.network.exact()]), span: HOUR, limit: network },
            Meter { id: fingerprint(what, &[b"wide", &self.network.wide()]), span: HOUR, limit: wide },
        ]
    }
}

fn first_eight(digest: &[u8; 16]) -> [u8; 8] {
    let mut short = [0; 8];
    short.copy_from_slice(&digest[..8]);
    short
}
