//! `sessions`: signed-in browsers and apps. A refresh is one conditional statement: of two that bring the same token, one has it.
//! Refuses to hold what is presented: that is derived again.

use doorcode_core::{Kid, OrgId, Result, SessionId, Timestamp, UserId};

use super::db::Tx;
use super::sql::{Row, Value, statements};

/// What `Session::read` reads.
macro_rules! columns {
    () => {
        "sessions.id, sessions.org_id, sessions.user_id, sessions.client_id, sessions.kid, sessions.seed, \
        sessions.generation, sessions.seen_at, sessions.idle_until, sessions.until, sessions.revoked_at, sessions.agent"
    };
}

statements! {
    INSERT = "INSERT INTO sessions (id, org_id, user_id, client_id, kid, seed, generation, seen_at, idle_until, until, agent) \
        VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, $9, $10)";
    // For a unit that will judge it by what it says: nobody else rotates or ends it meanwhile.
    GET = concat!("SELECT ", columns!(), " FROM sessions WHERE id = $1 FOR UPDATE");
    // With whose it is, in one look.
    WITH_USER = concat!("SELECT ", columns!(), ", users.full_name, users.email FROM sessions \
        JOIN users ON users.org_id = sessions.org_id AND users.id = sessions.user_id WHERE sessions.id = $1");
    // $4 now.
    ROTATE = "UPDATE sessions SET generation = generation + 1, seen_at = $4, idle_until = $3 \
        WHERE id = $1 AND generation = $2 AND revoked_at IS NULL AND idle_until > $4 AND until > $4";
    SEEN = "UPDATE sessions SET seen_at = $2, idle_until = $3 WHERE id = $1 AND revoked_at IS NULL AND idle_until > $2";
    REVOKE = "UPDATE sessions SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
    REVOKE_OF_USER = "UPDATE sessions SET revoked_at = $2 WHERE user_id = $1 AND revoked_at IS NULL";
    REVOKE_OF_CLIENT = "UPDATE sessions SET revoked_at = $3 WHERE user_id = $1 AND client_id = $2 AND revoked_at IS NULL";
    REVOKE_ALL = "UPDATE sessions SET revoked_at = $1 WHERE revoked_at IS NULL";
    OF_USER = concat!("SELECT ", columns!(), " FROM sessions WHERE user_id = $1 AND revoked_at IS NULL \
        AND idle_until > $2 AND until > $2 AND ($4::bytea IS NULL OR client_id = $4) ORDER BY id DESC LIMIT $3");
    SWEEP = "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE id < $1 ORDER BY id LIMIT $2) \
        AND (until < $3 OR idle_until < $3 OR revoked_at < $3)";
}

/// A row of `sessions`.
#[derive(Clone)]
pub struct Session {
    /// Its id: that of the challenge that it was earned with.
    pub id: SessionId,
    /// The org of the user.
    pub org: OrgId,
    /// Whose.
    pub user: UserId,
    /// The org whose app it is; none: a browser's own.
    pub client: Option<OrgId>,
    /// Under which master key what it presents is derived.
    pub kid: Kid,
    /// 16 random bytes.
    pub seed: [u8; 16],
    /// Refreshes so far.
    pub generation: u32,
    /// When it was here last, to the nearest minutes.
    pub seen_at: Timestamp,
    /// Its end if it is not seen again.
    pub idle_until: Timestamp,
    /// Its end in any case.
    pub until: Timestamp,
    /// When it was ended.
    pub revoked_at: Option<Timestamp>,
    /// What the browser said it is.
    pub agent: String,
}

/// Whose a session is.
pub struct Owner {
    /// Their name.
    pub full_name: String,
    /// Their address.
    pub email: Option<String>,
}

impl Session {
    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            id: row.id(0)?,
            org: row.id(1)?,
            user: row.id(2)?,
            client: row.maybe_id(3)?,
            kid: row.text(4)?.parse()?,
            seed: row.bytes(5)?,
            generation: u32::try_from(row.int(6)?).unwrap_or(u32::MAX),
            seen_at: row.time(7)?,
            idle_until: row.time(8)?,
            until: row.time(9)?,
            revoked_at: row.maybe_time(10)?,
            agent: row.text(11)?,
        })
    }

    /// Whether it is good at that time.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.idle_until && now < self.until
    }
}

/// Writes a new session.
pub async fn insert(tx: &mut Tx<'_>, new: &Session) -> Result<()> {
    let values: [Value<'_>; 10] = [
        (&new.id).into(),
        (&new.org).into(),
        (&new.user).into(),
        new.client.as_ref().into(),
        new.kid.as_str().into(),
        (&new.seed).into(),
        new.seen_at.into(),
        new.idle_until.into(),
        new.until.into(),
        (&new.agent).into(),
    ];
    tx.execute(&INSERT, &values).await.map(drop)
}

/// The session of that id, dead ones too.
pub async fn get(tx: &mut Tx<'_>, id: &SessionId) -> Result<Option<Session>> {
    tx.one(&GET, &[id.into()], Session::read).await
}

/// The session of that id, with whose it is.
pub async fn with_owner(tx: &mut Tx<'_>, id: &SessionId) -> Result<Option<(Session, Owner)>> {
    tx.one(&WITH_USER, &[id.into()], |row| {
        let owner = Owner { full_name: row.text(12)?, email: row.maybe_text(13)? };
        Ok((Session::read(row)?, owner))
    })
    .await
}

/// Takes a live session from one generation to the next. True for exactly one caller.
pub async fn rotate(
    tx: &mut Tx<'_>,
    id: &SessionId,
    generation: u32,
    idle_until: Timestamp,
    now: Timestamp,
) -> Result<bool> {
    let values = [id.into(), i64::from(generation).into(), idle_until.into(), now.into()];
    Ok(tx.execute(&ROTATE, &values).await? == 1)
}

/// Notes that a live session was here.
pub async fn seen(tx: &mut Tx<'_>, id: &SessionId, now: Timestamp, idle_until: Timestamp) -> Result<()> {
    tx.execute(&SEEN, &[id.into(), now.into(), idle_until.into()]).await.map(drop)
}

/// Ends one for good. False: there is none such, or it was ended before.
pub async fn revoke(tx: &mut Tx<'_>, id: &SessionId, now: Timestamp) -> Result<bool> {
    Ok(tx.execute(&REVOKE, &[id.into(), now.into()]).await? == 1)
}

/// Ends all of a user. Gives how many.
pub async fn revoke_of_user(tx: &mut Tx<'_>, user: &UserId, now: Timestamp) -> Result<usize> {
    tx.execute(&REVOKE_OF_USER, &[user.into(), now.into()]).await
}

/// After a restore: ends all of them.
pub async fn revoke_all(tx: &mut Tx<'_>, now: Timestamp) -> Result<usize> {
    tx.execute(&REVOKE_ALL, &[now.into()]).await
}

/// Ends those of a user by way of one org's apps. Gives how many.
pub async fn revoke_of_client(tx: &mut Tx<'_>, user: &UserId, client: &OrgId, now: Timestamp) -> Result<usize> {
    tx.execute(&REVOKE_OF_CLIENT, &[user.into(), client.into(), now.into()]).await
}

/// The newest live sessions of a user, at most `most`: all, or those by way of one org's apps.
pub async fn of_user(
    tx: &mut Tx<'_>,
    user: &UserId,
    client: Option<&OrgId>,
    now: Timestamp,
    most: i64,
) -> Result<Vec<Session>> {
    tx.all(&OF_USER, &[user.into(), now.into(), most.into(), client.into()], Session::read).await
}

/// Removes up to `most` that were made before a time and are over.
pub async fn sweep(tx: &mut Tx<'_>, made_before: Timestamp, most: i64, now: Timestamp) -> Result<usize> {
    tx.execute(&SWEEP, &[(&SessionId::floor(made_before)).into(), most.into(), now.into()]).await
}
