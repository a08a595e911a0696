//! `credentials`: how a caller proves itself. Found by keyed digest; API keys and client secrets can be derived again
//! from seed and key id, so nothing here opens a door by itself.

use doorcode_core::{CredentialId, Kid, OrgId, Result, Timestamp, UserId};

use super::db::Tx;
use super::sql::{Row, Value, statements};

/// What `Credential::read` reads.
macro_rules! columns {
    () => {
        "org_id, id, user_id, kind, seed, kid, scopes, expires_at, revoked_at, name, last_used_at, subject_id"
    };
}

statements! {
    INSERT = "INSERT INTO credentials (org_id, id, user_id, kind, digest, seed, kid, scopes, expires_at, name, subject_id) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    // A key under a master key that is being retired is not handed out again: the next sign-in makes one that lasts.
    NEWEST_KEY = concat!("SELECT ", columns!(), " FROM credentials \
        WHERE org_id = $1 AND kind = 'api_key' AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2) \
        AND NOT EXISTS (SELECT 1 FROM master_keys AS master WHERE master.kid = credentials.kid \
        AND (master.state = 'retiring' OR master.state = 'retired')) ORDER BY id DESC LIMIT 1");
    BY_DIGEST = concat!("SELECT ", columns!(), " FROM credentials \
        WHERE digest = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)");
    LIST = concat!("SELECT ", columns!(), " FROM credentials \
        WHERE org_id = $1 ORDER BY id");
    GET = concat!("SELECT ", columns!(), " FROM credentials WHERE org_id = $1 AND id = $2 FOR UPDATE");
    // Keys of both kinds, with their dead ones.
    KEYS = concat!("SELECT ", columns!(), " FROM credentials \
        WHERE org_id = $1 AND id > $2 AND kind IN ('api_key', 'access_key') ORDER BY id LIMIT $3");
    // The same without the dead ones, the newest first.
    LIVING_KEYS = concat!("SELECT ", columns!(), " FROM credentials \
        WHERE org_id = $1 AND kind IN ('api_key', 'access_key') AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2) \
        ORDER BY id DESC LIMIT $3");
    // An end that is nearer already stays.
    END_AT = "UPDATE credentials SET expires_at = $3 WHERE org_id = $1 AND id = $2 AND revoked_at IS NULL \
        AND (expires_at IS NULL OR expires_at > $3)";
    USED = "UPDATE credentials SET last_used_at = $3 WHERE org_id = $1 AND id = $2 \
        AND (last_used_at IS NULL OR last_used_at < $3)";
    // What a member of an org was handed at sign-in, and what is their own.
    OF_MEMBER = "SELECT id FROM credentials WHERE org_id = $1 AND revoked_at IS NULL \
        AND (user_id = $2 OR (user_id IS NULL AND kind = 'api_key'))";
    // The living ones of an agent or device.
    OF_SUBJECT = concat!("SELECT ", columns!(), " FROM credentials \
        WHERE org_id = $1 AND subject_id = $2 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $3) ORDER BY id");
    // A public key's place in the org goes with it, as where `stamp_keys` ends one.
    REVOKE = "UPDATE credentials SET revoked_at = $3, digest = CASE WHEN public_key IS NOT NULL THEN id ELSE digest END \
        WHERE org_id = $1 AND id = $2 AND revoked_at IS NULL";
    LIVES = "SELECT id FROM credentials WHERE org_id = $1 AND id = $2 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $3)";
    // Public keys hang on no master key.
    UNDER = "SELECT count(*) FROM credentials WHERE kid = $1 AND revoked_at IS NULL AND public_key IS NULL";
}

/// What kind of proof a credential is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `outx_…`, alone enough: what a sign-in at the front door hands over, the same at every one.
    ApiKey,
    /// `dck_…`, alone enough: a further key, with a name and scopes of its own. No sign-in hands it over.
    AccessKey,
    /// `dcs_…`, with the client id, which is the credential's own id.
    ClientSecret,
    /// `ak_live_…`: an agent's.
    AgentKey,
    /// `ak_test_…`: the same, for trying things out; nobody is asked, and its codes are made up.
    TestAgentKey,
    /// `dk_…`: a device's or a collector's.
    DeviceKey,
    /// A public key, which is never presented: see [`super::stamp_keys`].
    StampKey,
}

impl Kind {
    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "api_key",
            Self::AccessKey => "access_key",
            Self::ClientSecret => "client_secret",
            Self::AgentKey => "agent_key",
            Self::TestAgentKey => "test_agent_key",
            Self::DeviceKey => "device_key",
            Self::StampKey => "stamp_key",
        }
    }

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "api_key" => Ok(Self::ApiKey),
            "access_key" => Ok(Self::AccessKey),
            "client_secret" => Ok(Self::ClientSecret),
            "agent_key" => Ok(Self::AgentKey),
            "test_agent_key" => Ok(Self::TestAgentKey),
            "device_key" => Ok(Self::DeviceKey),
            "stamp_key" => Ok(Self::StampKey),
            _ => Err(doorcode_core::Error::internal("a credential has an unknown kind")),
        }
    }
}

/// A row of `credentials`.
#[derive(Clone)]
pub struct Credential {
    /// Whose.
    pub org: OrgId,
    /// Its id.
    pub id: CredentialId,
    /// The user it acts for, if it is not the org's.
    pub user: Option<UserId>,
    /// What it is.
    pub kind: Kind,
    /// What it is derived from besides its ids.
    pub seed: [u8; 32],
    /// Under which master key.
    pub kid: Kid,
    /// What it may do, separated by spaces.
    pub scopes: String,
    /// Its end, if it has one.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// What its maker calls it.
    pub name: Option<String>,
    /// When it was last presented, to the nearest minutes.
    pub last_used_at: Option<Timestamp>,
    /// The agent or device that it acts as, if it is one's.
    pub subject: Option<[u8; 16]>,
}

impl Credential {
    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            org: row.id(0)?,
            id: row.id(1)?,
            user: row.maybe_id(2)?,
            kind: Kind::from_str(&row.text(3)?)?,
            seed: row.bytes(4)?,
            kid: row.text(5)?.parse()?,
            scopes: row.text(6)?,
            expires_at: row.maybe_time(7)?,
            revoked_at: row.maybe_time(8)?,
            name: row.maybe_text(9)?,
            last_used_at: row.maybe_time(10)?,
            subject: row.maybe_bytes(11)?,
        })
    }

    /// Whether it has a scope.
    pub fn may(&self, scope: &str) -> bool {
        self.scopes.split(' ').any(|has| has == scope)
    }
}

/// Writes a new credential, found by `digest` from now on.
pub async fn insert(tx: &mut Tx<'_>, new: &Credential, digest: &[u8; 16]) -> Result<()> {
    let values: [Value<'_>; 11] = [
        (&new.org).into(),
        (&new.id).into(),
        new.user.as_ref().into(),
        new.kind.as_str().into(),
        digest.into(),
        (&new.seed).into(),
        new.kid.as_str().into(),
        (&new.scopes).into(),
        new.expires_at.into(),
        new.name.as_ref().into(),
        new.subject.as_ref().into(),
    ];
    tx.execute(&INSERT, &values).await.map(drop)
}

/// The newest API key of an org that lives and will go on living.
pub async fn newest_key(tx: &mut Tx<'_>, org: &OrgId, now: Timestamp) -> Result<Option<Credential>> {
    tx.one(&NEWEST_KEY, &[org.into(), now.into()], Credential::read).await
}

/// The live credential of a digest.
pub async fn by_digest(tx: &mut Tx<'_>, digest: &[u8; 16], now: Timestamp) -> Result<Option<Credential>> {
    tx.one(&BY_DIGEST, &[digest.into(), now.into()], Credential::read).await
}

/// Every credential of an org, oldest first.
pub async fn list(tx: &mut Tx<'_>, org: &OrgId) -> Result<Vec<Credential>> {
    tx.all(&LIST, &[org.into()], Credential::read).await
}

/// The credential of that id in an org.
pub async fn get(tx: &mut Tx<'_>, org: &OrgId, id: &CredentialId) -> Result<Option<Credential>> {
    tx.one(&GET, &[org.into(), id.into()], Credential::read).await
}

/// Keys of an org behind `after`, oldest first, at most `most`.
pub async fn keys(tx: &mut Tx<'_>, org: &OrgId, after: &CredentialId, most: i64) -> Result<Vec<Credential>> {
    tx.all(&KEYS, &[org.into(), after.into(), most.into()], Credential::read).await
}

/// The newest keys of an org that live, at most `most`.
pub async fn living_keys(tx: &mut Tx<'_>, org: &OrgId, most: i64, now: Timestamp) -> Result<Vec<Credential>> {
    tx.all(&LIVING_KEYS, &[org.into(), now.into(), most.into()], Credential::read).await
}

/// Lets one end at a time, unless it ends before. False: there is none such that lives so long.
pub async fn end_at(tx: &mut Tx<'_>, org: &OrgId, id: &CredentialId, at: Timestamp) -> Result<bool> {
    Ok(tx.execute(&END_AT, &[org.into(), id.into(), at.into()]).await? == 1)
}

/// Notes that one was presented.
pub async fn used(tx: &mut Tx<'_>, org: &OrgId, id: &CredentialId, at: Timestamp) -> Result<()> {
    tx.execute(&USED, &[org.into(), id.into(), at.into()]).await.map(drop)
}

/// The living credentials that a member of an org has seen for certain.
pub async fn of_member(tx: &mut Tx<'_>, org: &OrgId, user: &doorcode_core::UserId) -> Result<Vec<CredentialId>> {
    tx.all(&OF_MEMBER, &[org.into(), user.into()], |row| row.id(0)).await
}

/// The living credentials of an agent or device, oldest first.
pub async fn of_subject(tx: &mut Tx<'_>, org: &OrgId, subject: &[u8; 16], now: Timestamp) -> Result<Vec<Credential>> {
    tx.all(&OF_SUBJECT, &[org.into(), subject.into(), now.into()], Credential::read).await
}

/// Revokes one for good. False: there is none such, or it was revoked before.
pub async fn revoke(tx: &mut Tx<'_>, org: &OrgId, id: &CredentialId, now: Timestamp) -> Result<bool> {
    Ok(tx.execute(&REVOKE, &[org.into(), id.into(), now.into()]).await? == 1)
}

/// How many that live are derived under a master key.
pub async fn under(tx: &mut Tx<'_>, kid: Kid) -> Result<i64> {
    Ok(tx.one(&UNDER, &[kid.as_str().into()], |row| row.int(0)).await?.unwrap_or(0))
}

/// Whether a credential lives.
pub async fn lives(tx: &mut Tx<'_>, org: &OrgId, id: &CredentialId, now: Timestamp) -> Result<bool> {
    Ok(tx.one(&LIVES, &[org.into(), id.into(), now.into()], |_| Ok(())).await?.is_some())
}
