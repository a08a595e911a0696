//! Which part of a list a query asks for. Refuses more than a hundred at once.

use doorcode_core::stamp::Refusal;
use doorcode_core::{OrgId, json};
use serde_json::{Map, Value};

/// Which part of a list.
pub(super) struct Pages {
    /// How many, 1 to 100.
    pub(super) limit: usize,
    after: Option<[u8; 16]>,
    before: Option<[u8; 16]>,
}

impl Pages {
    /// Reads `paginationOptions`: `limit` 1 to 100, `after` and `before` ids.
    pub(super) fn read(members: &Map<String, Value>) -> Result<Self, Refusal> {
        let options = members.get("paginationOptions").filter(|value| !value.is_null());
        let bad = |why| Refusal::Request { field: "paginationOptions", why };
        let empty = Map::new();
        let options = match options {
            None => &empty,
            Some(value) => value.as_object().ok_or(bad("must be an object"))?,
        };
        let id = |name: &str| match json::text(options, name) {
            None | Some("") => Ok(None),
            Some(text) => text.parse::<OrgId>().map(|id| Some(*id.as_bytes())).map_err(|_| bad("must name ids")),
        };
        let limit = match options.get("limit").filter(|value| !value.is_null()) {
            None => Some(10),
            Some(Value::String(text)) if text.is_empty() => Some(10),
            Some(Value::String(text)) => text.parse().ok(),
            Some(value) => value.as_u64().and_then(|limit| usize::try_from(limit).ok()),
        };
        let limit = limit.filter(|limit| (1..=100).contains(limit)).ok_or(bad("limit must be 1 to 100"))?;
        Ok(Self { limit, after: id("after")?, before: id("before")? })
    }

    /// Everything behind this id.
    pub(super) fn after(&self) -> [u8; 16] {
        self.after.unwrap_or([0; 16])
    }

    /// Everything before this id.
    pub(super) fn before(&self) -> [u8; 16] {
        self.before.unwrap_or([0xff; 16])
    }

    /// Whether the newest between the two are asked for. With `after` alone, those that come next behind it.
    pub(super) fn is_newest(&self) -> bool {
        self.after.is_none() || self.before.is_some()
    }

    /// What was found in the order in which it was asked for, in that in which it is answered.
    pub(super) fn newest_first<T>(&self, mut found: Vec<T>) -> Vec<T> {
        found.truncate(self.limit);
        if !self.is_newest() {
            found.reverse();
        }
        found
    }
}
