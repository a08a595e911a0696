//! Signing in, at the front door or in a browser: a verified address becomes a user, an org and its API key, made once and
//! the same at every later sign-in; a browser gets a session, or the code for its app. Refuses to show by its answer who has an account and who may get one.

use std::sync::Arc;

use doorcode_core::{ChallengeId, Email, Error, EventId, OrgId, Result, Secret, SessionId, Timestamp, UserId, apikey};

use super::challenges::{Aim, Attempt, Checked, check};
use super::credentials::{self, Minted};
use super::redirects::{self, AppRequest};
use crate::app::App;
use crate::config::Signup;
use crate::keyring::Roots;
use crate::store::challenges::Challenge;
use crate::store::credentials::{Credential, Kind};
use crate::store::redirects::{self as redirect_rows, Code};
use crate::store::sessions::{self, Session};
use crate::store::{About, Tx, credentials as credential_rows, events, identities, invites, orgs, users};

/// The longest name that is kept, in characters.
pub const NAME_MOST: usize = 100;

/// What a sign-in hands over.
pub struct SignedIn {
    /// The user.
    pub user: UserId,
    /// Their name.
    pub full_name: String,
    /// Their verified address.
    pub email: Email,
    /// Their org.
    pub org: OrgId,
    /// Its name.
    pub org_name: String,
    /// Its API key.
    pub api_key: Secret<String>,
}

/// Everything that whoever was right may need made. Made in the unit: most guesses are wrong, and need none of it.
struct Newcomer {
    org: OrgId,
    user: UserId,
    event: EventId,
    key: Minted,
}

impl Newcomer {
    fn make(app: &App, now: Timestamp) -> Result<Self> {
        let mut random = app.entropy.deal::<72>()?;
        Ok(Self {
            org: random.id(now)?,
            user: random.id(now)?,
            event: random.id(now)?,
            key: credentials::mint(app, Kind::ApiKey, "admin", (random.id(now)?, random.bytes()?)),
        })
    }
}

/// What an attempt came to. All of it is committed, what was counted against it too.
enum Entry {
    /// Wrong, in the one sense that the outside is told.
    Wrong,
    /// It was right and is said again, and what it earned is no more.
    Over,
    /// It was right.
    Right(Box<Entered>),
}

/// A sign-in that went well.
struct Entered {
    account: Account,
    /// With which challenge.
    challenge: ChallengeId,
    /// The same client said it before, and has what it earned.
    again: bool,
}

/// Who signed in, as the unit found or made them.
struct Account {
    user: UserId,
    full_name: String,
    org: OrgId,
    org_name: String,
    key: Credential,
}

/// What codes of the house are for, by whichever entrance they are asked for.
pub const PURPOSE: &str = "sign-in";

/// Checks a code and hands over what it earned. `None`: wrong, in the one sense that the outside is told.
pub async fn verify(app: &Arc<App>, attempt: Attempt) -> Result<Option<SignedIn>> {
    let now = app.clock.now();
    let email =
        attempt.to.email().cloned().ok_or(Error::Invalid { field: "email", why: "must be an address of e-mail" })?;
    let unit_app = Arc::clone(app);
    let aim = Aim::of(app, &attempt);
    let (db, about, tally) = (&app.db, About::address(aim.address, attempt.client.asker()), aim.tally.clone());
    let unit = db.write_at(about, move |tx| Box::pin(async move { enter(tx, &unit_app, &attempt, &aim, now).await }));
    let came = unit.await?;
    tally.count(app);
    let account = match came {
        Entry::Wrong => return Ok(None),
        Entry::Over => return Err(Error::Gone),
        Entry::Right(entered) => entered.account,
    };
    let api_key = credentials::reveal(app, &account.key)?;
    Ok(Some(SignedIn {
        user: account.user,
        full_name: account.full_name,
        email,
        org: account.org,
        org_name: account.org_name,
        api_key,
    }))
}

/// The unit of a sign-in.
async fn enter(tx: &mut Tx<'_>, app: &App, attempt: &Attempt, aim: &Aim, now: Timestamp) -> Result<Entry> {
    let (challenge, again) = match check(tx, app, (attempt, aim), None, now).await? {
        Checked::Right(challenge) => (challenge, false),
        Checked::Repeat(challenge) => (challenge, true),
        Checked::Wrong | Checked::Unpaid => return Ok(Entry::Wrong),
    };
    let newcomer = Newcomer::make(app, now)?;
    let event = newcomer.event;
    let account = match identities::verified(tx, &aim.address).await? {
        Some((org, user)) => match welcome_back(tx, org, user, newcomer.key, again, now).await? {
            Some(account) => account,
            None => return Ok(Entry::Over),
        },
        None if again => return Ok(Entry::Wrong),
        None => match sign_up(tx, app, (attempt, aim), &challenge, newcomer, now).await? {
            Some(account) => account,
            None => return Ok(Entry::Wrong),
        },
    };
    if !again {
        events::append(tx, &event, &account.org, events::Kind::UserSignedIn, account.user.as_bytes()).await?;
    }
    Ok(Entry::Right(Box::new(Entered { account, challenge: challenge.id, again })))
}

/// What a browser signs in for.
#[derive(Clone)]
pub struct Wish {
    /// What it says it is, for the list of sessions.
    pub agent: String,
    /// The session that it had before: a sign-in takes its place.
    pub before: Option<SessionId>,
    /// The app that it goes back to; none: it stays here.
    pub request: Option<AppRequest>,
}

/// What a browser's sign-in earned.
pub enum Earned {
    /// A session of its own.
    Session(Box<Session>),
    /// A code for the app, good for a minute.
    Code(Secret<String>),
}

/// The row of it.
enum Kept {
    Session(Box<Session>),
    Code(Box<Code>),
    /// It was there, and is no more.
    Nothing,
}

/// Checks what a browser brings, and gives it a session, or the code for its app. A repeat gives the same again.
pub async fn enter_browser(app: &Arc<App>, attempt: Attempt, wish: Wish) -> Result<Option<Earned>> {
    let (now, seed) = (app.clock.now(), app.entropy.bytes::<16>()?);
    let (unit_app, aim, event) = (Arc::clone(app), Aim::of(app, &attempt), app.entropy.id(now)?);
    let (replaces, tally) = (wish.before.is_some(), aim.tally.clone());
    // Alone: the session that it takes the place of may be that of somebody else, at another address.
    let about = About::address(aim.address, attempt.client.asker()).alone();
    let unit = app.db.write_at(about, move |tx| {
        Box::pin(async move {
            match enter(tx, &unit_app, &attempt, &aim, now).await? {
                Entry::Wrong => Ok(None),
                Entry::Over => Ok(Some(Kept::Nothing)),
                Entry::Right(entered) => earn(tx, &unit_app, &entered, wish, (seed, event), now).await.map(Some),
            }
        })
    });
    let kept = unit.await?;
    tally.count(app);
    if replaces {
        app.recent_sessions.forget();
    }
    match kept {
        None => Ok(None),
        Some(Kept::Nothing) => Err(Error::Gone),
        Some(Kept::Session(session)) => Ok(Some(Earned::Session(session))),
        Some(Kept::Code(code)) => redirects::reveal(app, &code).map(|code| Some(Earned::Code(code))),
    }
}

/// Writes what was earned under the id of its challenge; a repeat finds it there.
async fn earn(
    tx: &mut Tx<'_>,
    app: &App,
    entered: &Entered,
    wish: Wish,
    (seed, event): ([u8; 16], EventId),
    now: Timestamp,
) -> Result<Kept> {
    let (id, owner) =
        (SessionId::from_bytes(*entered.challenge.as_bytes()), (entered.account.org, entered.account.user));
    if entered.again {
        let before = sessions::get(tx, &id).await?;
        return match (before, redirect_rows::code(tx, &id).await?) {
            (_, Some(code)) => Ok(Kept::Code(Box::new(code))),
            (Some(session), None) => Ok(Kept::Session(Box::new(session))),
            (None, None) => Ok(Kept::Nothing),
        };
    }
    if let Some(request) = &wish.request {
        let code = redirects::code_for(app, request, (id, seed), owner, now)?;
        redirect_rows::insert_code(tx, &code).await?;
        return Ok(Kept::Code(Box::new(code)));
    }
    if let Some(before) = &wish.before {
        sessions::revoke(tx, before, now).await?;
    }
    let session = super::sessions::begin(app, (id, seed), owner, None, wish.agent, now);
    sessions::insert(tx, &session).await?;
    events::append(tx, &event, &session.org, events::Kind::SessionCreated, id.as_bytes()).await?;
    Ok(Kept::Session(Box::new(session)))
}

/// The link in a mail: the page that it opens says what happens there.
pub fn link(app: &App, roots: &Roots, challenge: &Challenge) -> Secret<String> {
    let token = apikey::derive_link_token(&roots.link, &challenge.binding());
    Secret::new(format!("{}/l/{}/{}", app.base_url(), challenge.id, token.expose()))
}

/// The account that the address has. Its newest living key, or, when none lives, one more. A repeat makes none: it gets nothing.
async fn welcome_back(
    tx: &mut Tx<'_>,
    org: OrgId,
    user: UserId,
    key: Minted,
    again: bool,
    now: Timestamp,
) -> Result<Option<Account>> {
    // On PostgreSQL somebody may have removed them since their identity was read.
    let missing = || Error::unavailable("an identity names a user or org that is not there");
    let (full_name, org_name) = users::names(tx, &org, &user).await?.ok_or_else(missing)?;
    let key = match credential_rows::newest_key(tx, &org, now).await? {
        Some(key) => key,
        None if again => return Ok(None),
        None => key.put(tx, org).await?,
    };
    Ok(Some(Account { user, full_name, org, org_name, key }))
}

/// A new account, where this address may have one.
async fn sign_up(
    tx: &mut Tx<'_>,
    app: &App,
    (attempt, aim): (&Attempt, &Aim),
    challenge: &Challenge,
    newcomer: Newcomer,
    now: Timestamp,
) -> Result<Option<Account>> {
    let invited = invites::take(tx, &aim.address).await?;
    let allowed = match &app.config.signup {
        Signup::Open => true,
        Signup::Domains(domains) => {
            attempt.to.email().is_some_and(|email| domains.iter().any(|domain| domain == email.domain()))
        }
        Signup::Invite => false,
    };
    if !allowed && invited.is_none() {
        return Ok(None);
    }
    let full_name = name_of(attempt, challenge);
    let joined = match invited.flatten() {
        Some(org) => orgs::name(tx, &org).await?.map(|name| (org, name)),
        None => None,
    };
    let (org, org_name, key) = match joined {
        Some((org, name)) => {
            let key = match credential_rows::newest_key(tx, &org, now).await? {
                Some(key) => key,
                None => newcomer.key.put(tx, org).await?,
            };
            (org, name, key)
        }
        None => {
            let name = format!("{full_name}'s Team");
            orgs::insert(tx, &newcomer.org, None, &name).await?;
            (newcomer.org, name, newcomer.key.put(tx, newcomer.org).await?)
        }
    };
    users::insert(tx, &org, &newcomer.user, &full_name, Some(attempt.to.as_str())).await?;
    identities::insert(tx, &aim.address, &org, &newcomer.user, now).await?;
    Ok(Some(Account { user: newcomer.user, full_name, org, org_name, key }))
}

/// The name from the verifying client's own start; a name that somebody else gave for the address is not theirs.
fn name_of(attempt: &Attempt, challenge: &Challenge) -> String {
    let own = challenge.client.is_some() && challenge.client == attempt.client.host();
    match &challenge.full_name {
        Some(name) if own => name.clone(),
        _ => attempt.to.email().map_or("", Email::local).to_owned(),
    }
}

/// A name as it is kept: one line, without control or direction characters, not too long. None if nothing is left.
pub fn clean_name(given: &str) -> Option<String> {
    doorcode_core::line::clean(given, NAME_MOST)
}
