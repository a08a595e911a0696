//! `doorcode send-test`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use doorcode_core::{Email, Secret};

use super::place::{Environment, Place};
use super::{Ended, err, out};
use crate::config::Transport;
use crate::deliver::render::{CodeMail, code_mail};
use crate::deliver::smtp::Smtp;

/// Send a test message through the configured mail server
///
/// The message looks like a real one; the code in it is 000000 and opens nothing.
#[derive(Args)]
#[command(after_help = "\
Examples:
  doorcode send-test --to me@example.com --config doorcode.toml
  doorcode send-test --to me@example.com --preview
  doorcode send-test --to me@example.com --preview --language ar --link --html mail.html")]
pub(super) struct SendTest {
    /// The address
    #[arg(long)]
    to: String,
    /// Its language, as a browser would say it
    #[arg(long, default_value = "en")]
    language: String,
    /// With a link beside the code; it opens nothing either
    #[arg(long)]
    link: bool,
    /// Print subject and text in place of sending
    #[arg(long, visible_alias = "print")]
    preview: bool,
    /// Also write the HTML to a file, to look at in a browser
    #[arg(long, value_name = "FILE", requires = "preview")]
    html: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

impl SendTest {
    pub(super) fn run(self, environment: Environment) -> Ended {
        self.place.within(environment, |app| async move {
            let to = Email::parse(&self.to)?;
            let (code, now) = (Secret::new("000000".to_owned()), app.clock.now());
            let texts = app.config.mail.texts.choose(&self.language);
            if !primary(&self.language).eq_ignore_ascii_case(primary(texts.language)) {
                err(&format!("there are no texts in {}; these are in {}", self.language, texts.language));
            }
            let link = self.link.then(|| Secret::new(format!("{}/000000", app.base_url())));
            let id = app.entropy.id::<doorcode_core::id::Delivery>(now)?;
            let message = code_mail(CodeMail {
                to: to.as_str(),
                product: &app.config.mail.product,
                code: &code,
                shown: &code,
                link: link.as_ref(),
                minutes: u32::try_from(app.config.outx.life.as_secs() / 60).unwrap_or(u32::MAX),
                texts,
                message_id: format!("<{id}@{}>", app.config.mail.domain()),
                stamp: None,
            });
            if let Some(file) = &self.html {
                std::fs::write(file, message.html.expose()).map_err(|error| format!("{}: {error}", file.display()))?;
            }
            match &app.config.mail.transport {
                Transport::Smtp(settings) if !self.preview => {
                    let smtp = Smtp::new(settings).map_err(|error| error.to_string())?;
                    smtp.send(&message, now.millis()).await.map_err(|failure| failure.why)?;
                    out("the mail server took it");
                }
                Transport::Inbox | Transport::Stdout if !self.preview && !app.config.dev => {
                    return Err("no mail.host is set: name the settings with --config, or see the mail with --preview"
                        .to_owned()
                        .into());
                }
                _ => out(&format!("Subject: {}\n\n{}", message.subject, message.text.expose())),
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

/// The first subtag of the first range: `en-US,en;q=0.8` wants `en`.
fn primary(language: &str) -> &str {
    language.split(['-', ',', ';']).next().unwrap_or_default().trim()
}
