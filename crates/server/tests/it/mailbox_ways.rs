//! How a collector comes to a mailbox: STARTTLS with a chain of certificates, access tokens that the mail server has checked by whoever gave
//! them, and a server that does not push. Each with the attack: somebody in between, who wants the password.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use doorcode::cli::post::{Extra, Wire};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::app::Folder;
use crate::dovecot::Dovecot;
use crate::mailbox::{CODE, PASSWORD, SECRET, Scene, Way};
use crate::smtp_server::openssl;

const TLS: &str = "ssl = required\nssl_cert = <{dir}/chain.pem\nssl_key = <{dir}/server.key\n";

/// An authority, one that it vouches for, and a certificate of that one's for `localhost`: the chain, its key, and the file to trust.
fn chain(folder: &Path) -> (String, String) {
    let new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    let sign = |who: &str, by: &str| {
        let (csr, crt, extension) = (format!("{who}.csr"), format!("{who}.crt"), format!("{who}.txt"));
        let (authority, key) = (format!("{by}.crt"), format!("{by}.key"));
        let made = ["req", "-subj", &format!("/CN={who}"), "-keyout", &format!("{who}.key"), "-out", &csr];
        openssl(folder, &made, &new);
        let signed = ["x509", "-req", "-in", &csr, "-CA", &authority, "-CAkey", &key, "-CAcreateserial"];
        openssl(folder, &signed, &["-days", "2", "-extfile", &extension, "-out", &crt]);
    };
    fs::write(folder.join("between.txt"), "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n")
        .unwrap();
    fs::write(folder.join("server.txt"), "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n").unwrap();
    let root = ["req", "-x509", "-days", "2", "-subj", "/CN=Authority", "-keyout", "root.key", "-out", "root.crt"];
    openssl(folder, &root, &new);
    sign("between", "root");
    sign("server", "between");
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    (read("server.crt") + &read("between.crt"), read("server.key"))
}

/// A scene whose IMAP server has a certificate for `localhost`, and the file that makes it trusted.
async fn secured() -> Option<(Scene, Arc<Folder>, String)> {
    let folder = Folder::new();
    fs::create_dir_all(folder.path()).unwrap();
    let (chain, key) = chain(folder.path());
    let extra = Extra { settings: TLS, files: &[("chain.pem", &chain), ("server.key", &key)] };
    let trusted = folder.path().join("root.crt").display().to_string();
    Some((Scene::over(Dovecot::with(PASSWORD, &extra)?, &[]).await, folder, trusted))
}

/// Nothing of a secret, nor of a sign-in, in what went over the wire.
fn holds_nothing(said: &str) {
    for word in [PASSWORD, "LOGIN", "AUTHENTICATE"] {
        assert!(!said.contains(word), "{said}");
    }
}

#[tokio::test]
async fn by_starttls_a_code_comes_and_nothing_in_the_clear() {
    let Some((scene, _folder, trusted)) = secured().await else { return };
    let wire = Wire::before(scene.dovecot.port).await.unwrap();
    let agent = scene.agent(1).await;
    let way = Way { host: "localhost", port: wire.port, security: "starttls", ..scene.way() };
    let collector = scene.begin(&[&agent], way, &["--ca-file", &trusted]).await;
    collector.watches().await;
    let id = scene.approved(&agent, "*@acme.com").await;
    scene.dovecot.deliver(&scene.acme(1, CODE));
    assert_eq!(scene.code(&agent, id).await, CODE);
    let said = wire.said();
    assert!(said.contains("STARTTLS\r\n"), "{said}");
    holds_nothing(&said);
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_or_of_another_host_gets_no_password() {
    let Some((scene, _folder, trusted)) = secured().await else { return };
    let wire = Wire::before(scene.dovecot.port).await.unwrap();
    let untrusted = Way { host: "localhost", port: wire.port, security: "starttls", ..scene.way() };
    let collector = scene.begin(&[], untrusted, &[]).await;
    collector.says("the certificate is not trusted or not for this host").await;
    let (state, ca) = (scene.folder.path().join("other.json").display().to_string(), ["--ca-file", &trusted]);
    let another_host = Way { host: "127.0.0.1", ..untrusted };
    let collector = scene.begin(&[], another_host, &[&ca[..], &["--state", &state]].concat()).await;
    collector.says("the certificate is not trusted or not for this host").await;
    let said = wire.said();
    assert!(said.contains("STARTTLS\r\n"), "{said}");
    holds_nothing(&said);
}

/// Somebody in between says that there is no TLS here.
#[tokio::test]
async fn a_server_without_starttls_gets_no_password() {
    let Some(scene) = Scene::new().await else { return };
    let wire = Wire::before(scene.dovecot.port).await.unwrap();
    let way = Way { port: wire.port, security: "starttls", ..scene.way() };
    let collector = scene.begin(&[], way, &[]).await;
    collector.says("it is tried again").await;
    let said = wire.said();
    assert!(said.contains("STARTTLS\r\n"), "{said}");
    holds_nothing(&said);
}

/// Somebody in between puts answers behind the go-ahead for TLS, in the clear: to be taken for what comes out of it.
#[tokio::test]
async fn answers_from_before_tls_count_for_nothing() {
    let Some((scene, _folder, trusted)) = secured().await else { return };
    let (listener, server) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), scene.dovecot.port);
    let port = listener.local_addr().unwrap().port();
    let slipped = Arc::new(Mutex::new(0));
    let count = Arc::clone(&slipped);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
            let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
            tokio::spawn(hand_on(from_client, to_server, None));
            tokio::spawn(hand_on(from_server, to_client, Some(Arc::clone(&count))));
        }
    });
    let agent = scene.agent(1).await;
    let way = Way { host: "localhost", port, security: "starttls", ..scene.way() };
    let collector = scene.begin(&[&agent], way, &["--ca-file", &trusted]).await;
    collector.watches().await;
    let id = scene.approved(&agent, "*@acme.com").await;
    scene.dovecot.deliver(&scene.acme(1, CODE));
    assert_eq!(scene.code(&agent, id).await, CODE);
    assert!(*slipped.lock().unwrap() > 0, "or this test proves nothing");
    assert!(!collector.text().contains("refuses user or password"), "{}", collector.text());
}

/// Hands on what comes; behind the go-ahead for TLS a no to every command that could follow.
async fn hand_on(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    slips: Option<Arc<Mutex<usize>>>,
) -> std::io::Result<()> {
    let mut some = vec![0; 64 * 1024];
    loop {
        let length = from.read(&mut some).await?;
        let mut said = some[..length].to_vec();
        if let Some(count) = slips.as_ref().filter(|_| said.windows(9).any(|words| words == b"Begin TLS")) {
            for number in 0..10 {
                said.extend(format!("A{number:04} NO [AUTHENTICATIONFAILED] go away\r\n").into_bytes());
            }
            *count.lock().unwrap() += 1;
        }
        if length == 0 {
            return to.shutdown().await;
        }
        to.write_all(&said).await?;
    }
}

/// Whoever gives tokens out, as far as a mail server asks them: whether one is good, and whose.
async fn introspection(good: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut asked = Vec::new();
                while !asked.windows(4).any(|end| end == b"\r\n\r\n") && stream.read_buf(&mut asked).await.unwrap() > 0
                {
                }
                let active = String::from_utf8(asked).unwrap().contains(&format!("Authorization: Bearer {good}\r\n"));
                let body = format!(r#"{{"active":{active},"username":"ada"}}"#);
                let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length";
                let answer = format!("{head}: {}\r\n\r\n{body}", body.len());
                stream.write_all(answer.as_bytes()).await.unwrap();
            });
        }
    });
    port
}

#[tokio::test]
async fn an_access_token_signs_in_and_a_new_one_takes_the_place_of_one_that_is_over() {
    let (stale, good) = ("ya29.stale-token", "ya29.fresh-token");
    let endpoint = format!(
        "introspection_url = http://127.0.0.1:{}/introspect\nintrospection_mode = auth\nforce_introspection = yes\n\
         username_attribute = username\nactive_attribute = active\nactive_value = true\n",
        introspection(good).await
    );
    let settings =
        "auth_mechanisms = xoauth2\npassdb {\n driver = oauth2\n mechanisms = xoauth2\n args = {dir}/oauth2.conf\n}\n";
    let extra = Extra { settings, files: &[("oauth2.conf", &endpoint)] };
    let Some(dovecot) = Dovecot::with(PASSWORD, &extra) else { return };
    let scene = Scene::over(dovecot, &[]).await;
    let agent = scene.agent(1).await;
    let way = Way { secret: ("--token-file", stale), ..scene.way() };
    let collector = scene.begin(&[&agent], way, &[]).await;
    collector.says("refuses user or password").await;
    fs::write(scene.folder.path().join(SECRET), format!("{good}\n")).unwrap();
    collector.watches().await;
    let id = scene.approved(&agent, "*@acme.com").await;
    scene.dovecot.deliver(&scene.acme(1, CODE));
    assert_eq!(scene.code(&agent, id).await, CODE);
    let said = collector.text();
    assert!(!said.contains(stale) && !said.contains(good), "{said}");
}

#[tokio::test]
async fn a_server_that_does_not_push_is_asked() {
    let extra = Extra { settings: "imap_capability = IMAP4rev1 SASL-IR LITERAL+\n", files: &[] };
    let Some(dovecot) = Dovecot::with(PASSWORD, &extra) else { return };
    let scene = Scene::over(dovecot, &[]).await;
    let wire = Wire::before(scene.dovecot.port).await.unwrap();
    let agent = scene.agent(1).await;
    let collector = scene.begin(&[&agent], Way { port: wire.port, ..scene.way() }, &[]).await;
    collector.watches().await;
    let id = scene.approved(&agent, "*@acme.com").await;
    scene.dovecot.deliver(&scene.acme(1, CODE));
    assert_eq!(scene.code(&agent, id).await, CODE);
    let said = wire.said();
    assert!(said.contains(" NOOP\r\n") && !said.contains("IDLE"), "{said}");
}
