//! Typed ids, ordered by the time they were made (UUIDv7, RFC 9562 section 5.7), so that keys are appended and not
//! scattered. Refuses to mix kinds, and to make randomness: ten random bytes are handed in. An id is no secret and
//! no proof: it says when it was made.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::time::Timestamp;

/// The id of a `K`. `Display` is hyphenated and lower-case.
pub struct Id<K> {
    uuid: Uuid,
    kind: PhantomData<fn() -> K>,
}

/// The kind of [`OrgId`].
pub enum Org {}
/// The kind of [`UserId`].
pub enum User {}
/// The kind of [`CredentialId`].
pub enum Credential {}
/// The kind of [`ChallengeId`].
pub enum Challenge {}
/// The kind of [`DeliveryId`].
pub enum Delivery {}
/// The kind of [`EventId`].
pub enum Event {}
/// The kind of [`SessionId`].
pub enum Session {}
/// The kind of [`RedirectId`].
pub enum Redirect {}
/// The kind of [`WebhookId`].
pub enum Webhook {}
/// The kind of [`WebhookMessageId`].
pub enum WebhookMessage {}
/// The kind of [`AgentId`].
pub enum Agent {}
/// The kind of [`DeviceId`].
pub enum Device {}
/// The kind of [`RelayId`].
pub enum Relay {}
/// The kind of [`PushId`].
pub enum Push {}
/// The kind of [`HookId`].
pub enum Hook {}
/// The kind of [`MailboxId`].
pub enum Mailbox {}
/// The kind of [`ActivityId`].
pub enum Activity {}

/// A tenant.
pub type OrgId = Id<Org>;
/// A person within one org.
pub type UserId = Id<User>;
/// A key, secret or public key of an org or a user.
pub type CredentialId = Id<Credential>;
/// Something that somebody must prove before a deadline.
pub type ChallengeId = Id<Challenge>;
/// One message of a challenge.
pub type DeliveryId = Id<Delivery>;
/// Something that happened.
pub type EventId = Id<Event>;
/// A signed-in browser or app.
pub type SessionId = Id<Session>;
/// An address that an app may have browsers sent back to.
pub type RedirectId = Id<Redirect>;
/// Somebody's URL that wants to hear of events.
pub type WebhookId = Id<Webhook>;
/// One event on its way to one of those.
pub type WebhookMessageId = Id<WebhookMessage>;
/// A program that asks for codes on a person's behalf.
pub type AgentId = Id<Agent>;
/// What hands a person's messages in: a phone, or a collector beside their mailbox.
pub type DeviceId = Id<Device>;
/// One request of an agent for a code.
pub type RelayId = Id<Relay>;
/// A browser that is told when an agent asks.
pub type PushId = Id<Push>;
/// Where a program pushes a person's messages to.
pub type HookId = Id<Hook>;
/// A mailbox that this server watches for its owner.
pub type MailboxId = Id<Mailbox>;
/// What a signed caller asked for, once.
pub type ActivityId = Id<Activity>;

impl OrgId {
    /// The house realm, whose identities sign in at the OutX door (docs/threat-model.md).
    pub const HOUSE: Self = Self::from_bytes([0; 16]);
}

impl<K> Id<K> {
    /// A new id of this moment. Of the ten random bytes, 74 bits are used. Moments before the epoch count as the epoch.
    pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
        // 48 bits of milliseconds last until the year 10889.
        let ms = u64::try_from(now.millis()).unwrap_or(0).min((1 << 48) - 1).to_be_bytes();
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&ms[2..]);
        bytes[6..].copy_from_slice(&random);
        bytes[6] = bytes[6] & 0x0f | 0x70;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Self::from_bytes(bytes)
    }

    /// A new id that stands in an order: milliseconds in the upper 48 of `order`'s 60 bits, a counter in the other twelve
    /// (RFC 9562 section 6.2, method 1). Of the random bytes, 62 bits are used.
    pub fn in_order(order: u64, random: [u8; 8]) -> Self {
        let mut bytes = [0; 16];
        let head = (order >> 12 << 16) | 0x7000 | (order & 0xfff);
        bytes[..8].copy_from_slice(&head.to_be_bytes());
        bytes[8..].copy_from_slice(&random);
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Self::from_bytes(bytes)
    }

    /// Both halves as numbers, the one that orders first. Ids of this kind of server differ in the first already.
    pub fn halves(&self) -> [i64; 2] {
        let number = u128::from_be_bytes(*self.as_bytes());
        [(number >> 64) as u64 as i64, number as u64 as i64]
    }

    /// Its place in the order, as [`Id::in_order`] took it.
    pub fn order(&self) -> u64 {
        let head = (u128::from_be_bytes(*self.as_bytes()) >> 64) as u64;
        (head >> 16 << 12) | (head & 0xfff)
    }

    /// The id of these halves.
    pub const fn from_halves([head, tail]: [i64; 2]) -> Self {
        Self::from_bytes((((head as u64 as u128) << 64) | tail as u64 as u128).to_be_bytes())
    }

    /// The id with these bytes, as read from storage.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self { uuid: Uuid::from_bytes(bytes), kind: PhantomData }
    }

    /// The bytes, in the order in which ids sort.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.uuid.as_bytes()
    }

    /// The smallest id of that millisecond: `id < floor(t)` is everything made before `t`, by key range.
    pub fn floor(at: Timestamp) -> Self {
        Self::new(at, [0; 10])
    }

    /// The millisecond in which the id was made.
    pub fn made_at(&self) -> Timestamp {
        let ms = self.as_bytes()[..6].iter().fold(0, |ms, byte| ms << 8 | i64::from(*byte));
        Timestamp::from_millis(ms)
    }
}

// By hand, because a derive would ask the same of `K`, which is never a value.
impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.uuid == other.uuid
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.uuid.cmp(&other.uuid)
    }
}
impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.uuid.hash(state);
    }
}
impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
    }
}

impl<K> FromStr for Id<K> {
    type Err = Error;

    /// Takes the hyphenated form, in either case (RFC 9562 section 4), and no other: one id has one spelling in a URL.
    fn from_str(text: &str) -> Result<Self> {
        const HYPHENATED: usize = 36;
        match Uuid::try_parse(text) {
            Ok(uuid) if text.len() == HYPHENATED => Ok(Self { uuid, kind: PhantomData }),
            _ => Err(Error::Invalid { field: "id", why: "must be a hyphenated UUID" }),
        }
    }
}
