//! What a person's messages are known by, so that each serves one request, by whatever way it comes a second time. Refuses to keep a digest that
//! says anything to whoever has the file.

use doorcode_core::{Result, Timestamp, UserId};

use super::receive::KNOWN;
use crate::keyring::{Keyring, Roots};
use crate::store::{Tx, relay_messages};

/// What stands in the table for one of a person's messages, under each master key that is in force. The same for whatever way it came by, so that
/// a mail that a collector has handed in is known when it is forwarded here as well. Keyed: a digest of a text that all but the code is known of
/// says the code to whoever has the file.
#[derive(Clone)]
pub struct Name {
    active: [u8; 16],
    older: Vec<[u8; 16]>,
}

impl Name {
    pub(super) fn new(ring: &Keyring, owner: &UserId, known_by: &[u8]) -> Self {
        let name = |roots: &Roots| roots.message.short_mac(&[owner.as_bytes(), known_by]);
        let active = ring.active();
        let older = ring.iter().filter(|roots| roots.kid != active.kid);
        Self { active: name(active), older: older.map(name).collect() }
    }

    /// Whether it was taken before.
    async fn is_known(&self, tx: &mut Tx<'_>) -> Result<bool> {
        Ok(relay_messages::is_known(tx, &self.active).await? || self.was_known(tx).await?)
    }

    /// Whether it was taken under another key than the active one.
    async fn was_known(&self, tx: &mut Tx<'_>) -> Result<bool> {
        for name in &self.older {
            if relay_messages::is_known(tx, name).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes it. False: it was taken before.
    pub(super) async fn take(&self, tx: &mut Tx<'_>, now: Timestamp) -> Result<bool> {
        Ok(!self.was_known(tx).await? && relay_messages::take(tx, &self.active, now.plus(KNOWN)).await?)
    }
}

/// What a person's message is known by, of its digests.
pub fn names(ring: &Keyring, owner: &UserId, digests: &[[u8; 16]]) -> Vec<Name> {
    digests.iter().map(|digest| Name::new(ring, owner, digest)).collect()
}

/// Whether something that a message is known by was taken before.
pub async fn any_known(tx: &mut Tx<'_>, names: &[Name]) -> Result<bool> {
    for name in names {
        if name.is_known(tx).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Takes what a message is known by, up to what was taken before; false: something was. Each person's messages are known by themselves: one
/// that goes to two of them is new to both.
pub async fn all_new(tx: &mut Tx<'_>, names: &[Name], now: Timestamp) -> Result<bool> {
    for name in names {
        if !name.take(tx, now).await? {
            return Ok(false);
        }
    }
    Ok(true)
}
