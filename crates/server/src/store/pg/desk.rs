//! Where meters are spent: one for a whole network or org is a row that every request wants, and a unit that held it until its
//! commit would let in a thousand a second. So whoever waits here shares a transaction of its own, short, before the unit goes on. It is
//! durable with the commit of the unit that comes after it (docs/decisions/0016). Refuses to spend less than is taken: a unit that
//! fails gives back afterwards, and where the process dies in between, a little too much is counted. Where the database crashes, what was
//! spent for a refusal may be forgotten.

use std::collections::BTreeMap;
use std::time::Duration;

use deadpool_postgres::{ClientWrapper, Pool};
use doorcode_core::{Error, Result, Timestamp};
use futures_util::future::join;
use tokio::sync::{mpsc, oneshot};
use tokio_postgres::types::ToSql;

use super::board::Spending;
use super::connection::Connection;
use super::errors::{busy, failed};
use crate::store::meters::{Meter, MeterId};

/// Who may wait.
const ROOM: usize = 4096;
/// Who shares a transaction at the most.
const BATCH: usize = 512;
/// A batch that takes longer has lost its database.
const BATCH_MOST: Duration = Duration::from_secs(5);

const READ: &str = "SELECT id, used, until FROM meters WHERE id = ANY($1) ORDER BY id FOR UPDATE";
const MAKE: &str = "INSERT INTO meters (id, used, until) SELECT made.id, 0, 0 FROM unnest($1::bytea[]) AS made(id) \
    ORDER BY made.id ON CONFLICT (id) DO NOTHING";
const WRITE: &str = "UPDATE meters SET used = new.used, until = new.until \
    FROM unnest($1::bytea[], $2::bigint[], $3::bigint[]) AS new(id, used, until) WHERE meters.id = new.id";

/// The way to the desk. It closes when the last of these is dropped.
#[derive(Clone)]
pub struct Desk(mpsc::Sender<Wish>);

enum Wish {
    /// One from each, or none: answered with the place of one that is full.
    Spend(Spending),
    /// One back to each, if the window is still the one in which it was spent: it ends by then.
    GiveBack(Vec<(MeterId, Timestamp)>),
}

/// What a meter's row says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Standing {
    used: i64,
    until: Timestamp,
}

impl Desk {
    /// Opens it, on connections of its own: whoever waits here holds one of the others.
    pub(super) fn open(pool: Pool) -> Self {
        let (wishes, mut waiting) = mpsc::channel(ROOM);
        tokio::spawn(async move {
            let mut batch = Vec::new();
            while waiting.recv_many(&mut batch, BATCH).await > 0 {
                serve(&pool, std::mem::take(&mut batch)).await;
            }
        });
        Self(wishes)
    }

    /// Spends one from each meter, or from none. Gives the place of one that was full.
    pub(in crate::store) async fn spend(&self, meters: &[Meter], now: Timestamp) -> Result<Option<usize>> {
        if meters.is_empty() {
            return Ok(None);
        }
        let (reply, answer) = oneshot::channel();
        let spending = Spending { meters: meters.to_vec(), now, reply };
        self.0.send(Wish::Spend(spending)).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    /// Spends for several, each on its own; returns when all are answered.
    pub(super) async fn spend_all(&self, spendings: Vec<Spending>) {
        let mut answers = Vec::with_capacity(spendings.len());
        for Spending { meters, now, reply: to } in spendings {
            let (reply, answer) = oneshot::channel();
            // Where it is closed, nobody is answered, and hears that.
            drop(self.0.send(Wish::Spend(Spending { meters, now, reply })).await);
            answers.push((to, answer));
        }
        let mut told = Vec::with_capacity(answers.len());
        for (to, answer) in answers {
            told.push((to, answer.await.unwrap_or_else(|_| Err(closed()))));
        }
        for (to, answer) in told {
            drop(to.send(answer));
        }
    }

    /// Gives one back to each, in its own time.
    pub(in crate::store) fn give_back(&self, meters: Vec<(MeterId, Timestamp)>) {
        // A desk that is full is one whose database is gone: what it was spent for was not committed either.
        if !meters.is_empty() {
            drop(self.0.try_send(Wish::GiveBack(meters)));
        }
    }
}

fn closed() -> Error {
    Error::unavailable("the store is closed")
}

/// Serves a batch in one transaction, and answers.
async fn serve(pool: &Pool, batch: Vec<Wish>) {
    let outcome = tokio::time::timeout(BATCH_MOST, settle(pool, &batch)).await;
    let outcome = outcome.unwrap_or_else(|_| Err(Error::unavailable("the database did not answer in time")));
    let mut granted = outcome.as_ref().map(|granted| granted.iter());
    for wish in batch {
        let Wish::Spend(Spending { reply, .. }) = wish else { continue };
        let answer = match &mut granted {
            Ok(granted) => granted.next().copied().ok_or_else(closed),
            Err(error) => Err(Error::unavailable(error.to_string())),
        };
        // Whoever asked may have given up.
        drop(reply.send(answer));
    }
    if let Err(error) = outcome {
        tracing::warn!(error = ?error, "meters could not be spent");
    }
}

/// What each spending wish is answered with.
async fn settle(pool: &Pool, batch: &[Wish]) -> Result<Vec<Option<usize>>> {
    let mut connection = Connection::new(pool.get().await.map_err(busy)?);
    let client: &ClientWrapper = connection.client()?;
    let mut rows = BTreeMap::new();
    for wish in batch {
        match wish {
            Wish::Spend(Spending { meters, .. }) => rows.extend(meters.iter().map(|meter| (meter.id, None))),
            Wish::GiveBack(ids) => rows.extend(ids.iter().map(|(id, _)| (*id, None))),
        }
    }
    let (begun, found) = join(client.batch_execute("BEGIN"), read(client, &mut rows)).await;
    begun.map_err(failed)?;
    found?;
    if rows.values().any(Option::is_none) {
        let missing: Vec<&[u8]> = rows.iter().filter(|(_, row)| row.is_none()).map(|(id, _)| &id[..]).collect();
        let made = client.prepare_cached(MAKE).await.map_err(failed)?;
        client.execute(&made, &[&missing]).await.map_err(failed)?;
        read(client, &mut rows).await?;
    }
    let (granted, changed) = judge(batch, rows)?;
    let ids: Vec<&[u8]> = changed.keys().map(|id| &id[..]).collect();
    let used: Vec<i64> = changed.values().map(|row| row.used).collect();
    let until: Vec<i64> = changed.values().map(|row| row.until.millis()).collect();
    let write = client.prepare_cached(WRITE).await.map_err(failed)?;
    let values: [&(dyn ToSql + Sync); 3] = [&ids, &used, &until];
    // Where the one fails, the other commits nothing.
    let (written, committed) = join(client.execute(&write, &values), client.batch_execute("COMMIT")).await;
    written.and(committed.map(|()| 0)).map_err(failed)?;
    connection.give_back();
    Ok(granted)
}

/// Reads the rows that are there, and keeps others from changing them.
async fn read(client: &ClientWrapper, rows: &mut BTreeMap<MeterId, Option<Standing>>) -> Result<()> {
    let ids: Vec<&[u8]> = rows.keys().map(|id| &id[..]).collect();
    let statement = client.prepare_cached(READ).await.map_err(failed)?;
    let found = client.query(&statement, &[&ids]).await.map_err(failed)?;
    for row in found {
        let id = super::row::bytes(&row, 0)?;
        let standing = Standing {
            used: row.try_get(1).map_err(failed)?,
            until: Timestamp::from_millis(row.try_get(2).map_err(failed)?),
        };
        rows.insert(id, Some(standing));
    }
    Ok(())
}

type Judged = (Vec<Option<usize>>, BTreeMap<MeterId, Standing>);

/// Answers each wish in its turn, as if each had come alone.
fn judge(batch: &[Wish], rows: BTreeMap<MeterId, Option<Standing>>) -> Result<Judged> {
    let gone = || Error::unavailable("a meter was swept away under our hands");
    let rows = rows.into_iter().map(|(id, row)| row.map(|row| (id, row)).ok_or_else(gone));
    let mut rows = rows.collect::<Result<BTreeMap<MeterId, Standing>>>()?;
    let mut granted = Vec::new();
    for wish in batch {
        match wish {
            Wish::GiveBack(ids) => {
                for (id, end) in ids {
                    rows.entry(*id).and_modify(|row| {
                        if row.until <= *end {
                            row.used = (row.used - 1).max(0);
                        }
                    });
                }
            }
            Wish::Spend(Spending { meters, now, .. }) => {
                let full = meters.iter().position(|meter| {
                    rows.get(&meter.id).is_none_or(|row| row.until > *now && row.used >= i64::from(meter.limit))
                        || meter.limit == 0
                });
                if full.is_none() {
                    for meter in meters {
                        rows.entry(meter.id).and_modify(|row| {
                            if row.until <= *now {
                                *row = Standing { used: 0, until: now.plus(meter.span) };
                            }
                            row.used += 1;
                        });
                    }
                }
                granted.push(full);
            }
        }
    }
    Ok((granted, rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
    const HOUR: Duration = Duration::from_secs(3600);

    fn meter(n: u8, limit: u32) -> Meter {
        Meter { id: [n; 16], span: HOUR, limit }
    }

    fn spend(meters: &[Meter], now: Timestamp) -> Wish {
        Wish::Spend(Spending { meters: meters.to_vec(), now, reply: oneshot::channel().0 })
    }

    fn rows(list: &[(u8, i64, Timestamp)]) -> BTreeMap<MeterId, Option<Standing>> {
        list.iter().map(|(n, used, until)| ([*n; 16], Some(Standing { used: *used, until: *until }))).collect()
    }

    #[test]
    fn each_is_answered_as_if_it_had_come_alone() {
        let (one, two) = (meter(1, 2), meter(2, 10));
        let batch = [
            spend(&[one, two], NOW),
            spend(&[two, one], NOW),
            spend(&[two, one], NOW),
            Wish::GiveBack(vec![(one.id, NOW.plus(HOUR))]),
            spend(&[one], NOW),
        ];
        let before = rows(&[(1, 0, Timestamp::from_millis(0)), (2, 0, Timestamp::from_millis(0))]);
        let (granted, after) = judge(&batch, before).unwrap();
        assert_eq!(granted, [None, None, Some(1), None]);
        assert_eq!((after[&one.id].used, after[&two.id].used), (2, 2), "who is refused spends nothing");
        assert_eq!(after[&one.id].until, NOW.plus(HOUR));
    }

    #[test]
    fn a_window_that_is_over_begins_anew() {
        let one = meter(1, 2);
        let full = rows(&[(1, 2, NOW)]);
        assert_eq!(judge(&[spend(&[one], NOW.minus(Duration::from_millis(1)))], full.clone()).unwrap().0, [Some(0)]);
        let (granted, after) = judge(&[spend(&[one], NOW)], full).unwrap();
        assert_eq!((granted, after[&one.id]), (vec![None], Standing { used: 1, until: NOW.plus(HOUR) }));
    }

    #[test]
    fn what_was_spent_in_a_window_that_is_over_is_not_given_back_to_the_next() {
        let late = Wish::GiveBack(vec![([1; 16], NOW)]);
        let (_, after) = judge(&[late], rows(&[(1, 2, NOW.plus(HOUR))])).unwrap();
        assert_eq!(after[&[1; 16]].used, 2);
    }

    #[test]
    fn nothing_is_less_than_nothing_and_a_limit_of_nought_is_full() {
        let (_, after) = judge(&[Wish::GiveBack(vec![([1; 16], NOW)])], rows(&[(1, 0, NOW)])).unwrap();
        assert_eq!(after[&[1; 16]].used, 0);
        assert_eq!(judge(&[spend(&[meter(1, 0)], NOW)], rows(&[(1, 0, NOW)])).unwrap().0, [Some(0)]);
    }
}
