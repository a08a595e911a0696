//! Making, showing again and recognising API keys and client secrets. Refuses to store them: a key is derived from its
//! row and a root outside the database, and found by a keyed digest.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::Arc;

use doorcode_core::{
    AgentId, CredentialId, Error, HookId, MailboxId, OrgId, Result, Secret, Timestamp, UserId, apikey,
};

use super::audit::Whose;
use super::users;
use crate::app::App;
use crate::keyring::{Keyring, Roots};
use crate::store::agents::{self, Stop};
use crate::store::credentials::{self as rows, Credential, Kind};
use crate::store::{Tx, audit, events, hooks, inbound_addresses, mailboxes};

/// The longest key that is looked at: ours have 29 characters, client secrets 44.
const LONGEST: usize = 64;

/// Where revocations are also written, beside the keys, so that a restored database can be told of them again.
const REVOCATIONS: &str = "revocations.log";

/// How the file says that a user had been handed the team's key, or that a program had only named them.
const KNEW: &str = "knew";
const NAMED: &str = "named";

/// Lines of it that are replayed in one unit.
const PIECE: usize = 200;

/// A credential that is made but not yet written.
#[derive(Clone)]
pub struct Minted {
    credential: Credential,
    /// The ring it is made under: the org can still change, and with it the key.
    ring: Arc<Keyring>,
}

/// Makes a credential under the active key, from an id and a random seed. `put` says whose it is.
pub fn mint(app: &App, kind: Kind, scopes: &str, (id, seed): (CredentialId, [u8; 32])) -> Minted {
    let ring = app.keys.ring();
    let credential = Credential {
        org: OrgId::HOUSE,
        id,
        user: None,
        kind,
        seed,
        kid: ring.active().kid,
        scopes: scopes.to_owned(),
        expires_at: None,
        revoked_at: None,
        name: None,
        last_used_at: None,
        subject: None,
    };
    Minted { credential, ring }
}

impl Minted {
    /// The same, with a name, and an end if it has one.
    pub fn named(mut self, name: Option<String>, expires_at: Option<Timestamp>) -> Self {
        (self.credential.name, self.credential.expires_at) = (name, expires_at);
        self
    }

    /// The same, known to a member of the org.
    pub fn of(mut self, user: Option<UserId>) -> Self {
        self.credential.user = user;
        self
    }

    /// The same, of an agent or device.
    pub fn acting_as(mut self, subject: [u8; 16]) -> Self {
        self.credential.subject = Some(subject);
        self
    }

    /// Writes it for `org`.
    pub async fn put(mut self, tx: &mut Tx<'_>, org: OrgId) -> Result<Credential> {
        self.credential.org = org;
        let roots = self.ring.active();
        let digest = digest(roots, self.credential.kind, &derive(roots, &self.credential));
        rows::insert(tx, &self.credential, &digest).await?;
        Ok(self.credential)
    }
}

/// The key itself, derived again for its owner.
pub fn reveal(app: &App, credential: &Credential) -> Result<Secret<String>> {
    let ring = app.keys.ring();
    let roots = ring.get(credential.kid).ok_or(Error::Gone)?;
    Ok(derive(roots, credential))
}

/// The live key that was presented, of either kind, if it is one.
pub async fn recognise_key(app: &App, presented: &str) -> Result<Option<Arc<Credential>>> {
    let kind = if presented.starts_with("dck_") { Kind::AccessKey } else { Kind::ApiKey };
    recognise(app, kind, presented).await
}

/// The live credential that was presented, if it is one.
pub async fn recognise(app: &App, kind: Kind, presented: &str) -> Result<Option<Arc<Credential>>> {
    if presented.is_empty() || presented.len() > LONGEST || !presented.is_ascii() {
        return Ok(None);
    }
    let now = app.clock.now();
    let digests: Vec<[u8; 16]> =
        app.keys.ring().iter().map(|roots| digest(roots, kind, &Secret::new(presented.to_owned()))).collect();
    let recent = digests.iter().find_map(|digest| app.recent_keys.get(digest, now));
    let found = match recent {
        Some(found) => Some(found),
        None => look(app, digests, now).await?,
    };
    Ok(found.filter(|found| found.kind == kind && found.expires_at.is_none_or(|at| at > now)))
}

/// Reads a live credential, and keeps it for who presents it in the same moment.
async fn look(app: &App, digests: Vec<[u8; 16]>, now: Timestamp) -> Result<Option<Arc<Credential>>> {
    let endings = app.recent_keys.endings();
    let found = app
        .db
        .read(move |tx| {
            Box::pin(async move {
                for digest in digests {
                    if let Some(found) = rows::by_digest(tx, &digest, now).await? {
                        return Ok(Some((digest, Arc::new(found))));
                    }
                }
                Ok(None)
            })
        })
        .await?;
    let Some((digest, found)) = found else { return Ok(None) };
    app.recent_keys.keep(&digest, &found, endings, now);
    Ok(Some(found))
}

/// Makes and writes a credential for an org that is there.
pub async fn create(app: &Arc<App>, kind: Kind, org: OrgId, scopes: &str) -> Result<(CredentialId, Secret<String>)> {
    let now = app.clock.now();
    let minted = mint(app, kind, scopes, (app.entropy.id(now)?, app.entropy.bytes()?));
    let event = app.entropy.id(now)?;
    let credential = app
        .db
        .write(move |tx| {
            Box::pin(async move {
                crate::store::orgs::name(tx, &org).await?.ok_or(Error::NotFound)?;
                let credential = minted.put(tx, org).await?;
                events::append(tx, &event, &org, events::Kind::CredentialCreated, credential.id.as_bytes()).await?;
                Ok(credential)
            })
        })
        .await?;
    Ok((credential.id, reveal(app, &credential)?))
}

/// Revokes a credential for good. The file beside the keys hears of it first, so that no restore brings it back.
pub async fn revoke(app: &Arc<App>, org: OrgId, id: CredentialId) -> Result<bool> {
    let now = app.clock.now();
    let event = app.entropy.id(now)?;
    note_revocation(app, org, id)?;
    let revoked = app
        .db
        .write(move |tx| {
            Box::pin(async move {
                let revoked = rows::revoke(tx, &org, &id, now).await?;
                if revoked {
                    events::append(tx, &event, &org, events::Kind::CredentialRevoked, id.as_bytes()).await?;
                }
                Ok(revoked)
            })
        })
        .await?;
    app.recent_keys.forget();
    app.recent_signers.forget();
    Ok(revoked)
}

/// Which lines of the file are replayed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Replay {
    /// At every start: what is taken away for good.
    Ended,
    /// On a restored copy: also that an agent was blocked or paused, or everything of a person. At every start it would be wrong where each
    /// server has a file of its own: that it may go on again may stand in another's. And that somebody was about to be removed: where that
    /// came to nothing, a start would end what is theirs, and the team's living key with it.
    Restored,
}

/// Revokes again whatever the file says was revoked, and ends what it says ends. Idempotent. Gives how many came back to life
/// and are dead again, or will be.
pub async fn replay_revocations(app: &Arc<App>, which: Replay) -> Result<usize> {
    let text = match std::fs::read_to_string(app.config.keys.join(REVOCATIONS)) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(Error::unavailable(error)),
    };
    let mut ended: Vec<Ended> = text.lines().filter_map(Ended::read).collect();
    if which == Replay::Restored {
        ended.extend(stopped(&text));
    }
    let now = app.clock.now();
    let mut again = 0;
    // In pieces: however long the file has grown, none of them takes long.
    for piece in ended.chunks(PIECE).map(<[Ended]>::to_vec) {
        let replay = app.db.write(move |tx| {
            Box::pin(async move {
                let mut again = 0;
                for ended in &piece {
                    again += usize::from(match ended {
                        Ended::Credential { org, id, at: Some(at) } => rows::end_at(tx, org, id, *at).await?,
                        Ended::Credential { org, id, at: None } => rows::revoke(tx, org, id, now).await?,
                        Ended::Mailbox { owner, id } => mailboxes::delete(tx, id, owner).await?,
                        Ended::Hook { org, owner, id } => hooks::delete(tx, org, id, owner).await?,
                        Ended::Inbound { owner, digest } => inbound_addresses::delete_one(tx, owner, digest).await?,
                        Ended::Stopped(Of::Agent { stop, org, owner, id }, at) => {
                            agents::stop_again(tx, (org, id, owner), *stop, *at).await?
                        }
                        Ended::Stopped(Of::Person { org, owner }, at) => {
                            audit::pause_again(tx, org, owner, *at).await?
                        }
                        Ended::User { org, id } => users::remove_again(tx, (org, id), None, now).await?,
                        Ended::Stopped(Of::Leaver { org, id, knew }, at) => {
                            users::remove_again(tx, (org, id), knew.then_some(*at), now).await?
                        }
                    });
                }
                Ok(again)
            })
        });
        again += replay.await?;
    }
    app.recent_keys.forget();
    app.recent_signers.forget();
    Ok(again)
}

/// A line of the file: `org id`, or, where the end was set for a time, `milliseconds org id`; `mailbox owner id` for a mailbox that is looked
/// into no more, `hook org owner id`, `inbound owner digest` for an address, and `user org id` for whoever was removed. What stands in front
/// makes a line that was cut short no other line. What an agent may not, or may again, and who is about to go, is in [`stopped`].
#[derive(Clone)]
enum Ended {
    Credential { org: OrgId, id: CredentialId, at: Option<Timestamp> },
    Mailbox { owner: UserId, id: MailboxId },
    Hook { org: OrgId, owner: UserId, id: HookId },
    Inbound { owner: UserId, digest: [u8; 16] },
    User { org: OrgId, id: UserId },
    Stopped(Of, Timestamp),
}

/// What is stopped: an agent, everything of a person, or for good a user who is about to be removed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Of {
    Agent {
        stop: Stop,
        org: OrgId,
        owner: UserId,
        id: AgentId,
    },
    Person {
        org: OrgId,
        owner: UserId,
    },
    /// `knew`: they had seen the team's key, so that goes too.
    Leaver {
        org: OrgId,
        id: UserId,
        knew: bool,
    },
}

/// The stops that the file has as its last word: `agent stopped milliseconds blocked org owner id`, taken back by `agent goes` of a later
/// time, `person stopped milliseconds org owner`, and `user going milliseconds knew org id` (or `named`), taken back by `user stays`. By their times and not by their order, since the files of several servers are put together.
fn stopped(text: &str) -> Vec<Ended> {
    let mut last: HashMap<Of, (Timestamp, bool)> = HashMap::new();
    for (of, word) in text.lines().filter_map(read_stop) {
        let known = last.entry(of).or_insert(word);
        // At the same moment a stop counts.
        *known = (*known).max(word);
    }
    let stops = last.into_iter().filter(|(_, (_, on))| *on);
    stops.map(|(of, (at, _))| Ended::Stopped(of, at)).collect()
}

fn read_stop(line: &str) -> Option<(Of, (Timestamp, bool))> {
    let words: Vec<&str> = line.split(' ').collect();
    let (word, at, of) = match words[..] {
        ["agent", word, at, stop, org, owner, id] => {
            let (org, owner, id) = (org.parse().ok()?, owner.parse().ok()?, id.parse().ok()?);
            (word, at, Of::Agent { stop: Stop::read(stop)?, org, owner, id })
        }
        ["person", word, at, org, owner] => {
            (word, at, Of::Person { org: org.parse().ok()?, owner: owner.parse().ok()? })
        }
        ["user", word, at, knew, org, id] => {
            let knew = match knew {
                KNEW => true,
                NAMED => false,
                _ => return None,
            };
            (word, at, Of::Leaver { org: org.parse().ok()?, id: id.parse().ok()?, knew })
        }
        _ => return None,
    };
    let on = match word {
        "stopped" | "going" => true,
        "goes" | "stays" => false,
        _ => return None,
    };
    Some((of, (Timestamp::from_millis(at.parse().ok()?), on)))
}

impl Ended {
    fn read(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split(' ').collect();
        let (at, org, id) = match words[..] {
            ["mailbox", owner, id] => {
                return Some(Self::Mailbox { owner: owner.parse().ok()?, id: id.parse().ok()? });
            }
            ["hook", org, owner, id] => {
                return Some(Self::Hook { org: org.parse().ok()?, owner: owner.parse().ok()?, id: id.parse().ok()? });
            }
            ["user", org, id] => return Some(Self::User { org: org.parse().ok()?, id: id.parse().ok()? }),
            ["inbound", owner, digest] if digest.len() == 32 => {
                let digest = u128::from_str_radix(digest, 16).ok()?.to_be_bytes();
                return Some(Self::Inbound { owner: owner.parse().ok()?, digest });
            }
            [org, id] => (None, org, id),
            [at, org, id] => (Some(Timestamp::from_millis(at.parse().ok()?)), org, id),
            _ => return None,
        };
        Some(Self::Credential { org: org.parse().ok()?, id: id.parse().ok()?, at })
    }
}

/// Writes down beside the keys that a credential is revoked, or about to be.
pub(super) fn note_revocation(app: &App, org: OrgId, id: CredentialId) -> Result<()> {
    note(app, &format!("{org} {id}"))
}

/// Writes down beside the keys when a credential ends. Until then it lives, however often the server starts.
pub(super) fn note_end(app: &App, org: OrgId, id: CredentialId, at: Timestamp) -> Result<()> {
    note(app, &format!("{} {org} {id}", at.millis()))
}

/// Writes down beside the keys that a mailbox is looked into no more.
pub(super) fn note_mailbox(app: &App, owner: UserId, id: MailboxId) -> Result<()> {
    note(app, &format!("mailbox {owner} {id}"))
}

/// Writes down beside the keys that nothing is pushed to a hook any more.
pub(super) fn note_hook(app: &App, whose: Whose, id: HookId) -> Result<()> {
    note(app, &format!("hook {} {} {id}", whose.org, whose.owner))
}

/// Writes down beside the keys that an address takes no mail any more, by its digest.
pub(super) fn note_inbound(app: &App, owner: UserId, digest: [u8; 16]) -> Result<()> {
    note(app, &format!("inbound {owner} {:032x}", u128::from_be_bytes(digest)))
}

/// Writes down beside the keys that an agent is stopped, or goes on.
pub(super) fn note_stop(app: &App, whose: Whose, id: AgentId, (stop, on): (Stop, bool), now: Timestamp) -> Result<()> {
    let word = if on { "stopped" } else { "goes" };
    note(app, &format!("agent {word} {} {} {} {} {id}", now.millis(), stop.as_str(), whose.org, whose.owner))
}

/// Writes down beside the keys that everything of a person is stopped, or goes on.
pub(super) fn note_pause(app: &App, whose: Whose, on: bool, now: Timestamp) -> Result<()> {
    let word = if on { "stopped" } else { "goes" };
    note(app, &format!("person {word} {} {} {}", now.millis(), whose.org, whose.owner))
}

/// Writes down beside the keys that a user is about to be removed, or stays after all. It ends nothing of theirs but on a restored copy.
pub(super) fn note_leaver(app: &App, org: OrgId, (id, knew): (UserId, bool), on: bool, now: Timestamp) -> Result<()> {
    let (word, knew) = (if on { "going" } else { "stays" }, if knew { KNEW } else { NAMED });
    note(app, &format!("user {word} {} {knew} {org} {id}", now.millis()))
}

/// Writes down beside the keys that a user was removed.
pub(super) fn note_removed(app: &App, org: OrgId, id: UserId) -> Result<()> {
    note(app, &format!("user {org} {id}"))
}

fn note(app: &App, line: &str) -> Result<()> {
    let mut open = std::fs::OpenOptions::new();
    let file = open.create(true).append(true).open(app.config.keys.join(REVOCATIONS));
    file.and_then(|mut file| {
        // One write: two processes that append at once do not mix their lines. The line end in front ends a line that a
        // full disk cut short.
        file.write_all(format!("\n{line}\n").as_bytes())?;
        file.sync_all()
    })
    .map_err(Error::unavailable)
}

fn derive(roots: &Roots, credential: &Credential) -> Secret<String> {
    match credential.kind {
        Kind::ApiKey => apikey::derive_api_key(&roots.api_key, credential.org, credential.id, &credential.seed),
        Kind::AccessKey => apikey::derive_access_key(&roots.api_key, credential.org, credential.id, &credential.seed),
        Kind::ClientSecret => {
            apikey::derive_client_secret(&roots.client_secret, credential.org, credential.id, &credential.seed)
        }
        kind @ (Kind::AgentKey | Kind::TestAgentKey) => {
            let test = kind == Kind::TestAgentKey;
            apikey::derive_agent_key(&roots.api_key, test, credential.org, credential.id, &credential.seed)
        }
        Kind::DeviceKey => apikey::derive_device_key(&roots.api_key, credential.org, credential.id, &credential.seed),
        // Its private half is its owner's alone.
        Kind::StampKey => Secret::new(String::new()),
    }
}

fn digest(roots: &Roots, kind: Kind, key: &Secret<String>) -> [u8; 16] {
    let root = match kind {
        Kind::ClientSecret => &roots.client_secret_lookup,
        _ => &roots.api_key_lookup,
    };
    apikey::lookup_digest(root, key.expose())
}
