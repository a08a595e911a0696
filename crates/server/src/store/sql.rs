//! The seam's vocabulary: a statement, the values that go in, the row that comes out. One text serves every engine.
//! Refuses text that is made at run time: a [`Sql`] is a `static`, so the contract suite can prepare each one.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use doorcode_core::{Error, Result};

use super::pg;

/// One statement, written once with `$1…`.
pub struct Sql {
    text: &'static str,
    lite: OnceLock<String>,
    shared: OnceLock<Option<String>>,
    number: OnceLock<usize>,
}

impl Sql {
    /// A statement from its text.
    pub const fn new(text: &'static str) -> Self {
        Self { text, lite: OnceLock::new(), shared: OnceLock::new(), number: OnceLock::new() }
    }

    /// The text for SQLite, made once: `$1` becomes `?1`, since SQLite numbers `$n` by first appearance, not by n. What only
    /// PostgreSQL has to be told goes: the type of a value that stands where any would do, and which rows to lock.
    pub fn lite(&self) -> &str {
        self.lite.get_or_init(|| {
            let only_postgres = [
                "::bytea",
                "::text",
                "::bigint",
                " FOR UPDATE OF mailboxes SKIP LOCKED",
                " FOR UPDATE SKIP LOCKED",
                " FOR UPDATE",
                " FOR SHARE",
            ];
            only_postgres.iter().fold(self.text.replace('$', "?"), |text, words| text.replace(words, ""))
        })
    }

    /// The text for PostgreSQL.
    pub fn pg(&self) -> &'static str {
        self.text
    }

    /// The text for PostgreSQL that does for each of many what this does for one, if there is one: made once.
    pub fn shared(&self, make: impl FnOnce(&str) -> Option<String>) -> Option<&str> {
        self.shared.get_or_init(|| make(self.text)).as_deref()
    }

    /// Whether it gives rows.
    pub fn gives_rows(&self) -> bool {
        self.reads() || self.text.contains(" RETURNING ")
    }

    /// Whether it changes nothing.
    pub fn reads(&self) -> bool {
        self.text.starts_with("SELECT ") || self.text.starts_with("WITH RECURSIVE ")
    }

    /// Its number in this process: small, and no other's. By it a connection finds what it has prepared.
    pub fn number(&self) -> usize {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        *self.number.get_or_init(|| NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// Declares statements and, from the same lines, the list of them that the contract suite prepares.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $text:expr;)*) => {
        $($(#[$doc])* static $name: $crate::store::sql::Sql = $crate::store::sql::Sql::new($text);)*
        /// Every statement of this table.
        pub(super) static ALL: &[&$crate::store::sql::Sql] = &[$(&$name),*];
    };
}
pub(super) use statements;

/// A value on its way into a statement.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// SQL NULL.
    Null,
    /// Numbers, and times in milliseconds.
    Int(i64),
    /// Text.
    Text(&'a str),
    /// Ids and digests.
    Bytes(&'a [u8]),
}

/// A value that stays while its unit waits.
pub enum Owned {
    /// SQL NULL.
    Null,
    /// Numbers, and times in milliseconds.
    Int(i64),
    /// Text.
    Text(Box<str>),
    /// Ids and digests.
    Bytes(Box<[u8]>),
}

impl Owned {
    /// To be sent.
    pub fn value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Int(n) => Value::Int(*n),
            Self::Text(text) => Value::Text(text),
            Self::Bytes(bytes) => Value::Bytes(bytes),
        }
    }
}

impl From<&Value<'_>> for Owned {
    fn from(value: &Value<'_>) -> Self {
        match *value {
            Value::Null => Self::Null,
            Value::Int(n) => Self::Int(n),
            Value::Text(text) => Self::Text(text.into()),
            Value::Bytes(bytes) => Self::Bytes(bytes.into()),
        }
    }
}

impl From<i64> for Value<'_> {
    fn from(n: i64) -> Self {
        Self::Int(n)
    }
}
impl From<doorcode_core::Timestamp> for Value<'_> {
    fn from(at: doorcode_core::Timestamp) -> Self {
        Self::Int(at.millis())
    }
}
impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}
impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}
impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}
impl<'a, const N: usize> From<&'a [u8; N]> for Value<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self::Bytes(bytes)
    }
}
impl<'a, K> From<&'a doorcode_core::id::Id<K>> for Value<'a> {
    fn from(id: &'a doorcode_core::id::Id<K>) -> Self {
        Self::Bytes(id.as_bytes())
    }
}
impl<'a, T> From<Option<T>> for Value<'a>
where
    T: Into<Value<'a>>,
{
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        use rusqlite::types::{ToSqlOutput, ValueRef};
        Ok(ToSqlOutput::Borrowed(match *self {
            Self::Null => ValueRef::Null,
            Self::Int(n) => ValueRef::Integer(n),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// A row on its way out. Columns are taken by position, in the order of the statement.
pub enum Row<'a> {
    /// A row of SQLite.
    Lite(&'a rusqlite::Row<'a>),
    /// A row of PostgreSQL.
    Pg(&'a tokio_postgres::Row),
}

impl Row<'_> {
    /// An integer.
    pub fn int(&self, at: usize) -> Result<i64> {
        self.maybe_int(at)?.ok_or_else(empty)
    }

    /// An integer that may be absent.
    pub fn maybe_int(&self, at: usize) -> Result<Option<i64>> {
        match self {
            Self::Lite(row) => row.get(at).map_err(Error::internal),
            Self::Pg(row) => pg::int(row, at),
        }
    }

    /// A time.
    pub fn time(&self, at: usize) -> Result<doorcode_core::Timestamp> {
        self.int(at).map(doorcode_core::Timestamp::from_millis)
    }

    /// A time that may be absent.
    pub fn maybe_time(&self, at: usize) -> Result<Option<doorcode_core::Timestamp>> {
        Ok(self.maybe_int(at)?.map(doorcode_core::Timestamp::from_millis))
    }

    /// Text.
    pub fn text(&self, at: usize) -> Result<String> {
        self.maybe_text(at)?.ok_or_else(empty)
    }

    /// Text that may be absent.
    pub fn maybe_text(&self, at: usize) -> Result<Option<String>> {
        match self {
            Self::Lite(row) => row.get(at).map_err(Error::internal),
            Self::Pg(row) => pg::text(row, at),
        }
    }

    /// Bytes of a fixed number: an id, a digest, a salt, a seed.
    pub fn bytes<const N: usize>(&self, at: usize) -> Result<[u8; N]> {
        match self {
            Self::Lite(row) => row.get(at).map_err(Error::internal),
            Self::Pg(row) => pg::bytes(row, at),
        }
    }

    /// Bytes of a fixed number that may be absent.
    pub fn maybe_bytes<const N: usize>(&self, at: usize) -> Result<Option<[u8; N]>> {
        match self {
            Self::Lite(row) => row.get(at).map_err(Error::internal),
            Self::Pg(row) => pg::maybe_bytes(row, at),
        }
    }

    /// An id.
    pub fn id<K>(&self, at: usize) -> Result<doorcode_core::id::Id<K>> {
        self.bytes(at).map(doorcode_core::id::Id::from_bytes)
    }

    /// An id that may be absent.
    pub fn maybe_id<K>(&self, at: usize) -> Result<Option<doorcode_core::id::Id<K>>> {
        Ok(self.maybe_bytes(at)?.map(doorcode_core::id::Id::from_bytes))
    }
}

fn empty() -> Error {
    Error::internal("a column is empty that must not be")
}
