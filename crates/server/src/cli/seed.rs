//! `doorcode seed`: people with an account and a live challenge, in any number, for the bench. Goes through the same store
//! functions as a start and a sign-up, many to a unit. Refuses a database that people use.

mod relays;

use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use doorcode_core::{Email, OrgId, Result, SendPolicy, SessionId, State, UserId, code};

use super::place::{Environment, Place};
use super::{Ended, err, out};
use crate::app::{App, target_of};
use crate::ops;
use crate::ops::credentials;
use crate::store::challenges::{self, Challenge};
use crate::store::credentials::Kind;
use crate::store::meta::{self, Fact};
use crate::store::sessions as rows;
use crate::store::targets::{self, Candidate};
use crate::store::{identities, orgs, users};

/// Rows of one unit.
const BATCH: usize = 2000;

/// Fill a data directory with people who have an account and a live challenge, for the bench
#[derive(Args)]
pub(super) struct Seed {
    /// How many
    #[arg(long)]
    live: usize,
    /// Sign them in: a session each, and its access token in place of address and code
    #[arg(long)]
    sessions: bool,
    /// Requests for a code that wait for a word, in place of challenges: the first lines are the access token of the person, the
    /// key of their agent and that of their collector, the others are the requests
    #[arg(long, conflicts_with = "sessions")]
    relays: bool,
    /// Where to write them: a line each, address and code
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    place: Place,
}

impl Seed {
    pub(super) fn run(self, environment: Environment) -> Ended {
        self.place.within(environment, |app| async move {
            let served = app.db.read(|tx| Box::pin(meta::get(tx, Fact::Served))).await?;
            if served.is_some() || !app.config.dev {
                return Err("seed fills a database of --dev only".to_owned().into());
            }
            let mut file = BufWriter::new(std::fs::File::create(&self.out)?);
            if self.relays {
                for line in relays::seed(&app, self.live, BATCH).await? {
                    writeln!(file, "{line}")?;
                }
                file.flush()?;
                return Ok(ExitCode::SUCCESS);
            }
            let mut done = 0;
            while done < self.live {
                let count = BATCH.min(self.live - done);
                let batch = (done..done + count).map(|n| live(&app, n)).collect::<Result<Vec<_>>>()?;
                let mut lines = Vec::with_capacity(count);
                for challenge in &batch {
                    let code = code::derive(&app.keys.ring().active().code, &challenge.binding());
                    lines.push(format!("{} {}", challenge.destination, code.expose()));
                }
                let people = write(&app, batch).await?;
                if self.sessions {
                    lines = sign_in(&app, people).await?;
                }
                for line in lines {
                    writeln!(file, "{line}")?;
                }
                done += count;
                if done % 100_000 == 0 {
                    err(&format!("seeded {done} of {}", self.live));
                }
            }
            file.flush()?;
            out(&format!("{done} live challenges"));
            Ok(ExitCode::SUCCESS)
        })
    }
}

fn live(app: &App, n: usize) -> Result<Challenge> {
    let now = app.clock.now();
    let email = Email::parse(&format!("seed{n}-{:x}@bench.example", u64::from_be_bytes(app.entropy.bytes()?)))?;
    Ok(Challenge {
        id: app.entropy.id(now)?,
        realm: OrgId::HOUSE,
        purpose: "sign-in".to_owned(),
        method: "code".to_owned(),
        destination: email.as_str().to_owned(),
        language: "en".to_owned(),
        shape: app.config.outx.shape,
        generation: 0,
        kid: app.keys.ring().active().kid,
        salt: app.entropy.bytes()?,
        state: State::Pending,
        expires_at: now.plus(app.config.outx.life),
        full_name: None,
        client: None,
        repeats: 0,
    })
}

/// Somebody, by the challenge that they have.
type Person = (SessionId, OrgId, UserId);

/// A session of an app for each: their access tokens.
async fn sign_in(app: &Arc<App>, people: Vec<Person>) -> Result<Vec<String>> {
    let now = app.clock.now();
    let mut sessions = Vec::with_capacity(people.len());
    for (id, org, user) in people {
        let made = (id, app.entropy.bytes()?);
        sessions.push(ops::sessions::begin(app, made, (org, user), Some(org), String::new(), now));
    }
    let tokens = sessions.iter().map(|session| Ok(ops::sessions::access(app, session, now)?.expose().clone()));
    let tokens = tokens.collect::<Result<Vec<_>>>()?;
    app.db
        .write(move |tx| {
            Box::pin(async move {
                for session in &sessions {
                    rows::insert(tx, session).await?;
                }
                Ok(tokens)
            })
        })
        .await
}

async fn write(app: &Arc<App>, batch: Vec<Challenge>) -> Result<Vec<Person>> {
    let now = app.clock.now();
    let db = &app.db;
    let app = Arc::clone(app);
    db.write(move |tx| {
        Box::pin(async move {
            let mut people = Vec::with_capacity(batch.len());
            for challenge in &batch {
                let target = target_of(challenge.realm, &challenge.destination);
                let place = Candidate { id: challenge.id, until: challenge.expires_at, unless_after: now };
                targets::ask(tx, &target, (doorcode_core::Class::Stranger, &SendPolicy::default()), &place, now)
                    .await?;
                challenges::insert(tx, challenge).await?;
                let (org, user): (OrgId, UserId) = (app.entropy.id(now)?, app.entropy.id(now)?);
                let key = credentials::mint(&app, Kind::ApiKey, "admin", (app.entropy.id(now)?, app.entropy.bytes()?));
                orgs::insert(tx, &org, None, "Somebody's Team").await?;
                key.put(tx, org).await?;
                users::insert(tx, &org, &user, "Somebody", Some(&challenge.destination)).await?;
                identities::insert(tx, &target, &org, &user, now).await?;
                people.push((SessionId::from_bytes(*challenge.id.as_bytes()), org, user));
            }
            Ok(people)
        })
    })
    .await
}
