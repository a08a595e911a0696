//! The mailboxes that people connected, watched by this server: it takes those that nobody watches, as many as it has room for, goes on with
//! them while it lives, and stops with one that was removed, given other credentials, or taken over, or whose place another org needs more.
//! Refuses to watch one without a lease.
//!
//! ```text
//! claim → open the credentials → mailbox::watch … Desk::take → mail::receive → the relay
//! ```

mod desk;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use doorcode_core::mailbox::Credentials;
use doorcode_core::{Email, MailboxId, Result, Timestamp};
use tokio::task::{AbortHandle, JoinSet};

use super::mailbox::{Access, Account, Grant, Held as Kept, Mailbox, Pauses, Security, watch};
use super::shares::Shares;
use crate::app::App;
use crate::ops::mailboxes::{self, Claimed};
use desk::Desk;

/// Between two looks for mailboxes that nobody watches.
const LOOK: Duration = Duration::from_secs(1);
/// Between two looks for credentials that are sealed under an older master key.
const RESEAL: Duration = Duration::from_secs(60);
/// Messages in memory at the same time, of all mailboxes: of each up to two MiB of an answer, one MiB that is taken out of it, and then what
/// is made of that.
const ROOM: usize = 32;
/// The same of one person's: their mailboxes' servers may dawdle, or be floods.
const SHARE: usize = 2;

/// Watches until dropped, `most` at the same time.
pub async fn watch_all(app: Arc<App>, most: usize) {
    if most == 0 {
        return;
    }
    let mut house = House::new(app, most);
    loop {
        if let Err(error) = house.turn().await {
            tracing::warn!(error = %crate::chain(&error), "the mailboxes could not be looked after");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            Some(_) = house.tasks.join_next() => {}
        }
    }
}

struct House {
    app: Arc<App>,
    most: usize,
    room: Arc<Shares>,
    tasks: JoinSet<()>,
    watched: HashMap<MailboxId, Watch>,
    /// When it was last said that this server goes on.
    renewed: Timestamp,
    resealed: Option<Timestamp>,
}

/// One that is watched.
struct Watch {
    /// With which credentials.
    version: i64,
    task: AbortHandle,
}

impl House {
    fn new(app: Arc<App>, most: usize) -> Self {
        let (room, renewed) = (Arc::new(Shares::new(ROOM, SHARE, usize::MAX)), app.clock.now());
        Self { app, most, room, tasks: JoinSet::new(), watched: HashMap::new(), renewed, resealed: None }
    }

    async fn turn(&mut self) -> Result<()> {
        let now = self.app.clock.now();
        while self.tasks.try_join_next().is_some() {}
        self.watched.retain(|_, watch| !watch.task.is_finished());
        let lease = self.app.config.capture.mailboxes.lease;
        if now.since(self.renewed) >= lease / 3 {
            if let Err(error) = self.renew().await {
                if now.since(self.renewed) >= lease {
                    // Another server may have them by now.
                    self.tasks.abort_all();
                }
                return Err(error);
            }
            self.renewed = now;
        }
        // One a turn; the next turn comes as soon as that one's task has ended.
        if self.room_left() == 0
            && let Some(spare) = mailboxes::make_room(&self.app).await?
            && let Some(watch) = self.watched.remove(&spare)
        {
            watch.task.abort();
        }
        for claimed in mailboxes::claim(&self.app, self.room_left()).await? {
            self.begin(claimed);
        }
        if self.resealed.is_none_or(|at| now.since(at) >= RESEAL) {
            mailboxes::reseal(&self.app).await?;
            self.resealed = Some(now);
        }
        Ok(())
    }

    fn room_left(&self) -> usize {
        self.most.saturating_sub(self.watched.len())
    }

    /// Says that this server goes on, and stops with what is not its any more.
    async fn renew(&mut self) -> Result<()> {
        let held: HashMap<MailboxId, i64> = mailboxes::renew(&self.app).await?.into_iter().collect();
        for (id, watch) in &self.watched {
            if held.get(id) != Some(&watch.version) {
                watch.task.abort();
            }
        }
        // Whatever ended one that it still has: somebody begins anew with it.
        for (id, version) in held {
            if self.watched.get(&id).is_none_or(|watch| watch.task.is_finished()) {
                mailboxes::release_one(&self.app, id, version).await?;
            }
        }
        Ok(())
    }

    fn begin(&mut self, claimed: Claimed) {
        let (id, version) = (claimed.held.id, claimed.held.version);
        let (app, room) = (Arc::clone(&self.app), Arc::clone(&self.room));
        let task = self.tasks.spawn(async move {
            if let Err(error) = one(app, room, claimed).await {
                tracing::warn!(mailbox = %id, error = %crate::chain(&error), "a mailbox could not be watched");
            }
        });
        if let Some(before) = self.watched.insert(id, Watch { version, task }) {
            before.task.abort();
        }
    }
}

/// Watches one, until it is not this server's any more.
async fn one(app: Arc<App>, room: Arc<Shares>, claimed: Claimed) -> Result<()> {
    let Some(credentials) = claimed.credentials.clone() else {
        return mailboxes::give_up(&app, &claimed).await.map(drop);
    };
    let account = match account(&app, &claimed, credentials) {
        Ok(account) => account,
        Err(error) => {
            // The rules have changed since it was connected.
            mailboxes::goes(&app, &claimed.held, Some("its server is none that may be spoken to")).await?;
            return Err(error);
        }
    };
    let set = &app.config.capture.mailboxes;
    let pauses = Pauses {
        line: (set.retry_first, set.retry_most),
        refused: (set.refused_pause, set.refused_pause.saturating_mul(8)),
    };
    let addresses = claimed.mailbox.addresses.lines().filter_map(|text| Email::parse(text).ok()).collect();
    let desk = Desk::new(Arc::clone(&app), room, claimed, addresses);
    let mailbox = Mailbox {
        egress: &app.egress,
        account: &account,
        desk: &desk,
        clock: &app.clock,
        entropy: &app.entropy,
        pauses,
    };
    tokio::select! {
        () = watch(&mailbox) => {}
        () = desk.ended() => {}
    }
    Ok(())
}

fn account(app: &App, claimed: &Claimed, credentials: Credentials) -> Result<Account> {
    let row = &claimed.mailbox;
    let access = match credentials {
        Credentials::Password(secret) => Access::Password(Kept::Here(secret)),
        Credentials::AccessToken(secret) => Access::Token(Kept::Here(secret)),
        Credentials::RefreshToken(refresh) => {
            Access::Grant(Grant::new(app.egress.check_url(&refresh.endpoint)?, refresh))
        }
    };
    Ok(Account {
        target: app.egress.check_mailbox(&row.host, row.port)?,
        security: Security::read(&row.security)?,
        user: row.login.clone(),
        access,
        folder: row.folder.clone(),
    })
}
