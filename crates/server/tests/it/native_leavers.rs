//! Who is removed from an org, and what they could sign with: nobody who read only that person's mailbox signs on.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::cell::Cell;

use axum::http::Method;
use doorcode::ops::audit::Whose;
use doorcode::ops::signed::first_user;
use doorcode::ops::{agents, backups, credentials};
use doorcode_core::activity::Kind;
use doorcode_core::{Email, OrgId};
use serde_json::{Value, json};

use crate::app::{Answer, Client, Folder, TestApp, hours, minutes, seconds, settings};
use crate::native::{BOB, key_of, problem, program};
use crate::native_sealed::{admin_of, org_of, redeem, started, whoami};
use crate::nodes::two_at;
use crate::postgres;
use crate::turnkey_cast::{Cast, Key, Sub, body, organization, result, send, submit_path};

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

/// The attack: whoever signs for the one who goes makes one key after another, and the removal waits until they rest.
#[tokio::test]
async fn who_makes_keys_in_a_loop_is_removed_at_once() {
    let app = TestApp::new().await;
    let key = key_of(&app, "ada@example.com").await;
    let (program, second) = (program(&app, &key), Key::new(10));
    let org = org_of(&program).await;
    let member = program.post("/v1/users", json!({ "full_name": "Bob", "email": BOB })).await.json()["id"].clone();
    let (_, twin) = sign_up(&app, &program, (&Key::new(9), &second)).await;
    let (kind, over, made) = (Kind::CreateApiKeysV2, Cell::new(false), [Cell::new(0), Cell::new(0)]);
    let making = async |first_seed: u8, made: &Cell<u32>| {
        for seed in (first_seed..=u8::MAX).cycle().take_while(|_| !over.get()) {
            let keys = [Key::new(seed).given(Some("3600"))];
            let asked = body(&app, kind, &org, json!({ "userId": twin["user"], "apiKeys": keys }));
            let answer = send(&app, &second, &submit_path(kind), &asked).await;
            made.set(made.get() + u32::from(answer.status == 200));
        }
    };
    let leaving = async {
        // Both are at it, and the next keys of both are on their way.
        let both = async {
            while made.iter().any(|made| made.get() == 0) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(minutes(1), both).await.expect("keys are made");
        let answer = remove(&program, &member).await;
        over.set(true);
        answer
    };
    let ((), (), gone) = tokio::join!(making(20, &made[0]), making(120, &made[1]), leaving);
    assert_eq!(gone.status, 200, "{}", gone.text());
    assert_eq!((app.number(LIVING), app.number(ORPHANS)), (0, 0));
}

/// The attack: a removal fails, nobody repeats it, and the next start ends the key that the whole team goes by.
#[tokio::test]
async fn a_removal_that_failed_costs_the_team_nothing_at_the_next_start() {
    if postgres::is_wanted() {
        return; // The fault is SQLite's.
    }
    let app = TestApp::new().await;
    key_of(&app, "ada@example.com").await;
    let ada = member_of(&app, "ada@example.com").await;
    let email = Email::parse(BOB).unwrap();
    doorcode::ops::orgs::invite(&app.app, &email, Some(ada.org)).await.unwrap();
    let key = key_of(&app, BOB).await;
    let (program, bob) = (program(&app, &key), member_of(&app, BOB).await);
    app.tamper("ALTER TABLE inbound_addresses RENAME TO elsewhere");
    assert!(remove(&program, &json!(bob.owner.to_string())).await.status >= 500);
    app.tamper("ALTER TABLE elsewhere RENAME TO inbound_addresses");
    assert!(noted(&app).contains(&bob.owner.to_string()), "a restored copy hears of it");
    let replay = credentials::replay_revocations(&app.app, credentials::Replay::Ended);
    assert_eq!(replay.await.unwrap(), 0);
    assert_eq!(program.get("/v1/users").await.json()["data"].as_array().unwrap().len(), 2, "nothing happened");
}

async fn member_of(app: &TestApp, email: &str) -> Whose {
    agents::member(&app.app, &Email::parse(email).unwrap()).await.unwrap().unwrap()
}

/// A house on a copy, with the same keys, as `serve` begins on it.
async fn restored(app: &TestApp, copy: &std::path::Path) -> TestApp {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path()).unwrap();
    std::fs::copy(copy, folder.path().join("doorcode.db")).unwrap();
    let mut config = settings(&folder, &[]);
    config.keys.clone_from(&app.app.config.keys);
    let restored = TestApp::open(folder, config, app.now()).await.unwrap();
    backups::recover_if_copy(&restored.app).await.unwrap().unwrap();
    restored
}

/// The attack: a restore brings back who was removed. They sign in, are handed the team's new key, and earn keys again.
#[tokio::test]
async fn who_was_removed_is_not_there_after_a_restore() {
    if postgres::is_wanted() {
        return; // Copies of a file.
    }
    let app = TestApp::new().await;
    let key = key_of(&app, "ada@example.com").await;
    let ada = member_of(&app, "ada@example.com").await;
    doorcode::ops::orgs::invite(&app.app, &Email::parse(BOB).unwrap(), Some(ada.org)).await.unwrap();
    assert_eq!(key_of(&app, BOB).await, key);
    let (program, bob) = (program(&app, &key), member_of(&app, BOB).await);
    app.advance(hours(1));
    let (first, _) = sign_up(&app, &program, (&Key::new(9), &Key::new(10))).await;
    let copy = app.folder.path().join("copy.db");
    backups::create(&app.app, &copy).await.unwrap();
    app.advance(minutes(1));
    assert_eq!(remove(&program, &json!(bob.owner.to_string())).await.status, 200);
    let (file, all) = (app.app.config.keys.join("revocations.log"), noted(&app));
    let before: Vec<&str> = all.lines().filter(|line| line.contains(" going ")).collect();
    // All that was written down; and what was when the server died right behind the commit.
    for lines in [all.clone(), before.join("\n")] {
        std::fs::write(&file, lines).unwrap();
        let restored = restored(&app, &copy).await;
        restored.advance(minutes(10));
        let org = ada.org.to_string();
        assert_eq!(whoami(&restored, &first, &org).await.status, 401);
        assert_eq!((restored.number(LIVING), restored.number(ORPHANS)), (0, 0));
        assert_eq!(restored.number("SELECT count(*) FROM users"), 1);
        let theirs = crate::native::program(&restored, &key);
        assert_eq!(theirs.get("/v1/users").await.status, 401, "they knew the key");
        let new = key_of(&restored, "ada@example.com").await;
        assert_ne!(key_of(&restored, BOB).await, new, "they are in a team of their own");
        // Another start, and the key that took its place lives on.
        for which in [credentials::Replay::Ended, credentials::Replay::Restored] {
            assert_eq!(credentials::replay_revocations(&restored.app, which).await.unwrap(), 0);
        }
        assert_eq!(crate::native::program(&restored, &new).get("/v1/users").await.status, 200);
    }
}

/// The attack: two remove one another at once. One of them stays, and a restore takes both.
#[tokio::test]
async fn who_stayed_after_all_is_there_after_a_restore() {
    let app = TestApp::new().await;
    key_of(&app, "ada@example.com").await;
    let ada = member_of(&app, "ada@example.com").await;
    doorcode::ops::orgs::invite(&app.app, &Email::parse(BOB).unwrap(), Some(ada.org)).await.unwrap();
    key_of(&app, BOB).await;
    let bob = member_of(&app, BOB).await;
    let (one, other) = tokio::join!(
        doorcode::ops::users::remove(&app.app, ada.org, ada.owner),
        doorcode::ops::users::remove(&app.app, ada.org, bob.owner)
    );
    assert_eq!(usize::from(one.is_ok()) + usize::from(other.is_ok()), 1);
    app.advance(minutes(1));
    credentials::replay_revocations(&app.app, credentials::Replay::Restored).await.unwrap();
    assert_eq!(app.number("SELECT count(*) FROM users"), 1);
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

/// Two servers, an organization with somebody who goes and somebody who stays and gives them a key by the second server.
struct Nodes {
    cast: Cast,
    other: TestApp,
    url: String,
    org: String,
    going: Value,
    root: Key,
    /// May do everything in the organization.
    admin: String,
    /// Holds something in the database that whoever goes stands before.
    lock: tokio_postgres::Client,
    /// Sees who stands there; within a transaction that would be said as it was at first.
    watch: tokio_postgres::Client,
}

async fn connection(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

impl Nodes {
    async fn new() -> Option<Self> {
        let url = postgres::shared()?.database();
        let (a, other) = two_at(&url).await;
        let (cast, root) = (Cast::of(a).await, Key::new(21));
        let Sub { org, user } = cast.sub("ana@example.com", &[&Key::new(20)]).await;
        first_user(&cast.app.app, org.parse().unwrap(), "Root", root.0.public()).await.unwrap();
        let (admin, going) = (admin_of(&cast.app, &org).await, json!(user));
        let (lock, watch) = (connection(&url).await, connection(&url).await);
        Some(Self { cast, other, url, org, going, root, admin, lock, watch })
    }

    /// Waits until so many stand before a lock, unless there is nothing to wait for any more.
    async fn stand(&self, most: i64, anything: &Cell<bool>) {
        let sql =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while anything.get() && self.watch.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) < most {
            tokio::task::yield_now().await;
        }
    }

    /// They are removed, and given a key as soon as that stands before a lock, which is let go once the key is there or stands behind.
    async fn meet(&self, lock: &str, key: &Key) -> (Answer, Answer) {
        let (kind, admin, anything) = (Kind::CreateApiKeysV2, program(&self.cast.app, &self.admin), Cell::new(true));
        let parameters = json!({ "userId": self.going, "apiKeys": [key.given(None)] });
        let give = body(&self.other, kind, &self.org, parameters);
        self.lock.batch_execute(&format!("BEGIN; {lock}")).await.unwrap();
        let leaving = async {
            let answer = remove(&admin, &self.going).await;
            anything.set(false);
            answer
        };
        let adding = async {
            self.stand(1, &anything).await;
            let answer = send(&self.other, &self.root, &submit_path(kind), &give).await;
            anything.set(false);
            answer
        };
        let opening = async {
            self.stand(2, &anything).await;
            self.lock.batch_execute("COMMIT").await.unwrap();
        };
        let (gone, added, ()) = tokio::join!(leaving, adding, opening);
        (gone, added)
    }
}

/// The attack: a key is added on another server when its user's keys have been ended, and stays.
#[tokio::test]
async fn no_key_comes_to_who_is_going() {
    let Some(nodes) = Nodes::new().await else { return };
    let (gone, added) = nodes.meet("LOCK TABLE identities IN EXCLUSIVE MODE", &Key::new(22)).await;
    assert_eq!((gone.status, added.status), (200, 400), "{} {}", gone.text(), added.text());
    assert_eq!(postgres::query(&nodes.url, ORPHANS).unwrap(), ["0"]);
}

/// The attack: a key is added on another server when it is known what goes with its user, and puts that off, or comes back with a restore.
#[tokio::test]
async fn a_key_that_comes_meanwhile_goes_along_and_is_written_down() {
    let Some(nodes) = Nodes::new().await else { return };
    let late = Key::new(22);
    let (gone, added) = nodes.meet("SELECT id FROM orgs FOR UPDATE", &late).await;
    assert_eq!((gone.status, added.status), (200, 200), "{} {}", gone.text(), added.text());
    nodes.other.advance(seconds(2));
    assert_eq!(whoami(&nodes.other, &late, &nodes.org).await.status, 401);
    assert_eq!(postgres::query(&nodes.url, ORPHANS).unwrap(), ["0"]);
    let id = result(&added, Kind::CreateApiKeysV2)["apiKeyIds"][0].clone();
    assert!(noted(&nodes.cast.app).contains(id.as_str().unwrap()));
}

/// The attack: who changes something of the org holds themselves and waits for the org; who removes them holds the org and waits for them.
#[tokio::test]
async fn whoever_holds_the_org_and_one_of_its_users_holds_the_org_first() {
    let Some(nodes) = Nodes::new().await else { return };
    let named = json!({ "userId": nodes.going, "userEmail": "new@example.com" });
    let switched = json!({ "name": "FEATURE_NAME_EMAIL_AUTH", "value": "" });
    for (kind, parameters) in [(Kind::UpdateUserEmail, named), (Kind::SetOrganizationFeature, switched)] {
        let text = body(&nodes.other, kind, &nodes.org, parameters);
        let path = submit_path(kind);
        nodes.lock.batch_execute("BEGIN; SELECT id FROM orgs FOR UPDATE").await.unwrap();
        let anything = Cell::new(true);
        let changing = async {
            let answer = send(&nodes.other, &nodes.root, &path, &text).await;
            anything.set(false);
            answer
        };
        let looking = async {
            nodes.stand(1, &anything).await;
            let free = "SELECT id FROM users WHERE root = 1 FOR UPDATE SKIP LOCKED";
            let free = nodes.lock.query(free, &[]).await.unwrap().len();
            nodes.lock.batch_execute("COMMIT").await.unwrap();
            free
        };
        let (changed, free) = tokio::join!(changing, looking);
        result(&changed, kind);
        let all = postgres::query(&nodes.url, "SELECT count(*) FROM users WHERE root = 1").unwrap();
        assert_eq!([free.to_string()], all[..], "nobody was held by who waits for the org");
    }
}

/// The attack: whoever signs under a member's address goes to another one, and stays when the member is removed.
#[tokio::test]
async fn nobody_leaves_a_members_address_and_goes_on() {
    let app = TestApp::new().await;
    let root = Key::new(1);
    let (org, _) = organization(&app, "Acme", &root).await;
    let key = admin_of(&app, &org).await;
    let program = program(&app, &key);
    let (first, twin) = sign_up(&app, &program, (&Key::new(9), &Key::new(10))).await;
    let kind = Kind::UpdateUserEmail;
    let moved = async |email: &str| {
        let asked = body(&app, kind, &org, json!({ "userId": twin["user"], "userEmail": email }));
        app.advance(seconds(1));
        send(&app, &root, &submit_path(kind), &asked).await
    };
    result(&moved("before@example.com").await, kind);
    result(&moved(BOB).await, kind);
    let member = program.post("/v1/users", json!({ "full_name": "Bob", "email": BOB })).await.json()["id"].clone();
    program.post("/v1/users", json!({ "full_name": "Ada", "email": "ada@example.com" })).await;
    let refused = moved("after@example.com").await;
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("a member of the team"), "{}", refused.text());
    result(&moved(BOB).await, kind);
    assert_eq!(remove(&program, &member).await.status, 200);
    assert_eq!(whoami(&app, &first, &org).await.status, 401);
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
