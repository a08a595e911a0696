//! Values on their way into PostgreSQL, and columns on their way out. Refuses to write one kind of value where the engine expects
//! another: a text that landed in a column of bytes would be found by nobody.

use doorcode_core::{Error, Result};
use tokio_postgres::Row;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::store::sql::Value;

type Cause = Box<dyn std::error::Error + Sync + Send>;

impl ToSql for Value<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Cause> {
        match *self {
            Self::Null => Ok(IsNull::Yes),
            // What is counted, or a place in a text, is narrower there than here.
            Self::Int(n) if *ty == Type::INT8 => n.to_sql(ty, out),
            Self::Int(n) if *ty == Type::INT4 => i32::try_from(n)?.to_sql(ty, out),
            Self::Text(text) if [Type::TEXT, Type::VARCHAR].contains(ty) => text.to_sql(ty, out),
            Self::Bytes(bytes) if *ty == Type::BYTEA => bytes.to_sql(ty, out),
            _ => Err(format!("a value of another kind than {ty}").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// An integer of any width, or a truth.
pub(in crate::store) fn int(row: &Row, at: usize) -> Result<Option<i64>> {
    match row.columns().get(at).map(tokio_postgres::Column::type_) {
        Some(ty) if *ty == Type::INT4 => Ok(get::<Option<i32>>(row, at)?.map(i64::from)),
        Some(ty) if *ty == Type::BOOL => Ok(get::<Option<bool>>(row, at)?.map(i64::from)),
        _ => get(row, at),
    }
}

/// Text.
pub(in crate::store) fn text(row: &Row, at: usize) -> Result<Option<String>> {
    get(row, at)
}

/// Bytes of a fixed number.
pub(in crate::store) fn maybe_bytes<const N: usize>(row: &Row, at: usize) -> Result<Option<[u8; N]>> {
    let found: Option<&[u8]> = get(row, at)?;
    found.map(|bytes| bytes.try_into().map_err(Error::internal)).transpose()
}

/// The same, where there must be some.
pub(in crate::store) fn bytes<const N: usize>(row: &Row, at: usize) -> Result<[u8; N]> {
    maybe_bytes(row, at)?.ok_or_else(|| Error::internal("a column is empty that must not be"))
}

fn get<'r, T: FromSql<'r>>(row: &'r Row, at: usize) -> Result<T> {
    row.try_get(at).map_err(Error::internal)
}
