//! Whatever comes in, the answer is one of the door's own: never a 5xx, never a page of the framework, never a word of
//! what was sent. By hand for what attackers and broken clients are known to send, and by random bytes.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use axum::http::Method;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::app::{Answer, HERE, SEND, TestApp, VERIFY, error, not, stand_ins, wrong};

const ADA: &str = "ada@example.com";
const BAD_EMAIL: &str = "Missing or invalid 'email'";
const BAD_OTP: &str = "Missing or invalid 'otp'";

/// The door's own form: a success with its members, or one `error`.
fn in_form(answer: &Answer) {
    assert!(answer.status < 500, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let body = answer.json();
    let members: Vec<&String> = body.as_object().unwrap().keys().collect();
    match answer.status {
        200 => assert!(body["success"] == json!(true) || body["team"]["api_key"].is_string()),
        400 | 401 | 404 | 405 | 413 | 429 => assert!(members == ["error"] && body["error"].is_string(), "{body}"),
        other => panic!("{other} is no status of this door"),
    }
}

async fn raw(app: &TestApp, path: &str, body: impl Into<Vec<u8>>) -> Answer {
    let answer = app.from(HERE).send(Method::POST, path, body.into()).await;
    in_form(&answer);
    answer
}

#[tokio::test]
async fn bodies_that_are_no_such_json() {
    let app = TestApp::new().await;
    let deep = |open: &str, close: &str| format!("{{\"email\":{}1{}}}", open.repeat(10_000), close.repeat(10_000));
    for body in [
        "".to_owned(),
        "\0".to_owned(),
        "\u{feff}{\"email\":\"ada@example.com\"}".to_owned(),
        "{\"email\":\"ada@example.com\"".to_owned(),
        "{\"email\":\"ada@example.com\"}{}".to_owned(),
        "{'email':'ada@example.com'}".to_owned(),
        "{\"email\":\"ada@example.com\",}".to_owned(),
        "{\"email\":\"\\ud800@example.com\"}".to_owned(),
        "{\"email\":NaN}".to_owned(),
        "{\"email\":1e999}".to_owned(),
        "{\"email\":-0.0}".to_owned(),
        "{\"email\":340282366920938463463374607431768211456}".to_owned(),
        "[[\"email\",\"ada@example.com\"]]".to_owned(),
        deep("[", "]"),
        deep("{\"a\":", "}"),
        "[".repeat(60_000),
    ] {
        for path in [SEND, VERIFY] {
            assert_eq!(raw(&app, path, body.clone()).await.both(), (400, error(BAD_EMAIL)), "{path} {body:.60}");
        }
    }
    assert_eq!(app.number("SELECT count(*) FROM targets"), stand_ins());
}

#[tokio::test]
async fn a_list_in_the_place_of_an_object_is_not_taken_apart() {
    let app = TestApp::new().await;
    for body in [r#"["ada@example.com"]"#, r#"["ada@example.com","Ada"]"#, r#"["ada@example.com","123456"]"#] {
        for path in [SEND, VERIFY] {
            assert_eq!(raw(&app, path, body).await.both(), (400, error(BAD_EMAIL)), "{path} {body}");
        }
    }
}

#[tokio::test]
async fn invalid_utf8_and_nul() {
    let app = TestApp::new().await;
    for middle in [&b"\xff"[..], b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\0", b"\x1f"] {
        let body = [b"{\"email\":\"a", middle, b"@example.com\"}"].concat();
        assert_eq!(raw(&app, SEND, body).await.both(), (400, error(BAD_EMAIL)), "{middle:?}");
        let body = [b"{\"email\":\"ada@example.com\",\"otp\":\"1", middle, b"\"}"].concat();
        assert_eq!(raw(&app, VERIFY, body).await.status, 400, "{middle:?}");
    }
    // Escaped, they are legal JSON and still no address.
    for escaped in ["\\u0000", "\\u001f", "\\u007f", "\\ud83d\\ude00\\u0000", "\\r\\nBcc: eve@example.com\\r\\n"] {
        let body = format!("{{\"email\":\"a{escaped}@example.com\"}}");
        assert_eq!(raw(&app, SEND, body).await.both(), (400, error(BAD_EMAIL)), "{escaped}");
    }
    for otp in ["\\u0000", "12345\\u0000", "\\u0000123456", "\\ud83d\\ude00"] {
        let body = format!("{{\"email\":\"{ADA}\",\"otp\":\"{otp}\"}}");
        assert_eq!(raw(&app, VERIFY, body).await.both(), wrong(), "{otp}");
    }
}

#[tokio::test]
async fn a_member_twice_is_refused() {
    let app = TestApp::new().await;
    let twice = [
        r#"{"email":"ada@example.com","email":"eve@example.com"}"#,
        r#"{"email":"ada@example.com","\u0065mail":"eve@example.com"}"#,
        r#"{"email":7,"email":"ada@example.com"}"#,
    ];
    for body in twice {
        assert_eq!(raw(&app, SEND, body).await.both(), (400, error(BAD_EMAIL)), "{body}");
    }
    assert_eq!(app.deliver_due().await, 0);
}

#[tokio::test]
async fn members_that_nobody_knows_are_ignored() {
    let app = TestApp::new().await;
    let many: serde_json::Map<String, Value> = (0..1000).map(|n| (format!("m{n}"), json!([n, {"x": null}]))).collect();
    let mut body = Value::Object(many);
    body["email"] = json!(ADA);
    body["Email"] = json!("eve@example.com");
    body["realm_id"] = json!("0000");
    body["full_name\u{0}"] = json!("Eve");
    assert_eq!(app.post(SEND, body).await.both(), (200, r#"{"success":true,"email":"ada@example.com"}"#.to_owned()));
    app.deliver_due().await;
    assert_eq!((app.messages(ADA), app.messages("eve@example.com")), (1, 0));
}

#[tokio::test]
async fn addresses_that_are_none() {
    let app = TestApp::new().await;
    let long = format!("{}@example.com", "a".repeat(10_000));
    let labels = format!("ada@{}com", "a.".repeat(5_000));
    for email in [
        &long,
        &labels,
        "@",
        "@example.com",
        "ada@",
        "ada@.com",
        "ada@example..com",
        "ada@exam ple.com",
        "a da@example.com",
        "ada@example.com, eve@example.com",
        "ada@example.com\neve@example.com",
        "Ada <ada@example.com>",
        "\"ada\"@example.com",
        "ada@[127.0.0.1]",
        "ada@127.0.0.1",
        "ad\u{202e}a@example.com",
        "ada@xn--\u{0}.com",
        "ada@xn--zzzzzzzzz999999.com",
        "..@example.com",
        "mailto:ada@example.com?cc=eve@example.com",
    ] {
        for body in [json!({"email": email}), json!({"email": email, "otp": "123456"})] {
            for path in [SEND, VERIFY] {
                assert_eq!(app.post(path, body.clone()).await.both(), (400, error(BAD_EMAIL)), "{path} {email:.60}");
            }
        }
    }
    assert_eq!(app.number("SELECT count(*) FROM deliveries"), 0);
}

/// The dotless i is not an i: an address that only looks alike is another one, or none.
#[tokio::test]
async fn lookalikes_do_not_become_somebody_else() {
    let app = TestApp::new().await;
    app.from(HERE).sign_in("mike@github.example").await;
    let lookalikes = [
        "m\u{131}ke@github.example",
        "mi\u{212a}e@github.example",
        "\u{ff4d}ike@github.example",
        "mike@g\u{131}thub.example",
    ];
    for email in lookalikes {
        let answer = app.start(email).await;
        in_form(&answer);
        assert_ne!(answer.json()["email"], "mike@github.example", "{email}");
    }
    app.deliver_due().await;
    assert_eq!(app.messages("mike@github.example"), 1);
}

#[tokio::test]
async fn codes_that_are_none() {
    let app = TestApp::new().await;
    let code = app.code(ADA).await;
    for otp in
        [json!(123_456), json!(123_456.0), json!(""), json!("\t\n"), json!(null), json!([code]), json!({"otp": code})]
    {
        let answer = app.post(VERIFY, json!({"email": ADA, "otp": otp})).await;
        assert_eq!(answer.both(), (400, error(BAD_OTP)), "{otp}");
    }
    let (long, spaced) = ("9".repeat(10_000), " ".repeat(10_000) + &code);
    for otp in [&long, &spaced, "🔑🔑🔑", "١٢٣", "-", "' OR 1=1 --", "%00", "\u{0}", "..\\..\\", &"1-".repeat(40)]
    {
        assert_eq!(app.verify(ADA, otp).await.both(), wrong(), "{otp:.20}");
        // Each is one guess or none: the pools are the same as after a plain wrong code.
        app.from("203.0.113.8").verify("nobody@example.com", otp).await;
    }
    assert!(app.number("SELECT max(streak) FROM targets") <= 5);
}

/// What people's keyboards, phones and mail programs make of a code.
#[tokio::test]
async fn codes_as_people_send_them() {
    let app = TestApp::new().await;
    for (n, dress) in [
        (|code: &str| format!(" {} {}\n", &code[..3], &code[3..])) as fn(&str) -> String,
        |code| format!("{}-{}", &code[..3], &code[3..]),
        |code| format!("\u{202a}{code}\u{202c}"),
        |code| code.chars().map(|c| char::from_u32(c as u32 - '0' as u32 + 0x660).unwrap()).collect(),
        |code| code.chars().map(|c| char::from_u32(c as u32 - '0' as u32 + 0xff10).unwrap()).collect(),
    ]
    .into_iter()
    .enumerate()
    {
        let email = format!("a{n}@example.com");
        let code = app.code(&email).await;
        assert_eq!(app.verify(&email, &dress(&not(&code))).await.both(), wrong());
        assert_eq!(app.verify(&email, &dress(&code)).await.status, 200, "{}", dress(&code));
    }
}

#[tokio::test]
async fn names_can_not_change_how_a_page_reads() {
    let app = TestApp::new().await;
    let bidi = "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}";
    let hidden =
        "\u{0}\u{7}\u{1b}\u{7f}\u{85}\u{ad}\u{180e}\u{200b}\u{200d}\u{2028}\u{2060}\u{feff}\u{fff9}\u{e0041}\u{e007f}";
    for (n, (given, kept)) in [
        (format!("A{bidi}da"), "Ada".to_owned()),
        (format!("A{hidden}da"), "A da".to_owned()),
        ("Ada\tKing\r\nLovelace\u{85}\u{2028}III".to_owned(), "Ada King Lovelace III".to_owned()),
        (format!("{bidi}{hidden}"), "a3".to_owned()),
        ("\r\nBcc: eve@example.com".to_owned(), "Bcc: eve@example.com".to_owned()),
        ("<script>alert(1)</script>".to_owned(), "<script>alert(1)</script>".to_owned()),
        ("x".repeat(10_000), "x".repeat(100)),
        ("😀".repeat(3_000), "😀".repeat(100)),
        (format!("{}Ada", " ".repeat(5_000)), "Ada".to_owned()),
    ]
    .into_iter()
    .enumerate()
    {
        let email = format!("a{n}@example.com");
        let answer = app.post(SEND, json!({"email": email, "full_name": given})).await;
        assert_eq!(answer.status, 200);
        app.deliver_due().await;
        let body = app.verify(&email, &app.last_code(&email)).await.json();
        assert_eq!(body["user"]["full_name"], kept, "{given:?}");
    }
    // And none of it is in a mail.
    for entry in app.app.inbox.as_ref().unwrap().list(None) {
        let mail = serde_json::to_string(&entry).unwrap();
        assert!(!mail.contains("script") && !mail.contains("Bcc") && !mail.contains("xxxx"));
    }
}

#[tokio::test]
async fn content_types_do_not_matter_and_do_no_harm() {
    let app = TestApp::new().await;
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/json; charset=utf-16",
        "x",
        "",
    ] {
        let answer = app.from(HERE).saying("content-type", kind).post(SEND, json!({"email": ADA})).await;
        in_form(&answer);
    }
}

#[tokio::test]
async fn other_methods_have_the_doors_form_too() {
    let app = TestApp::new().await;
    for path in [SEND, VERIFY, "/api-team", "/nowhere", "/healthz"] {
        for method in ["HEAD", "OPTIONS", "TRACE", "CONNECT", "PURGE", "M-SEARCH"] {
            let method: Method = method.parse().unwrap();
            let answer = app.from(HERE).send(method.clone(), path, "").await;
            assert!(answer.status < 500, "{method} {path}");
            // A HEAD has no body, and the landing pages answer it.
            if method != Method::HEAD {
                in_form(&answer);
            }
        }
    }
}

#[tokio::test]
async fn a_request_has_one_size_at_the_most() {
    let app = TestApp::new().await;
    for path in [SEND, VERIFY] {
        let answer = raw(&app, path, vec![b' '; 65_537]).await;
        assert_eq!(answer.both(), (413, error("Request body too large")));
        assert_eq!(raw(&app, path, vec![b' '; 65_536]).await.both(), (400, error(BAD_EMAIL)));
    }
}

/// JSON of any shape, with the names that we know strewn in.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just(ADA.to_owned()),
        Just("123456".to_owned()),
        ".{0,40}",
        "[a-z.+-]{1,10}@[a-z0-9.-]{1,20}",
        "[0-9]{1,14}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.prop_map(Value::from),
    ];
    let name = prop_oneof![
        3 => Just("email".to_owned()), 3 => Just("otp".to_owned()), 2 => Just("full_name".to_owned()), 1 => ".{0,10}"
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            4 => prop::collection::btree_map(name.clone(), inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// One house for all cases of a test: what one case leaves behind is one more thing that the next has to stand.
fn throw(bodies: impl Strategy<Value = Vec<u8>>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let app = runtime.block_on(TestApp::new());
    let config = ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    runner
        .run(&bodies, |body| {
            runtime.block_on(async {
                for path in [SEND, VERIFY] {
                    raw(&app, path, body.clone()).await;
                }
            });
            Ok(())
        })
        .unwrap();
    runtime.block_on(app.deliver_due());
}

#[test]
fn any_bytes_at_all() {
    throw(prop::collection::vec(any::<u8>(), 0..300));
}

#[test]
fn any_json_at_all() {
    throw(any_json().prop_map(|json| json.to_string().into_bytes()));
}

#[test]
fn json_with_a_few_bytes_changed() {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    let whole = json!({"email": ADA, "otp": "123456", "full_name": "Ada"}).to_string().into_bytes();
    throw(changes.prop_map(move |changes| {
        let mut bytes = whole.clone();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes
    }));
}
