//! `mail_events`: what became of the mails of signed calls, append-only, found by their org and address. Refuses to hold an address: whoever
//! asks names it, and its digest is here.

use doorcode_core::activity::Mailed;
use doorcode_core::{DeliveryId, Error, EventId, Result, Timestamp};

use super::db::Tx;
use super::sql::{Row, Value, statements};
use super::targets::TargetId;

/// What `MailEvent::read` reads.
macro_rules! columns {
    () => {
        "id, target_id, delivery_id, what, why"
    };
}

statements! {
    APPEND = concat!("INSERT INTO mail_events (", columns!(), ") VALUES ($1, $2, $3, $4, $5)");
    // Newest first.
    BEFORE = concat!("SELECT ", columns!(), " FROM mail_events WHERE target_id = $1 AND id < $2 AND id > $3 \
        AND what >= $4 AND what <= $5 ORDER BY id DESC LIMIT $6");
    // The same from the other end.
    AFTER = concat!("SELECT ", columns!(), " FROM mail_events WHERE target_id = $1 AND id < $2 AND id > $3 \
        AND what >= $4 AND what <= $5 ORDER BY id LIMIT $6");
    SWEEP = "DELETE FROM mail_events WHERE id IN (SELECT id FROM mail_events WHERE id < $1 ORDER BY id LIMIT $2)";
}

/// A row of `mail_events`.
#[derive(Clone)]
pub struct MailEvent {
    /// Its id, which says when.
    pub id: EventId,
    /// To which address, for which org.
    pub target: TargetId,
    /// Which mail: it stands in its Message-ID.
    pub delivery: DeliveryId,
    /// What became of it.
    pub what: Mailed,
    /// What the mail server replied, in codes; none where it took it, or said nothing.
    pub why: Option<String>,
}

impl MailEvent {
    fn read(row: &Row<'_>) -> Result<Self> {
        let what = Mailed::from_i64(row.int(3)?);
        Ok(Self {
            id: row.id(0)?,
            target: row.bytes(1)?,
            delivery: row.id(2)?,
            what: what.ok_or_else(|| Error::internal("a mail has an unknown event"))?,
            why: row.maybe_text(4)?,
        })
    }
}

/// Appends what became of a mail.
pub async fn append(tx: &mut Tx<'_>, new: &MailEvent) -> Result<()> {
    let values: [Value<'_>; 5] = [
        (&new.id).into(),
        (&new.target).into(),
        (&new.delivery).into(),
        new.what.to_i64().into(),
        new.why.as_ref().into(),
    ];
    tx.execute(&APPEND, &values).await.map(drop)
}

/// Those of a target between two ids whose `what` is in a range, at most `most`: the newest first, or from the other end the oldest.
pub async fn list(
    tx: &mut Tx<'_>,
    target: &TargetId,
    (after, before): (&EventId, &EventId),
    [first, last]: [i64; 2],
    newest: bool,
    most: i64,
) -> Result<Vec<MailEvent>> {
    let values = [target.into(), before.into(), after.into(), first.into(), last.into(), most.into()];
    tx.all(if newest { &BEFORE } else { &AFTER }, &values, MailEvent::read).await
}

/// Removes up to `most` older than a time.
pub async fn sweep(tx: &mut Tx<'_>, before: Timestamp, most: i64) -> Result<usize> {
    tx.execute(&SWEEP, &[(&EventId::floor(before)).into(), most.into()]).await
}
