//! `activities`: what signed callers asked for, each once. Who asks first is decided by the unique fingerprint, on every node. Refuses to hold
//! a code or a token: what is kept of a body is masked, and where it had one neither its plain digest nor its signature is kept.

use doorcode_core::activity::{Kind, Status};
use doorcode_core::{ActivityId, Error, OrgId, Result, Timestamp, UserId};

use super::db::Tx;
use super::sql::{Row, Value, statements};

/// What `Activity::read` reads.
macro_rules! columns {
    () => {
        "id, org_id, print, kind, status, signer_org, user_id, public_key, scheme, plain, signature, body, result, failure"
    };
}

statements! {
    // Whoever comes while another is at it waits here for that one's end, on every node.
    CLAIM = concat!("INSERT INTO activities (", columns!(), ") \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, NULL, NULL) ON CONFLICT DO NOTHING");
    END = "UPDATE activities SET status = $2, result = $3, failure = $4 WHERE id = $1";
    RELEASE = "DELETE FROM activities WHERE id = $1";
    BY_PRINT = concat!("SELECT ", columns!(), " FROM activities WHERE print = $1");
    GET = concat!("SELECT ", columns!(), " FROM activities WHERE id = $1 AND org_id = $2");
    // Newest first.
    BEFORE = concat!("SELECT ", columns!(), " FROM activities WHERE org_id = $1 AND id < $2 AND id > $3 ORDER BY id DESC LIMIT $4");
    // The same from the other end.
    AFTER = concat!("SELECT ", columns!(), " FROM activities WHERE org_id = $1 AND id < $2 AND id > $3 ORDER BY id LIMIT $4");
    FORGET = "UPDATE activities SET print = NULL WHERE id IN \
        (SELECT id FROM activities WHERE print IS NOT NULL AND id < $1 ORDER BY id LIMIT $2)";
    SWEEP = "DELETE FROM activities WHERE id IN (SELECT id FROM activities WHERE id < $1 ORDER BY id LIMIT $2)";
}

/// A row of `activities`.
#[derive(Clone)]
pub struct Activity {
    /// Its id, which says when it was asked for.
    pub id: ActivityId,
    /// In which org.
    pub org: OrgId,
    /// By what the same body finds it; none once it is forgotten.
    pub print: Option<[u8; 32]>,
    /// What was asked for.
    pub kind: Kind,
    /// Where it stands.
    pub status: Status,
    /// The org of the user who signed.
    pub signer_org: OrgId,
    /// The user who signed.
    pub user: UserId,
    /// The key that signed, in hexadecimal.
    pub public_key: String,
    /// How, as a vote shows it.
    pub scheme: String,
    /// The plain fingerprint; none where the body had a code or a token.
    pub plain: Option<String>,
    /// The signature; none likewise.
    pub signature: Option<String>,
    /// The body, masked.
    pub body: String,
    /// What its result is made of again.
    pub result: Option<String>,
    /// Why it was not to be, as one word.
    pub failure: Option<String>,
}

impl Activity {
    fn read(row: &Row<'_>) -> Result<Self> {
        let unknown = || Error::internal("an activity has an unknown kind or status");
        Ok(Self {
            id: row.id(0)?,
            org: row.id(1)?,
            print: row.maybe_bytes(2)?,
            kind: Kind::of_name(&row.text(3)?).ok_or_else(unknown)?,
            status: Status::from_i64(row.int(4)?).ok_or_else(unknown)?,
            signer_org: row.id(5)?,
            user: row.id(6)?,
            public_key: row.text(7)?,
            scheme: row.text(8)?,
            plain: row.maybe_text(9)?,
            signature: row.maybe_text(10)?,
            body: row.text(11)?,
            result: row.maybe_text(12)?,
            failure: row.maybe_text(13)?,
        })
    }
}

/// Takes a body, for the unit that will do what it asks. False: it was taken before.
pub async fn claim(tx: &mut Tx<'_>, new: &Activity) -> Result<bool> {
    let values: [Value<'_>; 12] = [
        (&new.id).into(),
        (&new.org).into(),
        new.print.as_ref().into(),
        new.kind.name().into(),
        new.status.to_i64().into(),
        (&new.signer_org).into(),
        (&new.user).into(),
        (&new.public_key).into(),
        (&new.scheme).into(),
        new.plain.as_ref().into(),
        new.signature.as_ref().into(),
        (&new.body).into(),
    ];
    Ok(tx.execute(&CLAIM, &values).await? == 1)
}

/// Ends an activity that was taken in the same unit.
pub async fn end(
    tx: &mut Tx<'_>,
    id: &ActivityId,
    status: Status,
    result: Option<&str>,
    failure: Option<&str>,
) -> Result<()> {
    tx.execute(&END, &[id.into(), status.to_i64().into(), result.into(), failure.into()]).await.map(drop)
}

/// Lets go of a body whose refusal may be another one later.
pub async fn release(tx: &mut Tx<'_>, id: &ActivityId) -> Result<()> {
    tx.execute(&RELEASE, &[id.into()]).await.map(drop)
}

/// The activity that a body was.
pub async fn by_print(tx: &mut Tx<'_>, print: &[u8; 32]) -> Result<Option<Activity>> {
    tx.one(&BY_PRINT, &[print.into()], Activity::read).await
}

/// The activity of that id in an org.
pub async fn get(tx: &mut Tx<'_>, org: &OrgId, id: &ActivityId) -> Result<Option<Activity>> {
    tx.one(&GET, &[id.into(), org.into()], Activity::read).await
}

/// Activities of an org between two ids, at most `most`: the newest of them, newest first, or the oldest.
pub async fn list(
    tx: &mut Tx<'_>,
    org: &OrgId,
    (after, before): (&ActivityId, &ActivityId),
    newest: bool,
    most: i64,
) -> Result<Vec<Activity>> {
    let sql = if newest { &BEFORE } else { &AFTER };
    tx.all(sql, &[org.into(), before.into(), after.into(), most.into()], Activity::read).await
}

/// Forgets by what up to `most` are found that were asked for before a time: such a body is stale by then.
pub async fn forget(tx: &mut Tx<'_>, made_before: Timestamp, most: i64) -> Result<usize> {
    tx.execute(&FORGET, &[(&ActivityId::floor(made_before)).into(), most.into()]).await
}

/// Removes up to `most` that were asked for before a time.
pub async fn sweep(tx: &mut Tx<'_>, made_before: Timestamp, most: i64) -> Result<usize> {
    tx.execute(&SWEEP, &[(&ActivityId::floor(made_before)).into(), most.into()]).await
}
