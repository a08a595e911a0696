//! `mailboxes`: those that this server watches for their owners, and which server does. What a server says of a mailbox counts only while
//! it is the one that watches it, and only of the credentials that it was given. Refuses to keep a secret in the clear, and to have one
//! mailbox watched by two.

use doorcode_core::{Kid, MailboxId, OrgId, Result, Timestamp, UserId};

use super::db::Tx;
use super::sql::{Row, Value, statements};

/// What `Mailbox::read` reads.
macro_rules! columns {
    () => {
        "id, org_id, owner_id, name, host, port, security, login, addresses, folder, kind, kid, credentials, version, state, trouble, \
        changed_at, reached"
    };
}

/// The mailbox $1, if the server $2 watches it with the credentials of version $3.
macro_rules! held {
    () => {
        "id = $1 AND node = $2 AND version = $3"
    };
}

/// Those that somebody is to watch, and nobody does at $1.
macro_rules! due {
    () => {
        "state <> 'credentials_refused' AND lease_until <= $1"
    };
}

/// How many are watched at $1 of the org of one that is due.
macro_rules! watched_of_due {
    () => {
        "(SELECT count(*) FROM mailboxes AS of_it WHERE of_it.org_id = due.org_id AND of_it.lease_until > $1)"
    };
}

statements! {
    INSERT = "INSERT INTO mailboxes (id, org_id, owner_id, name, host, port, security, login, addresses, folder, kind, kid, credentials, \
        version, state, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, 'connecting', $14)";
    GET = concat!("SELECT ", columns!(), " FROM mailboxes WHERE id = $1 AND owner_id = $2");
    OF_OWNER = concat!("SELECT ", columns!(), " FROM mailboxes WHERE owner_id = $1 ORDER BY id LIMIT $2");
    COUNT = "SELECT count(*) FROM mailboxes";
    COUNT_OF_ORG = "SELECT count(*) FROM mailboxes WHERE org_id = $1";
    // Whoever watches it does so no more, and the next one begins with what is new.
    REPLACE = "UPDATE mailboxes SET kind = $3, kid = $4, credentials = $5, version = version + 1, state = 'connecting', trouble = NULL, \
        refusals = 0, changed_at = $6, node = NULL, lease_until = 0 WHERE id = $1 AND owner_id = $2";
    DELETE = "DELETE FROM mailboxes WHERE id = $1 AND owner_id = $2";
    DELETE_OF_OWNER = "DELETE FROM mailboxes WHERE owner_id = $1 RETURNING id";
    DUE = concat!("SELECT id FROM mailboxes WHERE ", due!(), " LIMIT 1");
    // Those first of whose org the fewest are watched, with those that it takes before in the same turn: where there is not room for all,
    // each org has some of it.
    CLAIM = concat!("UPDATE mailboxes SET node = $2, lease_until = $3 WHERE id IN (SELECT mailboxes.id FROM mailboxes JOIN \
        (SELECT due.id, row_number() OVER (PARTITION BY due.org_id ORDER BY due.lease_until, due.id) + ", watched_of_due!(), " AS turn \
        FROM mailboxes AS due WHERE ", due!(), ") AS ranked ON ranked.id = mailboxes.id WHERE ", due!(),
        " ORDER BY ranked.turn, lease_until LIMIT $4 FOR UPDATE OF mailboxes SKIP LOCKED) AND ", due!(), " RETURNING ", columns!());
    // One of the server $2, of the org of which the most are watched, if that is two more than are of an org that waits: then the two are
    // nearer to one another, and nothing comes back the next time. One that nothing comes of anyway first, then the newest.
    SPARE = concat!("SELECT id, version FROM (SELECT id, version, node, state, count(*) OVER (PARTITION BY org_id) AS of_org FROM mailboxes \
        WHERE lease_until > $1) AS watched WHERE node = $2 AND of_org >= 2 + (SELECT min(of_org) FROM (SELECT ", watched_of_due!(),
        " AS of_org FROM mailboxes AS due WHERE ", due!(), ") AS waiting) \
        ORDER BY of_org DESC, CASE WHEN state = 'watching' THEN 1 ELSE 0 END, id DESC LIMIT 1");
    RENEW = "UPDATE mailboxes SET lease_until = $2 WHERE node = $1 RETURNING id, version";
    RELEASE = "UPDATE mailboxes SET node = NULL, lease_until = 0 WHERE node = $1";
    RELEASE_ONE = concat!("UPDATE mailboxes SET node = NULL, lease_until = 0 WHERE ", held!());
    FREE = "UPDATE mailboxes SET node = NULL, lease_until = 0 WHERE lease_until > 0";
    HELD = concat!("SELECT id FROM mailboxes WHERE ", held!());
    GOES = concat!("UPDATE mailboxes SET state = $4, trouble = $5, changed_at = $6, refusals = CASE WHEN $4 = 'watching' THEN 0 \
        ELSE refusals END WHERE ", held!());
    // With the last refusal nobody watches it any more.
    REFUSED = concat!("UPDATE mailboxes SET refusals = refusals + 1, trouble = $4, changed_at = $5, \
        state = CASE WHEN refusals + 1 >= $6 THEN 'credentials_refused' ELSE 'away' END WHERE ", held!(), " RETURNING state");
    KEEP = concat!("UPDATE mailboxes SET reached = $4 WHERE ", held!());
    RENEWED = concat!("UPDATE mailboxes SET kid = $4, credentials = $5 WHERE ", held!());
    SEALED_UNDER = concat!("SELECT ", columns!(), " FROM mailboxes WHERE kid = $1 ORDER BY id LIMIT $2");
    // Unless somebody gave others meanwhile.
    RESEAL = "UPDATE mailboxes SET kid = $3, credentials = $4 WHERE id = $1 AND credentials = $2";
    UNDER = "SELECT count(*) FROM mailboxes WHERE kid = $1";
}

/// What is locked for as long as places are counted: no address's.
const PLACES: [u8; 16] = *b"mailboxes places";

/// A row of `mailboxes`, without who watches it.
#[derive(Clone)]
pub struct Mailbox {
    /// Its id.
    pub id: MailboxId,
    /// In which org.
    pub org: OrgId,
    /// Whose.
    pub owner: UserId,
    /// What its owner calls it.
    pub name: String,
    /// Its server, in canonical form.
    pub host: String,
    /// And port.
    pub port: u16,
    /// `tls`, `starttls` or `none`.
    pub security: String,
    /// Who signs in.
    pub login: String,
    /// Its addresses, one a line.
    pub addresses: String,
    /// Which folder is watched.
    pub folder: String,
    /// `password`, `access_token` or `refresh_token`.
    pub kind: String,
    /// Under which master key the credentials are sealed.
    pub kid: Kid,
    /// The credentials, sealed.
    pub credentials: String,
    /// How often they were replaced.
    pub version: i64,
    /// `connecting`, `watching`, `away` or `credentials_refused`.
    pub state: String,
    /// Why it is not watched, in words of ours.
    pub trouble: Option<String>,
    /// Since when that is so.
    pub changed_at: Timestamp,
    /// Up to where it was looked at, as whoever watches it writes that.
    pub reached: Option<String>,
}

impl Mailbox {
    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            id: row.id(0)?,
            org: row.id(1)?,
            owner: row.id(2)?,
            name: row.text(3)?,
            host: row.text(4)?,
            port: u16::try_from(row.int(5)?).unwrap_or_default(),
            security: row.text(6)?,
            login: row.text(7)?,
            addresses: row.text(8)?,
            folder: row.text(9)?,
            kind: row.text(10)?,
            kid: row.text(11)?.parse()?,
            credentials: row.text(12)?,
            version: row.int(13)?,
            state: row.text(14)?,
            trouble: row.maybe_text(15)?,
            changed_at: row.time(16)?,
            reached: row.maybe_text(17)?,
        })
    }
}

/// A mailbox that a server watches, with the credentials of a version.
#[derive(Clone)]
pub struct Held {
    /// Which.
    pub id: MailboxId,
    /// Which server.
    pub node: String,
    /// Which credentials.
    pub version: i64,
}

impl Held {
    fn values(&self) -> [Value<'_>; 3] {
        [(&self.id).into(), (&self.node).into(), self.version.into()]
    }
}

/// Writes a new one.
pub async fn insert(tx: &mut Tx<'_>, new: &Mailbox) -> Result<()> {
    let values: [Value<'_>; 14] = [
        (&new.id).into(),
        (&new.org).into(),
        (&new.owner).into(),
        (&new.name).into(),
        (&new.host).into(),
        i64::from(new.port).into(),
        (&new.security).into(),
        (&new.login).into(),
        (&new.addresses).into(),
        (&new.folder).into(),
        (&new.kind).into(),
        new.kid.as_str().into(),
        (&new.credentials).into(),
        new.changed_at.into(),
    ];
    tx.execute(&INSERT, &values).await.map(drop)
}

/// One of a person's.
pub async fn get(tx: &mut Tx<'_>, id: &MailboxId, owner: &UserId) -> Result<Option<Mailbox>> {
    tx.one(&GET, &[id.into(), owner.into()], Mailbox::read).await
}

/// A person's, at most `most`.
pub async fn of_owner(tx: &mut Tx<'_>, owner: &UserId, most: i64) -> Result<Vec<Mailbox>> {
    tx.all(&OF_OWNER, &[owner.into(), most.into()], Mailbox::read).await
}

/// Before a unit counts what there is and adds to it: whoever else does waits until it has ended. First of all that it does, so that no two
/// wait for one another.
pub async fn hold_places(tx: &mut Tx<'_>) -> Result<()> {
    match tx {
        Tx::Pg(statements) => statements.lock(&[PLACES]).await,
        Tx::Lite(_) => Ok(()),
    }
}

/// How many there are of everybody.
pub async fn count(tx: &mut Tx<'_>) -> Result<i64> {
    Ok(tx.one(&COUNT, &[], |row| row.int(0)).await?.unwrap_or(0))
}

/// How many there are of an org.
pub async fn count_of_org(tx: &mut Tx<'_>, org: &OrgId) -> Result<i64> {
    Ok(tx.one(&COUNT_OF_ORG, &[org.into()], |row| row.int(0)).await?.unwrap_or(0))
}

/// Other credentials: their kind, and the sealed text with its key. False: they have none such.
pub async fn replace(
    tx: &mut Tx<'_>,
    id: &MailboxId,
    owner: &UserId,
    kind: &str,
    (kid, sealed): (Kid, &str),
    now: Timestamp,
) -> Result<bool> {
    let values = [id.into(), owner.into(), kind.into(), kid.as_str().into(), sealed.into(), now.into()];
    Ok(tx.execute(&REPLACE, &values).await? == 1)
}

/// Removes one. False: they have none such.
pub async fn delete(tx: &mut Tx<'_>, id: &MailboxId, owner: &UserId) -> Result<bool> {
    Ok(tx.execute(&DELETE, &[id.into(), owner.into()]).await? == 1)
}

/// Removes all of a person's, and gives them.
pub async fn delete_of_owner(tx: &mut Tx<'_>, owner: &UserId) -> Result<Vec<MailboxId>> {
    tx.all(&DELETE_OF_OWNER, &[owner.into()], |row| row.id(0)).await
}

/// Whether one is to be watched that nobody watches.
pub async fn is_due(tx: &mut Tx<'_>, now: Timestamp) -> Result<bool> {
    Ok(tx.one(&DUE, &[now.into()], |_| Ok(())).await?.is_some())
}

/// Takes up to `most` that nobody watches for a server, until a time. No mailbox goes to two.
pub async fn claim(tx: &mut Tx<'_>, node: &str, now: Timestamp, until: Timestamp, most: i64) -> Result<Vec<Mailbox>> {
    tx.all(&CLAIM, &[now.into(), node.into(), until.into(), most.into()], Mailbox::read).await
}

/// What a server should let go where it has no room left and another org waits for some: its id, and the version of its credentials. None: each
/// has as much as it can have, or none waits.
pub async fn spare(tx: &mut Tx<'_>, node: &str, now: Timestamp) -> Result<Option<(MailboxId, i64)>> {
    tx.one(&SPARE, &[now.into(), node.into()], |row| Ok((row.id(0)?, row.int(1)?))).await
}

/// A server goes on watching what it has, until a time. Gives what that is.
pub async fn renew(tx: &mut Tx<'_>, node: &str, until: Timestamp) -> Result<Vec<(MailboxId, i64)>> {
    tx.all(&RENEW, &[node.into(), until.into()], |row| Ok((row.id(0)?, row.int(1)?))).await
}

/// A server watches no more.
pub async fn release(tx: &mut Tx<'_>, node: &str) -> Result<usize> {
    tx.execute(&RELEASE, &[node.into()]).await
}

/// A server leaves one to whoever is next.
pub async fn release_one(tx: &mut Tx<'_>, held: &Held) -> Result<bool> {
    Ok(tx.execute(&RELEASE_ONE, &held.values()).await? == 1)
}

/// At the start of the only server there is: nobody watches any.
pub async fn free(tx: &mut Tx<'_>) -> Result<usize> {
    tx.execute(&FREE, &[]).await
}

/// Whether that server still watches it with those credentials.
pub async fn is_held(tx: &mut Tx<'_>, held: &Held) -> Result<bool> {
    Ok(tx.one(&HELD, &held.values(), |_| Ok(())).await?.is_some())
}

/// How it goes: `watching`, or `away` and why. False: it is not that server's any more.
pub async fn goes(tx: &mut Tx<'_>, held: &Held, state: &str, trouble: Option<&str>, now: Timestamp) -> Result<bool> {
    let [id, node, version] = held.values();
    let values = [id, node, version, state.into(), trouble.into(), now.into()];
    Ok(tx.execute(&GOES, &values).await? == 1)
}

/// Its server would not let us in. Gives the state that follows from the number of such refusals; none: it is not that server's any more.
pub async fn refused(tx: &mut Tx<'_>, held: &Held, trouble: &str, most: i64, now: Timestamp) -> Result<Option<String>> {
    let [id, node, version] = held.values();
    tx.one(&REFUSED, &[id, node, version, trouble.into(), now.into(), most.into()], |row| row.text(0)).await
}

/// Up to where it was looked at.
pub async fn keep(tx: &mut Tx<'_>, held: &Held, reached: &str) -> Result<bool> {
    let [id, node, version] = held.values();
    Ok(tx.execute(&KEEP, &[id, node, version, reached.into()]).await? == 1)
}

/// The same credentials, as its provider has renewed them.
pub async fn renewed(tx: &mut Tx<'_>, held: &Held, kid: Kid, sealed: &str) -> Result<bool> {
    let [id, node, version] = held.values();
    Ok(tx.execute(&RENEWED, &[id, node, version, kid.as_str().into(), sealed.into()]).await? == 1)
}

/// Up to `most` whose credentials are sealed under a master key.
pub async fn sealed_under(tx: &mut Tx<'_>, kid: Kid, most: i64) -> Result<Vec<Mailbox>> {
    tx.all(&SEALED_UNDER, &[kid.as_str().into(), most.into()], Mailbox::read).await
}

/// The same credentials under another key, unless they are others by now.
pub async fn reseal(tx: &mut Tx<'_>, id: &MailboxId, before: &str, kid: Kid, sealed: &str) -> Result<bool> {
    Ok(tx.execute(&RESEAL, &[id.into(), before.into(), kid.as_str().into(), sealed.into()]).await? == 1)
}

/// How many have credentials that are sealed under a master key.
pub async fn under(tx: &mut Tx<'_>, kid: Kid) -> Result<i64> {
    Ok(tx.one(&UNDER, &[kid.as_str().into()], |row| row.int(0)).await?.unwrap_or(0))
}
