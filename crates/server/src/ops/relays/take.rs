//! A message that came to this server for a person: matched, looked at, sealed, forgotten. Refuses to look for a code before there is an
//! approved request that the message fits, to give one message to two or to one of two agents that nobody chose, and to keep anything of it
//! but what its digests say.

use std::sync::Arc;

use doorcode_core::extract::{Kind, Message, classify, extract_first};
use doorcode_core::relay::fit::{Came, Fit, Worth, fit};
use doorcode_core::relay::{Choice, Named as _, Way, choose};
use doorcode_core::seal::{Context, PublicKey};
use doorcode_core::{Error, RelayId, Result, Secret, Timestamp};
use serde_json::json;

use super::known::{all_new, names};
use super::own::is_own_code;
use super::receive::{put, spend};
use super::{SOURCES, candidate, happened, tell, wanted};
use crate::app::App;
use crate::ops::audit::{self, Whose};
use crate::store::events;
use crate::store::relays::{self as rows, Received, Relay};

/// How often it is tried again where a request was taken away meanwhile.
const TRIES: usize = 4;

/// A message, read and judged.
pub struct Incoming<'a> {
    /// Whose.
    pub whose: Whose,
    /// By which way it came.
    pub way: Way,
    /// As it is matched.
    pub came: Came<'a>,
    /// As a code is looked for in it: its forms, the first that has one counts.
    pub forms: &'a [Message<'a>],
    /// The domain, number or name that an agent may be told, if somebody vouches for it.
    pub sender: Option<&'a str>,
    /// The forwarder that vouches for it, where one does.
    pub forwarder: Option<&'a str>,
    /// What SPF says of the host that brought it; by the other ways nobody knows that.
    pub spf: Option<&'a str>,
    /// What it is known by: its id, its body.
    pub digests: Vec<[u8; 16]>,
}

/// What became of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Taken {
    /// Nobody waits for it.
    Nobody,
    /// Somebody would, were its sender verified.
    Unverified,
    /// Two agents wait for it, and the person has not chosen.
    Contested,
    /// There is no code in it.
    NoCode,
    /// Its code is one of this installation's own.
    Ours,
    /// It was here before.
    Before,
    /// Its code is sealed for this request, and its owner is asked once more.
    Held(RelayId),
    /// Its code is sealed for this request.
    Given(RelayId),
}

/// A sealed code, and what goes with it.
struct Sealed {
    relay: Relay,
    payload: String,
    about: Option<&'static str>,
}

/// Takes it.
pub async fn take(app: &Arc<App>, incoming: &Incoming<'_>) -> Result<Taken> {
    for _ in 0..TRIES {
        let (now, owner) = (app.clock.now(), incoming.whose.owner);
        let look = app.db.read(move |tx| Box::pin(async move { rows::live(tx, &owner, now, super::LIVE_MOST).await }));
        let live = look.await?;
        let fits = Fits::of(&live, &incoming.came)?;
        let relay = match fits.choose(live, now) {
            Meant::One(relay) => relay,
            Meant::Unverified => return Ok(Taken::Unverified),
            Meant::Contested => return Ok(Taken::Contested),
            Meant::Nobody | Meant::Unknown => return Ok(Taken::Nobody),
        };
        let Some(found) = extract_first(incoming.forms) else { return Ok(Taken::NoCode) };
        if is_own_code(app, incoming.whose, &found.code).await? {
            return Ok(Taken::Ours);
        }
        let sealed = seal(app, *relay, &found.code, incoming)?;
        let (id, about) = (sealed.relay.id, sealed.about);
        match write(app, sealed, fits, incoming).await? {
            Written::Done => return Ok(if about.is_some() { Taken::Held(id) } else { Taken::Given(id) }),
            Written::Before => return Ok(Taken::Before),
            Written::Contested => return Ok(Taken::Contested),
            // Another message was quicker, or its owner: the next request may want this one.
            Written::Late => {}
        }
    }
    Ok(Taken::Nobody)
}

enum Meant {
    One(Box<Relay>),
    Nobody,
    Unverified,
    Contested,
    /// A request waits of which nobody has asked yet whether the message fits it.
    Unknown,
}

/// Whether a message fits each of a person's requests, those as well that they have not said yes to: worked out beside the unit that writes,
/// which asks it again with every request as it stands then. A pattern may take long, and the writer's time is everybody's.
#[derive(Clone)]
struct Fits(Vec<(RelayId, bool, Fit)>);

impl Fits {
    fn of(live: &[Relay], came: &Came<'_>) -> Result<Self> {
        let each = live.iter().map(|relay| Ok((relay.id, relay.unverified, fit(&wanted(relay)?, came))));
        each.collect::<Result<_>>().map(Self)
    }

    /// For a request as it was; what its owner says of unverified mail is all that changes what fits it.
    fn to(&self, relay: &Relay) -> Option<Fit> {
        let found = self.0.iter().find(|(id, unverified, _)| *id == relay.id && *unverified == relay.unverified);
        found.map(|(_, _, fit)| *fit)
    }

    /// Which request it is for.
    fn choose(&self, live: Vec<Relay>, now: Timestamp) -> Meant {
        let (mut fitting, mut unverified) = (Vec::new(), false);
        for relay in live.into_iter().filter(|relay| relay.waits(now)) {
            match self.to(&relay) {
                Some(Fit::Yes) => fitting.push(relay),
                Some(Fit::Unverified) => unverified = true,
                Some(Fit::Forged | Fit::No) => {}
                None => return Meant::Unknown,
            }
        }
        let candidates: Vec<_> = fitting.iter().map(candidate).collect();
        match choose(&candidates) {
            Choice::One(id) => {
                let chosen = fitting.into_iter().find(|relay| relay.id == id);
                chosen.map_or(Meant::Nobody, |relay| Meant::One(Box::new(relay)))
            }
            Choice::Contested => Meant::Contested,
            Choice::Nobody if unverified => Meant::Unverified,
            Choice::Nobody => Meant::Nobody,
        }
    }
}

fn seal(app: &App, relay: Relay, code: &Secret<String>, incoming: &Incoming<'_>) -> Result<Sealed> {
    let (request, agent) = (relay.id.shown(), relay.agent.shown());
    let context = Context {
        request: &request,
        agent: &agent,
        sender: incoming.sender.unwrap_or_default(),
        expires_at: relay.standing.expires_at,
    };
    let key = PublicKey::parse(&relay.public_key)?;
    let payload = key.seal(code, &context, Secret::new(app.entropy.bytes()?))?.into_string();
    Ok(Sealed { relay, payload, about: incoming.forms.iter().find_map(about) })
}

/// What a message is about, where that needs its owner's word once more.
pub fn about(message: &Message<'_>) -> Option<&'static str> {
    let kinds = classify(message);
    [(Kind::Reset, "reset"), (Kind::Payment, "payment"), (Kind::NewDevice, "device")]
        .into_iter()
        .find(|(kind, _)| kinds.has(*kind))
        .map(|(_, name)| name)
}

enum Written {
    Done,
    Before,
    Contested,
    Late,
}

/// Chooses again with all that wait held still, so that a request which was said yes to since the look counts, and gives the code to the
/// one that it was sealed for.
async fn write(app: &Arc<App>, sealed: Sealed, fits: Fits, incoming: &Incoming<'_>) -> Result<Written> {
    let (now, event, unit_app) = (app.clock.now(), app.entropy.id(app.clock.now())?, Arc::clone(app));
    let (way, whose, digests) = (incoming.way, incoming.whose, &incoming.digests);
    let source = SOURCES.iter().find(|(bit, _)| *bit == incoming.came.source).map_or("", |(_, name)| name);
    let verified = incoming.came.worth == Worth::Verified;
    let [sender, forwarder, spf] =
        [incoming.sender, incoming.forwarder, incoming.spf].map(|text| text.map(str::to_owned));
    let Sealed { relay, payload, about } = sealed;
    let told = relay.clone();
    let names = names(&app.keys.ring(), &whose.owner, digests);
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            match fits.choose(rows::hold_live(tx, &whose.owner, now, super::LIVE_MOST).await?, now) {
                Meant::One(chosen) if chosen.id == relay.id => {}
                Meant::Contested => return Ok(Written::Contested),
                _ => return Ok(Written::Late),
            }
            let received = Received {
                payload: &payload,
                source,
                capture: way,
                readable: true,
                sender_domain: sender.as_deref(),
                verdict: if verified { "verified" } else { "unverified" },
                forwarder: forwarder.as_deref(),
                spf: spf.as_deref(),
            };
            if !put(tx, &unit_app, &relay.id, &received, about, now).await? {
                return Ok(Written::Late);
            }
            // After it, so that a message that nobody could take is not used up.
            if !all_new(tx, &names, now).await? {
                return Err(Error::Conflict(BEFORE));
            }
            spend(tx, &unit_app, &relay, now).await?;
            let name = if about.is_some() { events::Kind::RelayHeld } else { events::Kind::RelayReceived };
            events::append(tx, &event, &relay.org, name, relay.id.as_bytes()).await?;
            let said = json!({
                "source": source, "capture": way.as_str(), "readable": true, "verdict": received.verdict, "forwarder": forwarder, "spf": spf,
                "about": about,
            });
            audit::note(tx, &unit_app, whose, happened("otp_receive", "server", &relay, said), now).await?;
            Ok(Written::Done)
        })
    });
    match unit.await {
        Ok(Written::Done) => {
            tell(app, &told);
            Ok(Written::Done)
        }
        Err(Error::Conflict(BEFORE)) => Ok(Written::Before),
        other => other,
    }
}

const BEFORE: &str = "this message was here before";
