//! `credentials`: how a caller proves itself. Found by keyed digest; API keys and client secrets can be derived again
//! from seed and key id, so nothing here opens a door by itself.

use doorcode_core::{CredentialId, Kid, OrgId, Result, Timestamp, UserId};

use super::db::Tx;
use super::sql::{Row, Value, statements};

statements! {
    INSERT = "INSERT INTO credentials (org_id, id, user_id, kind, digest, seed, kid, scopes, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    // A key under a master key that is being retired is not handed out again: the next sign-in makes one that lasts.
    NEWEST_KEY = "SELECT org_id, id, user_id, kind, seed, kid, scopes, expires_at, revoked_at FROM credentials \
        WHERE org_id = $1 AND kind = 'api_key' AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2) \
        AND NOT EXISTS (SELECT 1 FROM master_keys AS master WHERE master.kid = credentials.kid \
        AND (master.state = 'retiring' OR master.state = 'retired')) ORDER BY id DESC LIMIT 1";
    BY_DIGEST = "SELECT org_id, id, user_id, kind, seed, kid, scopes, expires_at, revoked_at FROM credentials \
        WHERE digest = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)";
    LIST = "SELECT org_id, id, user_id, kind, seed, kid, scopes, expires_at, revoked_at FROM credentials \
        WHERE org_id = $1 ORDER BY id";
    REVOKE = "UPDATE credentials SET revoked_at = $3 WHERE org_id = $1 AND id = $2 AND revoked_at IS NULL";
    UNDER = "SELECT count(*) FROM credentials WHERE kid = $1 AND revoked_at IS NULL";
}

/// What kind of proof a credential is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `outx_…`, alone enough.
    ApiKey,
    /// `dcs_…`, with the client id, which is the credential's own id.
    ClientSecret,
}

impl Kind {
    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "api_key",
            Self::ClientSecret => "client_secret",
        }
    }

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "api_key" => Ok(Self::ApiKey),
            "client_secret" => Ok(Self::ClientSecret),
            _ => Err(doorcode_core::Error::internal("a credential has an unknown kind")),
        }
    }
}

/// A row of `credentials`.
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
        })
    }

    /// Whether it has a scope.
    pub fn may(&self, scope: &str) -> bool {
        self.scopes.split(' ').any(|has| has == scope)
    }
}

/// Writes a new credential, found by `digest` from now on.
pub async fn insert(tx: &mut Tx<'_>, new: &Credential, digest: &[u8; 16]) -> Result<()> {
    let values: [Value<'_>; 9] = [
        (&new.org).into(),
        (&new.id).into(),
        new.user.as_ref().into(),
        new.kind.as_str().into(),
        digest.into(),
        (&new.seed).into(),
        new.kid.as_str().into(),
        (&new.scopes).into(),
        new.expires_at.into(),
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

/// Revokes one for good. False: there is none such, or it was revoked before.
pub async fn revoke(tx: &mut Tx<'_>, org: &OrgId, id: &CredentialId, now: Timestamp) -> Result<bool> {
    Ok(tx.execute(&REVOKE, &[org.into(), id.into(), now.into()]).await? == 1)
}

/// How many that live are derived under a master key.
pub async fn under(tx: &mut Tx<'_>, kid: Kid) -> Result<i64> {
    Ok(tx.one(&UNDER, &[kid.as_str().into()], |row| row.int(0)).await?.unwrap_or(0))
}
