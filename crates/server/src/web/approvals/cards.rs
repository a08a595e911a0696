//! Requests as the page shows them. Refuses to show more of one than its owner needs to decide, and any of what it holds.

use doorcode_core::content;
use doorcode_core::fingerprint::fingerprint;
use doorcode_core::reason::quotable;
use doorcode_core::relay::fit::is_name_beside;
use doorcode_core::relay::{Named as _, State};
use doorcode_core::relay_deny::Senders;
use doorcode_core::seal::PublicKey;
use doorcode_core::sender::SenderPattern;
use doorcode_core::{RelayId, Result, Timestamp, hex};

use crate::ops::relays::{FORGED, SOURCES, Shown, UNVERIFIED, contest};
use crate::store::relays::Relay;
use crate::web::pages::{Card, Past, TurnedAway, Vouched, Whom};

/// What waits, as cards, under its owner's settings of senders.
pub(super) fn cards(
    waiting: &[Shown],
    senders: Option<&str>,
    meant: Option<RelayId>,
    now: Timestamp,
) -> Result<Vec<Card>> {
    let senders = Senders::parse(senders).unwrap_or_default();
    waiting.iter().map(|shown| card(shown, waiting, &senders, meant, now)).collect()
}

fn card(shown: &Shown, waiting: &[Shown], senders: &Senders, meant: Option<RelayId>, now: Timestamp) -> Result<Card> {
    let relay = &shown.relay;
    let until = relay.standing.ends_at().unwrap_or(relay.standing.expires_at);
    // Where there is a pattern the name beside it chooses nothing.
    let wanted = relay.sender_pattern.as_deref().or(relay.sender.as_deref());
    Ok(Card {
        id: relay.id.shown(),
        agent: shown.agent_name.clone(),
        reason: relay.reason.clone(),
        whom: whom(relay),
        content: relay.content_pattern.as_deref().map(content::shown),
        refused: wanted.is_some_and(|wanted| senders.deny_wanted(wanted)),
        sources: SOURCES.iter().filter(|(bit, _)| relay.sources & bit != 0).map(|(_, name)| *name).collect(),
        origin: relay.origin.clone(),
        left: u64::try_from(until.since(now).as_millis().div_ceil(1000)).unwrap_or(u64::MAX),
        until,
        fingerprint: PublicKey::parse(&relay.public_key)?.fingerprint()?.to_string(),
        state: relay.standing.at(now),
        test: relay.test,
        rivals: rivals(relay, waiting, now),
        chosen: relay.chosen,
        held: relay.held.clone(),
        by_mail: relay.is_by_mail(),
        unverified: relay.unverified,
        meant: meant == Some(relay.id),
        vouched: vouched(relay),
        turned_away: turned_away(relay),
    })
}

/// What is known of the sender of its message.
fn vouched(relay: &Relay) -> Option<Vouched> {
    let verdict = relay.verdict.as_deref()?;
    Some(Vouched {
        verified: verdict == "verified",
        domain: relay.sender_domain.clone().unwrap_or_default(),
        forwarder: relay.forwarder.clone(),
        spf: relay.spf.clone(),
    })
}

fn turned_away(relay: &Relay) -> TurnedAway {
    let has = |bit| relay.turned_away & bit != 0;
    TurnedAway { unverified: has(UNVERIFIED), forged: has(FORGED) }
}

/// Whose messages a request is for. A name that is not the pattern's own would only make its owner think of somebody else: where there is
/// a pattern it chooses nothing.
fn whom(relay: &Relay) -> Whom {
    let pattern = relay.sender_pattern.as_deref();
    let tells = |name: &&String| {
        pattern.is_none_or(|text| SenderPattern::parse(text).is_ok_and(|pattern| is_name_beside(name, &pattern)))
    };
    let name = relay.sender.as_ref().filter(tells);
    Whom { pattern: pattern.map(str::to_owned), name: name.map(|name| quotable(name)) }
}

/// The other agents that wait for the same message, by name.
fn rivals(relay: &Relay, waiting: &[Shown], now: Timestamp) -> Vec<String> {
    // One whose code is there waits for no message.
    let asks = |relay: &Relay| matches!(relay.standing.at(now), State::PendingApproval | State::Approved);
    let waits = |relay: &Relay| asks(relay) && !relay.stopped;
    let others = waiting.iter().filter(|other| waits(relay) && waits(&other.relay) && contest(relay, &other.relay));
    let mut names: Vec<String> = others.map(|other| other.agent_name.clone()).collect();
    names.sort();
    names.dedup();
    names
}

/// One that is over, for the list.
pub(super) fn past(shown: &Shown, now: Timestamp) -> Past {
    let relay = &shown.relay;
    Past {
        at: relay.id.made_at(),
        agent: shown.agent_name.clone(),
        whom: whom(relay),
        state: relay.standing.at(now),
        decided_by: relay.decided_by.clone(),
        source: relay.source.clone(),
        way: relay.capture,
        readable: relay.readable,
        vouched: vouched(relay),
        turned_away: turned_away(relay),
        test: relay.test,
    }
}

/// By which a browser tells whether what it shows is still so: changes whenever a card would.
pub(super) fn mark(waiting: &[Shown], now: Timestamp) -> String {
    let shown = waiting.iter().map(|shown| {
        let (relay, state) = (&shown.relay, shown.relay.standing.at(now).to_i64());
        let flags = [relay.chosen, relay.held.is_some(), relay.unverified].map(u8::from);
        format!("{}.{state}.{flags:?}.{};", relay.id.shown(), relay.turned_away)
    });
    let text: String = shown.collect();
    hex::encode(&fingerprint("cards", &[text.as_bytes()]))
}
