//! A code comes back, in the clear or sealed, and becomes a verification token: for the key that came with it. Refuses to spend a try on what
//! does not open, and to let a token without a key live longer than ten minutes.

use doorcode_core::activity::rules::token_life;
use doorcode_core::activity::{Kind, Parameters};
use doorcode_core::seal::turnkey::{BundleKey, open_code};
use doorcode_core::stamp::{PublicKey, Refusal};
use doorcode_core::{ChallengeId, Result, Secret, Timestamp};
use serde_json::json;

use super::caller::Found;
use super::redeem::Entry;
use super::start::seconds;
use super::{Ended, Refused, TOKEN_PURPOSE};
use crate::app::App;
use crate::store::Tx;

/// A code for a token.
#[derive(Clone)]
pub(super) struct Verify {
    pub(super) entry: Entry,
    key: Option<PublicKey>,
    /// Of today's form.
    bound: bool,
    expires_at: Timestamp,
}

impl Verify {
    pub(super) fn new(app: &App, caller: &Found, parameters: &Parameters<'_>, now: Timestamp) -> Result<Self, Refused> {
        let bound = parameters.kind() == Kind::VerifyOtpV2;
        let (code, key) = if bound {
            let opened = open(app, caller, parameters)?;
            (opened.code, Some(opened.key))
        } else {
            (Secret::new(parameters.text("otpCode").unwrap_or_default().to_owned()), parameters.maybe_key("publicKey"))
        };
        let life = token_life(parameters.life()?, key.is_some());
        let entry = Entry::new(app, caller, parameters, code, TOKEN_PURPOSE)?;
        Ok(Self { entry, key, bound, expires_at: now.plus(seconds(life)) })
    }

    pub(super) async fn run(&self, tx: &mut Tx<'_>, app: &App, now: Timestamp) -> Result<Ended> {
        let (challenge, contact) = match self.entry.check(tx, app, now).await? {
            Ok(right) => right,
            Err(ended) => return Ok(ended),
        };
        // What the token says; it is signed when it is handed out.
        Ok(Ended::done(json!({
            "id": challenge.id.to_string(),
            "contact": contact.as_str(),
            "key": self.key.map(|key| key.to_hex()),
            "bound": self.bound,
            "until": self.expires_at.millis(),
        })))
    }
}

/// What a client sealed to the key of its start, under whichever master key that was made.
fn open(
    app: &App,
    caller: &Found,
    parameters: &Parameters<'_>,
) -> Result<doorcode_core::seal::turnkey::Entry, Refused> {
    let id: ChallengeId = parameters.text("otpId").unwrap_or_default().parse()?;
    let bundle = parameters.text("encryptedOtpBundle").unwrap_or_default();
    let mut refused = Refusal::Request { field: "encryptedOtpBundle", why: "can't be opened" };
    for roots in app.keys.ring().iter() {
        match open_code(bundle, &BundleKey::of_start(&roots.otp_target, caller.org.id, id)?) {
            Ok(entry) => return Ok(entry),
            Err(why) => refused = why,
        }
    }
    Err(refused.into())
}
