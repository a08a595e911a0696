//! Lists, page by page. A cursor is opaque and says where a page ends; it belongs to one list of one org. Refuses one from
//! anywhere else, and parameters that nobody knows.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorcode_core::fingerprint::fingerprint;
use doorcode_core::{Id, OrgId};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::problem::{Refused, wrong};
use crate::app::App;

/// What a page holds if nobody says.
const USUAL: u32 = 20;
/// What one holds at the most.
const MOST: u32 = 100;

/// What a page is asked for with, for the document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the document is made of it")]
pub(super) struct PageQuery {
    /// How many, 1 to 100; usually 20.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The page that is asked for.
pub(super) struct Page {
    limit: u32,
    cursor: Option<String>,
}

impl FromRequestParts<Arc<App>> for Page {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refused> {
        let pairs = Query::<Vec<(String, String)>>::from_request_parts(parts, app).await;
        let Ok(Query(pairs)) = pairs else { return Err(wrong("query", "can't be read")) };
        let mut page = Self { limit: USUAL, cursor: None };
        for (name, value) in pairs {
            match name.as_str() {
                "limit" => {
                    let limit = value.parse().ok().filter(|limit| (1..=MOST).contains(limit));
                    page.limit = limit.ok_or_else(|| wrong("limit", "must be a whole number from 1 to 100"))?;
                }
                "cursor" => page.cursor = Some(value),
                other => return Err(wrong(&other.chars().take(64).collect::<String>(), "is not known here")),
            }
        }
        Ok(page)
    }
}

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub(crate) struct Listed<T> {
    /// What is on it.
    data: Vec<T>,
    /// Where the next one begins; null after the last.
    next_cursor: Option<String>,
}

impl Page {
    /// One more than the page holds: whether there is a next one.
    pub(super) fn most(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// What the page begins behind, in this list of this org.
    pub(super) fn behind<K>(&self, list: &str, org: OrgId) -> Result<Option<Id<K>>, Refused> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| <[u8; 24]>::try_from(bytes).ok());
        let id = bytes.and_then(|bytes| {
            let (id, mark) = bytes.split_at(16);
            let id: [u8; 16] = id.try_into().ok()?;
            (mark == mark_of(list, org, &id)).then(|| Id::from_bytes(id))
        });
        id.map(Some).ok_or_else(|| wrong("cursor", "must be a next_cursor of this list"))
    }

    /// The page of what was found: at most [`Self::most`], of which the last says only that there is more.
    pub(super) fn of<R, T>(
        &self,
        list: &str,
        org: OrgId,
        mut found: Vec<R>,
        each: impl Fn(&R) -> ([u8; 16], T),
    ) -> Listed<T> {
        let more = found.len() > self.limit as usize;
        found.truncate(self.limit as usize);
        let (mut last, mut data) = (None, Vec::with_capacity(found.len()));
        for row in &found {
            let (id, shown) = each(row);
            last = Some(id);
            data.push(shown);
        }
        let next_cursor = last.filter(|_| more).map(|id| {
            let mut bytes = id.to_vec();
            bytes.extend(mark_of(list, org, &id));
            URL_SAFE_NO_PAD.encode(bytes)
        });
        Listed { data, next_cursor }
    }
}

/// Ties a cursor to its list. Nothing secret hangs on it: every list is read by the org of the key.
fn mark_of(list: &str, org: OrgId, id: &[u8; 16]) -> [u8; 8] {
    let mark = fingerprint("cursor", &[list.as_bytes(), org.as_bytes(), id]);
    let mut short = [0; 8];
    short.copy_from_slice(&mark[..8]);
    short
}
