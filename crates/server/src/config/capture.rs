//! The settings of what comes in, `[capture]`, as they are written.

use std::net::SocketAddr;

use doorcode_core::sender::canonical_domain;
use serde::Deserialize;

use super::complaints::Complaints;
use super::inbound::{Inbound, RawInbound};
use super::mailboxes::{Mailboxes, RawMailboxes};

/// `[capture]`, as written.
#[derive(Deserialize)]
pub(super) struct RawCapture {
    dns: String,
    forwarders: Vec<String>,
    own_domains: Vec<String>,
    inbound: RawInbound,
    mailboxes: RawMailboxes,
}

/// How messages that come in are judged.
#[derive(Clone, Default)]
pub struct Capture {
    /// The server of names that is asked for senders' keys; none: as the system resolves names.
    pub dns: Option<SocketAddr>,
    /// Domains of forwarders whose seals count (ARC).
    pub forwarders: Vec<String>,
    /// Domains that this installation writes from, besides that of `mail.from`: nothing from there is ever relayed.
    pub own_domains: Vec<String>,
    /// How forwarded mail comes in; none: it does not.
    pub inbound: Option<Inbound>,
    /// Mailboxes that people connect.
    pub mailboxes: Mailboxes,
}

impl RawCapture {
    pub(super) fn mean(self, bad: &mut Complaints) -> Capture {
        let dns = match self.dns.trim() {
            "" => None,
            text => {
                let fallback = SocketAddr::from(([127, 0, 0, 1], 53));
                Some(bad.take(
                    "capture.dns",
                    text.parse().ok(),
                    "must be an address and a port such as 127.0.0.1:53",
                    fallback,
                ))
            }
        };
        let mut domains = |name: &str, texts: &[String]| {
            let mut read = Vec::new();
            for text in texts {
                match canonical_domain(text.trim()) {
                    Some(domain) => read.push(domain),
                    None => bad.push(format!("{name}: {text} is no domain such as example.com")),
                }
            }
            read
        };
        let forwarders = domains("capture.forwarders", &self.forwarders);
        let own_domains = domains("capture.own_domains", &self.own_domains);
        let inbound = self.inbound.mean(bad);
        let mailboxes = self.mailboxes.mean(bad);
        Capture { dns, forwarders, own_domains, inbound, mailboxes }
    }
}
