//! `kill -9` under load, of the only server, of one of two, and of the database that those share. Whatever a client was told has
//! happened; what it was not told may or may not have. The codes are read from a mail server that lives on while others die.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tokio::sync::watch;

use crate::postgres::{self, Cluster};
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
pub(crate) fn rounds() -> u8 {
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
                tokio::spawn(load([caller; 2], round, client, Arc::clone(&sink), died.clone()))
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

/// Two servers on one database: either of them dies, or the database does, and is there again. What was acknowledged is known to
/// all, and every mail goes out within two leases of the death, whoever had taken it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_two_nodes_acknowledged_survives_the_death_of_each() {
    const LEASE: Duration = Duration::from_secs(10);
    let Some(mut cluster) = Cluster::start(&["max_connections=80"]) else { return };
    let database = cluster.database();
    let sink = Arc::new(Sink::open());
    let mut home = Home::earnest("crash-nodes", sink.port).await;
    home.set("door.outx.code_alphabet", "letters");
    home.set("door.outx.code_length", 10);
    home.set("database.url", database.as_str());
    home.set("mail.lease", "10s");
    // Each has a directory of its own, and both have the same keys.
    home.set("keys.dir", home.data.join("keys").to_str().unwrap());
    let mut serve = async |node: u8| {
        home.data = home.beside(&format!("node{node}"));
        home.serve().await
    };
    let mut nodes = [serve(0).await, serve(1).await];
    let (mut accounts, mut used) = (HashSet::new(), Vec::new());
    let (mut starts, mut checks) = (0, 0);
    for round in 0..20 {
        let (dead, died) = watch::channel(false);
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (here, there) = (usize::from(client % 2), usize::from((client + 1) % 2));
                let callers = [here, there].map(|node| nodes[node].caller_at([127, 2, round, client]));
                tokio::spawn(load(callers, round, client, Arc::clone(&sink), died.clone()))
            })
            .collect();
        let random = getrandom::u32().unwrap();
        tokio::time::sleep(Duration::from_millis(u64::from(100 + random % 301))).await;
        let died_at = tokio::time::Instant::now();
        match round % 3 {
            2 => tokio::task::block_in_place(|| {
                cluster.end("KILL");
                cluster.again();
            }),
            victim => {
                let [a, b] = nodes;
                nodes = if victim == 0 {
                    a.kill().await;
                    [serve(0).await, b]
                } else {
                    b.kill().await;
                    [a, serve(1).await]
                };
            }
        }
        dead.send_replace(true);
        let mut flows = Vec::new();
        for client in clients {
            flows.extend(client.await.unwrap());
        }
        starts += flows.iter().filter(|flow| flow.started).count();
        checks += flows.iter().filter(|flow| flow.account.is_some()).count();
        for flow in flows.iter().filter(|flow| flow.started) {
            let mail = tokio::time::timeout_at(died_at + 2 * LEASE, sink.code(&flow.email, &[])).await;
            assert!(mail.is_ok(), "round {round}: {} has no mail, and leases were over", flow.email);
        }
        let address = nodes[usize::from(round % 2)].address;
        let judged = stream::iter(flows).map(|flow| judge(flow, address, &sink)).buffer_unordered(16);
        for (email, account, codes) in judged.filter_map(async |judged| judged).collect::<Vec<_>>().await {
            accounts.insert(account);
            used.extend(codes.into_iter().map(|code| (email.clone(), code)));
        }
    }
    assert!(starts > 50 && checks > 50, "there was no load: {starts} starts, {checks} checks");
    println!("{starts} starts and {checks} checks were acknowledged");
    for node in &nodes {
        let other = node.caller_at([127, 0, 0, 2]);
        let again = stream::iter(&used).map(async |(email, code)| other.check(email, code).await.unwrap().status);
        let again: Vec<_> = again.buffer_unordered(16).collect().await;
        assert!(again.iter().all(|status| *status == 401), "a used code was accepted again");
    }
    for node in nodes {
        node.stop().await;
    }
    for table in ["users", "identities", "orgs", "credentials"] {
        let rows = postgres::query(&database, &format!("SELECT count(*) FROM {table}")).unwrap();
        assert_eq!(rows, [accounts.len().to_string()], "{table}");
    }
}

/// Signs one fresh address after another in, until the server dies: a code is asked for at the first, and sent back at the second.
async fn load(
    [first, second]: [Caller; 2],
    round: u8,
    client: u8,
    sink: Arc<Sink>,
    mut died: watch::Receiver<bool>,
) -> Vec<Flow> {
    let mut flows = Vec::new();
    for n in 0_u32.. {
        let email = format!("round{round}client{client}n{n}@load.example");
        let from = first.from.octets();
        flows.push(Flow { email, from, started: false, sent_back: None, account: None });
        let Some(flow) = flows.last_mut() else { break };
        // Some ask twice, and some never send the code back.
        for _ in 0..=u32::from(n % 5 == 1) {
            let Ok(answer) = first.start(&flow.email).await else { return flows };
            // The database is gone, or was when this was asked: nothing is promised.
            if answer.status == 503 {
                return flows;
            }
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
        let Ok(answer) = second.check(&flow.email, &code).await else { return flows };
        if answer.status == 503 {
            return flows;
        }
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
