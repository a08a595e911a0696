//! A sealed key by mail: it goes to the user's address and is never answered. Refuses to let it count before its first stamp, or ten unproved
//! calls would sign the person out.

use doorcode_core::activity::Parameters;
use doorcode_core::activity::rules::Feature;
use doorcode_core::stamp::{KeyKind, Refusal};
use doorcode_core::{Address, Email, Error, OrgId, Result, Shape, Timestamp};
use serde_json::json;

use super::caller::Found;
use super::sealed_key::SealedKey;
use super::start::{TERMS, seconds};
use super::{Ended, MAIL_PURPOSE, Outcome, Refused, Then, contacts, features, top};
use crate::app::App;
use crate::ops::challenges::{Asked, Begun, Live, Start, post};
use crate::ops::verifications;
use crate::store::{About, Tx};

/// A key by mail, prepared.
#[derive(Clone)]
pub(super) struct MailKey {
    asked: Asked,
    org: OrgId,
    payer: OrgId,
    contact: Address,
    carried: String,
    key: SealedKey,
    invalidating: bool,
}

impl MailKey {
    pub(super) fn new(app: &App, caller: &Found, parameters: &Parameters<'_>, now: Timestamp) -> Result<Self, Refused> {
        if !features::is_on(&caller.org, Feature::EmailAuth) {
            return Err(Refusal::Disabled.into());
        }
        let email = Email::parse(parameters.text("email").unwrap_or_default()).map_err(|_| Refusal::Email)?;
        let key = SealedKey::asked(app, parameters, "Email Auth", now)?;
        let life = seconds(parameters.life()?);
        let (org, payer, contact) = (caller.org.id, top(&caller.org), Address::from(email));
        let start = Start {
            realm: org,
            purpose: MAIL_PURPOSE,
            to: contact.clone(),
            shape: Shape::LONG,
            life,
            renew: life,
            language: "en".into(),
            full_name: None,
            client: caller.client(None),
            live: Live::Resent,
            link: false,
            terms: TERMS,
        };
        Ok(Self {
            asked: Asked::new(app, start)?,
            org,
            payer,
            contact,
            carried: carried(app, key.bundle(), parameters)?,
            key,
            invalidating: parameters.flag("invalidateExisting"),
        })
    }

    pub(super) fn about(&self) -> About {
        self.asked.about().alone()
    }

    /// After a unit that was taken back.
    pub(super) fn lost(&self, app: &App, error: Error) -> Error {
        super::start::lost(app, &self.asked, error)
    }

    pub(super) async fn run(&self, tx: &mut Tx<'_>, app: &App, now: Timestamp) -> Result<Ended> {
        let user = match contacts::owner(tx, &self.org, &self.contact).await? {
            Ok(user) if contacts::is_trusted(tx, &user, &self.contact, now).await? => user,
            Ok(_) => return Ok(Ended::refused(Refusal::NotAuthorized)),
            Err(refusal) => return Ok(Ended::refused(refusal)),
        };
        verifications::may_send(tx, app, &self.payer, self.contact.as_str()).await?;
        let begun = post(tx, app, &self.asked, &self.carried).await?;
        let outcome = if matches!(begun, Begun::Refused(_)) {
            Outcome::Refused(Refusal::TooManyStarts)
        } else {
            // It makes no room before it counts, so no key is over by it yet.
            self.key.give(tx, &user, (KeyKind::EmailAuth, self.invalidating), now).await?;
            Outcome::Done(json!({ "userId": user.id.to_string(), "apiKeyId": self.key.id.to_string() }))
        };
        let then = Then::Mail(self.asked.delivery(), Box::new(begun));
        Ok(Ended { outcome, about: Some((self.org, user.id)), then })
    }
}

/// What goes out: the bundle, and the caller's link with it, if there is a template. A link leads to a page that a browser trusts.
fn carried(app: &App, bundle: &str, parameters: &Parameters<'_>) -> Result<String, Refusal> {
    let custom = parameters.object("emailCustomization");
    let template = custom.and_then(|members| members.get("magicLinkTemplate")?.as_str());
    let Some(template) = template else { return Ok(bundle.to_owned()) };
    let trusted = template.starts_with("https://") || app.config.dev && template.starts_with("http://");
    if !trusted || template.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(Refusal::MagicLinkTemplate);
    }
    Ok(format!("{bundle} {}", template.replace("%s", bundle)))
}
