//! Bad days: the disk is full, somebody else holds the database, the mail server is away, slow or suspicious. What was
//! acknowledged holds, what can't be done is refused in the door's form, and it goes on by itself when the day is over.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::process::{Home, ServerProcess, until};
use crate::sink::Sink;
use crate::talk::{Account, Answer, Caller};

fn is_unavailable(answer: &Answer) {
    assert_eq!((answer.status, answer.error().as_str()), (503, "Service unavailable. Please try again later."));
}

/// A small file system of its own. Gone when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// None: this user may not mount, and then the other way of having no room has to do.
    fn mount(at: PathBuf) -> Option<Self> {
        fs::create_dir_all(&at).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"]).arg(&at).output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Self(at))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_takes_nothing_back() {
    let sink = Sink::open();
    let mut home = Home::earnest("full", sink.port).await;
    let Some(disk) = SmallDisk::mount(home.beside("small")) else {
        println!("skipped: only root may mount a small disk; see a_file_that_may_not_grow_takes_nothing_back");
        return;
    };
    home.data = disk.0.join("data");
    home.run(&["master", "init"]).await.well();
    let server = home.serve().await;
    let filler = disk.0.join("filler");
    fs::write(&filler, vec![1; 6 * 1024 * 1024]).unwrap();
    no_room_and_room_again(&home, server, &sink, async || fs::remove_file(&filler).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_may_not_grow_takes_nothing_back() {
    let sink = Sink::open();
    let home = Home::earnest("fsize", sink.port).await;
    // In blocks of 512 or 1024 bytes, as the shell has it: a megabyte or two.
    let limit = ["-c", "trap '' XFSZ; ulimit -S -f 2048; exec \"$0\" \"$@\""];
    let command = home.command_through("sh", &limit, &["serve", "--listen", "127.0.0.1:0"]);
    let server = ServerProcess::spawn(command).await;
    let pid = server.pid().to_string();
    no_room_and_room_again(&home, server, &sink, async || {
        let lifted = Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited"]).status();
        assert!(lifted.unwrap().success());
    })
    .await;
}

/// Works until there is no room, makes room, and holds everything that was acknowledged against the server after that.
async fn no_room_and_room_again(home: &Home, server: ServerProcess, sink: &Sink, make_room: impl AsyncFn()) {
    let caller = server.caller();
    let mut signed_in = Vec::new();
    let mut started = Vec::new();
    let refused = 'full: {
        for n in 0_u32.. {
            let email = format!("somebody{n}@example.com");
            let answer = caller.start(&email).await.unwrap();
            if answer.status != 200 {
                break 'full answer;
            }
            if n % 3 != 0 {
                started.push((email, None));
                continue;
            }
            let code = sink.code(&email, &[]).await;
            let answer = caller.check(&email, &code).await.unwrap();
            if answer.status != 200 {
                // Not acknowledged: it may be tried again.
                started.push((email, Some(code)));
                break 'full answer;
            }
            signed_in.push((email, code, Account::of(&answer)));
        }
        unreachable!()
    };
    is_unavailable(&refused);
    assert!(!signed_in.is_empty() && !started.is_empty());
    // The last corners fill up with small things, and then the server knows that it is not well. Once is not enough: what shares
    // a transaction with something larger is refused with it, and fits when it comes alone.
    until("not ready, and staying so", async || {
        for _ in 0..5 {
            let answer = caller.get("/readyz").await.unwrap();
            if answer.status != 503 {
                return None;
            }
            assert_eq!(answer.text(), "the database does not take writes\n");
        }
        Some(())
    })
    .await;
    assert_eq!(caller.get("/healthz").await.unwrap().status, 200);
    for n in 0..5 {
        is_unavailable(&caller.start(&format!("unlucky{n}@example.com")).await.unwrap());
    }
    let (email, code, account) = &signed_in[0];
    is_unavailable(&caller.check(email, code).await.unwrap());
    assert_eq!(caller.team(&account.api_key).await.unwrap().status, 200, "what only reads goes on");

    make_room().await;
    until("ready again", async || (caller.get("/readyz").await.unwrap().status == 200).then_some(())).await;
    assert_eq!(caller.start("lucky@example.com").await.unwrap().status, 200);
    server.kill().await;
    let server = home.serve().await;
    let (caller, other) = (server.caller(), server.caller_at([127, 0, 0, 2]));
    for (email, code, account) in signed_in {
        assert_eq!(other.check(&email, &code).await.unwrap().status, 401, "a used code");
        assert_eq!(caller.start(&email).await.unwrap().status, 200);
        let next = sink.code(&email, &[code]).await;
        assert_eq!(Account::of(&caller.check(&email, &next).await.unwrap()), account);
    }
    for (email, code) in started {
        let mailed = sink.code(&email, &[]).await;
        assert!(code.is_none_or(|code| code == mailed));
        Account::of(&caller.check(&email, &mailed).await.unwrap());
    }
}

/// Somebody else's write transaction on the server's database.
fn hold(home: &Home) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(home.data.join("doorcode.db")).unwrap();
    connection.busy_timeout(Duration::from_secs(60)).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    connection
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_of_seconds_only_delays() {
    let sink = Sink::open();
    let home = Home::earnest("locked", sink.port).await;
    let server = home.serve().await;
    let caller = server.caller();
    let lock = hold(&home);
    let waiting: Vec<_> =
        (0..8).map(|n| tokio::spawn(async move { caller.start(&format!("patient{n}@example.com")).await })).collect();
    // As long as it is held, which is less than a writer waits.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(waiting.iter().all(|start| !start.is_finished()), "nothing is acknowledged that is not written");
    drop(lock);
    for start in waiting {
        assert_eq!(start.await.unwrap().unwrap().status, 200);
    }
    for n in 0..8 {
        sink.code(&format!("patient{n}@example.com"), &[]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_stays_is_answered_and_forgotten_when_it_goes() {
    let sink = Sink::open();
    let home = Home::earnest("stuck", sink.port).await;
    let server = home.serve().await;
    let caller = server.caller();
    let email = "early@example.com";
    caller.start(email).await.unwrap();
    let code = sink.code(email, &[]).await;
    let account = Account::of(&caller.check(email, &code).await.unwrap());

    let lock = hold(&home);
    let refused = tokio::join!(caller.start("late@example.com"), caller.check(email, &code), caller.get("/readyz"));
    is_unavailable(&refused.0.unwrap());
    is_unavailable(&refused.1.unwrap());
    assert_eq!(refused.2.unwrap().status, 503);
    assert_eq!(caller.team(&account.api_key).await.unwrap().status, 200, "readers do not wait for writers");
    assert_eq!(caller.get("/healthz").await.unwrap().status, 200);
    drop(lock);
    until("ready again", async || (caller.get("/readyz").await.unwrap().status == 200).then_some(())).await;
    assert_eq!(caller.start("late@example.com").await.unwrap().status, 200);
    let code = sink.code("late@example.com", &[]).await;
    Account::of(&caller.check("late@example.com", &code).await.unwrap());
    assert!(!server.stop().await.log.contains("panicked"));
}

#[tokio::test(flavor = "multi_thread")]
async fn backups_under_load_are_whole_and_hold_nobody_up() {
    let sink = Arc::new(Sink::open());
    let home = Home::earnest("busy-backup", sink.port).await;
    let server = home.serve().await;
    let (enough, ended) = watch::channel(false);
    let signed_in = watch::Sender::new(0_i64);
    let people: Vec<_> = (0..6)
        .map(|n| {
            let caller = server.caller_at([127, 2, 0, n]);
            tokio::spawn(busy(caller, n, Arc::clone(&sink), ended.clone(), signed_in.clone()))
        })
        .collect();
    let mut seen = signed_in.subscribe();
    for n in 0..4 {
        let before = *seen.borrow();
        seen.wait_for(|count| *count >= before + 20).await.unwrap();
        let before = *seen.borrow();
        let file = home.beside(&format!("backup-{n}.db"));
        home.run(&["backup", file.to_str().unwrap()]).await.well();
        let copy = rusqlite::Connection::open(&file).unwrap();
        let whole: String = copy.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        let users: i64 = copy.query_row("SELECT count(*) FROM users", [], |row| row.get(0)).unwrap();
        assert_eq!(whole, "ok");
        assert!(users >= before, "{users} users in a backup that {before} had signed in before");
    }
    enough.send_replace(true);
    let mut accounts = HashSet::new();
    for person in people {
        accounts.extend(person.await.unwrap());
    }
    assert_eq!(i64::try_from(accounts.len()).unwrap(), *seen.borrow());
}

/// Signs people in until it is enough; everything has to go well.
async fn busy(
    caller: Caller,
    who: u8,
    sink: Arc<Sink>,
    enough: watch::Receiver<bool>,
    signed_in: watch::Sender<i64>,
) -> Vec<Account> {
    let mut accounts = Vec::new();
    while !*enough.borrow() {
        let email = format!("busy{who}n{}@example.com", accounts.len());
        assert_eq!(caller.start(&email).await.unwrap().status, 200);
        let code = sink.code(&email, &[]).await;
        accounts.push(Account::of(&caller.check(&email, &code).await.unwrap()));
        signed_in.send_modify(|count| *count += 1);
    }
    accounts
}

/// A home whose mails are tried again soon.
async fn impatient(name: &str, sink: &Sink) -> Home {
    let mut home = Home::earnest(name, sink.port).await;
    home.set("mail.retry_first", "200ms");
    home.set("mail.retry_most", "1s");
    home.set("mail.timeout", "1s");
    home.set("mail.connections", 2);
    home
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_that_comes_late_gets_every_mail() {
    let mut sink = Sink::closed();
    let home = impatient("mail-down", &sink).await;
    let server = home.serve().await;
    let caller = server.caller();
    let people: Vec<_> = (0..12).map(|n| format!("waiting{n}@example.com")).collect();
    for email in &people {
        assert_eq!(caller.start(email).await.unwrap().status, 200, "a start does not wait for the mail server");
    }
    until("tries", async || (server.log().matches("no connection to the mail server").count() > 12).then_some(()))
        .await;
    caller.is_served().await;
    // Some mails have failed already when the server dies; the next one takes them over.
    server.kill().await;
    let server = home.serve().await;
    sink.listen();
    for email in &people {
        let code = sink.code(email, &[]).await;
        Account::of(&server.caller().check(email, &code).await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_greylisting_mail_server_is_asked_again() {
    let sink = Sink::greylisting();
    let home = impatient("greylist", &sink).await;
    let server = home.serve().await;
    let caller = server.caller();
    for n in 0..5 {
        assert_eq!(caller.start(&format!("grey{n}@example.com")).await.unwrap().status, 200);
    }
    for n in 0..5 {
        let email = format!("grey{n}@example.com");
        let code = sink.code(&email, &[]).await;
        Account::of(&caller.check(&email, &code).await.unwrap());
    }
    assert_eq!(sink.count(), 5, "one mail each");
    assert!(server.log().contains("450"), "the reason is in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_recipient_does_not_hold_up_the_others() {
    let sink = Sink::open();
    let home = impatient("hang", &sink).await;
    let server = home.serve().await;
    let caller = server.caller();
    for n in 0..3 {
        assert_eq!(caller.start(&format!("hang{n}@example.com")).await.unwrap().status, 200);
        assert_eq!(caller.start(&format!("refused{n}@example.com")).await.unwrap().status, 200, "the same answer");
        assert_eq!(caller.start(&format!("good{n}@example.com")).await.unwrap().status, 200);
    }
    for n in 0..3 {
        let email = format!("good{n}@example.com");
        let code = sink.code(&email, &[]).await;
        Account::of(&caller.check(&email, &code).await.unwrap());
    }
    until("the refusals", async || (server.log().matches("gave_up").count() >= 3).then_some(())).await;
    until("the hanging ones", async || (server.log().matches("timed out").count() >= 3).then_some(())).await;
    assert_eq!(server.log().matches("gave_up").count(), 3, "refused is final");
    sink.mails(3).await;
    caller.is_served().await;
}
