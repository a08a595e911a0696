//! Who is removed from an org, and what they could sign with: nobody who read only that person's mailbox signs on.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::cell::Cell;

use axum::http::Method;
use doorcode_core::activity::Kind;
use doorcode_core::{Email, OrgId};
use serde_json::{Value, json};

use crate::app::{Answer, Client, TestApp, hours};
use crate::native::{BOB, key_of, problem, program};
use crate::native_sealed::{admin_of, org_of, redeem, started, whoami};
use crate::nodes::two_at;
use crate::postgres;
use crate::turnkey_cast::{Cast, Key, body, organization, result, send, submit_path};

/// Public keys that live and are nobody's.
const ORPHANS: &str = "SELECT count(*) FROM credentials WHERE public_key IS NOT NULL AND revoked_at IS NULL \
    AND NOT EXISTS (SELECT 1 FROM users WHERE users.org_id = credentials.org_id AND users.id = credentials.user_id)";
const LIVING: &str = "SELECT count(*) FROM credentials WHERE public_key IS NOT NULL AND revoked_at IS NULL";

async fn remove(program: &Client<'_>, user: &Value) -> Answer {
    program.send(Method::DELETE, &format!("/v1/users/{}", user.as_str().unwrap()), "").await
}

/// The keys that the file beside the master keys says are over.
fn noted(app: &TestApp) -> String {
    std::fs::read_to_string(app.app.config.keys.join("revocations.log")).unwrap_or_default()
}

/// Bob has a key sealed to his device and gives himself one without an end. Both, with what the check said.
async fn sign_up(app: &TestApp, program: &Client<'_>, (device, second): (&Key, &Key)) -> (Key, Value) {
    let (id, code) = started(app, program).await;
    let right = redeem(program, &id, &code, &device.target()).await.json();
    let first = device.open(right["credential_bundle"].as_str().unwrap());
    let (kind, org) = (Kind::CreateApiKeysV2, org_of(program).await);
    let parameters = json!({ "userId": right["user_id"], "apiKeys": [second.given(None)] });
    let made = result(&send(app, &first, &submit_path(kind), &body(app, kind, &org, parameters)).await, kind);
    (first, json!({ "user": right["user_id"], "keys": [right["key_id"], made["apiKeyIds"][0]] }))
}

/// The attack: a member of the team had a key sealed to their device. They are removed, and go on by it as the user who was made for that key.
#[tokio::test]
async fn a_member_who_is_removed_signs_no_more_under_their_address() {
    let app = TestApp::new().await;
    let key = key_of(&app, "ada@example.com").await;
    let (program, second) = (program(&app, &key), Key::new(10));
    let org = org_of(&program).await;
    // Once as a program named them, and once as they signed in themselves and so know the org's key.
    for signs_in in [false, true] {
        let program = crate::native::program(&app, &key_of(&app, "ada@example.com").await);
        let member = if signs_in {
            let (email, org) = (Email::parse(BOB).unwrap(), org.parse::<OrgId>().unwrap());
            doorcode::ops::orgs::invite(&app.app, &email, Some(org)).await.unwrap();
            app.advance(hours(1));
            key_of(&app, BOB).await;
            program.get("/v1/users").await.json()["data"][1]["id"].clone()
        } else {
            program.post("/v1/users", json!({ "full_name": "Bob", "email": BOB })).await.json()["id"].clone()
        };
        let (first, twin) = sign_up(&app, &program, (&Key::new(9), &second)).await;
        assert_ne!(twin["user"], member);
        for theirs in [&first, &second] {
            assert_eq!(whoami(&app, theirs, &org).await.status, 200);
        }
        let gone = remove(&program, &member).await;
        assert_eq!((gone.status, gone.json()["api_key"].is_string()), (200, signs_in), "{}", gone.text());
        for theirs in [&first, &second] {
            assert_eq!(whoami(&app, theirs, &org).await.status, 401);
        }
        assert_eq!(app.number(LIVING), 0);
        let noted = noted(&app);
        for key in twin["keys"].as_array().unwrap() {
            assert!(noted.contains(key.as_str().unwrap()), "no restore brings it back: {noted}");
        }
        let ada = crate::native::program(&app, &key_of(&app, "ada@example.com").await);
        assert_eq!(ada.get("/v1/users").await.json()["data"].as_array().unwrap().len(), 1, "and the twin is gone");
        let said = ada.get("/v1/events?limit=100").await.text();
        for user in [&member, &twin["user"]] {
            assert!(said.contains(user.as_str().unwrap()), "which is told");
        }
        app.advance(hours(1));
    }
    assert_eq!(app.number("SELECT count(*) FROM events WHERE kind = 'user.removed'"), 4);
    assert_eq!(app.number("SELECT count(*) FROM identities"), 1, "the address is nobody's again, but for Ada's own");
}

/// The attack: the file beside the master keys can't be written, and a restore brings the twin's keys back.
#[tokio::test]
async fn nobody_is_removed_before_their_keys_are_written_down() {
    let app = TestApp::new().await;
    let key = key_of(&app, "ada@example.com").await;
    let program = program(&app, &key);
    let org = org_of(&program).await;
    let member = program.post("/v1/users", json!({ "full_name": "Bob", "email": BOB })).await.json()["id"].clone();
    let (first, _) = sign_up(&app, &program, (&Key::new(9), &Key::new(10))).await;
    let file = app.app.config.keys.join("revocations.log");
    std::fs::create_dir(&file).unwrap();
    assert_eq!(remove(&program, &member).await.status, 503);
    assert_eq!(whoami(&app, &first, &org).await.status, 200, "nothing happened");
    std::fs::remove_dir(&file).unwrap();
    assert_eq!(remove(&program, &member).await.status, 200);
    assert_eq!(whoami(&app, &first, &org).await.status, 401);
}

/// The attack: the last root user of an org is taken away with a member of that address, by whoever named it.
#[tokio::test]
async fn a_member_who_is_a_root_user_as_well_is_removed_as_both() {
    let app = TestApp::new().await;
    let root = Key::new(1);
    let (org, user) = organization(&app, "Acme", &root).await;
    let (key, kind) = (admin_of(&app, &org).await, Kind::UpdateUserEmail);
    let program = program(&app, &key);
    let named = body(&app, kind, &org, json!({ "userId": user, "userEmail": BOB }));
    result(&send(&app, &root, &submit_path(kind), &named).await, kind);
    let mut members = Vec::new();
    for email in [BOB, "ada@example.com"] {
        members.push(program.post("/v1/users", json!({ "full_name": "x", "email": email })).await.json()["id"].clone());
    }
    let refused = remove(&program, &members[0]).await;
    assert_eq!(problem(&refused), (409, "conflict".to_owned()));
    assert!(refused.text().contains("root user"), "what to do is said: {}", refused.text());
    assert_eq!((noted(&app).as_str(), whoami(&app, &root, &org).await.status), ("", 200), "nothing was ended");
    assert_eq!(remove(&program, &json!(user)).await.status, 200);
    assert_eq!(remove(&program, &members[0]).await.status, 200);
    assert_eq!(whoami(&app, &root, &org).await.status, 401);
}

/// The attack: the number of whoever was removed stays theirs, and nobody in the org can prove it any more.
#[tokio::test]
async fn who_is_removed_leaves_their_number_too() {
    let cast = Cast::new().await;
    let user = |name: &str, number: &str| {
        json!({ "userName": name, "userEmail": format!("{name}@example.com"), "userPhoneNumber": number,
            "apiKeys": [], "authenticators": [], "oauthProviders": [] })
    };
    let users = [user("ana", "+12025550143"), user("ben", "+12025550144")];
    let parameters = json!({ "subOrganizationName": "Two", "rootUsers": users, "rootQuorumThreshold": 1 });
    let kind = Kind::CreateSubOrganizationV7;
    let made = result(&cast.submit(&cast.backend, kind, &cast.org, parameters).await, kind);
    let key = admin_of(&cast.app, made["subOrganizationId"].as_str().unwrap()).await;
    let known = "SELECT count(*) FROM identities";
    assert_eq!(cast.app.number(known), 4);
    assert_eq!(remove(&program(&cast.app, &key), &made["rootUserIds"][0]).await.status, 200);
    assert_eq!(cast.app.number(known), 2, "address and number");
}

/// The attack: a key is added on another server while its user is being removed, and stays.
#[tokio::test]
async fn no_key_comes_to_who_is_going() {
    let Some(cluster) = postgres::shared() else { return };
    let url = cluster.database();
    let (a, b) = two_at(&url).await;
    let cast = Cast::of(a).await;
    let (ana, root) = (Key::new(20), Key::new(21));
    let sub = cast.sub("ana@example.com", &[&ana]).await;
    // Somebody who stays, and gives keys to others.
    doorcode::ops::signed::first_user(&cast.app.app, sub.org.parse().unwrap(), "Root", root.0.public()).await.unwrap();
    let key = admin_of(&cast.app, &sub.org).await;
    let (admin, user, going) = (program(&cast.app, &key), json!(sub.user), Cell::new(true));
    let kind = Kind::CreateApiKeysV2;
    let give = body(&b, kind, &sub.org, json!({ "userId": user, "apiKeys": [Key::new(22).given(None)] }));

    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let wait = async |most: i64, going: &Cell<bool>| {
        let sql =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while going.get() && client.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) < most {
            tokio::task::yield_now().await;
        }
    };
    // Whoever goes gets as far as what was known of them, and the key comes meanwhile, or stands behind them.
    client.batch_execute("BEGIN; LOCK TABLE identities IN EXCLUSIVE MODE").await.unwrap();
    let adding = async {
        wait(1, &going).await;
        let answer = send(&b, &root, &submit_path(kind), &give).await;
        going.set(false);
        answer
    };
    let opening = async {
        wait(2, &going).await;
        client.batch_execute("COMMIT").await.unwrap();
    };
    let (gone, added, ()) = tokio::join!(remove(&admin, &user), adding, opening);
    assert_eq!((gone.status, added.status), (200, 400), "{} {}", gone.text(), added.text());
    assert_eq!(postgres::query(&url, ORPHANS).unwrap(), ["0"]);
}

/// The attack: somebody who was removed goes on with the key that they had, or their address is nobody's for good.
#[tokio::test]
async fn who_is_removed_takes_their_key_along_and_leaves_their_address() {
    let app = TestApp::new().await;
    let key = key_of(&app, "ada@example.com").await;
    let (program, device) = (program(&app, &key), Key::new(9));
    let org = org_of(&program).await;
    let mut users = Vec::new();
    for _ in 0..2 {
        let (id, code) = started(&app, &program).await;
        let right = redeem(&program, &id, &code, &device.target()).await.json();
        let theirs = device.open(right["credential_bundle"].as_str().unwrap());
        assert_eq!(whoami(&app, &theirs, &org).await.status, 200, "{right}");
        let user = right["user_id"].as_str().unwrap().to_owned();
        let removed = program.send(axum::http::Method::DELETE, &format!("/v1/users/{user}"), "").await;
        assert!(removed.status < 300, "{}", removed.text());
        assert_eq!(whoami(&app, &theirs, &org).await.status, 401);
        users.push(user);
    }
    assert_ne!(users[0], users[1]);
    assert_eq!(app.number("SELECT count(*) FROM credentials WHERE public_key IS NOT NULL AND revoked_at IS NULL"), 0);
    for _ in 0..2 {
        let (id, code) = started(&app, &program).await;
        let right = redeem(&program, &id, &code, &device.target()).await;
        assert_eq!(right.status, 200, "whose proved address it is now: {}", right.text());
    }
}
