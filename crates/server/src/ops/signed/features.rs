//! What is switched in an organisation. Refuses to take what nobody switched for off in a sub-organisation, or for on elsewhere.

use doorcode_core::activity::rules::Feature;
use doorcode_core::{Error, OrgId, Result};
use serde_json::{Value, json};

use super::Ended;
use crate::app::App;
use crate::store::Tx;
use crate::store::orgs::{self, Org};

/// Whether a feature is on.
pub(super) fn is_on(org: &Org, feature: Feature) -> bool {
    let switched = org.features.split(' ').find_map(|word| match word.split_at_checked(1)? {
        ("+", name) if name == feature.name() => Some(true),
        ("-", name) if name == feature.name() => Some(false),
        _ => None,
    });
    switched.unwrap_or_else(|| feature.is_on(org.parent.is_some()))
}

/// The switches of an organisation, with these ones.
pub(super) fn switched(features: &str, changes: &[(Feature, bool)]) -> String {
    let changed = |word: &&str| changes.iter().any(|(feature, _)| word.get(1..) == Some(feature.name()));
    let kept = features.split(' ').filter(|word| !word.is_empty() && !changed(word)).map(str::to_owned);
    let new = changes.iter().map(|(feature, on)| format!("{}{}", if *on { '+' } else { '-' }, feature.name()));
    kept.chain(new).collect::<Vec<_>>().join(" ")
}

/// The word that opens the sandbox in an organisation: everybody knows the code of its contacts, so only the operator writes it.
const SANDBOX: &str = "+SANDBOX";

/// Whether an organisation has the sandbox, or its parent has it for it.
pub(super) fn has_sandbox(org: &Org, parent: Option<&Org>) -> bool {
    [Some(org), parent].into_iter().flatten().any(|org| org.features.split(' ').any(|word| word == SANDBOX))
}

/// Gives an organisation the sandbox, or takes it. Only the operator does this.
pub async fn set_sandbox(app: &App, org: OrgId, on: bool) -> Result<()> {
    let set = app.db.write(move |tx| {
        Box::pin(async move {
            let held = orgs::hold(tx, &org).await?.ok_or(Error::NotFound)?;
            let kept = held.features.split(' ').filter(|word| !word.is_empty() && *word != SANDBOX);
            let words: Vec<&str> = kept.chain(on.then_some(SANDBOX)).collect();
            orgs::switch(tx, &org, &words.join(" ")).await
        })
    });
    set.await?;
    app.recent_signers.forget();
    Ok(())
}

/// One that is switched.
#[derive(Clone)]
pub(super) struct Switch {
    pub(super) feature: Feature,
    pub(super) on: bool,
}

impl Switch {
    pub(super) async fn run(&self, tx: &mut Tx<'_>, org: &Org) -> Result<Ended> {
        let mut held = orgs::hold(tx, &org.id).await?.ok_or(Error::NotFound)?;
        held.features = switched(&held.features, &[(self.feature, self.on)]);
        orgs::switch(tx, &org.id, &held.features).await?;
        let on = Feature::ALL.into_iter().filter(|feature| is_on(&held, *feature));
        let on: Vec<Value> = on.map(|feature| json!({ "name": feature.name() })).collect();
        Ok(Ended::done(json!({ "features": on })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_switched_last_counts() {
        let org = |parent: bool, features: &str| Org {
            id: OrgId::from_bytes([1; 16]),
            parent: parent.then_some(OrgId::from_bytes([2; 16])),
            name: String::new(),
            raised_at: None,
            features: features.to_owned(),
            proxy: None,
        };
        assert!(is_on(&org(true, ""), Feature::EmailAuth) && !is_on(&org(false, ""), Feature::EmailAuth));
        let on = switched("", &[(Feature::EmailAuth, true), (Feature::SmsAuth, false)]);
        assert!(is_on(&org(false, &on), Feature::EmailAuth) && !is_on(&org(true, &on), Feature::SmsAuth));
        let off = switched(&on, &[(Feature::EmailAuth, false)]);
        assert!(!is_on(&org(true, &off), Feature::EmailAuth) && is_on(&org(true, &off), Feature::OtpEmailAuth));
        assert_eq!(off.split(' ').count(), 2);
    }
}
