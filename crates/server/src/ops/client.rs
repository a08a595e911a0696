//! Who asks, as far as the network says: what guesses and sends are counted by, and by what the repeat of a right answer
//! is told from somebody else's. Refuses to believe a place that an untrusted peer named.

use std::net::IpAddr;

use doorcode_core::fingerprint::fingerprint;
use doorcode_core::known::Tag;
use doorcode_core::time::HOUR;
use doorcode_core::{ChallengeId, Class, CredentialId, Network, OrgId, Timestamp};

use crate::store::Asker;
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
    /// Whoever asks for them, where it is not they themselves.
    behind: Option<Backend>,
    /// The languages it asks for, as it said them.
    pub languages: String,
}

/// A customer's program, which asks for people whom we do not see.
#[derive(Clone, Copy)]
struct Backend {
    org: OrgId,
    /// None: it only lets the person through, who asks themselves.
    of_credential: Option<[u8; 8]>,
}

/// What is allowed in an hour over all addresses.
#[derive(Clone, Copy)]
pub struct Hour {
    /// One network.
    pub network: u32,
    /// A wider one.
    pub wide: u32,
    /// All people of one org whose network its program does not say; none: that is counted elsewhere.
    pub org: Option<u32>,
}

impl Client {
    /// A client at an address that we saw ourselves or that a trusted proxy named.
    pub fn at(address: IpAddr) -> Self {
        let network = Network::of(address);
        let of_network = fingerprint("network", &[&network.exact()]);
        let of_host = fingerprint("host", &[&network.host()]);
        Self { network, of_network, of_host, traced: true, behind: None, languages: String::new() }
    }

    /// A person for whom a customer's program asks: at the address that it says, or, where it says none, a stranger at no
    /// address. What it says counts in its own org only: it must not spend what others have left.
    pub fn behind(org: OrgId, credential: CredentialId, person: Option<IpAddr>) -> Self {
        let of_credential = first_eight(&fingerprint("credential", &[credential.as_bytes()]));
        let at = Self::at(person.unwrap_or(IpAddr::from([0, 0, 0, 0])));
        Self { traced: person.is_some(), behind: Some(Backend { org, of_credential: Some(of_credential) }), ..at }
    }

    /// Whether a customer's program asks, and not the person.
    pub fn is_backend(&self) -> bool {
        self.behind.is_some_and(|behind| behind.of_credential.is_some())
    }

    /// The same client, whom an org lets through to its own realm: what they do is counted there, and by challenges' ids.
    #[must_use]
    pub fn through(self, org: OrgId) -> Self {
        Self { behind: Some(Backend { org, of_credential: None }), ..self }
    }

    /// The org whose program asks, or lets somebody through, if one does.
    pub fn org(&self) -> Option<OrgId> {
        self.behind.map(|backend| backend.org)
    }

    /// A client behind a peer that is not trusted to name it: always a stranger, never given a repeat.
    pub fn untraced(peer: IpAddr) -> Self {
        Self { traced: false, ..Self::at(peer) }
    }

    /// The same client, being the browser that holds this: what another one behind the same address says again is no repeat.
    pub fn holding(self, mark: &str) -> Self {
        Self { of_host: fingerprint("host", &[&self.network.host(), mark.as_bytes()]), ..self }
    }

    /// The same client, with the languages of its request.
    pub fn speaking(self, languages: &str) -> Self {
        Self { languages: languages.chars().take(200).collect(), ..self }
    }

    /// By what a success is remembered: the network.
    pub fn tag(&self) -> Option<Tag> {
        self.traced.then(|| first_eight(&self.of_network))
    }

    /// From where it asks, for whoever it asks: its address, or that it can't be told.
    pub fn shown(&self) -> String {
        if self.traced { self.network.address().to_string() } else { "unknown".to_owned() }
    }

    /// Who it is where several wait for the same: a customer's program is its org, whatever it says of people.
    pub fn asker(&self) -> Asker {
        let first = |key: [u8; 17]| *key.first_chunk().unwrap_or(&[0; 16]);
        let exact = first(self.network.exact());
        let program = self.behind.filter(|_| self.is_backend());
        let wide = program.map_or_else(|| first(self.network.wide()), |backend| *backend.org.as_bytes());
        Asker { wide, exact }
    }

    /// By what the repeat of a right answer is recognised: the credential, or without one the full address.
    pub fn host(&self) -> Option<[u8; 8]> {
        let credential = self.behind.and_then(|backend| backend.of_credential);
        credential.or_else(|| self.traced.then(|| first_eight(&self.of_host)))
    }

    /// What it is to an address whose list of known networks this is.
    pub fn class(&self, known: &str, now: Timestamp) -> Class {
        self.tag().map_or(Class::Stranger, |tag| doorcode_core::known::class(known, &tag, now))
    }

    /// By what tries on the code that lives are counted: the network, or, where a program asks by the challenge's id, the
    /// challenge, whoever tries.
    pub fn tries_tag(&self, live: Option<ChallengeId>) -> TriesTag {
        const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut tag = [b','; 7];
        let of_challenge = |id: ChallengeId| fingerprint("tries", &[id.as_bytes()]);
        let by_id = live.filter(|_| self.behind.is_some()).map(of_challenge);
        for (digit, byte) in tag.iter_mut().take(6).zip(by_id.unwrap_or(self.of_network)) {
            *digit = DIGITS[usize::from(byte & 0x3f)];
        }
        tag
    }

    /// What a kind of use is counted by over all addresses: the network and the wider one, each with its word. For a program
    /// that does not say where people are, its org.
    pub fn meters(&self, what: &str, hour: &Hour) -> Vec<(&'static str, Meter)> {
        let (exact, wide) = (self.network.exact(), self.network.wide());
        let meter = |id, limit| Meter { id, span: HOUR, limit };
        match self.behind {
            None => vec![
                ("network", meter(fingerprint(what, &[b"network", &exact]), hour.network)),
                ("wide", meter(fingerprint(what, &[b"wide", &wide]), hour.wide)),
            ],
            // Who asks themselves is at a network whatever they say of forwarding.
            Some(Backend { org, of_credential }) if self.traced || of_credential.is_none() => vec![
                ("network", meter(fingerprint(what, &[org.as_bytes(), b"network", &exact]), hour.network)),
                ("wide", meter(fingerprint(what, &[org.as_bytes(), b"wide", &wide]), hour.wide)),
            ],
            Some(Backend { org, .. }) => {
                let of_org = fingerprint(what, &[org.as_bytes(), b"people"]);
                hour.org.map(|limit| ("org", meter(of_org, limit))).into_iter().collect()
            }
        }
    }
}

fn first_eight(digest: &[u8; 16]) -> [u8; 8] {
    let mut short = [0; 8];
    short.copy_from_slice(&digest[..8]);
    short
}
