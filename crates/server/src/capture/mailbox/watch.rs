//! Watches a mailbox for as long as somebody asks it to: over connections that break, passwords that change and servers that number their
//! messages anew. Refuses to fetch anything while nobody waits. No message is lost between two connections; one that may be taken twice
//! is known by its digests to whoever takes it.

use std::sync::Arc;
use std::time::Duration;

use doorcode_core::Timestamp;

use super::place::{MOST, Passed, Place};
use super::session::{Found, Heard, Open};
use super::{Account, Desk, Fetched, LARGEST, Outcome, State, Trouble};
use crate::clock::Clock;
use crate::egress::Egress;
use crate::entropy::Entropy;

/// IDLE is said again before the translators of addresses on the way forget a silent connection.
const RENEW: Duration = Duration::from_secs(9 * 60);
/// How often a server is asked that does not say by itself what comes.
const POLL: Duration = Duration::from_secs(3);
/// How long a message is tried again later that could not be judged.
const AGAIN: Duration = Duration::from_secs(5);
/// Between two tries to connect.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(120));
/// The same, where the server did not let us in: it counts, and closes the door for good.
const REFUSED: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(1800));
/// Numbers that a watch goes back by, after it was away for long: what it may look for is not an hour old.
const BEHIND: u32 = 10_000;

/// What is asked of a message: its time, its size, and as much as is looked at, without changing it.
const WHOLE: &str = "(UID INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.1048576>)";
/// What is asked of one that nobody waits for.
const NUMBER: &str = "(UID INTERNALDATE)";

/// A mailbox and all that watching it needs.
pub struct Mailbox<'a, D> {
    /// The way out.
    pub egress: &'a Egress,
    /// Which.
    pub account: &'a Account,
    /// Who takes the messages.
    pub desk: &'a D,
    /// The time.
    pub clock: &'a Clock,
    /// For the length of pauses.
    pub entropy: &'a Entropy,
}

/// Watches until dropped.
pub async fn watch<D: Desk>(mailbox: &Mailbox<'_, D>) {
    let (mut place, mut tries) = (mailbox.desk.begin().await, 0);
    loop {
        let Err(trouble) = connected(mailbox, &mut place, &mut tries).await;
        let state = match trouble {
            Trouble::Line(why) => State::Away(why),
            Trouble::Refused => State::Refused,
        };
        mailbox.desk.hear(state).await;
        rest(mailbox, trouble, tries).await;
        tries += 1;
    }
}

/// Between two tries. A file with another password ends it.
async fn rest<D>(mailbox: &Mailbox<'_, D>, trouble: Trouble, tries: u32) {
    let (least, most) = if trouble == Trouble::Refused { REFUSED } else { PAUSE };
    let pause = least.saturating_mul(1 << tries.min(16)).min(most);
    // From three quarters to five quarters of it, so that not all come back at once.
    let chance = mailbox.entropy.bytes::<1>().map_or(128, |[byte]| u32::from(byte));
    let pause = pause * (192 + chance / 2) / 256;
    let held = mailbox.account.access.held();
    let before = held.read().ok();
    let end = mailbox.clock.now().plus(pause);
    loop {
        let left = end.since(mailbox.clock.now());
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left.min(Duration::from_secs(1))).await;
        let changed =
            held.read().ok().zip(before.as_ref()).is_some_and(|(now, before)| now.expose() != before.expose());
        if trouble == Trouble::Refused && changed {
            return;
        }
    }
}

/// One connection, until it breaks.
async fn connected<D: Desk>(
    mailbox: &Mailbox<'_, D>,
    place: &mut Option<Place>,
    tries: &mut u32,
) -> Result<std::convert::Infallible, Trouble> {
    let mut open = Open::of(mailbox.egress, mailbox.account).await?;
    *tries = 0;
    let begun = Place::begin(open.validity, open.uid_next);
    // Numbered anew, or numbers that were there are gone: what they meant nobody knows any more.
    let place = match place {
        Some(known) if known.validity == open.validity && known.next <= open.uid_next => known,
        other => other.insert(begun),
    };
    place.next = place.next.max(open.uid_next.saturating_sub(BEHIND));
    mailbox.desk.hear(State::Watching).await;
    mailbox.desk.keep(place).await;
    let waiting = open.uid_next.saturating_sub(place.next);
    if waiting > 0 {
        look(mailbox, &mut open, place, waiting as usize).await?;
    }
    let news = mailbox.desk.news();
    let mut back = true;
    loop {
        // Made before the look, so that nobody is missed who comes during it.
        let called = Arc::clone(&news).notified_owned();
        if back {
            look_back(mailbox, &mut open, place).await?;
        }
        open.idle().await?;
        back = listen(mailbox, &mut open, place, called).await?;
    }
}

/// Until somebody else waits, or it is time to ask again. Gives whether to look back.
async fn listen<D: Desk>(
    mailbox: &Mailbox<'_, D>,
    open: &mut Open,
    place: &mut Place,
    called: impl Future<Output = ()>,
) -> Result<bool, Trouble> {
    let mut called = std::pin::pin!(called);
    let pause = |place: &Place, open: &Open| match place.is_unsure() {
        true => AGAIN,
        false if open.pushes => RENEW,
        false => POLL,
    };
    let mut over = std::pin::pin!(tokio::time::sleep(pause(place, open)));
    loop {
        let heard = tokio::select! {
            heard = open.hear() => Some(heard?),
            () = &mut called => return Ok(true),
            () = &mut over => None,
        };
        let unsure = place.is_unsure();
        match heard {
            Some(Heard::Nothing) => continue,
            Some(Heard::More) => {}
            None => open.poll().await?,
        }
        if open.more > 0 {
            let count = open.more as usize;
            look(mailbox, open, place, count).await?;
            open.idle().await?;
            over.set(tokio::time::sleep(pause(place, open)));
        }
        if heard.is_none() {
            return Ok(unsure);
        }
    }
}

/// Looks at what is new: `count` messages, as far as is known.
async fn look<D: Desk>(
    mailbox: &Mailbox<'_, D>,
    open: &mut Open,
    place: &mut Place,
    count: usize,
) -> Result<(), Trouble> {
    let waits = mailbox.desk.waits().await;
    if waits.is_some() && count <= MOST {
        open.ask(&format!("UID FETCH {}:* {WHOLE}", place.next)).await?;
        return read(mailbox, open, place).await;
    }
    // Only their numbers: nobody waits, or there are many.
    open.ask(&format!("UID FETCH {}:* {NUMBER}", place.next)).await?;
    let mut new = Vec::new();
    while let Some(found) = open.next().await? {
        if found.uid >= place.next {
            new.push(found);
        }
    }
    new.sort_by_key(|found| found.uid);
    for found in &new {
        place.pass(found.uid, found.arrived.unwrap_or(mailbox.clock.now()));
    }
    mailbox.desk.keep(place).await;
    Ok(())
}

/// Looks once more at what came before somebody waited for it.
async fn look_back<D: Desk>(mailbox: &Mailbox<'_, D>, open: &mut Open, place: &mut Place) -> Result<(), Trouble> {
    place.forget(mailbox.clock.now());
    if place.passed.is_empty() {
        return Ok(());
    }
    let Some(after) = mailbox.desk.waits().await else { return Ok(()) };
    let second = |at: Timestamp| at.millis().div_euclid(1000);
    let wanted: Vec<String> = place
        .passed
        .iter()
        .filter(|passed| second(passed.arrived) >= second(after))
        .map(|passed| passed.uid.to_string())
        .collect();
    for some in wanted.chunks(MOST) {
        open.ask(&format!("UID FETCH {} {WHOLE}", some.join(","))).await?;
        read(mailbox, open, place).await?;
    }
    Ok(())
}

/// Reads messages and hands each in before the next.
async fn read<D: Desk>(mailbox: &Mailbox<'_, D>, open: &mut Open, place: &mut Place) -> Result<(), Trouble> {
    let before = place.clone();
    let done = read_on(mailbox, open, place).await;
    // However far it came.
    if *place != before {
        mailbox.desk.keep(place).await;
    }
    done
}

async fn read_on<D: Desk>(mailbox: &Mailbox<'_, D>, open: &mut Open, place: &mut Place) -> Result<(), Trouble> {
    while let Some(found) = open.next().await? {
        let before = place.take(found.uid);
        // The last message answers for every number behind it.
        if before.is_none() && found.uid < place.next {
            continue;
        }
        let outcome = match (&found.raw, found.arrived) {
            _ if found.size > LARGEST => Outcome::Done,
            (Some(_), Some(_)) => hand_in(mailbox, &found).await,
            _ => Outcome::Done,
        };
        place.go_past(found.uid);
        if outcome != Outcome::Done {
            let again =
                if outcome == Outcome::Again { before.map_or(3, |before| before.again.saturating_sub(1)) } else { 0 };
            place.keep(Passed { uid: found.uid, arrived: found.arrived.unwrap_or(mailbox.clock.now()), again });
        }
    }
    Ok(())
}

async fn hand_in<D: Desk>(mailbox: &Mailbox<'_, D>, found: &Found) -> Outcome {
    let (Some(raw), Some(arrived)) = (&found.raw, found.arrived) else { return Outcome::Done };
    let raw = doorcode_core::Secret::new(raw.expose().clone());
    mailbox.desk.take(&Fetched { raw, arrived }).await
}
