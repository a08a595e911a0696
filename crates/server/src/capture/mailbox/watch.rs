//! Watches a mailbox for as long as somebody asks it to: over connections that break, passwords that change and servers that number their
//! messages anew. Refuses to fetch anything while nobody waits. No message is lost between two connections; one that may be taken twice
//! is known by its digests to whoever takes it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use doorcode_core::{Secret, Timestamp};
use futures_util::FutureExt as _;

use super::place::{MOST, Passed, Place};
use super::session::{Found, Heard, Listed, Open};
use super::{Access, Account, Desk, Fetched, LARGEST, Outcome, State, Trouble};
use crate::clock::{Clock, Stopwatch};
use crate::egress::Egress;
use crate::entropy::Entropy;

/// IDLE is said again before the translators of addresses on the way forget a silent connection.
const RENEW: Duration = Duration::from_secs(9 * 60);
/// How often a server is asked that does not say by itself what comes.
const POLL: Duration = Duration::from_secs(3);
/// How long a message is tried again later that could not be judged.
const AGAIN: Duration = Duration::from_secs(5);
/// A connection that lasts for so long is a good one; one that breaks before counts as a try.
const GOOD: Duration = Duration::from_secs(60);
/// Messages in the answer to one question, where [`MOST`] were asked for and some came meanwhile.
const ANSWERED_MOST: usize = 4 * MOST;
/// Looks without a rest within a window. What comes in the rest is found by one look after it.
const LOOKS_MOST: u32 = 20;
const WINDOW: Duration = Duration::from_secs(1);
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
    /// How long it rests between two tries.
    pub pauses: Pauses,
}

/// The first pause between two tries and the longest: twice as long each time.
#[derive(Clone, Copy)]
pub struct Pauses {
    /// Where there is no connection.
    pub line: (Duration, Duration),
    /// Where the server did not let us in: it counts, and closes the door for good.
    pub refused: (Duration, Duration),
}

impl Default for Pauses {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { line: (seconds(1), seconds(120)), refused: (seconds(60), seconds(1800)) }
    }
}

/// Watches until dropped.
pub async fn watch<D: Desk>(mailbox: &Mailbox<'_, D>) {
    let (mut place, mut tries) = (mailbox.desk.begin().await, 0);
    loop {
        let begun = mailbox.clock.now();
        // What a server says may make somebody panic who reads it: that is a connection that broke, as any other, and not the end of the watch.
        let broken = AssertUnwindSafe(connected(mailbox, &mut place)).catch_unwind().await;
        let trouble = broken.map_or(Trouble::Line("the server's answer could not be read"), |Err(trouble)| trouble);
        if mailbox.clock.now().since(begun) >= GOOD {
            tries = 0;
        }
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
    let pauses = mailbox.pauses;
    let (least, most) = if trouble == Trouble::Refused { pauses.refused } else { pauses.line };
    let pause = least.saturating_mul(1 << tries.min(16)).min(most);
    // From three quarters to five quarters of it, so that not all come back at once.
    let chance = mailbox.entropy.bytes::<1>().map_or(128, |[byte]| u32::from(byte));
    let pause = pause * (192 + chance / 2) / 256;
    let read = || mailbox.account.access.held().and_then(|held| held.read().ok());
    let before = read();
    let end = mailbox.clock.now().plus(pause);
    loop {
        let left = end.since(mailbox.clock.now());
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left.min(Duration::from_secs(1))).await;
        let changed = read().zip(before.as_ref()).is_some_and(|(now, before)| now.expose() != before.expose());
        if trouble == Trouble::Refused && changed {
            return;
        }
    }
}

/// A token, where the mailbox is opened with one that is asked for.
async fn token<D: Desk>(mailbox: &Mailbox<'_, D>) -> Result<Option<Secret<String>>, Trouble> {
    let Access::Grant(grant) = &mailbox.account.access else { return Ok(None) };
    let fresh = grant.ask(mailbox.egress).await?;
    if let Some(renewed) = &fresh.renewed {
        mailbox.desk.renewed(renewed).await;
    }
    Ok(Some(fresh.access))
}

/// One connection, until it breaks.
async fn connected<D: Desk>(
    mailbox: &Mailbox<'_, D>,
    place: &mut Option<Place>,
) -> Result<std::convert::Infallible, Trouble> {
    let token = token(mailbox).await?;
    let mut open = Open::of(mailbox.egress, mailbox.account, token).await?;
    // Numbered anew, or numbers that were there are gone: what they meant nobody knows any more.
    let holds = |known: &Place| known.validity == open.validity && known.next <= open.uid_next;
    let renumbered = place.as_ref().is_some_and(|known| !holds(known));
    let begun = Place::begin(open.validity, open.uid_next);
    let place = match place {
        Some(known) if !renumbered => known,
        other => other.insert(begun),
    };
    place.next = place.next.max(open.uid_next.saturating_sub(BEHIND));
    mailbox.desk.hear(State::Watching).await;
    if renumbered {
        recall(mailbox, &mut open, place).await?;
    }
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
    let mut pace = Pace::begin();
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
            pace.breathe().await;
            open.idle().await?;
            over.set(tokio::time::sleep(pause(place, open)));
        }
        if heard.is_none() {
            return Ok(unsure);
        }
    }
}

/// How often it was looked: a server that says again and again that something came is not followed as fast as it talks, since each look
/// may be written down.
struct Pace {
    since: Stopwatch,
    looks: u32,
}

impl Pace {
    fn begin() -> Self {
        Self { since: Stopwatch::start(), looks: 0 }
    }

    async fn breathe(&mut self) {
        if self.since.elapsed() >= WINDOW {
            *self = Self::begin();
        }
        self.looks += 1;
        if self.looks > LOOKS_MOST {
            tokio::time::sleep(WINDOW).await;
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
        let range = format!("{}:*", place.next);
        return fetch(mailbox, open, place, &range).await;
    }
    // Only their numbers: nobody waits, or there are many.
    let mut new = numbers(open, &format!("UID FETCH {}:* {NUMBER}", place.next)).await?;
    new.retain(|found| found.uid >= place.next);
    let now = mailbox.clock.now();
    let Some(after) = waits else {
        new.iter().for_each(|found| place.pass(found.uid, found.arrived.unwrap_or(now)));
        mailbox.desk.keep(place).await;
        return Ok(());
    };
    let (wanted, early): (Vec<_>, Vec<_>) =
        new.iter().partition(|found| found.arrived.is_none_or(|at| second(at) >= second(after)));
    let last = new.last().map(|found| found.uid);
    // Somebody may be let have one who has asked before those who wait.
    early
        .iter()
        .for_each(|found| place.keep(Passed { uid: found.uid, arrived: found.arrived.unwrap_or(now), again: 0 }));
    for some in wanted.chunks(MOST) {
        fetch(mailbox, open, place, &list(some.iter().map(|found| found.uid))).await?;
    }
    if let Some(uid) = last {
        place.go_past(uid);
    }
    mailbox.desk.keep(place).await;
    Ok(())
}

/// After the numbers have changed: what came since somebody waits, so far as it can be told, is looked at once more. What was taken before is
/// known by its digests to whoever takes it.
async fn recall<D: Desk>(mailbox: &Mailbox<'_, D>, open: &mut Open, place: &mut Place) -> Result<(), Trouble> {
    let Some(after) = mailbox.desk.waits().await else { return Ok(()) };
    if open.exists == 0 {
        return Ok(());
    }
    let first = open.exists.saturating_sub(u32::try_from(MOST - 1).unwrap_or(u32::MAX)).max(1);
    for found in numbers(open, &format!("FETCH {first}:* {NUMBER}")).await? {
        let Some(arrived) = found.arrived.filter(|at| second(*at) >= second(after)) else { continue };
        if found.uid < place.next {
            place.keep(Passed { uid: found.uid, arrived, again: 0 });
        }
    }
    Ok(())
}

/// Looks once more at what came before somebody waited for it.
async fn look_back<D: Desk>(mailbox: &Mailbox<'_, D>, open: &mut Open, place: &mut Place) -> Result<(), Trouble> {
    place.forget(mailbox.clock.now());
    if place.passed.is_empty() {
        return Ok(());
    }
    let Some(after) = mailbox.desk.waits().await else { return Ok(()) };
    let wanted = place.passed.iter().filter(|passed| second(passed.arrived) >= second(after));
    let wanted: Vec<u32> = wanted.map(|passed| passed.uid).collect();
    for some in wanted.chunks(MOST) {
        fetch(mailbox, open, place, &list(some.iter().copied())).await?;
    }
    Ok(())
}

/// Mailboxes tell times without parts of a second.
fn second(at: Timestamp) -> i64 {
    at.millis().div_euclid(1000)
}

fn list(uids: impl Iterator<Item = u32>) -> String {
    uids.map(|uid| uid.to_string()).collect::<Vec<_>>().join(",")
}

/// The numbers and times that a question is answered with, in their order.
async fn numbers(open: &mut Open, question: &str) -> Result<Vec<Listed>, Trouble> {
    let mut all = open.list(question).await?;
    all.sort_by_key(|found| found.uid);
    Ok(all)
}

/// Fetches messages, and hands each in before the next.
async fn fetch<D: Desk>(
    mailbox: &Mailbox<'_, D>,
    open: &mut Open,
    place: &mut Place,
    uids: &str,
) -> Result<(), Trouble> {
    let done = match open.ask(&format!("UID FETCH {uids} {WHOLE}")).await {
        Ok(()) => read(mailbox, open, place).await,
        Err(trouble) => Err(trouble),
    };
    // However far it came.
    mailbox.desk.keep(place).await;
    done
}

async fn read<D: Desk>(mailbox: &Mailbox<'_, D>, open: &mut Open, place: &mut Place) -> Result<(), Trouble> {
    // Nothing is kept free for a server that says nothing at all.
    open.answered().await?;
    for _ in 0..ANSWERED_MOST {
        // Room for one and for as long as that one takes: a server that dawdles has it no longer, and next come those who wait for it.
        let room = mailbox.desk.room().await;
        let Some(found) = open.next().await? else { return Ok(()) };
        take(mailbox, place, found).await;
        drop(room);
    }
    Err(Trouble::Line("the server says more than it was asked"))
}

async fn take<D: Desk>(mailbox: &Mailbox<'_, D>, place: &mut Place, found: Found) {
    let known = place.passed.iter().any(|passed| passed.uid == found.uid);
    // The last message answers for every number behind it.
    if !known && found.uid < place.next {
        return;
    }
    let (uid, arrived) = (found.uid, found.arrived);
    // Taken away only when it was handed in: whoever is interrupted finds it again.
    let outcome = hand_in(mailbox, found).await;
    let before = place.take(uid);
    place.go_past(uid);
    if outcome != Outcome::Done {
        let again =
            if outcome == Outcome::Again { before.map_or(3, |before| before.again.saturating_sub(1)) } else { 0 };
        place.keep(Passed { uid, arrived: arrived.unwrap_or(mailbox.clock.now()), again });
    }
}

async fn hand_in<D: Desk>(mailbox: &Mailbox<'_, D>, found: Found) -> Outcome {
    let (Some(raw), Some(arrived)) = (found.raw, found.arrived) else { return Outcome::Done };
    if found.size > LARGEST {
        return Outcome::Done;
    }
    mailbox.desk.take(&Fetched { raw, arrived }).await
}
