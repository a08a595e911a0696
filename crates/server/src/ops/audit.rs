//! A person's record: everything that was asked of them and done in their name, each entry chained to the one before by a MAC under a
//! key that the database does not have. Who changes an entry, or takes one away that is not the newest, is noticed; whoever has
//! exported a head notices more: that nothing before it is gone. Refuses secrets and the texts of messages.

use doorcode_core::{AgentId, Error, OrgId, RelayId, Result, Root, Timestamp, UserId};
use serde_json::Value;

use crate::app::App;
use crate::keyring::Keyring;
use crate::store::Tx;
use crate::store::audit::{self as rows, Count, Entry, Owner, Search};

/// Entries that are looked at in one piece.
const PIECE: i64 = 500;

/// Sorts of entries that are counted apart.
const SORTS_MOST: i64 = 2000;

/// Whose record.
#[derive(Clone, Copy)]
pub struct Whose {
    /// Their org.
    pub org: OrgId,
    /// The person.
    pub owner: UserId,
}

/// What happened.
pub struct Happened {
    /// What, as the AgentOTP door calls it: `otp_request`, `otp_approve`, …
    pub kind: &'static str,
    /// Who did it: `agent`, `user`, `device`, `server`.
    pub actor: &'static str,
    /// Which agent it was about.
    pub agent: Option<AgentId>,
    /// Which request.
    pub relay: Option<RelayId>,
    /// What else is to be known: no secret, no text of a message.
    pub details: Value,
}

/// Notes what happened, in the unit in which it did.
pub async fn note(tx: &mut Tx<'_>, app: &App, whose: Whose, what: Happened, now: Timestamp) -> Result<()> {
    let ring = app.keys.ring();
    let roots = ring.active();
    let head = rows::hold(tx, &whose.org, &whose.owner).await?;
    let mut entry = Entry {
        number: head.head + 1,
        org: whose.org,
        at: now,
        kind: what.kind.to_owned(),
        actor: what.actor.to_owned(),
        agent: what.agent,
        relay: what.relay,
        details: what.details.to_string(),
        kid: roots.kid,
        chain: [0; 32],
    };
    entry.chain = chain(&roots.audit, &whose.owner, &entry, &head.chain.unwrap_or_default());
    rows::append(tx, &whose.owner, &entry).await
}

/// The MAC over an entry and the chain before it.
fn chain(root: &Root, owner: &UserId, entry: &Entry, before: &[u8; 32]) -> [u8; 32] {
    let (number, at) = (entry.number.to_be_bytes(), entry.at.millis().to_be_bytes());
    let agent = entry.agent.map(|id| *id.as_bytes());
    let relay = entry.relay.map(|id| *id.as_bytes());
    root.mac(&[
        before,
        owner.as_bytes(),
        &number,
        entry.org.as_bytes(),
        &at,
        entry.kind.as_bytes(),
        entry.actor.as_bytes(),
        agent.as_ref().map_or(&[][..], |id| &id[..]),
        relay.as_ref().map_or(&[][..], |id| &id[..]),
        entry.details.as_bytes(),
        entry.kid.as_str().as_bytes(),
    ])
}

/// A person's record before a number, newest first.
pub async fn list(app: &App, owner: UserId, before: Option<i64>, most: i64) -> Result<Vec<Entry>> {
    let before = before.unwrap_or(i64::MAX);
    app.db.read(move |tx| Box::pin(async move { rows::before(tx, &owner, before, most).await })).await
}

/// What is wrong with a record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Flaw {
    /// An entry is not there.
    Missing {
        /// Its number.
        number: i64,
    },
    /// An entry does not say what it said.
    Changed {
        /// Its number.
        number: i64,
    },
    /// The chain was made under a master key that is gone.
    Unknown {
        /// The first such entry's number.
        number: i64,
    },
    /// Entries at the end are gone.
    Cut {
        /// The number that the newest one had.
        newest: i64,
    },
}

/// A record that was looked at.
pub struct Verified {
    /// Whose.
    pub owner: UserId,
    /// Entries that are as they were written.
    pub entries: i64,
    /// The newest one's chain, to be kept elsewhere.
    pub head: Option<[u8; 32]>,
    /// What is wrong, if something is.
    pub flaw: Option<Flaw>,
}

/// Looks at every entry of every person's record, and tells each when it is done.
pub async fn verify(app: &App, mut told: impl FnMut(Verified) + Send) -> Result<()> {
    let mut from = UserId::from_bytes([0; 16]);
    loop {
        let owners = app.db.read(move |tx| Box::pin(async move { rows::owners(tx, &from, PIECE).await })).await?;
        let Some((last, ..)) = owners.last() else { return Ok(()) };
        from = *last;
        for (owner, newest, head) in owners {
            told(of_owner(app, owner, newest, head).await?);
        }
    }
}

async fn of_owner(app: &App, owner: UserId, newest: i64, head: Option<[u8; 32]>) -> Result<Verified> {
    let ring = app.keys.ring();
    let (mut number, mut before) = (0, [0; 32]);
    let done = |entries, flaw| Ok(Verified { owner, entries, head, flaw });
    loop {
        let Some(piece) = piece(app, owner, number).await? else {
            return done(number, Some(Flaw::Changed { number: number + 1 }));
        };
        for entry in &piece {
            // Whatever was written after the head was read is for the next time.
            if entry.number > newest {
                break;
            }
            if let Some(flaw) = flaw_of(&ring, &owner, entry, number + 1, &before) {
                return done(number, Some(flaw));
            }
            (number, before) = (entry.number, entry.chain);
        }
        if piece.is_empty() || number >= newest {
            break;
        }
    }
    let cut = number < newest || (newest > 0 && head != Some(before));
    done(number, cut.then_some(Flaw::Cut { newest }))
}

/// The next entries of a record. None: the very next one can't even be read.
async fn piece(app: &App, owner: UserId, number: i64) -> Result<Option<Vec<Entry>>> {
    let read =
        async |most| app.db.read(move |tx| Box::pin(async move { rows::after(tx, &owner, number, most).await })).await;
    match read(PIECE).await {
        Ok(piece) => return Ok(Some(piece)),
        Err(error @ Error::Unavailable(_)) => return Err(error),
        Err(_) => {}
    }
    // One of them is no entry: as far as it goes, one by one.
    match read(1).await {
        Ok(one) => Ok(Some(one)),
        Err(error @ Error::Unavailable(_)) => Err(error),
        Err(_) => Ok(None),
    }
}

fn flaw_of(ring: &Keyring, owner: &UserId, entry: &Entry, number: i64, before: &[u8; 32]) -> Option<Flaw> {
    if entry.number != number {
        return Some(Flaw::Missing { number });
    }
    let Some(roots) = ring.get(entry.kid) else { return Some(Flaw::Unknown { number }) };
    (chain(&roots.audit, owner, entry, before) != entry.chain).then_some(Flaw::Changed { number })
}

/// An entry of a person's record.
pub async fn show(app: &App, owner: UserId, number: i64) -> Result<Entry> {
    let found = list(app, owner, Some(number + 1), 1).await?.into_iter().next();
    found.filter(|entry| entry.number == number).ok_or(Error::NotFound)
}

/// What is found in a person's record, newest first.
pub async fn search(app: &App, owner: UserId, wanted: Search) -> Result<Vec<Entry>> {
    app.db.read(move |tx| Box::pin(async move { rows::search(tx, &owner, &wanted).await })).await
}

/// How often what happened in a span of time.
pub async fn counts(app: &App, owner: UserId, span: (Timestamp, Timestamp)) -> Result<Vec<Count>> {
    app.db.read(move |tx| Box::pin(async move { rows::counts(tx, &owner, span, SORTS_MOST).await })).await
}

/// The newest entry's number and chain, to be kept elsewhere.
pub async fn head(app: &App, owner: UserId) -> Result<Owner> {
    app.db.read(move |tx| Box::pin(async move { rows::owner(tx, &owner).await })).await
}

/// Looks at every entry of one person's record.
pub async fn verify_one(app: &App, owner: UserId) -> Result<Verified> {
    let head = head(app, owner).await?;
    of_owner(app, owner, head.head, head.chain).await
}
