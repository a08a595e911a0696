//! `doorcode stamp`: signs the body of a call by hand, or a whole request. Has no database and asks no server. Refuses to change the body: what
//! is signed is every byte of it, so it has to be sent as it is.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use doorcode_core::seal::turnkey::BundleKey;
use doorcode_core::stamp::Signable;
use doorcode_core::{OrgId, hex};

use super::{Ended, Trouble, out, seal};
use crate::clock::Clock;
use crate::entropy::{self, Entropy};

/// The longest body that is read; no call takes a longer one.
const BODY_MOST: u64 = crate::body::MOST as u64;

#[derive(Args)]
#[command(after_help = "\
Examples:
  doorcode stamp --key me.key --body call.json
  curl -H \"X-Stamp: $(doorcode stamp --key me.key --body call.json)\" --data-binary @call.json \\
    http://127.0.0.1:8080/public/v1/query/whoami

  doorcode stamp --key me.key --body start.json --request 'POST /v1/verifications' --org ID |
    curl -H @- --data-binary @start.json http://127.0.0.1:8080/v1/verifications

The first is a call of the door turnkey, the second a request of the door native: good once, for five minutes.

Every byte is signed, a line end too: send the same file, with --data-binary and not with -d.
A key is made by `doorcode seal key`.")]
pub(super) struct Stamp {
    /// The file of the private key, of P-256 in hexadecimal
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The body; without it, standard input, or, with --request, none
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// Method and path of a request, with the query if it has one, as they are sent
    #[arg(long, value_name = "METHOD PATH", requires = "org")]
    request: Option<String>,
    /// The organization in which the key is
    #[arg(long, requires = "request")]
    org: Option<OrgId>,
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
            None if self.request.is_some() => {}
            None => drop(std::io::stdin().lock().take(most).read_to_end(&mut body)?),
        }
        if body.len() as u64 > BODY_MOST {
            return Err(format!("the body is longer than {BODY_MOST} bytes").into());
        }
        match (&self.request, self.org) {
            (Some(request), Some(org)) => out(&headers(&key, request, org, &body)?),
            _ => out(&key.stamp(&body, &entropy::signing())?),
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The headers of a request that is made now, a line each.
fn headers(key: &BundleKey, request: &str, org: OrgId, body: &[u8]) -> Result<String, Trouble> {
    let parts = request.split_once(' ').filter(|(_, target)| target.starts_with('/') && !target.contains(' '));
    let (method, target) = parts.ok_or_else(|| "--request: must be as in 'POST /v1/verifications'".to_owned())?;
    let (method, nonce) = (method.to_ascii_uppercase(), hex::encode(&Entropy::real().bytes::<16>()?));
    let call = Signable { method: &method, target, org, at: Clock::real(None, None).now(), nonce: &nonce, body };
    let stamp = key.stamp(&call.text(), &entropy::signing())?;
    let at = call.at.millis();
    Ok(format!("X-Organization-Id: {org}\nX-Timestamp: {at}\nX-Nonce: {nonce}\nX-Stamp: {stamp}"))
}
