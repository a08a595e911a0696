//! What a browser asked for and waits for, kept by the browser itself. By it the browser that asked is told from every other:
//! only that one finishes with a click. Refuses to hold anything that would open a door: it says what was asked, not the answer.

use std::time::Duration;

use axum::http::HeaderMap;
use doorcode_core::{ChallengeId, Email, Result, Timestamp};
use serde::{Deserialize, Serialize};

use super::{cookies, sealed};
use crate::app::App;
use crate::ops::redirects::AppRequest;

/// How soon after a message the next one is offered.
const PAUSE: Duration = Duration::from_secs(30);
/// How long the browser keeps it: as long as any code may live, and a little, to say that it is over.
const KEPT: u64 = 2 * 3600;

/// What was asked for.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Asked {
    challenge: String,
    email: String,
    /// When the last message was asked for, in milliseconds.
    at: i64,
    /// Whether the code is a long one.
    pub(super) long: bool,
    /// Codes of this browser that were not right.
    pub(super) misses: u32,
    /// The app that it goes back to.
    pub(super) request: Option<AppRequest>,
    /// The page of ours that it goes on to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<String>,
}

impl Asked {
    pub(super) fn new(
        challenge: ChallengeId,
        email: &Email,
        long: bool,
        request: Option<AppRequest>,
        now: Timestamp,
    ) -> Self {
        let (challenge, email) = (challenge.to_string(), email.as_str().to_owned());
        Self { challenge, email, at: now.millis(), long, misses: 0, request, next: None }
    }

    /// What the browser that sent these headers asked for.
    pub(super) fn of(app: &App, headers: &HeaderMap) -> Option<Self> {
        let text = cookies::get(app, headers, cookies::ASKED)?;
        serde_json::from_slice(&sealed::open(app, "asked", &text)?).ok()
    }

    /// For the browser to keep.
    pub(super) fn cookie(&self, app: &App) -> Result<String> {
        let bytes = serde_json::to_vec(self).map_err(doorcode_core::Error::internal)?;
        Ok(cookies::set(app, cookies::ASKED, &sealed::seal(app, "asked", &bytes), KEPT))
    }

    /// The address.
    pub(super) fn email(&self) -> Result<Email> {
        Email::parse(&self.email)
    }

    /// Whether it is this challenge that was asked for.
    pub(super) fn is_for(&self, challenge: ChallengeId) -> bool {
        self.challenge == challenge.to_string()
    }

    /// Whether its code is over, as far as this browser knows.
    pub(super) fn is_over(&self, app: &App) -> bool {
        app.clock.now() >= Timestamp::from_millis(self.at).plus(app.config.native.life)
    }

    /// Seconds until the next message is offered.
    pub(super) fn pause(&self, app: &App) -> u32 {
        let next = Timestamp::from_millis(self.at).plus(PAUSE);
        u32::try_from(next.since(app.clock.now()).as_millis().div_ceil(1000)).unwrap_or(0)
    }
}
