//! What the routes say of themselves too loosely, made exact for all of them at once: problems have a media type of their own,
//! and neither a header, a parameter nor a body can be null. Refuses to add anything that no route said.

use utoipa::openapi::path::{Operation, Parameter};
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::schema::{Schema, SchemaType, Type};
use utoipa::openapi::{Content, OpenApi, RefOr, Response};

/// How JSON is named, and how a problem is (RFC 9457).
pub(super) const JSON: &str = "application/json";
pub(super) const PROBLEM: &str = "application/problem+json";

/// Goes through every operation.
pub(super) fn exact(document: &mut OpenApi) {
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        operations.into_iter().flatten().for_each(operation);
    }
}

fn operation(operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter {
            never_null(parameter);
        }
    }
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        plain_body(body);
    }
    for answer in operation.responses.responses.values_mut() {
        if let RefOr::T(answer) = answer {
            name_problem(answer);
        }
    }
}

/// A header or a parameter is there or not; a type that may be left out is written as one that may be null.
fn never_null(parameter: &mut Parameter) {
    let Some(RefOr::T(Schema::Object(object))) = &mut parameter.schema else { return };
    let SchemaType::Array(types) = &mut object.schema_type else { return };
    types.retain(|one| *one != Type::Null);
    if let [only] = types.as_slice() {
        object.schema_type = SchemaType::Type(only.clone());
    }
}

/// A body that may be left out is written as a choice between nothing and an object.
fn plain_body(body: &mut RequestBody) {
    for content in body.content.values_mut() {
        let RefOr::T(Content { schema: Some(schema), .. }) = content else { continue };
        let RefOr::T(Schema::OneOf(choice)) = schema else { continue };
        if let Some(named) = choice.items.iter().find(|one| matches!(one, RefOr::Ref(_))) {
            *schema = named.clone();
        }
    }
}

/// Said once, here, and not at each answer of each call.
fn name_problem(answer: &mut Response) {
    let is_problem = |content: &RefOr<Content>| match content {
        RefOr::T(Content { schema: Some(RefOr::Ref(named)), .. }) => {
            named.ref_location == "#/components/schemas/Problem"
        }
        _ => false,
    };
    if answer.content.get(JSON).is_some_and(is_problem)
        && let Some(content) = answer.content.shift_remove(JSON)
    {
        answer.content.insert(PROBLEM.to_owned(), content);
    }
}
