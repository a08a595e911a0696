//! The document of the API (OpenAPI 3.1): made from the routes, so that it has what they have, and served as it is committed; and the page
//! for people that is made of it. Refuses to name servers: a document without any means the one that it came from.

use std::sync::{Arc, LazyLock, OnceLock};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::exact::{JSON, exact};
use super::native::problem::KINDS;
use crate::app::App;
use crate::web::docs::{self, Docs, Problem};
use crate::web::headers::page_headers;

/// What the document says of the whole.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Doorcode",
        description = "One-time codes: sent, checked, and exchanged for what they earn.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    tags(
        (name = "verifications", description = "Whether somebody has an address: a code goes there, comes back, and becomes a token."),
        (name = "tokens", description = "The tokens that verifications end in, and the keys that check them."),
        (name = "keys", description = "The org's API keys."),
        (name = "users", description = "The people of the org."),
        (name = "orgs", description = "The org of the key, and those that it made."),
        (name = "sign-in", description = "People who sign in through `/signin` by way of an app: where they go back to, tokens, sessions."),
        (name = "webhooks", description = "Who is told of events, and what became of each message."),
        (name = "events", description = "What the org did."),
        (name = "agentotp", description = "An agent asks for the code that arrives for its person; they say yes; it is sealed to the agent's key and read once."),
        (name = "turnkey", description = "Calls that their caller signed: a code becomes a key that is sealed to a person's device."),
        (name = "hooks", description = "Programs push a person's messages here: apps that forward SMS, Twilio, WhatsApp."),
        (name = "outx", description = "The front door: a code by mail becomes a user, a team and its key, by a published contract."),
        (name = "operate", description = "For whoever runs the server."),
        (name = "document", description = "This document."),
    ),
    modifiers(&KeyScheme)
)]
struct Document;

/// How the routes under `/v1` are opened.
struct KeyScheme;

impl utoipa::Modify for KeyScheme {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "A key of the org. Where `verify` is enough, a stamp of the request serves too: docs/native.md",
            ))
            .build();
        let components = document.components.get_or_insert_with(Default::default);
        components.add_security_scheme("key", SecurityScheme::Http(scheme));
        let token = "An access token from /v1/token";
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(token)).build();
        components.add_security_scheme("access_token", SecurityScheme::Http(scheme));
    }
}

/// The document before any route is in it.
pub(super) fn opening() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(document))
}

/// The same for people, at `/docs`. Made at the first request, since it names the server that it is about.
pub(super) fn page() -> Router<Arc<App>> {
    let made: Arc<OnceLock<Bytes>> = Arc::default();
    let page = async move |State(app): State<Arc<App>>| {
        let html = made.get_or_init(|| render(&app.base_url())).clone();
        (page_headers(), [(header::CONTENT_TYPE, "text/html; charset=utf-8")], html)
    };
    Router::new().route("/docs", get(page))
}

fn render(base_url: &str) -> Bytes {
    let document = serde_json::to_value(openapi()).unwrap_or_default();
    let problems = KINDS.iter().map(|kind| Problem {
        type_: kind.type_,
        status: kind.status.as_u16(),
        title: kind.title,
        remedy: kind.remedy,
    });
    docs::page(&Docs { document: &document, problems: problems.collect(), base_url }).0.into()
}

/// The document, with every route.
fn openapi() -> utoipa::openapi::OpenApi {
    let mut document = super::routes().split_for_parts().1;
    exact(&mut document);
    document
}

/// The document as text, as it is committed. Made once: it is the same for every server of this version.
pub fn openapi_text() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let text = openapi().to_pretty_json();
        text.expect("what the routes say of themselves is texts, numbers and lists of those") + "\n"
    });
    &TEXT
}

/// Every call of this server, for programs (OpenAPI 3.1).
#[utoipa::path(get, path = "/openapi.json", tag = "document", operation_id = "openapi",
    responses((status = 200, description = "The document", body = Object)))]
async fn document() -> Response {
    let headers = [(header::CONTENT_TYPE, JSON), (header::CACHE_CONTROL, "public, max-age=300")];
    (headers, openapi_text()).into_response()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::super::exact::PROBLEM;
    use super::*;

    /// Every operation: method, path, and what is said of it.
    fn operations(document: &Value) -> Vec<(String, &str, &Value)> {
        let paths = document["paths"].as_object().unwrap().iter();
        let all = paths.flat_map(|(path, item)| {
            item.as_object().unwrap().iter().map(|(method, said)| (method.to_uppercase(), path.as_str(), said))
        });
        all.collect()
    }

    #[test]
    fn every_operation_and_every_kind_of_problem_is_on_the_page() {
        let document: Value = serde_json::from_str(openapi_text()).unwrap();
        let page = String::from_utf8(render("https://door.example.com").into()).unwrap();
        let operations = operations(&document);
        assert!(operations.len() > 25);
        for (method, path, said) in operations {
            let id = said["operationId"].as_str().unwrap();
            let (_, article) = page.split_once(&format!("<article class=\"operation\" id=\"{id}\">")).expect(id);
            let article = article.split_once("</article>").unwrap().0;
            assert!(article.contains(&format!("{method}</b> <code>{path}</code>")), "{id}");
            assert!(page.contains(&format!("<a href=\"#{id}\"><b>{method}</b> {path}</a>")), "{id} is in the contents");
            for status in said["responses"].as_object().unwrap().keys() {
                assert!(article.contains(&format!("<dt>{status}</dt>")), "{id} {status}");
            }
        }
        for kind in KINDS {
            assert!(page.contains(kind.type_) && page.contains(kind.title), "{}", kind.type_);
        }
    }

    #[test]
    fn operations_and_problems_have_names_of_their_own() {
        let document: Value = serde_json::from_str(openapi_text()).unwrap();
        let mut names = BTreeSet::new();
        let tags: BTreeSet<_> =
            document["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).map(Value::to_string).collect();
        for (method, path, said) in operations(&document) {
            assert!(names.insert(said["operationId"].to_string()), "{method} {path}");
            assert!(tags.contains(&said["tags"][0].to_string()), "{method} {path} has a tag that is explained");
            assert!(said["summary"].as_str().is_some_and(|text| text.len() > 1), "{method} {path}");
        }
        let types: BTreeSet<_> = KINDS.iter().map(|kind| kind.type_).collect();
        assert_eq!(types.len(), KINDS.len());
        assert!(document.get("servers").is_none(), "a document is about the server that it came from");
    }

    #[test]
    fn problems_are_documented_as_what_they_are_sent_as() {
        let document: Value = serde_json::from_str(openapi_text()).unwrap();
        let said = &document["paths"]["/v1/verifications"]["post"]["responses"];
        for status in ["400", "401", "403", "422", "429", "503"] {
            let kinds: Vec<_> = said[status]["content"].as_object().unwrap().keys().collect();
            assert_eq!(kinds, [PROBLEM], "{status}");
        }
    }
}
