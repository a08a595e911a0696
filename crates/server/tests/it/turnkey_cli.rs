//! The way in for the first caller, by hand: a key, an organization, a call that `doorcode stamp` signs and `curl` sends.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::fs;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::process::{Home, Ran, ServerProcess};

/// What a signed body is answered.
async fn call(home: &Home, server: &ServerProcess, path: &str, body: &Value) -> (u16, Value) {
    let file = home.beside("call.json");
    fs::write(&file, body.to_string()).unwrap();
    let (key, file) = (home.beside("me.key"), file.to_str().unwrap().to_owned());
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorcode"));
    command.args(["stamp", "--body", &file, "--key", key.to_str().unwrap()]);
    let stamp = Ran::of(command).await.well();
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--write-out", "\n%{http_code}", "--data-binary", &format!("@{file}")]);
    // As clients that name no type at all.
    command.args(["-H", &format!("X-Stamp: {}", stamp.trim()), "-H", "Content-Type:"]);
    command.arg(format!("http://{}{path}", server.address));
    let out = Ran::of(command).await.well();
    let (body, status) = out.rsplit_once('\n').unwrap();
    (status.parse().unwrap(), serde_json::from_str(body).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_caller_gets_in_by_hand() {
    let home = Home::dev("turnkey");
    let key = home.beside("me.key");
    let made = {
        let mut command = Command::new(env!("CARGO_BIN_EXE_doorcode"));
        command.args(["seal", "key", "--json", "--out", key.to_str().unwrap()]);
        serde_json::from_str::<Value>(&Ran::of(command).await.well()).unwrap()
    };
    let public = made["compressed"].as_str().unwrap();
    let create = ["org", "create", "--name", "Acme", "--json", "--stamp-key"];
    let bad = home.run(&[&create[..], &["03zz"]].concat()).await.refused();
    assert!(bad.contains("--stamp-key"), "{bad}");
    let out = home.run(&[&create[..], &[public]].concat()).await.well();
    let org: Value = serde_json::from_str(&out).unwrap();
    let members: Vec<_> = org.as_object().unwrap().keys().cloned().collect();
    assert_eq!(members, ["api_key", "client_id", "client_secret", "org_id", "organization_id", "user_id"]);
    assert_eq!((&org["organization_id"], org["organization_id"].as_str().unwrap().len()), (&org["org_id"], 36));
    let bare: Value =
        serde_json::from_str(&home.run(&["org", "create", "--name", "B", "--json"]).await.well()).unwrap();
    assert_eq!(bare.as_object().unwrap().len(), 4, "without a key nobody signs");

    let server = home.serve().await;
    let ask = json!({ "organizationId": org["organization_id"] });
    let who = call(&home, &server, "/public/v1/query/whoami", &ask).await;
    let expected = json!({ "organizationId": org["organization_id"], "organizationName": "Acme",
        "userId": org["user_id"], "username": "Acme" });
    assert_eq!(who, (200, expected));
    let other = json!({ "organizationId": bare["org_id"] });
    let (status, refused) = call(&home, &server, "/public/v1/query/whoami", &other).await;
    assert_eq!((status, &refused["turnkeyErrorCode"]), (401, &json!("PUBLIC_KEY_NOT_FOUND")));
}
