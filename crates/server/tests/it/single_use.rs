//! Single use as the store promises it: one conditional statement consumes, one counts a repeat, and neither trusts what
//! its caller read before.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::sync::Arc;

use doorcode::store::Db;
use doorcode::store::challenges::{self, Challenge};
use doorcode_core::challenge::REPEAT_WINDOW;
use doorcode_core::{ChallengeId, Kid, OrgId, Shape, State, Timestamp};
use futures_util::future::join_all;

use crate::app::{Folder, MOMENT, START, hours, seconds};

const ID: ChallengeId = ChallengeId::from_bytes([3; 16]);
const ME: [u8; 8] = [1; 8];
const YOU: [u8; 8] = [2; 8];

async fn with_challenge() -> (Db, Arc<Folder>) {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path()).unwrap();
    let db = Db::open(folder.path()).unwrap();
    let new = Challenge {
        id: ID,
        realm: OrgId::HOUSE,
        purpose: "sign-in".to_owned(),
        method: "code".to_owned(),
        destination: "ada@example.com".to_owned(),
        language: "en".to_owned(),
        shape: Shape::LONG,
        generation: 0,
        kid: Kid::pick([0; 8]),
        salt: [0; 16],
        state: State::Pending,
        expires_at: START.plus(hours(1)),
        full_name: None,
        client: None,
        repeats: 0,
    };
    db.write(move |tx| Box::pin(async move { challenges::insert(tx, &new).await })).await.unwrap();
    (db, folder)
}

async fn consume(db: &Db, by: [u8; 8], at: Timestamp) -> bool {
    db.write(move |tx| {
        Box::pin(async move { challenges::consume(tx, &ID, Some(&by), at.plus(REPEAT_WINDOW), at).await })
    })
    .await
    .unwrap()
}

async fn repeat(db: &Db, by: [u8; 8], at: Timestamp) -> bool {
    db.write(move |tx| Box::pin(async move { challenges::repeat(tx, &ID, &by, at).await })).await.unwrap()
}

#[tokio::test]
async fn of_many_who_consume_one_does() {
    let (db, _folder) = with_challenge().await;
    let outcomes = join_all((0..200).map(|_| consume(&db, ME, START))).await;
    assert_eq!(outcomes.into_iter().filter(|done| *done).count(), 1);
    assert!(!consume(&db, YOU, START).await);
}

#[tokio::test]
async fn what_is_over_is_not_consumed() {
    let (db, _folder) = with_challenge().await;
    assert!(!consume(&db, ME, START.plus(hours(1))).await, "its first moment of being too late");
    assert!(consume(&db, ME, START.plus(hours(1) - MOMENT)).await);
    let (db, _folder) = with_challenge().await;
    db.write(|tx| Box::pin(challenges::void(tx, &ID))).await.unwrap();
    assert!(!consume(&db, ME, START).await);
    let (db, _folder) = with_challenge().await;
    db.write(|tx| Box::pin(challenges::void_all(tx))).await.unwrap();
    assert!(!consume(&db, ME, START).await);
}

#[tokio::test]
async fn a_repeat_is_its_clients_own_soon_and_eight_times() {
    let (db, _folder) = with_challenge().await;
    assert!(!repeat(&db, ME, START).await, "nothing to repeat yet");
    assert!(consume(&db, ME, START).await);
    assert!(!repeat(&db, YOU, START).await);
    assert!(!repeat(&db, ME, START.plus(seconds(10))).await);
    for _ in 0..8 {
        assert!(repeat(&db, ME, START.plus(seconds(10) - MOMENT)).await);
    }
    assert!(!repeat(&db, ME, START).await);
}

#[tokio::test]
async fn a_challenge_that_is_over_is_not_sent_again() {
    let (db, _folder) = with_challenge().await;
    assert!(resend(&db, START.plus(hours(1) - MOMENT)).await);
    assert!(!resend(&db, START.plus(hours(1))).await);
    consume(&db, ME, START).await;
    assert!(!resend(&db, START).await);
}

async fn resend(db: &Db, at: Timestamp) -> bool {
    let unit = db.write(move |tx| Box::pin(async move { challenges::resend(tx, &ID, "en", (None, None), at).await }));
    unit.await.unwrap()
}
