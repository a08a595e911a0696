//! `master_keys`: which keys this database was served with, and how far each is on its way in or out. Refuses to hold
//! the keys: a check value says whether a file holds the right one.

use doorcode_core::{Error, Kid, Result, Timestamp};

use super::db::Tx;
use super::sql::{Row, Value, statements};

statements! {
    LIST = "SELECT kid, check_value, state, seen_at, retires_at FROM master_keys ORDER BY created_at, kid";
    INSERT = "INSERT INTO master_keys (kid, check_value, state, created_at, seen_at, retires_at) \
        VALUES ($1, $2, $3, $4, NULL, NULL)";
    SEEN = "UPDATE master_keys SET seen_at = $2 WHERE kid = $1";
    DEMOTE = "UPDATE master_keys SET state = 'accepted' WHERE state = 'active'";
    ACTIVATE = "UPDATE master_keys SET state = 'active' WHERE kid = $1 AND state IN ('accepted', 'added')";
    RETIRE = "UPDATE master_keys SET state = 'retiring', retires_at = $2 WHERE kid = $1 AND state IN ('accepted', 'added')";
    RETIRED = "UPDATE master_keys SET state = 'retired' WHERE state = 'retiring' AND retires_at <= $1";
}

/// How far a key is on its way in or out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Has derived nothing yet: a server can do without its file until it is activated.
    Added,
    /// Verifies what it derived; derives nothing new.
    Accepted,
    /// Derives what is new. One key at a time.
    Active,
    /// Verifies until its end; what it derived is given out anew under the active one.
    Retiring,
    /// Over: its file may go.
    Retired,
}

impl Stage {
    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Accepted => "accepted",
            Self::Active => "active",
            Self::Retiring => "retiring",
            Self::Retired => "retired",
        }
    }

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "added" => Ok(Self::Added),
            "accepted" => Ok(Self::Accepted),
            "active" => Ok(Self::Active),
            "retiring" => Ok(Self::Retiring),
            "retired" => Ok(Self::Retired),
            _ => Err(Error::internal("a master key has an unknown state")),
        }
    }
}

/// A row of `master_keys`.
#[derive(Clone)]
pub struct KeyRow {
    /// Its id.
    pub kid: Kid,
    /// What its file must come to.
    pub check_value: [u8; 16],
    /// How far it is.
    pub stage: Stage,
    /// When the server last said that it has the file.
    pub seen_at: Option<Timestamp>,
    /// The end of a retiring key.
    pub retires_at: Option<Timestamp>,
}

impl KeyRow {
    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            kid: row.text(0)?.parse()?,
            check_value: row.bytes(1)?,
            stage: Stage::from_str(&row.text(2)?)?,
            seen_at: row.maybe_time(3)?,
            retires_at: row.maybe_time(4)?,
        })
    }
}

/// Every key that this database knows.
pub async fn list(tx: &mut Tx<'_>) -> Result<Vec<KeyRow>> {
    tx.all(&LIST, &[], KeyRow::read).await
}

/// Writes a new key's row.
pub async fn insert(tx: &mut Tx<'_>, kid: Kid, check_value: &[u8; 16], stage: Stage, now: Timestamp) -> Result<()> {
    let values: [Value<'_>; 4] = [kid.as_str().into(), check_value.into(), stage.as_str().into(), now.into()];
    tx.execute(&INSERT, &values).await.map(drop)
}

/// Notes that the server has this key's file.
pub async fn seen(tx: &mut Tx<'_>, kid: Kid, now: Timestamp) -> Result<()> {
    tx.execute(&SEEN, &[kid.as_str().into(), now.into()]).await.map(drop)
}

/// Makes an added or accepted key the one that derives; the one before goes on being accepted.
pub async fn activate(tx: &mut Tx<'_>, kid: Kid) -> Result<bool> {
    tx.execute(&DEMOTE, &[]).await?;
    Ok(tx.execute(&ACTIVATE, &[kid.as_str().into()]).await? == 1)
}

/// Begins a key's retirement. False: it is not an added or accepted key (the active one can't retire).
pub async fn retire(tx: &mut Tx<'_>, kid: Kid, at: Timestamp) -> Result<bool> {
    Ok(tx.execute(&RETIRE, &[kid.as_str().into(), at.into()]).await? == 1)
}

/// Ends the keys whose time is over.
pub async fn end_retired(tx: &mut Tx<'_>, now: Timestamp) -> Result<usize> {
    tx.execute(&RETIRED, &[now.into()]).await
}
