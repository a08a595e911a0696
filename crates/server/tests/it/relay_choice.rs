//! Which of two agents gets a message, when its owner says yes to the second while the message is on its way to the first: on both engines.
//! Undecided, neither gets it.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::sync::{Arc, Mutex};

use doorcode::app::App;
use doorcode::ops::audit::Whose;
use doorcode::ops::relays::{self, Approver, By, Taken, Word, Yes};
use doorcode::store::relays as rows;
use doorcode_core::RelayId;
use doorcode_core::relay::fit::Worth;
use doorcode_core::relay::{Named as _, State};
use futures_util::future::poll_immediate;
use tokio::sync::oneshot;

use crate::agentotp_cast::{Cast, agent};
use crate::app::MOMENT;
use crate::contract::hold;
use crate::relay_mail::comes;
use crate::{nodes, postgres};

const TEXT: &str = "Your Acme code is 482913";

/// The first agent's request, which was said yes to, and the second one's, which was not.
async fn two_requests(cast: &Cast) -> (RelayId, RelayId) {
    let (_, other) = agent(&cast.app, cast.whose, "Other", false).await;
    let (first, second) = (cast.approved().await, cast.ask_as(&other).await);
    (RelayId::read(&first).unwrap(), RelayId::read(&second).unwrap())
}

async fn arrives(app: &Arc<App>, whose: Whose) -> Taken {
    comes(app, whose, TEXT, Worth::Verified, 1).await
}

/// Neither has it, and once she has chosen the one that she chose has.
async fn is_left_to_her(cast: &Cast, (first, second): (RelayId, RelayId)) {
    for id in [first, second] {
        let look = cast.app.app.db.read(move |tx| Box::pin(async move { rows::payload(tx, &id).await }));
        assert!(look.await.unwrap().is_none());
    }
    let approver = Approver { whose: cast.whose, by: By::Session };
    relays::choose(&cast.app.app, approver, second).await.unwrap();
    assert_eq!(arrives(&cast.app.app, cast.whose).await, Taken::Given(second), "the message was not used up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_yes_between_the_look_and_the_write_is_seen() {
    if postgres::is_wanted() {
        return;
    }
    let cast = Cast::new().await;
    let (first, second) = two_requests(&cast).await;
    let (go, holding) = hold(&cast.app.app.db);
    let approver = Approver { whose: cast.whose, by: By::Session };
    // Each goes as far as to the writer, which is held: her word before the message, whose look saw nothing of it.
    let mut said = Box::pin(relays::decide(&cast.app.app, approver, second, Word::Yes(Yes::Plain)));
    assert!(poll_immediate(&mut said).await.is_none());
    let mut taken = Box::pin(arrives(&cast.app.app, cast.whose));
    assert!(poll_immediate(&mut taken).await.is_none());
    drop(go);
    holding.await.unwrap().unwrap();
    let (said, taken) = tokio::join!(said, taken);
    assert!(matches!(said.unwrap(), relays::Decided::Done(..)));
    assert_eq!(taken, Taken::Contested);
    is_left_to_her(&cast, (first, second)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_request_that_comes_and_is_said_yes_to_meanwhile_is_seen_as_well() {
    if postgres::is_wanted() {
        return;
    }
    let cast = Cast::new().await;
    let (_, second) = two_requests(&cast).await;
    let (go, holding) = hold(&cast.app.app.db);
    // A copy of the second that a rule has said yes to, which is there only after the look.
    let copied = cast.app.app.db.write(move |tx| {
        Box::pin(async move {
            let mut row = rows::get(tx, &second).await?.unwrap();
            (row.id, row.standing.state) = (RelayId::from_bytes([0xfe; 16]), State::Approved);
            rows::insert(tx, &row).await
        })
    });
    let mut copied = Box::pin(copied);
    assert!(poll_immediate(&mut copied).await.is_none());
    let mut taken = Box::pin(arrives(&cast.app.app, cast.whose));
    assert!(poll_immediate(&mut taken).await.is_none());
    drop(go);
    holding.await.unwrap().unwrap();
    let (copied, taken) = tokio::join!(copied, taken);
    copied.unwrap();
    assert_eq!(taken, Taken::Contested);
    assert_eq!(cast.app.number("SELECT count(*) FROM relays WHERE payload IS NOT NULL"), 0);
}

/// A yes on one server that is not committed when the message comes to the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_yes_on_another_server_is_waited_for() {
    let Some(cluster) = postgres::shared() else { return };
    let url = cluster.database();
    let (here, there) = nodes::two_at(&url).await;
    let cast = Cast::of(here).await;
    let (first, second) = two_requests(&cast).await;
    let (release, released) = oneshot::channel::<()>();
    let (begun, begins) = oneshot::channel();
    let pair = Arc::new(Mutex::new(Some((begun, released))));
    let (db, now) = (there.app.db.clone(), cast.app.now());
    let approving = tokio::spawn(async move {
        let unit = db.write(move |tx| {
            Box::pin(async move {
                let row = rows::hold(tx, &second).await?.unwrap();
                assert!(rows::decide(tx, &row, true, ("user", None), (now, now)).await?);
                let held = pair.lock().unwrap().take();
                if let Some((begun, released)) = held {
                    begun.send(()).unwrap();
                    released.await.unwrap();
                }
                Ok(())
            })
        });
        unit.await.unwrap();
    });
    begins.await.unwrap();
    let (app, whose) = (Arc::clone(&cast.app.app), cast.whose);
    let taking = tokio::spawn(async move { arrives(&app, whose).await });
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while !taking.is_finished() && postgres::query(&url, waits).unwrap() == ["0"] {
        tokio::time::sleep(MOMENT).await;
    }
    release.send(()).unwrap();
    approving.await.unwrap();
    assert_eq!(taking.await.unwrap(), Taken::Contested);
    is_left_to_her(&cast, (first, second)).await;
}
