//! An activity as it is shown. Refuses what opens something, and the plain fingerprint and the signature of a body that had a code, to everybody
//! but who sends that body, signed by the key whose activity it is.

use doorcode_core::activity::{MASK, Status};
use doorcode_core::seal::turnkey::{BundleKey, Proof, Session, Verification, target_bundle};
use doorcode_core::stamp::{Curve, PublicKey, Refusal};
use doorcode_core::{Address, Error, Result, Timestamp, hex};
use serde_json::{Map, Value};

use crate::app::App;
use crate::store::activities::Activity;
use crate::store::signers::Signer;

/// Why an activity was judged as it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failure {
    /// The code was not right.
    Code,
    /// The token was not.
    Token,
}

impl Failure {
    /// As it is stored.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Token => "token",
        }
    }

    /// As it is answered.
    pub const fn refusal(self) -> Refusal {
        match self {
            Self::Code => Refusal::WrongCode,
            Self::Token => Refusal::Token,
        }
    }

    fn of(stored: &str) -> Self {
        if stored == "token" { Self::Token } else { Self::Code }
    }
}

/// An activity, for somebody who may see it.
pub struct View {
    /// Its row.
    pub activity: Activity,
    /// Who signed, if they are still there.
    pub signer: Option<Signer>,
    /// The members of its result, once it is done.
    pub result: Option<Map<String, Value>>,
    /// Why it was not to be.
    pub failure: Option<Failure>,
    /// The fingerprint that they may see.
    pub fingerprint: String,
    /// The signature that they may see.
    pub signature: String,
}

/// Who looks.
#[derive(Clone, Copy)]
pub(super) struct Looker<'a> {
    /// The key that has just signed the activity's body, in hexadecimal.
    pub(super) key: Option<&'a str>,
    /// The fingerprint of the body that they have just sent, if it is the activity's.
    pub(super) fingerprint: Option<&'a str>,
    /// Their signature of it.
    pub(super) signature: Option<&'a str>,
}

impl Looker<'_> {
    /// Who only asks: whoever recorded a question can ask it again, so it opens nothing, whoever's it is.
    pub(super) const ONLOOKER: Self = Self { key: None, fingerprint: None, signature: None };
}

impl View {
    /// What whoever looks may see.
    pub(super) fn of(app: &App, activity: Activity, signer: Option<Signer>, looker: Looker<'_>) -> Result<Self> {
        let own = looker.key == Some(activity.public_key.as_str());
        let fingerprint = match (looker.fingerprint, &activity.plain) {
            (Some(plain), _) => plain.to_owned(),
            (None, Some(plain)) => plain.clone(),
            (None, None) => {
                activity.print.map_or_else(|| MASK.to_owned(), |print| format!("keyed:{}", hex::encode(&print)))
            }
        };
        let signature = looker.signature.filter(|_| own).map(str::to_owned).or_else(|| activity.signature.clone());
        let failure =
            (activity.status == Status::Failed).then(|| Failure::of(activity.failure.as_deref().unwrap_or_default()));
        Ok(Self {
            result: result(app, &activity, own)?,
            signer,
            failure,
            fingerprint,
            signature: signature.unwrap_or_else(|| MASK.to_owned()),
            activity,
        })
    }
}

/// The result, from what is kept of it.
fn result(app: &App, activity: &Activity, own: bool) -> Result<Option<Map<String, Value>>> {
    let Some(kept) = &activity.result else { return Ok(None) };
    let kept: Map<String, Value> = serde_json::from_str(kept).map_err(Error::internal)?;
    let mut shown = Map::new();
    for answer in activity.kind.answers() {
        let value = if answer.bearer && !own {
            Some(Value::from(MASK))
        } else {
            match answer.name {
                "verificationToken" => Some(token(app, activity, &kept)?.into()),
                "session" => Some(session(app, activity, &kept)?.into()),
                "otpEncryptionTargetBundle" => target(app, activity, &kept)?.map(Value::from),
                name => kept.get(name).cloned(),
            }
        };
        shown.extend(value.map(|value| (answer.name.to_owned(), value)));
    }
    Ok(Some(shown))
}

fn text<'a>(kept: &'a Map<String, Value>, name: &str) -> &'a str {
    kept.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn moment(kept: &Map<String, Value>) -> Timestamp {
    Timestamp::from_millis(kept.get("until").and_then(Value::as_i64).unwrap_or_default())
}

/// The token of a code, signed anew: what it says, and that it is spent once, are the same.
fn token(app: &App, activity: &Activity, kept: &Map<String, Value>) -> Result<String> {
    let bound = kept.get("bound") == Some(&Value::Bool(true));
    let said = Verification {
        id: text(kept, "id").parse()?,
        org: activity.org,
        contact: Address::parse(text(kept, "contact"))?,
        key: PublicKey::parse(Curve::P256, text(kept, "key")),
        expires_at: moment(kept),
        proof: if bound { Proof::Bound } else { Proof::Old },
    };
    let ring = app.keys.ring();
    let roots = ring.active();
    said.sign(if bound { &roots.verification } else { &roots.old_verification }, &app.entropy.signing())
}

fn session(app: &App, activity: &Activity, kept: &Map<String, Value>) -> Result<String> {
    let key =
        PublicKey::parse(Curve::P256, text(kept, "key")).ok_or_else(|| Error::internal("a session has no key"))?;
    let session = Session { org: activity.org, user: text(kept, "user").parse()?, key: &key, expires_at: moment(kept) };
    session.sign(&app.keys.ring().active().notary, &app.entropy.signing())
}

/// The key to seal a code to; none once its master key is gone, and with it the code.
fn target(app: &App, activity: &Activity, kept: &Map<String, Value>) -> Result<Option<String>> {
    let (ring, start) = (app.keys.ring(), text(kept, "otpId").parse()?);
    let Some(roots) = ring.get(text(kept, "kid").parse()?) else { return Ok(None) };
    let key = BundleKey::of_start(&roots.otp_target, activity.org, start)?;
    let bundle = target_bundle(&key, activity.org, start, &ring.active().verification, &app.entropy.signing())?;
    Ok(Some(bundle))
}
