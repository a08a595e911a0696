//! Contacts that somebody says are theirs, and tokens that are not in the right hands: each rule by the attack that it stands against
//! (docs/threat-model.md).

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use axum::http::Method;
use doorcode_core::activity::Kind;
use serde_json::{Value, json};

use crate::app::{Answer, HERE, seconds};
use crate::turnkey::{attested, encrypted_token};
use crate::turnkey_cast::*;
use crate::turnkey_proxy as proxy;

const ADA: &str = "ada@example.com";
const MALLORY: &str = "mallory@example.com";

fn refused(answer: &Answer) -> String {
    refusal(answer).2
}

/// A verification token of the old form without a key, which the parent earned.
async fn bare_token(cast: &Cast, email: &str) -> String {
    cast.app.advance(seconds(1));
    let ask = json!({ "otpType": "OTP_TYPE_EMAIL", "contact": email });
    let made = result(&cast.submit(&cast.backend, Kind::InitOtp, &cast.org, ask).await, Kind::InitOtp);
    cast.app.deliver_due().await;
    let code = json!({ "otpId": made["otpId"], "otpCode": cast.app.last_code(email) });
    let answer = cast.submit(&cast.backend, Kind::VerifyOtp, &cast.org, code).await;
    result(&answer, Kind::VerifyOtp)["verificationToken"].as_str().unwrap().to_owned()
}

/// The log in of whoever proves this address, in an organisation.
async fn log_in(cast: &Cast, org: &str, email: &str) -> Answer {
    let login = json!({ "verificationToken": bare_token(cast, email).await, "publicKey": Key::new(90).public() });
    cast.submit(&cast.backend, Kind::OtpLogin, org, login).await
}

async fn start(cast: &Cast, org: &str, email: &str) -> Answer {
    let ask = json!({ "otpType": "OTP_TYPE_EMAIL", "contact": email, "appName": "Acme" });
    cast.submit(&cast.backend, Kind::InitOtpAuthV3, org, ask).await
}

/// Has a key mailed to somebody, sealed for a device.
async fn mail(cast: &Cast, org: &str, email: &str, device: &Key) {
    let ask =
        json!({ "email": email, "targetPublicKey": device.target(), "emailCustomization": { "appName": "Acme" } });
    result(&cast.submit(&cast.backend, Kind::EmailAuthV3, org, ask).await, Kind::EmailAuthV3);
    cast.app.deliver_due().await;
}

async fn rename(cast: &Cast, by: &Key, sub: &Sub, email: &str) {
    let change = json!({ "userId": sub.user, "userEmail": email });
    result(&cast.submit(by, Kind::UpdateUserEmail, &sub.org, change).await, Kind::UpdateUserEmail);
}

async fn switch(cast: &Cast, by: &Key, org: &str, kind: Kind) {
    let feature = json!({ "name": "FEATURE_NAME_OTP_EMAIL_AUTH" });
    result(&cast.submit(by, kind, org, feature).await, kind);
}

/// An organisation of Mallory, who has a key, and of somebody of whom nothing is known.
async fn shared(cast: &Cast, mallory: Value) -> [Sub; 2] {
    let users = json!([
        { "userName": "Mallory", "userEmail": MALLORY, "apiKeys": [mallory], "authenticators": [], "oauthProviders": [] },
        { "userName": "Somebody", "apiKeys": [], "authenticators": [], "oauthProviders": [] },
    ]);
    let parameters = json!({ "subOrganizationName": "Shared", "rootUsers": users, "rootQuorumThreshold": 1 });
    let kind = Kind::CreateSubOrganizationV7;
    let made = result(&cast.submit(&cast.backend, kind, &cast.org, parameters).await, kind);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    [0, 1].map(|at| Sub { org: text(&made["subOrganizationId"]), user: text(&made["rootUserIds"][at]) })
}

/// The attack: a question that was recorded is asked again, for the token that its activity earned.
#[tokio::test]
async fn no_query_gives_a_token_out() {
    let cast = Cast::new().await;
    let token = bare_token(&cast, ADA).await;
    let kinds = json!({ "organizationId": cast.org, "filterByType": ["ACTIVITY_TYPE_VERIFY_OTP"] });
    let listed = cast.query(&cast.backend, "list_activities", kinds).await;
    let activity = listed.json()["activities"][0].clone();
    let ask = json!({ "organizationId": cast.org, "activityId": activity["id"] });
    let one = cast.query(&cast.backend, "get_activity", ask).await;
    let said = token.split('.').nth(1).unwrap();
    for (answer, shown) in [(&listed, &activity), (&one, &one.json()["activity"])] {
        assert_eq!(shown["result"][Kind::VerifyOtp.result()]["verificationToken"], "********");
        assert!(!answer.text().contains(said));
    }
}

/// The attack: so many accounts claim an address that its owner's is not among those that are looked at.
#[tokio::test]
async fn any_number_of_claims_hides_nobodys_account() {
    let cast = proxy::cast().await;
    let mallory = Key::new(30);
    for n in 0..41 {
        let sub = cast.sub(&format!("mallory.{n}@example.com"), &[&mallory]).await;
        rename(&cast, &mallory, &sub, ADA).await;
    }
    cast.app.advance(seconds(1));
    let token = proxy::token(&cast, ADA, None).await;
    let ask = json!({ "filterType": "EMAIL", "filterValue": ADA, "verificationToken": token });
    assert_eq!(proxy::good(&cast, "account", ask.clone()).await, json!({}), "none of them is hers");
    let ada = cast.sub(ADA, &[]).await;
    assert_eq!(proxy::good(&cast, "account", ask.clone()).await["organizationId"], ada.org.as_str(), "said");
    let session = Key::new(12);
    let login = json!({ "verificationToken": token, "publicKey": session.public() });
    proxy::good(&cast, "otp_login", login).await;
    assert_eq!(cast.whoami(&session, &ada.org).await.json()["userId"], ada.user.as_str());
    assert_eq!(proxy::good(&cast, "account", ask).await["organizationId"], ada.org.as_str(), "and proved");
}

/// The attack: an account is made with somebody's address and a key, by a backend that believed it; they can't have another one.
#[tokio::test]
async fn an_account_that_somebody_else_has_a_key_of_is_not_its_addresss() {
    let cast = proxy::cast().await;
    let squatted = cast.sub(ADA, &[&Key::new(30)]).await;
    cast.app.advance(seconds(1));
    let token = proxy::token(&cast, ADA, None).await;
    let sign_up = json!({ "userEmail": ADA, "verificationToken": token, "apiKeys": [] });
    let own = proxy::good(&cast, "signup", sign_up).await["organizationId"].clone();
    assert_ne!(own, squatted.org.as_str());
    let session = Key::new(12);
    let login = json!({ "verificationToken": token, "publicKey": session.public() });
    proxy::good(&cast, "otp_login", login).await;
    assert_eq!(cast.whoami(&session, own.as_str().unwrap()).await.status, 200);
}

/// The attack: whoever may have mails sent shuts the person out with a key that nobody ever stamps with.
#[tokio::test]
async fn a_mailed_key_shuts_nobody_out() {
    let cast = Cast::new().await;
    let sub = cast.sub(ADA, &[]).await;
    mail(&cast, &sub.org, ADA, &Key::new(9)).await;
    result(&log_in(&cast, &sub.org, ADA).await, Kind::OtpLogin);
    // One that woke is somebody's.
    let woken = cast.sub("bob@example.com", &[]).await;
    mail(&cast, &woken.org, "bob@example.com", &Key::new(9)).await;
    let key = Key::new(9).open(&cast.app.last_code("bob@example.com"));
    assert_eq!(cast.whoami(&key, &woken.org).await.status, 200);
    assert_eq!(refused(&log_in(&cast, &woken.org, "bob@example.com").await), "REQUEST_INVALID");
}

/// The attack: a key waits in the attacker's mailbox until the owner of another address has come into the account.
#[tokio::test]
async fn a_mailed_key_of_before_wakes_in_no_account_of_another_address() {
    let cast = Cast::new().await;
    let (mallory, device) = (Key::new(30), Key::new(31));
    let inert = "SELECT count(*) FROM credentials WHERE scopes LIKE 'inert%' AND revoked_at IS NULL";
    let parameters = json!({ "subOrganizationName": "x", "rootQuorumThreshold": 1,
        "rootUsers": [{ "userName": "x", "userEmail": MALLORY, "apiKeys": [mallory.given(Some("60"))],
            "authenticators": [], "oauthProviders": [] }] });
    let kind = Kind::CreateSubOrganizationV7;
    let made = result(&cast.submit(&cast.backend, kind, &cast.org, parameters).await, kind);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let sub = Sub { org: text(&made["subOrganizationId"]), user: text(&made["rootUserIds"][0]) };
    mail(&cast, &sub.org, MALLORY, &device).await;
    let waiting = device.open(&cast.app.last_code(MALLORY));
    assert_eq!(cast.app.number(inert), 1);
    rename(&cast, &mallory, &sub, ADA).await;
    assert_eq!(cast.app.number(inert), 0, "with the mailbox that it went to");

    cast.app.advance(seconds(60));
    mail(&cast, &sub.org, ADA, &device).await;
    let other = device.open(&cast.app.last_code(ADA));
    assert_eq!(cast.app.number(inert), 1);
    result(&log_in(&cast, &sub.org, ADA).await, Kind::OtpLogin);
    assert_eq!(cast.app.number(inert), 0, "she proved what nobody had said before");
    for key in [waiting, other] {
        assert_eq!(refused(&cast.whoami(&key, &sub.org).await), "PUBLIC_KEY_NOT_FOUND");
    }
}

/// The attack: codes are switched off, and a token comes in by another stamp.
#[tokio::test]
async fn what_is_switched_off_is_off_for_every_stamp() {
    let cast = Cast::new().await;
    let (owner, token_key, session) = (Key::new(20), Key::new(11), Key::new(12));
    let sub = cast.sub(ADA, &[&owner]).await;
    cast.sign_in(&sub.org, ADA, &Key::new(9)).await;
    switch(&cast, &owner, &sub.org, Kind::RemoveOrganizationFeature).await;
    cast.app.advance(seconds(1));
    let token = encrypted_token(&cast, &cast.org, ADA, &token_key).await;
    let stamped = async || {
        let text = body(&cast.app, Kind::StampLogin, &sub.org, json!({ "publicKey": session.public() }));
        let stamp = attested(&cast, &token_key, &token, &text);
        let by = cast.app.from(HERE).saying("x-stamp-attested", &stamp);
        by.send(Method::POST, &submit_path(Kind::StampLogin), text).await
    };
    assert_eq!(refusal(&stamped().await), (403, 7, "API_OPERATIONS_DISABLED".to_owned()));
    assert_eq!(refused(&log_in(&cast, &sub.org, ADA).await), "API_OPERATIONS_DISABLED");
    switch(&cast, &owner, &sub.org, Kind::SetOrganizationFeature).await;
    result(&stamped().await, Kind::StampLogin);
}

/// The attack: a page, or whoever reads the mailbox of an operator's address, becomes the operator.
#[tokio::test]
async fn no_token_logs_in_to_a_parent_that_did_not_switch_it_on_and_none_by_the_proxy() {
    let cast = proxy::cast().await;
    let change = json!({ "userId": cast.user, "userEmail": ADA, "verificationToken": bare_token(&cast, ADA).await });
    result(&cast.submit(&cast.backend, Kind::UpdateUserEmail, &cast.org, change).await, Kind::UpdateUserEmail);
    let token = proxy::token(&cast, ADA, None).await;
    let login = json!({ "verificationToken": token, "publicKey": Key::new(12).public(), "organizationId": cast.org });
    let by_proxy = async || refused(&proxy::call(&cast, "otp_login", login.clone()).await);
    assert_eq!(by_proxy().await, "REQUEST_INVALID");
    assert_eq!(refused(&log_in(&cast, &cast.org, ADA).await), "API_OPERATIONS_DISABLED");
    switch(&cast, &cast.backend, &cast.org, Kind::SetOrganizationFeature).await;
    assert_eq!(by_proxy().await, "REQUEST_INVALID");
    result(&log_in(&cast, &cast.org, ADA).await, Kind::OtpLogin);
}

/// The attack: a token that was seen on its way makes its contact the thief's.
#[tokio::test]
async fn a_token_that_names_a_key_proves_a_contact_under_that_keys_stamp_alone() {
    let cast = Cast::new().await;
    let (mallory, ada) = (Key::new(30), Key::new(11));
    let (thief, own) = (cast.sub(MALLORY, &[&mallory]).await, cast.sub("countess@example.com", &[&ada]).await);
    let token = encrypted_token(&cast, &cast.org, ADA, &ada).await;
    let change = async |by: &Key, sub: &Sub| {
        let parameters = json!({ "userId": sub.user, "userEmail": ADA, "verificationToken": token });
        cast.submit(by, Kind::UpdateUserEmail, &sub.org, parameters).await
    };
    let verified = json!({ "organizationId": cast.org, "filterType": "EMAIL", "filterValue": ADA });
    assert_eq!(refused(&change(&mallory, &thief).await), "REQUEST_INVALID");
    result(&change(&ada, &own).await, Kind::UpdateUserEmail);
    let found = cast.query(&cast.backend, "list_verified_suborgs", verified).await.json();
    assert_eq!(found["organizationIds"], json!([own.org]));
}

/// The attack: an account is made with a second user, whose address is somebody else's; its maker keeps the first one.
#[tokio::test]
async fn an_address_that_nobody_vouched_for_opens_no_account_that_others_can_come_into() {
    let cast = Cast::new().await;
    let mallory = Key::new(30);
    let [_, somebody] = shared(&cast, mallory.given(Some("60"))).await;
    rename(&cast, &mallory, &somebody, ADA).await;
    for case in ["her key lives", "a code would bring her another one"] {
        assert_eq!(refused(&start(&cast, &somebody.org, ADA).await), "REQUEST_NOT_AUTHORIZED", "{case}");
        assert_eq!(refused(&log_in(&cast, &somebody.org, ADA).await), "REQUEST_INVALID", "{case}");
        cast.app.advance(seconds(60));
    }
    let alone = cast.sub(MALLORY, &[&mallory]).await;
    rename(&cast, &mallory, &alone, ADA).await;
    assert_eq!(refused(&start(&cast, &alone.org, ADA).await), "REQUEST_NOT_AUTHORIZED");
}

/// The attack: somebody's public key is named as one's own, and through the parent its owner finds nothing any more, or the wrong account.
#[tokio::test]
async fn a_key_that_others_name_leads_its_owner_home() {
    let cast = proxy::cast().await;
    let (mallory, late, early) = (Key::new(30), Key::new(20), Key::new(21));
    let theirs = cast.sub(MALLORY, &[&mallory]).await;
    let name = async |key: &Key| {
        let keys = json!({ "userId": theirs.user, "apiKeys": [key.given(None)] });
        result(&cast.submit(&mallory, Kind::CreateApiKeysV2, &theirs.org, keys).await, Kind::CreateApiKeysV2);
    };
    let account = async |key: &Key| {
        proxy::good(&cast, "account", json!({ "filterType": "PUBLIC_KEY", "filterValue": key.public() })).await
    };
    let home = async |key: &Key| {
        let (who, account) = (cast.whoami(key, &cast.org).await, account(key).await);
        assert_eq!(who.json()["organizationId"], account["organizationId"], "{}", who.text());
        account["organizationId"].as_str().unwrap().to_owned()
    };
    // Named by two, and nobody has signed yet: whose it is can't be told, and it leads nobody anywhere.
    let ada = cast.sub(ADA, &[&late]).await;
    assert_eq!(home(&late).await, ada.org);
    name(&late).await;
    let nobody = cast.whoami(&Key::new(40), &cast.org).await;
    assert_eq!(refusal(&cast.whoami(&late, &cast.org).await), refusal(&nobody));
    assert_eq!(account(&late).await, json!({}));
    // Its owner signs in their own organization's name.
    assert_eq!(cast.whoami(&late, &ada.org).await.status, 200);
    assert_eq!(home(&late).await, ada.org);
    // Named before: who has signed for their organization has it, and nobody else can.
    name(&early).await;
    let bob = cast.sub("bob@example.com", &[&early]).await;
    assert_eq!(cast.whoami(&early, &bob.org).await.json()["userId"], bob.user.as_str());
    assert_eq!(home(&early).await, bob.org);
    assert_eq!(cast.whoami(&mallory, &theirs.org).await.status, 200);
    assert_eq!((home(&early).await, home(&mallory).await), (bob.org.clone(), theirs.org.clone()));
    // To ask through the parent, which names nobody's organization, makes it nobody's.
    let asked = Key::new(22);
    name(&asked).await;
    assert_eq!(home(&asked).await, theirs.org, "nobody else has named it");
    let carol = cast.sub("carol@example.com", &[&asked]).await;
    assert_eq!(cast.whoami(&asked, &carol.org).await.json()["userId"], carol.user.as_str());
    assert_eq!(home(&asked).await, carol.org);
    // Whoever has signed in two organizations is of both, and says which.
    let both = Key::new(23);
    for email in ["dan@example.com", "dora@example.com"] {
        let sub = cast.sub(email, &[&both]).await;
        assert_eq!(cast.whoami(&both, &sub.org).await.status, 200);
    }
    assert_eq!((cast.whoami(&both, &cast.org).await.status, account(&both).await), (401, json!({})));
    // A key of a code is its owner's from the beginning.
    cast.app.advance(seconds(1));
    let start = cast.start(&ada.org, ADA).await;
    let made = result(&cast.redeem(&ada.org, &start, &Key::new(9)).await, Kind::OtpAuth);
    let sealed = Key::new(9).open(made["credentialBundle"].as_str().unwrap());
    name(&sealed).await;
    assert_eq!(home(&sealed).await, ada.org);
}

/// The attack: two changes at once give one contact to two users, which nobody's code opens any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_users_who_would_have_one_contact_at_once_one_gets_it() {
    let cast = Cast::new().await;
    let owner = Key::new(20);
    let [one, other] = shared(&cast, owner.given(None)).await;
    for n in 0..20 {
        let change = async |sub: &Sub| {
            let parameters = json!({ "userId": sub.user, "userEmail": format!("ada.{n}@example.com") });
            cast.submit(&owner, Kind::UpdateUserEmail, &sub.org, parameters).await.status
        };
        let (one, other) = tokio::join!(change(&one), change(&other));
        assert_eq!(one.min(other), 200);
        assert_eq!(one.max(other), 400, "round {n}");
    }
}
