//! `meta`: what the database knows about itself.

use doorcode_core::{Result, Timestamp};

use super::db::Tx;
use super::sql::statements;

statements! {
    GET = "SELECT value FROM meta WHERE name = $1";
    PUT = "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    REMOVE = "DELETE FROM meta WHERE name = $1";
}

/// A fact about the database.
#[derive(Clone, Copy)]
pub enum Fact {
    /// The latest time that it was written at: time never runs below it.
    Clock,
    /// It is a copy that nobody has served yet.
    Backup,
    /// It has served outside `--dev`, so `--dev` refuses it.
    Served,
}

impl Fact {
    fn name(self) -> &'static str {
        match self {
            Self::Clock => "clock",
            Self::Backup => "backup",
            Self::Served => "served",
        }
    }
}

/// What a fact says, if it is known.
pub async fn get(tx: &mut Tx<'_>, fact: Fact) -> Result<Option<String>> {
    tx.one(&GET, &[fact.name().into()], |row| row.text(0)).await
}

/// States a fact.
pub async fn put(tx: &mut Tx<'_>, fact: Fact, value: &str) -> Result<()> {
    tx.execute(&PUT, &[fact.name().into(), value.into()]).await.map(drop)
}

/// Takes a fact back.
pub async fn remove(tx: &mut Tx<'_>, fact: Fact) -> Result<()> {
    tx.execute(&REMOVE, &[fact.name().into()]).await.map(drop)
}

/// The latest time that the database was marked with.
pub async fn clock(tx: &mut Tx<'_>) -> Result<Option<Timestamp>> {
    Ok(get(tx, Fact::Clock).await?.and_then(|text| text.parse().ok()).map(Timestamp::from_millis))
}
