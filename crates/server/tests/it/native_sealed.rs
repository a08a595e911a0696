//! A verification whose code becomes a key that is sealed to the person's device, in place of a token.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use serde_json::{Value, json};

use crate::app::{Answer, Client, TestApp, not, seconds};
use crate::native::{BOB, V, key_of, problem, program, start, wrong_fields};
use crate::turnkey_cast::{Key, organization, send};

/// A code, for a key that is sealed to this target.
pub(crate) async fn redeem(program: &Client<'_>, id: &Value, code: &str, target: &str) -> Answer {
    let body = json!({ "code": code, "target_public_key": target });
    program.post(&format!("{V}/{}/check", id.as_str().unwrap()), body).await
}

/// Starts; gives the id and the code that came.
pub(crate) async fn started(app: &TestApp, program: &Client<'_>) -> (Value, String) {
    let id = start(program, json!({ "to": BOB })).await["id"].clone();
    app.deliver_due().await;
    (id, app.last_code(BOB))
}

pub(crate) async fn whoami(app: &TestApp, key: &Key, org: &str) -> Answer {
    send(app, key, "/public/v1/query/whoami", &json!({ "organizationId": org }).to_string()).await
}

pub(crate) async fn org_of(program: &Client<'_>) -> String {
    program.get("/v1/orgs").await.json()["data"][0]["id"].as_str().unwrap().to_owned()
}

/// A key of an org that may do everything.
pub(crate) async fn admin_of(app: &TestApp, org: &str) -> String {
    let kind = doorcode::store::credentials::Kind::ApiKey;
    let made = doorcode::ops::credentials::create(&app.app, kind, org.parse().unwrap(), "admin");
    made.await.unwrap().1.expose().clone()
}

#[tokio::test]
async fn a_code_becomes_a_key_that_only_the_device_can_open() {
    let app = TestApp::new().await;
    let key = key_of(&app, "ada@example.com").await;
    let (program, device) = (program(&app, &key), Key::new(9));
    let (id, code) = started(&app, &program).await;
    let wrong = redeem(&program, &id, &not(&code), &device.target()).await.json();
    assert_eq!((&wrong["valid"], &wrong["token"], &wrong["attempts_left"]), (&json!(false), &Value::Null, &json!(4)));
    assert!(wrong.get("credential_bundle").is_none());
    assert_eq!(app.number("SELECT count(*) FROM users WHERE root IS NOT NULL"), 0, "a wrong code makes nobody");

    let answer = redeem(&program, &id, &code, &device.target()).await;
    let right = answer.json();
    assert_eq!((&right["valid"], &right["token"]), (&json!(true), &Value::Null), "{right}");
    let theirs = device.open(right["credential_bundle"].as_str().unwrap());
    let org = org_of(&program).await;
    let who = whoami(&app, &theirs, &org).await.json();
    assert_eq!((&who["organizationId"], &who["userId"]), (&json!(org), &right["user_id"]));
    assert!(!answer.text().contains(theirs.0.encode().expose().as_str()), "no plain key");
    let kept: Vec<u8> = ["", "-wal"]
        .iter()
        .flat_map(|end| std::fs::read(app.folder.path().join(format!("doorcode.db{end}"))).unwrap_or_default())
        .collect();
    let plain = theirs.0.encode().expose().clone();
    assert!(!kept.windows(plain.len()).any(|part| part == plain.as_bytes()), "nor in the database");
    let said = whoami(&app, &theirs, &org).await;
    assert_eq!(said.status, 200);
    app.advance(seconds(900));
    assert_eq!(whoami(&app, &theirs, &org).await.status, 401, "a quarter of an hour");
}

#[tokio::test]
async fn a_second_code_is_for_the_same_user() {
    let app = TestApp::new().await;
    let key = key_of(&app, "ada@example.com").await;
    let (program, device) = (program(&app, &key), Key::new(9));
    let mut users = Vec::new();
    for _ in 0..2 {
        let (id, code) = started(&app, &program).await;
        let short = device.public();
        users.push(redeem(&program, &id, &code, &short).await.json()["user_id"].clone());
    }
    assert!(users[0].is_string() && users[0] == users[1]);
    assert_eq!(app.number("SELECT count(*) FROM users WHERE root = 0"), 1);
    assert_eq!(app.number("SELECT count(*) FROM events WHERE kind = 'user.created'"), 1);
    assert_eq!(app.number("SELECT count(*) FROM events WHERE kind = 'key.created'"), 2);
}

#[tokio::test]
async fn a_bad_target_is_refused_before_the_code_is_looked_at() {
    let app = TestApp::new().await;
    let key = key_of(&app, "ada@example.com").await;
    let program = program(&app, &key);
    let (id, code) = started(&app, &program).await;
    let path = format!("{V}/{}/check", id.as_str().unwrap());
    let mut point = Key::new(9).target();
    point.replace_range(128.., if point.ends_with("00") { "01" } else { "00" });
    let bad = [
        json!("00"),
        json!(""),
        json!(point),
        json!("04".repeat(65)),
        json!("x".repeat(60_000)),
        json!(7),
        json!(["02"]),
    ];
    for target in bad {
        for code in [&code, &not(&code)] {
            let answer = program.post(&path, json!({ "code": code, "target_public_key": target })).await;
            assert_eq!(wrong_fields(&answer), ["target_public_key"], "{target:.20}");
        }
    }
    let wrong = redeem(&program, &id, &not(&code), &Key::new(9).target()).await.json();
    assert_eq!(wrong["attempts_left"], 4, "none of it cost a try");
    assert_eq!(redeem(&program, &id, &code, &Key::new(9).target()).await.json()["valid"], true);
}

/// The attack: a backend's key that may only check codes has a person's key sealed to itself.
#[tokio::test]
async fn a_key_that_may_not_make_keys_gets_none() {
    let app = TestApp::new().await;
    let key = key_of(&app, "ada@example.com").await;
    let owner = program(&app, &key);
    let made = owner.post("/v1/keys", json!({ "name": "checker" })).await.json();
    let checker = program(&app, made["api_key"].as_str().unwrap());
    let (id, code) = started(&app, &checker).await;
    for code in [&code, &not(&code)] {
        let answer = redeem(&checker, &id, code, &Key::new(9).target()).await;
        assert_eq!(problem(&answer), (403, "forbidden".to_owned()));
    }
    let right = checker.post(&format!("{V}/{}/check", id.as_str().unwrap()), json!({ "code": code })).await.json();
    assert!(right["token"].is_string(), "the code is as good as it was");
}

/// The attack: whoever came by a code within its ten seconds earns another thing by it than its person did.
#[tokio::test]
async fn a_repeat_is_the_same_bundle_and_nothing_else() {
    let app = TestApp::new().await;
    let key = key_of(&app, "ada@example.com").await;
    let (program, device, other) = (program(&app, &key), Key::new(9), Key::new(10));
    let (id, code) = started(&app, &program).await;
    let plain = json!({ "code": code });
    let path = format!("{V}/{}/check", id.as_str().unwrap());
    let right = redeem(&program, &id, &code, &device.target()).await.json();
    let again = redeem(&program, &id, &code, &device.public()).await.json();
    assert_eq!(again, right, "also where the target is spelled in the other way");
    let stolen = redeem(&program, &id, &code, &other.target()).await.json();
    assert_eq!((&stolen["valid"], stolen.get("credential_bundle")), (&json!(false), None));
    let token = program.post(&path, plain.clone()).await.json();
    assert_eq!((&token["valid"], &token["token"]), (&json!(false), &Value::Null));
    assert_eq!(app.number("SELECT count(*) FROM credentials WHERE public_key IS NOT NULL"), 1);

    // And the other way round: what became a token becomes no key.
    let (id, code) = started(&app, &program).await;
    let path = format!("{V}/{}/check", id.as_str().unwrap());
    assert!(program.post(&path, json!({ "code": code })).await.json()["token"].is_string());
    assert_eq!(redeem(&program, &id, &code, &device.target()).await.json()["valid"], false);
    assert!(program.post(&path, json!({ "code": code })).await.json()["token"].is_string());
    assert_eq!(app.number("SELECT count(*) FROM credentials WHERE public_key IS NOT NULL"), 1);
    app.advance(seconds(11));
    assert_eq!(redeem(&program, &id, &code, &device.target()).await.json()["valid"], false);
}

/// The attack: a user of the org names somebody's address as theirs, and waits for them to sign in.
#[tokio::test]
async fn an_address_that_a_user_alone_named_opens_nothing() {
    let app = TestApp::new().await;
    let eve = Key::new(1);
    let (org, user) = organization(&app, "Acme", &eve).await;
    let kind = doorcode_core::activity::Kind::UpdateUserEmail;
    let body = crate::turnkey_cast::body(&app, kind, &org, json!({ "userId": user, "userEmail": BOB }));
    assert_eq!(send(&app, &eve, &crate::turnkey_cast::submit_path(kind), &body).await.status, 200);
    let key = admin_of(&app, &org).await;
    let program = program(&app, &key);
    let (id, code) = started(&app, &program).await;
    let mut left = 5;
    let mut refused = async |why: &str| {
        left -= 1;
        let wrong = redeem(&program, &id, &not(&code), &Key::new(9).target()).await;
        let (status, body) = (wrong.status, wrong.json());
        assert_eq!(
            (status, &body["valid"], &body["attempts_left"]),
            (200, &json!(false), &json!(left)),
            "as any other"
        );
        for _ in 0..2 {
            let answer = redeem(&program, &id, &code, &Key::new(9).target()).await;
            assert_eq!(problem(&answer), (409, "conflict".to_owned()));
            assert!(answer.text().contains(why), "{}", answer.text());
        }
    };
    // And whoever reads a root user's mail does not come by their keys where that is not switched on.
    refused("a root user").await;
    let kind = doorcode_core::activity::Kind::SetOrganizationFeature;
    let on = json!({ "name": "FEATURE_NAME_OTP_EMAIL_AUTH", "value": "" });
    let body = crate::turnkey_cast::body(&app, kind, &org, on);
    let answer = send(&app, &eve, &crate::turnkey_cast::submit_path(kind), &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    refused("themselves named").await;
    let right = program.post(&format!("{V}/{}/check", id.as_str().unwrap()), json!({ "code": code })).await.json();
    assert!(right["token"].is_string(), "the code was not used up");
}

/// The attack: whoever may ask for keys tries codes at a root user's address, for nothing, and hears whose it is with the first.
#[tokio::test]
async fn whose_address_it_is_costs_a_right_code() {
    let app = TestApp::new().await;
    let eve = Key::new(1);
    let (org, user) = organization(&app, "Acme", &eve).await;
    let key = admin_of(&app, &org).await;
    let program = program(&app, &key);
    let mut answers = Vec::new();
    for named in [false, true] {
        if named {
            let kind = doorcode_core::activity::Kind::UpdateUserEmail;
            let body = crate::turnkey_cast::body(&app, kind, &org, json!({ "userId": user, "userEmail": BOB }));
            assert_eq!(send(&app, &eve, &crate::turnkey_cast::submit_path(kind), &body).await.status, 200);
            app.advance(crate::app::hours(1));
        }
        let (id, code) = started(&app, &program).await;
        let before = app.counted("checks", "wrong");
        for _ in 0..5 {
            let mut wrong = redeem(&program, &id, &not(&code), &Key::new(9).target()).await.json();
            wrong.as_object_mut().unwrap().remove("verification");
            answers.push(wrong.to_string());
        }
        assert_eq!(app.counted("checks", "wrong"), before + 5, "each was paid for and compared");
        let late = redeem(&program, &id, &code, &Key::new(9).target()).await;
        assert_eq!((late.status, &late.json()["valid"]), (200, &json!(false)), "nothing is left to look at it with");
    }
    assert_eq!(answers[..5], answers[5..], "nobody's address, and a root user's");
}

/// The attack: a right code for an address that earns no key is sent without end. Each time the whole unit is taken back, others' with it, and it
/// cost nothing.
#[tokio::test]
async fn a_right_code_that_earns_no_key_costs_the_network_all_the_same() {
    let app = TestApp::with(&[("DOORCODE_LIMITS__GUESS__ORG_HOUR", "3")]).await;
    let eve = Key::new(1);
    let (org, user) = organization(&app, "Acme", &eve).await;
    let key = admin_of(&app, &org).await;
    let program = program(&app, &key);
    let kind = doorcode_core::activity::Kind::UpdateUserEmail;
    let body = crate::turnkey_cast::body(&app, kind, &org, json!({ "userId": user, "userEmail": BOB }));
    assert_eq!(send(&app, &eve, &crate::turnkey_cast::submit_path(kind), &body).await.status, 200);
    let (id, code) = started(&app, &program).await;
    let mut told = Vec::new();
    for _ in 0..5 {
        told.push(redeem(&program, &id, &code, &Key::new(9).target()).await.status);
    }
    assert_eq!(told, [409, 409, 409, 200, 200], "then it is not compared any more");
    assert_eq!(app.counted("checks", "right"), 0, "what was taken back is not counted");
    assert_eq!(app.counted("checks", "refused"), 2);
}

/// The attack: a customer of an org takes an address that is to be another's, or a place in its team.
#[tokio::test]
async fn a_customer_takes_no_address_and_no_place_in_the_team() {
    let app = TestApp::new().await;
    let key = key_of(&app, "ada@example.com").await;
    let (program, device) = (program(&app, &key), Key::new(9));
    let org = org_of(&program).await;
    let ada = program.get("/v1/users").await.json()["data"][0]["id"].as_str().unwrap().to_owned();
    let (id, code) = started(&app, &program).await;
    let right = redeem(&program, &id, &code, &device.target()).await.json();
    let theirs = device.open(right["credential_bundle"].as_str().unwrap());
    let kind = doorcode_core::activity::Kind::UpdateUserEmail;
    let wanted = json!({ "userId": right["user_id"], "userEmail": "carol@example.com" });
    let body = crate::turnkey_cast::body(&app, kind, &org, wanted);
    let answer = send(&app, &theirs, &crate::turnkey_cast::submit_path(kind), &body).await;
    assert!(answer.status >= 400, "{}", answer.text());
    assert_eq!(app.number("SELECT count(*) FROM users WHERE email = 'carol@example.com'"), 0);
    let removed = program.send(axum::http::Method::DELETE, &format!("/v1/users/{ada}"), "").await;
    assert_eq!(problem(&removed), (409, "conflict".to_owned()), "she is still the last of the team");
}

/// The file beside the master keys can't be written, or the server dies before it is: a key that made room must not come back with a copy.
#[tokio::test]
async fn keys_that_made_room_are_noted_with_the_repeat_as_well() {
    let app = TestApp::new().await;
    let key = key_of(&app, "ada@example.com").await;
    let (program, device) = (program(&app, &key), Key::new(9));
    let org = org_of(&program).await;
    let (id, code) = started(&app, &program).await;
    let first = redeem(&program, &id, &code, &device.target()).await.json();
    let theirs = device.open(first["credential_bundle"].as_str().unwrap());
    let kind = doorcode_core::activity::Kind::CreateApiKeysV2;
    let more: Vec<Value> = (40..49).map(|seed| Key::new(seed).given(Some("600"))).collect();
    let body = crate::turnkey_cast::body(&app, kind, &org, json!({ "userId": first["user_id"], "apiKeys": more }));
    let answer = send(&app, &theirs, &crate::turnkey_cast::submit_path(kind), &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());

    app.advance(seconds(1));
    let (id, code) = started(&app, &program).await;
    let file = app.app.config.keys.join("revocations.log");
    std::fs::create_dir(&file).unwrap();
    assert_eq!(redeem(&program, &id, &code, &device.target()).await.status, 503, "it is said that it was not heard");
    std::fs::remove_dir(&file).unwrap();
    let right = redeem(&program, &id, &code, &device.target()).await;
    assert_eq!((right.status, &right.json()["valid"]), (200, &json!(true)), "{}", right.text());
    let noted = std::fs::read_to_string(&file).unwrap();
    assert!(noted.contains(first["key_id"].as_str().unwrap()), "{noted}");
    assert_eq!(whoami(&app, &theirs, &org).await.status, 401);
}
