//! `doorcode agent`.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Subcommand;
use doorcode_core::relay::Named as _;
use doorcode_core::{AgentId, Email, OrgId};

use super::place::{Environment, Place};
use super::{Ended, Trouble, out};
use crate::app::App;
use crate::ops::agents::{self, AGENTS_MOST, Wanted};
use crate::ops::audit::Whose;

/// Make, list and remove agents: programs that may ask a person for their codes
#[derive(Subcommand)]
pub(super) enum Agent {
    /// Make an agent. Its key is shown once
    #[command(after_help = "\
Examples:
  doorcode agent create --org ID --name Shopper --owner jane@example.com --json
  doorcode agent create --org ID --name Trial --owner jane@example.com --test     approves itself, with made-up codes

The owner is asked for each code, and has to be a member of the org who has signed in.")]
    Create {
        /// The org
        #[arg(long)]
        org: OrgId,
        /// What its owner sees when it asks
        #[arg(long)]
        name: String,
        /// The address of the person whose codes it may ask for
        #[arg(long)]
        owner: String,
        /// Make a key that only tries things out
        #[arg(long)]
        test: bool,
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// List a person's agents
    #[command(after_help = "Example:\n  doorcode agent list --owner jane@example.com")]
    List {
        /// The person's address
        #[arg(long)]
        owner: String,
        /// Print JSON, a line each
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Remove an agent. A running server refuses its keys within a second, and they stay dead after a restore
    #[command(after_help = "Example:\n  doorcode agent remove --owner jane@example.com --id agent_…")]
    Remove {
        /// Its owner's address
        #[arg(long)]
        owner: String,
        /// Its id, as `doorcode agent list` shows it
        #[arg(long)]
        id: String,
        #[command(flatten)]
        place: Place,
    },
}

impl Agent {
    pub(super) fn run(self, environment: Environment) -> Ended {
        match self {
            Self::Create { org, name, owner, test, json, place } => place.within(environment, |app| async move {
                let whose = person(&app, &owner, Some(org)).await?;
                let new =
                    agents::create(&app, whose, Wanted { name, description: None, test, identity: None }, None).await?;
                show(&new.agent.id.shown(), new.key.expose(), json);
                Ok(ExitCode::SUCCESS)
            }),
            Self::List { owner, json, place } => place.within(environment, |app| async move {
                let whose = person(&app, &owner, None).await?;
                let after = AgentId::from_bytes([0; 16]);
                for agent in agents::list(&app, whose.owner, after, AGENTS_MOST).await? {
                    let state = match (agent.blocked_at, agent.paused_at) {
                        (Some(_), _) => "blocked",
                        (None, Some(_)) => "paused",
                        _ => "active",
                    };
                    let id = agent.id.shown();
                    if json {
                        out(&serde_json::json!({ "id": id, "name": agent.name, "state": state }).to_string());
                    } else {
                        out(&format!("{id}  {state:7}  {}", agent.name));
                    }
                }
                Ok(ExitCode::SUCCESS)
            }),
            Self::Remove { owner, id, place } => place.within(environment, |app| async move {
                let whose = person(&app, &owner, None).await?;
                let id = AgentId::read(&id).ok_or_else(|| format!("{id} is no agent's id"))?;
                agents::remove(&app, whose, id).await?;
                out("removed");
                Ok(ExitCode::SUCCESS)
            }),
        }
    }
}

/// Prints something with its key, which is not shown again.
pub(super) fn show(id: &str, key: &str, json: bool) {
    if json {
        // By hand, for the order that the help promises; ids and keys need no escapes.
        out(&format!(r#"{{"id":"{id}","api_key":"{key}"}}"#));
    } else {
        out(&format!("id       {id}"));
        out(&format!("api key  {key}"));
        out("Keep the key now: it is not shown again.");
    }
}

/// The person of an address, if they have signed in with it and are a member of the org that is named.
pub(super) async fn person(app: &Arc<App>, email: &str, org: Option<OrgId>) -> Result<Whose, Trouble> {
    let email = Email::parse(email)?;
    let found = agents::member(app, &email).await?;
    let found = found.ok_or_else(|| format!("nobody has signed in as {}: they have to, once", email.as_str()))?;
    match org {
        Some(org) if org != found.org => {
            Err(format!("{} is no member of that org, but of {}", email.as_str(), found.org).into())
        }
        _ => Ok(found),
    }
}
