//! The page about a small document of its own; what it says of ours is tested where that is made (`api/document.rs`).

use serde_json::json;

use super::*;

fn document() -> Value {
    json!({
        "info": { "title": "Example", "description": "It & more.", "version": "1" },
        "tags": [{ "name": "things", "description": "Things." }, { "name": "unused", "description": "Nothing has it." }],
        "paths": {
            "/things/{id}/check": { "post": {
                "tags": ["things"], "operationId": "check_thing", "summary": "Checks `one`.", "security": [{ "key": ["verify"] }],
                "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "type": "string", "format": "uuid" } }],
                "requestBody": { "required": true, "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Check" } } } },
                "responses": {
                    "200": { "description": "See `valid`", "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Checked" } } } },
                    "422": { "description": "<b>Wrong</b>", "content": { "application/problem+json": { "schema": {} } } },
                },
            } },
            "/things": { "get": { "operationId": "watch", "responses": {
                "200": { "description": "Events", "content": { "text/event-stream": { "schema": { "type": "string" } } } },
            } } },
        },
        "components": { "schemas": {
            "Check": { "type": "object", "required": ["code", "sure"], "properties": {
                "code": { "type": "string", "minLength": 1, "maxLength": 64, "description": "What was typed.", "example": "482913" },
                "sure": { "type": "boolean", "example": true },
                "note": { "type": ["string", "null"], "description": "Anything." },
            } },
            "Checked": { "allOf": [
                { "type": "object", "required": ["valid"], "properties": { "valid": { "type": "boolean" } } },
                { "type": "object", "properties": { "thing": { "$ref": "#/components/schemas/Thing" } } },
            ] },
            "Thing": { "type": "object", "properties": { "made": { "type": "array", "items": { "type": "object", "properties": {
                "at": { "type": "string", "format": "date-time" } } } } } },
        } },
    })
}

fn shown() -> String {
    let (type_, title, remedy) = ("urn:example:late", "Late", "Ask `again`.");
    let problems = vec![Problem { type_, status: 408, title, remedy }];
    page(&Docs { document: &document(), problems, base_url: "https://door.example.com" }).0
}

#[test]
fn one_operation_as_it_is() {
    let page = shown();
    let article = page.split_once("<article").unwrap().1.split_once("</article>").unwrap().0;
    insta::with_settings!({ snapshot_path => "../../../tests/it/snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("page_docs_operation", format!("<article{article}</article>"));
    });
}

#[test]
fn what_has_no_explained_tag_is_there_too_and_what_has_no_operation_is_not() {
    let page = shown();
    assert!(page.contains("id=\"watch\"") && page.contains("curl -N https://door.example.com/things"), "{page}");
    assert!(!page.contains("unused"), "{page}");
}

#[test]
fn the_documents_words_are_text() {
    let own = format!("<script src=\"{}\" defer></script>", super::super::assets::script_href());
    let page = shown().replace(&own, "");
    assert!(page.contains("&#60;b&#62;Wrong") && !page.contains("<b>Wrong"), "{page}");
    assert!(page.contains("It &#38; more."), "{page}");
    for forbidden in ["<script", "style=", "<style", "onclick", "src="] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
}

#[test]
fn problems_say_what_to_do() {
    let page = shown();
    assert!(page.contains("urn:example:late") && page.contains("Ask <code>again</code>."), "{page}");
}
