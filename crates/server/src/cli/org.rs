//! `doorcode org`.

use std::process::ExitCode;

use clap::Subcommand;
use doorcode_core::stamp::{Curve, PublicKey};
use doorcode_core::{Email, OrgId};

use super::place::{Environment, Place};
use super::{Ended, out};
use crate::ops::{orgs, signed};

/// Make and list orgs, invite people
#[derive(Subcommand)]
pub(super) enum Org {
    /// Make an org with an API key, a client id and a client secret. They are shown once
    #[command(after_help = "\
Examples:
  doorcode org create --name Acme
  doorcode org create --name Acme --data /var/lib/doorcode --json
  doorcode org create --name Acme --stamp-key 0351a7…f25e7d     whoever has the private half signs its first calls

The API key opens GET /api-team. Client id and secret are for doors that are planned; none takes them yet.")]
    Create {
        /// Its name
        #[arg(long)]
        name: String,
        /// A public key of P-256 in hexadecimal, as `doorcode seal key` prints it: its owner is the first user, and signs calls
        #[arg(long, value_name = "HEX")]
        stamp_key: Option<String>,
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// List orgs, oldest first
    List {
        /// Print JSON, a line each
        #[arg(long)]
        json: bool,
        /// How many
        #[arg(long, default_value_t = 100)]
        most: u32,
        #[command(flatten)]
        place: Place,
    },
    /// Let an org send codes to anybody. Before that it reaches verified addresses of its own members only
    #[command(after_help = "\
Examples:
  doorcode org raise --org ID
  doorcode org raise --org ID --down     take it back")]
    Raise {
        /// Which
        #[arg(long)]
        org: OrgId,
        /// Take it back
        #[arg(long)]
        down: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Take user@example.com and +1 999-999-9999 for what they are: contacts that nothing is sent to, with the code 000000
    #[command(after_help = "\
Examples:
  doorcode org sandbox --org ID            for tests of signed calls, in it and below it
  doorcode org sandbox --org ID --down     take it back

Everybody knows that code. Under --dev every org has it.")]
    Sandbox {
        /// Which
        #[arg(long)]
        org: OrgId,
        /// Take it back
        #[arg(long)]
        down: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Let apps call for an org without a stamp (the auth proxy): its id is the configuration's
    #[command(after_help = "\
Examples:
  doorcode org proxy --org ID --origin https://app.example.com
  doorcode org proxy --org ID            nobody may any more

Pages of other origins are refused. Programs say no origin, and are let in.")]
    Proxy {
        /// Which
        #[arg(long)]
        org: OrgId,
        /// An origin whose pages may call; may be given several times
        #[arg(long, value_name = "ORIGIN")]
        origin: Vec<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Let an address sign up where sign-up is by invitation
    #[command(after_help = "\
Examples:
  doorcode org invite --email jane@example.com              she gets a team of her own
  doorcode org invite --email jane@example.com --org ID     she joins that one")]
    Invite {
        /// The address
        #[arg(long)]
        email: String,
        /// The org that they join; without it they get one of their own
        #[arg(long)]
        org: Option<OrgId>,
        #[command(flatten)]
        place: Place,
    },
}

impl Org {
    pub(super) fn run(self, environment: Environment) -> Ended {
        match self {
            Self::Create { name, stamp_key, json, place } => place.within(environment, |app| async move {
                let stamp_key = stamp_key.map(|text| PublicKey::parse(Curve::P256, &text).ok_or_else(|| "--stamp-key: is no public key of P-256 in hexadecimal".to_owned()));
                let stamp_key = stamp_key.transpose()?;
                let org = orgs::create(&app, &name).await?;
                let user = match stamp_key {
                    Some(key) => Some(signed::first_user(&app, org.id, &name, key).await?),
                    None => None,
                };
                let (key, secret) = (org.api_key.expose(), org.client_secret.expose());
                if json {
                    let (org, client) = (org.id, org.client_id);
                    let signs = user.map(|user| format!(r#","organization_id":"{org}","user_id":"{user}""#));
                    let signs = signs.unwrap_or_default();
                    // By hand, for the order that the help promises; ids and keys need no escapes.
                    out(&format!(
                        r#"{{"org_id":"{org}","api_key":"{key}","client_id":"{client}","client_secret":"{secret}"{signs}}}"#
                    ));
                } else {
                    if let Some(user) = user {
                        out(&format!("user           {user}"));
                    }
                    out(&format!("org            {}", org.id));
                    out(&format!("api key        {key}"));
                    out(&format!("client id      {}", org.client_id));
                    out(&format!("client secret  {secret}"));
                    out("Keep the key and the secret now: they are not shown again.");
                }
                Ok(ExitCode::SUCCESS)
            }),
            Self::List { json, most, place } => place.within(environment, |app| async move {
                for (id, name) in orgs::list(&app, i64::from(most)).await? {
                    if json {
                        out(&serde_json::json!({ "org_id": id.to_string(), "name": name }).to_string());
                    } else {
                        out(&format!("{id}  {name}"));
                    }
                }
                Ok(ExitCode::SUCCESS)
            }),
            Self::Raise { org, down, place } => place.within(environment, |app| async move {
                out(match (orgs::raise(&app, org, !down).await?, down) {
                    (false, _) => "it was so before",
                    (true, false) => "raised: it may send to anybody",
                    (true, true) => "lowered: it may send to its own members only",
                });
                Ok(ExitCode::SUCCESS)
            }),
            Self::Sandbox { org, down, place } => place.within(environment, |app| async move {
                signed::set_sandbox(&app, org, !down).await?;
                out(if down { "the sandbox is closed" } else { "the sandbox is open" });
                Ok(ExitCode::SUCCESS)
            }),
            Self::Proxy { org, origin, place } => place.within(environment, |app| async move {
                signed::set_origins(&app, org, &origin).await?;
                out(&match origin.is_empty() {
                    true => "nobody may call without a stamp".to_owned(),
                    false => format!("X-Auth-Proxy-Config-ID: {org}"),
                });
                Ok(ExitCode::SUCCESS)
            }),
            Self::Invite { email, org, place } => place.within(environment, |app| async move {
                let email = Email::parse(&email)?;
                orgs::invite(&app, &email, org).await?;
                out("invited: they may sign up now");
                Ok(ExitCode::SUCCESS)
            }),
        }
    }
}
