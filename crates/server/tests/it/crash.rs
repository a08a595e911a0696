//! `kill -9` under load. Whatever a client was told has happened; what it was not told may or may not have. The codes
//! are read from a mail server that lives on while the server dies.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tokio::sync::watch;

use crate::process::Home;
use crate::sink::Sink;
use crate::talk::{Account, Caller};

const CLIENTS: u8 = 12;

/// What one client knows of one address when the server is dead.
struct Flow {
    email: String,
    from: [u8; 4],
    /// The start was answered.
    started: bool,
    /// The code that was sent back, if it came to that.
    sent_back: Option<String>,
    /// What was answered to it.
    account: Option<Account>,
}

/// Rounds: 20, or 200 in `./check --long`.
fn rounds() -> u8 {
    #[expect(clippy::disallowed_methods, reason = "how long a test runs is said from outside; no server reads this")]
    let long = std::env::var_os("CHECK_LONG").is_some_and(|long| long == "1");
    if long { 200 } else { 20 }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_kill_9() {
    let sink = Arc::new(Sink::open());
    let mut home = Home::earnest("crash", sink.port).await;
    // No two codes are alike by chance.
    home.set("door.outx.code_alphabet", "letters");
    home.set("door.outx.code_length", 10);
    let mut server = home.serve().await;
    let (mut accounts, mut used) = (HashSet::new(), Vec::new());
    let (mut starts, mut checks, mut unseen) = (0, 0, 0);
    for round in 0..rounds() {
        let (dead, died) = watch::channel(false);
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let caller = server.caller_at([127, 1, round, client]);
                tokio::spawn(load(caller, round, client, Arc::clone(&sink), died.clone()))
            })
            .collect();
        // Not to wait for anything: this is how long the load lasts, never the same twice.
        let random = getrandom::u32().unwrap();
        tokio::time::sleep(Duration::from_millis(u64::from(50 + random % 251))).await;
        server.kill().await;
        dead.send_replace(true);
        let mut flows = Vec::new();
        for client in clients {
            flows.extend(client.await.unwrap());
        }
        starts += flows.iter().filter(|flow| flow.started).count();
        checks += flows.iter().filter(|flow| flow.account.is_some()).count();
        unseen +=
            flows.iter().filter(|flow| !flow.started || (flow.sent_back.is_some() && flow.account.is_none())).count();

        server = home.serve().await;
        let address = server.address;
        let judged = stream::iter(flows).map(|flow| judge(flow, address, &sink)).buffer_unordered(16);
        for (email, account, codes) in judged.filter_map(async |judged| judged).collect::<Vec<_>>().await {
            accounts.insert(account);
            used.extend(codes.into_iter().map(|code| (email.clone(), code)));
        }
    }
    assert!(starts > 10 && checks > 10, "there was no load: {starts} starts, {checks} checks");
    println!("{starts} starts and {checks} checks were acknowledged, {unseen} answers were lost");

    // Nothing that was ever used works again, however many deaths ago that was.
    let other = server.caller_at([127, 0, 0, 2]);
    let again = stream::iter(&used).map(async |(email, code)| other.check(email, code).await.unwrap().status);
    let again: Vec<_> = again.buffer_unordered(16).collect().await;
    assert!(again.iter().all(|status| *status == 401), "a used code was accepted again");
    server.stop().await;

    // The file is whole, and nobody is in it who was not let in.
    let file = rusqlite::Connection::open(home.data.join("doorcode.db")).unwrap();
    let whole: String = file.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(whole, "ok");
    for table in ["users", "identities", "orgs", "credentials"] {
        let rows: i64 = file.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
        assert_eq!(rows, i64::try_from(accounts.len()).unwrap(), "{table}");
    }
}

/// Signs one fresh address after another in, until the server dies.
async fn load(caller: Caller, round: u8, client: u8, sink: Arc<Sink>, mut died: watch::Receiver<bool>) -> Vec<Flow> {
    let mut flows = Vec::new();
    for n in 0_u32.. {
        let email = format!("round{round}client{client}n{n}@load.example");
        let from = caller.from.octets();
        flows.push(Flow { email, from, started: false, sent_back: None, account: None });
        let Some(flow) = flows.last_mut() else { break };
        // Some ask twice, and some never send the code back.
        for _ in 0..=u32::from(n % 5 == 1) {
            let Ok(answer) = caller.start(&flow.email).await else { return flows };
            assert_eq!(answer.status, 200, "{}", answer.text());
            flow.started = true;
        }
        if n % 4 == 3 {
            continue;
        }
        let code = tokio::select! {
            code = sink.code(&flow.email, &[]) => code,
            _ = died.wait_for(|dead| *dead) => return flows,
        };
        flow.sent_back = Some(code.clone());
        let Ok(answer) = caller.check(&flow.email, &code).await else { return flows };
        flow.account = Some(Account::of(&answer));
    }
    flows
}

/// Holds a flow against the server that came after. Gives its address, its account and the codes that are used up.
async fn judge(flow: Flow, to: std::net::SocketAddr, sink: &Sink) -> Option<(String, Account, Vec<String>)> {
    let owner = Caller { from: flow.from.into(), to };
    let other = Caller { from: [127, 0, 0, 2].into(), to };
    let email = flow.email;
    let Some(code) = flow.sent_back else {
        // A start that was acknowledged has its mail, sent before the end or after it. One that was not may have.
        let code = match flow.started {
            true => sink.code(&email, &[]).await,
            false => sink.codes(&email).pop()?,
        };
        let account = Account::of(&owner.check(&email, &code).await.unwrap());
        assert!(sink.codes(&email).iter().all(|other| *other == code), "a redelivery has the same code");
        return Some((email, account, vec![code]));
    };
    let before = match flow.account {
        Some(account) => {
            assert_eq!(other.check(&email, &code).await.unwrap().status, 401, "accepted again");
            Some(account)
        }
        // Nobody heard the answer. If it did not happen this is the first; if it did this is the repeat, or too late.
        None => {
            let answer = owner.check(&email, &code).await.unwrap();
            if answer.status == 401 { None } else { Some(Account::of(&answer)) }
        }
    };
    assert!(sink.codes(&email).iter().all(|other| *other == code), "a redelivery has the same code");
    let used = vec![code];
    assert_eq!(owner.start(&email).await.unwrap().status, 200);
    let next = sink.code(&email, &used).await;
    let account = Account::of(&owner.check(&email, &next).await.unwrap());
    assert!(before.is_none_or(|before| before == account), "a later sign-in finds the same");
    Some((email, account, [used, vec![next]].concat()))
}
