//! What signed calls are refused with: every row of the table of errors, in one shape, never a 500.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use axum::http::Method;
use doorcode_core::activity::Kind;
use serde_json::{Value, json};

use crate::app::{Answer, HERE, hours, minutes, seconds};
use crate::turnkey_cast::*;

const WHOAMI: &str = "/public/v1/query/whoami";

fn row(answer: &Answer, status: u16, code: u64, name: &str, message: &str) {
    assert_eq!(refusal(answer), (status, code, name.to_owned()), "{}", answer.text());
    let said = answer.json()["message"].as_str().unwrap().to_owned();
    assert!(said.starts_with(message), "{said}");
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn every_row_of_the_table_is_said() {
    let cast = Cast::new().await;
    let sub = cast.sub("ada@example.com", &[&Key::new(20)]).await;
    let ask = |org: &str| json!({ "organizationId": org });
    let by = |key: Key, org: Value| {
        let cast = &cast;
        async move { cast.query(&key, "whoami", json!({ "organizationId": org })).await }
    };
    let text = ask(&cast.org).to_string();
    let bare = cast.app.from(HERE);
    row(
        &bare.send(Method::POST, WHOAMI, text.clone()).await,
        401,
        16,
        "SIGNATURE_MISSING",
        "no valid authentication signature found for request",
    );
    let activity = body(&cast.app, Kind::StampLogin, &cast.org, json!({}));
    row(
        &bare.send(Method::POST, "/public/v1/submit/stamp_login", activity).await,
        401,
        16,
        "SIGNATURE_MISSING",
        "cannot authenticate public API activity request without a stamp (X-Stamp/X-Stamp-Webauthn header)",
    );
    let stamp = cast.backend.0.stamp(text.as_bytes(), &cast.app.app.entropy.signing()).unwrap();
    let altered = text.replace(&cast.org, &sub.org);
    row(
        &bare.clone().saying("x-stamp", &stamp).send(Method::POST, WHOAMI, altered).await,
        401,
        16,
        "SIGNATURE_INVALID",
        "could not verify api key signature",
    );
    let long = "A".repeat(100_000);
    for bad in ["", "!", "e30", "bnVsbA", &stamp[1..], long.as_str()] {
        let answer = bare.clone().saying("x-stamp", bad).send(Method::POST, WHOAMI, text.clone()).await;
        assert_eq!((answer.status, refusal(&answer).2.as_str()), (401, "SIGNATURE_INVALID"), "{bad:.9}");
    }
    let twice = bare.clone().saying("x-stamp", &stamp).saying("x-stamp", &stamp);
    row(
        &twice.send(Method::POST, WHOAMI, text.clone()).await,
        401,
        16,
        "SIGNATURE_INVALID",
        "malformed activity stamp",
    );
    let two = bare.clone().saying("x-stamp", &stamp).saying("x-stamp-attested", &stamp);
    row(&two.send(Method::POST, WHOAMI, text.clone()).await, 401, 16, "SIGNATURE_INVALID", "malformed activity stamp");
    let passkey = json!({ "credentialId": "AA", "authenticatorData": "AA", "clientDataJson": "AA", "signature": "AA" });
    let answer = bare.clone().saying("x-stamp-webauthn", &passkey.to_string()).send(Method::POST, WHOAMI, text).await;
    row(
        &answer,
        401,
        16,
        "PUBLIC_KEY_NOT_FOUND",
        "could not find public key in organization or its parent organization",
    );

    row(
        &by(Key::new(1), json!("nonsense")).await,
        400,
        3,
        "INVALID_ORGANIZATION_ID",
        "malformed organization ID provided",
    );
    row(&by(Key::new(1), Value::Null).await, 400, 3, "INVALID_ORGANIZATION_ID", "malformed organization ID provided");
    row(
        &by(Key::new(1), json!(Cast::nowhere())).await,
        404,
        5,
        "ORGANIZATION_NOT_FOUND",
        "no organization found with the given ID",
    );
    row(&by(Key::new(99), json!(cast.org)).await, 401, 16, "PUBLIC_KEY_NOT_FOUND", "could not find public key");
    let (other, _) = organization(&cast.app, "Other", &Key::new(2)).await;
    row(&by(Key::new(1), json!(other)).await, 401, 16, "PUBLIC_KEY_NOT_FOUND", "could not find public key");
    row(&by(Key::new(20), json!(other)).await, 401, 16, "PUBLIC_KEY_NOT_FOUND", "could not find public key");
    for text in ["{}", "[]", "nonsense", "", r#"{"organizationId":"a","organizationId":"a"}"#] {
        let answer = send(&cast.app, &cast.backend, WHOAMI, text).await;
        assert_eq!((answer.status, refusal(&answer).1), (400, 3), "{text}");
    }
    for (path, status) in
        [("/public/v1/query/get_policy", 404), ("/public/v1/submit/sign_raw_payload_v2", 404), ("/public/v1", 404)]
    {
        row(&cast.app.post(path, ask(&cast.org)).await, status, 5, "NOT_FOUND", "not found");
    }
    assert_eq!(refusal(&cast.app.get(WHOAMI).await).0, 405);
    let large = "x".repeat(70_000);
    assert_eq!(refusal(&bare.send(Method::POST, WHOAMI, large).await).0, 413);
}

#[tokio::test]
async fn parameters_are_refused_by_the_name_of_the_member() {
    let cast = Cast::new().await;
    let owner = Key::new(20);
    let sub = cast.sub("ada@example.com", &[&owner]).await;
    let start = json!({ "otpType": "OTP_TYPE_EMAIL", "contact": "ada@example.com", "appName": "Acme" });
    let with = |name: &str, value: Value| {
        let mut parameters = start.clone();
        parameters[name] = value;
        parameters
    };
    let user = |more: Value| {
        let mut user = json!({ "userName": "x", "apiKeys": [], "authenticators": [], "oauthProviders": [] });
        user.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "subOrganizationName": "x", "rootUsers": [user], "rootQuorumThreshold": 1 })
    };
    let mut two = user(json!({}));
    two["rootQuorumThreshold"] = json!(2);
    let mut wallet = user(json!({}));
    wallet["wallet"] = json!({ "walletName": "w", "accounts": [] });
    let twins = json!({ "apiKeys": [Key::new(5).given(None), Key::new(5).given(Some("60"))] });
    let parent = [
        (Kind::InitOtpV3, with("appName", Value::Null), "REQUEST_INVALID", "bad request body: appName"),
        (Kind::InitOtpV3, with("otpLength", json!(5)), "REQUEST_INVALID", "bad request body: otpLength"),
        (
            Kind::InitOtpV3,
            with("expirationSeconds", json!("601")),
            "REQUEST_INVALID",
            "bad request body: expirationSeconds",
        ),
        (Kind::InitOtpV3, with("contact", json!("nobody")), "INVALID_EMAIL", "invalid email address"),
        (Kind::CreateSubOrganizationV7, two, "REQUEST_INVALID", "bad request body: rootQuorumThreshold"),
        (Kind::CreateSubOrganizationV7, wallet, "REQUEST_INVALID", "bad request body: wallet is not supported"),
        (Kind::CreateSubOrganizationV7, user(twins), "REQUEST_INVALID", "bad request body: publicKey"),
        (Kind::CreateSubOrganizationV7, user(json!({ "userEmail": "x" })), "INVALID_EMAIL", "invalid email address"),
        (
            Kind::OtpLogin,
            json!({ "verificationToken": "x.y.z", "publicKey": Key::new(5).public() }),
            "REQUEST_INVALID",
            "invalid verification token",
        ),
    ];
    for (kind, parameters, name, message) in parent {
        row(&cast.submit(&cast.backend, kind, &cast.org, parameters).await, 400, 3, name, message);
    }
    let target = |target: &str| json!({ "otpId": sub.user, "otpCode": "000000000", "targetPublicKey": target });
    // An x that no point of the curve has, and a y that is not the x's own.
    let no_point = format!("02{}07", "00".repeat(31));
    let mut off_curve = Key::new(5).target();
    let last = if off_curve.pop() == Some('0') { '1' } else { '0' };
    off_curve.push(last);
    let (uncompressed_of_no_form, infinity) = (&Key::new(5).target()[2..], "00");
    for bad in [no_point.as_str(), &off_curve, infinity, "04", uncompressed_of_no_form] {
        let answer = cast.submit(&cast.backend, Kind::OtpAuth, &sub.org, target(bad)).await;
        row(&answer, 400, 3, "REQUEST_INVALID", "bad request body: targetPublicKey");
    }
    let life = json!({ "userId": sub.user, "apiKeys": [Key::new(5).given(Some("0"))] });
    row(
        &cast.submit(&owner, Kind::CreateApiKeysV2, &sub.org, life).await,
        400,
        3,
        "REQUEST_INVALID",
        "invalid api key expiration",
    );
    let template = json!({ "email": "ada@example.com", "targetPublicKey": Key::new(5).target(), "emailCustomization": { "appName": "A", "magicLinkTemplate": "x" } });
    row(
        &cast.submit(&cast.backend, Kind::EmailAuthV3, &sub.org, template).await,
        400,
        3,
        "REQUEST_INVALID",
        "invalid magic link template",
    );
    // Of the type of another path.
    let text = body(&cast.app, Kind::OtpAuth, &sub.org, json!({}));
    row(
        &send(&cast.app, &cast.backend, "/public/v1/submit/init_otp", &text).await,
        400,
        3,
        "REQUEST_INVALID",
        "bad request body: type",
    );
    assert_eq!(cast.app.number("SELECT count(*) FROM activities"), 1, "nothing of it is kept");
}

#[tokio::test]
async fn the_time_of_a_call_has_limits_and_is_asked_last() {
    let cast = Cast::new().await;
    let start = json!({ "otpType": "OTP_TYPE_EMAIL", "contact": "ada@example.com" });
    let text = body(&cast.app, Kind::InitOtp, &cast.org, start.clone());
    let first = send(&cast.app, &cast.backend, "/public/v1/submit/init_otp", &text).await;
    result(&first, Kind::InitOtp);
    let at = |offset: i64| {
        let at = (cast.app.now().millis() + offset).to_string();
        json!({ "type": Kind::InitOtp.name(), "timestampMs": at, "organizationId": cast.org, "parameters": start })
            .to_string()
    };
    for offset in [-3_600_000, 300_001] {
        let answer = send(&cast.app, &cast.backend, "/public/v1/submit/init_otp", &at(offset)).await;
        row(&answer, 400, 3, "REQUEST_INVALID", "bad request body: timestampMs is");
        let stranger = send(&cast.app, &Key::new(99), "/public/v1/submit/init_otp", &at(offset)).await;
        assert_eq!(refusal(&stranger).2, "PUBLIC_KEY_NOT_FOUND", "whoever has not proved itself hears no more");
    }
    let number = text.replace(&format!("\"{}\"", cast.app.now().millis()), &cast.app.now().millis().to_string());
    assert_eq!(send(&cast.app, &cast.backend, "/public/v1/submit/init_otp", &number).await.status, 400);
    // What was said once is said again, also when it has become old; and nothing more happens.
    cast.app.advance(hours(1) + minutes(1));
    let again = send(&cast.app, &cast.backend, "/public/v1/submit/init_otp", &text).await;
    assert_eq!(again.json()["activity"]["id"], first.json()["activity"]["id"]);
    cast.app.advance(seconds(1));
}
