//! The worker: takes messages, derives their codes, renders, sends outside any transaction, records how it went. A crash
//! at any line sends the same code again, never another one. Refuses to send what nobody waits for any more.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use doorcode_core::origin::Mark;
use doorcode_core::{ChallengeId, DeliveryId, Error, Result, Secret, State, Timestamp, code};
use futures_util::future::join_all;
use tokio::sync::watch;

use super::failure::{Failure, Kind};
use super::message::Message;
use super::render::{CodeMail, code_mail};
use super::smtp::Smtp;
use super::told::{Told, told};
use crate::app::App;
use crate::config::Transport;
use crate::metrics::Metrics;
use crate::ops::challenges::SEALED;
use crate::ops::outbox::{Handed, Waiting, longest_try};
use crate::ops::sign_in;
use crate::store::deliveries::{self, Outcome};

/// Rows that one look into the outbox takes.
const CLAIM: i64 = 64;
/// Messages that one hand-over takes where sending costs nothing.
const BATCH: usize = 256;

/// The way out that is configured.
enum Provider {
    Smtp(Smtp),
    Inbox,
    Stdout,
}

/// Delivers what is due.
pub struct Worker {
    app: Arc<App>,
    waiting: Waiting,
    provider: Provider,
}

impl Worker {
    /// A worker for the configured way out.
    pub fn new(app: Arc<App>, waiting: Waiting) -> Result<Self> {
        let provider = match &app.config.mail.transport {
            Transport::Smtp(settings) => Provider::Smtp(Smtp::new(settings).map_err(Error::unavailable)?),
            Transport::Inbox => Provider::Inbox,
            Transport::Stdout => Provider::Stdout,
        };
        Ok(Self { app, waiting, provider })
    }

    /// How many hand-overs may be worked on at the same time.
    pub fn lanes(&self) -> usize {
        match &self.app.config.mail.transport {
            Transport::Smtp(settings) => settings.pool as usize,
            Transport::Inbox | Transport::Stdout => 1,
        }
    }

    /// Waits for messages that were just committed, and delivers them. False: the house is closing.
    pub async fn deliver_handed(&self, stopped: &mut watch::Receiver<bool>) -> bool {
        // One at a time where a message takes a round trip: a slow mail server holds up one lane, not its neighbours.
        let most = if matches!(self.provider, Provider::Smtp(_)) { 1 } else { BATCH };
        let taken = tokio::select! {
            biased;
            _ = stopped.wait_for(|stopped| *stopped) => return false,
            taken = self.waiting.take(most) => taken,
        };
        // Once taken, a message is not let go of: being stopped here would send it twice.
        self.deliver(taken).await;
        true
    }

    /// Takes what is due in the database (a retry, or what a crash left) and delivers it. Gives how many were taken.
    pub async fn deliver_due(&self) -> Result<usize> {
        let now = self.app.clock.now();
        let until = now.plus(self.app.config.mail.lease);
        let taken =
            self.app.db.write(move |tx| Box::pin(async move { deliveries::claim(tx, now, until, CLAIM).await }));
        let mut live = Vec::new();
        let mut dead = Vec::new();
        for message in taken.await? {
            match message.challenge {
                Some(challenge) if challenge.state == State::Pending && challenge.expires_at > now => {
                    let (id, attempts, link) = (message.id, message.attempts, message.link);
                    live.push(Handed { id, attempts, until, link, challenge });
                }
                _ => dead.push(Ended { id: message.id, outcome: Outcome::Dropped, told: None }),
            }
        }
        let count = live.len() + dead.len();
        self.record(dead, now).await?;
        for chunk in chunks(live, self.lanes()) {
            self.deliver(chunk).await;
        }
        Ok(count)
    }

    /// One step: everything that was handed over and everything that is due. For tests, and for the end of the house.
    pub async fn step(&self) -> Result<usize> {
        let handed = self.waiting.take_now(usize::MAX).await;
        let count = handed.len();
        self.deliver(handed).await;
        Ok(count + self.deliver_due().await?)
    }

    /// Sends, each on its own, and records together. A failure to record is left to the lease.
    async fn deliver(&self, taken: Vec<Handed>) {
        let now = self.app.clock.now();
        // What waited so long that its lease may end under a try is left to the lease.
        let ends = now.plus(longest_try(self.app.config.mail.lease));
        let taken: Vec<Handed> = taken.into_iter().filter(|message| ends < message.until).collect();
        let outcomes = match &self.provider {
            Provider::Smtp(smtp) => join_all(taken.iter().map(|message| self.by_smtp(smtp, message, now))).await,
            Provider::Inbox => taken.iter().map(|message| self.keep(message, now)).collect(),
            Provider::Stdout => self.to_stdout(&taken, now),
        };
        for (message, outcome) in taken.iter().zip(&outcomes) {
            self.note(message, outcome);
        }
        let mut events = self.app.entropy.ids(self.app.clock.now());
        let ended = |(message, outcome): (&Handed, Outcome)| {
            let told = told(message, &outcome, &mut events);
            Ended { id: message.id, outcome, told }
        };
        let recorded = taken.iter().zip(outcomes).map(ended).collect();
        if let Err(error) = self.record(recorded, self.app.clock.now()).await {
            tracing::error!(%error, "deliveries were made and could not be recorded; they may go out again");
        }
    }

    async fn by_smtp(&self, smtp: &Smtp, handed: &Handed, now: Timestamp) -> Outcome {
        let Some(message) = self.message(handed, now) else { return self.without_key(now) };
        match smtp.send(&message, now.millis()).await {
            Ok(_) => Outcome::Sent,
            Err(failure) => self.after(handed, &failure),
        }
    }

    /// Its code could never be checked, unless the key is one that others have: then one of them sends it.
    fn without_key(&self, now: Timestamp) -> Outcome {
        if self.app.keys.is_lost() {
            let due_at = now.plus(self.app.config.mail.lease);
            return Outcome::Retry { due_at, why: "its master key is not on this server".to_owned() };
        }
        Outcome::Dropped
    }

    fn keep(&self, handed: &Handed, now: Timestamp) -> Outcome {
        match (self.message(handed, now), &self.app.inbox) {
            (Some(message), Some(inbox)) => {
                inbox.push(message, now.millis());
                Outcome::Sent
            }
            (None, _) => self.without_key(now),
            _ => Outcome::Dropped,
        }
    }

    /// All lines in one write, since whoever reads them waits for each.
    fn to_stdout(&self, taken: &[Handed], now: Timestamp) -> Vec<Outcome> {
        let mut lines = Vec::new();
        let mut outcomes = Vec::with_capacity(taken.len());
        for handed in taken {
            let Some(message) = self.message(handed, now) else {
                outcomes.push(self.without_key(now));
                continue;
            };
            let code = message.code.as_ref().map(Secret::expose);
            let line = serde_json::json!({ "to": message.to, "code": code });
            // Writing to a Vec does not fail.
            drop(writeln!(lines, "{line}"));
            outcomes.push(Outcome::Sent);
        }
        let mut out = std::io::stdout().lock();
        if out.write_all(&lines).and_then(|()| out.flush()).is_err() {
            tracing::error!("standard output is closed: messages are lost, as --dev allows");
        }
        outcomes
    }

    /// The mail of a challenge. None: its key is retired, so its code could not be checked.
    fn message(&self, handed: &Handed, now: Timestamp) -> Option<Message> {
        let challenge = &handed.challenge;
        let ring = self.app.keys.ring();
        let roots = ring.get(challenge.kid)?;
        let (code, shown, link) = if challenge.method == SEALED {
            let mut carried = challenge.full_name.as_deref().unwrap_or_default().splitn(2, ' ').map(str::to_owned);
            let text = carried.next().unwrap_or_default();
            (Secret::new(text.clone()), Secret::new(text), carried.next().map(Secret::new))
        } else {
            let code = code::derive(&roots.code, &challenge.binding());
            let shown = code::grouped(&code, challenge.shape);
            (code, shown, handed.link.then(|| sign_in::link(&self.app, roots, challenge)))
        };
        let message_id = format!("<{}@{}>", handed.id, self.app.config.mail.domain());
        // By this mark an installation knows its own mail again, whatever was done to it on the way.
        let mark = Mark::new(roots.kid, &roots.header, *handed.id.as_bytes());
        // To the nearest minute: a mail that leaves a moment after it was asked for says the whole life.
        let left = (challenge.expires_at.since(now).as_secs() + 30) / 60;
        Some(code_mail(CodeMail {
            to: &challenge.destination,
            product: &self.app.config.mail.product,
            code: &code,
            shown: &shown,
            link: link.as_ref(),
            minutes: u32::try_from(left).unwrap_or(u32::MAX).max(1),
            texts: self.app.config.mail.texts.choose(&challenge.language),
            message_id,
            stamp: Some(mark.to_string()),
        }))
    }

    /// What a failed try means: again later, or never.
    fn after(&self, handed: &Handed, failure: &Failure) -> Outcome {
        let now = self.app.clock.now();
        let why = failure.why.clone();
        if failure.kind != Kind::Temporary {
            return Outcome::GaveUp { why, refused: failure.kind == Kind::Refused };
        }
        let due_at = now.plus(self.wait_after(handed.attempts));
        if due_at < handed.challenge.expires_at {
            Outcome::Retry { due_at, why }
        } else {
            Outcome::GaveUp { why, refused: false }
        }
    }

    /// Twice as long each time, less a random quarter, so that what failed together does not come back together.
    fn wait_after(&self, attempts: u32) -> Duration {
        let mail = &self.app.config.mail;
        let full = mail.retry_first.saturating_mul(2_u32.saturating_pow(attempts.min(16))).min(mail.retry_most);
        let random = self.app.entropy.bytes::<1>().map_or(0, |[byte]| u32::from(byte));
        full - full / 4 * random / 256
    }

    /// One line per delivery, without an address.
    fn note(&self, handed: &Handed, outcome: &Outcome) {
        let attempt = handed.attempts + 1;
        let (id, challenge) = (handed.id, handed.challenge.id);
        let word = match outcome {
            Outcome::Sent => "sent",
            Outcome::Retry { .. } => "retry",
            Outcome::GaveUp { .. } => "gave_up",
            Outcome::Dropped => "dropped",
        };
        Metrics::count(&self.app.metrics.deliveries, word);
        match outcome {
            Outcome::Sent => tracing::info!(%id, %challenge, channel = "email", attempt, outcome = word, "delivery"),
            Outcome::Retry { why, .. } | Outcome::GaveUp { why, .. } => {
                tracing::warn!(%id, %challenge, channel = "email", attempt, outcome = word, why, "delivery");
            }
            Outcome::Dropped => tracing::info!(%id, %challenge, channel = "email", attempt, outcome = word, "delivery"),
        }
    }

    async fn record(&self, ended: Vec<Ended>, now: Timestamp) -> Result<()> {
        if ended.is_empty() {
            return Ok(());
        }
        let told: Vec<ChallengeId> = ended.iter().filter_map(|ended| ended.told.as_ref()?.awaited()).collect();
        self.app
            .db
            .write(move |tx| {
                Box::pin(async move {
                    deliveries::record(tx, ended.iter().map(|ended| (&ended.id, &ended.outcome)), now).await?;
                    for told in ended.iter().filter_map(|ended| ended.told.as_ref()) {
                        told.append(tx).await?;
                    }
                    Ok(())
                })
            })
            .await?;
        for challenge in told {
            self.app.call(challenge);
        }
        Ok(())
    }
}

/// How a message ended.
#[derive(Clone)]
struct Ended {
    id: DeliveryId,
    outcome: Outcome,
    told: Option<Told>,
}

/// Cuts a list into pieces of at most `size`, keeping the order.
fn chunks<T>(list: Vec<T>, size: usize) -> Vec<Vec<T>> {
    let mut pieces = Vec::new();
    let mut list = list.into_iter().peekable();
    while list.peek().is_some() {
        pieces.push(list.by_ref().take(size.max(1)).collect());
    }
    pieces
}
