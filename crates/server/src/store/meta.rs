//! `meta`: what the database knows about itself.

use doorcode_core::{Result, Timestamp};

use super::db::Tx;
use super::sql::statements;

statements! {
    GET = "SELECT value FROM meta WHERE name = $1";
    PUT = "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    // Of several servers none takes the mark back that another has set. Written in any case: `/readyz` asks whether it can be.
    MARK = "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET \
        value = CASE WHEN meta.value < excluded.value THEN excluded.value ELSE meta.value END";
    // A time of 13 digits, a space, who has it until then.
    LEASE = "INSERT INTO meta (name, value) VALUES ($1, $2 || ' ' || $3) ON CONFLICT (name) DO UPDATE SET value = excluded.value \
        WHERE substr(meta.value, 1, 13) <= $4 OR substr(meta.value, 15) = $3";
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
    /// Which of several servers does the retention, and until when.
    Sweeper,
    /// What is here moves to PostgreSQL, or has moved: by which move, and where to.
    Moved,
    /// What moves here is not all here yet: by which move, and how far it is.
    Moving,
    /// When a copy was last recovered, in milliseconds: what was signed or earned before is of another history.
    Recovered,
}

impl Fact {
    fn name(self) -> &'static str {
        match self {
            Self::Clock => "clock",
            Self::Backup => "backup",
            Self::Served => "served",
            Self::Sweeper => "sweeper",
            Self::Moved => "moved",
            Self::Moving => "moving",
            Self::Recovered => "recovered",
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

/// Marks the time, unless it is marked later.
pub async fn mark(tx: &mut Tx<'_>, now: Timestamp) -> Result<()> {
    let now = thirteen(now);
    tx.execute(&MARK, &[Fact::Clock.name().into(), (&now).into()]).await.map(drop)
}

/// Takes something that one server does for all, or keeps it, until a time. False: another one has it.
pub async fn lease(tx: &mut Tx<'_>, fact: Fact, who: &str, now: Timestamp, until: Timestamp) -> Result<bool> {
    let (until, now) = (thirteen(until), thirteen(now));
    let values = [fact.name().into(), (&until).into(), who.into(), (&now).into()];
    Ok(tx.execute(&LEASE, &values).await? == 1)
}

/// A time as text that is ordered as times are.
fn thirteen(at: Timestamp) -> String {
    format!("{:013}", at.millis())
}

/// Takes a fact back.
pub async fn remove(tx: &mut Tx<'_>, fact: Fact) -> Result<()> {
    tx.execute(&REMOVE, &[fact.name().into()]).await.map(drop)
}

/// The latest time that the database was marked with.
pub async fn clock(tx: &mut Tx<'_>) -> Result<Option<Timestamp>> {
    Ok(get(tx, Fact::Clock).await?.and_then(|text| text.parse().ok()).map(Timestamp::from_millis))
}
