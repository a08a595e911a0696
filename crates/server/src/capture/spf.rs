//! What the domain that a mail's envelope names says of the host that brought it (SPF, RFC 7208): recorded, shown to the person, and
//! nothing else. Refuses to make a sender verified or forged by it, or to keep a mail out: whoever forwards is the host, and whoever sends
//! chooses the envelope (docs/decisions/0020-spf-is-told-and-decides-nothing.md).

use std::net::IpAddr;
use std::time::Duration;

use mail_auth::SpfResult;
use mail_auth::spf::verify::SpfParameters;

use super::domain;
use super::verified::Verifier;

/// The longest that it may take. RFC 7208 section 4.6.4 gives those who decide by it twenty seconds; nobody's code waits that long for
/// what decides nothing.
const LONGEST: Duration = Duration::from_secs(2);

/// Who brought a mail, and what it said before the mail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Carrier {
    /// Its address.
    pub ip: IpAddr,
    /// What it calls itself.
    pub helo: String,
    /// From whom, says the envelope. Empty: from nobody, as reports are.
    pub sender: String,
    /// What this server calls itself.
    pub host: String,
}

impl Verifier {
    /// What SPF says of a carrier, and whose word that is: `pass forwarder.example`, `none forwarder.example`, or without a domain where the
    /// envelope names none.
    pub async fn spf(&self, carrier: &Carrier) -> String {
        let ip = carrier.ip.to_canonical();
        let parameters = SpfParameters::verify_mail_from(ip, &carrier.helo, &carrier.host, &carrier.sender);
        let asked = self.authenticator().verify_spf(parameters);
        let result = match tokio::time::timeout(LONGEST, asked).await {
            Ok(output) => output.result(),
            Err(_) => SpfResult::TempError,
        };
        let whose = carrier.sender.rsplit_once('@').map_or(carrier.helo.as_str(), |(_, domain)| domain);
        match domain::canonical(whose) {
            Some(domain) => format!("{} {domain}", name(result)),
            None => name(result).to_owned(),
        }
    }
}

/// As Authentication-Results has it (RFC 8601 section 2.7.2).
const fn name(result: SpfResult) -> &'static str {
    match result {
        SpfResult::Pass => "pass",
        SpfResult::Fail => "fail",
        SpfResult::SoftFail => "softfail",
        SpfResult::Neutral => "neutral",
        SpfResult::TempError => "temperror",
        SpfResult::PermError => "permerror",
        SpfResult::None => "none",
    }
}
