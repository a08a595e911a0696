//! Activities: what their tables take and give, as the clients send it, and what is kept of them.

use doorcode_core::activity::{Kind, MASK, Parameters, Request};
use doorcode_core::stamp::Refusal;
use doorcode_core::{Alphabet, Shape};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::stamp::{P256, P256_WHOLE};
use crate::{shape, vectors};

const ORG: &str = "0f1f2f3f-0000-4000-8000-000000000001";
const OTP: &str = "7b6cfe4c-8a7e-4b8e-9d3b-0d3d3f6f2a11";

fn body(name: &str, parameters: &Value) -> Value {
    json!({ "type": format!("ACTIVITY_TYPE_{name}"), "timestampMs": "1745474677472", "organizationId": ORG,
        "parameters": parameters, "generateAppProofs": null })
}

fn read(path: &str, body: &Value) -> Result<Request, Refusal> {
    Request::read(path, body.to_string().as_bytes())
}

fn judge(path: &str, name: &str, parameters: &Value) -> Result<(), Refusal> {
    read(path, &body(name, parameters))?.parameters().map(drop)
}

fn field_of(refusal: Result<(), Refusal>) -> &'static str {
    match refusal {
        Err(Refusal::Request { field, .. }) => field,
        other => panic!("{other:?}"),
    }
}

fn otp_auth() -> Value {
    json!({ "otpId": OTP, "otpCode": "k7v2m9qxz", "targetPublicKey": P256_WHOLE, "apiKeyName": "Ünïcode ✓",
        "expirationSeconds": "900", "invalidateExisting": true })
}

fn start() -> Value {
    json!({ "otpType": "OTP_TYPE_EMAIL", "contact": "Alice@Example.com", "appName": "Shop" })
}

/// One body of each kind with what it must have, and one with everything that it may.
fn examples() -> Vec<(&'static str, Value)> {
    let mail = json!({ "logoUrl": "https://a.example/l.png", "magicLinkTemplate": "https://a.example/?b=%s", "templateVariables": "{}" });
    let signature =
        json!({ "publicKey": P256, "scheme": "CLIENT_SIGNATURE_SCHEME_API_P256", "message": "{}", "signature": "00" });
    let api_key =
        json!({ "apiKeyName": "k", "publicKey": P256, "curveType": "API_KEY_CURVE_P256", "expirationSeconds": null });
    let users = json!([{ "userName": "Root User", "userEmail": null, "userPhoneNumber": "+491701234567", "apiKeys": [api_key],
        "authenticators": [], "oauthProviders": [] }]);
    let plain = json!({ "otpType": "OTP_TYPE_SMS", "contact": "+491701234567", "smsCustomization": { "template": "{{.OtpCode}}" } });
    let mut named = mail.clone();
    named["appName"] = json!("Shop");
    let full = json!({ "otpType": "OTP_TYPE_EMAIL", "contact": "a@example.com", "appName": "Shop", "otpLength": 6, "alphanumeric": false,
        "expirationSeconds": "600", "emailCustomization": mail, "userIdentifier": "u", "sendFromEmailAddress": "a@example.com",
        "sendFromEmailSenderName": "A", "replyToEmailAddress": "b@example.com" });
    let organisation = json!({ "subOrganizationName": "New", "rootUsers": users, "rootQuorumThreshold": 1, "wallet": null,
        "disableEmailRecovery": null, "disableEmailAuth": false, "verificationToken": "t", "clientSignature": signature });
    vec![
        ("INIT_OTP_AUTH", plain.clone()),
        ("INIT_OTP_AUTH_V2", plain.clone()),
        ("INIT_OTP_AUTH_V3", full.clone()),
        ("OTP_AUTH", otp_auth()),
        ("INIT_OTP", plain),
        ("INIT_OTP_V2", full.clone()),
        ("INIT_OTP_V3", full),
        ("VERIFY_OTP", json!({ "otpId": OTP, "otpCode": "123456", "publicKey": P256 })),
        ("VERIFY_OTP_V2", json!({ "otpId": OTP, "encryptedOtpBundle": "{}", "expirationSeconds": "86400" })),
        ("OTP_LOGIN", json!({ "verificationToken": "t", "publicKey": P256, "clientSignature": null })),
        ("OTP_LOGIN_V2", json!({ "verificationToken": "t", "publicKey": P256, "clientSignature": signature })),
        ("STAMP_LOGIN", json!({ "publicKey": P256, "expirationSeconds": "900", "invalidateExisting": false })),
        ("EMAIL_AUTH", json!({ "email": "a@example.com", "targetPublicKey": P256, "emailCustomization": named })),
        ("EMAIL_AUTH_V2", json!({ "email": "a@example.com", "targetPublicKey": P256 })),
        ("EMAIL_AUTH_V3", json!({ "email": "a@example.com", "targetPublicKey": P256, "emailCustomization": named })),
        ("CREATE_SUB_ORGANIZATION_V7", organisation.clone()),
        ("CREATE_SUB_ORGANIZATION_V8", organisation),
        ("CREATE_API_KEYS_V2", json!({ "userId": OTP, "apiKeys": [api_key] })),
        ("DELETE_API_KEYS", json!({ "userId": OTP, "apiKeyIds": [OTP, ORG] })),
        ("UPDATE_USER_EMAIL", json!({ "userId": OTP, "userEmail": "a@example.com" })),
        ("UPDATE_USER_PHONE_NUMBER", json!({ "userId": OTP, "userPhoneNumber": "+491701234567" })),
        ("CREATE_READ_WRITE_SESSION_V2", json!({ "targetPublicKey": P256 })),
        ("SET_ORGANIZATION_FEATURE", json!({ "name": "FEATURE_NAME_SMS_AUTH", "value": "" })),
        ("REMOVE_ORGANIZATION_FEATURE", json!({ "name": "FEATURE_NAME_EMAIL_AUTH" })),
    ]
}

#[test]
fn every_kind_takes_what_it_is_sent_and_misses_what_it_must_have() {
    let examples = examples();
    assert_eq!(examples.len(), Kind::all().count());
    for (kind, (name, parameters)) in Kind::all().zip(examples) {
        assert_eq!(kind.name(), format!("ACTIVITY_TYPE_{name}"));
        assert_eq!(judge(kind.path(), name, &parameters), Ok(()), "{name}");
        // Null is absent, for all that there is: some clients name everything.
        for field in kind.parameters() {
            let mut other = parameters.clone();
            other[field.name] = Value::Null;
            let judged = judge(kind.path(), name, &other);
            if field.required {
                assert_eq!(judged, Err(Refusal::Request { field: field.name, why: "is required" }), "{name}");
            } else {
                assert_eq!(judged, Ok(()), "{name} {}", field.name);
            }
            // No form takes all of these.
            let judged = [json!(["\u{0}"]), json!("\u{0}"), json!(-1), json!({ "a": 1 })].map(|value| {
                other[field.name] = value;
                judge(kind.path(), name, &other)
            });
            assert!(judged.iter().filter(|judged| judged.is_err()).count() >= 3, "{name} {}: {judged:?}", field.name);
        }
    }
}

/// As the tables of the specification have them.
#[test]
fn intents_and_results_have_their_names() {
    let of = |name: &str| Kind::of_name(&format!("ACTIVITY_TYPE_{name}")).unwrap();
    for (name, path, intent, result, answers) in [
        ("INIT_OTP_AUTH_V3", "init_otp_auth", "initOtpAuthIntentV3", "initOtpAuthResultV2", vec!["otpId"]),
        ("OTP_AUTH", "otp_auth", "otpAuthIntent", "otpAuthResult", vec!["userId", "apiKeyId", "credentialBundle"]),
        ("INIT_OTP_V2", "init_otp", "initOtpIntentV2", "initOtpResult", vec!["otpId"]),
        ("INIT_OTP_V3", "init_otp", "initOtpIntentV3", "initOtpResultV2", vec!["otpId", "otpEncryptionTargetBundle"]),
        ("VERIFY_OTP_V2", "verify_otp", "verifyOtpIntentV2", "verifyOtpResult", vec!["verificationToken"]),
        ("OTP_LOGIN_V2", "otp_login", "otpLoginIntentV2", "otpLoginResult", vec!["session"]),
        ("STAMP_LOGIN", "stamp_login", "stampLoginIntent", "stampLoginResult", vec!["session"]),
        ("EMAIL_AUTH_V3", "email_auth", "emailAuthIntentV3", "emailAuthResult", vec!["userId", "apiKeyId"]),
        ("CREATE_API_KEYS_V2", "create_api_keys", "createApiKeysIntentV2", "createApiKeysResult", vec!["apiKeyIds"]),
    ] {
        let kind = of(name);
        assert_eq!((kind.path(), kind.intent(), kind.result()), (path, intent, result));
        assert_eq!(kind.answers().iter().map(|answer| answer.name).collect::<Vec<_>>(), answers);
    }
    let bearers: Vec<_> =
        Kind::all().flat_map(Kind::answers).filter(|answer| answer.bearer).map(|it| it.name).collect();
    assert!(bearers.iter().all(|name| ["credentialBundle", "verificationToken", "session"].contains(name)));
    assert_eq!(bearers.len(), 7);
}

#[test]
fn what_is_not_supported_is_refused_and_not_ignored() {
    let organisation = examples().into_iter().find(|(name, _)| *name == "CREATE_SUB_ORGANIZATION_V8").unwrap().1;
    let refused = |change: fn(&mut Value)| {
        let mut other = organisation.clone();
        change(&mut other);
        field_of(judge("create_sub_organization", "CREATE_SUB_ORGANIZATION_V8", &other))
    };
    assert_eq!(refused(|it| it["wallet"] = json!({ "walletName": "w", "accounts": [] })), "wallet");
    assert_eq!(refused(|it| it["rootQuorumThreshold"] = json!(2)), "rootQuorumThreshold");
    assert_eq!(refused(|it| it["rootQuorumThreshold"] = json!(0)), "rootQuorumThreshold");
    assert_eq!(refused(|it| it["rootUsers"] = json!([])), "rootUsers");
    assert_eq!(refused(|it| it["rootUsers"][0]["authenticators"] = json!([{}])), "authenticators");
    assert_eq!(refused(|it| it["rootUsers"][0]["oauthProviders"] = json!([{}])), "oauthProviders");
    assert_eq!(refused(|it| it["rootUsers"][0]["apiKeys"][0]["curveType"] = json!("API_KEY_CURVE_P384")), "curveType");
    let login = json!({ "publicKey": P256, "sessionProfileId": OTP });
    assert_eq!(field_of(judge("stamp_login", "STAMP_LOGIN", &login)), "sessionProfileId");
    assert_eq!(
        field_of(judge(
            "set_organization_feature",
            "SET_ORGANIZATION_FEATURE",
            &json!({ "name": "FEATURE_NAME_WEBHOOK" })
        )),
        "name"
    );
}

#[test]
fn lives_have_limits_and_usual_values() {
    let life = |path: &str, name: &str, mut parameters: Value, seconds: Value| {
        parameters["expirationSeconds"] = seconds;
        let request = read(path, &body(name, &parameters)).unwrap();
        request.parameters().map(|parameters| parameters.expiration())
    };
    let auth = |seconds| life("otp_auth", "OTP_AUTH", otp_auth(), seconds);
    assert_eq!(auth(Value::Null), Ok(Some(900)));
    assert_eq!(
        (auth(json!("60")), auth(json!(60)), auth(json!("2592000"))),
        (Ok(Some(60)), Ok(Some(60)), Ok(Some(2_592_000)))
    );
    for bad in [
        json!("0"),
        json!("-1"),
        json!("2592001"),
        json!("1.5"),
        json!(1.5),
        json!(""),
        json!("99999999999999999999"),
        json!(true),
    ] {
        assert_eq!(auth(bad.clone()), Err(Refusal::Expiration), "{bad}");
    }
    let code = |seconds| life("init_otp", "INIT_OTP_V3", start(), seconds);
    assert_eq!((code(Value::Null), code(json!("600"))), (Ok(Some(300)), Ok(Some(600))));
    assert!(matches!(code(json!("601")), Err(Refusal::Request { field: "expirationSeconds", .. })));
    let token = json!({ "otpId": OTP, "encryptedOtpBundle": "{}" });
    let token = |seconds| life("verify_otp", "VERIFY_OTP_V2", token.clone(), seconds);
    assert_eq!((token(Value::Null), token(json!("86400"))), (Ok(Some(3600)), Ok(Some(86_400))));
    assert!(token(json!("86401")).is_err());
    // A kind that names none has none.
    let deleted =
        read("delete_api_keys", &body("DELETE_API_KEYS", &json!({ "userId": OTP, "apiKeyIds": [OTP] }))).unwrap();
    assert_eq!(deleted.parameters().unwrap().expiration(), None);
}

#[test]
fn a_start_says_where_and_what_like() {
    let of = |name: &str, parameters: &Value| {
        let request =
            read(Kind::of_name(&format!("ACTIVITY_TYPE_{name}")).unwrap().path(), &body(name, parameters)).unwrap();
        let parameters = request.parameters().unwrap();
        (parameters.contact().map(|contact| contact.as_str().to_owned()), parameters.shape().unwrap())
    };
    let usual: Shape = shape(Alphabet::Crockford, 9);
    assert_eq!(of("INIT_OTP_V3", &start()), (Ok("alice@example.com".to_owned()), usual));
    let mut six = start();
    (six["otpLength"], six["alphanumeric"]) = (json!(6), json!(false));
    assert_eq!(of("INIT_OTP_V3", &six).1, shape(Alphabet::Digits, 6));
    let mut called = start();
    (called["otpType"], called["contact"]) = (json!("OTP_TYPE_SMS"), json!("+49 170 1234567"));
    assert_eq!(of("INIT_OTP_V3", &called).0, Ok("+491701234567".to_owned()));
    called["contact"] = json!("alice@example.com");
    assert!(matches!(of("INIT_OTP_V3", &called).0, Err(Refusal::Request { field: "contact", .. })));
    let mut mailed = start();
    mailed["contact"] = json!("+491701234567");
    assert_eq!(of("INIT_OTP_V3", &mailed).0, Err(Refusal::Email));
    // The oldest version has no shape of its own: what it is sent as one is not read.
    six.as_object_mut().unwrap().remove("appName");
    assert_eq!(of("INIT_OTP_AUTH", &six).1, usual);
}

#[test]
fn templates_hold_what_is_filled_in_once() {
    let with = |name: &str, value: Value| {
        let mut parameters = start();
        parameters[name] = value;
        judge("init_otp", "INIT_OTP_V3", &parameters)
    };
    assert_eq!(
        with("emailCustomization", json!({ "magicLinkTemplate": "https://a.example/" })),
        Err(Refusal::MagicLinkTemplate)
    );
    assert_eq!(with("emailCustomization", json!({ "magicLinkTemplate": "%s%s" })), Err(Refusal::MagicLinkTemplate));
    assert_eq!(field_of(with("smsCustomization", json!({ "template": "hello" }))), "template");
    assert_eq!(with("smsCustomization", json!({ "template": "Code: {{ .OtpCode }}" })), Ok(()));
    assert_eq!(field_of(with("emailCustomization", json!("x"))), "emailCustomization");
    assert_eq!(with("replyToEmailAddress", json!("nobody")), Err(Refusal::Email));
}

/// Nothing that is kept or shown of an activity holds its code or its token, in whatever member it came.
#[test]
fn codes_and_tokens_are_masked_and_their_members_stay() {
    let request = read("otp_auth", &body("OTP_AUTH", &otp_auth())).unwrap();
    let kept = request.parameters().unwrap().masked();
    let mut expected = otp_auth();
    expected["otpCode"] = json!(MASK);
    assert_eq!(Value::Object(kept), expected);
    let vote: Value = serde_json::from_str(&request.masked().unwrap()).unwrap();
    assert_eq!(
        (&vote["parameters"], &vote["organizationId"], &vote["timestampMs"]),
        (&expected, &json!(ORG), &json!("1745474677472"))
    );
    let secrets = ["otpCode", "encryptedOtpBundle", "verificationToken"];
    for (kind, (name, mut parameters)) in Kind::all().zip(examples()) {
        let given = secrets.into_iter().filter(|secret| parameters.get(secret).is_some()).count();
        assert_eq!(
            given > 0,
            kind.carries_secret() && kind != Kind::UpdateUserEmail && kind != Kind::UpdateUserPhoneNumber,
            "{name}"
        );
        for secret in secrets {
            if kind.parameters().iter().any(|field| field.name == secret) {
                parameters[secret] = json!("ABCDEFGHJK");
            }
        }
        // What no table names might be a code: it is not kept.
        parameters["otpCodeToo"] = json!("ABCDEFGHJK");
        let kept = read(kind.path(), &body(name, &parameters)).unwrap().masked().unwrap();
        assert!(!kept.contains("ABCDEFGHJK"), "{kept}");
        assert_eq!(kept.contains(MASK), kind.carries_secret(), "{kept}");
    }
}

#[test]
fn an_envelope_is_whole_or_refused() {
    let good = body("OTP_AUTH", &otp_auth());
    let request = read("otp_auth", &good).unwrap();
    assert_eq!(
        (request.kind, request.at.millis(), request.org.to_string()),
        (Kind::OtpAuth, 1_745_474_677_472, ORG.to_owned())
    );
    let with = |name: &str, value: Value| {
        let mut other = good.clone();
        other[name] = value;
        read("otp_auth", &other).and_then(|request| request.parameters().map(drop))
    };
    for org in [json!(null), json!(1), json!(""), json!("org"), json!(format!("{ORG} ")), json!(ORG.replace('-', ""))] {
        assert_eq!(with("organizationId", org), Err(Refusal::MalformedOrganization));
    }
    assert_eq!(field_of(with("type", json!("ACTIVITY_TYPE_INIT_OTP"))), "type");
    assert_eq!(field_of(with("type", json!(null))), "type");
    assert_eq!(field_of(with("timestampMs", json!(1_745_474_677_472_i64))), "timestampMs");
    assert_eq!(field_of(with("timestampMs", json!(null))), "timestampMs");
    assert_eq!(field_of(with("parameters", json!(null))), "parameters");
    assert_eq!(field_of(with("parameters", json!([]))), "parameters");
    let text = good.to_string();
    let twice = text.replacen("\"otpCode\"", "\"otpCode\":\"000000\",\"otpCode\"", 1);
    let deep = text.replacen('{', &format!("{{\"x\":{}{},", "[".repeat(50), "]".repeat(50)), 1);
    for bad in [
        "",
        "null",
        "[]",
        &text[1..],
        &format!("{text}{text}"),
        &twice,
        &deep,
        &" ".repeat(70_000),
        &format!("\u{feff}{text}"),
    ] {
        let read = Request::read("otp_auth", bad.as_bytes());
        assert!(matches!(read, Err(Refusal::Request { field: "body", .. })), "{}", &bad[..bad.len().min(60)]);
    }
}

#[test]
fn a_real_body_is_read() {
    let Some(vectors) = vectors("turnkey-stamps.json") else { return };
    let sample = vectors["production_sample"]["body"].as_str().unwrap();
    let request = Request::read("create_sub_organization", sample.as_bytes()).unwrap();
    assert_eq!(request.kind, Kind::CreateSubOrganizationV7);
    assert_eq!(field_of(request.parameters().map(drop)), "wallet", "it asks for one");
    let without: Value = serde_json::from_str(sample).unwrap();
    let mut without = without;
    without["parameters"]["wallet"] = Value::Null;
    assert!(read("create_sub_organization", &without).unwrap().parameters().is_ok());
}

proptest! {
    #[test]
    fn no_body_makes_it_panic(text in "\\PC{0,80}", at in 0_usize..24, value in "\\PC{0,20}") {
        let _ = Request::read("otp_auth", text.as_bytes());
        let kind = Kind::all().nth(at).unwrap();
        let (name, parameters) = examples().swap_remove(at);
        for field in kind.parameters() {
            for value in [json!(value), json!([value]), json!({ "apiKeys": value }), json!(value.len())] {
                let mut other = parameters.clone();
                other[field.name] = value;
                if let Ok(request) = read(kind.path(), &body(name, &other)) && let Ok(parameters) = request.parameters() {
                    let _ = (parameters.expiration(), parameters.masked());
                    let again = Value::Object(parameters.masked());
                    prop_assert!(Parameters::check(kind, again.as_object().unwrap()).is_ok());
                }
            }
        }
    }
}
