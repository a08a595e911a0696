//! Webhooks on their way out: takes what is due, says what happened, records how it went. A crash at any line sends the
//! same message under the same id again. Refuses to let a receiver that is slow, dead or hostile hold up another one, and
//! to send what nobody wants any more.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use doorcode_core::id::Id;
use doorcode_core::time::DAY;
use doorcode_core::{OrgId, Result, Timestamp, WebhookId, webhook};
use serde::Serialize;
use tokio::task::JoinSet;

use super::busy::{self, Busy, Seat};
use crate::app::App;
use crate::metrics::Metrics;
use crate::ops::outbox::LEASE;
use crate::ops::webhooks;
use crate::store::Tx;
use crate::store::events::{self, Event};
use crate::store::webhook_messages::{self as messages, Outcome, Taken};
use crate::store::webhooks::{self as rows, Webhook};

/// How long one try may last; less than the lease, so that no message is on its way twice.
pub const TRY: Duration = Duration::from_secs(15);

/// How long after each failed try the next one comes. After the last of them there is none.
pub const WAITS: [Duration; 6] = [
    Duration::from_secs(5),
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(2 * 3600),
    Duration::from_secs(5 * 3600),
    Duration::from_secs(10 * 3600),
];

/// A webhook at which every try has failed for this long is disabled.
pub const PATIENCE: Duration = Duration::from_secs(5 * DAY.as_secs());

/// How many messages of a webhook that nobody sends to any more are dropped at once.
const DROP: i64 = 500;

/// Sends what is due.
pub struct Sender {
    app: Arc<App>,
    busy: Busy,
    /// Behind whom the next look begins, so that everybody has a turn.
    after: Mutex<WebhookId>,
}

/// A webhook that has something due, and the places that it was given.
struct Turn {
    org: OrgId,
    webhook: WebhookId,
    seats: Vec<Seat>,
    /// It has nothing on its way.
    idle: bool,
}

/// What is said, in the thin form of the Standard Webhooks specification: ids only; whoever may know more asks for it.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    timestamp: String,
    data: Subject,
}

#[derive(Serialize)]
struct Subject {
    id: String,
    org_id: String,
}

impl Sender {
    /// A sender with all its places free.
    pub fn new(app: Arc<App>) -> Self {
        Self { app, busy: Busy::default(), after: Mutex::new(WebhookId::from_bytes([0; 16])) }
    }

    /// Takes what is due and has a place, and begins a try for each. Gives how many were taken or dropped.
    pub async fn begin_due(&self, tries: &mut JoinSet<()>) -> Result<usize> {
        let now = self.app.clock.now();
        let turns = self.turns(now).await?;
        if turns.is_empty() {
            return Ok(0);
        }
        let wanted: Vec<_> = turns.iter().map(|it| (it.org, it.webhook, it.seats.len() as i64, it.idle)).collect();
        let claimed = self.app.db.write(move |tx| {
            Box::pin(async move {
                let mut claimed = Vec::with_capacity(wanted.len());
                for (org, id, most, idle) in wanted {
                    claimed.push(claim(tx, &org, &id, most, idle, now).await?);
                }
                Ok(claimed)
            })
        });
        let mut count = 0;
        for (turn, (touched, claimed)) in turns.into_iter().zip(claimed.await?) {
            count += touched;
            let Some((found, taken)) = claimed else { continue };
            let found = Arc::new(found);
            for (seat, taken) in turn.seats.into_iter().zip(taken) {
                let attempt = Attempt { app: Arc::clone(&self.app), to: Arc::clone(&found), taken };
                tries.spawn(async move {
                    attempt.run().await;
                    drop(seat);
                });
            }
        }
        Ok(count)
    }

    /// One step: everything that is due, to its end. For tests.
    pub async fn deliver_due(&self) -> Result<usize> {
        let (mut tries, mut count) = (JoinSet::new(), 0);
        loop {
            let begun = self.begin_due(&mut tries).await?;
            if begun == 0 && tries.join_next().await.is_none() {
                return Ok(count);
            }
            count += begun;
        }
    }

    /// Whose turn it is: webhooks with something due and a place to be had, behind those that had theirs.
    async fn turns(&self, now: Timestamp) -> Result<Vec<Turn>> {
        if !self.busy.has_room() {
            return Ok(Vec::new());
        }
        let after = *self.after.lock().unwrap_or_else(PoisonError::into_inner);
        let most = busy::ALL as i64;
        let due = self.app.db.read(move |tx| {
            Box::pin(async move {
                let mut due = messages::due(tx, &after, now, most).await?;
                if due.len() < busy::ALL {
                    // Round to the beginning. Who is found twice finds no place the second time.
                    due.extend(messages::due(tx, &WebhookId::from_bytes([0; 16]), now, most).await?);
                }
                Ok(due)
            })
        });
        let mut turns: Vec<Turn> = Vec::new();
        for (webhook, org) in due.await? {
            let known = turns.iter().any(|turn| turn.webhook == webhook);
            let (seats, idle) = if known { (Vec::new(), false) } else { self.busy.take(org, webhook) };
            if !seats.is_empty() {
                turns.push(Turn { org, webhook, seats, idle });
            }
        }
        if let Some(last) = turns.last() {
            *self.after.lock().unwrap_or_else(PoisonError::into_inner) = last.webhook;
        }
        Ok(turns)
    }
}

/// Takes up to `most` messages of a webhook, or drops what waits for it if it is gone or disabled. Gives how many rows
/// that were.
async fn claim(
    tx: &mut Tx<'_>,
    org: &OrgId,
    id: &WebhookId,
    most: i64,
    idle: bool,
    now: Timestamp,
) -> Result<(usize, Option<(Webhook, Vec<Taken>)>)> {
    let live = rows::get(tx, org, id).await?.filter(|found| found.disabled_at.is_none());
    let Some(found) = live else {
        return Ok((messages::drop_all_of(tx, id, now, DROP).await?, None));
    };
    // Where tries fail, one at a time finds out whether that is over.
    let most = if found.failing_since.is_some() { i64::from(idle) } else { most };
    let taken = messages::claim(tx, id, now, now.plus(LEASE), most).await?;
    Ok((taken.len(), Some((found, taken))))
}

/// One try at one message.
struct Attempt {
    app: Arc<App>,
    to: Arc<Webhook>,
    taken: Taken,
}

impl Attempt {
    async fn run(self) {
        let outcome = self.outcome().await;
        self.note(&outcome);
        if let Err(error) = self.record(outcome).await {
            tracing::error!(%error, "a webhook was sent and could not be recorded; it may go out again");
        }
    }

    /// Sends it, outside any transaction.
    async fn outcome(&self) -> Outcome {
        let Some(event) = &self.taken.event else {
            return Outcome::Dropped { why: "the event is gone by retention" };
        };
        let now = self.app.clock.now();
        // Again, since the settings may have changed since it was given.
        let Ok(target) = self.app.egress.check_url(&self.to.url) else {
            return self.failed(now, None, "the URL is not allowed here any more");
        };
        let body = body(event);
        let Ok(signatures) = webhooks::sign(&self.app, &self.to, self.taken.id, now, &body) else {
            return self.failed(now, None, "the master key of its secret is retired: rotate the secret");
        };
        let headers = [
            ("content-type", "application/json".to_owned()),
            ("user-agent", concat!("Doorcode/", env!("CARGO_PKG_VERSION")).to_owned()),
            ("webhook-id", self.taken.id.to_string()),
            ("webhook-timestamp", webhook::seconds(now).to_string()),
            ("webhook-signature", signatures),
        ];
        let answer = self.app.egress.post(&target, &headers, body, TRY).await;
        let now = self.app.clock.now();
        match answer {
            Ok(answer) if (200..300).contains(&answer.status) => Outcome::Delivered { status: answer.status },
            Ok(answer) if answer.status == GONE => Outcome::GaveUp { status: Some(GONE), why: "the answer was Gone" },
            Ok(answer) => self.failed(now, Some(answer.status), "the answer was not of the kind 2xx"),
            Err(failure) => self.failed(now, failure.status, failure.why),
        }
    }

    /// What a failed try means: again later, or never. Up to a tenth earlier or later, by chance, so that what failed
    /// together does not come back together.
    fn failed(&self, now: Timestamp, status: Option<u16>, why: &'static str) -> Outcome {
        let Some(full) = WAITS.get(self.taken.attempts) else { return Outcome::GaveUp { status, why } };
        let random = self.app.entropy.bytes::<1>().map_or(128, |[byte]| u32::from(byte));
        let due_at = now.plus(*full * 9 / 10 + *full / 5 * random / 255);
        Outcome::Retry { due_at, status, why }
    }

    async fn record(&self, outcome: Outcome) -> Result<()> {
        let now = self.app.clock.now();
        let event = self.app.entropy.id(now)?;
        let (org, webhook, id) = (self.to.org, self.to.id, self.taken.id);
        let unit = self.app.db.write(move |tx| {
            Box::pin(async move {
                messages::record(tx, &id, &outcome, now).await?;
                let disabled = match outcome {
                    Outcome::Delivered { .. } => {
                        rows::succeed(tx, &org, &webhook).await?;
                        false
                    }
                    Outcome::Dropped { .. } => false,
                    Outcome::GaveUp { status: Some(GONE), .. } => rows::disable(tx, &org, &webhook, now).await?,
                    Outcome::Retry { .. } | Outcome::GaveUp { .. } => {
                        rows::fail(tx, &org, &webhook, now, PATIENCE).await?
                    }
                };
                if disabled {
                    events::append(tx, &event, &org, events::Kind::WebhookDisabled, webhook.as_bytes()).await?;
                }
                Ok(disabled)
            })
        });
        if unit.await? {
            tracing::warn!(%webhook, "a webhook is disabled: it says so, or nothing has worked for days");
        }
        Ok(())
    }

    /// One line per try, without the URL: it may hold a secret of the receiver's.
    fn note(&self, outcome: &Outcome) {
        let (word, status, why) = match *outcome {
            Outcome::Delivered { status } => ("delivered", Some(status), None),
            Outcome::Retry { status, why, .. } => ("retry", status, Some(why)),
            Outcome::GaveUp { status, why } => ("gave_up", status, Some(why)),
            Outcome::Dropped { why } => ("dropped", None, Some(why)),
        };
        Metrics::count(&self.app.metrics.webhooks, word);
        let (id, webhook, attempt) = (self.taken.id, self.to.id, self.taken.attempts + 1);
        match why {
            None => tracing::info!(%id, %webhook, attempt, status, outcome = word, "webhook"),
            Some(why) => tracing::warn!(%id, %webhook, attempt, status, outcome = word, why, "webhook"),
        }
    }
}

/// The status by which a receiver says that it wants nothing any more.
const GONE: u16 = 410;

/// The same bytes in every try.
fn body(event: &Event) -> Vec<u8> {
    let subject: Id<()> = Id::from_bytes(event.subject);
    let body = Body {
        kind: &event.kind,
        timestamp: event.id.made_at().to_string(),
        data: Subject { id: subject.to_string(), org_id: event.org.to_string() },
    };
    // Texts and nothing else: there is nothing that JSON can't say.
    serde_json::to_vec(&body).unwrap_or_default()
}
