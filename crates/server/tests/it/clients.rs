//! The clients that people already have, with the host changed and nothing else: `curl`, and a script around
//! `requests` in the form of the door's published pages.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

mod agentotp;

use std::path::Path;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::process::{Home, Ran, ServerProcess, until};
use crate::smtp_server::python;

/// `curl` with these arguments: status and body.
async fn curl(server: &ServerProcess, path: &str, arguments: &[&str]) -> (u16, Value) {
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--write-out", "\n%{http_code}"]).args(arguments);
    command.arg(format!("http://{}{path}", server.address));
    let out = Ran::of(command).await.well();
    let (body, status) = out.rsplit_once('\n').unwrap();
    (status.parse().unwrap(), serde_json::from_str(body).unwrap())
}

/// The code that was mailed to an address, from the inbox of `--dev`.
async fn mailed(server: &ServerProcess, to: &str) -> String {
    let path = format!("/dev/inbox.json?to={}", to.replace('@', "%40"));
    until("a mail", async || {
        let mails = server.caller().get(&path).await.unwrap().json();
        mails[0]["code"].as_str().map(str::to_owned)
    })
    .await
}

const JSON: &str = "Content-Type: application/json";

#[tokio::test(flavor = "multi_thread")]
async fn the_documented_curl_calls_work() {
    let home = Home::dev("curl");
    let server = home.serve().await;
    let ask = r#"{"email": "john@example.com", "full_name": "John Doe"}"#;
    let send = ["-X", "POST", "-H", JSON, "-d", ask];
    let sent = curl(&server, "/linkedin-agent/auth-send-otp", &send).await;
    assert_eq!(sent, (200, json!({ "success": true, "email": "john@example.com" })));

    let code = mailed(&server, "john@example.com").await;
    assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
    let wrong = code.bytes().map(|digit| char::from(b'0' + (digit - b'0' + 1) % 10)).collect::<String>();
    let body = |otp: &str| json!({ "email": "john@example.com", "otp": otp }).to_string();
    let verify = "/linkedin-agent/auth-verify-otp";
    let (status, answer) = curl(&server, verify, &["-X", "POST", "-H", JSON, "-d", &body(&wrong)]).await;
    assert_eq!((status, answer), (401, json!({ "error": "Invalid or expired OTP" })));
    let (status, answer) = curl(&server, verify, &["-X", "POST", "-H", JSON, "-d", &body(&code)]).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["user"]["full_name"], "John Doe");
    assert_eq!(answer["user"]["email"], "john@example.com");
    assert_eq!(answer["team"]["name"], "John Doe's Team");
    let key = answer["team"]["api_key"].as_str().unwrap();
    assert!(key.starts_with("outx_") && key.len() == 29, "the form that is published");
    for id in [&answer["user"]["id"], &answer["team"]["id"]] {
        assert_eq!(id.as_str().unwrap().len(), 36, "a UUID");
    }

    let (status, team) = curl(&server, "/api-team", &["-H", &format!("x-api-key: {key}")]).await;
    assert_eq!((status, &team["id"]), (200, &answer["team"]["id"]));
    for header in ["x-api-key: outx_a1b2c3d4e5f6g7h8i9j0k1l2", "x-api-key;", "Accept: */*"] {
        let refused = curl(&server, "/api-team", &["-H", header]).await;
        assert_eq!(refused, (401, json!({ "error": "Unauthorized" })), "{header}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_script_around_requests_prints_the_key() {
    let home = Home::dev("requests");
    let server = home.serve().await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/clients/outx_snippet.py");
    let mut keys = Vec::new();
    for _ in 0..2 {
        let mut command = Command::new(python());
        command.arg(&script).arg(format!("http://{}", server.address));
        keys.push(Ran::of(command).await.well().trim_end().to_owned());
    }
    assert_eq!(keys[0], keys[1], "the same key at every sign-in");
    let team = server.caller().team(&keys[0]).await.unwrap();
    assert_eq!((team.status, &team.json()["name"]), (200, &json!("John Doe's Team")));
}
