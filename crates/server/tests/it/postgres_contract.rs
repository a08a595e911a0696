//! What the store promises, asked of PostgreSQL: the same as of the embedded engine (`contract`).

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::time::Duration;

use doorcode::store::{About, Db, targets};
use tokio::sync::oneshot;

use crate::contract::{ASKER, promises};
use crate::postgres;

/// Two servers' ways to one database.
async fn opened() -> Option<(Db, Db, ())> {
    let settings = postgres::settings(&postgres::shared()?.database(), 4);
    let open = async || Db::connect(&settings).await.unwrap();
    Some((open().await, open().await, ()))
}

promises!(opened);

/// Whoever asks from outside sees how long an answer takes: to wait for somebody else must not tell that there is a row.
#[tokio::test]
async fn units_for_one_address_follow_one_another_on_all_servers_whether_it_has_a_row_or_not() {
    let Some((db, other, ())) = opened().await else { return };
    let (known, unknown) = ([1; 16], [2; 16]);
    let rows = db.write(move |tx| {
        Box::pin(async move {
            targets::keep_stand_ins(tx).await?;
            targets::write(tx, &known).await
        })
    });
    rows.await.unwrap();
    for address in [known, unknown] {
        for alone in [false, true] {
            let about = |address| {
                let about = About::address(address, ASKER);
                if alone { about.alone() } else { about }
            };
            let (release, released) = oneshot::channel::<()>();
            let (begun, holds) = oneshot::channel();
            // A unit may be begun anew, so that what it holds is shared.
            let hold = std::sync::Arc::new(std::sync::Mutex::new(Some((begun, released))));
            let holder = tokio::spawn({
                let (db, about) = (db.clone(), about(address));
                async move {
                    let unit = db.write_at(about, move |tx| {
                        Box::pin(async move {
                            drop(targets::nearest(tx, &address).await?);
                            let held = hold.lock().unwrap().take();
                            if let Some((begun, released)) = held {
                                begun.send(()).unwrap();
                                released.await.unwrap();
                            }
                            Ok(())
                        })
                    });
                    unit.await.unwrap();
                }
            });
            holds.await.unwrap();
            let look = |address: [u8; 16]| {
                other.write_at(about(address), move |tx| {
                    Box::pin(async move { targets::nearest(tx, &address).await.map(|found| found.own) })
                })
            };
            let waiting = look(address);
            tokio::pin!(waiting);
            let early = tokio::time::timeout(Duration::from_millis(200), &mut waiting).await;
            assert!(early.is_err(), "{address:?}: it did not wait");
            // Somebody else's is not kept waiting.
            look([3; 16]).await.unwrap();
            release.send(()).unwrap();
            assert_eq!(waiting.await.unwrap(), address == known);
            holder.await.unwrap();
        }
    }
}
