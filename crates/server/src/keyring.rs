//! The master keys of this process: read from their files, checked against the database, turned into roots once.
//! Refuses to start without a key that the database was served with, and to make one where nobody asked for it.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use doorcode_core::push::Vapid;
use doorcode_core::seal::turnkey::Signer;
use doorcode_core::token::SigningKey;
use doorcode_core::{Error, Kid, MasterKey, Result, Root, Timestamp, Use};

use crate::entropy::{self, Entropy};
use crate::store::master_keys::{self, KeyRow, Stage};
use crate::store::{Db, Tx};

/// What is derived from one master key.
pub struct Roots {
    /// Which one.
    pub kid: Kid,
    /// Codes.
    pub code: Root,
    /// Links in mails.
    pub link: Root,
    /// API keys.
    pub api_key: Root,
    /// Where API keys are found.
    pub api_key_lookup: Root,
    /// Client secrets.
    pub client_secret: Root,
    /// Where client secrets are found.
    pub client_secret_lookup: Root,
    /// The mark in our own mails.
    pub header: Root,
    /// Tokens are signed with it.
    pub token: SigningKey,
    /// What is presented of sessions.
    pub session: Root,
    /// Secrets of webhooks.
    pub webhook: Root,
    /// The chain over a person's record.
    pub audit: Root,
    /// Tickets that open a socket.
    pub ticket: Root,
    /// By which push services know us.
    pub push: Vapid,
    /// Ways in for messages.
    pub hook: Root,
    /// Secrets in our keeping.
    pub vault: Root,
    /// The digest by which a person's message is known again.
    pub message: Root,
    /// Where signed calls are found again.
    pub activity: Root,
    /// The keys that codes are sealed to on their way back.
    pub otp_target: Root,
    /// Signs those, and verification tokens.
    pub verification: Signer,
    /// Signs verification tokens of the old form.
    pub old_verification: Signer,
    /// Signs sessions of signed calls.
    pub notary: Signer,
}

impl Roots {
    fn of(key: &MasterKey) -> Result<Self> {
        let signer = |use_| Signer::derive(key.kid(), &key.root(use_), &entropy::signing());
        Ok(Self {
            kid: key.kid(),
            code: key.root(Use::Code),
            link: key.root(Use::Link),
            api_key: key.root(Use::ApiKey),
            api_key_lookup: key.root(Use::ApiKeyLookup),
            client_secret: key.root(Use::ClientSecret),
            client_secret_lookup: key.root(Use::ClientSecretLookup),
            header: key.root(Use::Header),
            token: SigningKey::derive(key.kid(), &key.root(Use::Token), &entropy::signing())?,
            session: key.root(Use::Session),
            webhook: key.root(Use::Webhook),
            audit: key.root(Use::Audit),
            ticket: key.root(Use::Ticket),
            push: Vapid::derive(key.kid(), &key.root(Use::Push), &entropy::signing())?,
            hook: key.root(Use::Hook),
            vault: key.root(Use::Vault),
            message: key.root(Use::Message),
            activity: key.root(Use::Activity),
            otp_target: key.root(Use::OtpTarget),
            verification: signer(Use::Verification)?,
            old_verification: signer(Use::OldVerification)?,
            notary: signer(Use::Notary)?,
        })
    }
}

/// The keys in force: the active one first.
pub struct Keyring {
    roots: Vec<Roots>,
    stages: Vec<(Kid, Stage)>,
    /// Keys that were added and have no file here yet.
    awaited: Vec<Kid>,
}

impl Keyring {
    /// A ring of these keys, without a database: for tests of what needs one.
    #[cfg(test)]
    pub(crate) fn of(keys: &[MasterKey]) -> Result<Self> {
        let roots = keys.iter().map(Roots::of).collect::<Result<_>>()?;
        Ok(Self { roots, stages: Vec::new(), awaited: Vec::new() })
    }

    /// The one that derives what is new.
    pub fn active(&self) -> &Roots {
        // `load` refuses to give a ring without one.
        &self.roots[0]
    }

    /// The one of that id, while it is not retired.
    pub fn get(&self, kid: Kid) -> Option<&Roots> {
        self.roots.iter().find(|roots| roots.kid == kid)
    }

    /// Every one that something presented may be derived from.
    pub fn iter(&self) -> impl Iterator<Item = &Roots> {
        self.roots.iter()
    }
}

/// The keyring, shared and replaced as keys come and go.
#[derive(Clone)]
pub struct Keys {
    dir: PathBuf,
    ring: Arc<RwLock<Arc<Keyring>>>,
    /// The last look found that a file is missing, or is another one.
    lost: Arc<AtomicBool>,
}

impl Keys {
    /// Reads the keys of a database. With `make`, a database that has never seen a key gets one.
    pub async fn open(db: &Db, dir: &Path, make: Option<&Entropy>, now: Timestamp) -> Result<Self> {
        let rows = db.read(|tx| Box::pin(master_keys::list(tx))).await?;
        let rows = if rows.is_empty() { vec![first_key(db, dir, make, now).await?] } else { rows };
        let ring = Arc::new(RwLock::new(Arc::new(load(dir, &rows)?)));
        Ok(Self { dir: dir.to_owned(), ring, lost: Arc::default() })
    }

    /// The keys in force.
    pub fn ring(&self) -> Arc<Keyring> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Follows what the command line changed beside a running server: new keys, a new active one, the end of old ones.
    pub async fn refresh(&self, db: &Db, now: Timestamp) -> Result<bool> {
        let rows = db.read(|tx| Box::pin(master_keys::list(tx))).await?;
        let due = rows.iter().any(|row| row.stage == Stage::Retiring && row.retires_at.is_some_and(|at| at <= now));
        let rows = if due {
            db.write(move |tx| {
                Box::pin(async move {
                    master_keys::end_retired(tx, now).await?;
                    master_keys::list(tx).await
                })
            })
            .await?
        } else {
            rows
        };
        let had = self.ring();
        let came = had.awaited.iter().any(|kid| file_of(&self.dir, *kid).exists());
        if stages(&rows) == had.stages && !came {
            self.lost.store(false, Ordering::Relaxed);
            return Ok(false);
        }
        let ring = load(&self.dir, &rows);
        self.lost.store(ring.is_err(), Ordering::Relaxed);
        let ring = ring?;
        for kid in &ring.awaited {
            tracing::warn!(%kid, "a master key was added, and its file is not here yet: copy it before it is activated");
        }
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
        self.note_seen(db, now).await?;
        Ok(true)
    }

    /// Whether a key is missing that others work with: what is derived from it can't be told from what is wrong.
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// Says in the database which keys this process has. For the server only: on its word a key may be activated.
    pub async fn note_seen(&self, db: &Db, now: Timestamp) -> Result<()> {
        let kids: Vec<Kid> = self.ring().iter().map(|roots| roots.kid).collect();
        db.write(move |tx| {
            Box::pin(async move {
                for kid in kids {
                    master_keys::seen(tx, kid, now).await?;
                }
                Ok(())
            })
        })
        .await
    }
}

fn stages(rows: &[KeyRow]) -> Vec<(Kid, Stage)> {
    rows.iter().map(|row| (row.kid, row.stage)).collect()
}

/// Reads the file of every key that is not retired, and holds each against its check value.
fn load(dir: &Path, rows: &[KeyRow]) -> Result<Keyring> {
    let (mut roots, mut awaited) = (Vec::new(), Vec::new());
    for row in rows.iter().filter(|row| row.stage != Stage::Retired) {
        let file = file_of(dir, row.kid);
        if row.stage == Stage::Added && !file.exists() {
            awaited.push(row.kid);
            continue;
        }
        let key = read(&file).map_err(|error| {
            lost(format!(
                "master key {} is missing: {}: {error}. Put the file back from your backup, or copy it from another server",
                row.kid,
                file.display()
            ))
        })?;
        if key.kid() != row.kid || key.check_value() != row.check_value {
            return Err(lost(format!(
                "{} is not the key that this database was served with. Put the right file back from your backup",
                file.display()
            )));
        }
        let at = if row.stage == Stage::Active { 0 } else { roots.len() };
        roots.insert(at, Roots::of(&key)?);
    }
    if !rows.iter().any(|row| row.stage == Stage::Active) {
        return Err(lost("no master key is active: doorcode master activate KID".to_owned()));
    }
    Ok(Keyring { roots, stages: stages(rows), awaited })
}

fn lost(why: String) -> Error {
    Error::unavailable(why)
}

async fn first_key(db: &Db, dir: &Path, make: Option<&Entropy>, now: Timestamp) -> Result<KeyRow> {
    let mut found = files(dir)?;
    let key = match (found.pop(), found.is_empty(), make) {
        (Some(key), true, _) => key,
        (Some(_), false, _) => {
            return Err(lost(format!("{} holds several keys, and the database knows none: leave one", dir.display())));
        }
        (None, _, Some(entropy)) => create(dir, entropy)?,
        (None, _, None) => {
            return Err(lost(format!(
                "there is no master key in {}: make one with `doorcode master init`",
                dir.display()
            )));
        }
    };
    let (kid, check_value) = (key.kid(), key.check_value());
    db.write(move |tx| {
        Box::pin(async move {
            if master_keys::list(tx).await?.is_empty() {
                master_keys::insert(tx, kid, &check_value, Stage::Active, now).await?;
            }
            Ok(())
        })
    })
    .await?;
    let rows = db.read(|tx: &mut Tx<'_>| Box::pin(master_keys::list(tx))).await?;
    rows.into_iter().next().ok_or_else(|| Error::internal("the first master key's row was not there"))
}

/// Makes a key and its file, which nobody else reads and which must not exist.
pub fn create(dir: &Path, entropy: &Entropy) -> Result<MasterKey> {
    let key = MasterKey::from_parts(Kid::pick(entropy.bytes()?), entropy.bytes()?);
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(Error::unavailable)?;
    let mut open = std::fs::OpenOptions::new();
    let mut file =
        open.write(true).create_new(true).mode(0o600).open(file_of(dir, key.kid())).map_err(Error::unavailable)?;
    file.write_all(key.encode().expose().as_bytes())
        .and_then(|()| file.write_all(b"\n"))
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::File::open(dir)?.sync_all())
        .map_err(Error::unavailable)?;
    Ok(key)
}

/// Every key file of a directory.
pub fn files(dir: &Path) -> Result<Vec<MasterKey>> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Ok(Vec::new()) };
    let mut keys = Vec::new();
    for entry in entries {
        let path = entry.map_err(Error::unavailable)?.path();
        if path.extension().is_some_and(|extension| extension == "key") {
            keys.push(read(&path).map_err(|error| lost(format!("{}: {error}", path.display())))?);
        }
    }
    Ok(keys)
}

fn read(file: &Path) -> Result<MasterKey, String> {
    let text = zeroize::Zeroizing::new(std::fs::read_to_string(file).map_err(|error| error.to_string())?);
    MasterKey::parse(&text).map_err(|error| error.to_string())
}

/// Where a key's file lies.
pub fn file_of(dir: &Path, kid: Kid) -> PathBuf {
    dir.join(format!("{kid}.key"))
}
