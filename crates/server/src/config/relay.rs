//! The settings of the relay, `[relay]`. Refuses clocks that the standards of patience forbid: a question that nobody can answer in time,
//! a sealed code that lies about for longer than it is needed.

use std::time::Duration;

use doorcode_core::relay::LIFE_MOST;
use serde::Deserialize;

use super::complaints::Complaints;

/// How old a session may be that says yes (security: what was left open must not approve).
const FRESH_MOST: Duration = Duration::from_secs(15 * 60);
/// More of one person's are not looked at together.
const LIVE_MOST: u32 = 500;

/// `[relay]`, as written.
#[derive(Deserialize)]
pub(super) struct RawRelay {
    approve_within: String,
    keep: String,
    fresh: String,
    approve_with_key: String,
    agent_minute: u32,
    owner_minute: u32,
    captures_day: u32,
    prompts: u32,
    live: u32,
}

/// The relay, as it is set.
#[derive(Clone)]
pub struct Relay {
    /// How long a person has to say yes or no.
    pub approve_within: Duration,
    /// How long a sealed code waits to be read.
    pub keep: Duration,
    /// How old a session may be that says yes.
    pub fresh: Duration,
    /// Whether the sign-in key of a team of one may say yes for its member.
    pub approve_with_key: bool,
    /// Requests of one agent in a minute.
    pub agent_minute: u32,
    /// Words of one person in a minute.
    pub owner_minute: u32,
    /// Codes that are handed in for one person in a day.
    pub captures_day: u32,
    /// Questions of one agent that wait for its owner at the same time.
    pub prompts: u32,
    /// Requests of all agents of one person that are not over.
    pub live: u32,
}

impl RawRelay {
    pub(super) fn mean(self, dev: bool, bad: &mut Complaints) -> Relay {
        let approve_within = bad.duration("relay.approve_within", &self.approve_within);
        let keep = bad.duration("relay.keep", &self.keep);
        let fresh = bad.duration("relay.fresh", &self.fresh);
        let (second, ten) = (Duration::from_secs(1), Duration::from_secs(600));
        if !(second..=LIFE_MOST).contains(&approve_within) {
            bad.push("relay.approve_within: must be between 1s and 1h");
        }
        if !(second..=ten).contains(&keep) {
            bad.push("relay.keep: must be between 1s and 10m");
        }
        if !(second..=FRESH_MOST).contains(&fresh) {
            bad.push("relay.fresh: must be between 1s and 15m");
        }
        if !(1..=LIVE_MOST).contains(&self.live) {
            bad.push("relay.live: must be between 1 and 500");
        }
        let with_key = match self.approve_with_key.as_str() {
            "dev" => Some(dev),
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        };
        Relay {
            approve_within,
            keep,
            fresh,
            approve_with_key: bad.take("relay.approve_with_key", with_key, "must be dev, yes or no", false),
            agent_minute: self.agent_minute,
            owner_minute: self.owner_minute,
            captures_day: self.captures_day,
            prompts: self.prompts,
            live: self.live,
        }
    }
}
