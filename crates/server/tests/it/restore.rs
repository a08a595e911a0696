//! Copies of a running database and what a restore must not bring back (docs/threat-model.md): live codes, used
//! ones, messages that waited, keys that were revoked since.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use doorcode::ops::agents;
use doorcode::ops::backups::{self, Recovered};
use doorcode::ops::credentials;
use doorcode::ops::inbound;
use doorcode::store::credentials::Kind;
use doorcode_core::{CredentialId, Error, OrgId};
use tokio::task::JoinSet;

use crate::app::{DECOY, Folder, HERE, TestApp, hours, minutes, not, settings, wrong};

const ADA: &str = "ada@example.com";

async fn back_up(app: &TestApp) -> PathBuf {
    let file = app.folder.path().join(format!("copy-{}.db", app.now().millis()));
    backups::create(&app.app, &file).await.unwrap();
    file
}

/// A house on a copy, in another directory, with the same keys, at the same time. Not recovered yet.
async fn restore(app: &TestApp, copy: &PathBuf) -> TestApp {
    restore_with(app, copy, &[]).await
}

async fn restore_with(app: &TestApp, copy: &PathBuf, environment: &[(&str, &str)]) -> TestApp {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path()).unwrap();
    std::fs::copy(copy, folder.path().join("doorcode.db")).unwrap();
    let mut config = settings(&folder, environment);
    config.keys.clone_from(&app.app.config.keys);
    TestApp::open(folder, config, app.now()).await.unwrap()
}

/// What `serve` does before it listens.
async fn recover(app: &TestApp) -> Option<Recovered> {
    backups::recover_if_copy(&app.app).await.unwrap()
}

/// Signs in and says what came of it: org, key's id, key.
async fn key(app: &TestApp, email: &str) -> (OrgId, CredentialId, String) {
    let body = app.from(HERE).sign_in(email).await;
    let key = body["team"]["api_key"].as_str().unwrap().to_owned();
    let row = credentials::recognise(&app.app, Kind::ApiKey, &key).await.unwrap().unwrap();
    (row.org, row.id, key)
}

async fn team(app: &TestApp, key: &str) -> u16 {
    app.from(HERE).saying("x-api-key", key).get("/api-team").await.status
}

#[tokio::test]
async fn a_live_code_is_void_after_a_restore() {
    let app = TestApp::new().await;
    let code = app.code(ADA).await;
    let copy = back_up(&app).await;
    let restored = restore(&app, &copy).await;
    let ended = recover(&restored).await.unwrap();
    assert_eq!(ended, Recovered { challenges: 1, deliveries: 0, credentials: 0 });
    assert_eq!(restored.verify(ADA, &code).await.both(), wrong());
    assert_ne!(restored.code(ADA).await, code, "the next start makes another");
    assert_eq!(app.verify(ADA, &code).await.status, 200, "the original goes on");
}

#[tokio::test]
async fn a_code_that_was_used_after_the_copy_stays_used() {
    let app = TestApp::new().await;
    let code = app.code(ADA).await;
    let copy = back_up(&app).await;
    assert_eq!(app.verify(ADA, &code).await.status, 200);
    let restored = restore(&app, &copy).await;
    recover(&restored).await;
    assert_eq!(restored.verify(ADA, &code).await.both(), wrong());
}

#[tokio::test]
async fn a_used_code_can_not_be_repeated_after_a_restore() {
    let app = TestApp::new().await;
    let code = app.code(ADA).await;
    assert_eq!(app.verify(ADA, &code).await.status, 200);
    let copy = back_up(&app).await;
    assert_eq!(app.verify(ADA, &code).await.status, 200, "within ten seconds, here");
    let restored = restore(&app, &copy).await;
    recover(&restored).await;
    assert_eq!(restored.verify(ADA, &code).await.both(), wrong());
    assert_eq!(restored.number("SELECT count(*) FROM challenges WHERE state <> 2"), 0);
}

#[tokio::test]
async fn what_waited_does_not_go_out() {
    let app = TestApp::new().await;
    app.start(ADA).await;
    let copy = back_up(&app).await;
    let restored = restore(&app, &copy).await;
    assert_eq!(recover(&restored).await.unwrap().deliveries, 1);
    restored.advance(hours(1) - minutes(1));
    assert_eq!(restored.deliver_due().await, 0);
    assert_eq!(restored.messages(ADA), 0);
    assert_eq!(restored.number("SELECT count(*) FROM deliveries WHERE state = 3 AND failure = 'restored'"), 1);
}

#[tokio::test]
async fn a_key_that_was_revoked_after_the_copy_stays_revoked() {
    let app = TestApp::new().await;
    let (org, id, first) = key(&app, ADA).await;
    let (_, _, bob) = key(&app, "bob@example.com").await;
    let copy = back_up(&app).await;
    assert!(credentials::revoke(&app.app, org, id).await.unwrap());
    let restored = restore(&app, &copy).await;
    assert_eq!(team(&restored, &first).await, 200, "the copy does not know, or this test proves nothing");
    assert_eq!(recover(&restored).await.unwrap().credentials, 1);
    assert_eq!(team(&restored, &first).await, 401);
    assert_eq!(team(&restored, &bob).await, 200);
    let (_, _, next) = key(&restored, ADA).await;
    assert_ne!(next, first, "and a later sign-in does not hand it out again");
}

#[tokio::test]
async fn what_is_no_revocation_in_the_file_stops_nothing() {
    let app = TestApp::new().await;
    let (org, id, first) = key(&app, ADA).await;
    let copy = back_up(&app).await;
    // A line that a crash cut short, and one that somebody wrote by hand.
    std::fs::write(app.app.config.keys.join("revocations.log"), format!("hello\n\n{org}\n{org} {id}\n0198")).unwrap();
    let restored = restore(&app, &copy).await;
    assert_eq!(recover(&restored).await.unwrap().credentials, 1);
    assert_eq!(team(&restored, &first).await, 401);
}

#[tokio::test]
async fn the_keys_of_an_agent_that_was_removed_after_the_copy_stay_dead_and_no_request_is_waited_for() {
    use crate::agentotp_cast::{Cast, REQUEST, wish};
    use doorcode_core::relay::Named as _;
    let cast = Cast::new().await;
    cast.received().await;
    let path = format!("/v1/agents/{}/rotate-key", cast.agent.shown());
    let rotated = cast.by(&cast.ada).post(&path, serde_json::json!({ "grace_period": 86_400 })).await.json();
    let copy = back_up(&cast.app).await;
    agents::remove(&cast.app.app, cast.whose, cast.agent).await.unwrap();
    let restored = restore(&cast.app, &copy).await;
    recover(&restored).await;
    for key in [cast.key.as_str(), rotated["api_key"].as_str().unwrap()] {
        assert_eq!(crate::native::program(&restored, key).post(REQUEST, wish()).await.status, 401);
    }
    assert_eq!(restored.number("SELECT count(*) FROM relays WHERE state < 3 OR payload IS NOT NULL"), 0);
}

/// What `revocations.log` says, on a copy that was made before: first it is alive, or the test proves nothing.
#[tokio::test]
async fn a_hook_that_was_removed_after_the_copy_takes_no_pushes() {
    use crate::hooks::{TEXT, phone, push, sign, sms};
    let (scene, path, secret) = phone().await;
    let copy = back_up(&scene.app).await;
    let id = scene.ada().get("/v1/hooks").await.json()["hooks"][0]["id"].as_str().unwrap().to_owned();
    let gone = scene.ada().send(axum::http::Method::DELETE, &format!("/v1/hooks/{id}"), "").await;
    assert_eq!(gone.status, 200, "{}", gone.text());
    let body = sms(&scene, "1", TEXT);
    let signature = sign(&scene, &secret, &body);
    let restored = restore(&scene.app, &copy).await;
    let pushed = async |body: &str| {
        let phone = restored.from(HERE).saying("x-doorcode-signature", &signature);
        phone.send(axum::http::Method::POST, &path, body.to_owned()).await.status
    };
    assert_eq!(pushed(&body).await, 200);
    assert_eq!(recover(&restored).await.unwrap().credentials, 1);
    assert_eq!(pushed(&body).await, 404);
    assert_eq!(push(&scene, &path, &signature, &body).await.status, 404, "as at home");
}

#[tokio::test]
async fn an_address_for_mail_that_was_removed_or_followed_by_another_after_the_copy_is_none() {
    let app = TestApp::with(&crate::inbound::TAKEN_IN).await;
    let (_, whose) = crate::agentotp_cast::person(&app, ADA).await;
    let find = async |app: &TestApp, address: &str| {
        let (local, host) = address.split_once('@').unwrap();
        inbound::find(&app.app, local, host).await.unwrap().is_some()
    };
    let make = async || inbound::make(&app.app, whose).await.unwrap().email.unwrap().expose().clone();
    let first = make().await;
    let early = back_up(&app).await;
    let second = make().await;
    app.advance(minutes(1));
    let late = back_up(&app).await;
    assert_eq!(credentials::replay_revocations(&app.app, credentials::Replay::Ended).await.unwrap(), 0);
    assert!(find(&app, &second).await, "the one that followed lives");
    inbound::remove(&app.app, whose).await.unwrap();
    for (copy, address) in [(&early, &first), (&late, &second)] {
        let restored = restore_with(&app, copy, &crate::inbound::TAKEN_IN).await;
        assert!(find(&restored, address).await);
        assert_eq!(recover(&restored).await.unwrap().credentials, 1);
        assert!(!find(&restored, address).await);
    }
}

#[tokio::test]
async fn an_agent_that_was_stopped_after_the_copy_is_stopped_and_one_that_may_go_on_goes() {
    use crate::agentotp_cast::Cast;
    use doorcode::ops::agents::Step;
    let cast = Cast::new().await;
    let app = &cast.app;
    let (other, _) = crate::agentotp_cast::agent(app, cast.whose, "Other", false).await;
    let copy = back_up(app).await;
    let step = async |id, step| agents::change(&app.app, cast.whose, id, step).await.unwrap();
    let stops = async |app: &TestApp, id| {
        let agent = agents::show(&app.app, cast.whose, id).await.unwrap();
        (agent.blocked_at.is_some(), agent.paused_at.is_some())
    };
    step(cast.agent, Step::Block(true)).await;
    step(other, Step::Block(true)).await;
    step(other, Step::Pause(true)).await;
    let file = app.app.config.keys.join("revocations.log");
    let said = std::fs::read_to_string(&file).unwrap();
    step(other, Step::Pause(true)).await;
    assert_eq!(std::fs::read_to_string(&file).unwrap(), said, "stopped twice is stopped once, and fills no disk");
    app.advance(minutes(1));
    step(other, Step::Block(false)).await;
    let restored = restore(app, &copy).await;
    assert_eq!(stops(&restored, cast.agent).await, (false, false));
    assert_eq!(recover(&restored).await.unwrap().credentials, 2);
    assert_eq!(stops(&restored, cast.agent).await, (true, false));
    assert_eq!(stops(&restored, other).await, (false, true), "the last word counts");

    // The files of several servers are put together in whatever order.
    let lines = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, lines.lines().rev().collect::<Vec<_>>().join("\n")).unwrap();
    let restored = restore(app, &copy).await;
    recover(&restored).await;
    assert_eq!(stops(&restored, other).await, (false, true));
    // At a start on what is no copy, another server may know better.
    step(cast.agent, Step::Block(false)).await;
    std::fs::write(&file, lines).unwrap();
    assert_eq!(credentials::replay_revocations(&app.app, credentials::Replay::Ended).await.unwrap(), 0);
    assert_eq!(stops(app, cast.agent).await, (false, false));
}

#[tokio::test]
async fn a_person_who_stopped_everything_after_the_copy_is_asked_nothing_by_it() {
    use crate::agentotp_cast::{Cast, EVE, REQUEST, person, wish};
    use doorcode::ops::relays;
    let cast = Cast::new().await;
    let app = &cast.app;
    // She has no settings yet in the copy, and goes on again after it.
    let (_, eve) = person(app, EVE).await;
    let copy = back_up(app).await;
    let pause = async |whose, on| relays::pause(&app.app, whose, on).await.unwrap();
    let paused = async |app: &TestApp, whose: doorcode::ops::audit::Whose| {
        relays::settings(&app.app, whose.owner).await.unwrap().paused_at.is_some()
    };
    app.advance(minutes(1));
    pause(cast.whose, true).await;
    pause(cast.whose, true).await;
    pause(eve, true).await;
    let middle = back_up(app).await;
    app.advance(minutes(1));
    pause(eve, false).await;
    pause(eve, false).await;
    let restored = restore(app, &copy).await;
    assert!(!paused(&restored, cast.whose).await);
    assert_eq!(recover(&restored).await.unwrap().credentials, 1);
    assert_eq!((paused(&restored, cast.whose).await, paused(&restored, eve).await), (true, false));
    let agent = restored.from(HERE).saying("authorization", &format!("Bearer {}", cast.key));
    assert_eq!(agent.post(REQUEST, wish()).await.status, 403, "stopped");
    // One who goes on after the copy only has to say so again.
    let restored = restore(app, &middle).await;
    recover(&restored).await;
    assert!(paused(&restored, eve).await, "as the copy has it");
    let lines = std::fs::read_to_string(app.app.config.keys.join("revocations.log")).unwrap();
    assert_eq!(lines.lines().filter(|line| line.starts_with("person ")).count(), 3, "{lines}");
}

/// A full disk or a crash can cut a line short; what is revoked after that must not be glued to it.
#[tokio::test]
async fn a_line_that_was_cut_short_swallows_no_other() {
    let app = TestApp::new().await;
    let (org, id, first) = key(&app, ADA).await;
    let copy = back_up(&app).await;
    std::fs::write(app.app.config.keys.join("revocations.log"), format!("{org} 0198")).unwrap();
    assert!(credentials::revoke(&app.app, org, id).await.unwrap());
    let restored = restore(&app, &copy).await;
    assert_eq!(recover(&restored).await.unwrap().credentials, 1);
    assert_eq!(team(&restored, &first).await, 401);
}

#[tokio::test]
async fn counters_are_kept() {
    let app = TestApp::new().await;
    let code = app.code(ADA).await;
    for place in ["198.51.100.1", "198.51.100.2"] {
        for _ in 0..5 {
            app.from(place).verify(ADA, &not(&code)).await;
        }
    }
    let copy = back_up(&app).await;
    let restored = restore(&app, &copy).await;
    recover(&restored).await;
    assert_eq!(restored.from("203.0.113.1").code(ADA).await.len(), 13, "the strangers' day is as spent as before");
    let sends = "SELECT max(length(replace(sends, '0000000000000', ''))) / 13 FROM targets";
    assert_eq!((app.number(sends), restored.number(sends)), (1, 2));
}

#[tokio::test]
async fn only_the_first_start_on_a_copy_ends_what_was_live() {
    let app = TestApp::new().await;
    let copy = back_up(&app).await;
    assert_eq!(recover(&app).await, None, "the original is no copy");
    let restored = restore(&app, &copy).await;
    assert!(recover(&restored).await.is_some());
    let code = restored.code(ADA).await;
    let (folder, config, now) = restored.close().await;
    let again = TestApp::open(Arc::clone(&folder), config, now).await.unwrap();
    assert_eq!(recover(&again).await, None);
    assert_eq!(again.verify(ADA, &code).await.status, 200);
    // A copy of the copy is one again.
    let copy = back_up(&again).await;
    assert!(recover(&restore(&again, &copy).await).await.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_copy_made_while_others_write_is_whole() {
    let app = Arc::new(TestApp::new().await);
    let mut writing = JoinSet::new();
    for n in 0..40 {
        let app = Arc::clone(&app);
        writing.spawn(async move {
            for round in 0..5 {
                let (email, from) = (format!("a{n}-{round}@example.com"), format!("198.51.{n}.1"));
                assert_eq!(app.from(&from).start(&email).await.status, 200);
            }
        });
    }
    let mut copies = Vec::new();
    for n in 0..3 {
        let file = app.folder.path().join(format!("copy-{n}.db"));
        backups::create(&app.app, &file).await.unwrap();
        copies.push(file);
    }
    writing.join_all().await;
    let mut seen = 0;
    for copy in &copies {
        assert_eq!(std::fs::metadata(copy).unwrap().permissions().mode() & 0o777, 0o600);
        let copied = rusqlite::Connection::open(copy).unwrap();
        let number = |sql: &str| copied.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        let whole: String = copied.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(whole, "ok");
        // What one unit wrote is there together or not at all.
        let (challenges, deliveries) =
            (number("SELECT count(*) FROM challenges"), number("SELECT count(*) FROM deliveries"));
        assert_eq!(challenges, deliveries + DECOY);
        assert!(challenges >= seen);
        seen = challenges;
    }
    assert_eq!(app.number("SELECT count(*) FROM challenges"), 200 + DECOY);
}

#[tokio::test]
async fn a_copy_overwrites_nothing_and_leaves_no_half() {
    let app = TestApp::new().await;
    let file = app.folder.path().join("copy.db");
    std::fs::write(&file, "precious").unwrap();
    assert!(matches!(backups::create(&app.app, &file).await, Err(Error::Conflict(_))));
    assert_eq!(std::fs::read(&file).unwrap(), b"precious");
    let nowhere = app.folder.path().join("no/such/place.db");
    assert!(backups::create(&app.app, &nowhere).await.is_err());
    let parts = std::fs::read_dir(app.folder.path())
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "part"));
    assert_eq!(parts.count(), 0);

    // And it says which file is in the way.
    let refused = backups::create(&app.app, &nowhere).await.unwrap_err();
    assert!(doorcode::chain(&refused).contains("no/such/place.db.part: "), "{}", doorcode::chain(&refused));
}

#[tokio::test]
async fn a_copy_needs_its_keys() {
    let app = TestApp::new().await;
    let copy = back_up(&app).await;
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path()).unwrap();
    std::fs::copy(&copy, folder.path().join("doorcode.db")).unwrap();
    let config = settings(&folder, &[]);
    let refused = TestApp::open(folder, config, app.now()).await.err().unwrap();
    assert!(doorcode::chain(&refused).contains("is missing"), "{}", doorcode::chain(&refused));
}
