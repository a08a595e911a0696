//! `doorcode master`: the keys that codes and API keys are derived from. A rotation goes add, activate, retire; each step
//! refuses to be taken too early.

use std::process::ExitCode;

use clap::Subcommand;
use doorcode_core::time::DAY;
use doorcode_core::{Error, Kid};

use super::place::{Environment, Place, runtime};
use super::{Ended, out};
use crate::config::Use;
use crate::entropy::Entropy;
use crate::keyring;
use crate::ops::master_keys;

/// Make, add, activate and retire master keys
#[derive(Subcommand)]
pub(super) enum Master {
    /// Make the first master key of a data directory
    #[command(
        after_help = "The key is a file in DIR/keys. Back it up apart from the database: neither is of use without the other."
    )]
    Init {
        #[command(flatten)]
        place: Place,
    },
    /// List the keys and how far each is
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Make one more key, which verifies and does not derive yet
    #[command(after_help = "\
Example, a whole rotation:
  doorcode master add                    prints KID
  doorcode master activate KID           five minutes later, for those who keep the public keys
  doorcode master retire OLD_KID         in force after the grace")]
    Add {
        #[command(flatten)]
        place: Place,
    },
    /// Derive what is new from this key, once every running server has seen it
    Activate {
        /// Its id
        kid: Kid,
        #[command(flatten)]
        place: Place,
    },
    /// Let a key go: what it derived works until the grace is over, and sign-ins give out new keys meanwhile
    Retire {
        /// Its id
        kid: Kid,
        /// Days until it ends; no less than the longest life of a code
        #[arg(long, default_value_t = 30)]
        grace_days: u32,
        #[command(flatten)]
        place: Place,
    },
}

impl Master {
    pub(super) fn run(self, environment: Environment) -> Ended {
        match self {
            Self::Init { place } => init(&place, environment),
            Self::List { place } => place.within(environment, |app| async move {
                for key in master_keys::list(&app).await? {
                    let seen =
                        key.row.seen_at.map_or_else(|| "not seen by a server".to_owned(), |at| format!("seen {at}"));
                    let ends = key.row.retires_at.map_or_else(String::new, |at| format!("  ends {at}"));
                    out(&format!(
                        "{}  {:9} {seen}  {} credentials, {} mailboxes, {} hooks and addresses{ends}",
                        key.row.kid,
                        key.row.stage.as_str(),
                        key.credentials,
                        key.mailboxes,
                        key.hooks + key.inbound
                    ));
                }
                Ok(ExitCode::SUCCESS)
            }),
            Self::Add { place } => place.within(environment, |app| async move {
                let kid = master_keys::add(&app).await?;
                out(&format!(
                    "{kid} is added; back its file up, copy it to every other server; each sees it within seconds, then: \
                     doorcode master activate {kid}"
                ));
                Ok(ExitCode::SUCCESS)
            }),
            Self::Activate { kid, place } => place.within(environment, |app| async move {
                master_keys::activate(&app, kid).await?;
                out(&format!("{kid} derives what is new from now on"));
                Ok(ExitCode::SUCCESS)
            }),
            Self::Retire { kid, grace_days, place } => place.within(environment, |app| async move {
                let grace = grace_days * DAY;
                let at = master_keys::retire(&app, kid, grace).await?;
                out(&format!("{kid} ends at {at}; its file may go after that"));
                Ok(ExitCode::SUCCESS)
            }),
        }
    }
}

/// Only makes the file: the first start writes the row.
fn init(place: &Place, environment: Environment) -> Ended {
    let config = place.config(environment, Use::Command)?;
    if !keyring::files(&config.keys)?.is_empty() {
        return Err(Error::Conflict("there is a master key already; `doorcode master add` makes one more").into());
    }
    let key = keyring::create(&config.keys, &Entropy::real())?;
    out(&format!(
        "{} made; back up {} apart from the database",
        key.kid(),
        keyring::file_of(&config.keys, key.kid()).display()
    ));
    // Opening the house now says at once whether database and key belong together.
    runtime()?.block_on(async {
        let (app, _) = crate::app::App::open(config, None, Entropy::real()).await?;
        app.db.close().await;
        Ok(ExitCode::SUCCESS)
    })
}
