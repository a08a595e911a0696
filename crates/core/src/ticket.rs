//! What lets a browser watch without a key: a ticket that says for whom it was made, what it shows and how long it is good, under a
//! MAC. Derived, so that nothing is stored until it is used; that it is used once is the server's to see to. Refuses to say more to
//! its bearer than its maker could see, and to live on when what it was made with does not.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;

use crate::id::{AgentId, CredentialId, OrgId, RelayId, SessionId, UserId};
use crate::root::Root;
use crate::secret::Secret;
use crate::time::Timestamp;

/// How it begins.
pub const PREFIX: &str = "wst_";

/// Whose requests are watched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Eye {
    /// An agent's own.
    Agent(AgentId),
    /// Those for a person's codes.
    Owner(UserId),
}

/// What somebody proved themselves with: when that is over, so is what they watch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hold {
    /// A key.
    Key(OrgId, CredentialId),
    /// The sign-in key of a team, which is somebody's own only while the team has one member.
    LoneKey(OrgId, CredentialId),
    /// A session.
    Session(SessionId),
}

/// Somebody who watches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Watcher {
    /// Whose requests.
    pub eye: Eye,
    /// In which org.
    pub org: OrgId,
    /// By what.
    pub hold: Hold,
}

/// A ticket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ticket {
    /// For whom.
    pub watcher: Watcher,
    /// One request; none: all that the watcher may see.
    pub relay: Option<RelayId>,
    /// Its end.
    pub until: Timestamp,
    /// Random, so that no two are the same.
    pub nonce: [u8; 16],
}

/// Bytes of what it says: which kinds, five ids, end.
const CLAIM: usize = 3 + 5 * 16 + 8;
/// Bytes of the MAC: 256 bits.
const MAC: usize = 32;
/// Characters behind the prefix: base64url of both.
const ENCODED: usize = ((CLAIM + MAC) * 4).div_ceil(3);

impl Ticket {
    /// The text, under a root of [`crate::Use::Ticket`].
    pub fn encode(&self, root: &Root) -> Secret<String> {
        let mut text = String::with_capacity(PREFIX.len() + ENCODED);
        text.push_str(PREFIX);
        let mut bytes = [0; CLAIM + MAC];
        bytes[..CLAIM].copy_from_slice(&self.bytes());
        bytes[CLAIM..].copy_from_slice(&root.mac(&[&self.bytes()]));
        URL_SAFE_NO_PAD.encode_string(bytes, &mut text);
        Secret::new(text)
    }

    /// The ticket that a text is, if it was made under one of these roots.
    pub fn read<'a>(text: &str, mut roots: impl Iterator<Item = &'a Root>) -> Option<Self> {
        let text = text.strip_prefix(PREFIX).filter(|rest| rest.len() == ENCODED)?;
        let bytes: [u8; CLAIM + MAC] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (claim, mac) = bytes.split_first_chunk::<CLAIM>()?;
        roots.any(|root| root.mac(&[claim]).ct_eq(mac).into()).then_some(())?;
        Self::of(claim)
    }

    fn bytes(&self) -> [u8; CLAIM] {
        let (eye, seen) = match &self.watcher.eye {
            Eye::Agent(id) => (0, *id.as_bytes()),
            Eye::Owner(id) => (1, *id.as_bytes()),
        };
        let (hold, held) = match &self.watcher.hold {
            Hold::Key(_, id) => (0, *id.as_bytes()),
            Hold::LoneKey(_, id) => (1, *id.as_bytes()),
            Hold::Session(id) => (2, *id.as_bytes()),
        };
        let relay = self.relay.map_or([0; 16], |id| *id.as_bytes());
        let mut bytes = [0; CLAIM];
        bytes[..3].copy_from_slice(&[u8::from(self.relay.is_some()), eye, hold]);
        let ids = [relay, seen, *self.watcher.org.as_bytes(), held, self.nonce];
        for (place, id) in bytes[3..].chunks_exact_mut(16).zip(ids) {
            place.copy_from_slice(&id);
        }
        bytes[CLAIM - 8..].copy_from_slice(&self.until.millis().to_be_bytes());
        bytes
    }

    fn of(claim: &[u8; CLAIM]) -> Option<Self> {
        let mut ids = claim[3..].chunks_exact(16).filter_map(|id| <[u8; 16]>::try_from(id).ok());
        let (relay, seen, org, held, nonce) = (ids.next()?, ids.next()?, ids.next()?, ids.next()?, ids.next()?);
        let org = OrgId::from_bytes(org);
        let eye = match claim[1] {
            0 => Eye::Agent(AgentId::from_bytes(seen)),
            1 => Eye::Owner(UserId::from_bytes(seen)),
            _ => return None,
        };
        let hold = match claim[2] {
            0 => Hold::Key(org, CredentialId::from_bytes(held)),
            1 => Hold::LoneKey(org, CredentialId::from_bytes(held)),
            2 => Hold::Session(SessionId::from_bytes(held)),
            _ => return None,
        };
        let until = Timestamp::from_millis(i64::from_be_bytes(claim[CLAIM - 8..].try_into().ok()?));
        let relay = (claim[0] == 1).then(|| RelayId::from_bytes(relay));
        Some(Self { watcher: Watcher { eye, org, hold }, relay, until, nonce })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::root::{MasterKey, Use};

    fn root(byte: u8) -> Root {
        MasterKey::from_parts("aaaaaaaa".parse().unwrap(), [byte; 32]).root(Use::Ticket)
    }

    fn tickets() -> Vec<Ticket> {
        let org = OrgId::from_bytes([3; 16]);
        let eyes = [Eye::Agent(AgentId::from_bytes([1; 16])), Eye::Owner(UserId::from_bytes([2; 16]))];
        let holds = [
            Hold::Key(org, CredentialId::from_bytes([4; 16])),
            Hold::LoneKey(org, CredentialId::from_bytes([5; 16])),
            Hold::Session(SessionId::from_bytes([6; 16])),
        ];
        let mut all = Vec::new();
        for eye in eyes {
            for hold in holds {
                for relay in [None, Some(RelayId::from_bytes([7; 16]))] {
                    let until = Timestamp::from_millis(1_800_000_060_123);
                    all.push(Ticket { watcher: Watcher { eye, org, hold }, relay, until, nonce: [9; 16] });
                }
            }
        }
        all
    }

    #[test]
    fn a_ticket_is_read_as_it_was_made_under_any_living_root() {
        for ticket in tickets() {
            let text = ticket.encode(&root(1));
            assert_eq!(Ticket::read(text.expose(), [&root(2), &root(1)].into_iter()), Some(ticket));
            assert_eq!(Ticket::read(text.expose(), [&root(2)].into_iter()), None, "not of this house");
        }
    }

    #[test]
    fn a_changed_character_makes_it_nothing() {
        let ticket = tickets()[1].encode(&root(1));
        let text = ticket.expose();
        assert!(text.len() == PREFIX.len() + ENCODED && text.len() < 200, "{}", text.len());
        for place in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert_eq!(Ticket::read(&changed, [&root(1)].into_iter()), None, "{place}");
        }
        for other in ["", PREFIX, &text[..text.len() - 1], &format!("{text}A"), "wst_ü"] {
            assert_eq!(Ticket::read(other, [&root(1)].into_iter()), None);
        }
    }
}
