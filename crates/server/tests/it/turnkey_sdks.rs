//! The clients that people have for signed calls, unmodified but for where the server is (tests/sdks, installed by ./check): a person signs up,
//! their code becomes a key that is sealed to their device, the key signs, is listed and removed, ends; wrong codes, and a locked one. Each
//! says what it saw, a line a thing. Where there is no Node, that is said and nothing is tried.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tokio::process::Command;

use crate::postgres;
use crate::process::{Home, Ran, ServerProcess};
use crate::smtp_server::python;

/// What every client sees of the journey; `{…}` stands for how it words an error.
const JOURNEY: &str = "\
code: 9 characters
sealed: for the user
whoami: the user
keys: CREDENTIAL_TYPE_OTP_AUTH_KEY_P256, 900 s
added: 2 keys
deleted: that one
left: the second
deleted key: {16: could not find public key in organization or its parent organization: PUBLIC_KEY_NOT_FOUND}
expired key: {16: expired api key: API_KEY_EXPIRED}
digits: true
wrong code, first: {3: Invalid OTP code: INVALID_OTP_CODE}
wrong code, second: {3: Invalid OTP code: INVALID_OTP_CODE}
wrong code, third: {3: Invalid OTP code: INVALID_OTP_CODE}
right code, locked: {3: Invalid OTP code: INVALID_OTP_CODE}";

/// The way of the wallets: a token of the contact's, exchanged for a session.
const TOKENS: &str = "\
session: SESSION_TYPE_READ_WRITE, true
signature of the session: true
whoami: the user
token again: {3: invalid verification token: REQUEST_INVALID}";

/// The client whose tokens are of today's form, and can be read by a page.
const BOUND: &str = "token: of the contact, for the key";

/// What the client of pages sees, by the proxy.
const PROXY: &str = "\
first: SIGNUP
whoami: the user
organization: their own
user: ada.core@example.com
again: LOGIN
the same user: true
keys: CREDENTIAL_TYPE_LOGIN,CREDENTIAL_TYPE_LOGIN
left: 1 key
sealed: a key of the user
signs: for the user
expired key: {16: expired api key: API_KEY_EXPIRED}
expired session: {16: expired api key: API_KEY_EXPIRED}
first: INVALID_OTP_CODE
second: INVALID_OTP_CODE
third: INVALID_OTP_CODE
right code, locked: INVALID_OTP_CODE";

/// How a client words an error: by its number, its message and its name.
type Words = fn(&str, &str, &str) -> String;

/// As the clients for JavaScript do.
fn javascript(number: &str, message: &str, name: &str) -> String {
    let details =
        format!(r#"{{"@type":"type.googleapis.com/errors.v1.TurnkeyErrorDetail","turnkeyErrorCode":"{name}"}}"#);
    format!("Turnkey error {number}: {message} (Details: [{details}])")
}

/// As the one for Python does.
fn of_python(_: &str, message: &str, _: &str) -> String {
    message.to_owned()
}

/// Expected lines, with errors in a client's words.
fn worded(lines: &str, words: Words) -> Vec<String> {
    let said = |line: &str| {
        let Some((before, error)) = line.split_once('{') else { return line.to_owned() };
        let parts: Vec<&str> = error.trim_end_matches('}').split(": ").collect();
        let [number, message, name] = parts[..] else { panic!("{line}") };
        format!("{before}{}", words(number, message, name))
    };
    lines.lines().map(said).collect()
}

/// A server with an organisation whose backend signs.
struct Stand {
    home: Home,
    server: ServerProcess,
    organization: String,
    environment: Vec<(&'static str, String)>,
}

impl Stand {
    async fn new(name: &str) -> Self {
        let mut home = Home::dev(name);
        if postgres::is_wanted() {
            home.set("database.url", postgres::shared().unwrap().database());
        }
        let file = home.beside("backend.key");
        let mut key = Command::new(env!("CARGO_BIN_EXE_doorcode"));
        key.args(["seal", "key", "--json", "--out"]).arg(&file);
        let key: Value = serde_json::from_str(&Ran::of(key).await.well()).unwrap();
        let public = key["compressed"].as_str().unwrap().to_owned();
        let made = home.run(&["org", "create", "--name", "Acme", "--stamp-key", &public, "--json"]).await.well();
        let made: Value = serde_json::from_str(&made).unwrap();
        let organization = made["organization_id"].as_str().unwrap().to_owned();
        home.run(&["org", "raise", "--org", &organization]).await.well();
        let server = home.serve().await;
        let environment = vec![
            ("SERVER", format!("http://{}", server.address)),
            ("ORGANIZATION", organization.clone()),
            ("PUBLIC_KEY", public),
            ("PRIVATE_KEY", fs::read_to_string(file).unwrap().trim_end().to_owned()),
        ];
        Self { home, server, organization, environment }
    }

    /// What a client says.
    async fn says(&self, mut client: Command) -> Vec<String> {
        client.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let ran = Ran::of(client).await;
        let log = self.server.log();
        assert!(ran.status.success(), "{}\n{}{log}", ran.out, ran.err);
        assert!(!log.contains("panicked") && !log.contains("internal error"), "{log}");
        ran.out.lines().map(str::to_owned).collect()
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdks")
}

/// A client of tests/sdks; none where there is no Node.
#[expect(clippy::print_stderr, reason = "whoever runs the tests must hear what was not run")]
async fn node(script: &str, arguments: &[&str]) -> Option<Command> {
    let mut version = Command::new("node");
    version.arg("--version");
    if version.output().await.is_err() {
        eprintln!("skipped: there is no Node here; ./check installs it");
        return None;
    }
    let folder = folder();
    let shown = folder.display();
    assert!(
        folder.join("node_modules").is_dir(),
        "the clients are not installed: run ./check, or npm ci --prefix {shown}"
    );
    let mut command = Command::new("node");
    command.arg(folder.join(script)).args(arguments);
    Some(command)
}

/// The client of a generation of backends says this.
async fn backend(generation: &str, expected: &[&str]) {
    let Some(client) = node("sdk-server.mjs", &[generation]).await else { return };
    let stand = Stand::new(&format!("sdk-server-{generation}")).await;
    let expected: Vec<String> = expected.iter().flat_map(|lines| worded(lines, javascript)).collect();
    assert_eq!(stand.says(client).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn turnkey_http_6_6_0() {
    let Some(client) = node("http.mjs", &[]).await else { return };
    let mut expected = worded(JOURNEY, javascript);
    expected.push("mail: Send, true".to_owned());
    assert_eq!(Stand::new("sdk-http").await.says(client).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn turnkey_sdk_server_4_1_0() {
    backend("4", &[JOURNEY, TOKENS]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn turnkey_sdk_server_5_3_0() {
    backend("5", &[JOURNEY, TOKENS]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn turnkey_sdk_server_8_2_1() {
    backend("8", &[JOURNEY, BOUND, TOKENS]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn turnkey_core_1_14_1_by_the_proxy() {
    let Some(client) = node("core.mjs", &[]).await else { return };
    let stand = Stand::new("sdk-core").await;
    let open = ["org", "proxy", "--org", &stand.organization, "--origin", "https://app.example.com"];
    stand.home.run(&open).await.well();
    assert_eq!(stand.says(client).await, worded(PROXY, javascript));
}

#[tokio::test(flavor = "multi_thread")]
async fn turnkey_http_0_2_0_for_python() {
    let stand = Stand::new("sdk-python").await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/clients/turnkey_client.py");
    let mut client = Command::new(python());
    client.arg(script).env("DOORCODE", env!("CARGO_BIN_EXE_doorcode")).env("FOLDER", stand.home.beside(""));
    assert_eq!(stand.says(client).await, worded(JOURNEY, of_python));
}

/// What is installed is what the facts name, and nothing else.
#[test]
fn the_clients_are_those_that_the_facts_name() {
    let lock: Value = serde_json::from_str(&fs::read_to_string(folder().join("package-lock.json")).unwrap()).unwrap();
    for (place, version) in [
        ("@turnkey/http", "6.6.0"),
        ("@turnkey/core", "1.14.1"),
        ("@turnkey/crypto", "2.13.2"),
        ("@turnkey/api-key-stamper", "0.6.17"),
        ("sdk-server-4", "4.1.0"),
        ("sdk-server-5", "5.3.0"),
        ("sdk-server-8", "8.2.1"),
    ] {
        assert_eq!(lock["packages"][format!("node_modules/{place}")]["version"], version, "{place}");
    }
    let text = lock.to_string();
    assert!(!text.contains("resolved"), "the lock file names no registry");
}
