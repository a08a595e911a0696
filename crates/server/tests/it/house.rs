//! The invariants (docs/architecture.md, *What must stay true*), kept by reading the sources: who may name whom. A new room joins by one
//! line in the tables below, which is where somebody will ask why; the doors are the folders of `api/`.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A source file: where it lies, from the root of the repository, and its lines that are code.
struct Source {
    path: String,
    text: String,
    code: Vec<String>,
}

impl Source {
    /// Whether it lies in one of these folders, or is one of these files, below `crates/server/src`.
    fn is_in(&self, rooms: &[&str]) -> bool {
        let place = self.path.strip_prefix("crates/server/src/").unwrap_or_default();
        rooms.iter().any(|room| place == format!("{room}.rs") || place.starts_with(&format!("{room}/")))
    }

    /// Whether a path such as `axum` or `std::env` is written in it, as whole words.
    fn names(&self, path: &str) -> bool {
        let in_word = |c: char| c.is_alphanumeric() || c == '_';
        self.code.iter().any(|line| {
            line.match_indices(path).any(|(at, _)| {
                let after = &line[at + path.len()..];
                let longer = line[..at].ends_with(in_word) || path.ends_with(in_word) && after.starts_with(in_word);
                !longer
            })
        })
    }

    /// The rooms of this crate that it names: the word after each `crate::`, however the import is grouped.
    fn rooms(&self) -> BTreeSet<String> {
        let code = self.code.join("\n");
        let mut rooms = BTreeSet::new();
        for (at, word) in code.match_indices("crate::") {
            if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
                continue;
            }
            let rest = &code[at + word.len()..];
            match rest.strip_prefix('{') {
                None => drop(rooms.insert(first_word(rest))),
                Some(group) => rooms.extend(members(group).iter().map(|member| first_word(member))),
            }
        }
        rooms
    }
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The members of a group that was just opened, at its own depth.
fn members(group: &str) -> Vec<String> {
    let (mut depth, mut member, mut found) = (0, String::new(), Vec::new());
    for c in group.chars() {
        match c {
            '}' if depth == 0 => break,
            ',' if depth == 0 => found.push(std::mem::take(&mut member)),
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if !(c == ',' && depth == 0) {
            member.push(c);
        }
    }
    found.push(member);
    found.iter().map(|member| member.trim().to_owned()).filter(|member| !member.is_empty()).collect()
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

fn sources(folder: &str) -> Vec<Source> {
    let (root, mut found) = (root(), Vec::new());
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let is_code = |line: &&str| !line.trim_start().starts_with("//");
                let code = text.lines().filter(is_code).map(str::to_owned).collect();
                let path = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                found.push(Source { path, text, code });
            }
        }
    }
    assert!(found.len() > 10, "{folder} has sources");
    found
}

fn server() -> Vec<Source> {
    sources("crates/server/src")
}

/// Fails with every place that breaks a rule, not only the first.
fn nobody(rule: &str, breaches: &[String]) {
    assert!(breaches.is_empty(), "{rule}:\n  {}", breaches.join("\n  "));
}

/// Who names one of these paths, outside of these rooms.
fn outside(rooms: &[&str], paths: &[&str]) -> Vec<String> {
    let server = server();
    let strangers = server.iter().filter(|source| !source.is_in(rooms));
    let breaches = strangers.flat_map(|source| {
        paths.iter().filter(|path| source.names(path)).map(|path| format!("{} names {path}", source.path))
    });
    breaches.collect()
}

#[test]
fn core_can_not_reach_the_world() {
    let world = [
        "doorcode::",
        "tokio",
        "axum",
        "hyper",
        "rusqlite",
        "lettre",
        "getrandom",
        "rand",
        "async fn",
        "std::fs",
        "std::env",
        "std::process",
        "std::thread",
        "SystemTime",
        "Instant",
        "TcpStream",
        "TcpListener",
        "UdpSocket",
        "tracing",
    ];
    let mut core = sources("crates/core/src");
    // The trait by which randomness is handed in to a signature; what has it is the server's.
    core.iter_mut().for_each(|source| source.code.retain(|line| line.trim() != "use ring::rand::SecureRandom;"));
    let breaches: Vec<String> = core
        .iter()
        .flat_map(|source| {
            world.iter().filter(|path| source.names(path)).map(|path| format!("{}: {path}", source.path))
        })
        .collect();
    nobody("core has no async, clock, randomness, SQL or HTTP of its own", &breaches);
    let manifest = std::fs::read_to_string(root().join("crates/core/Cargo.toml")).unwrap();
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    for ours in ["path =", "tokio", "axum", "rusqlite", "hyper"] {
        assert!(!dependencies.contains(ours), "core imports nothing of ours, nor the world: {ours}");
    }
}

#[test]
fn only_the_store_names_a_database_driver() {
    nobody(
        "a database driver is named in store only",
        &outside(&["store"], &["rusqlite", "tokio_postgres", "deadpool_postgres"]),
    );
}

#[test]
fn only_doors_and_pages_name_the_http_framework() {
    // serve is the listener; the bench's tests put up a server of their own to measure.
    let rooms = ["api", "body", "web", "serve", "cli/bench/tests"];
    nobody("axum is named in api and web only", &outside(&rooms, &["axum", "utoipa"]));
}

#[test]
fn only_main_reads_the_environment() {
    let words = ["var", "var_os", "vars", "vars_os", "args", "args_os"].map(|word| format!("env::{word}"));
    let reads: Vec<&str> = words.iter().map(String::as_str).collect();
    nobody("the environment is read in main only", &outside(&["main"], &reads));
}

#[test]
fn only_egress_calls_hosts_that_callers_name() {
    // The mail server, the name server and the database are the operator's own choice, and so is what the bench measures.
    let rooms = [
        "egress",
        "store/pg",
        "deliver/smtp",
        "deliver/wire",
        "deliver/settings",
        "deliver/failure",
        "capture/keys",
        // It takes connections in; that they are TLS makes none of them one out.
        "capture/inbound",
        "capture/tests",
        "cli/bench",
        // Its server is its operator's choice, and the connection is egress's: HTTP is spoken on it here.
        "cli/collect/server",
    ];
    let ways = [
        "TcpStream::connect",
        "TcpSocket",
        "UdpSocket",
        "UnixStream",
        "lookup_host",
        "to_socket_addrs",
        "hyper::client",
        "tokio_rustls",
        "AsyncSmtpConnection",
        "lettre::transport",
        "hickory_resolver",
    ];
    nobody("connections out are made in egress", &outside(&rooms, &ways));
}

#[test]
fn time_and_randomness_come_from_one_place_each() {
    nobody("time comes from clock", &outside(&["clock", "cli/bench"], &["SystemTime::now", "Instant::now"]));
    nobody("randomness comes from entropy", &outside(&["entropy"], &["getrandom", "rand::", "SystemRandom"]));
}

/// Which rooms a room may name. `main → cli → { api, web, deliver } → ops → { store, core }`; beside them stand
/// what everybody shares (`app`, `config`, `metrics`, `clock`, `entropy`, `keyring`, `egress`).
const ARROWS: &[(&str, &[&str])] = &[
    ("store", &["store"]),
    // The settings hold what is excused as ranges of addresses.
    ("egress", &["egress", "config"]),
    ("ops", &["ops", "store", "app", "config", "metrics", "keyring", "chain"]),
    ("deliver", &["deliver", "ops", "store", "app", "config", "metrics", "chain"]),
    // keyring: what knows our own mail again. clock: its tests sign for the time that it is. egress, entropy: a mailbox is watched.
    // app, ops, config: what came in goes to the relay, as it is set. chain: the log.
    ("capture", &["capture", "ops", "app", "config", "keyring", "clock", "egress", "entropy", "chain"]),
    // web: the log asks it whether a host is this machine, and the router takes its pages in. deliver: the choice of a
    // language, which is the catalogue's own (see below).
    ("api", &["api", "body", "ops", "store", "app", "config", "metrics", "clock", "web", "deliver", "chain", "steady"]),
    // deliver: the dev inbox shows what was sent. store: the rows that are shown.
    ("web", &["web", "body", "ops", "store", "app", "config", "deliver", "chain"]),
    ("body", &["app"]),
    ("steady", &["clock"]),
    // The settings hold what their owners check: deliver's of a mail server, the outbox's longest try, the way out, where the
    // database is.
    ("config", &["config", "deliver", "egress", "ops", "store"]),
];

#[test]
fn every_room_names_only_what_is_below_it() {
    let server = server();
    let mut breaches = Vec::new();
    for (room, below) in ARROWS {
        for source in server.iter().filter(|source| source.is_in(&[room])) {
            let named = source.rooms();
            let above = named.iter().filter(|name| !below.contains(&name.as_str()));
            breaches.extend(above.map(|name| format!("{} names crate::{name}", source.path)));
        }
    }
    nobody("the arrows point down", &breaches);
}

#[test]
fn doors_and_delivery_do_not_know_each_other() {
    let server = server();
    let mut breaches = Vec::new();
    for source in server.iter().filter(|source| source.is_in(&["api"])) {
        for line in source.code.iter().filter(|line| line.contains("crate::deliver")) {
            if line.trim() != "use crate::deliver::texts;" {
                breaches.push(format!("{}: {line}", source.path));
            }
        }
    }
    nobody("of deliver, api knows the catalogue of languages only: what a client asked for is chosen there", &breaches);
    let deliver = server.iter().filter(|source| source.is_in(&["deliver"]) && source.names("crate::api"));
    nobody("deliver knows no door", &deliver.map(|source| source.path.clone()).collect::<Vec<_>>());
}

/// The doors: the folders of `api`.
fn doors() -> Vec<String> {
    let folder = root().join("crates/server/src/api");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries.filter(|entry| entry.path().is_dir()).map(|entry| entry.file_name().into_string().unwrap()).collect()
}

#[test]
fn doors_do_not_know_each_other() {
    let doors = doors();
    assert!(doors.contains(&"outx".to_owned()));
    let mut breaches = Vec::new();
    for source in server().iter().filter(|source| source.is_in(&["api"])) {
        let place = source.path.strip_prefix("crates/server/src/api/").unwrap();
        // The route table has a line for each. What no door answered (a panic, an answer that took too long, a strange host, no
        // such path) has the form of the door whose path was asked. The page about the API explains the problems.
        if ["mod.rs", "form.rs", "document.rs"].contains(&place) {
            continue;
        }
        for door in doors.iter().filter(|door| !place.starts_with(&format!("{door}/"))) {
            let ways = [format!("api::{door}"), format!("super::{door}"), format!("super::super::{door}")];
            breaches
                .extend(ways.iter().filter(|way| source.names(way)).map(|way| format!("{} names {way}", source.path)));
        }
    }
    nobody("a door knows no other door", &breaches);
}

#[test]
fn doors_run_no_statements() {
    let units = [".db.write", ".db.read", "Tx<"];
    let server = server();
    let breaches = server.iter().filter(|source| source.is_in(&["api", "web"])).flat_map(|source| {
        let runs = |unit: &&&str| source.code.iter().any(|line| line.contains(**unit));
        units.iter().filter(runs).map(|unit| format!("{}: {unit}", source.path)).collect::<Vec<_>>()
    });
    nobody("a door calls ops, which has the units of work", &breaches.collect::<Vec<_>>());
}

#[test]
fn files_are_documented_short_and_allow_nothing() {
    let mut breaches = Vec::new();
    for folder in ["crates/core/src", "crates/core/tests", "crates/server/src", "crates/server/tests"] {
        for source in sources(folder) {
            let lines = source.text.lines().count();
            if lines > 800 {
                breaches.push(format!("{} has {lines} lines", source.path));
            }
            if !source.text.starts_with("//!") {
                breaches.push(format!("{} does not say what it is for", source.path));
            }
            // Written apart, so that this line is no breach of its own rule.
            if source
                .code
                .iter()
                .any(|line| line.contains(concat!("#[", "allow")) || line.contains(concat!("#![", "allow")))
            {
                breaches.push(format!("{} allows what the house forbids: expect it, with a reason", source.path));
            }
        }
    }
    nobody("every file says what it is for, in at most 800 lines", &breaches);
}

#[test]
fn the_reader_of_imports_reads() {
    let lines = ["use crate::{app::App, store::{self, Tx}, ops};", "let x = crate::chain(&e);", "use supercrate::no;"];
    let code = lines.map(str::to_owned).to_vec();
    let source = Source { path: "crates/server/src/api/outx/mod.rs".to_owned(), text: String::new(), code };
    assert_eq!(source.rooms().into_iter().collect::<Vec<_>>(), ["app", "chain", "ops", "store"]);
    assert!(source.is_in(&["api"]) && source.is_in(&["api/outx"]) && !source.is_in(&["ap", "web"]));
    assert!(source.names("crate::chain") && !source.names("rate::chain") && !source.names("crate::cha"));
}
