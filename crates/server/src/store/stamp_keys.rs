//! `credentials`, those that are public keys: what stamps are made with. A key stands once in an org; one that has ended gives its place
//! up, so that it can be given again. Refuses to hand out what was ended.

use doorcode_core::fingerprint::fingerprint;
use doorcode_core::stamp::{Curve, KeyKind, PublicKey};
use doorcode_core::{CredentialId, Error, Kid, OrgId, Result, Timestamp, UserId};

use super::credentials::Kind;
use super::db::Tx;
use super::sql::{Row, Value, statements};

/// What `StampKey::read` reads.
macro_rules! columns {
    () => {
        "org_id, id, user_id, public_key, key_type, name, expires_at, scopes, last_used_at"
    };
}

statements! {
    INSERT = "INSERT INTO credentials (org_id, id, user_id, kind, digest, seed, kid, scopes, expires_at, name, public_key, key_type, last_used_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    BY_DIGEST = concat!("SELECT ", columns!(), " FROM credentials WHERE digest = $1 AND public_key IS NOT NULL AND revoked_at IS NULL");
    GET = concat!("SELECT ", columns!(), " FROM credentials WHERE org_id = $1 AND id = $2 AND public_key IS NOT NULL AND revoked_at IS NULL");
    OF_USER = concat!("SELECT ", columns!(), " FROM credentials \
        WHERE org_id = $1 AND user_id = $2 AND public_key IS NOT NULL AND revoked_at IS NULL ORDER BY id");
    OF_ORG = concat!("SELECT ", columns!(), " FROM credentials \
        WHERE org_id = $1 AND public_key IS NOT NULL AND revoked_at IS NULL ORDER BY id LIMIT $2");
    // Of whichever user. One that was mailed counts from its first stamp.
    LIVING = "SELECT id FROM credentials WHERE org_id = $1 AND public_key IS NOT NULL AND revoked_at IS NULL \
        AND scopes = '' AND (expires_at IS NULL OR expires_at > $2) LIMIT 1";
    // In whichever sub-org of a parent. One that was mailed counts from its first stamp.
    BELOW = "SELECT credentials.org_id FROM credentials JOIN orgs ON orgs.id = credentials.org_id \
        WHERE credentials.public_key = $2 AND orgs.parent_id = $1 AND credentials.revoked_at IS NULL \
        AND (credentials.expires_at IS NULL OR credentials.expires_at > $3) AND credentials.scopes = '' AND credentials.org_id > $4 \
        ORDER BY credentials.org_id LIMIT $5";
    // Those whose it is known to be come first: anybody may name somebody's public key as their own.
    HOME = "SELECT credentials.org_id, credentials.last_used_at FROM credentials JOIN orgs ON orgs.id = credentials.org_id \
        WHERE credentials.public_key = $2 AND orgs.parent_id = $1 AND credentials.revoked_at IS NULL \
        AND (credentials.expires_at IS NULL OR credentials.expires_at > $3) AND credentials.scopes = '' \
        ORDER BY credentials.last_used_at IS NULL LIMIT 2";
    // Here only whether there is a time counts, and not which.
    PROVE = "UPDATE credentials SET last_used_at = $3 WHERE org_id = $1 AND id = $2 AND public_key IS NOT NULL \
        AND revoked_at IS NULL AND last_used_at IS NULL";
    // Its place in the org goes with it.
    END = "UPDATE credentials SET revoked_at = $3, digest = id WHERE org_id = $1 AND id = $2 AND public_key IS NOT NULL AND revoked_at IS NULL";
    WAKE = "UPDATE credentials SET scopes = '' WHERE org_id = $1 AND id = $2 AND scopes <> '' AND public_key IS NOT NULL \
        AND revoked_at IS NULL";
    SWEEP = "DELETE FROM credentials WHERE digest IN (SELECT digest FROM credentials \
        WHERE public_key IS NOT NULL AND expires_at IS NOT NULL AND expires_at < $1 ORDER BY expires_at LIMIT $2) AND public_key IS NOT NULL";
}

/// A public key that signs for a user.
#[derive(Clone)]
pub struct StampKey {
    /// In which org.
    pub org: OrgId,
    /// Its id, which says when it was made.
    pub id: CredentialId,
    /// Whose.
    pub user: UserId,
    /// The key.
    pub key: PublicKey,
    /// How it came to be theirs.
    pub kind: KeyKind,
    /// What it is called.
    pub name: String,
    /// Its end, if it has one.
    pub expires_at: Option<Timestamp>,
    /// It was mailed, and counts from its first stamp.
    pub inert: Option<Inert>,
    /// It is known to be theirs: it was made here for them, or has signed for this very org. Else somebody has said so.
    pub proved: bool,
}

/// What the first stamp of a key does that was mailed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Inert {
    /// It begins to count.
    Plain,
    /// It ends the others of its kind besides.
    Invalidating,
}

impl StampKey {
    fn read(row: &Row<'_>) -> Result<Self> {
        let unknown = || Error::internal("a public key has an unknown type");
        let kind = KeyKind::of_name(&row.text(4)?).ok_or_else(unknown)?;
        Ok(Self {
            org: row.id(0)?,
            id: row.id(1)?,
            user: row.id(2)?,
            key: read_key(kind.curve(), &row.text(3)?).ok_or_else(unknown)?,
            kind,
            name: row.maybe_text(5)?.unwrap_or_default(),
            expires_at: row.maybe_time(6)?,
            inert: match row.text(7)?.as_str() {
                "inert" => Some(Inert::Plain),
                "inert invalidating" => Some(Inert::Invalidating),
                _ => None,
            },
            proved: row.maybe_time(8)?.is_some(),
        })
    }

    /// Whether it is over.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

/// A key as it is stored: hexadecimal behind the letter of its curve, since the same digits can be points of two.
fn stored(key: &PublicKey) -> String {
    format!("{}{}", letter(key.curve()), key.to_hex())
}

fn read_key(curve: Curve, stored: &str) -> Option<PublicKey> {
    PublicKey::parse(curve, stored.strip_prefix(letter(curve))?)
}

const fn letter(curve: Curve) -> char {
    match curve {
        Curve::P256 => 'p',
        Curve::Secp256k1 => 'k',
        Curve::Ed25519 => 'e',
    }
}

/// Where a key is found in an org.
pub fn digest(org: &OrgId, key: &PublicKey) -> [u8; 16] {
    fingerprint("stamp key", &[org.as_bytes(), key.curve().name().as_bytes(), &key.to_bytes()])
}

/// Writes a new key. `kid` is any master key's: nothing of it hangs on one.
pub async fn insert(tx: &mut Tx<'_>, new: &StampKey, kid: Kid) -> Result<()> {
    let (digest, public) = (digest(&new.org, &new.key), stored(&new.key));
    let scopes = match new.inert {
        None => "",
        Some(Inert::Plain) => "inert",
        Some(Inert::Invalidating) => "inert invalidating",
    };
    let proved_at = new.proved.then(|| new.id.made_at());
    let values: [Value<'_>; 13] = [
        (&new.org).into(),
        (&new.id).into(),
        (&new.user).into(),
        Kind::StampKey.as_str().into(),
        (&digest).into(),
        (&[0; 32]).into(),
        kid.as_str().into(),
        scopes.into(),
        new.expires_at.into(),
        (&new.name).into(),
        (&public).into(),
        new.kind.name().into(),
        proved_at.into(),
    ];
    tx.execute(&INSERT, &values).await.map(drop)
}

/// The key of an org that was not ended. It may be over.
pub async fn find(tx: &mut Tx<'_>, org: &OrgId, key: &PublicKey) -> Result<Option<StampKey>> {
    tx.one(&BY_DIGEST, &[(&digest(org, key)).into()], StampKey::read).await
}

/// The key of that id, likewise.
pub async fn get(tx: &mut Tx<'_>, org: &OrgId, id: &CredentialId) -> Result<Option<StampKey>> {
    tx.one(&GET, &[org.into(), id.into()], StampKey::read).await
}

/// A user's keys, likewise, oldest first.
pub async fn of_user(tx: &mut Tx<'_>, org: &OrgId, user: &UserId) -> Result<Vec<StampKey>> {
    tx.all(&OF_USER, &[org.into(), user.into()], StampKey::read).await
}

/// An org's keys, likewise, at most `most`.
pub async fn of_org(tx: &mut Tx<'_>, org: &OrgId, most: i64) -> Result<Vec<StampKey>> {
    tx.all(&OF_ORG, &[org.into(), most.into()], StampKey::read).await
}

/// Whether anybody in an org has a key that lives.
pub async fn any_lives(tx: &mut Tx<'_>, org: &OrgId, now: Timestamp) -> Result<bool> {
    let found: Option<CredentialId> = tx.one(&LIVING, &[org.into(), now.into()], |row| row.id(0)).await?;
    Ok(found.is_some())
}

/// The orgs below a parent behind `after` in which a key lives, at most `most`.
pub async fn below(
    tx: &mut Tx<'_>,
    parent: &OrgId,
    key: &PublicKey,
    after: &OrgId,
    most: i64,
    now: Timestamp,
) -> Result<Vec<OrgId>> {
    let public = stored(key);
    let values = [parent.into(), (&public).into(), now.into(), after.into(), most.into()];
    tx.all(&BELOW, &values, |row| row.id(0)).await
}

/// The org below a parent that a key leads to: the only one that it is known to be of, or the only one that names it where it is known of none.
pub async fn home(tx: &mut Tx<'_>, parent: &OrgId, key: &PublicKey, now: Timestamp) -> Result<Option<OrgId>> {
    let public = stored(key);
    let read = |row: &Row<'_>| Ok((row.id(0)?, row.maybe_time(1)?.is_some()));
    let found = tx.all(&HOME, &[parent.into(), (&public).into(), now.into()], read).await?;
    Ok(match *found {
        [(org, _)] | [(org, true), (_, false)] => Some(org),
        _ => None,
    })
}

/// A key has signed for its org: only its owner can have.
pub async fn prove(tx: &mut Tx<'_>, org: &OrgId, id: &CredentialId, now: Timestamp) -> Result<()> {
    tx.execute(&PROVE, &[org.into(), id.into(), now.into()]).await.map(drop)
}

/// Ends a key for good. False: there is none such, or it was ended before.
pub async fn end(tx: &mut Tx<'_>, org: &OrgId, id: &CredentialId, now: Timestamp) -> Result<bool> {
    Ok(tx.execute(&END, &[org.into(), id.into(), now.into()]).await? == 1)
}

/// A key that was mailed counts from now on. True for its first stamp.
pub async fn wake(tx: &mut Tx<'_>, org: &OrgId, id: &CredentialId) -> Result<bool> {
    Ok(tx.execute(&WAKE, &[org.into(), id.into()]).await? == 1)
}

/// Removes up to `most` that were over before a time.
pub async fn sweep(tx: &mut Tx<'_>, over_before: Timestamp, most: i64) -> Result<usize> {
    tx.execute(&SWEEP, &[over_before.into(), most.into()]).await
}
