//! Master keys (docs/threat-model.md): made only where somebody asked for it, refused when missing or wrong, rotated
//! without a code or an API key failing on the way.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use doorcode::config::Config;
use doorcode::entropy::Entropy;
use doorcode::keyring;
use doorcode::ops::master_keys;
use doorcode::store::lock::ServerLock;
use doorcode::store::master_keys::Stage;
use doorcode_core::{Error, Kid};
use serde_json::Value;

use crate::app::{Folder, HERE, MOMENT, START, TestApp, error, hours, minutes, settings, wrong};
use crate::postgres;

const ADA: &str = "ada@example.com";

/// Why a house does not open.
async fn refusal(folder: Arc<Folder>, config: Config) -> String {
    let refused = TestApp::open(folder, config, START).await;
    doorcode::chain(&refused.err().unwrap())
}

fn key_files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "key"));
    files.sort();
    files
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn earnest(folder: &Folder) -> Config {
    let mut config = settings(folder, &[]);
    config.dev = false;
    config
}

#[tokio::test]
async fn a_key_is_made_under_dev_and_nowhere_else() {
    let folder = Folder::new();
    let config = earnest(&folder);
    let why = refusal(Arc::clone(&folder), config.clone()).await;
    assert!(why.contains("there is no master key in") && why.contains("doorcode master init"), "{why}");
    assert!(!config.keys.exists(), "nothing was made on the way");
    let app = TestApp::new().await;
    assert_eq!(key_files(&app.app.config.keys).len(), 1);
}

#[tokio::test]
async fn what_holds_keys_and_addresses_is_its_owners_alone() {
    if postgres::is_wanted() {
        return; // About the embedded engine's file.
    }
    let app = TestApp::new().await;
    let (data, keys) = (app.folder.path(), &app.app.config.keys);
    assert_eq!((mode(data), mode(keys)), (0o700, 0o700));
    assert_eq!(mode(&key_files(keys)[0]), 0o600);
    assert_eq!(mode(&data.join("doorcode.db")), 0o600);
    assert_eq!(mode(&data.join("doorcode.db-wal")), 0o600);
}

/// The data directory may be there before: whoever makes it, the files in it are private.
#[tokio::test]
async fn a_directory_that_others_may_read_does_not_show_them_the_database() {
    if postgres::is_wanted() {
        return; // About the embedded engine's file.
    }
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path()).unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let app = TestApp::open(Arc::clone(&folder), settings(&folder, &[]), START).await.unwrap();
    app.from(HERE).sign_in(ADA).await;
    for file in ["doorcode.db", "doorcode.db-wal"] {
        assert_eq!(mode(&folder.path().join(file)), 0o600, "{file}");
    }
}

/// The command line makes the directory before there is a house.
#[test]
fn the_command_line_makes_no_open_directory() {
    for command in
        [&["serve", "--dev", "--listen", "127.0.0.1:0"][..], &["org", "create", "--dev", "--name", "Example"]]
    {
        let folder = Folder::new();
        let mut program = Command::new(env!("CARGO_BIN_EXE_doorcode"));
        program.args(command).arg("--data").arg(folder.path()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = program.spawn().unwrap();
        // The first line comes when the house is open.
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let _ended_by_itself = child.kill();
        child.wait().unwrap();
        assert!(!line.is_empty());
        assert_eq!((mode(folder.path()), mode(&folder.path().join("doorcode.db"))), (0o700, 0o600), "{command:?}");
    }
}

#[tokio::test]
async fn a_lost_key_is_refused_by_name_and_not_replaced() {
    let (folder, config, _) = TestApp::new().await.close().await;
    let file = key_files(&config.keys).remove(0);
    let text = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    // Not even under --dev, where a first key is made.
    let why = refusal(Arc::clone(&folder), config.clone()).await;
    let kid = file.file_stem().unwrap().to_str().unwrap();
    assert!(why.contains(&format!("master key {kid} is missing")) && why.contains("from your backup"), "{why}");
    assert!(key_files(&config.keys).is_empty());
    std::fs::write(&file, text).unwrap();
    assert!(TestApp::open(folder, config, START).await.is_ok(), "put back, it serves");
}

#[tokio::test]
async fn another_key_under_the_same_name_is_refused() {
    let (folder, config, _) = TestApp::new().await.close().await;
    let file = key_files(&config.keys).remove(0);
    let kid: Kid = file.file_stem().unwrap().to_str().unwrap().parse().unwrap();
    let other = doorcode_core::MasterKey::from_parts(kid, [9; 32]);
    std::fs::write(&file, other.encode().expose()).unwrap();
    let why = refusal(Arc::clone(&folder), config.clone()).await;
    assert!(why.contains("is not the key that this database was served with"), "{why}");
    assert!(!why.contains(other.encode().expose().rsplit(' ').next().unwrap()), "and the reason holds no key");
    for broken in ["", "doorcode-master-v1", "hello"] {
        std::fs::write(&file, broken).unwrap();
        let why = refusal(Arc::clone(&folder), config.clone()).await;
        assert!(why.contains(&format!("master key {kid} is missing")), "{why}");
    }
}

#[tokio::test]
async fn several_keys_and_a_database_that_knows_none_are_refused() {
    let folder = Folder::new();
    let config = settings(&folder, &[]);
    for seed in [1, 2] {
        keyring::create(&config.keys, &Entropy::seeded(seed)).unwrap();
    }
    let why = refusal(Arc::clone(&folder), config.clone()).await;
    assert!(why.contains("several keys"), "{why}");
    std::fs::remove_file(key_files(&config.keys).remove(0)).unwrap();
    assert!(TestApp::open(folder, config, START).await.is_ok(), "one is taken, --dev or not");
}

#[tokio::test]
async fn a_key_is_never_written_over() {
    let folder = Folder::new();
    let dir = folder.path().join("keys");
    keyring::create(&dir, &Entropy::seeded(3)).unwrap();
    assert!(keyring::create(&dir, &Entropy::seeded(3)).is_err(), "the same name again");
    assert_eq!(keyring::files(&dir).unwrap().len(), 1);
}

fn key_of(body: &Value) -> String {
    body["team"]["api_key"].as_str().unwrap().to_owned()
}

async fn team(app: &TestApp, key: &str) -> (u16, String) {
    app.from(HERE).saying("x-api-key", key).get("/api-team").await.both()
}

pub(crate) async fn refresh(app: &TestApp) -> bool {
    app.app.keys.refresh(&app.app.db, app.now()).await.unwrap()
}

async fn stage(app: &TestApp, kid: Kid) -> Stage {
    let keys = master_keys::list(&app.app).await.unwrap();
    keys.into_iter().find(|key| key.row.kid == kid).unwrap().row.stage
}

#[tokio::test]
async fn a_rotation_breaks_no_code_and_no_key_on_the_way() {
    let app = TestApp::new().await;
    let old = app.app.keys.ring().active().kid;
    let bob = key_of(&app.from(HERE).sign_in("bob@example.com").await);
    // Codes that are alive when the key changes.
    let (ada, eve) = (app.code(ADA).await, app.code("eve@example.com").await);

    let new = master_keys::add(&app.app).await.unwrap();
    assert_eq!(app.app.keys.ring().active().kid, old);
    assert!(refresh(&app).await, "the server sees it");
    assert!(!refresh(&app).await, "once");
    master_keys::activate(&app.app, new).await.unwrap();
    assert!(refresh(&app).await);
    assert_eq!(app.app.keys.ring().active().kid, new);
    assert_eq!((stage(&app, old).await, stage(&app, new).await), (Stage::Accepted, Stage::Active));

    assert_eq!(app.code(ADA).await, ada, "a live challenge keeps its key: the same code again");
    let carol = key_of(&app.from(HERE).sign_in("carol@example.com").await);
    for key in [&bob, &carol] {
        assert_eq!(team(&app, key).await.0, 200);
    }
    assert_eq!(key_of(&app.from(HERE).sign_in("bob@example.com").await), bob, "while it lasts, the key is the same");

    assert!(
        matches!(master_keys::retire(&app.app, new, hours(48)).await, Err(Error::Conflict(_))),
        "not the active one"
    );
    let end = master_keys::retire(&app.app, old, hours(48)).await.unwrap();
    assert_eq!(end, app.now().plus(hours(48)));
    assert!(refresh(&app).await);
    assert_eq!(app.verify(ADA, &ada).await.status, 200, "made before, and right");
    let reissued = key_of(&app.from(HERE).sign_in("bob@example.com").await);
    assert_ne!(reissued, bob, "what is handed out now lasts");
    assert_eq!(key_of(&app.from(HERE).sign_in("bob@example.com").await), reissued);
    assert_eq!(
        (team(&app, &bob).await.0, team(&app, &reissued).await.0),
        (200, 200),
        "the old one works until the end"
    );

    app.advance(hours(48) - MOMENT);
    refresh(&app).await;
    assert_eq!(team(&app, &bob).await.0, 200);
    app.advance(MOMENT);
    assert!(refresh(&app).await);
    assert_eq!(team(&app, &bob).await, (401, error("Unauthorized")));
    assert_eq!((team(&app, &reissued).await.0, team(&app, &carol).await.0), (200, 200));
    assert_eq!(stage(&app, old).await, Stage::Retired);
    assert_eq!(app.verify("eve@example.com", &eve).await.both(), wrong());

    // Its file may go, and the house still opens.
    std::fs::remove_file(keyring::file_of(&app.app.config.keys, old)).unwrap();
    let (folder, config, now) = app.close().await;
    let app = TestApp::open(folder, config, now).await.unwrap();
    assert_eq!(team(&app, &reissued).await.0, 200);
}

#[tokio::test]
async fn a_key_that_the_server_has_not_seen_is_not_activated_under_it() {
    if postgres::is_wanted() {
        return; // There each server says which keys it has: see `nodes.rs`.
    }
    let app = TestApp::new().await;
    let serving = ServerLock::take(app.folder.path()).unwrap();
    let new = master_keys::add(&app.app).await.unwrap();
    let refused = master_keys::activate(&app.app, new).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    assert!(refresh(&app).await);
    master_keys::activate(&app.app, new).await.unwrap();
    drop(serving);
    // Where nobody serves, nobody has to see it first.
    let third = master_keys::add(&app.app).await.unwrap();
    master_keys::activate(&app.app, third).await.unwrap();
    let unknown = master_keys::activate(&app.app, "nosuchid".parse().unwrap()).await;
    assert!(matches!(unknown, Err(Error::NotFound)));
}

#[tokio::test]
async fn retirement_waits_for_the_longest_life() {
    let app = TestApp::new().await;
    let old = app.app.keys.ring().active().kid;
    let code = app.code(ADA).await;
    let new = master_keys::add(&app.app).await.unwrap();
    master_keys::activate(&app.app, new).await.unwrap();
    let end = master_keys::retire(&app.app, old, std::time::Duration::ZERO).await.unwrap();
    // A code of signed calls, and then its token for a day: longer than any other door's may be set to live.
    assert_eq!(end, app.now().plus(hours(24) + minutes(10)), "whatever grace was asked for");
    app.advance(hours(1) - MOMENT);
    refresh(&app).await;
    assert_eq!(app.verify(ADA, &code).await.status, 200);
    for refused in [old, new] {
        assert!(master_keys::retire(&app.app, refused, hours(1)).await.is_err());
    }
    assert!(master_keys::activate(&app.app, old).await.is_err(), "and there is no way back");
    assert_eq!(stage(&app, new).await, Stage::Active, "a refused step leaves the active one active");
}

#[tokio::test]
async fn a_house_without_an_active_key_does_not_open() {
    let app = TestApp::new().await;
    app.tamper("UPDATE master_keys SET state = 'accepted'");
    let (folder, config, _) = app.close().await;
    let why = refusal(folder, config).await;
    assert!(why.contains("no master key is active"), "{why}");
}
