//! What became of the mails that went to an address. Refuses to say anything about mails of another organisation, and to tell an address that
//! nothing was ever sent to from one that nobody knows.

use std::sync::Arc;

use doorcode_core::activity::{Mailed, numbers_of};
use doorcode_core::stamp::Refusal;
use doorcode_core::{Email, EventId, OrgId};

use super::Refused;
use super::pages::Pages;
use super::queries::Query;
use crate::app::{App, target_of};
use crate::store::mail_events::{self, MailEvent};

/// What became of mails to an address.
pub struct MailEvents {
    /// The organisation that had them sent.
    pub org: OrgId,
    /// The address that they were for, as it is spelled here.
    pub to: Email,
    /// The newest first.
    pub events: Vec<MailEvent>,
}

/// What became of the mails that an organisation had sent to an address.
pub async fn mail_events(app: &Arc<App>, query: &Query) -> Result<MailEvents, Refused> {
    query.caller(app, None).await?;
    let pages = Pages::read(&query.members)?;
    let to = query.text("email")?.and_then(|text| Email::parse(text).ok()).ok_or(Refusal::Email)?;
    let (org, all) = (query.org(), [0, Mailed::ALL.len() as i64]);
    // A name that is published, or will be, and that nothing here has: there are none of it.
    let Some(range) = query.text("eventType")?.map_or(Some(all), numbers_of) else {
        return Ok(MailEvents { org, to, events: Vec::new() });
    };
    let (target, newest) = (target_of(org, to.as_str()), pages.is_newest());
    let (after, before) = (EventId::from_bytes(pages.after()), EventId::from_bytes(pages.before()));
    let most = i64::try_from(pages.limit).unwrap_or(0);
    let read = app.db.read(move |tx| {
        Box::pin(async move { mail_events::list(tx, &target, (&after, &before), range, newest, most).await })
    });
    Ok(MailEvents { org, to, events: pages.newest_first(read.await?) })
}
