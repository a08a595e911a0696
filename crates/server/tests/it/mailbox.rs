//! Codes that come to a person's mailbox: a real IMAP server, mails that are signed as senders sign them, and `doorcode collect` beside it
//! as a process of its own. Each code is opened with the agent's key, or is nowhere.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::fs;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use doorcode::app::App;
use doorcode::cli::post::Sender;
use doorcode::config::Config;
use doorcode::deliver::inbox::Entry;
use doorcode::deliver::mime;
use doorcode::entropy::Entropy;
use doorcode::ops::audit::Whose;
use doorcode::ops::relays::{self, Approver, Ask, Asking, By, Consumed, Identity, Word, Yes};
use doorcode::ops::{agents, devices, orgs, users};
use doorcode_core::relay::{Named as _, State};
use doorcode_core::seal::{Context, IdentitySigner, PrivateKey, Statement};
use doorcode_core::{Email, RelayId, Secret, Timestamp, hex};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::app::{Folder, settings};
use crate::dovecot::{Dovecot, USER};
use crate::postgres;
use crate::process::{PATIENCE, until};
use crate::talk::Caller;

pub(crate) const PASSWORD: &str = "imap-secret-words";
/// The person's address.
pub(crate) const ADA: &str = "ada@home.example";
/// The file that a collector has its password or token in.
pub(crate) const SECRET: &str = "secret.txt";
/// What an agent waits for.
pub(crate) const CODE: &str = "482913";

/// A house with a person, their mailbox, and one that signs mails.
pub(crate) struct Scene {
    pub(crate) app: Arc<App>,
    pub(crate) whose: Whose,
    pub(crate) dovecot: Dovecot,
    pub(crate) folder: Arc<Folder>,
    pub(crate) address: SocketAddr,
    pub(crate) sender: Sender,
    served: Option<Served>,
}

/// A house that is served, until told.
pub(crate) struct Served {
    stop: tokio::sync::oneshot::Sender<()>,
    /// Dropped without a word, it is as dead as after `kill -9`.
    pub(crate) task: tokio::task::JoinHandle<()>,
}

impl Served {
    /// Opens a house and serves it.
    pub(crate) async fn begin(config: Config) -> (Arc<App>, SocketAddr, Self) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (app, waiting) = App::open(config, None, Entropy::real()).await.unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let serving = Arc::clone(&app);
        let task = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            doorcode::serve::run(serving, waiting, listener, stopped).await.unwrap();
        });
        (app, address, Self { stop, task })
    }

    /// Ends in order.
    pub(crate) async fn end(self) {
        let _ = self.stop.send(());
        self.task.await.unwrap();
    }
}

/// An agent with keys of its own.
pub(crate) struct Agent {
    pub(crate) asking: Asking,
    pub(crate) key: PrivateKey,
    pub(crate) identity: IdentitySigner,
}

/// How a collector comes to the mailbox.
#[derive(Clone, Copy)]
pub(crate) struct Way<'a> {
    pub(crate) host: &'a str,
    pub(crate) port: u16,
    pub(crate) security: &'a str,
    /// By what it signs in: the option, and what is in its file.
    pub(crate) secret: (&'a str, &'a str),
}

impl Scene {
    /// None where there is no IMAP server.
    pub(crate) async fn new() -> Option<Self> {
        Self::with(&[]).await
    }

    /// The same, over a mailbox of the test's own.
    pub(crate) async fn over(dovecot: Dovecot, more: &[(&str, &str)]) -> Self {
        Self::made(dovecot, more, None).await
    }

    /// The same under these settings. Dovecot may be spoken to.
    pub(crate) async fn with(more: &[(&str, &str)]) -> Option<Self> {
        Some(Self::made(Dovecot::start(PASSWORD)?, more, None).await)
    }

    /// The same, on this database.
    pub(crate) async fn on(url: &str, more: &[(&str, &str)]) -> Option<Self> {
        Some(Self::made(Dovecot::start(PASSWORD)?, more, Some(url)).await)
    }

    async fn made(dovecot: Dovecot, more: &[(&str, &str)], url: Option<&str>) -> Self {
        let sender = Sender::new().unwrap();
        let folder = Folder::new();
        let (dns, own) = (sender.names.to_string(), "codes.house.example");
        let imap = format!("127.0.0.1:{}", dovecot.port);
        let mut environment = vec![("DOORCODE_CAPTURE__DNS", dns.as_str()), ("DOORCODE_CAPTURE__OWN_DOMAINS", own)];
        environment.push(("DOORCODE_EGRESS__ALLOW", &imap));
        environment.extend(more);
        let mut config = settings(&folder, &environment);
        if let Some(url) = url {
            config.database = Some(Arc::new(postgres::settings(url, 8)));
        }
        let (app, address, served) = Served::begin(config).await;
        let org = orgs::create(&app, "Ada's").await.unwrap().id;
        let email = Email::parse(ADA).unwrap();
        let user = users::create(&app, org, "Ada", Some(email), None).await.unwrap().id;
        let whose = Whose { org, owner: user.parse().unwrap() };
        Self { app, whose, dovecot, folder, address, sender, served: Some(served) }
    }

    /// Ends the house.
    pub(crate) async fn end(&mut self) {
        self.served.take().unwrap().end().await;
    }

    /// Opens it again.
    pub(crate) async fn again(&mut self) {
        self.again_with(self.app.config.clone()).await;
    }

    /// The same, with other settings.
    pub(crate) async fn again_with(&mut self, config: Config) {
        let (app, address, served) = Served::begin(config).await;
        (self.app, self.address, self.served) = (app, address, Some(served));
    }

    /// It dies without a word.
    pub(crate) fn kill(&mut self) {
        self.served.take().unwrap().task.abort();
    }

    pub(crate) async fn agent(&self, seed: u8) -> Agent {
        let wanted = agents::Wanted { name: format!("Agent {seed}"), description: None, test: false, identity: None };
        let made = agents::create(&self.app, self.whose, wanted, None).await.unwrap();
        Agent {
            asking: Asking { agent: made.agent, test: false },
            key: PrivateKey::from_seed(Secret::new([seed; 32])),
            identity: IdentitySigner::from_seed(Secret::new([seed + 100; 32])),
        }
    }

    /// A request of an agent for a sender's code, which the person has said yes to.
    pub(crate) async fn approved(&self, agent: &Agent, pattern: &str) -> RelayId {
        let ask = self.ask(agent, pattern, agent.key.public().unwrap().encode().unwrap());
        self.request(agent, ask).await
    }

    pub(crate) fn ask(&self, agent: &Agent, pattern: &str, sent_key: String) -> Ask {
        let signed_at = self.app.clock.now();
        let id = agent.asking.agent.id.shown();
        let statement = Statement {
            agent: &id,
            expected_sender: "",
            sender_pattern: pattern,
            content_pattern: "",
            reason: "Sign up",
            signed_at,
            ttl: 300,
        };
        let signature = agent.identity.sign(&statement, &agent.key.public().unwrap()).unwrap();
        let identity = Identity { key: agent.identity.public().unwrap().encode(), signature, signed_at };
        Ask {
            reason: "Sign up".to_owned(),
            public_key: sent_key,
            identity: Some(identity),
            sources: 2,
            sender: None,
            sender_pattern: Some(pattern.to_owned()),
            content_pattern: None,
            received_after: None,
            life: Duration::from_secs(300),
            origin: "127.0.0.1".to_owned(),
        }
    }

    /// A request that the person has not said anything to.
    pub(crate) async fn asked(&self, agent: &Agent, pattern: &str) -> RelayId {
        let ask = self.ask(agent, pattern, agent.key.public().unwrap().encode().unwrap());
        relays::request(&self.app, &agent.asking, ask).await.unwrap().id
    }

    pub(crate) async fn request(&self, agent: &Agent, ask: Ask) -> RelayId {
        self.changed(agent, ask, |_| None).await
    }

    /// The same, of which whoever has the server changes something before it is approved.
    pub(crate) async fn changed(
        &self,
        agent: &Agent,
        ask: Ask,
        set: impl FnOnce(RelayId) -> Option<String>,
    ) -> RelayId {
        let relay = relays::request(&self.app, &agent.asking, ask).await.unwrap();
        if let Some(set) = set(relay.id) {
            let file = rusqlite::Connection::open(self.folder.path().join("doorcode.db")).unwrap();
            let changed =
                file.execute(&format!("UPDATE relays SET {set} WHERE id = ?1"), [relay.id.as_bytes()]).unwrap();
            assert_eq!(changed, 1);
        }
        self.approve(relay.id).await;
        relay.id
    }

    /// Its owner says yes.
    pub(crate) async fn approve(&self, id: RelayId) {
        let approver = Approver { whose: self.whose, by: By::Session };
        relays::decide(&self.app, approver, id, Word::Yes(Yes::Plain)).await.unwrap();
    }

    pub(crate) async fn state(&self, id: RelayId) -> State {
        let shown = relays::show(&self.app, relays::Viewer::Owner(&self.whose.owner), id).await.unwrap();
        shown.relay.standing.at(self.app.clock.now())
    }

    /// The code, once it is there, opened with the agent's key.
    pub(crate) async fn code(&self, agent: &Agent, id: RelayId) -> String {
        until("a code", async || (self.state(id).await == State::OtpReceived).then_some(())).await;
        let Consumed::Read(relay, payload) = relays::consume(&self.app, &agent.asking, id, None).await.unwrap() else {
            panic!("nothing to read")
        };
        let (request, agent_id) = (id.shown(), agent.asking.agent.id.shown());
        let sender = relay.sender_domain.clone().unwrap_or_default();
        let context =
            Context { request: &request, agent: &agent_id, sender: &sender, expires_at: relay.standing.expires_at };
        agent.key.open(&payload, &context, Secret::new([9; 32])).unwrap().expose().clone()
    }

    /// A mail with a code, written now.
    pub(crate) fn mail(&self, from: &str, number: u32, code: &str) -> String {
        let date = mail_parser::DateTime::from_timestamp(self.app.clock.now().millis() / 1000).to_rfc822();
        format!(
            "From: Somebody <{from}>\r\nTo: Ada <{}>\r\nSubject: Your code\r\nDate: {date}\r\n\
             Message-ID: <{number}@acme.com>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
             Hello number {number}. Your code is {code}.\r\n",
            crate::postfix::address()
        )
    }

    /// The same, signed by a domain.
    pub(crate) fn signed(&self, mail: &str, domain: &str) -> String {
        self.sender.signed(mail, domain).unwrap()
    }

    pub(crate) fn acme(&self, number: u32, code: &str) -> String {
        self.signed(&self.mail("no-reply@acme.com", number, code), "acme.com")
    }

    /// The house's own sign-in mail to somebody, as it was sent but for whom it is from, with its code.
    pub(crate) async fn own_mail(&self, to: &str) -> (String, String) {
        let caller = Caller { from: [127, 0, 0, 1].into(), to: self.address };
        assert_eq!(caller.start(to).await.unwrap().status, 200);
        let inbox = self.app.inbox.as_ref().unwrap();
        let entry = until("our mail", async || inbox.list(Some(to)).into_iter().next()).await;
        own_mail(&entry, self.app.clock.now())
    }

    /// The usual way to the mailbox.
    pub(crate) fn way(&self) -> Way<'static> {
        Way { host: "127.0.0.1", port: self.dovecot.port, security: "none", secret: ("--password-file", PASSWORD) }
    }

    /// `doorcode collect`, with these agents on its list, once it watches.
    pub(crate) async fn collect(&self, agents: &[&Agent], more: &[&str]) -> Collector {
        let collector = self.begin(agents, self.way(), more).await;
        collector.watches().await;
        collector
    }

    /// `doorcode collect`, on its way to the mailbox.
    pub(crate) async fn begin(&self, agents: &[&Agent], way: Way<'_>, more: &[&str]) -> Collector {
        fs::create_dir_all(self.folder.path()).unwrap();
        let file = |name: &str, text: &str| {
            let path = self.folder.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let device = devices::create(&self.app, self.whose, "collector", "at home").await.unwrap();
        let list = agents.iter().map(|agent| {
            let print = agent.identity.public().unwrap().fingerprint();
            format!("[[agent]]\nname = \"a\"\nidentity = \"{print}\"\nsenders = [\"*@acme.com\", \"*@shop.com\"]\n")
        });
        let list: String = list.collect();
        let mut command = Command::new(env!("CARGO_BIN_EXE_doorcode"));
        command.args(["collect", "--server", &format!("http://{}", self.address), "--imap-host", way.host]);
        command.args(["--imap-security", way.security, "--imap-port", &way.port.to_string(), "--imap-user", USER]);
        command.args(["--address", &crate::postfix::address(), "--dns", &self.sender.names.to_string()]);
        command.arg("--key-file").arg(file("dk.txt", device.key.expose()));
        let (option, secret) = way.secret;
        command.arg(option).arg(file(SECRET, secret));
        command.arg("--agents").arg(file("agents.toml", &list)).args(more);
        Collector::start(command)
    }
}

/// A mail that this house sent, as from somebody whose mail would be taken, with its code.
pub(crate) fn own_mail(entry: &Entry, now: Timestamp) -> (String, String) {
    let code = entry.message().code.as_ref().unwrap().expose().clone();
    let date = mail_parser::DateTime::from_timestamp(now.millis() / 1000).to_rfc822();
    let head = mime::head(entry.message(), "Acme <no-reply@acme.com>", None, entry.at_ms()).unwrap();
    let head: Vec<&str> = head.lines().filter(|line| !line.starts_with("Date:")).collect();
    let text = entry.message().text.expose().replace('\n', "\r\n");
    let raw = format!("{}\r\nDate: {date}\r\n\r\n{text}\r\n", head.join("\r\n"));
    assert!(raw.contains(MARK) && raw.contains(&code), "{raw}");
    (raw, code)
}

/// The header that a mail of ours is known by.
pub(crate) const MARK: &str = "X-Doorcode-Stamp";

/// The same without it.
pub(crate) fn unmarked(raw: &str) -> String {
    raw.split("\r\n").filter(|line| !line.starts_with(MARK)).collect::<Vec<_>>().join("\r\n")
}

impl Drop for Scene {
    fn drop(&mut self) {
        if let Some(served) = self.served.take() {
            let _ = served.stop.send(());
        }
    }
}

/// A collector. Killed when dropped.
pub(crate) struct Collector {
    pub(crate) child: Child,
    said: Arc<Mutex<String>>,
}

impl Collector {
    fn start(mut command: Command) -> Self {
        let piped = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = piped.kill_on_drop(true).spawn().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let (into, mut lines) = (Arc::clone(&said), BufReader::new(child.stderr.take().unwrap()).lines());
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                into.lock().unwrap().push_str(&(line + "\n"));
            }
        });
        Self { child, said }
    }

    pub(crate) fn text(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// Until it has come to the mailbox and to the server.
    pub(crate) async fn watches(&self) {
        self.says("the mailbox is watched").await;
        self.says("the server answers").await;
    }

    pub(crate) async fn says(&self, words: &str) {
        let heard = tokio::time::timeout(PATIENCE, async {
            while !self.text().contains(words) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        assert!(heard.await.is_ok(), "it never said {words:?}:\n{}", self.text());
    }
}

#[tokio::test]
async fn a_code_reaches_its_agent_through_a_collector() {
    let Some(scene) = Scene::new().await else { return };
    let agent = scene.agent(1).await;
    let mut collector = scene.collect(&[&agent], &[]).await;
    let id = scene.approved(&agent, "*@acme.com").await;
    scene.dovecot.deliver(&scene.acme(1, CODE));
    assert_eq!(scene.code(&agent, id).await, CODE);
    let said = collector.text();
    assert!(!said.contains(CODE) && !said.contains(PASSWORD) && !said.contains("dk_"), "{said}");
    assert!(scene.dovecot.names().iter().all(|name| !name.ends_with('S')), "nothing was marked as seen");
    // SIGTERM ends it well.
    let pid = collector.child.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
    assert!(collector.child.wait().await.unwrap().success());
}

#[tokio::test]
async fn what_came_before_the_yes_is_looked_at_after_it() {
    let Some(scene) = Scene::new().await else { return };
    let agent = scene.agent(1).await;
    let _collector = scene.collect(&[&agent], &[]).await;
    let ask = scene.ask(&agent, "*@acme.com", agent.key.public().unwrap().encode().unwrap());
    let relay = relays::request(&scene.app, &agent.asking, ask).await.unwrap();
    scene.dovecot.deliver(&scene.acme(1, CODE));
    tokio::time::sleep(Duration::from_millis(1500)).await;
    scene.approve(relay.id).await;
    assert_eq!(scene.code(&agent, relay.id).await, CODE);
}

#[tokio::test]
async fn spoofed_large_and_own_mail_gets_nothing() {
    let Some(scene) = Scene::new().await else { return };
    let agent = scene.agent(1).await;
    let collector = scene.collect(&[&agent], &[]).await;
    let id = scene.approved(&agent, "*@acme.com").await;
    scene.dovecot.deliver(&scene.mail("no-reply@acme.com", 1, "111111"));
    collector.says("nobody vouches for its sender").await;
    scene.dovecot.deliver(&scene.signed(&scene.mail("no-reply@acme.com", 2, "222222"), "evil.com"));
    scene.dovecot.deliver(&scene.signed(&scene.mail("no-reply@codes.house.example", 3, "333333"), "house.example"));
    let own = async |seen: usize| {
        until("it was passed over", async || {
            (collector.text().matches("a message of the server's own was passed over").count() == seen).then_some(())
        })
        .await;
    };
    own(1).await;
    // By its mark, whoever signed it. It has no key that would tell this server's mark from another's.
    let (raw, _) = scene.own_mail(&crate::postfix::address()).await;
    scene.dovecot.deliver(&scene.signed(&raw, "acme.com"));
    own(2).await;
    let large = scene.mail("no-reply@acme.com", 4, "444444") + &"lorem ipsum dolor sit amet\r\n".repeat(1_200_000);
    scene.dovecot.deliver(&large);
    scene.dovecot.deliver(&scene.acme(5, CODE));
    assert_eq!(scene.code(&agent, id).await, CODE);
}

#[tokio::test]
async fn one_message_serves_one_request_and_two_agents_wait_for_a_choice() {
    let Some(scene) = Scene::new().await else { return };
    let (one, other) = (scene.agent(1).await, scene.agent(2).await);
    let collector = scene.collect(&[&one, &other], &[]).await;
    let (first, second) = (scene.approved(&one, "*@acme.com").await, scene.approved(&one, "*@shop.com").await);
    let again = scene.approved(&one, "*@acme.com").await;
    scene.dovecot.deliver(&scene.signed(&scene.mail("hello@shop.com", 1, "555555"), "shop.com"));
    assert_eq!(scene.code(&one, second).await, "555555");
    let mail = scene.acme(2, CODE);
    scene.dovecot.deliver(&mail);
    assert_eq!(scene.code(&one, first).await, CODE);
    // The same again, where a request that it fits waits since before it came.
    scene.dovecot.deliver(&mail);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(scene.state(again).await, State::Approved);
    let rival = scene.approved(&other, "*@acme.com").await;
    scene.dovecot.deliver(&scene.acme(3, "666666"));
    collector.says("requests of two agents").await;
    assert_eq!((scene.state(again).await, scene.state(rival).await), (State::Approved, State::Approved));
    let approver = Approver { whose: scene.whose, by: By::Session };
    relays::choose(&scene.app, approver, rival).await.unwrap();
    assert_eq!(scene.code(&other, rival).await, "666666");
}

#[tokio::test]
async fn a_connection_a_password_and_a_numbering_may_change() {
    let Some(mut scene) = Scene::new().await else { return };
    let agent = scene.agent(1).await;
    let collector = scene.collect(&[&agent], &[]).await;
    let id = scene.approved(&agent, "*@acme.com").await;
    scene.dovecot.stop();
    scene.dovecot.deliver(&scene.acme(1, "777777"));
    collector.says("it is tried again").await;
    scene.dovecot.again();
    assert_eq!(scene.code(&agent, id).await, "777777", "nothing was lost between two connections");
    scene.dovecot.stop();
    scene.dovecot.set_password("another");
    scene.dovecot.again();
    collector.says("refuses user or password").await;
    fs::write(scene.folder.path().join(SECRET), "another").unwrap();
    let id = scene.approved(&agent, "*@acme.com").await;
    scene.dovecot.deliver(&scene.acme(2, "888888"));
    assert_eq!(scene.code(&agent, id).await, "888888");
    scene.dovecot.renumber();
    let id = scene.approved(&agent, "*@acme.com").await;
    until("it watches again", async || (collector.text().matches("the mailbox is watched").count() >= 3).then_some(()))
        .await;
    scene.dovecot.deliver(&scene.acme(3, "999999"));
    assert_eq!(scene.code(&agent, id).await, "999999");
}

#[tokio::test]
async fn a_server_that_swaps_a_key_or_invents_an_approval_is_refused() {
    let Some(scene) = Scene::new().await else { return };
    let agent = scene.agent(1).await;
    let collector = scene.collect(&[&agent], &["--first-use", "refuse"]).await;
    // Its own key in the place of the agent's, under the agent's true signature.
    let evil = PrivateKey::from_seed(Secret::new([66; 32]));
    let evil_key = evil.public().unwrap().encode().unwrap();
    let honest = scene.ask(&agent, "*@acme.com", agent.key.public().unwrap().encode().unwrap());
    let swapped = scene.changed(&agent, honest, |_| Some(format!("public_key = '{evil_key}'"))).await;
    collector.says("your agent did not sign this request with this key").await;
    // A request that nobody made: without a signature, with an identity of its own, or with one that was for another request.
    let mut invented = scene.ask(&agent, "*@acme.com", evil.public().unwrap().encode().unwrap());
    invented.identity = None;
    let unsigned = scene.request(&agent, invented).await;
    collector.says("has no identity, and its key is not pinned").await;
    let stranger = Agent { identity: IdentitySigner::from_seed(Secret::new([77; 32])), ..scene.agent(3).await };
    let strange = scene.approved(&stranger, "*@acme.com").await;
    collector.says("its identity is not on your list of agents").await;
    let other_sender = scene.approved(&agent, "*@bank.com").await;
    collector.says("your list does not let this agent have messages of that sender").await;
    scene.dovecot.deliver(&scene.acme(1, CODE));
    tokio::time::sleep(Duration::from_secs(2)).await;
    for id in [swapped, unsigned, strange, other_sender] {
        assert_eq!(scene.state(id).await, State::Approved, "{}", collector.text());
    }
    // The same statement for a second request.
    let first = scene.approved(&agent, "*@acme.com").await;
    let twice = scene.ask(&agent, "*@acme.com", agent.key.public().unwrap().encode().unwrap());
    let hex = hex::encode(first.as_bytes());
    let again = format!("key_signature = (SELECT key_signature FROM relays WHERE id = x'{hex}')");
    scene.changed(&agent, twice, |_| Some(again)).await;
    collector.says("its signature belongs to another request").await;
}

#[tokio::test]
async fn an_agent_without_identity_is_pinned_after_a_local_yes() {
    let Some(scene) = Scene::new().await else { return };
    let agent = scene.agent(1).await;
    let collector = scene.collect(&[], &[]).await;
    let key = agent.key.public().unwrap();
    let unsigned = |key: String| Ask { identity: None, ..scene.ask(&agent, "*@acme.com", key) };
    let first = scene.request(&agent, unsigned(key.encode().unwrap())).await;
    collector.says("doorcode collect approve").await;
    let pins = scene.folder.path().join("agents.pins.toml");
    let mut approve = Command::new(env!("CARGO_BIN_EXE_doorcode"));
    approve.args(["collect", "approve", "--agent", &agent.asking.agent.id.shown()]);
    approve.args(["--key", &key.fingerprint().unwrap().to_string(), "--pins"]).arg(pins);
    assert!(approve.output().await.unwrap().status.success());
    // The list changes, and is judged anew; of two the older is served first.
    scene.request(&agent, unsigned(key.encode().unwrap())).await;
    scene.dovecot.deliver(&scene.acme(1, CODE));
    assert_eq!(scene.code(&agent, first).await, CODE);
    let evil = PrivateKey::from_seed(Secret::new([66; 32])).public().unwrap().encode().unwrap();
    scene.request(&agent, unsigned(evil)).await;
    collector.says("another one than the one that was pinned").await;
}
