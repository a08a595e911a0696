//! `doorcode key`.

use std::process::ExitCode;

use clap::Subcommand;
use doorcode_core::{CredentialId, Error, OrgId};

use super::place::{Environment, Place};
use super::{Ended, out};
use crate::ops::credentials;
use crate::store;
use crate::store::credentials::Kind;

/// Make, list and revoke an org's API keys
#[derive(Subcommand)]
pub(super) enum Key {
    /// Make one more key. It is shown once
    #[command(after_help = "Example:\n  doorcode key create --org 01a1b2c3-… --json")]
    Create {
        /// Whose
        #[arg(long)]
        org: OrgId,
        /// Give it the scope `admin`, which what administers an org will ask for; further keys lack it
        #[arg(long)]
        admin: bool,
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// List an org's keys, without the keys themselves
    List {
        /// Whose
        #[arg(long)]
        org: OrgId,
        #[command(flatten)]
        place: Place,
    },
    /// Revoke a key for good. A running server refuses it within a second
    #[command(after_help = "Example:\n  doorcode key revoke --org 01a1b2c3-… --id 01a1b2c4-…")]
    Revoke {
        /// Whose
        #[arg(long)]
        org: OrgId,
        /// Its id, as `doorcode key list` shows it
        #[arg(long)]
        id: CredentialId,
        #[command(flatten)]
        place: Place,
    },
}

impl Key {
    pub(super) fn run(self, environment: Environment) -> Ended {
        match self {
            Self::Create { org, admin, json, place } => place.within(environment, |app| async move {
                let scopes = if admin { "admin" } else { "" };
                let (id, key) = credentials::create(&app, Kind::ApiKey, org, scopes).await?;
                if json {
                    out(&serde_json::json!({ "id": id.to_string(), "api_key": key.expose() }).to_string());
                } else {
                    out(&format!("{id}  {}", key.expose()));
                    out("Keep it now: it is not shown again.");
                }
                Ok(ExitCode::SUCCESS)
            }),
            Self::List { org, place } => place.within(environment, |app| async move {
                let keys = app.db.read(move |tx| Box::pin(async move { store::credentials::list(tx, &org).await }));
                for key in keys.await? {
                    let state = key.revoked_at.map_or_else(|| "live".to_owned(), |at| format!("revoked {at}"));
                    let scopes = if key.scopes.is_empty() { "-" } else { &key.scopes };
                    out(&format!("{}  {:13}  {}  {scopes}  {state}", key.id, key.kind.as_str(), key.id.made_at()));
                }
                Ok(ExitCode::SUCCESS)
            }),
            Self::Revoke { org, id, place } => place.within(environment, |app| async move {
                if credentials::revoke(&app, org, id).await? {
                    out("revoked");
                    Ok(ExitCode::SUCCESS)
                } else {
                    Err(Error::NotFound.into())
                }
            }),
        }
    }
}
