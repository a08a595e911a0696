//! The native door under those who want in, or want others out: bad input, foreign ids, names of requests, tokens.

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::app::{TestApp, hours, not};
use crate::native::{BOB, V, check, key_of, problem, program, start, wrong_fields};

#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once_and_by_name() {
    let app = TestApp::new().await;
    let key = key_of(&app, "ada@example.com").await;
    let program = program(&app, &key);
    let body = json!({ "to": "nobody", "channel": "pigeon", "language": "tlh", "alphabet": "runes", "length": 3,
        "ttl": 601, "metadata": [], "user_ip": "here", "lenght": 6 });
    let answer = program.post(V, body).await;
    let mut wrong = wrong_fields(&answer);
    wrong.sort();
    assert_eq!(
        wrong,
        ["alphabet", "channel", "language", "lenght", "length", "metadata", "to", "ttl", "user_ip"].map(str::to_owned)
    );
    insta::assert_snapshot!("problem_invalid", answer.text());
    for (body, fields) in [
        (json!({}), vec!["to"]),
        (json!({ "to": 7 }), vec!["to"]),
        (json!({ "to": null }), vec!["to"]),
        (json!({ "to": BOB, "length": 6.5 }), vec!["length"]),
        (json!({ "to": BOB, "length": "6" }), vec!["length"]),
        (json!({ "to": BOB, "length": 13 }), vec!["length"]),
        (json!({ "to": BOB, "ttl": -1 }), vec!["ttl"]),
        (json!({ "to": BOB, "metadata": { "a": "x".repeat(5000) } }), vec!["metadata"]),
        (json!({ "to": "a@b@c.de" }), vec!["to"]),
        (json!({ "to": format!("{}@example.com", "a".repeat(300)) }), vec!["to"]),
    ] {
        assert_eq!(wrong_fields(&program.post(V, body.clone()).await), fields, "{body}");
    }
}

#[tokio::test]
async fn what_is_no_object_is_said_so() {
    let app = TestApp::new().await;
    let key = key_of(&app, "ada@example.com").await;
    let program = program(&app, &key);
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    for body in ["[]", "7", "\"x\"", "null", "{", "{\"to\":}", "\u{0}", &deep, &format!("{{\"to\":{deep}}}")] {
        let answer = program.send(Method::POST, V, body.to_owned()).await;
        assert_eq!(problem(&answer), (400, "malformed".to_owned()), "{body:.20}");
    }
    let answer = program.send(Method::POST, V, "x".repeat(70_000)).await;
    assert_eq!(problem(&answer), (413, "too-large".to_owned()));
    let invalid = program.send(Method::POST, V, vec![0xff, 0xfe]).await;
    assert_eq!(problem(&invalid), (400, "malformed".to_owned()));
}

/// Of every door: the document has all routes.
#[tokio::test]
async fn a_path_that_is_no_text_is_refused_in_the_doors_form() {
    let app = TestApp::new().await;
    let key = key_of(&app, "ada@example.com").await;
    let program = program(&app, &key);
    let document: Value = serde_json::from_str(doorcode::api::openapi_text()).unwrap();
    let mut tried = 0;
    for (path, methods) in document["paths"].as_object().unwrap().iter().filter(|(path, _)| path.contains('{')) {
        let pieces = path.split('/').map(|piece| if piece.starts_with('{') { "%ff" } else { piece });
        let nowhere = pieces.collect::<Vec<_>>().join("/");
        for method in ["get", "post", "put", "patch", "delete"].iter().filter(|method| methods.get(**method).is_some())
        {
            let method: Method = method.to_uppercase().parse().unwrap();
            let answer = program.send(method.clone(), &nowhere, "{}").await;
            let form = answer.header("content-type").unwrap_or_default();
            assert!(form.ends_with("json"), "{method} {path}: {} {form} {}", answer.status, answer.text());
            assert_ne!(answer.status, 400, "{method} {path}");
            tried += 1;
        }
    }
    assert!(tried > 30, "{tried}");
}

#[tokio::test]
async fn a_whole_number_is_one_however_it_is_written() {
    let app = TestApp::new().await;
    let key = key_of(&app, "ada@example.com").await;
    let program = program(&app, &key);
    for (ttl, status) in [("60", 201), ("60.0", 200), ("6e1", 200), ("60.5", 422), ("-60.0", 422), ("1e30", 422)] {
        let body = format!("{{\"to\":\"{BOB}\",\"ttl\":{ttl}}}");
        assert_eq!(program.send(Method::POST, V, body).await.status, status, "{ttl}");
    }
}

#[tokio::test]
async fn every_path_under_v1_answers_in_the_same_form() {
    let app = TestApp::new().await;
    assert_eq!(problem(&app.get("/v1/nothing").await), (404, "not-found".to_owned()));
    assert_eq!(problem(&app.from("192.0.2.9").send(Method::PUT, V, "").await), (405, "method-not-allowed".to_owned()));
    for (method, path) in [
        (Method::POST, V),
        (Method::GET, "/v1/verifications/x"),
        (Method::DELETE, "/v1/verifications/x"),
        (Method::POST, "/v1/verifications/x/check"),
        (Method::POST, "/v1/verifications/x/resend"),
        (Method::GET, "/v1/verifications/x/events"),
        (Method::GET, "/v1/keys"),
        (Method::POST, "/v1/keys"),
        (Method::GET, "/v1/users"),
        (Method::POST, "/v1/users"),
        (Method::GET, "/v1/orgs"),
        (Method::POST, "/v1/orgs"),
        (Method::GET, "/v1/events"),
        (Method::POST, "/v1/tokens/introspect"),
    ] {
        let answer = app.from("192.0.2.9").send(method.clone(), path, "{}").await;
        assert_eq!(problem(&answer), (401, "unauthenticated".to_owned()), "{method} {path}");
    }
}

#[tokio::test]
async fn no_other_way_of_showing_a_key_is_taken() {
    let app = TestApp::new().await;
    let key = key_of(&app, "ada@example.com").await;
    let from = app.from("192.0.2.9");
    for authorization in [
        key.clone(),
        format!("Basic {key}"),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        format!("Bearer {key}x"),
        format!("Bearer {}", key.to_uppercase()),
        "Bearer dck_00000000000000000000000000000000".to_owned(),
        format!("Bearer {}", "x".repeat(5000)),
    ] {
        let answer = from.clone().saying("authorization", &authorization).get("/v1/keys").await;
        assert_eq!(problem(&answer), (401, "unauthenticated".to_owned()), "{authorization:.40}");
    }
    let twice = from.clone().saying("authorization", &format!("Bearer {key}"));
    let twice = twice.saying("authorization", &format!("Bearer {key}")).get("/v1/keys").await;
    assert_eq!(problem(&twice), (401, "unauthenticated".to_owned()));
    assert_eq!(from.saying("authorization", &format!("bEaReR {key}")).get("/v1/keys").await.status, 200);
}

#[tokio::test]
async fn a_foreign_id_is_the_id_of_nothing_and_costs_its_owner_nothing() {
    let app = TestApp::new().await;
    let (ada, eve) = (key_of(&app, "ada@example.com").await, key_of(&app, "eve@example.com").await);
    let (ada, eve) = (program(&app, &ada), program(&app, &eve));
    let started = start(&ada, json!({ "to": BOB })).await;
    app.deliver_due().await;
    let code = app.last_code(BOB);
    let id = started["id"].as_str().unwrap();
    for _ in 0..20 {
        let guess = eve.post(&format!("{V}/{id}/check"), json!({ "code": not(&code) })).await;
        assert_eq!(problem(&guess), (404, "not-found".to_owned()));
    }
    for (method, path) in [
        (Method::GET, format!("{V}/{id}")),
        (Method::DELETE, format!("{V}/{id}")),
        (Method::POST, format!("{V}/{id}/resend")),
        (Method::GET, format!("{V}/{id}/events")),
        (Method::GET, format!("{V}/00000000-0000-0000-0000-000000000000")),
        (Method::GET, format!("{V}/{}", id.replace('-', ""))),
    ] {
        let answer = eve.send(method, &path, "").await;
        assert_eq!(problem(&answer), (404, "not-found".to_owned()), "{path}");
    }
    let keys = ada.get("/v1/keys").await.json();
    let key = format!("/v1/keys/{}", keys["data"][0]["id"].as_str().unwrap());
    for (method, path) in [(Method::GET, key.clone()), (Method::DELETE, key.clone()), (Method::POST, key + "/rotate")] {
        assert_eq!(problem(&eve.send(method, &path, "").await), (404, "not-found".to_owned()), "{path}");
    }
    assert_eq!(check(&ada, &started["id"], &code).await["valid"], true);
}

#[tokio::test]
async fn a_challenge_of_the_front_door_is_no_verification() {
    let app = TestApp::new().await;
    let key = key_of(&app, "ada@example.com").await;
    app.code(BOB).await;
    let newest = |half: &str| app.number(&format!("SELECT {half} FROM challenges ORDER BY head DESC LIMIT 1"));
    let id = doorcode_core::ChallengeId::from_halves([newest("head"), newest("tail")]);
    assert_eq!(problem(&program(&app, &key).get(&format!("{V}/{id}")).await), (404, "not-found".to_owned()));
}

#[tokio::test]
async fn one_name_one_message_one_answer() {
    let app = TestApp::new().await;
    let key = key_of(&app, "ada@example.com").await;
    let program = program(&app, &key).saying("idempotency-key", "\"5f2c\"");
    let answers = join_all((0..64).map(|_| program.post(V, json!({ "to": BOB })))).await;
    let first = answers[0].both();
    assert_eq!(first.0, 201, "{}", first.1);
    assert!(answers.iter().all(|answer| answer.both() == first), "one answer");
    app.deliver_due().await;
    assert_eq!(app.messages(BOB), 1, "one message");
    app.advance(hours(23));
    assert_eq!(program.post(V, json!({ "to": BOB })).await.both(), first, "for a day");
    let reused = program.post(V, json!({ "to": "eve@example.com" })).await;
    assert_eq!(problem(&reused), (422, "idempotency-key-reused".to_owned()));
    app.advance(hours(1));
    let later = program.post(V, json!({ "to": BOB })).await;
    assert_eq!(later.status, 201);
    assert_ne!(later.json()["id"], answers[0].json()["id"]);
}

#[tokio::test]
async fn a_name_is_of_one_org_and_one_operation_and_holds_no_secret() {
    let app = TestApp::new().await;
    let (ada, eve) = (key_of(&app, "ada@example.com").await, key_of(&app, "eve@example.com").await);
    let ada = program(&app, &ada).saying("idempotency-key", "n1");
    let eve = program(&app, &eve).saying("idempotency-key", "n1");
    let made = ada.post("/v1/keys", json!({ "name": "x" })).await;
    assert_eq!(ada.post("/v1/keys", json!({ "name": "x" })).await.both(), made.both(), "the same key is shown again");
    let other = eve.post("/v1/keys", json!({ "name": "x" })).await;
    assert_ne!(other.json()["api_key"], made.json()["api_key"]);
    assert_eq!(ada.post("/v1/users", json!({ "full_name": "x" })).await.status, 201, "another operation");
    let org = ada.post("/v1/orgs", json!({ "name": "x" })).await;
    assert_eq!(ada.post("/v1/orgs", json!({ "name": "x" })).await.both(), org.both());
    let answers = app.number("SELECT count(*) FROM idempotency WHERE answer LIKE '%dck\\_%' ESCAPE '\\'")
        + app.number("SELECT count(*) FROM idempotency WHERE answer LIKE '%outx\\_%' ESCAPE '\\' OR answer LIKE '%dcs\\_%' ESCAPE '\\'");
    assert_eq!(answers, 0);
    for name in ["", "\"\"", "a b", &"x".repeat(256)] {
        let answer = app.from("192.0.2.9").saying("authorization", "Bearer x").saying("idempotency-key", name);
        assert_eq!(answer.post(V, json!({ "to": BOB })).await.status, 401, "who asks comes first");
    }
    let key = key_of(&app, "carl@example.com").await;
    for name in ["\"\"", "a b", &"x".repeat(256)] {
        let named = program(&app, &key).saying("idempotency-key", name);
        assert_eq!(wrong_fields(&named.post(V, json!({ "to": BOB })).await), ["Idempotency-Key"]);
    }
    let twice = program(&app, &key).saying("idempotency-key", "a").saying("idempotency-key", "b");
    assert_eq!(wrong_fields(&twice.post(V, json!({ "to": BOB })).await), ["Idempotency-Key"]);
}

#[tokio::test]
async fn a_refused_request_leaves_its_name_free() {
    let app =
        TestApp::with(&[("DOORCODE_LIMITS__SEND__STRANGER_HOUR", "1"), ("DOORCODE_LIMITS__SEND__STRANGER_DAY", "1")])
            .await;
    let key = key_of(&app, "ada@example.com").await;
    let named = program(&app, &key).saying("idempotency-key", "n1");
    start(&program(&app, &key), json!({ "to": BOB })).await;
    assert_eq!(named.post(V, json!({ "to": BOB })).await.status, 429);
    app.advance(hours(24));
    assert_eq!(named.post(V, json!({ "to": BOB })).await.status, 201);
}

#[tokio::test]
async fn tokens_of_others_of_no_algorithm_and_of_retired_keys_are_not_active() {
    let app = TestApp::new().await;
    let (ada, eve) = (key_of(&app, "ada@example.com").await, key_of(&app, "eve@example.com").await);
    let (ada, eve) = (program(&app, &ada), program(&app, &eve));
    let started = start(&ada, json!({ "to": BOB })).await;
    app.deliver_due().await;
    let token = check(&ada, &started["id"], &app.last_code(BOB)).await["token"].as_str().unwrap().to_owned();
    let active = async |client: &crate::app::Client<'_>, token: &str| -> Value {
        client.post("/v1/tokens/introspect", json!({ "token": token })).await.json()["active"].clone()
    };
    assert_eq!(active(&ada, &token).await, true);
    assert_eq!(active(&eve, &token).await, false, "another org's");
    let parts: Vec<&str> = token.split('.').collect();
    let header = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let none = format!("{}.{}.", header(json!({ "alg": "none", "typ": "JWT" })), parts[1]);
    let kid: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[0]).unwrap()).unwrap();
    let none_with_kid = format!("{}.{}.", header(json!({ "alg": "none", "kid": kid["kid"], "typ": "JWT" })), parts[1]);
    let symmetric =
        format!("{}.{}.{}", header(json!({ "alg": "HS256", "kid": kid["kid"], "typ": "JWT" })), parts[1], parts[2]);
    let mut forged: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    forged["sub"] = json!("boss@example.com");
    let forged = format!("{}.{}.{}", parts[0], header(forged), parts[2]);
    for bad in [&none, &none_with_kid, &symmetric, &forged, "", "x", &"x".repeat(9000)] {
        assert_eq!(active(&ada, bad).await, false, "{bad:.60}");
    }
    // The key that signed it is retired.
    use doorcode::ops::master_keys;
    let old = app.app.keys.ring().active().kid;
    let new = master_keys::add(&app.app).await.unwrap();
    app.app.keys.refresh(&app.app.db, app.now()).await.unwrap();
    let listed = app.get("/.well-known/jwks.json").await.json();
    assert_eq!(listed["keys"].as_array().unwrap().len(), 2, "a key is known before it signs");
    master_keys::activate(&app.app, new).await.unwrap();
    app.app.keys.refresh(&app.app.db, app.now()).await.unwrap();
    assert_eq!(active(&ada, &token).await, true, "rotated, not retired");
    app.tamper(&format!("UPDATE master_keys SET state = 'retired' WHERE kid = '{old}'"));
    app.app.keys.refresh(&app.app.db, app.now()).await.unwrap();
    let listed = app.get("/.well-known/jwks.json").await.json();
    assert_eq!(listed["keys"].as_array().unwrap().len(), 1);
    let admin = doorcode::ops::credentials::recognise_key(&app.app, "x").await.unwrap();
    assert!(admin.is_none());
}

#[tokio::test]
async fn an_org_that_was_not_raised_reaches_its_own_members_only() {
    let app = TestApp::in_earnest(|config| config.signup = doorcode::config::Signup::Open).await;
    let key = key_of(&app, "ada@example.com").await;
    let program = program(&app, &key);
    key_of(&app, "eve@example.com").await;
    for stranger in [BOB, "eve@example.com", "ada+x@example.com"] {
        let refused = program.post(V, json!({ "to": stranger })).await;
        assert_eq!(wrong_fields(&refused), ["to"], "{stranger}");
    }
    start(&program, json!({ "to": "ada@example.com" })).await;
    let org = program.get("/v1/orgs").await.json()["data"][0]["id"].as_str().unwrap().parse().unwrap();
    assert!(doorcode::ops::orgs::raise(&app.app, org, true).await.unwrap());
    start(&program, json!({ "to": BOB })).await;
    assert!(doorcode::ops::orgs::raise(&app.app, org, false).await.unwrap());
    assert_eq!(wrong_fields(&program.post(V, json!({ "to": "carl@example.com" })).await), ["to"]);
}

#[tokio::test]
async fn what_a_program_says_of_people_spends_nothing_of_others() {
    let app = TestApp::with(&[("DOORCODE_LIMITS__GUESS__NETWORK_HOUR", "3")]).await;
    let eve = key_of(&app, "eve@example.com").await;
    let eve = program(&app, &eve);
    // A hostile tenant says that all its guesses come from where Ada is.
    let started = start(&eve, json!({ "to": BOB })).await;
    for _ in 0..10 {
        let path = format!("{V}/{}/check", started["id"].as_str().unwrap());
        eve.post(&path, json!({ "code": "000000", "user_ip": "192.0.2.1" })).await;
    }
    app.from("192.0.2.1").sign_in("ada@example.com").await;
}
