//! Where the two halves of a collector meet: the list of what is waited for, from the server, and the messages, from the mailbox. Refuses to
//! say anything of a message but what became of it.

use std::collections::{HashMap, HashSet};
use std::io::{IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use doorcode_core::extract::extract_first;
use doorcode_core::reason::Reason;
use doorcode_core::relay::fit::{Fit, Worth, fit};
use doorcode_core::relay::{Choice, Named as _, choose};
use doorcode_core::seal::{Context, PublicKey};
use doorcode_core::{Error, RelayId, Secret, Timestamp, hex};
use hyper::Method;
use serde_json::json;
use tokio::sync::Notify;

use super::agents::Agent;
use super::judge::{Found, judge};
use super::say;
use super::server::{Gone, Link};
use super::settings::{FirstUse, Setup};
use super::wanted::{Answer, List, Request};
use crate::capture::mail::{self, Judged, Letter, Never};
use crate::capture::mailbox::{self, Fetched, Outcome, Place, State};
use crate::capture::origin;
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::ops::relays::about;

/// How long the server is asked to wait for news.
const WAIT: Duration = Duration::from_secs(50);
/// Between two tries to ask it.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// The desk.
pub(super) struct Desk<'a> {
    setup: &'a Setup,
    clock: Clock,
    entropy: Entropy,
    now_waited: Mutex<Arc<Awaited<'a>>>,
    news: Arc<Notify>,
    out: tokio::sync::Mutex<Link>,
    state: Mutex<Option<State>>,
    said: Mutex<HashSet<RelayId>>,
    forgets: Mutex<bool>,
}

/// The list, and to which of its requests a code may be sealed.
#[derive(Default)]
struct Awaited<'a> {
    list: List,
    good: HashMap<RelayId, (PublicKey, Option<&'a Agent>)>,
}

impl Awaited<'_> {
    fn requests(&self, now: Timestamp) -> impl Iterator<Item = &Request> {
        let good = move |request: &&Request| self.good.contains_key(&request.id) && request.expires_at > now;
        self.list.requests.iter().filter(good)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> Desk<'a> {
    pub(super) fn new(setup: &'a Setup, clock: Clock, entropy: Entropy) -> Self {
        Self {
            setup,
            clock,
            entropy,
            now_waited: Mutex::default(),
            news: Arc::default(),
            out: tokio::sync::Mutex::new(Link::new(setup)),
            state: Mutex::default(),
            said: Mutex::default(),
            forgets: Mutex::default(),
        }
    }

    /// Follows the server's list until dropped.
    pub(super) async fn follow(&self) {
        let (mut link, mut version, mut tries) = (Link::new(self.setup), String::new(), 0_u32);
        loop {
            match list(&mut link, &version).await {
                Ok(answer) => {
                    if tries > 0 || version.is_empty() {
                        say("the server answers");
                    }
                    tries = 0;
                    // The same list may have become another one by what was pinned meanwhile.
                    version.clone_from(&answer.version);
                    self.put(answer.read()).await;
                }
                Err(Gone(why)) => {
                    if tries == 0 {
                        say(&format!("the server: {why}; it is asked again"));
                    }
                    let pause = PAUSE.0.saturating_mul(1 << tries.min(16)).min(PAUSE.1);
                    tries += 1;
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }

    async fn put(&self, list: List) {
        let mut good = HashMap::new();
        for request in &list.requests {
            if let Some(found) = self.judged(request).await {
                good.insert(request.id, found);
            }
        }
        let waited = !good.is_empty();
        *lock(&self.now_waited) = Arc::new(Awaited { list, good });
        self.news.notify_waiters();
        if waited {
            // Whoever hands a code in should not wait for a connection; without one it is made then.
            let _ = self.out.lock().await.warm().await;
        }
    }

    async fn judged(&self, request: &Request) -> Option<(PublicKey, Option<&'a Agent>)> {
        let (agents, pins) = (&self.setup.agents, &self.setup.pins);
        match judge(request, agents, pins, &self.setup.memory, self.clock.now()) {
            Found::Good(key, agent) => Some((key, agent)),
            Found::Refused(why) => {
                self.refuse(request, why);
                None
            }
            Found::New(_) if self.setup.first_use == FirstUse::Refuse => {
                self.refuse(request, "the agent has no identity, and its key is not pinned");
                None
            }
            Found::New(key) => {
                let print = key.fingerprint().ok()?.to_string();
                if !self.ask(request, &print).await {
                    return None;
                }
                pins.add(&request.agent.shown(), &print).ok()?;
                Some((key, agents.of_id(&request.agent.shown())))
            }
        }
    }

    /// Says once why a request gets nothing here.
    fn refuse(&self, request: &Request, why: &str) {
        if lock(&self.said).insert(request.id) {
            say(&format!("{} of {} ({}) is refused: {why}", request.id.shown(), name(request), request.agent.shown()));
        }
    }

    /// The person's word about a new key: on the terminal, or by another command.
    async fn ask(&self, request: &Request, print: &str) -> bool {
        if !lock(&self.said).insert(request.id) {
            return false;
        }
        let agent = request.agent.shown();
        if !std::io::stdin().is_terminal() {
            let pins = self.setup.pins.path().display();
            say(&format!(
                "{} of {} ({agent}) comes without an identity, whatever it is called, and has a key that is not pinned: \
                 {print}; compare it with the agent's own, then say yes with: doorcode collect approve --pins {pins} \
                 --agent {agent} --key '{print}'",
                request.id.shown(),
                name(request)
            ));
            return false;
        }
        let question = format!(
            "The agent {} ({agent}) comes without an identity, whatever it is called, and has the key {print}. Pin it? [y/N] ",
            name(request)
        );
        let asked = tokio::task::spawn_blocking(move || {
            drop(write!(std::io::stderr().lock(), "{question}"));
            let mut answer = String::new();
            std::io::stdin().read_line(&mut answer).is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
        });
        asked.await.unwrap_or(false)
    }

    async fn found(&self, waited: &Awaited<'a>, judged: &Judged) -> Outcome {
        let text = Secret::new(judged.text());
        let came = judged.came(text.expose());
        let (mut fitting, mut unverified, mut forged) = (Vec::new(), false, false);
        for request in waited.requests(self.clock.now()) {
            let allowed = waited.good.get(&request.id).is_some_and(|(_, agent)| may_have(*agent, judged));
            match fit(&request.wanted, &came) {
                Fit::Yes if allowed => fitting.push(request),
                Fit::Unverified => unverified = true,
                Fit::Forged => forged = true,
                Fit::Yes | Fit::No => {}
            }
        }
        let candidates: Vec<_> = fitting.iter().map(|request| request.candidate).collect();
        match choose(&candidates) {
            Choice::One(id) => match fitting.iter().find(|request| request.id == id) {
                Some(request) => self.give(waited, request, judged).await,
                None => Outcome::Left,
            },
            Choice::Contested => {
                say("a message fits requests of two agents, and none was chosen: neither gets it");
                Outcome::Left
            }
            Choice::Nobody => {
                if unverified {
                    say("a message would fit, but nobody vouches for its sender");
                }
                if forged {
                    say("a message would fit, but its signature is false: it is forged");
                }
                Outcome::Left
            }
        }
    }

    async fn give(&self, waited: &Awaited<'a>, request: &Request, judged: &Judged) -> Outcome {
        let forms = judged.forms();
        let Some(found) = extract_first(&forms) else { return Outcome::Done };
        let Some((key, _)) = waited.good.get(&request.id) else { return Outcome::Left };
        let sealed = self.seal(key, request, &found.code, judged);
        let Ok(payload) = sealed else {
            say(&format!("{}: the code could not be sealed", request.id.shown()));
            return Outcome::Done;
        };
        let body = json!({
            "encryptedPayload": payload,
            "source": "email",
            "metadata": {
                // Not its body's digest: whoever reads that tries codes until one fits.
                "emailId": judged.id.map(|id| hex::encode(&id)),
                "verifiedDomain": judged.domain,
                "forwarder": judged.forwarder,
                "about": forms.iter().find_map(about),
            },
        });
        let path = format!("/v1/otp/{}/receive", request.id.shown());
        let answer = self.out.lock().await.ask(Method::POST, &path, &body.to_string(), Duration::ZERO).await;
        match answer {
            Ok((200, _)) => {
                self.kept(self.setup.memory.handed_in(&judged.digests(), self.clock.now()).is_ok());
                say(&format!("{}: a code was handed in, sealed", request.id.shown()));
                Outcome::Done
            }
            Ok((status @ (429 | 500..), _)) => {
                say(&format!("{}: the server can't take it now ({status})", request.id.shown()));
                Outcome::Again
            }
            Ok((status, _)) => {
                say(&format!("{}: the server does not take it ({status})", request.id.shown()));
                Outcome::Left
            }
            Err(Gone(why)) => {
                say(&format!("{}: not handed in yet: {why}", request.id.shown()));
                Outcome::Again
            }
        }
    }

    fn seal(
        &self,
        key: &PublicKey,
        request: &Request,
        code: &Secret<String>,
        judged: &Judged,
    ) -> Result<String, Error> {
        let (id, agent) = (request.id.shown(), request.agent.shown());
        let sender = judged.domain.as_deref().unwrap_or_default();
        let context = Context { request: &id, agent: &agent, sender, expires_at: request.expires_at };
        Ok(key.seal(code, &context, Secret::new(self.entropy.bytes()?))?.into_string())
    }

    /// Says once that nothing can be remembered: the server refuses a message that it knows, and what came meanwhile is lost.
    fn kept(&self, kept: bool) {
        if !std::mem::replace(&mut *lock(&self.forgets), !kept) && !kept {
            say("what was done can't be written down: after a restart it is not known");
        }
    }
}

impl mailbox::Desk for Desk<'_> {
    async fn waits(&self) -> Option<Timestamp> {
        let waited = Arc::clone(&lock(&self.now_waited));
        waited.requests(self.clock.now()).map(|request| request.wanted.after).min()
    }

    fn news(&self) -> Arc<Notify> {
        Arc::clone(&self.news)
    }

    async fn take(&self, message: &Fetched) -> Outcome {
        let waited = Arc::clone(&lock(&self.now_waited));
        let now = self.clock.now();
        let Some(after) = waited.requests(now).map(|request| request.wanted.after).min() else { return Outcome::Left };
        let own: Vec<&str> = waited.list.own_domains.iter().map(String::as_str).collect();
        let host = self.setup.account.target.host();
        let mailbox = mail::Mailbox {
            addresses: &self.setup.addresses,
            host: Some(host),
            forwarders: &self.setup.forwarders,
            carrier: None,
        };
        let letter = Letter { raw: message.raw.expose(), arrived: message.arrived, junk: false };
        let ours = |parsed: &_| origin::is_anybodys(parsed, &own);
        let opened = match mail::open(&letter, &mailbox, ours) {
            Ok(opened) => opened,
            Err(never) => {
                say(passed_over(never));
                return Outcome::Done;
            }
        };
        if opened.domains.iter().any(|domain| waited.list.denied.iter().any(|denied| denied.covers(domain))) {
            say(passed_over(Never::Denied));
            return Outcome::Done;
        }
        if !opened.is_meant(waited.requests(now).map(|request| &request.wanted)) {
            return Outcome::Left;
        }
        let judged = opened.judge(&self.setup.verifier, &mailbox, (after, now)).await;
        if judged.temporary && judged.worth != Worth::Verified {
            say("the keys of a message's sender could not be had; it is looked at again");
            return Outcome::Again;
        }
        if self.setup.memory.knows(&judged.digests()) { Outcome::Done } else { self.found(&waited, &judged).await }
    }

    async fn begin(&self) -> Option<Place> {
        self.setup.memory.place()
    }

    async fn keep(&self, place: &Place) {
        self.kept(self.setup.memory.reached(place).is_ok());
    }

    async fn hear(&self, state: State) {
        if lock(&self.state).replace(state) == Some(state) {
            return;
        }
        match state {
            State::Watching => say("the mailbox is watched"),
            State::Away(why) => say(&format!("the mailbox: {why}; it is tried again")),
            State::Refused => {
                say("the mailbox's server refuses user or password; it is tried again, at once if the file changes");
            }
        }
    }
}

/// Whether an agent on the list may have this very message.
fn may_have(agent: Option<&Agent>, judged: &Judged) -> bool {
    agent.is_none_or(|agent| judged.from.as_ref().is_some_and(|from| agent.may_have(Some(from.as_str()))))
}

fn passed_over(never: Never) -> &'static str {
    match never {
        Never::Unreadable => "a message that can't be read was passed over",
        Never::Ours => "a message of the server's own was passed over: those are never relayed",
        Never::Provider => "a message of the mailbox's own provider was passed over: those are never relayed",
        Never::Denied => "a message of a sender that is never relayed was passed over",
    }
}

/// What the server says that the agent is called, fit to be printed.
fn name(request: &Request) -> String {
    Reason::parse(&request.agent_name).map_or_else(|_| "an agent".to_owned(), |name| name.as_str().to_owned())
}

async fn list(link: &mut Link, version: &str) -> Result<Answer, Gone> {
    let wait = WAIT.as_secs();
    let path = format!("/v1/otp/pending?source=email&wait={wait}&known={version}");
    match link.ask(Method::GET, &path, "", WAIT).await? {
        (200, body) => serde_json::from_slice(&body).map_err(|_| Gone("the answer is none of Doorcode's")),
        (401 | 403, _) => Err(Gone("the collector's key is refused")),
        (429, _) => Err(Gone("too many wait")),
        _ => Err(Gone("no good answer")),
    }
}
