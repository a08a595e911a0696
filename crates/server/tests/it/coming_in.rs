//! Messages on their way in, as far as more than one room has to do with it: what this house sends is never taken for somebody's code.

use doorcode::capture::{message, origin};
use doorcode::deliver::mime;

use crate::app::{HERE, TestApp};

const ADA: &str = "ada@example.com";

#[tokio::test]
async fn mail_of_this_house_is_known_when_it_comes_back() {
    let (here, elsewhere) = (TestApp::new().await, TestApp::new().await);
    here.from(HERE).start(ADA).await;
    here.deliver_due().await;
    let sent = here.app.inbox.as_ref().unwrap().list(Some(ADA));
    let entry = sent.first().unwrap();
    // From another domain and with another Message-ID, as relays make of it: only the mark is left.
    let mut head = mime::head(entry.message(), "Somebody <a@relay.example>", None, entry.at_ms()).unwrap();
    head = head.replace(&entry.message().message_id, "<1@relay.example>");
    let raw = format!("{}\r\n\r\n{}", head.replace('\n', "\r\n"), entry.message().text.expose());
    let parsed = message::parse(raw.as_bytes(), None).unwrap();
    assert!(origin::is_ours(&parsed, &[], &here.app.keys.ring()), "{head}");
    assert!(!origin::is_ours(&parsed, &[], &elsewhere.app.keys.ring()), "another house has another key");
}
