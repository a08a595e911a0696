//! Nothing secret stays behind: after a day's work no code, API key, client secret or master key is in the database,
//! its log, a backup, the server's log or `/metrics`, in no spelling; and no address is in the log.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::fs;

use serde_json::Value;

use crate::needles::Needles;
use crate::process::{Home, ServerProcess};
use crate::sink::Sink;
use crate::talk::Account;

/// What must be nowhere, and who must not be in the log.
#[derive(Default)]
struct Day {
    secrets: Vec<String>,
    people: Vec<String>,
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_secret_is_kept_or_logged() {
    nothing_secret_stays("text", "info").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_secret_is_kept_or_logged_in_full_detail() {
    nothing_secret_stays("json", "debug").await;
}

async fn nothing_secret_stays(format: &str, level: &str) {
    let sink = Sink::open();
    let mut home = Home::earnest("secrets", sink.port).await;
    home.set("door.outx.code_alphabet", "letters");
    home.set("door.outx.code_length", 10);
    home.set("log.format", format);
    home.set("log.level", level);
    let server = home.serve().await;
    let mut day = Day::default();
    sign_ins(&server, &sink, &mut day).await;
    guesses_until_the_code_is_long(&server, &sink, &mut day).await;
    mistakes(&server, &sink, &mut day).await;
    orgs_and_keys(&home, &server, &sink, &mut day).await;

    let metrics = server.caller().get("/metrics").await.unwrap();
    assert!(metrics.text().contains("doorcode_checks_total"));
    let mut needles = Needles::of(&day.secrets);
    // Everything that was mailed is known to the day, so that nothing is looked for in vain.
    assert!(sink.all_codes().iter().all(|code| day.secrets.contains(code)));
    assert!(home.data.join("doorcode.db-wal").exists(), "the log of the database is looked at too");
    let backup = home.beside("backup.db");
    home.run(&["backup", backup.to_str().unwrap()]).await.well();
    assert_eq!(needles.in_folder(&home.data), [""; 0], "while it runs");
    assert_eq!(needles.in_bytes(&fs::read(&backup).unwrap()), [""; 0], "in a backup");
    assert_eq!(needles.in_bytes(&metrics.body), [""; 0], "in the metrics");
    let stopped = server.stop().await;
    let log = stopped.log + &stopped.out;
    assert!(log.contains("auth-verify-otp") && log.contains("delivery"), "there is a log: {log}");
    assert_eq!(needles.in_folder(&home.data), [""; 0], "after the end");
    assert_eq!(needles.in_bytes(log.as_bytes()), [""; 0], "in the log");
    let people = Needles::of(&day.people);
    assert_eq!(people.in_bytes(log.as_bytes()), [""; 0], "people in the log");
    assert_eq!(people.in_bytes(&metrics.body), [""; 0], "people in the metrics");
    assert!(!people.in_folder(&home.data).is_empty(), "addresses are in the database, so the look would find them");

    // The master key is in its file and nowhere else.
    let key = fs::read_dir(home.data.join("keys")).unwrap().map(|entry| entry.unwrap().path());
    let key = key.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "key")).unwrap();
    let text = fs::read_to_string(key).unwrap();
    let parts: Vec<_> = text.split_ascii_whitespace().filter(|part| part.len() > 20).map(str::to_owned).collect();
    let key = Needles::of(&parts);
    assert!(!key.in_folder(&home.data.join("keys")).is_empty());
    assert_eq!(key.in_bytes(log.as_bytes()), [""; 0]);
    assert_eq!(key.in_bytes(&fs::read(home.data.join("doorcode.db")).unwrap()), [""; 0]);

    // One code left behind, as somebody's debug print would, is found by the same look.
    let code = day.secrets.pop().unwrap();
    fs::write(home.data.join("doorcode.db-journal"), format!("…the code is {}…", code.to_lowercase())).unwrap();
    assert_eq!(needles.in_folder(&home.data).len(), 1);
    needles = Needles::of(&day.secrets);
    assert_eq!(needles.in_folder(&home.data), [""; 0]);
}

/// Sign-ins with wrong entries, resends, repeats, and one that is never finished.
async fn sign_ins(server: &ServerProcess, sink: &Sink, day: &mut Day) {
    let caller = server.caller();
    for n in 0..8 {
        let email = format!("somebody.{n}@people-of-today.example");
        assert_eq!(caller.start(&email).await.unwrap().status, 200);
        let code = sink.code(&email, &[]).await;
        day.people.push(format!("somebody.{n}"));
        day.secrets.push(code.clone());
        if n == 0 {
            continue;
        }
        let wrong: String = code.chars().rev().collect();
        assert_eq!(caller.check(&email, &wrong).await.unwrap().status, 401);
        day.secrets.push(wrong);
        assert_eq!(caller.start(&email).await.unwrap().status, 200);
        let account = Account::of(&caller.check(&email, &code).await.unwrap());
        assert_eq!(account, Account::of(&caller.check(&email, &code).await.unwrap()));
        assert_eq!(caller.team(&account.api_key).await.unwrap().status, 200);
        let bad = account.api_key.replace("outx_", "outx_x");
        assert_eq!(caller.team(&bad).await.unwrap().status, 401);
        day.secrets.extend([account.api_key, bad]);
        if n % 3 == 0 {
            caller.start(&email).await.unwrap();
            let next = sink.code(&email, &[code]).await;
            Account::of(&caller.check(&email, &next).await.unwrap());
            day.secrets.push(next);
        }
    }
    day.people.push("people-of-today".to_owned());
}

/// Strangers use their guesses up, and the next mail carries a long code.
async fn guesses_until_the_code_is_long(server: &ServerProcess, sink: &Sink, day: &mut Day) {
    let email = "beleaguered@people-of-today.example";
    server.caller().start(email).await.unwrap();
    let short = sink.code(email, &[]).await;
    for n in 0..12 {
        let wrong = format!("WRONGGUES{}", char::from(b'A' + n));
        server.caller_at([127, 0, 3, n]).check(email, &wrong).await.unwrap();
        day.secrets.push(wrong);
    }
    server.caller().start(email).await.unwrap();
    let long = sink.code(email, std::slice::from_ref(&short)).await;
    assert_eq!(long.len(), 15, "13 characters in three groups");
    let account = Account::of(&server.caller().check(email, &long).await.unwrap());
    day.secrets.extend([short, long.replace('-', ""), long, account.api_key]);
    day.people.push("beleaguered".to_owned());
}

/// What people and mail servers do wrong, with secrets where none belong.
async fn mistakes(server: &ServerProcess, sink: &Sink, day: &mut Day) {
    let caller = server.caller();
    let (lost, typed) = ("refused.person", "QZJVKXWPHT");
    caller.start(&format!("{lost}@people-of-today.example")).await.unwrap();
    crate::process::until("the refusal's line", async || server.log().contains("gave_up").then_some(())).await;
    for path in [
        format!("/linkedin-agent/auth-verify-otp?email={lost}@x.example&otp={typed}"),
        format!("/{typed}/{lost}"),
        format!("/dev/inbox.json?to={lost}"),
    ] {
        assert!(caller.get(&path).await.unwrap().status >= 400);
    }
    let body = serde_json::json!([lost, typed]);
    assert_eq!(caller.post("/linkedin-agent/auth-verify-otp", &body).await.unwrap().status, 400);
    assert!(sink.codes(&format!("{lost}@people-of-today.example")).is_empty());
    day.secrets.push(typed.to_owned());
    day.people.push(lost.to_owned());
}

/// The command line beside the server: an org, its keys, a revoked one, and a key that is replaced at a sign-in.
async fn orgs_and_keys(home: &Home, server: &ServerProcess, sink: &Sink, day: &mut Day) {
    let caller = server.caller();
    let made = home.run(&["org", "create", "--name", "Acme", "--json"]).await.well();
    let made: Value = serde_json::from_str(&made).unwrap();
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    day.secrets.extend([text("api_key"), text("client_secret")]);
    let more = home.run(&["key", "create", "--org", &text("org_id"), "--json"]).await.well();
    let more: Value = serde_json::from_str(&more).unwrap();
    let (id, key) = (more["id"].as_str().unwrap(), more["api_key"].as_str().unwrap());
    assert_eq!(caller.team(key).await.unwrap().status, 200);
    home.run(&["key", "revoke", "--org", &text("org_id"), "--id", id]).await.well();
    caller.refused(key).await;
    day.secrets.push(key.to_owned());

    let email = "rekeyed.person@people-of-today.example";
    caller.start(email).await.unwrap();
    let first = sink.code(email, &[]).await;
    let before = Account::of(&caller.check(email, &first).await.unwrap());
    let list = home.run(&["key", "list", "--org", &before.team]).await.well();
    let id = list.split_ascii_whitespace().next().unwrap();
    home.run(&["key", "revoke", "--org", &before.team, "--id", id]).await.well();
    assert_eq!(caller.team(&before.api_key).await.unwrap().status, 401);
    caller.start(email).await.unwrap();
    let second = sink.code(email, std::slice::from_ref(&first)).await;
    let after = Account::of(&caller.check(email, &second).await.unwrap());
    assert_ne!(before.api_key, after.api_key);
    day.secrets.extend([first, second, before.api_key, after.api_key]);
    day.people.push("rekeyed.person".to_owned());
}
