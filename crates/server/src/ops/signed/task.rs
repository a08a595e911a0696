//! What an activity does, one arm for each thing: what it needs is made before the unit, and then it is run in it.

use doorcode_core::activity::{Kind, Parameters, rules};
use doorcode_core::seal::turnkey::Verification;
use doorcode_core::stamp::Refusal;
use doorcode_core::{Result, Timestamp};

use super::caller::Found;
use super::contacts::Change;
use super::features::Switch;
use super::keys::{Add, End};
use super::login::Login;
use super::mail::MailKey;
use super::read_write_session::ReadWriteSession;
use super::redeem::Redeem;
use super::start::Starting;
use super::suborgs::SubOrg;
use super::verify::Verify;
use super::{Ended, Refused};
use crate::app::App;
use crate::store::activities::Activity;
use crate::store::{About, Tx};

/// What is to be done, with everything made that it needs.
#[derive(Clone)]
pub(super) enum Task {
    Start(Box<Starting>),
    Redeem(Box<Redeem>),
    Verify(Box<Verify>),
    Login(Box<Login>),
    SubOrg(Box<SubOrg>),
    Add(Add),
    End(End),
    Change(Box<Change>),
    Session(Box<ReadWriteSession>),
    Mail(Box<MailKey>),
    Switch(Switch),
}

impl Task {
    pub(super) fn new(
        app: &App,
        caller: &Found,
        token: Option<Verification>,
        parameters: &Parameters<'_>,
        now: Timestamp,
    ) -> Result<Self, Refused> {
        Ok(match parameters.kind() {
            Kind::InitOtpAuth
            | Kind::InitOtpAuthV2
            | Kind::InitOtpAuthV3
            | Kind::InitOtp
            | Kind::InitOtpV2
            | Kind::InitOtpV3 => Self::Start(Box::new(Starting::new(app, caller, parameters)?)),
            Kind::OtpAuth => Self::Redeem(Box::new(Redeem::new(app, caller, parameters, now)?)),
            Kind::VerifyOtp | Kind::VerifyOtpV2 => Self::Verify(Box::new(Verify::new(app, caller, parameters, now)?)),
            Kind::OtpLogin | Kind::OtpLoginV2 => Self::Login(Box::new(Login::by_token(app, caller, parameters, now)?)),
            Kind::StampLogin => Self::Login(Box::new(Login::by_stamp(app, caller, token, parameters, now)?)),
            Kind::CreateSubOrganizationV7 | Kind::CreateSubOrganizationV8 => {
                Self::SubOrg(Box::new(SubOrg::new(app, caller, parameters, now)?))
            }
            Kind::CreateApiKeysV2 => Self::Add(Add::new(app, caller.org.id, parameters, now)?),
            Kind::DeleteApiKeys => Self::End(End::new(caller.org.id, parameters)?),
            Kind::UpdateUserEmail | Kind::UpdateUserPhoneNumber => {
                Self::Change(Box::new(Change::new(app, caller, parameters, now)?))
            }
            Kind::CreateReadWriteSessionV2 => {
                Self::Session(Box::new(ReadWriteSession::new(app, caller, parameters, now)?))
            }
            kind @ (Kind::SetOrganizationFeature | Kind::RemoveOrganizationFeature) => {
                let feature = parameters.text("name").and_then(rules::Feature::of_name);
                let why = "is none of the known values";
                let feature = feature.ok_or(Refusal::Request { field: "name", why })?;
                Self::Switch(Switch { feature, on: kind == Kind::SetOrganizationFeature })
            }
            Kind::EmailAuth | Kind::EmailAuthV2 | Kind::EmailAuthV3 => {
                Self::Mail(Box::new(MailKey::new(app, caller, parameters, now)?))
            }
        })
    }

    /// What the unit is about, for those that wait beside it.
    pub(super) async fn about(&self, app: &App, claim: &Activity, caller: &Found) -> Result<About> {
        match self {
            Self::Start(start) => Ok(start.about()),
            Self::Mail(mail) => Ok(mail.about()),
            Self::Redeem(redeem) => redeem.entry.about(app).await,
            Self::Verify(verify) => verify.entry.about(app).await,
            _ => {
                let asker = caller.client(None).asker();
                // What has no fingerprint is in nobody's line.
                let line = claim.print.and_then(|print| print.first_chunk().copied());
                Ok(About::something(line.unwrap_or(*claim.id.as_bytes()), asker))
            }
        }
    }

    /// Whether it is about what users have, and not about a code: then who asks is held, so that an end of their key is before or behind it.
    pub(super) fn holds(&self) -> bool {
        match self {
            Self::Add(_) | Self::End(_) | Self::Change(_) | Self::Session(_) | Self::Switch(_) | Self::Login(_) => true,
            Self::Start(_) | Self::Redeem(_) | Self::Verify(_) | Self::SubOrg(_) | Self::Mail(_) => false,
        }
    }

    /// Whether it changes the organisation, or who is in it. Then that is held before anybody in it, as by everybody who holds both; and
    /// afterwards what is remembered of those who sign is not so any more.
    pub(super) fn changes_org(&self) -> bool {
        match self {
            Self::Change(_) | Self::Switch(_) => true,
            Self::Start(_)
            | Self::Redeem(_)
            | Self::Verify(_)
            | Self::Login(_)
            | Self::SubOrg(_)
            | Self::Add(_)
            | Self::End(_)
            | Self::Session(_)
            | Self::Mail(_) => false,
        }
    }

    /// Counts the check of a code, if it was one, once that is on disk.
    pub(super) fn count(&self, app: &App) {
        match self {
            Self::Redeem(redeem) => redeem.entry.tally.count(app),
            Self::Verify(verify) => verify.entry.tally.count(app),
            _ => {}
        }
    }

    pub(super) async fn run(&self, tx: &mut Tx<'_>, app: &App, caller: &Found, now: Timestamp) -> Result<Ended> {
        match self {
            Self::Start(start) => start.run(tx, app, now).await,
            Self::Redeem(redeem) => redeem.run(tx, app, now).await,
            Self::Verify(verify) => verify.run(tx, app, now).await,
            Self::Login(login) => login.run(tx, now).await,
            Self::SubOrg(new) => new.run(tx, now).await,
            Self::Add(add) => add.run(tx, now).await,
            Self::End(end) => end.run(tx, now).await,
            Self::Change(change) => change.run(tx, now).await,
            Self::Session(session) => session.run(tx, now).await,
            Self::Mail(mail) => mail.run(tx, app, now).await,
            Self::Switch(switch) => switch.run(tx, &caller.org).await,
        }
    }
}
