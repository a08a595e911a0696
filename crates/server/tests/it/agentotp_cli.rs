//! `doorcode agent`, `doorcode collector` and `doorcode audit`, beside a running server.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use serde_json::Value;

use crate::process::{Home, ServerProcess, until};

/// Signs somebody in; gives their org.
async fn sign_in(server: &ServerProcess, email: &str) -> String {
    assert_eq!(server.caller().start(email).await.unwrap().status, 200);
    let path = format!("/dev/inbox.json?to={}", email.replace('@', "%40"));
    let code = until("a mail", async || {
        let mails = server.caller().get(&path).await.unwrap().json();
        mails[0]["code"].as_str().map(str::to_owned)
    });
    let answer = server.caller().check(email, &code.await).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["team"]["id"].as_str().unwrap().to_owned()
}

async fn verified(server: &ServerProcess, key: &str) -> (u16, Value) {
    let request = format!(
        "GET /v1/auth/verify HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAuthorization: Bearer {key}\r\n\r\n",
        server.address
    );
    let answer = server.caller().send(request.as_bytes()).await.unwrap();
    (answer.status, answer.json())
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_and_collectors_are_made_and_removed_and_the_record_is_looked_at() {
    let home = Home::dev("agents");
    let server = home.serve().await;
    let org = sign_in(&server, "ada@example.com").await;
    let other = sign_in(&server, "eve@example.com").await;
    let ada = "ada@example.com";
    let create = ["agent", "create", "--name", "Shopper", "--json", "--org", &org, "--owner"];
    let made: Value = serde_json::from_str(&home.run(&[&create[..], &[ada]].concat()).await.well()).unwrap();
    let (id, key) = (made["id"].as_str().unwrap(), made["api_key"].as_str().unwrap());
    assert!(id.starts_with("agent_") && key.starts_with("ak_live_"), "{made}");
    let (status, said) = verified(&server, key).await;
    assert_eq!((status, &said["type"], &said["id"]), (200, &"agent".into(), &id.into()));

    let wrong = ["agent", "create", "--name", "x", "--org", &other, "--owner", ada];
    assert!(home.run(&wrong).await.refused().contains("no member of that org"));
    let nobody = home.run(&[&create[..], &["nobody@example.com"]].concat()).await.refused();
    assert!(nobody.contains("nobody has signed in as"), "{nobody}");
    let test = ["agent", "create", "--name", "x", "--org", &org, "--owner", ada, "--test"];
    assert!(home.run(&test).await.well().contains("ak_test_"));
    let list = home.run(&["agent", "list", "--owner", ada]).await.well();
    assert!(list.lines().count() == 2 && list.starts_with(&format!("{id}  active ")), "{list}");

    let collector = home.run(&["collector", "create", "--owner", ada, "--json"]).await.well();
    let collector: Value = serde_json::from_str(&collector).unwrap();
    let (status, said) = verified(&server, collector["api_key"].as_str().unwrap()).await;
    assert_eq!((status, &said["type"], &said["id"]), (200, &"device".into(), &collector["id"]));

    assert_eq!(home.run(&["agent", "remove", "--owner", ada, "--id", id]).await.well(), "removed\n");
    until("the key is dead", async || (verified(&server, key).await.0 == 401).then_some(())).await;
    assert!(!home.run(&["agent", "remove", "--owner", ada, "--id", id]).await.status.success());

    let heads = home.run(&["audit", "verify", "--heads"]).await.well();
    assert!(heads.ends_with("1 records, 4 entries, 0 flaws\n"), "{heads}");
    let database = rusqlite::Connection::open(home.data.join("doorcode.db")).unwrap();
    database.execute("UPDATE audit SET details = '{}' WHERE number = 2", []).unwrap();
    let found = home.run(&["audit", "verify"]).await;
    assert_eq!(found.status.code(), Some(1));
    assert!(found.out.contains("entry 2 was changed") && found.out.ends_with("1 flaws\n"), "{}", found.out);
    server.stop().await;
}
