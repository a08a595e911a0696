//! Answers that must not tell by their time whether an address is known. The same work is done for all of them
//! (docs/decisions/0011), and they leave at one time after their request came, so that what the work of a microsecond more or
//! less would tell is not seen. Waits on a thread of its own: the runtime's timer counts in whole milliseconds from when it is
//! asked, so an answer would still carry the rest of a millisecond that its work took.

use std::collections::BinaryHeap;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use doorcode_core::{Error, Result};
use tokio::sync::oneshot;

use crate::clock::Stopwatch;

/// The routes whose answers are held, whatever they say: whoever asks there may be a stranger, and gives an address.
pub const HELD: [&str; 8] = [
    "/linkedin-agent/auth-send-otp",
    "/linkedin-agent/auth-verify-otp",
    "/signin",
    "/signin/code",
    "/signin/resend",
    "/v1/otp_init",
    "/v1/otp_init_v2",
    "/v1/account",
];

/// The longest that an answer is held: more would only keep people waiting.
const MOST: Duration = Duration::from_secs(1);

/// Whether the answers of a route are held.
pub fn is_held(route: &str) -> bool {
    HELD.contains(&route)
}

/// Holds answers.
pub struct Steady {
    after: Duration,
    waiting: Sender<Waiting>,
}

/// An answer that is ready before its time. The first one is the greatest, as the heap wants it.
struct Waiting {
    until: Instant,
    ready: oneshot::Sender<()>,
}

impl Steady {
    /// Held answers leave `after` their request came, but at the most a second, or when they are made, if that is later.
    pub fn new(after: Duration) -> Result<Self> {
        let after = after.min(MOST);
        let (waiting, coming) = mpsc::channel();
        let thread = std::thread::Builder::new().name("steady".to_owned());
        // It ends when the house does: nobody can send to it then.
        thread.spawn(move || let_go(&coming)).map_err(Error::unavailable)?;
        Ok(Self { after, waiting })
    }

    /// Returns when an answer of a route may leave; `watch` was started when the last of its request came.
    pub async fn hold(&self, watch: Stopwatch, route: &str) {
        if !is_held(route) || watch.elapsed() >= self.after {
            return;
        }
        let (ready, its_time) = oneshot::channel();
        // Nobody takes it where the thread has ended: then the other end is dropped, and the answer leaves at once.
        drop(self.waiting.send(Waiting { until: watch.after(self.after), ready }));
        drop(its_time.await);
    }
}

/// Lets each go when its time has come, until there is nobody left who could send any.
fn let_go(coming: &Receiver<Waiting>) {
    let mut all = BinaryHeap::<Waiting>::new();
    loop {
        let next = match all.peek() {
            Some(first) => coming.recv_timeout(Stopwatch::start().until(first.until)),
            None => coming.recv().map_err(RecvTimeoutError::from),
        };
        match next {
            Ok(waiting) => all.push(waiting),
            Err(RecvTimeoutError::Timeout) => {
                if let Some(first) = all.pop() {
                    // Whoever waited may have gone away.
                    let _ = first.ready.send(());
                }
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other.until.cmp(&self.until)
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.until == other.until
    }
}

impl Eq for Waiting {}
