//! The command line: what it explains, what it refuses to start with, and that it says why.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::process::{Folder, Home, Ran, ServerProcess, until};
use crate::sink::Sink;
use crate::talk::read_answer;

async fn doorcode(arguments: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorcode"));
    command.args(arguments);
    Ran::of(command).await
}

/// The commands that a help text lists.
fn commands(help: &str) -> Vec<String> {
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let words = list.take_while(|line| !line.is_empty()).filter(|line| !line.starts_with("   "));
    words.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_explains_itself_with_an_example() {
    let help = doorcode(&["--help"]).await.well();
    assert!(help.contains("Examples:\n  doorcode serve --dev"), "{help}");
    let top = commands(&help);
    for promised in ["serve", "org", "key", "send-test", "doctor", "backup", "migrate", "gen", "bench"] {
        assert!(top.iter().any(|name| name == promised), "{promised} is missing: {top:?}");
    }
    for name in top {
        let help = doorcode(&[&name, "--help"]).await.well();
        let inner = commands(&help);
        if inner.is_empty() {
            assert!(help.contains("Example"), "{name}: {help}");
        }
        let mut examples = 0;
        for inner in &inner {
            let help = doorcode(&[&name, inner, "--help"]).await.well();
            // These have no database: they run beside the person.
            let has_data = ["collect", "seal"].contains(&name.as_str()) || help.contains("--data <DIR>");
            assert!(has_data && help.contains("Usage:"), "{name} {inner}: {help}");
            examples += usize::from(help.contains("Example"));
        }
        assert!(inner.is_empty() || examples > 0, "{name}: none of {inner:?} has an example");
    }
    let nonsense = doorcode(&["sevre"]).await;
    assert_eq!(nonsense.status.code(), Some(2));
    assert!(nonsense.err.contains("'serve'"), "{}", nonsense.err);
    assert_eq!(doorcode(&["--version"]).await.well(), "doorcode 0.1.0\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_prints_one_line_and_answers_from_then_on() {
    let home = Home::dev("one-line");
    let server = home.serve().await;
    assert!(server.first_lines.is_empty(), "{:?}", server.first_lines);
    assert!(server.address.ip().is_loopback() && server.address.port() > 0);
    server.caller().is_served().await;
    let stopped = server.stop().await;
    assert_eq!(stopped.out, "", "nothing else is printed there");
    assert!(!stopped.log.contains("ERROR") && !stopped.log.contains("panicked"), "{}", stopped.log);
    assert!(!home.data.join("doorcode.db-wal").exists(), "a server that stops in order leaves one file");
}

const SLOW: &str =
    "POST /linkedin-agent/auth-send-otp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 28\r\n\r\n{\"email\":";

/// A request of which the server has read the head and waits for the rest.
async fn slow_request(server: &ServerProcess) -> TcpStream {
    let mut stream = server.caller().connect().await.unwrap();
    stream.write_all(SLOW.replacen("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n", 1).as_bytes()).await.unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).await.unwrap();
    assert!(interim.starts_with(b"HTTP/1.1 100 Continue"), "the body is being waited for");
    stream
}

async fn closed(server: &ServerProcess) {
    until("the listener closes", async || server.caller().connect().await.is_err().then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_lets_open_requests_end() {
    let mut home = Home::dev("drain");
    home.set("server.read_timeout", "60s");
    home.set("server.drain_timeout", "60s");
    let server = home.serve().await;
    let idle = server.caller().connect().await.unwrap();
    let mut slow = slow_request(&server).await;
    server.terminate().await;
    closed(&server).await;
    slow.write_all(b"\"slow@example.com\"}").await.unwrap();
    let answer = read_answer(&mut slow).await.unwrap();
    assert_eq!((answer.status, answer.text()), (200, r#"{"success":true,"email":"slow@example.com"}"#));
    let stopped = server.ended().await;
    assert_eq!(stopped.status.code(), Some(0), "{}", stopped.log);
    assert!(!stopped.log.contains("did not end in time"), "an idle connection holds nobody up: {}", stopped.log);
    drop(idle);
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_does_not_wait_for_ever() {
    let mut home = Home::dev("drain-most");
    home.set("server.read_timeout", "1h");
    home.set("server.answer_timeout", "1h");
    home.set("server.drain_timeout", "200ms");
    let server = home.serve().await;
    let _never_ends = slow_request(&server).await;
    let stopped = server.stop().await;
    assert!(stopped.log.contains("some requests did not end in time"), "{}", stopped.log);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_said_all_at_once() {
    let mut home = Home::bare("complaints");
    home.set("server.listen", "nowhere");
    home.set("signup.mode", "everybody");
    home.set("limits.send.stranger_hour", 0);
    home.set("log.level", "loud");
    let why = home.run(&["serve"]).await.refused();
    for complaint in ["server.listen: ", "server.public_url: is required without --dev", "signup.mode: ", "mail.host: "]
    {
        assert!(why.contains(&format!("error: {complaint}")), "{complaint}\n{why}");
    }
    for complaint in ["mail.from: ", "limits.send: ", "log.level: "] {
        assert!(why.contains(&format!("error: {complaint}")), "{complaint}\n{why}");
    }
    assert!(!home.data.exists(), "nothing was begun");
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_settings_that_can_not_work_are_said_before_listening() {
    let sink = Sink::open();
    for (setting, value) in [
        ("mail.from", "no-reply"),
        ("mail.reply_to", "nobody"),
        ("mail.ca_file", "/nonexistent"),
        ("mail.host", "mail.example.com"), // with security = none
        ("mail.password_file", "/nonexistent"),
        ("mail.username", "only"),
    ] {
        let mut home = Home::earnest("mail-settings", sink.port).await;
        home.set(setting, value);
        let ran = home.run(&["serve", "--listen", "127.0.0.1:0"]).await;
        assert_eq!(ran.out, "", "{setting}: it does not listen with that");
        let why = ran.refused();
        assert!(why.starts_with("error: mail."), "{setting}: {why}");
    }
}

/// Taken for a list of addresses, RFC 7239's header would make one network of everybody behind the proxy.
#[tokio::test(flavor = "multi_thread")]
async fn the_header_forwarded_is_refused_with_the_one_to_use() {
    let mut home = Home::dev("forwarded");
    home.set("proxy.trusted", vec!["10.0.0.0/8"]);
    for header in ["forwarded", "Forwarded"] {
        home.set("proxy.header", header);
        let why = home.run(&["serve", "--listen", "127.0.0.1:0"]).await.refused();
        assert!(why.starts_with("error: proxy.header: ") && why.contains("x-forwarded-for"), "{header}: {why}");
        assert_eq!(why.matches("error: ").count(), 1, "nothing else is wrong: {why}");
    }
    home.set("proxy.header", "X-Forwarded-For");
    home.serve().await.caller().is_served().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_settings_are_named_wherever_they_come_from() {
    let mut home = Home::dev("unknown");
    home.set("server.lisen", "127.0.0.1:1");
    home.set("doors.outx.code_length", 6);
    home.set("limits.send.stranger_hour", "six");
    home.environment("DOORCODE_MAIL__HOTS", "x");
    home.environment("DOORCODE_MAIL__PORT", "many");
    let why = home.run(&["serve"]).await.refused();
    for name in ["server.lisen: there is no such", "doors: there is no such", "DOORCODE_MAIL__HOTS: there is no such"] {
        assert!(why.contains(name), "{name}\n{why}");
    }
    for name in ["limits.send.stranger_hour: must be a number", "DOORCODE_MAIL__PORT: must be a number"] {
        assert!(why.contains(name), "{name}\n{why}");
    }
    assert!(why.contains("doorcode.toml: "), "the file is named: {why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_wins_over_the_file() {
    let mut home = Home::bare("environment");
    let print = ["send-test", "--print", "--to", "me@example.com"];
    assert!(home.run(&print).await.refused().contains("doorcode master init"), "no key, and how to make one");
    home.run(&["master", "init"]).await.well();
    assert!(home.run(&print).await.well().contains("Doorcode"), "the default");
    home.set("mail.product", "Filecraft");
    assert!(home.run(&print).await.well().contains("Filecraft"));
    home.environment("DOORCODE_MAIL__PRODUCT", "Airworthy");
    let mail = home.run(&print).await.well();
    assert!(mail.starts_with("Subject: ") && mail.contains("Airworthy") && !mail.contains("Filecraft"), "{mail}");
    assert!(mail.contains("\n000000\n"), "{mail}");
    home.environment("DOORCODE_MAIL_PRODUCT", "Once");
    let why = home.run(&print).await.refused();
    assert!(why.contains("DOORCODE_MAIL_PRODUCT"), "one underscore too few is a mistake, not nothing: {why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn send_test_sends_one_real_mail() {
    let sink = Sink::open();
    let home = Home::earnest("send-test", sink.port).await;
    let said = home.run(&["send-test", "--to", "Me@Example.com"]).await.well();
    assert_eq!((said.trim(), sink.codes("me@example.com")), ("the mail server took it", vec!["000000".to_owned()]));
    assert!(home.run(&["send-test", "--to", "nobody"]).await.refused().contains("email"));
    let why = home.run(&["send-test", "--to", "refused@example.com"]).await.refused();
    assert!(why.contains("550") && !why.contains("panicked"), "{why}");
    home.run(&["send-test", "--to", "you@example.com", "--print"]).await.well();
    assert_eq!(sink.count(), 1, "printing sends nothing");
    for (language, complains) in [("en-US,en;q=0.8", false), ("tlh,en", true)] {
        let ran = home.run(&["send-test", "--to", "you@example.com", "--print", "--language", language]).await;
        assert_eq!(ran.err.contains("no texts in tlh"), complains, "{}", ran.err);
        assert_eq!(ran.err.contains("no texts"), complains, "{}", ran.err);
        ran.well();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_say_what_the_operator_wrote() {
    let mut home = Home::bare("templates");
    home.run(&["master", "init"]).await.well();
    let (templates, html) = (home.beside("templates"), home.beside("mail.html"));
    fs::create_dir(&templates).unwrap();
    fs::write(templates.join("de.toml"), "subject = \"{product}: Zugang\"\n").unwrap();
    home.set("mail.templates", templates.to_str().unwrap());
    let ask = |language| ["send-test", "--to", "me@example.com", "--preview", "--language", language];
    assert!(home.run(&ask("de")).await.well().starts_with("Subject: Doorcode: Zugang\n\nGuten Tag,"));
    let written = [&ask("ar")[..], &["--link", "--html", html.to_str().unwrap()]].concat();
    assert!(home.run(&written).await.well().contains("\u{631}\u{645}\u{632}"), "the word for a code");
    let html = fs::read_to_string(&html).unwrap();
    assert!(html.contains("<html lang=\"ar\" dir=\"rtl\">") && html.contains("href="), "{html}");
    fs::write(templates.join("ar.toml"), "subjekt = \"x\"\nintro = \"{code}\"\n").unwrap();
    fs::write(templates.join("tlh.toml"), "").unwrap();
    for command in [&ask("de")[..], &["doctor"], &["serve"]] {
        let why = home.run(command).await.refused();
        for mistake in ["ar.toml: subjekt: ", "ar.toml: intro: ", "tlh.toml: "] {
            assert!(why.contains(&format!("mail.templates: {mistake}")), "{why}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_its_master_key_does_not_start() {
    let sink = Sink::open();
    let home = Home::earnest("lost-key", sink.port).await;
    home.serve().await.stop().await;
    let keys = home.data.join("keys");
    let (safe, file) = (home.beside("safe"), only_key(&keys));
    fs::rename(&keys, &safe).unwrap();
    let why = home.run(&["serve", "--listen", "127.0.0.1:0"]).await.refused();
    assert!(why.contains("is missing") && why.contains("Put the file back from your backup"), "{why}");
    assert!(!keys.exists(), "no new key is made for an old database");
    let why = home.run(&["org", "create", "--name", "Acme"]).await.refused();
    assert!(why.contains("is missing"), "nor for a command: {why}");

    let other = Home::earnest("other-key", sink.port).await;
    let name = file.file_name().unwrap();
    fs::create_dir(&keys).unwrap();
    fs::copy(only_key(&other.data.join("keys")), keys.join(name)).unwrap();
    let why = home.run(&["serve", "--listen", "127.0.0.1:0"]).await.refused();
    assert!(why.contains("is not the key that this database was served with"), "{why}");
    fs::write(keys.join(name), "").unwrap();
    assert!(home.run(&["serve", "--listen", "127.0.0.1:0"]).await.refused().contains("master key"));

    fs::remove_dir_all(&keys).unwrap();
    fs::rename(&safe, &keys).unwrap();
    home.serve().await.caller().is_served().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_its_owner_reads_the_data() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let sink = Sink::open();
    // However the directory was made: by a key, by `serve`, by `migrate`, or by somebody who lets others look in.
    let (by_key, by_serve) = (Home::earnest("mode", sink.port).await, Home::dev("mode"));
    let (by_migrate, shared) = (Home::bare("mode"), Home::dev("mode"));
    by_migrate.run(&["migrate"]).await.well();
    fs::create_dir(&shared.data).unwrap();
    fs::set_permissions(&shared.data, fs::Permissions::from_mode(0o755)).unwrap();
    let servers = [by_key.serve().await, by_serve.serve().await, shared.serve().await];
    for home in [&by_key, &by_serve, &by_migrate] {
        assert_eq!(mode(&home.data), 0o700);
    }
    assert_eq!(mode(&by_migrate.data.join("doorcode.db")), 0o600);
    for home in [&by_key, &by_serve, &shared] {
        assert_eq!(mode(&home.data.join("keys")), 0o700);
        assert_eq!(mode(&only_key(&home.data.join("keys"))), 0o600);
        for file in ["doorcode.db", "doorcode.db-wal", "doorcode.db-shm", "serve.lock"] {
            assert_eq!(mode(&home.data.join(file)), 0o600, "{file}");
        }
    }
    for server in servers {
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_can_not_be_is_named() {
    let mut home = Home::dev("no-place");
    home.data = home.beside("doorcode.toml");
    for arguments in [["serve", "--listen", "127.0.0.1:0"].as_slice(), &["migrate"], &["org", "list"]] {
        let why = home.run(arguments).await.refused();
        assert!(why.contains("doorcode.toml can't be made") && why.contains("--data"), "{why}");
        assert!(!why.contains("temporarily"), "it will not go by itself: {why}");
    }
}

fn only_key(keys: &Path) -> std::path::PathBuf {
    let files = fs::read_dir(keys).unwrap().map(|entry| entry.unwrap().path());
    files.into_iter().find(|file| file.extension().is_some_and(|extension| extension == "key")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_key_is_made_on_purpose_and_once() {
    let sink = Sink::open();
    let home = Home::earnest("init", sink.port).await;
    assert!(home.run(&["master", "init"]).await.refused().contains("there is a master key already"));
    let mut bare = Home::bare("no-key");
    for (setting, value) in [("server.public_url", "https://x.example"), ("mail.from", "x@x.example")] {
        bare.set(setting, value);
    }
    bare.set("mail.host", "mail.x.example");
    let why = bare.run(&["serve", "--listen", "127.0.0.1:0"]).await.refused();
    assert!(why.contains("there is no master key") && why.contains("doorcode master init"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn dev_stays_on_this_machine_and_off_real_data() {
    let dev = Home::dev("dev");
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let why = dev.run(&["serve", "--listen", listen]).await.refused();
        assert!(why.contains("--dev listens on loopback only"), "{listen}: {why}");
    }
    let sink = Sink::open();
    let home = Home::earnest("served", sink.port).await;
    home.serve().await.stop().await;
    let served = Ran::of(home.command(&["serve", "--dev", "--listen", "127.0.0.1:0"])).await.refused();
    assert!(served.contains("this database has served without --dev"), "{served}");
    home.serve().await.caller().is_served().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dev_answers_to_the_names_of_this_machine_only() {
    let server = Home::dev("host").serve().await;
    let port = server.address.port();
    let caller = server.caller();
    for (host, status) in [
        (format!("127.0.0.1:{port}"), 200),
        (format!("localhost:{port}"), 200),
        ("LOCALHOST".to_owned(), 200),
        (format!("[::1]:{port}"), 200),
        ("codes.example.com".to_owned(), 421),
        (format!("localhost.example.com:{port}"), 421),
        ("127.0.0.1.example.com".to_owned(), 421),
        ("192.168.0.1".to_owned(), 421),
        ("0.0.0.0".to_owned(), 421),
        ("[::ffff:192.0.2.1]".to_owned(), 421),
        (String::new(), 421),
    ] {
        for path in ["/dev/inbox.json", "/dev/inbox", "/", "/healthz", "/no/such"] {
            let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
            let answer = caller.send(request.as_bytes()).await.unwrap();
            let wanted = if path == "/no/such" && status == 200 { 404 } else { status };
            assert_eq!(answer.status, wanted, "{host} {path}");
        }
    }
    // In earnest a reverse proxy decides which hosts there are, and nothing of /dev exists.
    let sink = Sink::open();
    let server = Home::earnest("host-earnest", sink.port).await.serve().await;
    let request = "GET /healthz HTTP/1.1\r\nHost: codes.example.com\r\nConnection: close\r\n\r\n";
    assert_eq!(server.caller().send(request.as_bytes()).await.unwrap().status, 200);
    for path in ["/dev/inbox", "/dev/inbox.json", "/dev/floor"] {
        assert_eq!(server.caller().get(path).await.unwrap().status, 404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_in_use_is_said() {
    let home = Home::dev("in-use");
    let first = home.serve().await;
    let second = Home::dev("in-use");
    let why = second.run(&["serve", "--listen", &first.address.to_string()]).await.refused();
    assert!(why.contains("can't listen on") && why.contains("--listen"), "{why}");
    tokio::time::timeout(Duration::from_secs(30), first.caller().is_served()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn generated_files_are_what_is_committed() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    if repository.join("openapi.json").exists() {
        doorcode(&["gen", "--check", "--root", repository.to_str().unwrap()]).await.well();
    }
    let folder = Folder::new("gen");
    let root = folder.join("");
    let root = root.to_str().unwrap();
    assert!(doorcode(&["gen", "--check", "--root", root]).await.refused().contains("openapi.json is out of date"));
    assert_eq!(doorcode(&["gen", "--root", root]).await.well(), "openapi.json written\ndocs/cli.md written\n");
    assert_eq!(doorcode(&["gen", "--root", root]).await.well(), "", "the second time there is nothing to write");
    doorcode(&["gen", "--check", "--root", root]).await.well();
    let document = fs::read_to_string(folder.join("openapi.json")).unwrap();
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert!(document["paths"]["/linkedin-agent/auth-send-otp"]["post"].is_object());
    fs::write(folder.join("docs/cli.md"), "old").unwrap();
    assert!(doorcode(&["gen", "--check", "--root", root]).await.refused().contains("docs/cli.md is out of date"));
}
