//! The inbox of `--dev`, by its routes: found by what is searched, shown as what it is, in the language that was asked for.

use crate::app::{HERE, TestApp};

const ADA: &str = "ada.lovelace@example.com";
const GRACE: &str = "grace.hopper@example.com";

#[tokio::test]
async fn a_message_is_found_by_its_address_its_subject_and_its_text() {
    let app = TestApp::new().await;
    let code = app.code(ADA).await;
    app.code(GRACE).await;
    for search in ["ADA.love", &code] {
        let page = app.get(&format!("/dev/inbox?q={search}")).await.text();
        assert!(page.contains(ADA) && !page.contains(GRACE) && page.contains("1 message"), "{page}");
    }
    let page = app.get("/dev/inbox?q=doorcode").await.text();
    assert!(page.contains(ADA) && page.contains(GRACE) && page.contains("2 messages"), "{page}");
    let page = app.get("/dev/inbox?q=nobody&to=grace.hopper%40example.com").await.text();
    assert!(page.contains("Nothing to <b>grace.hopper@example.com</b> with <b>nobody</b>"), "{page}");
    let page = app.get("/dev/inbox?before=2").await.text();
    assert!(page.contains(ADA) && !page.contains(GRACE), "{page}");
}

#[tokio::test]
async fn a_message_has_three_views_and_each_is_the_message() {
    let app = TestApp::new().await;
    let code = app.code(ADA).await;
    let view = async |view: &str| app.get(&format!("/dev/inbox/1{view}")).await.text();
    for html in ["", "?view=html", "?view=no-such"] {
        assert!(view(html).await.contains("<iframe src=\"/dev/inbox/1/body\" sandbox=\"\""), "{html}");
    }
    assert!(view("?view=text").await.contains(&format!("\n{code}\n")));
    let headers = view("?view=headers").await;
    let head = headers.split("<pre").nth(1).unwrap_or_default();
    assert!(head.contains("Message-ID: &#60;") && head.contains("X-Doorcode-Stamp: "), "{head}");
    assert!(!head.contains(&code), "no header has the code");
    let policy = app.get("/dev/inbox/1").await.header("content-security-policy").map(str::to_owned);
    assert!(policy.is_some_and(|policy| policy.contains("script-src 'self';")));
    let policy = app.get("/dev/inbox/1/body").await.header("content-security-policy").map(str::to_owned);
    assert!(policy.is_some_and(|policy| policy.starts_with("sandbox;") && !policy.contains("script")));
}

#[tokio::test]
async fn a_mail_comes_in_the_language_of_whoever_asked() {
    let app = TestApp::new().await;
    for (header, opening) in
        [("de-AT, en;q=0.5", "<pre lang=\"de\""), ("tlh", "<pre lang=\"en\""), ("ar", "<pre lang=\"ar\"")]
    {
        let number = app.messages(ADA) + 1;
        app.from(HERE).saying("accept-language", header).start(ADA).await;
        app.deliver_due().await;
        let page = app.get(&format!("/dev/inbox/{number}?view=text")).await.text();
        assert!(page.contains(opening), "{header}: {page}");
    }
}
