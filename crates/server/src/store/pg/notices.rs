//! What one server tells the others: that there may be news of something, by its id. Told after the commit, many ids at once.
//! Refuses to be needed: whoever is not told looks by itself, a little later.

use std::time::Duration;

use deadpool_postgres::Pool;
use doorcode_core::Result;
use tokio::sync::mpsc;
use tokio_postgres::AsyncMessage;

use super::connection::Connection;
use super::errors::{busy, failed};
use super::settings::Settings;
use super::tls;

/// What is told is an id.
pub(in crate::store) type Name = [u8; 16];

/// What to do with what is told. None: something may have been missed, so there may be news of anything.
pub(in crate::store) type Told = Box<dyn Fn(Option<Name>) + Send + Sync>;

/// The name of the channel in the database.
const CHANNEL: &str = "doorcode";
/// Ids of one notice: it has room for 7,999 bytes (PostgreSQL's manual, NOTIFY), and an id with its comma takes 33.
const MOST: usize = 200;
/// Ids that may wait to be told.
const ROOM: usize = 8192;
/// Before a connection that broke is made anew.
const REST: Duration = Duration::from_secs(1);

/// The way to the others.
pub(super) struct Notices(mpsc::Sender<Name>);

impl Notices {
    /// Tells by connections of this pool.
    pub(super) fn open(pool: Pool) -> Self {
        let (names, mut waiting) = mpsc::channel(ROOM);
        tokio::spawn(async move {
            let mut batch = Vec::new();
            // While one notice is on its way the next one gathers.
            while waiting.recv_many(&mut batch, MOST).await > 0 {
                if let Err(error) = send(&pool, &std::mem::take(&mut batch)).await {
                    tracing::debug!(error = ?error, "other servers were not told; they look by themselves");
                }
            }
        });
        Self(names)
    }

    /// Tells the others of this. Where too much waits to be told, they are not.
    pub(super) fn tell(&self, name: Name) {
        let _no_room = self.0.try_send(name);
    }
}

async fn send(pool: &Pool, names: &[Name]) -> Result<()> {
    let mut connection = Connection::new(pool.get().await.map_err(busy)?);
    let client = connection.client()?;
    let statement = client.prepare_cached("SELECT pg_notify($1, $2)").await.map_err(failed)?;
    client.execute(&statement, &[&CHANNEL, &written(names)]).await.map_err(failed)?;
    connection.give_back();
    Ok(())
}

/// Listens for as long as the process lives, on a connection that is made anew whenever it breaks.
pub(super) fn listen(settings: Settings, told: Told) {
    tokio::spawn(async move {
        loop {
            if let Err(error) = hear(&settings, &told).await {
                tracing::debug!(error = ?error, "other servers are not heard; streams look by themselves meanwhile");
            }
            tokio::time::sleep(REST).await;
        }
    });
}

/// Listens until the connection breaks.
async fn hear(settings: &Settings, told: &Told) -> Result<()> {
    let connecting = settings.config.connect(tls::connector(settings)?);
    let (client, mut connection) = connecting.await.map_err(failed)?;
    let (heard, mut notices) = mpsc::channel(64);
    tokio::spawn(async move {
        while let Some(Ok(message)) = std::future::poll_fn(|cx| connection.poll_message(cx)).await {
            if let AsyncMessage::Notification(notice) = message
                && heard.send(notice.payload().to_owned()).await.is_err()
            {
                return;
            }
        }
    });
    client.batch_execute(&format!("LISTEN {CHANNEL}")).await.map_err(failed)?;
    // From here on nothing is missed; before, something may have been.
    told(None);
    while let Some(payload) = notices.recv().await {
        read(&payload).for_each(|name| told(Some(name)));
    }
    Ok(())
}

fn written(names: &[Name]) -> String {
    let hex = |name: &Name| format!("{:032x}", u128::from_be_bytes(*name));
    names.iter().map(hex).collect::<Vec<_>>().join(",")
}

/// The ids of a notice. What is none is passed over: anybody who may use the database may send one.
fn read(payload: &str) -> impl Iterator<Item = Name> + '_ {
    payload.split(',').filter_map(|word| u128::from_str_radix(word, 16).ok().map(u128::to_be_bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_read() {
        let names = [[0; 16], [0xff; 16], [7; 16]];
        assert_eq!(read(&written(&names)).collect::<Vec<_>>(), names);
        assert_eq!(read("").count() + read("nonsense,--,;DROP").count(), 0);
        assert!(written(&[[1; 16]; MOST]).len() < 8000);
    }
}
