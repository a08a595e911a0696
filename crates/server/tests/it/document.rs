//! The document and the page that is made of it, as they are served.

use std::path::Path;

use axum::http::Method;

use crate::app::{HERE, TestApp};

#[tokio::test]
async fn the_document_is_the_one_that_is_committed() {
    let app = TestApp::new().await;
    let answer = app.get("/openapi.json").await;
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().join("openapi.json");
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    assert!(answer.text() == std::fs::read_to_string(committed).unwrap(), "run `cargo run -- gen`");
    let refused = app.from(HERE).send(Method::POST, "/openapi.json", "").await;
    assert_eq!((refused.status, refused.header("content-type")), (405, Some("application/problem+json")));
}

#[tokio::test]
async fn the_page_is_like_every_other_page_and_names_this_server() {
    let app = TestApp::new().await;
    let page = app.get("/docs").await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let front = app.get("/").await;
    for header in ["content-security-policy", "referrer-policy", "x-content-type-options", "cache-control"] {
        assert_eq!(page.header(header), front.header(header), "{header}");
    }
    assert!(page.text().contains(&format!("{}/v1/verifications", app.app.base_url())));
    assert!(page.text().matches("<script").count() == 1 && !page.text().contains("//cdn"), "our own, and no other");
}
