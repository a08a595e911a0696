//! An activity, from the bytes of its body to its answer: the stamp verifies → the key lives and may → the fingerprint is looked up → the time
//! is right → what it needs is made → one unit, which claims the fingerprint, does it, and writes down how it ended.

use std::sync::Arc;

use doorcode_core::activity::{Kind, Parameters, Request, Status};
use doorcode_core::seal::turnkey::Verification;
use doorcode_core::stamp::authority::{Call, Side};
use doorcode_core::stamp::{
    AHEAD, AttestedStamp, BodyPrint, KeyKind, Presented, PublicKey, Refusal, Stamp, WebauthnStamp, timely,
};
use doorcode_core::{Error, EventId, Result, Timestamp, UserId};
use serde_json::json;

use super::caller::{self, Found};
use super::login::Spending;
use super::task::Task;
use super::view::{Looker, View};
use super::{Ended, Outcome, Refused, Then, contacts, keys};
use crate::app::App;
use crate::ops::audit::{self, Happened, Whose};
use crate::ops::backups::may_be_of_before;
use crate::ops::challenges::conclude;
use crate::ops::client::Client;
use crate::store::activities::{self as rows, Activity};
use crate::store::stamp_keys::StampKey;
use crate::store::{Tx, events, orgs, signers};

/// A stamp that was verified over the body.
enum Stamped {
    Key(Stamp),
    Attested(AttestedStamp),
}

impl Stamped {
    fn verify(presented: &Presented<'_>, body: &[u8]) -> Result<Self, Refusal> {
        match presented {
            Presented::Key(header) => {
                let stamp = Stamp::parse(header)?;
                stamp.verify(body)?;
                Ok(Self::Key(stamp))
            }
            Presented::Attested(header) => {
                let stamp = AttestedStamp::parse(header)?;
                stamp.verify(body)?;
                Ok(Self::Attested(stamp))
            }
            Presented::Webauthn(header) => Err(unknown(header)),
        }
    }

    fn key(&self) -> &PublicKey {
        match self {
            Self::Key(stamp) => stamp.key(),
            Self::Attested(stamp) => stamp.key(),
        }
    }
}

/// Nothing registers passkeys, so a stamp of one is of nobody's.
pub(super) fn unknown(header: &str) -> Refusal {
    WebauthnStamp::parse(header).err().unwrap_or(Refusal::UnknownKey)
}

/// Does what a body asks that came to this path (its last part) from there, or says what came of it before.
pub async fn submit(
    app: &Arc<App>,
    path: &str,
    presented: &Presented<'_>,
    body: &[u8],
    client: Client,
) -> Result<View, Refused> {
    let stamped = Stamped::verify(presented, body)?;
    let request = Request::read(path, body)?;
    let now = app.clock.now();
    let (caller, token) = match &stamped {
        Stamped::Key(stamp) => (caller::find(app, request.org, stamp.key()).await?, None),
        Stamped::Attested(stamp) => attested(app, &request, stamp, now).await?,
    };
    let caller = caller::placed(caller, client);
    let parameters = request.parameters()?;
    if !caller.actor().may(Call::Activity(request.kind), subject(&parameters, &caller)) {
        return Err(Refusal::NotAuthorized.into());
    }
    let print = BodyPrint::of(body);
    let sent = Sent { key: stamped.key().to_hex(), fingerprint: print.to_string(), signature: signature(&stamped) };
    let prints: Vec<[u8; 32]> = app.keys.ring().iter().map(|roots| print.keyed(&roots.activity, request.org)).collect();
    let body = Body { request: &request, parameters, token, now };
    // Who sends the same meanwhile waits for it here; on other servers, at its row.
    let name = prints.first().copied().unwrap_or_default();
    let done = app.bodies.once(name, body.done(app, &caller, &stamped, &sent, prints)).await?;
    answer(app, done, &caller, &sent).await
}

/// A body that somebody may ask for.
struct Body<'a> {
    request: &'a Request,
    parameters: Parameters<'a>,
    token: Option<Verification>,
    now: Timestamp,
}

impl Body<'_> {
    /// What came of it before, or comes of it now.
    async fn done(
        self,
        app: &Arc<App>,
        caller: &Arc<Found>,
        stamped: &Stamped,
        sent: &Sent,
        prints: Vec<[u8; 32]>,
    ) -> Result<Activity, Refused> {
        if let Some(done) = before(app, prints.clone()).await? {
            return Ok(keys::noted(app, done).await?);
        }
        let (request, now) = (self.request, self.now);
        timely(request.at, now)?;
        let task = Task::new(app, caller, self.token, &self.parameters, now)?;
        if let Task::End(end) = &task {
            end.note(app, caller, request.at).await?;
        }
        let secret = request.kind.carries_secret();
        let claim = Activity {
            id: app.entropy.id(now)?,
            org: request.org,
            print: prints.first().copied(),
            kind: request.kind,
            status: Status::Created,
            signer_org: caller.user.org,
            user: caller.user.id,
            public_key: sent.key.clone(),
            scheme: scheme(stamped).to_owned(),
            plain: (!secret).then(|| sent.fingerprint.clone()),
            signature: (!secret).then(|| sent.signature.clone()),
            body: request.masked()?,
            result: None,
            failure: None,
        };
        Deed { claim, task, dated: Some(request.at), now, event: app.entropy.id(now)? }.perform(app, caller).await
    }
}

/// What came with the body that an answer is for.
struct Sent {
    key: String,
    fingerprint: String,
    signature: String,
}

async fn answer(app: &Arc<App>, activity: Activity, caller: &Found, sent: &Sent) -> Result<View, Refused> {
    let (org, user) = (activity.signer_org, activity.user);
    let signer = if (org, user) == (caller.user.org, caller.user.id) {
        Some(caller.user.clone())
    } else {
        app.db.read(move |tx| Box::pin(async move { signers::get(tx, &org, &user).await })).await?
    };
    let looker =
        Looker { key: Some(&sent.key), fingerprint: Some(&sent.fingerprint), signature: Some(&sent.signature) };
    let view = View::of(app, activity, signer, looker)?;
    match view.failure {
        Some(failure) => Err(failure.refusal().into()),
        None => Ok(view),
    }
}

/// The activity that the same body was before, under whichever master key it was written down.
async fn before(app: &App, prints: Vec<[u8; 32]>) -> Result<Option<Activity>> {
    app.db.read(move |tx| Box::pin(async move { found(tx, &prints).await })).await
}

async fn found(tx: &mut Tx<'_>, prints: &[[u8; 32]]) -> Result<Option<Activity>> {
    for print in prints {
        if let Some(found) = rows::by_print(tx, print).await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn signature(stamped: &Stamped) -> String {
    match stamped {
        Stamped::Key(stamp) => stamp.signature(),
        Stamped::Attested(stamp) => stamp.signature(),
    }
}

fn scheme(stamped: &Stamped) -> &'static str {
    match stamped {
        Stamped::Key(stamp) => stamp.scheme().name(),
        Stamped::Attested(_) => AttestedStamp::VOTE_SCHEME,
    }
}

/// The one user whom a call is about.
fn subject(parameters: &Parameters<'_>, caller: &Found) -> Option<UserId> {
    match parameters.kind() {
        Kind::StampLogin => Some(caller.user.id),
        Kind::CreateReadWriteSessionV2 => Some(keys::user_id(parameters).unwrap_or(caller.user.id)),
        _ => keys::user_id(parameters).ok(),
    }
}

/// Whoever signs with the key that a verification token names: the user whose contact that is. The token is spent by what they ask for.
async fn attested(
    app: &Arc<App>,
    request: &Request,
    stamp: &AttestedStamp,
    now: Timestamp,
) -> Result<(Arc<Found>, Option<Verification>), Refused> {
    if !request.kind.is_open_to_attested() {
        return Err(Refusal::NotAuthorized.into());
    }
    let org = request.org;
    let read = app.db.read(move |tx| Box::pin(async move { orgs::get(tx, &org).await }));
    let org = read.await?.ok_or(Refusal::UnknownOrganization)?;
    let token = Spending::read(app, &org, stamp.token(), now)?;
    if token.key != Some(*stamp.key()) {
        return Err(Refusal::Token.into());
    }
    let (id, contact) = (org.id, token.contact.clone());
    let owner = app.db.read(move |tx| Box::pin(async move { contacts::owner(tx, &id, &contact).await }));
    let user = owner.await?.map_err(|_| Refusal::Token)?;
    let key = StampKey {
        org: org.id,
        id: caller::KEYLESS,
        user: user.id,
        key: *stamp.key(),
        kind: KeyKind::Login,
        name: String::new(),
        expires_at: Some(token.expires_at),
        inert: None,
        proved: true,
    };
    Ok((Arc::new(Found { org, side: Side::Own, key, user, sandbox: false, client: None }), Some(token)))
}

/// An activity that is about to be done.
#[derive(Clone)]
pub(super) struct Deed {
    pub(super) claim: Activity,
    pub(super) task: Task,
    /// When its caller says that they signed it. None: nobody did.
    pub(super) dated: Option<Timestamp>,
    pub(super) now: Timestamp,
    pub(super) event: EventId,
}

/// What the unit of an activity came to.
enum Came {
    /// The same body was before.
    Before(Option<Activity>),
    /// It was judged now.
    Now(Box<Activity>, Then),
    /// Nothing is kept of it.
    Refused(Refusal, Then),
}

impl Deed {
    pub(super) async fn perform(self, app: &Arc<App>, caller: &Arc<Found>) -> Result<Activity, Refused> {
        let about = self.task.about(app, &self.claim, caller).await?;
        let (unit_app, unit_caller, deed) = (Arc::clone(app), Arc::clone(caller), self.clone());
        let unit =
            app.db.write_at(about, move |tx| Box::pin(async move { deed.unit(tx, &unit_app, &unit_caller).await }));
        let came = unit.await;
        if came.is_ok() {
            self.task.count(app);
        }
        match came {
            Ok(Came::Before(found)) => {
                let found = found.ok_or_else(|| Error::unavailable("an activity was let go of meanwhile"))?;
                Ok(keys::noted(app, found).await?)
            }
            Ok(Came::Now(activity, then)) => {
                if self.task.changes_org() {
                    app.recent_signers.forget();
                }
                follow(app, then)?;
                Ok(*activity)
            }
            Ok(Came::Refused(refusal, then)) => {
                follow(app, then)?;
                Err(refusal.into())
            }
            Err(error) => Err(match &self.task {
                Task::Start(start) => start.lost(app, error).into(),
                Task::Mail(mail) => mail.lost(app, error).into(),
                _ => error.into(),
            }),
        }
    }

    async fn unit(self, tx: &mut Tx<'_>, app: &App, caller: &Found) -> Result<Came> {
        let Self { mut claim, task, dated, now, event } = self;
        if !rows::claim(tx, &claim).await? {
            return Ok(Came::Before(found(tx, claim.print.as_slice()).await?));
        }
        if task.changes_org() {
            orgs::hold(tx, &caller.org.id).await?;
        }
        if caller.side == Side::Own && task.holds() {
            signers::hold(tx, &caller.user.org, &caller.user.id).await?;
        }
        let ended = if caller.has_ended(tx).await? {
            Ended::refused(Refusal::UnknownKey)
        } else if let Some(at) = dated
            && may_be_of_before(tx, at, AHEAD).await?
        {
            let why = "must be more than five minutes later than when this server was recovered from a copy";
            Ended::refused(Refusal::Request { field: "timestampMs", why })
        } else {
            task.run(tx, app, caller, now).await?
        };
        let outcome = match ended.outcome {
            // Of what nobody signed only what it earned is kept: anybody could fill the disk with the rest.
            Outcome::Failed(failure) if claim.print.is_none() => Outcome::Refused(failure.refusal()),
            outcome => outcome,
        };
        let word = match outcome {
            Outcome::Refused(refusal) => {
                rows::release(tx, &claim.id).await?;
                return Ok(Came::Refused(refusal, ended.then));
            }
            Outcome::Failed(failure) => {
                claim.status = Status::Failed;
                claim.failure = Some(failure.as_str().to_owned());
                events::Kind::ActivityFailed
            }
            Outcome::Done(result) => {
                claim.status = Status::Completed;
                claim.result = Some(result.to_string());
                events::Kind::ActivityCompleted
            }
        };
        rows::end(tx, &claim.id, claim.status, claim.result.as_deref(), claim.failure.as_deref()).await?;
        events::append(tx, &event, &claim.org, word, claim.id.as_bytes()).await?;
        let (org, owner) = ended.about.unwrap_or((claim.signer_org, claim.user));
        let details = json!({
            "activity": claim.id.to_string(),
            "organization": claim.org.to_string(),
            "type": claim.kind.name(),
            "status": claim.status.name(),
            "signer": claim.user.to_string(),
            "publicKey": claim.public_key,
        });
        let happened = Happened { kind: "activity", actor: "user", agent: None, relay: None, details };
        audit::note(tx, app, Whose { org, owner }, happened, now).await?;
        Ok(Came::Now(Box::new(claim), ended.then))
    }
}

/// What is done once it is on disk.
fn follow(app: &Arc<App>, then: Then) -> Result<(), Refused> {
    match then {
        Then::Nothing => Ok(()),
        Then::Over(keys) => Ok(keys::ended(app, keys.into_iter())?),
        Then::Noted => {
            app.recent_signers.forget();
            Ok(())
        }
        Then::Mail(leased, begun) => {
            let refused = matches!(*begun, crate::ops::challenges::Begun::Refused(_));
            match conclude(app, leased, Ok(*begun)) {
                Ok(_) => Ok(()),
                // Said by who asked.
                Err(_) if refused => Ok(()),
                Err(error) => Err(error.into()),
            }
        }
    }
}
