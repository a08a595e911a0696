//! What a person sets for their agents, on the pages: what gives something needs a young sign-in, what takes does not; and each change is
//! in the record.

use doorcode::ops::{agents, relays};
use doorcode_core::relay::Named as _;
use doorcode_core::relay_deny::is_denied;
use doorcode_core::seal::IdentitySigner;
use doorcode_core::{Error, Secret};

use crate::app::{TestApp, minutes};
use crate::approvals::{ADA, AWAY, HOME, agent, ask, person, whose, wish};

#[tokio::test]
async fn an_agent_is_paused_blocked_renamed_ruled_and_removed() {
    let app = TestApp::new().await;
    let mut browser = person(&app, HOME, ADA, "/approvals/settings").await;
    assert_eq!(browser.at, "/approvals/settings");
    let owner = whose(&app, &browser).await;
    let bot = agent(&app, owner, "Bot").await;
    let path = format!("/approvals/agents/{}", bot.agent.id.shown());
    let step = |step: &str| format!("{path}/{step}");
    browser.go(&path).await;
    browser.send(&step("rename"), &[("name", "Travel bot")]).await;
    assert!(browser.sees("Saved.") && browser.sees("<h1><bdi>Travel bot</bdi></h1>"), "{}", browser.page.text());
    let rules = [
        ("source", "email"),
        ("senders", "*@acme.com\r\n Acme \r\n"),
        ("from", "08:00"),
        ("to", "20:00"),
        ("offset", "60"),
        ("auto_senders", "noreply@acme.com"),
        ("per_day", "3"),
    ];
    browser.send(&step("rules"), &rules).await;
    assert!(
        browser.sees("Saved.")
            && browser.sees("value=\"email\" checked")
            && browser.sees("*@acme.com\nAcme</textarea>")
    );
    let kept = agents::show(&app.app, owner, bot.agent.id).await.unwrap().rules.unwrap();
    let kept: serde_json::Value = serde_json::from_str(&kept).unwrap();
    assert_eq!((kept["hours"]["to"].as_i64(), kept["auto_approve"]["per_day"].as_i64()), (Some(1200), Some(3)));
    browser.send(&step("rules"), &[("senders", "typed@acme.com"), ("from", "8")]).await;
    assert!(
        browser.page.status == 422 && browser.sees("hours.from") && browser.sees("typed@acme.com"),
        "typed is not lost"
    );

    app.advance(minutes(16));
    for (name, field) in [("rename", ("name", "x")), ("rules", ("senders", "")), ("pause", ("on", "0"))] {
        browser.go(&path).await;
        let mut form = browser.form(&step("rename"));
        form.action = step(name);
        browser.send_form(&form, &[field]).await;
        assert!(browser.page.status == 403 && browser.sees("next=%2Fapprovals%2Fagents%2F"), "{name}");
    }
    browser.go(&path).await;
    browser.send(&step("pause"), &[]).await;
    assert!(relays::request(&app.app, &bot, wish(Some("*@acme.com"))).await.is_err(), "paused");
    browser.send(&step("block"), &[]).await;
    assert!(browser.sees("Blocked"));
    browser.send(&step("remove"), &[]).await;
    assert!(browser.sees("Removed.") && browser.sees("There are no agents yet."), "{}", browser.page.text());
    browser.go(&path).await;
    assert_eq!(browser.page.status, 404);
    assert_eq!(app.number("SELECT count(*) FROM audit WHERE kind = 'agent_update'"), 4);
}

#[tokio::test]
async fn a_collectors_key_and_a_link_are_shown_once_and_only_to_who_signed_in_just_now() {
    let app = TestApp::new().await;
    let mut browser = person(&app, HOME, ADA, "/approvals/settings").await;
    browser.send("/approvals/devices/collector", &[("name", "Home <b>")]).await;
    let page = browser.page.text();
    let key =
        page.split("id=\"secret\"").nth(1).unwrap().split('>').nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert!(key.starts_with("dk_") && browser.sees("Home &#60;b&#62;"), "{key}");
    browser.send("/approvals/devices/link", &[]).await;
    assert!(browser.sees("Type this on the phone") && !browser.sees(&key));
    assert_eq!(app.number("SELECT count(*) FROM device_links"), 1);
    app.advance(minutes(16));
    for action in ["/approvals/devices/collector", "/approvals/devices/link"] {
        browser.go("/approvals/settings").await;
        browser.send(action, &[("name", "x")]).await;
        assert_eq!(browser.page.status, 403, "{action}");
    }
    assert_eq!(app.number("SELECT count(*) FROM devices"), 1);
    browser.go("/approvals/settings").await;
    browser.send("/approvals/devices/remove", &[]).await;
    assert!(browser.sees("Removed.") && browser.sees("There are none yet."));
    assert_eq!(app.number("SELECT count(*) FROM audit WHERE kind IN ('device_register', 'device_remove')"), 2);
}

#[tokio::test]
async fn senders_are_refused_and_excused() {
    let app = TestApp::new().await;
    let mut browser = person(&app, HOME, ADA, "/approvals/settings").await;
    let owner = whose(&app, &browser).await;
    assert!(browser.sees("value=\"paypal.com\" checked"));
    let all = doorcode_core::relay_deny::DEFAULTS.into_iter().filter(|domain| *domain != "github.com");
    let mut fields: Vec<(&str, &str)> = all.map(|domain| ("listed", domain)).collect();
    fields.push(("own", "acme.com\r\nBücher.example"));
    browser.send("/approvals/senders", &fields).await;
    assert!(
        browser.sees("Saved.") && browser.sees("acme.com\nxn--bcher-kva.example</textarea>"),
        "{}",
        browser.page.text()
    );
    assert!(browser.sees("value=\"github.com\"> ") && browser.sees("value=\"paypal.com\" checked"));
    let kept = relays::settings(&app.app, owner.owner).await.unwrap().senders;
    let denied = |domain| is_denied(kept.as_deref(), domain);
    assert!(denied("mail.acme.com") && denied("paypal.com") && !denied("github.com"));
    browser.send("/approvals/senders", &[("own", "no domain")]).await;
    assert!(browser.page.status == 422 && browser.sees("no domain</textarea>"));

    let bot = agent(&app, owner, "Bot").await;
    ask(&app, &bot, Some("*@acme.com")).await;
    browser.go("/approvals").await;
    assert!(browser.sees("This sender is on your list"), "{}", browser.page.text());
}

#[tokio::test]
async fn an_agents_identity_is_pinned_where_its_owner_sees_what_to_compare() {
    let app = TestApp::new().await;
    let mut browser = person(&app, HOME, ADA, "/approvals/settings").await;
    let owner = whose(&app, &browser).await;
    let bot = agent(&app, owner, "Bot").await;
    let path = format!("/approvals/agents/{}", bot.agent.id.shown());
    let step = format!("{path}/identity");
    let identity = IdentitySigner::from_seed(Secret::new([5; 32])).public().unwrap();
    let pinned = async || agents::show(&app.app, owner, bot.agent.id).await.unwrap().identity;
    browser.go(&path).await;
    assert!(browser.sees("None is known."));
    for bad in ["ed25519:AAAA", "hpke-x25519:x", "ed25519:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        browser.send(&step, &[("identity", bad)]).await;
        let shown =
            browser.page.status == 422 && browser.sees("identityKey") && browser.sees(&format!("value=\"{bad}\""));
        assert!(shown, "{bad}: {}", browser.page.text());
        browser.go(&path).await;
    }
    assert_eq!(pinned().await, None);
    browser.send(&step, &[("identity", &format!(" {} ", identity.encode()))]).await;
    assert!(browser.sees("Saved.") && browser.sees(&identity.fingerprint().to_string()), "{}", browser.page.text());
    assert_eq!(pinned().await, Some(identity.encode()));
    let refused = relays::request(&app.app, &bot, wish(Some("*@acme.com"))).await.err().unwrap();
    assert!(matches!(refused, Error::Invalid { field: "identity", .. }), "a request without its signature");

    // To pin one, or to take it away, gives: whoever found the browser open does neither.
    app.advance(minutes(16));
    for key in ["", "ed25519:11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"] {
        browser.go(&path).await;
        browser.send(&step, &[("identity", key)]).await;
        assert_eq!(browser.page.status, 403);
    }
    assert_eq!(pinned().await, Some(identity.encode()));
    let mut again = person(&app, AWAY, ADA, &path).await;
    again.send(&step, &[("identity", "")]).await;
    assert!(again.sees("Saved.") && again.sees("None is known."));
    assert_eq!(pinned().await, None);
    assert_eq!(app.number("SELECT count(*) FROM audit WHERE kind = 'agent_update' AND details LIKE '%identity%'"), 2);
}
