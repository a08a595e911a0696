//! What a mail's link shows to whoever opens it, and what a press on it gives. Refuses to change anything: a link is used up by what
//! the press leads to, and only there.

use doorcode_core::session::{Claim, Kind, Presented};
use doorcode_core::{ChallengeId, Result, Secret, SessionId, State, apikey, code};

use super::redirects::CODE_LIFE;
use super::{sign_in, verifications};
use crate::app::App;
use crate::store::challenges::{self, Attached, Challenge};

/// A link that is good.
pub struct Link {
    /// The challenge that it belongs to.
    pub challenge: ChallengeId,
    /// What it is for.
    pub leads: Leads,
}

/// What a link is for.
pub enum Leads {
    /// A sign-in: with the code that came with it, in groups if it is long.
    SignIn(Secret<String>),
    /// To the app of an org that wants to know whether somebody has the address.
    App(String),
}

/// The link of a challenge, while that lives. None: it is over, or was never made.
pub async fn find(app: &App, id: ChallengeId, token: &Secret<String>) -> Result<Option<Link>> {
    let found = app
        .db
        .read(move |tx| {
            Box::pin(async move {
                Ok(match challenges::get(tx, &id).await? {
                    Some(challenge) => Some((challenge, challenges::attached(tx, &id).await?)),
                    None => None,
                })
            })
        })
        .await?;
    Ok(found.and_then(|(challenge, attached)| leads(app, &challenge, attached, token)))
}

fn leads(app: &App, challenge: &Challenge, attached: Attached, token: &Secret<String>) -> Option<Link> {
    let ring = app.keys.ring();
    let (roots, binding) = (ring.get(challenge.kid)?, challenge.binding());
    let live = challenge.state == State::Pending && challenge.expires_at > app.clock.now();
    if !live || !apikey::link_matches(&roots.link, &binding, token) {
        return None;
    }
    let leads = match challenge.purpose.as_str() {
        sign_in::PURPOSE => Leads::SignIn(code::grouped(&code::derive(&roots.code, &binding), challenge.shape)),
        verifications::PURPOSE => Leads::App(attached.redirect?),
        _ => return None,
    };
    Some(Link { challenge: challenge.id, leads })
}

/// What the browser that pressed brings to the app: good for a minute. Each press makes one, and only the first that is shown to us
/// uses the link up.
pub async fn press(app: &App, link: &Link) -> Result<Option<Secret<String>>> {
    let id = link.challenge;
    let found = app.db.read(move |tx| Box::pin(async move { challenges::get(tx, &id).await })).await?;
    let until = app.clock.now().plus(CODE_LIFE);
    let ring = app.keys.ring();
    Ok(found.and_then(|challenge| {
        let claim = Claim { kind: Kind::Pressed, id: SessionId::from_bytes(*id.as_bytes()), generation: 0, until };
        Some(claim.encode(&ring.get(challenge.kid)?.session, &challenge.salt))
    }))
}

/// The token of a challenge's link, for a program that shows what a press gave. None: it is not that, or too late.
pub fn pressed(app: &App, challenge: &Challenge, text: &Secret<String>) -> Option<Secret<String>> {
    let presented = Presented::read(Kind::Pressed, text.expose())?;
    let ring = app.keys.ring();
    let roots = ring.get(challenge.kid)?;
    let own =
        presented.claim.id.as_bytes() == challenge.id.as_bytes() && presented.is_of(&roots.session, &challenge.salt);
    let good = own && presented.claim.until > app.clock.now();
    good.then(|| apikey::derive_link_token(&roots.link, &challenge.binding()))
}
