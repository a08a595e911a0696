//! One statement for many: the text of a statement that is written for one row, made to take a list of values for each of its
//! parameters and to do for each place in the lists what it does for one. Refuses statements that this can't be said of: a look at the
//! text decides. No two places may mean the same row of an `UPDATE` or a `DELETE`: one would be passed over. `#` in a text, and columns called
//! `place` or `p1`, are taken.

use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::statements::wire;
use super::transaction::Outcome;
use crate::store::sql::{Owned, Sql, Value};

/// How the lists are called in the text, and the number of a place in them.
const LISTS: &str = "each_one";
const PLACE: &str = "place";

/// What a statement answered for one of many.
pub(super) struct Answer {
    /// Its rows, without the number of its place behind them: columns are taken by position.
    pub(super) rows: Vec<Row>,
    /// How many rows it changed.
    pub(super) changed: usize,
}

/// Runs a statement for each of several lists of values: at once, where that can be.
pub(super) async fn run(client: &ClientWrapper, sql: &'static Sql, all: &[Vec<Owned>]) -> Outcome<Vec<Answer>> {
    let single = client.prepare_cached(sql.pg()).await?;
    let many = match all {
        [_, _, ..] => sql.shared(|text| text_for_many(text, single.params())),
        _ => None,
    };
    let Some(many) = many else {
        let each = all.iter().map(|values| async {
            let values: Vec<Value<'_>> = values.iter().map(Owned::value).collect();
            alone(client, sql, &single, &values).await
        });
        return futures_util::future::try_join_all(each).await;
    };
    let statement = client.prepare_cached(many).await?;
    let lists = values_of(all, single.params().len());
    let lists = as_lists(&lists);
    let mut answers: Vec<Answer> = all.iter().map(|_| Answer { rows: Vec::new(), changed: 0 }).collect();
    if many.starts_with("INSERT ") {
        // What an insert returns can't say whose it is; all of them are made, or none.
        client.execute(&statement, &lists).await?;
        answers.iter_mut().for_each(|answer| answer.changed = 1);
        return Ok(answers);
    }
    for row in client.query(&statement, &lists).await? {
        let place: i64 = row.try_get(row.len() - 1)?;
        let place = usize::try_from(place - 1).unwrap_or(usize::MAX);
        if let Some(answer) = answers.get_mut(place) {
            answer.changed += 1;
            answer.rows.push(row);
        }
    }
    Ok(answers)
}

/// Runs an insert of one row for many, whose text is made at run time. Gives how many were made.
pub(super) async fn insert(client: &ClientWrapper, text: &str, all: &[Vec<Owned>]) -> Outcome<u64> {
    let single = client.prepare_cached(text).await?;
    let many = text_for_many(text, single.params()).unwrap_or_default();
    let statement = client.prepare_cached(&many).await?;
    let lists = values_of(all, single.params().len());
    client.execute(&statement, &as_lists(&lists)).await
}

/// Prepares a statement, and the one for many.
pub(super) async fn prepare(client: &ClientWrapper, sql: &'static Sql) -> Outcome<()> {
    let single = client.prepare_cached(sql.pg()).await?;
    match sql.shared(|text| text_for_many(text, single.params())) {
        Some(many) => client.prepare_cached(many).await.map(drop),
        None => Ok(()),
    }
}

/// A list for each of so many columns.
fn values_of(all: &[Vec<Owned>], columns: usize) -> Vec<Vec<Value<'_>>> {
    (0..columns).map(|column| all.iter().map(|values| values[column].value()).collect()).collect()
}

fn as_lists<'l>(lists: &'l [Vec<Value<'_>>]) -> Vec<&'l (dyn ToSql + Sync)> {
    lists.iter().map(|list| list as &(dyn ToSql + Sync)).collect()
}

/// Runs a statement for one.
pub(super) async fn alone(
    client: &ClientWrapper,
    sql: &'static Sql,
    statement: &tokio_postgres::Statement,
    values: &[Value<'_>],
) -> Outcome<Answer> {
    let values = wire(values);
    if sql.gives_rows() {
        let rows = client.query(statement, &values).await?;
        return Ok(Answer { changed: rows.len(), rows });
    }
    let changed = client.execute(statement, &values).await?;
    Ok(Answer { rows: Vec::new(), changed: usize::try_from(changed).unwrap_or(usize::MAX) })
}

/// The text for many, if there is one.
fn text_for_many(text: &str, types: &[Type]) -> Option<String> {
    let lists = lists(types)?;
    if text.starts_with("SELECT ") {
        // LIMIT takes no column.
        let fixed = !text.contains("LIMIT $");
        let text = format!("SELECT found.*, {LISTS}.{PLACE} FROM {lists} CROSS JOIN LATERAL ({text}) AS found");
        return fixed.then(|| columns(&text));
    }
    if let Some(insert) = text.strip_prefix("INSERT ") {
        // Behind the values no list can be named, and which of them met another can't be told.
        let (head, values) = insert.split_once(" VALUES (")?;
        let values = values.strip_suffix(')')?;
        return Some(columns(&format!("INSERT {head} SELECT {values} FROM {lists}")));
    }
    // A row that is chosen by a look of its own would be looked for once for each row.
    let plain = !text.contains("(SELECT ");
    let (head, from, rest) = match text.split_once(" WHERE ")? {
        (head, rest) if head.starts_with("UPDATE ") => (head, "FROM", rest),
        (head, rest) if head.starts_with("DELETE ") => (head, "USING", rest),
        _ => return None,
    };
    let (condition, returned) = match rest.split_once(" RETURNING ") {
        Some((condition, returned)) => (condition, format!("{returned}, ")),
        None => (rest, String::new()),
    };
    let text = format!("{head} {from} {lists} WHERE {condition} RETURNING {returned}{LISTS}.{PLACE}");
    plain.then(|| columns(&text))
}

/// A table of the lists: a column for each parameter, and a number for each place.
fn lists(types: &[Type]) -> Option<String> {
    let mut arrays = Vec::new();
    let mut names = Vec::new();
    for (n, ty) in (1..).zip(types) {
        arrays.push(format!("#{n}::{}[]", name(ty)?));
        names.push(format!("p{n}, "));
    }
    let (arrays, names) = (arrays.join(", "), names.concat());
    (!types.is_empty()).then(|| format!("unnest({arrays}) WITH ORDINALITY AS {LISTS}({names}{PLACE})"))
}

fn name(ty: &Type) -> Option<&'static str> {
    match *ty {
        Type::BYTEA => Some("bytea"),
        Type::TEXT | Type::VARCHAR => Some("text"),
        Type::INT8 => Some("bigint"),
        Type::INT4 => Some("integer"),
        _ => None,
    }
}

/// The text with a column of the lists in the place of each parameter, and the parameters where the lists are.
fn columns(text: &str) -> String {
    text.replace('$', &format!("{LISTS}.p")).replace('#', "$")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn many(text: &str, types: &[Type]) -> Option<String> {
        text_for_many(text, types).map(|text| text.replace("each_one", "e"))
    }

    #[test]
    fn what_it_makes_of_each_kind() {
        let two = [Type::BYTEA, Type::INT8];
        let lists = "unnest($1::bytea[], $2::bigint[]) WITH ORDINALITY AS e(p1, p2, place)";
        let made = |text: &str| many(text, &two).unwrap();
        assert_eq!(
            made("SELECT a FROM t WHERE id = $1 AND n > $2 FOR UPDATE"),
            format!(
                "SELECT found.*, e.place FROM {lists} CROSS JOIN LATERAL (SELECT a FROM t WHERE id = e.p1 AND n > e.p2 FOR UPDATE) AS found"
            )
        );
        assert_eq!(
            made("INSERT INTO t (id, n, m) VALUES ($1, $2, 0)"),
            format!("INSERT INTO t (id, n, m) SELECT e.p1, e.p2, 0 FROM {lists}")
        );
        assert_eq!(
            made("UPDATE t SET n = $2 WHERE id = $1 RETURNING m"),
            format!("UPDATE t SET n = e.p2 FROM {lists} WHERE id = e.p1 RETURNING m, e.place")
        );
        assert_eq!(
            made("DELETE FROM t WHERE id = $1 AND n < $2"),
            format!("DELETE FROM t USING {lists} WHERE id = e.p1 AND n < e.p2 RETURNING e.place")
        );
    }

    #[test]
    fn what_it_makes_nothing_of() {
        for text in [
            "SELECT a FROM t WHERE id = $1 LIMIT $2",
            "INSERT INTO t (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET n = $2",
            "INSERT INTO t (id, n) SELECT $1, $2 WHERE true",
            "UPDATE t SET n = $2 WHERE id = (SELECT id FROM t WHERE id >= $1 LIMIT 1)",
        ] {
            assert_eq!(many(text, &[Type::BYTEA, Type::INT8]), None, "{text}");
        }
        assert_eq!(many("SELECT 1", &[]), None);
        assert_eq!(many("SELECT a FROM t WHERE b = $1", &[Type::JSON]), None);
    }
}
