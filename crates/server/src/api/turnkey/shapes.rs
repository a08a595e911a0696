//! What clients read: activities, users, keys. Numbers of 64 bits are strings, a time is seconds and nanoseconds, and members that some client
//! needs to be there are there, also where there is nothing to say.

use doorcode_core::Timestamp;
use serde_json::{Map, Value, json};

use crate::config::Mail;
use crate::ops::signed::{MailEvents, Person, View};
use crate::store::mail_events::MailEvent;
use crate::store::signers::Signer;
use crate::store::stamp_keys::StampKey;

fn moment(at: Timestamp) -> Value {
    let (seconds, millis) = (at.millis().div_euclid(1000), at.millis().rem_euclid(1000));
    json!({ "seconds": seconds.to_string(), "nanos": (millis * 1_000_000).to_string() })
}

/// An activity.
pub(super) fn activity(view: View) -> Value {
    let row = &view.activity;
    let (id, made_at) = (row.id.to_string(), moment(row.id.made_at()));
    let mut intent = Map::new();
    let mut body: Value = serde_json::from_str(&row.body).unwrap_or_default();
    intent.insert(row.kind.intent().to_owned(), body["parameters"].take());
    let mut result = Map::new();
    if let Some(members) = view.result {
        result.insert(row.kind.result().to_owned(), Value::Object(members));
    }
    let failure = view.failure.map(|failure| {
        let refusal = failure.refusal();
        json!({ "code": refusal.code(), "message": refusal.to_string(), "details": [] })
    });
    // People below are told which of their parent's users it was, and no address of theirs.
    let foreign = row.signer_org != row.org;
    let signer = view.signer.map(|signer| if foreign { Signer { email: None, phone: None, ..signer } } else { signer });
    let vote = json!({
        // One vote decides, so an activity and its vote come and go together.
        "id": id,
        "userId": row.user.to_string(),
        "user": signer.map(|signer| user(&signer, &[])),
        "activityId": id,
        "selection": "VOTE_SELECTION_APPROVED",
        "message": row.body,
        "publicKey": row.public_key,
        "signature": view.signature,
        "scheme": row.scheme,
        "createdAt": made_at,
    });
    json!({
        "id": id,
        "organizationId": row.org.to_string(),
        "status": row.status.name(),
        "type": row.kind.name(),
        "intent": intent,
        "result": result,
        "votes": [vote],
        "fingerprint": view.fingerprint,
        "canApprove": false,
        "canReject": false,
        "createdAt": made_at,
        "updatedAt": made_at,
        "failure": failure,
    })
}

/// A user with their keys.
pub(super) fn person(person: &Person) -> Value {
    user(&person.user, &person.keys)
}

fn user(user: &Signer, keys: &[StampKey]) -> Value {
    let made_at = moment(user.id.made_at());
    let mut shown = json!({
        "userId": user.id.to_string(),
        "userName": user.name,
        "authenticators": [],
        "apiKeys": keys.iter().map(key).collect::<Vec<_>>(),
        "userTags": [],
        "oauthProviders": [],
        "createdAt": made_at,
        "updatedAt": made_at,
        "mfaPolicies": [],
    });
    for (name, contact) in [("userEmail", &user.email), ("userPhoneNumber", &user.phone)] {
        if let Some(contact) = contact {
            shown[name] = contact.as_str().into();
        }
    }
    shown
}

/// A key.
pub(super) fn key(key: &StampKey) -> Value {
    let made_at = key.id.made_at();
    let mut shown = json!({
        "credential": { "publicKey": key.key.to_hex(), "type": key.kind.name() },
        "apiKeyId": key.id.to_string(),
        "apiKeyName": key.name,
        "createdAt": moment(made_at),
        "updatedAt": moment(made_at),
    });
    if let Some(end) = key.expires_at {
        // Ids of one millisecond may say the next one.
        let seconds = (end.since(made_at).as_millis() + 500) / 1000;
        shown["expirationSeconds"] = seconds.to_string().into();
    }
    shown
}

/// What became of a mail. Times are milliseconds here, and there is nothing to say of the tenant of a sender.
pub(super) fn mail_event(mail: &Mail, of: &MailEvents, event: &MailEvent) -> Value {
    let at = event.id.made_at().millis().to_string();
    let mut details = Map::new();
    let known = [("bounceType", event.what.bounce()), ("diagnosticCode", event.why.as_deref())];
    details.extend(known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))));
    json!({
        "id": event.id.to_string(),
        "organizationId": of.org.to_string(),
        "messageId": event.delivery.to_string(),
        "eventType": event.what.name(),
        "fromAddress": mail.address(),
        "toAddress": of.to.as_str(),
        "timestamp": at,
        "createdAt": at,
        "details": details,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_two_strings() {
        let at = moment(Timestamp::from_millis(1_745_474_677_472));
        assert_eq!(at, json!({ "seconds": "1745474677", "nanos": "472000000" }));
    }
}
