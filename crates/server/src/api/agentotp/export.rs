//! `/v1/audit/export`: a person's record as a file, JSON or CSV, with each entry's number and chain and the head, so that a head that was
//! exported can be compared later. Nothing is kept of an export: its id says what is in it, and it is made when it is fetched, always of the
//! caller's own record. Refuses to let a spreadsheet compute what stands in a field.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorcode_core::relay::Named as _;
use doorcode_core::{Timestamp, UserId, hex};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::answers::{BodyProblems, NoKey, NoPerson, Unavailable};
use super::audit::{agent, kind, span, view};
use super::caller::ByPerson;
use super::error::{self, Answer, ErrorBody, Refused};
use super::fields::{Fields, wrong};
use super::query::Parameters;
use crate::api::segment::Segment;
use crate::app::App;
use crate::ops::audit;
use crate::store::audit::{Entry, Owner, Search};

/// Entries in one file.
const ENTRIES_MOST: i64 = 10_000;
/// What an export's id begins with.
const WORD: &str = "export_";
/// The columns of a file for spreadsheets.
const COLUMNS: &str = "number,created_at,event_type,actor,agent_id,request_id,details,kid,chain\r\n";

/// What is to be exported. Every member may also be spelt with underscores.
#[derive(ToSchema)]
#[schema(as = OtpExport)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "the document is made of it")]
pub(crate) struct Wanted {
    /// `json` or `csv`.
    #[schema(pattern = "^(json|csv)$", example = "csv")]
    format: Option<String>,
    /// From this moment on.
    #[schema(format = "date-time")]
    start_date: Option<String>,
    /// Until before this one.
    #[schema(format = "date-time")]
    end_date: Option<String>,
    /// About this agent.
    #[schema(pattern = "^agent_[A-Za-z0-9_-]{22}$")]
    agent_id: Option<String>,
    /// Of this kind.
    #[schema(example = "approve")]
    event_type: Option<String>,
}

/// What an export's id says.
#[derive(Serialize, Deserialize)]
struct Export {
    csv: bool,
    from: i64,
    to: i64,
    agent: Option<String>,
    kind: Option<String>,
}

impl Export {
    fn id(&self) -> String {
        format!("{WORD}{}", URL_SAFE_NO_PAD.encode(json!(self).to_string()))
    }

    fn read(id: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(id.strip_prefix(WORD)?).ok()?;
        serde_json::from_slice(&bytes).ok()
    }
}

/// Names an export; it is made when it is fetched.
#[utoipa::path(post, path = "/v1/audit/export", tag = "agentotp", operation_id = "export_audit", request_body = Wanted,
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "Its `id` and `url`", body = Object),
        NoKey,
        NoPerson,
        BodyProblems,
        Unavailable,
    ))]
pub(super) async fn begin(State(app): State<Arc<App>>, _person: ByPerson, mut fields: Fields) -> Answer {
    let format = fields.text("format")?.unwrap_or_else(|| "json".to_owned());
    if !["json", "csv"].contains(&format.as_str()) {
        return Err(wrong("format", "must be json or csv"));
    }
    let (from, to) = span(&mut fields)?;
    let export = Export {
        csv: format == "csv",
        from: from.millis(),
        to: to.millis(),
        agent: fields.text("agentId")?.map(|text| agent(&text).map(|_| text)).transpose()?,
        kind: fields.text("eventType")?.map(|text| kind(&text)).transpose()?,
    };
    let id = export.id();
    let url = format!("{}/v1/audit/export/{id}", app.base_url());
    Ok(Json(json!({
        "id": id, "exportId": id, "export_id": id, "status": "completed", "format": format, "url": url,
        "downloadUrl": url, "download_url": url,
    }))
    .into_response())
}

/// The file.
#[utoipa::path(get, path = "/v1/audit/export/{id}", tag = "agentotp", operation_id = "fetch_audit_export",
    params(("id" = String, Path, description = "The export", pattern = "^export_[A-Za-z0-9_-]+$"),
        ("cursor" = Option<u64>, Query, description = "The `next_cursor` of the file before: what is older", minimum = 1)),
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "Up to 10,000 entries, oldest first, and the head", content(
            (Object = "application/json"), (String = "text/csv"))),
        NoKey,
        NoPerson,
        (status = 404, description = "That is no export", body = ErrorBody),
        (status = 422, description = "Something is wrong with the cursor", body = ErrorBody),
        Unavailable,
    ))]
pub(super) async fn fetch(
    State(app): State<Arc<App>>,
    ByPerson(whose): ByPerson,
    Segment(text): Segment,
    asked: Parameters,
) -> Answer {
    let export = Export::read(&text).ok_or_else(|| Refused::from(error::absent("export")))?;
    let cursor = asked.number("cursor", (1, i64::MAX as u64))?;
    let head = audit::head(&app, whose.owner).await?;
    let wanted = Search {
        before: cursor.map_or(i64::MAX, |number| number as i64),
        kind: export.kind.as_deref().map(kind).transpose().map_err(|_| Refused::from(error::absent("export")))?,
        agent: export.agent.as_deref().map(agent).transpose().map_err(|_| Refused::from(error::absent("export")))?,
        relay: None,
        from: Timestamp::from_millis(export.from),
        to: Timestamp::from_millis(export.to),
        skip: 0,
        most: ENTRIES_MOST,
    };
    let mut found = audit::search(&app, whose.owner, wanted).await?;
    let next = found.last().filter(|_| found.len() as i64 == ENTRIES_MOST).map(|entry| entry.number.to_string());
    found.reverse();
    Ok(if export.csv { csv(&found, &head, next) } else { whole(&whose.owner, &found, &head, next.as_deref()) })
}

fn whole(owner: &UserId, found: &[Entry], head: &Owner, next: Option<&str>) -> Response {
    let data: Vec<Value> = found.iter().map(|entry| view(owner, entry)).collect();
    Json(json!({
        "data": data, "has_more": next.is_some(), "next_cursor": next,
        "head": { "number": head.head, "chain": head.chain.map(|chain| hex::encode(&chain)) },
    }))
    .into_response()
}

fn csv(found: &[Entry], head: &Owner, next: Option<String>) -> Response {
    let mut text = COLUMNS.to_owned();
    for entry in found {
        let agent = entry.agent.map(|id| id.shown()).unwrap_or_default();
        let relay = entry.relay.map(|id| id.shown()).unwrap_or_default();
        let (number, at, chain) = (entry.number.to_string(), entry.at.to_string(), hex::encode(&entry.chain));
        let row = [&number, &at, &entry.kind, &entry.actor, &agent, &relay, &entry.details, entry.kid.as_str(), &chain];
        let row: Vec<String> = row.into_iter().map(field).collect();
        text += &row.join(",");
        text += "\r\n";
    }
    let chain = head.chain.map(|chain| hex::encode(&chain)).unwrap_or_default();
    let headers = [
        (header::CONTENT_TYPE.as_str(), "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION.as_str(), "attachment; filename=\"audit.csv\"".to_owned()),
        ("x-audit-head", format!("{} {chain}", head.head)),
        ("x-next-cursor", next.unwrap_or_default()),
    ];
    (headers, text).into_response()
}

/// A field of a file for spreadsheets: quoted, and with an apostrophe in front where one would compute it.
fn field(text: impl AsRef<str>) -> String {
    let text = text.as_ref();
    let computed = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    format!("\"{}{}\"", if computed { "'" } else { "" }, text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_field_is_computed_and_none_ends_early() {
        for (text, expected) in [
            ("plain", "\"plain\""),
            ("=1+1", "\"'=1+1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("\t=1", "\"'\t=1\""),
            ("a\",\"=1", "\"a\"\",\"\"=1\""),
        ] {
            assert_eq!(field(text), expected);
        }
    }

    #[test]
    fn an_exports_id_says_what_is_in_it() {
        let export = Export { csv: true, from: -5, to: 7, agent: None, kind: Some("otp_deny".to_owned()) };
        let read = Export::read(&export.id()).unwrap();
        assert_eq!((read.csv, read.from, read.to, read.kind.as_deref()), (true, -5, 7, Some("otp_deny")));
        assert!(Export::read("export_AAAA").is_none() && Export::read("x").is_none());
    }
}
