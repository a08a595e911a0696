//! What a card says of whose messages an agent asks for: what is matched, and what is only the agent's word for it.

use doorcode::ops::relays::{self, Ask};
use doorcode_core::Timestamp;

use crate::app::TestApp;
use crate::approvals::{ADA, HOME, agent, person, press, whose, wish};

#[tokio::test]
async fn the_pattern_of_a_message_is_on_the_card_and_in_the_record_as_it_matches() {
    let app = TestApp::new().await;
    let mut browser = person(&app, HOME, ADA, "/approvals").await;
    let whose = whose(&app, &browser).await;
    let bot = agent(&app, whose, "Travel bot").await;
    let hidden = "code<b>|\u{202e}reset\u{200b}";
    let named = Ask { content_pattern: Some(hidden.to_owned()), ..wish(Some("*@acme.com")) };
    relays::request(&app.app, &bot, named).await.unwrap();
    let any = Ask { content_pattern: Some(r"your code is \d{6}".to_owned()), ..wish(None) };
    let any = relays::request(&app.app, &bot, any).await.unwrap();
    browser.go("/approvals").await;
    let page = browser.page.text();
    assert!(page.contains("The message has to match"), "{page}");
    assert!(page.contains(r"|\u{202e}reset\u{200b}</code>") && !page.contains("code<b>"), "{page}");
    assert!(!page.contains(['\u{202e}', '\u{200b}']), "nothing that turns the text round: {page}");
    assert!(browser.sees(r"your code is \d{6}"));
    press(&mut browser, "/approvals/approve", any.id).await;
    assert!(browser.sees("Really any message?") && browser.sees(r"your code is \d{6}"), "and where it is asked again");
    let kept = "SELECT count(*) FROM audit WHERE kind = 'otp_request' AND details LIKE '%u{202e}reset%'";
    assert_eq!(app.number(kept), 1);
}

#[tokio::test]
async fn what_an_agent_calls_the_sender_is_quoted_and_not_there_beside_another_ones_pattern() {
    let app = TestApp::new().await;
    let mut browser = person(&app, HOME, ADA, "/approvals").await;
    let whose = whose(&app, &browser).await;
    let bot = agent(&app, whose, "Travel bot").await;
    let called = |name: &str, pattern| Ask { sender: Some(name.to_owned()), ..wish(pattern) };
    for ask in [
        called("Acme Air” proved", None),
        called("Acme", Some("*@acme.com")),
        called("Your Bank", Some("*@evil.example")),
        Ask { received_after: Some(Timestamp::from_millis(0)), ..called("Evil", Some("*@evil.example")) },
    ] {
        relays::request(&app.app, &bot, ask).await.unwrap();
    }
    browser.go("/approvals").await;
    let page = browser.page.text();
    for quoted in ["Acme Air' proved", "Acme", "Evil"] {
        let quoted = format!("The agent calls it</span> <blockquote dir=\"auto\">{quoted}</blockquote>");
        assert!(page.contains(&quoted.replace('\'', "&#39;")), "{quoted}: {page}");
    }
    assert!(page.contains("<strong><bdi>*@evil.example</bdi></strong>"), "what is matched is said as a fact: {page}");
    assert!(!page.contains("<strong><bdi>Acme"), "what is not, is not: {page}");
    assert!(!page.contains("Your Bank"), "a name that chooses nothing makes nobody think of it: {page}");
}
