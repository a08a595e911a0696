//! The way from a committed challenge to the worker that delivers it. What is handed over here is a short cut: the row
//! in `deliveries` is the promise, and its lease brings it back if the short cut is full or the process dies.

use std::sync::Arc;
use std::time::Duration;

use doorcode_core::{DeliveryId, Timestamp};
use tokio::sync::{Mutex, mpsc};

use crate::store::challenges::Challenge;

/// For how long whoever takes a message to a webhook has it to themselves. That of a mail is a setting.
pub const LEASE: Duration = Duration::from_secs(90);

/// The longest that one try of a mail may last. A try begins only while its lease has this much left, so that no message is on
/// its way twice.
pub fn longest_try(lease: Duration) -> Duration {
    lease / 2
}

/// How many messages may wait in memory; the database holds any number.
const ROOM: usize = 4096;

/// A message that is taken, with all that it needs.
pub struct Handed {
    /// The delivery.
    pub id: DeliveryId,
    /// Tries so far.
    pub attempts: u32,
    /// The end of its lease.
    pub until: Timestamp,
    /// Whether it carries a link beside the code.
    pub link: bool,
    /// What it carries.
    pub challenge: Challenge,
}

/// The end that operations hand messages to.
#[derive(Clone)]
pub struct Outbox(mpsc::Sender<Handed>);

/// The end that workers take messages from.
#[derive(Clone)]
pub struct Waiting(Arc<Mutex<mpsc::Receiver<Handed>>>);

impl Outbox {
    /// Both ends.
    pub fn new() -> (Self, Waiting) {
        let (sender, receiver) = mpsc::channel(ROOM);
        (Self(sender), Waiting(Arc::new(Mutex::new(receiver))))
    }

    /// Hands a taken message over. False: there is no room, and its lease will bring it back.
    pub fn hand(&self, message: Handed) -> bool {
        self.0.try_send(message).is_ok()
    }
}

impl Waiting {
    /// Waits for messages and takes up to `most`. Empty: nothing will come any more.
    pub async fn take(&self, most: usize) -> Vec<Handed> {
        let mut taken = Vec::new();
        self.0.lock().await.recv_many(&mut taken, most).await;
        taken
    }

    /// Takes up to `most` without waiting.
    pub async fn take_now(&self, most: usize) -> Vec<Handed> {
        let mut receiver = self.0.lock().await;
        std::iter::from_fn(|| receiver.try_recv().ok()).take(most).collect()
    }
}
