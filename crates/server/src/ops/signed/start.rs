//! A code is asked for: for a user's contact, whose success is a sealed key, or for any contact, whose success is a token. The engine counts,
//! sends and derives. Refuses a contact that is two users' or nobody's where it has to be somebody's, any but their own to a person who asks
//! with their own key, more than three starts for one `userIdentifier` within three minutes, and SMS, which this server does not send.

use std::net::IpAddr;
use std::time::Duration;

use doorcode_core::activity::rules::{CODE_LIFE, Feature, STARTS, STARTS_WINDOW, TRIES, is_sandbox};
use doorcode_core::activity::{Kind, Parameters};
use doorcode_core::fingerprint::fingerprint;
use doorcode_core::stamp::Refusal;
use doorcode_core::{Address, Error, OrgId, Result, Timestamp, UserId};
use serde_json::json;

use super::caller::Found;
use super::{Ended, KEY_PURPOSE, Outcome, Refused, TOKEN_PURPOSE, Then, contacts, features, top};
use crate::app::App;
use crate::ops::challenges::{Asked, Begun, Live, Start, Terms, conclude};
use crate::ops::verifications;
use crate::store::meters::{self, Meter};
use crate::store::{About, Tx, signers};

/// A code with less life left than this is replaced by a new start.
const RENEW: Duration = Duration::from_secs(60);

/// What a door's contract says of its codes.
pub(super) const TERMS: Terms = Terms { tries: Some(TRIES), sandbox: false };

/// As a duration.
pub(super) fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(u64::from(seconds))
}

/// A start, prepared.
#[derive(Clone)]
pub(super) struct Starting {
    asked: Asked,
    org: OrgId,
    /// Who answers for what is sent.
    payer: OrgId,
    contact: Address,
    /// The contact must be a user's.
    of_user: bool,
    /// The contact must be theirs: they ask with a key of their own.
    only: Option<UserId>,
    sandbox: bool,
    meter: Option<Meter>,
}

impl Starting {
    pub(super) fn new(app: &App, caller: &Found, parameters: &Parameters<'_>) -> Result<Self, Refused> {
        let (contact, shape) = (parameters.contact()?, parameters.shape()?);
        let of_user = is_of_user(parameters.kind());
        let sandbox = (app.config.dev || caller.sandbox) && is_sandbox(&contact, shape);
        let by_mail = contact.email().is_some();
        if !by_mail && !sandbox {
            return Err(
                Refusal::Request { field: "otpType", why: "can't be OTP_TYPE_SMS: this server sends mail" }.into()
            );
        }
        if of_user && !features::is_on(&caller.org, Feature::of(&contact)) {
            return Err(Refusal::Disabled.into());
        }
        let (org, payer) = (caller.org.id, top(&caller.org));
        let identifier = parameters.text("userIdentifier").filter(|text| !text.is_empty());
        let meter = identifier.map(|text| {
            let id = fingerprint("signed starts", &[org.as_bytes(), text.as_bytes()]);
            Meter { id, span: STARTS_WINDOW, limit: STARTS }
        });
        // Some versions can not say it.
        let life = seconds(parameters.expiration().unwrap_or(CODE_LIFE));
        let only = (!of_user && caller.is_person()).then_some(caller.user.id);
        // Some backends hand in the person's address for it, and some a digest.
        let person = identifier.and_then(|text| text.parse::<IpAddr>().ok());
        let start = Start {
            realm: org,
            purpose: if of_user { KEY_PURPOSE } else { TOKEN_PURPOSE },
            to: contact.clone(),
            shape,
            life,
            renew: RENEW.min(life / 2),
            language: "en".into(),
            full_name: None,
            client: caller.client(person),
            live: Live::ResentIfAlike,
            link: false,
            terms: Terms { sandbox, ..TERMS },
        };
        Ok(Self { asked: Asked::new(app, start)?, org, payer, contact, of_user, only, sandbox, meter })
    }

    pub(super) fn about(&self) -> About {
        self.asked.about().alone()
    }

    /// After a unit that was taken back.
    pub(super) fn lost(&self, app: &App, error: Error) -> Error {
        lost(app, &self.asked, error)
    }

    pub(super) async fn run(&self, tx: &mut Tx<'_>, app: &App, now: Timestamp) -> Result<Ended> {
        let mut whose = None;
        if self.of_user {
            match contacts::owner(tx, &self.org, &self.contact).await? {
                Ok(user) if contacts::is_trusted(tx, &user, &self.contact, now).await? => whose = Some(user.id),
                Ok(_) => return Ok(Ended::refused(Refusal::NotAuthorized)),
                Err(refusal) => return Ok(Ended::refused(refusal)),
            }
        }
        if let Some(user) = &self.only {
            let user = signers::get(tx, &self.org, user).await?;
            let mut own = user.iter().flat_map(|user| [&user.email, &user.phone]).flatten();
            if !own.any(|own| own == self.contact.as_str()) {
                return Ok(Ended::refused(Refusal::NotAuthorized));
            }
        }
        if let Some(meter) = &self.meter
            && meters::spend(tx, std::slice::from_ref(meter), now).await?.is_some()
        {
            return Err(Error::Limited {
                rule: "signed.starts",
                retry_after: meters::retry_after(tx, meter, now).await?,
            });
        }
        if !self.sandbox {
            verifications::may_send(tx, app, &self.payer, self.contact.as_str()).await?;
        }
        let begun = self.asked.begin(tx, app).await?;
        let outcome = match &begun {
            Begun::Sent(challenge, _) | Begun::Withheld(challenge, _) => Outcome::Done(json!({
                "otpId": challenge.id.to_string(),
                "kid": challenge.kid.as_str(),
            })),
            Begun::Refused(_) => Outcome::Refused(Refusal::TooManyStarts),
        };
        let about = whose.map(|user| (self.org, user));
        Ok(Ended { outcome, about, then: Then::Mail(self.asked.delivery(), Box::new(begun)) })
    }
}

/// A message's unit was taken back: it is counted all the same.
pub(super) fn lost(app: &App, asked: &Asked, error: Error) -> Error {
    let concluded = conclude(app, asked.delivery(), Err(error));
    concluded.err().unwrap_or_else(|| Error::internal("a start that was taken back was sent"))
}

fn is_of_user(kind: Kind) -> bool {
    matches!(kind, Kind::InitOtpAuth | Kind::InitOtpAuthV2 | Kind::InitOtpAuthV3)
}
