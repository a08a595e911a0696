//! What this server does with the messages of a mailbox that it watches: the same as with any other mail that comes in. Refuses to write
//! anything down of a mailbox that is not its any more.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use doorcode_core::mailbox::Refresh;
use doorcode_core::relay::{MAIL, Way};
use doorcode_core::{Email, Error, Timestamp};
use tokio::sync::Notify;

use crate::app::App;
use crate::capture::mail::{self, Became, Letter};
use crate::capture::mailbox::{self, Fetched, Outcome, Place, State};
use crate::capture::shares::{Room, Shares};
use crate::ops::feed::Listener;
use crate::ops::mailboxes::{self, Claimed};
use crate::ops::relays::{Taken, senders};

/// As far back as is looked where nobody can say who waits: no request lives longer.
const LONG: Duration = Duration::from_secs(3600);

/// The desk of one mailbox.
pub(super) struct Desk {
    app: Arc<App>,
    room: Arc<Shares>,
    claimed: Claimed,
    addresses: Vec<Email>,
    /// Its owner's requests.
    news: Listener,
    /// Itself: it was removed, or given other credentials.
    called: Listener,
    state: Mutex<Option<State>>,
    reached: Mutex<Option<String>>,
    over: Notify,
}

impl Desk {
    pub(super) fn new(app: Arc<App>, room: Arc<Shares>, claimed: Claimed, addresses: Vec<Email>) -> Self {
        let news = app.feed.overhear(*claimed.mailbox.owner.as_bytes());
        let called = app.feed.overhear(*claimed.held.id.as_bytes());
        let reached = Mutex::new(claimed.mailbox.reached.clone());
        let (state, over) = (Mutex::default(), Notify::new());
        Self { app, room, claimed, addresses, news, called, state, reached, over }
    }

    /// Returns when this server is to watch it no more.
    pub(super) async fn ended(&self) {
        let called = self.called.notify();
        loop {
            let heard = called.notified();
            match mailboxes::is_held(&self.app, &self.claimed.held).await {
                Ok(true) => {}
                Ok(false) => return,
                // Whether it is is found out when the lease is renewed.
                Err(error) => self.log(&error),
            }
            tokio::select! {
                () = heard => {}
                () = self.over.notified() => return,
            }
        }
    }

    fn log(&self, error: &Error) {
        tracing::warn!(mailbox = %self.claimed.held.id, error = %crate::chain(error), "a mailbox that is watched");
    }

    /// Goes on with what is this server's; ends where it is not.
    fn held(&self, done: doorcode_core::Result<bool>) {
        match done {
            Ok(true) => {}
            // Kept for whoever asks next, so that it is not missed.
            Ok(false) => self.over.notify_one(),
            Err(error) => self.log(&error),
        }
    }
}

impl mailbox::Desk for Desk {
    async fn waits(&self) -> Option<Timestamp> {
        let (now, owner) = (self.app.clock.now(), self.claimed.mailbox.owner);
        match senders::oldest(&self.app, owner, MAIL, now).await {
            Ok(oldest) => oldest,
            Err(error) => {
                // As if somebody did: the messages are tried again then, and not passed over.
                self.log(&error);
                Some(now.minus(LONG))
            }
        }
    }

    fn news(&self) -> Arc<Notify> {
        self.news.notify()
    }

    async fn take(&self, message: &Fetched) -> Outcome {
        let host = &self.claimed.mailbox.host;
        let forwarders = &self.app.config.capture.forwarders;
        let mailbox = mail::Mailbox { addresses: &self.addresses, host: Some(host), forwarders, carrier: None };
        // No folder of junk is watched.
        let letter = Letter { raw: message.raw.expose(), arrived: message.arrived, junk: false };
        match mail::receive(&self.app, self.claimed.whose(), Way::Mailbox, &mailbox, &letter).await {
            Ok(became) => outcome(became),
            Err(Error::Limited { .. }) => Outcome::Left,
            Err(error) => {
                self.log(&error);
                Outcome::Again
            }
        }
    }

    async fn hear(&self, state: State) {
        let before = self.state.lock().unwrap_or_else(PoisonError::into_inner).replace(state);
        if before == Some(state) && state != State::Refused {
            return;
        }
        let done = match state {
            State::Watching => mailboxes::goes(&self.app, &self.claimed.held, None).await,
            State::Away(why) => mailboxes::goes(&self.app, &self.claimed.held, Some(why)).await,
            State::Refused => mailboxes::refused(&self.app, &self.claimed).await,
        };
        if done.is_err() {
            // It is said again with the next try.
            *self.state.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        self.held(done);
    }

    async fn begin(&self) -> Option<Place> {
        self.reached.lock().unwrap_or_else(PoisonError::into_inner).as_deref().and_then(Place::read)
    }

    async fn keep(&self, place: &Place) {
        let text = place.write();
        if self.reached.lock().unwrap_or_else(PoisonError::into_inner).as_deref() == Some(&text) {
            return;
        }
        let done = mailboxes::keep(&self.app, &self.claimed.held, &text).await;
        if done.is_ok() {
            *self.reached.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
        }
        self.held(done);
    }

    async fn renewed(&self, refresh: &Refresh) {
        let done = mailboxes::renewed(&self.app, &self.claimed, refresh).await;
        self.held(done);
    }

    async fn room(&self) -> Option<Room> {
        self.room.begin(self.claimed.mailbox.owner).await
    }
}

/// Whether a message may still be somebody's.
fn outcome(became: Became) -> Outcome {
    match became {
        Became::Was(Taken::Nobody | Taken::Unverified | Taken::Contested) => Outcome::Left,
        Became::Never(_) | Became::Was(_) => Outcome::Done,
    }
}
