//! `doorcode doctor`: what is configured, what is laxer than the standards, what does not work.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use doorcode_core::budget::chance;
use doorcode_core::challenge::LIFE;
use doorcode_core::{GuessPolicy, SendPolicy};

use super::place::{Environment, Place};
use super::{Ended, Trouble, out};
use crate::app::App;
use crate::config::{Config, Signup, Transport, Use};
use crate::deliver::smtp::Smtp;
use crate::ops::master_keys;
use crate::store::lock::ServerLock;
use crate::store::master_keys::Stage;

/// Show the configuration, what is laxer than the standards, and whether mail can be sent
///
/// Ends with 1 if something does not work. Secrets are not shown.
#[derive(Args)]
#[command(after_help = "Example:\n  doorcode doctor --data /var/lib/doorcode --config /etc/doorcode/doorcode.toml")]
pub(super) struct Doctor {
    #[command(flatten)]
    place: Place,
}

impl Doctor {
    pub(super) fn run(self, environment: Environment) -> Ended {
        // What only a server needs may be missing for the other commands.
        let servable = self.place.config(environment.clone(), Use::Serve).map(drop);
        self.place.within(environment, |app| async move {
            settings(&app.config);
            lax(&app.config);
            keys(&app).await?;
            let well = works(&app, servable).await;
            Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        })
    }
}

fn settings(config: &Config) {
    out("Settings");
    let line = |name: &str, value: String| out(&format!("  {name:22} {value}"));
    line("data", config.data.display().to_string());
    line("keys", config.keys.display().to_string());
    let database = config.database.as_ref().map_or_else(|| "the file in data".to_owned(), |at| at.shown());
    line("database", database);
    line("server.listen", config.server.listen.to_string());
    line("server.public_url", config.server.public_url.clone().unwrap_or_else(|| "not set".to_owned()));
    line("proxy.header", config.proxy.header.as_ref().map_or("not set", |name| name.as_str()).to_owned());
    let signup = match &config.signup {
        Signup::Open => "open".to_owned(),
        Signup::Domains(domains) => format!("domains {}", domains.join(", ")),
        Signup::Invite => "invite".to_owned(),
    };
    line("signup.mode", signup);
    let outx = config.outx;
    line("door.outx", format!("{} {}, {} s", outx.shape.length, outx.shape.alphabet, outx.life.as_secs()));
    let native = config.native;
    line("door.native", format!("{} {}, {} s", native.shape.length, native.shape.alphabet, native.life.as_secs()));
    line("mail.from", config.mail.from.clone());
    line("mail.templates", if config.mail.texts.is_built_in() { "built in" } else { "of your own" }.to_owned());
    match &config.mail.transport {
        Transport::Smtp(smtp) => {
            line("mail", format!("{}:{} {:?}", smtp.host, smtp.port, smtp.security));
            line("mail.username", smtp.username.clone().unwrap_or_else(|| "not set".to_owned()));
            line("mail.password", if smtp.password.is_some() { "set, not shown" } else { "not set" }.to_owned());
        }
        Transport::Inbox => line("mail", "kept in memory, not sent".to_owned()),
        Transport::Stdout => line("mail", "printed, not sent".to_owned()),
    }
}

/// What the standards would have otherwise, each with its number.
fn lax(config: &Config) {
    out("Laxer than the standards");
    let say = |line: String| out(&format!("  {line}"));
    let policy = GuessPolicy::for_shape(config.outx.shape);
    if config.outx.life > LIFE {
        say(format!(
            "door.outx.code_life is {} s: NIST SP 800-63B-4 3.1.3.2 and ASVS 6.5.5 allow 600 s (the door's contract says 1 h)",
            config.outx.life.as_secs()
        ));
    }
    for (door, shape) in [("outx", config.outx.shape), ("native", config.native.shape)] {
        if shape.bits() < 19.9 {
            say(format!(
                "door.{door} codes have {:.0} bits: NIST wants six digits, ASVS 6.5.4 20 bits; a guesser's chance is {:.1e} a day",
                shape.bits(),
                chance(shape, &GuessPolicy::for_shape(shape)).per_day
            ));
        }
    }
    let (sends, usual) = (config.sends, SendPolicy::default());
    for (name, set, usual) in [
        ("guess.network_hour", config.guesses.network, policy.network_hour),
        ("guess.wide_hour", config.guesses.wide, policy.wide_hour),
        ("send.stranger_hour", sends.stranger_hour, usual.stranger_hour),
        ("send.stranger_day", sends.stranger_day, usual.stranger_day),
        ("send.known_day", sends.known_day, usual.known_day),
        ("send.network_hour", sends.network_hour, usual.network_hour),
        ("send.wide_hour", sends.wide_hour, usual.wide_hour),
        ("send.org_day", sends.org_day, usual.org_day),
    ] {
        if set > usual {
            say(format!("limits.{name} is {set}: docs/limits.md gives {usual} and why"));
        }
    }
    if config.signup == Signup::Open && !config.dev {
        say("signup.mode is open: anybody can make this server send mail to anybody, within the limits".to_owned());
    }
    if !config.egress.allow.is_empty() {
        let count = config.egress.allow.len();
        say(format!(
            "egress.allow excuses {count} entries: whoever may name an URL can make this server send requests there"
        ));
    }
    if config.database.as_ref().is_some_and(|database| database.is_in_the_clear()) {
        say("database.url says sslmode=disable: addresses and counters cross the network in the clear".to_owned());
    }
    if config.dev {
        say("--dev shows every code to whoever reaches this machine".to_owned());
    }
    say("e-mail proves an address; it is no authentication factor (NIST SP 800-63B-4 3.1.3.1)".to_owned());
}

async fn keys(app: &App) -> Result<(), Trouble> {
    out("Master keys");
    for key in master_keys::list(app).await? {
        out(&format!(
            "  {} {}: live credentials {}, live codes {}, mailboxes {}, hooks {}, addresses for mail {}",
            key.row.kid,
            key.row.stage.as_str(),
            key.credentials,
            key.challenges,
            key.mailboxes,
            key.hooks,
            key.inbound
        ));
        if matches!(key.row.stage, Stage::Retiring | Stage::Retired) {
            let verb = if key.row.stage == Stage::Retired { "ended" } else { "end" };
            for (count, what, then) in key.ending() {
                out(&format!("    {count} {what} {verb} with the key: {then}"));
            }
        }
    }
    Ok(())
}

async fn works(app: &Arc<App>, servable: Result<(), Trouble>) -> bool {
    out("Works");
    let mut well = true;
    let mut say = |good: bool, line: &str| {
        well &= good;
        out(&format!("  {} {line}", if good { "yes" } else { "NO " }));
    };
    match servable {
        Ok(()) => say(true, "`serve` takes the settings"),
        Err(why) => say(false, &format!("`serve` takes the settings: {}", why.0.join("; "))),
    }
    say(app.mark_time().await.is_ok(), "the database takes writes");
    say(app.clock.behind().as_secs() <= 2, "the machine's clock was not set back");
    let running = ServerLock::is_free(&app.config.data).is_ok_and(|free| !free);
    out(&format!("  {} a server is running here", if running { "yes" } else { "no " }));
    match &app.config.mail.transport {
        Transport::Smtp(settings) => match Smtp::new(settings) {
            Err(error) => say(false, &error.to_string()),
            Ok(smtp) => match smtp.check().await {
                Ok(()) => say(true, "the mail server answers and lets us in"),
                Err(failure) => say(false, &format!("mail server: {}", failure.why)),
            },
        },
        Transport::Inbox | Transport::Stdout => out("  -   no mail server is set"),
    }
    well
}
