//! Verification tokens, and what must not come of one: it is spent once, on what its own key signed, for an address that was proved.

use doorcode_core::activity::Kind;
use serde_json::json;

use crate::app::{hours, seconds};
use crate::turnkey::{client_signature, encrypted_token, id_of};
use crate::turnkey_cast::*;

const ADA: &str = "ada@example.com";
const MALLORY: &str = "mallory@example.com";

fn refused(answer: &crate::app::Answer) -> String {
    refusal(answer).2
}

/// The attack: somebody makes an account with another's address, keeps a key of it, and waits for its owner to come.
#[tokio::test]
async fn an_address_that_its_owner_did_not_prove_opens_no_account_with_keys() {
    let cast = Cast::new().await;
    let mallory = Key::new(30);
    let sub = cast.sub(MALLORY, &[&mallory]).await;
    let steal = json!({ "userId": sub.user, "userEmail": ADA });
    result(&cast.submit(&mallory, Kind::UpdateUserEmail, &sub.org, steal).await, Kind::UpdateUserEmail);
    let start = json!({ "otpType": "OTP_TYPE_EMAIL", "contact": ADA, "appName": "Acme" });
    let answer = cast.submit(&cast.backend, Kind::InitOtpAuthV3, &sub.org, start).await;
    assert_eq!(refused(&answer), "REQUEST_NOT_AUTHORIZED");
    let (token_key, session) = (Key::new(11), Key::new(12));
    let token = encrypted_token(&cast, &cast.org, ADA, &token_key).await;
    let message =
        json!({ "login": { "publicKey": session.public() }, "tokenId": id_of(&token), "type": "USAGE_TYPE_LOGIN" });
    let login = json!({ "verificationToken": token, "publicKey": session.public(),
        "clientSignature": client_signature(&cast, &token_key, &message.to_string()) });
    let answer = cast.submit(&cast.backend, Kind::OtpLoginV2, &sub.org, login).await;
    assert_eq!(refused(&answer), "REQUEST_INVALID");
    let verified = json!({ "organizationId": cast.org, "filterType": "EMAIL", "filterValue": ADA });
    assert_eq!(cast.query(&cast.backend, "list_verified_suborgs", verified).await.json()["organizationIds"], json!([]));
}

/// The attack: somebody on the way changes what a token is spent on.
#[tokio::test]
async fn a_token_is_spent_on_exactly_what_its_key_signed() {
    let cast = Cast::new().await;
    let sub = cast.sub(ADA, &[]).await;
    let (token_key, session, thief) = (Key::new(11), Key::new(12), Key::new(30));
    let token = encrypted_token(&cast, &cast.org, ADA, &token_key).await;
    let say = |id: &str, key: &Key, use_: &str| {
        json!({ "login": { "publicKey": key.public() }, "tokenId": id, "type": use_ }).to_string()
    };
    let right = say(&id_of(&token), &session, "USAGE_TYPE_LOGIN");
    let mut bad = vec![
        (thief.public(), client_signature(&cast, &token_key, &right)),
        (session.public(), client_signature(&cast, &thief, &right)),
        (session.public(), client_signature(&cast, &token_key, &say(&sub.org, &session, "USAGE_TYPE_LOGIN"))),
        (session.public(), client_signature(&cast, &token_key, &say(&id_of(&token), &session, "USAGE_TYPE_SIGNUP"))),
    ];
    let mut altered = client_signature(&cast, &token_key, &right);
    altered["message"] = json!(right.replace("login", "loginV2"));
    bad.push((session.public(), altered));
    for (key, signature) in bad {
        let login = json!({ "verificationToken": token, "publicKey": key, "clientSignature": signature });
        assert_eq!(refused(&cast.submit(&cast.backend, Kind::OtpLoginV2, &sub.org, login).await), "REQUEST_INVALID");
    }
    let bare = json!({ "verificationToken": token, "publicKey": session.public() });
    assert_eq!(
        refused(&cast.submit(&cast.backend, Kind::OtpLogin, &sub.org, bare).await),
        "REQUEST_INVALID",
        "unsigned"
    );
    let good = json!({ "verificationToken": token, "publicKey": session.public(),
        "clientSignature": client_signature(&cast, &token_key, &right) });
    result(&cast.submit(&cast.backend, Kind::OtpLoginV2, &sub.org, good.clone()).await, Kind::OtpLoginV2);
    cast.app.advance(seconds(1));
    assert_eq!(refused(&cast.submit(&cast.backend, Kind::OtpLoginV2, &sub.org, good).await), "REQUEST_INVALID", "once");
}

#[tokio::test]
async fn a_sub_organisations_token_serves_there_alone() {
    let cast = Cast::new().await;
    let sub = cast.sub(ADA, &[]).await;
    cast.app.advance(seconds(1));
    let other = cast.sub(ADA, &[]).await;
    let (token_key, session) = (Key::new(11), Key::new(12));
    let token = encrypted_token(&cast, &sub.org, ADA, &token_key).await;
    let message =
        json!({ "login": { "publicKey": session.public() }, "tokenId": id_of(&token), "type": "USAGE_TYPE_LOGIN" });
    let login = json!({ "verificationToken": token, "publicKey": session.public(),
        "clientSignature": client_signature(&cast, &token_key, &message.to_string()) });
    assert_eq!(
        refused(&cast.submit(&cast.backend, Kind::OtpLoginV2, &other.org, login.clone()).await),
        "REQUEST_INVALID"
    );
    cast.app.advance(hours(1));
    assert_eq!(
        refused(&cast.submit(&cast.backend, Kind::OtpLoginV2, &sub.org, login).await),
        "REQUEST_INVALID",
        "an hour"
    );
}
