//! Commands beside a running server: what they change holds from the next request on, and what must not be done at the
//! same time is refused with the reason.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::Value;

use crate::process::{Home, Ran, until};
use crate::sink::Sink;
use crate::talk::Account;

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_is_refused_and_the_first_goes_on() {
    let sink = Sink::open();
    let home = Home::earnest("second", sink.port).await;
    let first = home.serve().await;
    for _ in 0..3 {
        let second = home.run(&["serve", "--listen", "127.0.0.1:0"]).await;
        assert_eq!(second.out, "", "it does not say that it listens");
        let why = second.refused();
        assert!(why.contains("another server is serving this data directory"), "{why}");
        first.caller().is_served().await;
    }
    // The lock is the process's: kill -9 leaves none behind.
    first.kill().await;
    home.serve().await.caller().is_served().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn org_create_and_its_key_work_at_once() {
    let sink = Sink::open();
    let home = Home::earnest("org", sink.port).await;
    let server = home.serve().await;
    let out = home.run(&["org", "create", "--name", "Acme \"Ltd\"\u{7}", "--json"]).await.well();
    assert_eq!(out.lines().count(), 1);
    let order: Vec<_> =
        ["{\"org_id\":\"", "\",\"api_key\":\"outx_", "\",\"client_id\":\"", "\",\"client_secret\":\"dcs_"]
            .iter()
            .map(|part| out.find(part).unwrap_or_else(|| panic!("{part} is not in {out}")))
            .collect();
    assert!(order[0] == 0 && order.is_sorted() && out.ends_with("\"}\n"), "{out}");
    let made: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(made.as_object().unwrap().len(), 4);
    let answer = server.caller().team(made["api_key"].as_str().unwrap()).await.unwrap();
    assert_eq!((answer.status, &answer.json()["id"]), (200, &made["org_id"]));
    assert_eq!(answer.json()["name"], "Acme \"Ltd\"");
    // The secret is no key.
    assert_eq!(server.caller().team(made["client_secret"].as_str().unwrap()).await.unwrap().status, 401);

    let list = home.run(&["org", "list", "--json"]).await.well();
    assert!(list.contains(made["org_id"].as_str().unwrap()) && !list.contains("outx_"), "{list}");
    assert!(home.run(&["org", "create", "--name", " \n "]).await.refused().contains("name"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_revoked_beside_the_server_is_refused_within_a_second() {
    let sink = Sink::open();
    let home = Home::earnest("revoke", sink.port).await;
    let server = home.serve().await;
    let caller = server.caller();
    let made: Value =
        serde_json::from_str(&home.run(&["org", "create", "--name", "A", "--json"]).await.well()).unwrap();
    let org = made["org_id"].as_str().unwrap();
    for round in 0..3 {
        let more = home.run(&["key", "create", "--org", org, "--json"]).await.well();
        let more: Value = serde_json::from_str(&more).unwrap();
        let (id, key) = (more["id"].as_str().unwrap(), more["api_key"].as_str().unwrap());
        assert_eq!(caller.team(key).await.unwrap().status, 200);
        assert_eq!(home.run(&["key", "revoke", "--org", org, "--id", id]).await.well(), "revoked\n");
        let refused = caller.refused(key).await;
        assert_eq!((refused.status, refused.error().as_str()), (401, "Unauthorized"), "round {round}");
        assert!(home.run(&["key", "revoke", "--org", org, "--id", id]).await.refused().contains("not found"));
        let list = home.run(&["key", "list", "--org", org]).await.well();
        assert!(list.contains(id) && list.matches("revoked").count() == round + 1 && !list.contains(key), "{list}");
    }
    assert_eq!(caller.team(made["api_key"].as_str().unwrap()).await.unwrap().status, 200, "the first one lives");
    let nobody = "019ab000-0000-7000-8000-000000000001";
    assert!(home.run(&["key", "create", "--org", nobody]).await.refused().contains("not found"));
    assert_eq!(home.run(&["key", "create", "--org", "x"]).await.status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_beside_the_server_holds_at_once() {
    let sink = Sink::open();
    let mut home = Home::earnest("invite", sink.port).await;
    home.set("signup.mode", "invite");
    let server = home.serve().await;
    let (caller, email) = (server.caller(), "guest@example.com");
    caller.start(email).await.unwrap();
    let first = sink.code(email, &[]).await;
    assert_eq!(caller.check(email, &first).await.unwrap().status, 401, "not invited");
    home.run(&["org", "invite", "--email", "Guest@Example.com"]).await.well();
    caller.start(email).await.unwrap();
    let second = sink.code(email, &[first]).await;
    Account::of(&caller.check(email, &second).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_rotate_beside_the_server() {
    let sink = Sink::open();
    let home = Home::earnest("rotate", sink.port).await;
    let server = home.serve().await;
    let (caller, email) = (server.caller(), "before@example.com");
    caller.start(email).await.unwrap();
    let code = sink.code(email, &[]).await;
    let added = home.run(&["master", "add"]).await.well();
    let kid = added.split_whitespace().next().unwrap();
    until("the server sees the key", async || {
        home.run(&["master", "activate", kid]).await.status.success().then_some(())
    })
    .await;
    until("the server derives from it", async || server.log().contains("keys changed").then_some(())).await;
    Account::of(&caller.check(email, &code).await.unwrap());
    caller.start("after@example.com").await.unwrap();
    let code = sink.code("after@example.com", &[]).await;
    Account::of(&caller.check("after@example.com", &code).await.unwrap());
    let list = home.run(&["master", "list"]).await.well();
    assert!(list.lines().any(|line| line.starts_with(kid) && line.contains("active")), "{list}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_backup_says_what_it_voids_and_revives_nothing() {
    let sink = Sink::open();
    let home = Home::earnest("backup", sink.port).await;
    let server = home.serve().await;
    let caller = server.caller();
    let (live, used) = ("live@example.com", "used@example.com");
    caller.start(live).await.unwrap();
    let live_code = sink.code(live, &[]).await;
    caller.start(used).await.unwrap();
    let used_code = sink.code(used, &[]).await;
    let revoked: Value =
        serde_json::from_str(&home.run(&["org", "create", "--name", "Gone", "--json"]).await.well()).unwrap();

    let copy = home.beside("copy.db");
    let said = home.run(&["backup", copy.to_str().unwrap()]).await.well();
    assert!(said.contains("copy.db written") && said.contains("keys"), "{said}");
    let bytes = fs::read(&copy).unwrap();
    let again = home.run(&["backup", copy.to_str().unwrap()]).await.refused();
    assert!(again.contains("there is a file of that name"), "{again}");
    assert_eq!(fs::read(&copy).unwrap(), bytes, "it was not touched");
    assert!(!home.beside("copy.db.part").exists());

    let account = Account::of(&caller.check(used, &used_code).await.unwrap());
    let org = revoked["org_id"].as_str().unwrap();
    let list = home.run(&["key", "list", "--org", org]).await.well();
    for line in list.lines() {
        let id = line.split_whitespace().next().unwrap();
        home.run(&["key", "revoke", "--org", org, "--id", id]).await.well();
    }
    server.stop().await;

    fs::copy(&copy, home.data.join("doorcode.db")).unwrap();
    let server = home.serve().await;
    assert!(server.first_lines.is_empty(), "whoever waits for the address is not confused: {:?}", server.first_lines);
    let said = until("it says so", async || server.log().lines().next().map(str::to_owned)).await;
    assert!(said.starts_with("this database is a restored copy: voided 2 challenges"), "{said}");
    assert!(said.ends_with("revoked 2 keys and the like again"), "{said}");
    let caller = server.caller();
    assert_eq!(caller.check(live, &live_code).await.unwrap().status, 401, "a live code is void");
    assert_eq!(caller.check(used, &used_code).await.unwrap().status, 401, "a used code stays used");
    assert_eq!(caller.team(revoked["api_key"].as_str().unwrap()).await.unwrap().status, 401);
    assert_eq!(caller.team(&account.api_key).await.unwrap().status, 401, "made after the copy: it is not in it");
    caller.start(used).await.unwrap();
    let next = sink.code(used, &[used_code]).await;
    Account::of(&caller.check(used, &next).await.unwrap());
    server.stop().await;
    let log = home.serve().await.stop().await.log;
    assert!(!log.contains("restored copy"), "it is said once: {log}");
}

/// A copy that `cp` or a snapshot of the disk has made bears no mark. What was revoked since stands beside the keys.
#[tokio::test(flavor = "multi_thread")]
async fn a_plain_copy_that_is_put_back_brings_no_revoked_key_back() {
    let sink = Sink::open();
    let home = Home::earnest("plain-copy", sink.port).await;
    let made: Value =
        serde_json::from_str(&home.run(&["org", "create", "--name", "A", "--json"]).await.well()).unwrap();
    let (org, lasting) = (made["org_id"].as_str().unwrap(), made["api_key"].as_str().unwrap());
    let more: Value = serde_json::from_str(&home.run(&["key", "create", "--org", org, "--json"]).await.well()).unwrap();
    let (id, revoked) = (more["id"].as_str().unwrap(), more["api_key"].as_str().unwrap());
    let server = home.serve().await;
    assert_eq!(server.caller().team(revoked).await.unwrap().status, 200);
    server.stop().await;
    let (file, copy) = (home.data.join("doorcode.db"), home.beside("plain.db"));
    fs::copy(&file, &copy).unwrap();
    assert_eq!(home.run(&["key", "revoke", "--org", org, "--id", id]).await.well(), "revoked\n");

    // Twice, since no start may take it for done: the next copy that is put back knows as little.
    for round in 0..2 {
        fs::copy(&copy, &file).unwrap();
        let known = "SELECT count(*) FROM credentials WHERE revoked_at IS NOT NULL";
        let known: i64 = rusqlite::Connection::open(&file).unwrap().query_row(known, [], |row| row.get(0)).unwrap();
        assert_eq!(known, 0, "the copy does not know, or this test proves nothing");
        let server = home.serve().await;
        assert_eq!(server.caller().team(revoked).await.unwrap().status, 401, "round {round}");
        assert_eq!(server.caller().team(lasting).await.unwrap().status, 200, "round {round}");
        let log = server.stop().await.log;
        assert!(log.contains("revoked again") && !log.contains("restored copy"), "round {round}: {log}");
    }
    let log = home.serve().await.stop().await.log;
    assert!(!log.contains("revoked again"), "where none came back, none is reported: {log}");
}

/// A half-written copy holds addresses too, and a copy that was cut off leaves its half behind.
#[tokio::test(flavor = "multi_thread")]
async fn half_a_backup_is_its_owners_alone_and_the_next_one_does_not_write_into_what_it_finds() {
    let home = Home::dev("half");
    home.run(&["migrate"]).await.well();
    let database = rusqlite::Connection::open(home.data.join("doorcode.db")).unwrap();
    database.execute("INSERT INTO meta (name, value) VALUES ('ballast', hex(zeroblob(1000000)))", []).unwrap();
    drop(database);
    let (copy, half) = (home.beside("copy.db"), home.beside("copy.db.part"));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    // Files of this process may have 300000 bytes: the one that would write more kills it, in the midst of the copy.
    let command = home.command_through("prlimit", &["--core=0", "--fsize=300000"], &["backup", copy.to_str().unwrap()]);
    let cut = Ran::of(command).await;
    assert!(cut.status.code().is_none(), "killed by a signal: {} {}", cut.status, cut.err);
    let left = fs::metadata(&half).unwrap().len();
    assert!(left > 0 && left <= 300_000, "{left}: half a copy, or this test proves nothing");
    assert_eq!(mode(&half), 0o600);
    assert!(!copy.exists(), "and not under the name that was asked for");

    // Somebody may have opened what is found under that name, or have put it there.
    fs::write(&half, "old").unwrap();
    fs::set_permissions(&half, fs::Permissions::from_mode(0o644)).unwrap();
    let mut opened = fs::File::open(&half).unwrap();
    home.run(&["backup", copy.to_str().unwrap()]).await.well();
    let mut seen = Vec::new();
    opened.read_to_end(&mut seen).unwrap();
    assert_eq!(seen, b"old", "whoever had it open reads nothing of the copy");
    assert_eq!(mode(&copy), 0o600);
    assert!(!half.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn recover_needs_the_server_stopped() {
    let sink = Sink::open();
    let home = Home::earnest("recover", sink.port).await;
    let server = home.serve().await;
    let email = "live@example.com";
    server.caller().start(email).await.unwrap();
    let code = sink.code(email, &[]).await;
    assert!(home.run(&["recover"]).await.refused().contains("a server is running here"));
    server.stop().await;
    assert!(home.run(&["recover"]).await.well().starts_with("voided 1 challenges"));
    assert_eq!(home.serve().await.caller().check(email, &code).await.unwrap().status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_knows_what_does_not_work_and_shows_no_secret() {
    let mut sink = Sink::closed();
    let mut home = Home::earnest("doctor", sink.port).await;
    let (user, password) = ("somebody", "correcthorsebattery");
    home.set("mail.username", user);
    home.set("mail.password", password);
    let server = home.serve().await;
    let ill = home.run(&["doctor"]).await;
    assert_eq!(ill.status.code(), Some(1), "{}{}", ill.out, ill.err);
    assert!(ill.out.contains("NO  mail server: "), "{}", ill.out);
    assert!(ill.out.contains("yes a server is running here") && ill.out.contains("set, not shown"), "{}", ill.out);
    assert!(ill.out.contains("NIST"), "{}", ill.out);
    let key = key_text(&home.data.join("keys"));
    for said in [ill.out, ill.err] {
        assert!(!said.contains(password) && !said.contains(&key), "{said}");
    }
    server.stop().await;
    sink.listen();
    home.set("mail.username", "");
    home.set("mail.password", "");
    let well = home.run(&["doctor"]).await.well();
    assert!(well.contains("yes the mail server answers") && well.contains("no  a server is running"), "{well}");
    // What only `serve` needs is looked at as well.
    assert!(well.contains("yes `serve` takes the settings"), "{well}");
    home.set("server.public_url", "");
    let ill = home.run(&["doctor"]).await;
    assert_eq!(ill.status.code(), Some(1), "{}{}", ill.out, ill.err);
    assert!(ill.out.contains("NO  `serve` takes the settings: ") && ill.out.contains("public_url"), "{}", ill.out);
}

/// The part of a key file that is the key.
fn key_text(keys: &Path) -> String {
    let files = fs::read_dir(keys).unwrap().map(|entry| entry.unwrap().path());
    let file = files.into_iter().find(|file| file.extension().is_some_and(|extension| extension == "key")).unwrap();
    fs::read_to_string(file).unwrap().split_whitespace().last().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn migrate_makes_checks_and_hurts_nothing() {
    let sink = Sink::open();
    let empty = Home::bare("migrate");
    let said = empty.run(&["migrate"]).await.well();
    assert!(said.contains("the schema is up to date") && said.contains("statements prepare"), "{said}");
    assert_eq!(empty.run(&["migrate"]).await.well(), said);
    let home = Home::earnest("migrate", sink.port).await;
    let server = home.serve().await;
    assert_eq!(home.run(&["migrate"]).await.well(), said);
    server.caller().is_served().await;
    server.stop().await;

    // A database of a newer version, or no database at all, is refused and left as it is.
    let file = home.data.join("doorcode.db");
    fs::write(&file, "this is not a database, whatever its name says; it is long enough to be looked at").unwrap();
    let why = Ran::of(home.command(&["serve", "--listen", "127.0.0.1:0"])).await.refused();
    assert!(why.contains("not a database"), "{why}");
    assert!(fs::read_to_string(&file).unwrap().starts_with("this is not"));
}

/// SQLite removes the log when the last connection closes, and takes a server that has lost its locks for gone. It loses
/// them when anything in it opens and closes the file beside SQLite.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_beside_a_server_leaves_it_its_log_and_its_locks() {
    use std::os::unix::fs::MetadataExt as _;
    let sink = Sink::open();
    let home = Home::earnest("log", sink.port).await;
    let server = home.serve().await;
    server.caller().is_served().await;
    let inode = |name: &str| fs::metadata(home.data.join(name)).unwrap().ino();
    let before = inode("doorcode.db-wal");
    for _ in 0..3 {
        home.run(&["org", "list"]).await.well();
        assert_eq!(inode("doorcode.db-wal"), before);
        let (pid, file) = (format!(" {} ", server.pid()), format!(":{} ", inode("doorcode.db")));
        let locks = fs::read_to_string("/proc/locks").unwrap();
        let held = locks.lines().any(|lock| lock.contains("POSIX") && lock.contains(&pid) && lock.contains(&file));
        assert!(held, "{}\n{locks}", server.pid());
    }
    server.caller().start("ada@example.com").await.unwrap();
    server.kill().await;
    let database = rusqlite::Connection::open(home.data.join("doorcode.db")).unwrap();
    let started = "SELECT count(*) FROM challenges WHERE destination = 'ada@example.com'";
    assert_eq!(database.query_row(started, [], |row| row.get::<_, i64>(0)).unwrap(), 1);
}

/// What went into it would be lost with the process, whatever the disk says to a sync.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_acknowledged_into_a_log_that_somebody_removed() {
    let sink = Sink::open();
    let home = Home::earnest("removed", sink.port).await;
    let server = home.serve().await;
    let caller = server.caller();
    assert_eq!(caller.start("ada@example.com").await.unwrap().status, 200);
    fs::remove_file(home.data.join("doorcode.db-wal")).unwrap();
    for _ in 0..3 {
        assert_eq!(caller.start("bob@example.com").await.unwrap().status, 503);
        assert_eq!(caller.get("/readyz").await.unwrap().status, 503);
    }
    assert!(server.log().contains("the log was removed"), "{}", server.log());
}
