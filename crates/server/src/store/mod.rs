//! The only room that knows a database driver. [`Db`] and [`Tx`] are the seam; then one file per table, each with its
//! statements and the functions that run them. Refuses rules in callers: what a limit or a single use is stands here in
//! one conditional statement.

mod about;
pub mod activities;
pub mod agents;
pub mod audit;
mod backup;
mod cache;
pub mod challenges;
pub mod credentials;
mod db;
pub mod deliveries;
pub mod devices;
mod event_kinds;
pub mod events;
mod fold;
pub mod hooks;
pub mod idempotency;
pub mod identities;
pub mod inbound_addresses;
pub mod invites;
mod lite;
pub mod lock;
pub mod mail_events;
pub mod mailboxes;
pub mod master_keys;
pub mod meta;
pub mod meters;
mod migrate;
pub mod moving;
pub mod nodes;
pub mod orgs;
mod pg;
pub mod push_subscriptions;
pub mod redirects;
pub mod relay_messages;
pub mod relays;
pub mod sessions;
pub mod signers;
pub mod spent_tokens;
mod sql;
pub mod stamp_keys;
mod statements;
mod sync;
pub mod targets;
pub mod users;
pub mod webhook_messages;
pub mod webhooks;
mod writer;

pub use about::{About, Asker};
pub use db::{Db, Tx};
pub use pg::Settings as PgSettings;

use doorcode_core::{Error, Result};

/// Every statement of every table.
fn statements() -> impl Iterator<Item = &'static sql::Sql> {
    [
        activities::ALL,
        agents::ALL,
        audit::ALL,
        challenges::ALL,
        credentials::ALL,
        deliveries::ALL,
        devices::ALL,
        events::ALL,
        hooks::ALL,
        inbound_addresses::ALL,
        idempotency::ALL,
        identities::ALL,
        invites::ALL,
        mail_events::ALL,
        mailboxes::ALL,
        master_keys::ALL,
        meta::ALL,
        meters::ALL,
        nodes::ALL,
        orgs::ALL,
        push_subscriptions::ALL,
        redirects::ALL,
        relay_messages::ALL,
        sessions::ALL,
        signers::ALL,
        spent_tokens::ALL,
        stamp_keys::ALL,
        users::ALL,
        webhook_messages::ALL,
        webhooks::ALL,
    ]
    .into_iter()
    .chain(relays::EVERY)
    .chain(targets::EVERY)
    .flatten()
    .copied()
}

/// Prepares every statement, so that one which an engine can't take is found before it is needed. Gives their number.
pub async fn prepare_all(tx: &mut Tx<'_>) -> Result<usize> {
    let mut count = 0;
    for sql in statements() {
        tx.prepare(sql).await.map_err(|error| Error::internal(format!("{}: {error:?}", sql.pg())))?;
        count += 1;
    }
    Ok(count)
}
