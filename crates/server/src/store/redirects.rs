//! `redirects` and `redirect_codes`: where apps may have browsers sent back to, and what those bring. Single use is one
//! conditional statement. Refuses to hold a code: it is derived again.

use doorcode_core::{Kid, OrgId, RedirectId, Result, SessionId, Timestamp, UserId};

use super::db::Tx;
use super::sql::{Row, Value, statements};

statements! {
    INSERT = "INSERT INTO redirects (org_id, id, uri) VALUES ($1, $2, $3)";
    IS_LISTED = "SELECT id FROM redirects WHERE org_id = $1 AND uri = $2";
    LIST = "SELECT id, uri FROM redirects WHERE org_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    COUNT = "SELECT count(*) FROM redirects WHERE org_id = $1";
    DELETE = "DELETE FROM redirects WHERE org_id = $1 AND id = $2";
    INSERT_CODE = "INSERT INTO redirect_codes (id, client_id, uri, code_challenge, nonce, org_id, user_id, kid, seed, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    CODE = "SELECT id, client_id, uri, code_challenge, nonce, org_id, user_id, kid, seed, expires_at, used_at \
        FROM redirect_codes WHERE id = $1 FOR UPDATE";
    USE = "UPDATE redirect_codes SET used_at = $2 WHERE id = $1 AND used_at IS NULL AND expires_at > $2";
    VOID_ALL = "UPDATE redirect_codes SET used_at = $1 WHERE used_at IS NULL";
    SWEEP = "DELETE FROM redirect_codes WHERE id IN (SELECT id FROM redirect_codes WHERE id < $1 ORDER BY id LIMIT $2) \
        AND expires_at < $3";
}

/// An address that an org's apps may have browsers sent back to.
pub struct Redirect {
    /// Its id.
    pub id: RedirectId,
    /// It, to the byte.
    pub uri: String,
}

/// Writes a new one. `Conflict` if it is there already.
pub async fn insert(tx: &mut Tx<'_>, org: &OrgId, id: &RedirectId, uri: &str) -> Result<()> {
    tx.execute(&INSERT, &[org.into(), id.into(), uri.into()]).await.map(drop)
}

/// Whether it is on an org's list, to the byte.
pub async fn is_listed(tx: &mut Tx<'_>, org: &OrgId, uri: &str) -> Result<bool> {
    Ok(tx.one(&IS_LISTED, &[org.into(), uri.into()], |_| Ok(())).await?.is_some())
}

/// An org's list behind `after`, at most `most`.
pub async fn list(tx: &mut Tx<'_>, org: &OrgId, after: &RedirectId, most: i64) -> Result<Vec<Redirect>> {
    let read = |row: &Row<'_>| Ok(Redirect { id: row.id(0)?, uri: row.text(1)? });
    tx.all(&LIST, &[org.into(), after.into(), most.into()], read).await
}

/// How many are on an org's list.
pub async fn count(tx: &mut Tx<'_>, org: &OrgId) -> Result<i64> {
    Ok(tx.one(&COUNT, &[org.into()], |row| row.int(0)).await?.unwrap_or(0))
}

/// Takes one off. False: it is not on it.
pub async fn delete(tx: &mut Tx<'_>, org: &OrgId, id: &RedirectId) -> Result<bool> {
    Ok(tx.execute(&DELETE, &[org.into(), id.into()]).await? == 1)
}

/// What a browser brings back to an app.
pub struct Code {
    /// That of the challenge, and of the session that it will be.
    pub id: SessionId,
    /// The org whose app it is for.
    pub client: OrgId,
    /// Where it was brought.
    pub uri: String,
    /// What the app will show the origin of (RFC 7636).
    pub code_challenge: String,
    /// What the app wants to find in its token.
    pub nonce: Option<String>,
    /// The org of the user.
    pub org: OrgId,
    /// Who signed in.
    pub user: UserId,
    /// Under which master key it is derived.
    pub kid: Kid,
    /// 16 random bytes.
    pub seed: [u8; 16],
    /// Its end.
    pub expires_at: Timestamp,
    /// When it was used.
    pub used_at: Option<Timestamp>,
}

/// Writes a new code.
pub async fn insert_code(tx: &mut Tx<'_>, new: &Code) -> Result<()> {
    let values: [Value<'_>; 10] = [
        (&new.id).into(),
        (&new.client).into(),
        (&new.uri).into(),
        (&new.code_challenge).into(),
        new.nonce.as_ref().into(),
        (&new.org).into(),
        (&new.user).into(),
        new.kid.as_str().into(),
        (&new.seed).into(),
        new.expires_at.into(),
    ];
    tx.execute(&INSERT_CODE, &values).await.map(drop)
}

/// The code of that id.
pub async fn code(tx: &mut Tx<'_>, id: &SessionId) -> Result<Option<Code>> {
    tx.one(&CODE, &[id.into()], |row| {
        Ok(Code {
            id: row.id(0)?,
            client: row.id(1)?,
            uri: row.text(2)?,
            code_challenge: row.text(3)?,
            nonce: row.maybe_text(4)?,
            org: row.id(5)?,
            user: row.id(6)?,
            kid: row.text(7)?.parse()?,
            seed: row.bytes(8)?,
            expires_at: row.time(9)?,
            used_at: row.maybe_time(10)?,
        })
    })
    .await
}

/// Uses one up. True for exactly one caller.
pub async fn use_code(tx: &mut Tx<'_>, id: &SessionId, now: Timestamp) -> Result<bool> {
    Ok(tx.execute(&USE, &[id.into(), now.into()]).await? == 1)
}

/// After a restore: none is good any more.
pub async fn void_codes(tx: &mut Tx<'_>, now: Timestamp) -> Result<usize> {
    tx.execute(&VOID_ALL, &[now.into()]).await
}

/// Removes up to `most` codes that were made before a time and are over.
pub async fn sweep(tx: &mut Tx<'_>, made_before: Timestamp, most: i64, now: Timestamp) -> Result<usize> {
    tx.execute(&SWEEP, &[(&SessionId::floor(made_before)).into(), most.into(), now.into()]).await
}
