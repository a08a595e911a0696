//! Webhooks: who hears of what, signed how; that nobody sees another org's, and that no URL leads the server somewhere that
//! it may not go. How often is tried stands in `tries.rs`.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::sync::Arc;
use std::time::Duration;

use doorcode::config::Config;
use doorcode::deliver::webhooks::Sender;
use doorcode::egress::Resolver;
use doorcode::ops::webhooks::{self, GRACE};
use doorcode::store::events;
use doorcode::store::webhook_messages::{Message, State};
use doorcode::store::webhooks::Webhook;
use doorcode_core::{Error, EventId, OrgId};
use serde_json::json;

use crate::app::{Folder, HERE, MOMENT, START, TestApp, hours, seconds, settings};
use crate::receiver::Receiver;

pub(crate) const ORG: OrgId = OrgId::from_bytes([0x11; 16]);
pub(crate) const OTHER: OrgId = OrgId::from_bytes([0x22; 16]);

/// A house that may send to these receivers.
pub(crate) async fn house(receivers: &[&Receiver]) -> TestApp {
    let folder = Folder::new();
    TestApp::open(Arc::clone(&folder), allowing(&folder, receivers), START).await.unwrap()
}

pub(crate) fn allowing(folder: &Folder, receivers: &[&Receiver]) -> Config {
    let mut config = settings(folder, &[]);
    config.egress.allow = receivers.iter().map(|receiver| receiver.address.to_string().parse().unwrap()).collect();
    config
}

/// A webhook of an org for these kinds, with its secret.
pub(crate) async fn hook(app: &TestApp, org: OrgId, url: &str, kinds: &[&str]) -> (Webhook, String) {
    let kinds: Vec<String> = kinds.iter().map(|kind| (*kind).to_owned()).collect();
    let (webhook, secret) = webhooks::create(&app.app, org, url, &kinds, None).await.unwrap();
    (webhook, secret.expose().clone())
}

/// Something happens in an org.
pub(crate) async fn happen(app: &TestApp, org: OrgId, kind: &'static str) -> EventId {
    let id: EventId = app.app.entropy.id(app.now()).unwrap();
    let kind = events::Kind::named(kind).unwrap();
    let unit = app.app.db.write(move |tx| {
        Box::pin(async move { events::append(tx, &id, &org, kind, OrgId::from_bytes([0x77; 16]).as_bytes()).await })
    });
    unit.await.unwrap();
    id
}

pub(crate) fn sender(app: &TestApp) -> Sender {
    Sender::new(Arc::clone(&app.app))
}

/// One step of a sender that has never sent before.
pub(crate) async fn send(app: &TestApp) -> usize {
    sender(app).deliver_due().await.unwrap()
}

pub(crate) async fn messages(app: &TestApp, of: &Webhook) -> Vec<Message> {
    webhooks::messages(&app.app, of.org, of.id, None, 100).await.unwrap()
}

/// The webhook's only message.
pub(crate) async fn message(app: &TestApp, of: &Webhook) -> Message {
    let mut all = messages(app, of).await;
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

pub(crate) async fn again(app: &TestApp, of: &Webhook) -> Webhook {
    webhooks::get(&app.app, of.org, of.id).await.unwrap()
}

#[tokio::test]
async fn what_happens_is_told_and_signed() {
    let receiver = Receiver::open().await;
    let app = house(&[&receiver]).await;
    let (webhook, secret) = hook(&app, ORG, &receiver.url(), &["user.signed_in"]).await;
    let event = happen(&app, ORG, "user.signed_in").await;
    app.advance(seconds(2));
    assert_eq!(send(&app).await, 1);
    let got = receiver.got();
    assert_eq!(got.len(), 1);
    assert_eq!(got[0].line, "POST /hook HTTP/1.1");
    assert_eq!(got[0].headers["content-type"], "application/json");
    assert_eq!(got[0].headers["webhook-timestamp"], (app.now().millis() / 1000).to_string(), "of the try");
    assert!(got[0].is_signed_with(&secret));
    assert!(!got[0].is_signed_with("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
    let body = json!({
        "type": "user.signed_in",
        "timestamp": event.made_at().to_string(),
        "data": { "id": "77777777-7777-7777-7777-777777777777", "org_id": ORG.to_string() },
    });
    assert_eq!(got[0].json(), body, "ids, and nothing else");
    let message = message(&app, &webhook).await;
    assert_eq!((message.state, message.attempts, message.status), (State::Delivered, 1, Some(200)));
    assert_eq!((message.id.to_string().as_str(), message.event, message.failure), (got[0].id(), event, None));
    assert_eq!(app.counted("webhooks", "delivered"), 1);
    assert_eq!(send(&app).await, 0);
}

#[tokio::test]
async fn a_sign_in_is_told() {
    let receiver = Receiver::open().await;
    let app = house(&[&receiver]).await;
    app.from(HERE).sign_in("ada@example.com").await;
    let orgs = app.app.db.read(|tx| Box::pin(doorcode::store::orgs::list(tx, 10))).await.unwrap();
    let org = orgs.iter().map(|(id, _)| *id).find(|id| *id != OrgId::HOUSE).unwrap();
    hook(&app, org, &receiver.url(), &["*"]).await;
    app.from(HERE).sign_in("ada@example.com").await;
    send(&app).await;
    assert_eq!(receiver.kinds(), ["user.signed_in"]);
    assert!(!String::from_utf8(receiver.got()[0].body.clone()).unwrap().contains("ada"), "no address");
}

/// One org has two receivers that never answer, with a backlog each; another org's messages pass them by.

#[tokio::test]
async fn a_rotation_has_a_day_of_grace() {
    let receiver = Receiver::open().await;
    let app = house(&[&receiver]).await;
    let (webhook, old) = hook(&app, ORG, &receiver.url(), &["user.signed_in"]).await;
    let new = webhooks::rotate(&app.app, ORG, webhook.id).await.unwrap().expose().clone();
    assert_ne!(old, new);
    assert_eq!(webhooks::secret(&app.app, ORG, webhook.id).await.unwrap().expose(), &new, "it can be shown again");
    happen(&app, ORG, "user.signed_in").await;
    send(&app).await;
    app.advance(GRACE - MOMENT);
    happen(&app, ORG, "user.signed_in").await;
    send(&app).await;
    app.advance(MOMENT);
    happen(&app, ORG, "user.signed_in").await;
    send(&app).await;
    let signed: Vec<_> =
        receiver.got().iter().map(|got| (got.is_signed_with(&old), got.is_signed_with(&new))).collect();
    assert_eq!(signed, [(true, true), (true, true), (false, true)]);
}

#[tokio::test]
async fn urls_that_lead_inside_are_refused_when_given_and_when_used() {
    let receiver = Receiver::open().await;
    let folder = Folder::new();
    let mut config = allowing(&folder, &[&receiver]);
    config.egress.resolver = Resolver::table();
    let resolver = config.egress.resolver.clone();
    let app = TestApp::open(folder, config, START).await.unwrap();
    for url in
        ["http://127.0.0.1:1/", "https://127.0.0.1/", "https://localhost/", "https://0x7f.1/", "file:///etc/passwd"]
    {
        let refused = webhooks::create(&app.app, ORG, url, &["*".to_owned()], None).await;
        assert!(matches!(refused, Err(Error::Invalid { field: "url", .. })), "{url}");
    }
    // A name that was somebody's when it was given, and is ours when it is used.
    resolver.set("rebind.example.com", &["8.8.8.8".parse().unwrap()]);
    let (renamed, _) = hook(&app, ORG, "https://rebind.example.com/", &["user.signed_in"]).await;
    resolver.set("rebind.example.com", &["127.0.0.1".parse().unwrap()]);
    // An URL that was allowed when it was given.
    let (once, _) = hook(&app, ORG, &receiver.url(), &["user.signed_in"]).await;
    happen(&app, ORG, "user.signed_in").await;
    let (folder, mut config, now) = app.close().await;
    config.egress.allow.clear();
    let app = TestApp::open(folder, config, now).await.unwrap();
    assert_eq!(send(&app).await, 2);
    for (webhook, why) in
        [(renamed, "the name leads to an address that is not public"), (once, "the URL is not allowed here any more")]
    {
        let message = message(&app, &webhook).await;
        assert_eq!((message.state, message.status, message.failure.as_deref()), (State::Due, None, Some(why)));
    }
    assert!(receiver.got().is_empty());
}

#[tokio::test]
async fn orgs_do_not_see_each_other() {
    let (mine, theirs) = (Receiver::open().await, Receiver::open().await);
    let app = house(&[&mine, &theirs]).await;
    let (webhook, _) = hook(&app, ORG, &mine.url(), &["*"]).await;
    let (foreign, _) = hook(&app, OTHER, &theirs.url(), &["*"]).await;
    happen(&app, ORG, "user.signed_in").await;
    send(&app).await;
    assert_eq!((mine.got().len(), theirs.got().len()), (1, 0));
    let house = &app.app;
    assert_eq!(webhooks::list(house, OTHER, None, 100).await.unwrap().len(), 1);
    let (id, message) = (webhook.id, message(&app, &webhook).await.id);
    let refusals = [
        webhooks::get(house, OTHER, id).await.err(),
        webhooks::secret(house, OTHER, id).await.err(),
        webhooks::rotate(house, OTHER, id).await.err(),
        webhooks::set_enabled(house, OTHER, id, false).await.err(),
        webhooks::test(house, OTHER, id).await.err(),
        webhooks::messages(house, OTHER, id, None, 10).await.err(),
        webhooks::replay(house, OTHER, id, message).await.err(),
        // A message of somebody else's webhook, by way of one's own.
        webhooks::replay(house, OTHER, foreign.id, message).await.err(),
        webhooks::delete(house, OTHER, id).await.err(),
    ];
    for (n, refusal) in refusals.into_iter().enumerate() {
        assert!(matches!(refusal, Some(Error::NotFound)), "{n}: {refusal:?}");
    }
    let left = again(&app, &webhook).await;
    assert_eq!((left.disabled_at, left.old.is_some()), (None, false), "and nothing was changed");
    assert_eq!(send(&app).await, 0);
}

#[tokio::test]
async fn each_hears_of_what_it_named() {
    let (some, every) = (Receiver::open().await, Receiver::open().await);
    let app = house(&[&some, &every]).await;
    let (webhook, _) = hook(&app, ORG, &some.url(), &["credential.revoked", "user.signed_in"]).await;
    let (all, _) = hook(&app, ORG, &every.url(), &["*"]).await;
    for kind in ["user.signed_in", "user.created", "session.created", "credential.revoked", "credential.created"] {
        happen(&app, ORG, kind).await;
        app.advance(MOMENT);
    }
    send(&app).await;
    let mut kinds = some.kinds();
    kinds.sort();
    assert_eq!(kinds, ["credential.revoked", "user.signed_in"]);
    assert_eq!(every.got().len(), 5);
    let mut ids: Vec<_> = some.got().iter().chain(&every.got()).map(|got| got.id().to_owned()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 7, "every message has an id of its own");
    // A test is for one alone, whatever it named.
    let test = webhooks::test(&app.app, ORG, webhook.id).await.unwrap();
    assert_eq!(send(&app).await, 1);
    let last = some.got().pop().unwrap();
    assert_eq!((last.kind().as_str(), last.id().to_owned()), ("webhook.test", test.to_string()));
    // A page at a time.
    let page = webhooks::messages(&app.app, ORG, all.id, None, 3).await.unwrap();
    let rest = webhooks::messages(&app.app, ORG, all.id, Some(page[2].id), 3).await.unwrap();
    assert_eq!((page.len(), rest.len()), (3, 2));
    assert!(page[2].id < rest[0].id);
    assert_eq!(rest[1].kind.as_deref(), Some("credential.created"));
}

/// The kinds of the table in docs/webhooks.md are those that there are.
#[test]
fn the_page_names_every_kind() {
    let page = std::fs::read_to_string(crate::house::root().join("docs/webhooks.md")).unwrap();
    let rows = page.lines().skip_while(|line| !line.starts_with("| kind |")).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    let cells = rows.map(|row| row.split('|').nth(1).unwrap());
    let mut told: Vec<&str> = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    let mut all: Vec<&str> = events::Kind::ALL.iter().map(|kind| kind.as_str()).collect();
    told.sort_unstable();
    all.sort_unstable();
    assert_eq!(told, all);
}

#[tokio::test]
async fn what_is_removed_hears_no_more() {
    let receiver = Receiver::open().await;
    let app = house(&[&receiver]).await;
    let (webhook, _) = hook(&app, ORG, &receiver.url(), &["*"]).await;
    happen(&app, ORG, "user.signed_in").await;
    webhooks::delete(&app.app, ORG, webhook.id).await.unwrap();
    happen(&app, ORG, "user.signed_in").await;
    assert_eq!(send(&app).await, 0);
    assert_eq!((receiver.got().len(), app.number("SELECT count(*) FROM webhook_messages WHERE state = 3")), (0, 1));
    assert!(matches!(webhooks::get(&app.app, ORG, webhook.id).await, Err(Error::NotFound)));
    assert!(matches!(webhooks::delete(&app.app, ORG, webhook.id).await, Err(Error::NotFound)));
}

#[tokio::test]
async fn an_org_has_sixteen_and_all_of_them_hear() {
    let receiver = Receiver::open().await;
    let app = house(&[&receiver]).await;
    for _ in 0..16 {
        hook(&app, ORG, &receiver.url(), &["user.signed_in"]).await;
    }
    let full = webhooks::create(&app.app, ORG, &receiver.url(), &["*".to_owned()], None).await;
    assert!(matches!(full, Err(Error::Conflict(_))));
    hook(&app, OTHER, &receiver.url(), &["*"]).await;
    let created = app.number("SELECT count(*) FROM events WHERE kind = 'webhook.created'");
    assert_eq!(created, 17, "what was refused did not happen");
    happen(&app, ORG, "user.signed_in").await;
    assert_eq!(send(&app).await, 16);
    let ids: std::collections::HashSet<_> = receiver.got().iter().map(|got| got.id().to_owned()).collect();
    assert_eq!(ids.len(), 16);
}

#[tokio::test]
async fn a_retired_key_says_what_to_do() {
    let receiver = Receiver::open().await;
    let app = house(&[&receiver]).await;
    let (webhook, _) = hook(&app, ORG, &receiver.url(), &["*"]).await;
    let new = doorcode::ops::master_keys::add(&app.app).await.unwrap();
    doorcode::ops::master_keys::activate(&app.app, new).await.unwrap();
    app.tamper(&format!("UPDATE master_keys SET state = 'retired' WHERE kid <> '{new}'"));
    app.app.keys.refresh(&app.app.db, app.now()).await.unwrap();
    happen(&app, ORG, "user.signed_in").await;
    send(&app).await;
    let why = message(&app, &webhook).await.failure.unwrap();
    assert!(why.contains("rotate the secret"), "{why}");
    assert!(matches!(webhooks::secret(&app.app, ORG, webhook.id).await, Err(Error::Gone)));
    let secret = webhooks::rotate(&app.app, ORG, webhook.id).await.unwrap().expose().clone();
    app.advance(seconds(6));
    send(&app).await;
    assert!(receiver.got().iter().all(|got| got.is_signed_with(&secret)));
}

#[tokio::test]
async fn retention_keeps_what_still_waits_and_a_restore_sends_nothing_old() {
    let receiver = Receiver::open().await;
    let mut app = house(&[&receiver]).await;
    hook(&app, ORG, &receiver.url(), &["*"]).await;
    happen(&app, ORG, "user.signed_in").await;
    send(&app).await;
    happen(&app, ORG, "user.signed_in").await;
    app.advance(hours(24 * 31));
    app.retain().await;
    assert_eq!(app.number("SELECT count(*) FROM webhook_messages WHERE state = 0"), 1);
    assert_eq!(app.number("SELECT count(*) FROM webhook_messages"), 1);
    doorcode::ops::backups::recover(&app.app).await.unwrap();
    assert_eq!((send(&app).await, receiver.got().len()), (0, 1));
}

/// The server itself, on a socket: it sends by itself, and does not stop in the middle of a try.

#[tokio::test]
async fn the_server_sends_and_ends_what_it_began() {
    let (receiver, slow) = (Receiver::open().await, Receiver::open().await);
    let folder = Folder::new();
    let config = allowing(&folder, &[&receiver, &slow]);
    let entropy = doorcode::entropy::Entropy::real();
    let (app, waiting) = doorcode::app::App::open(config, None, entropy).await.unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = doorcode::serve::run(Arc::clone(&app), waiting, listener, async move { drop(stopped.await) });
    let serving = tokio::spawn(serving);
    let (webhook, _) = webhooks::create(&app, ORG, &receiver.url(), &["*".to_owned()], None).await.unwrap();
    webhooks::test(&app, ORG, webhook.id).await.unwrap();
    let waited = tokio::time::timeout(seconds(60), async {
        while receiver.got().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(waited.await.is_ok(), "nothing was sent");
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
    let state = folder.number("SELECT state FROM webhook_messages");
    assert_eq!(state, 1, "what was on its way when the house closed is recorded");
}
