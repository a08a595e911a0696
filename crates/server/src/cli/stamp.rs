//! `doorcode stamp`: signs the body of a call by hand. Has no database and asks no server. Refuses to change the body: what is signed is
//! every byte of it, so it has to be sent as it is.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{Ended, out, seal};
use crate::entropy;

/// The longest body that is read; no call takes a longer one.
const BODY_MOST: u64 = 16 << 20;

/// Sign the body of a call: prints the value of its X-Stamp header
#[derive(Args)]
#[command(after_help = "\
Examples:
  doorcode stamp --key me.key --body call.json
  curl -H \"X-Stamp: $(doorcode stamp --key me.key --body call.json)\" --data-binary @call.json \\
    http://127.0.0.1:8080/public/v1/query/whoami

Every byte is signed, a line end too: send the same file, with --data-binary and not with -d.
A key is made by `doorcode seal key`.")]
pub(super) struct Stamp {
    /// The file of the private key, of P-256 in hexadecimal
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The body; without it, standard input
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
}

impl Stamp {
    pub(super) fn run(self) -> Ended {
        let key = seal::read(&self.key)?;
        let mut body = Vec::new();
        let most = BODY_MOST + 1;
        match &self.body {
            Some(file) => {
                let opened = std::fs::File::open(file).map_err(|error| format!("{}: {error}", file.display()))?;
                opened.take(most).read_to_end(&mut body)?;
            }
            None => drop(std::io::stdin().lock().take(most).read_to_end(&mut body)?),
        }
        if body.len() as u64 > BODY_MOST {
            return Err(format!("the body is longer than {BODY_MOST} bytes").into());
        }
        out(&key.stamp(&body, &entropy::signing())?);
        Ok(ExitCode::SUCCESS)
    }
}
