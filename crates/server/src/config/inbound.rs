//! The settings of mail that is forwarded to this server, `[capture.inbound]`. Refuses half a certificate, and a listener without a
//! domain of its own.

use std::net::SocketAddr;
use std::path::PathBuf;

use doorcode_core::sender::canonical_domain;
use serde::Deserialize;

use super::complaints::Complaints;

/// `[capture.inbound]`, as written.
#[derive(Deserialize)]
pub(super) struct RawInbound {
    listen: String,
    domain: String,
    hostname: String,
    tls_cert: String,
    tls_key: String,
    connections: usize,
    per_network: usize,
}

/// How forwarded mail comes in.
#[derive(Clone)]
pub struct Inbound {
    /// Where to listen.
    pub listen: SocketAddr,
    /// What stands behind the @ of every address.
    pub domain: String,
    /// What the server calls itself.
    pub hostname: String,
    /// Certificate chain and key, as PEM files. None: without TLS.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Connections at the same time.
    pub connections: usize,
    /// Of one network.
    pub per_network: usize,
}

impl RawInbound {
    pub(super) fn mean(self, bad: &mut Complaints) -> Option<Inbound> {
        if self.listen.trim().is_empty() {
            return None;
        }
        let fallback = SocketAddr::from(([127, 0, 0, 1], 25));
        let must = "must be an address and a port such as 0.0.0.0:25";
        let listen = bad.take("capture.inbound.listen", self.listen.trim().parse().ok(), must, fallback);
        let must = "must be a domain of its own such as in.example.com";
        let domain = bad.take("capture.inbound.domain", canonical_domain(self.domain.trim()), must, String::new());
        let hostname = match self.hostname.trim() {
            "" => domain.clone(),
            name => {
                bad.take("capture.inbound.hostname", canonical_domain(name), "must be a host's name", String::new())
            }
        };
        let tls = match (self.tls_cert.trim(), self.tls_key.trim()) {
            ("", "") => None,
            ("", _) | (_, "") => {
                bad.push("capture.inbound: tls_cert and tls_key must both be set, or neither");
                None
            }
            (cert, key) => Some((PathBuf::from(cert), PathBuf::from(key))),
        };
        if self.connections == 0 || self.per_network == 0 {
            bad.push("capture.inbound: connections and per_network must be at least 1");
        }
        let (connections, per_network) = (self.connections, self.per_network);
        Some(Inbound { listen, domain, hostname, tls, connections, per_network })
    }
}
