//! What is configured about the way out. By default nothing is allowed that is not public; refuses entries that it can't
//! read, and has no entry that means "everything" but a range that says so.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::resolver::Resolver;
use crate::config::Range;

/// The settings of the way out.
#[derive(Clone, Default)]
pub struct Settings {
    /// What is excused from the rules about addresses and HTTPS.
    pub allow: Vec<Allow>,
    /// The ports of everybody else.
    pub ports: Vec<u16>,
    /// A PEM file with authorities that are trusted besides the public ones.
    pub ca_file: Option<PathBuf>,
    /// Who resolves names; no setting, for tests.
    pub resolver: Resolver,
}

/// One thing that is excused. Without a port: the configured ports, and 80.
#[derive(Clone)]
pub enum Allow {
    /// A host by its name, wherever that leads.
    Name {
        /// In canonical form.
        host: String,
        /// Its port.
        port: Option<u16>,
    },
    /// Addresses.
    Addresses {
        /// Which.
        range: Range,
        /// Their port.
        port: Option<u16>,
    },
}

impl FromStr for Allow {
    type Err = ();

    /// `host`, `host:port`, `address`, `address:port`, `[address]:port` or `address/bits`.
    fn from_str(text: &str) -> Result<Self, ()> {
        let text = text.trim();
        if let Ok(socket) = text.parse::<SocketAddr>() {
            return Ok(Self::Addresses { range: socket.ip().to_string().parse()?, port: Some(socket.port()) });
        }
        if let Ok(range) = text.parse() {
            return Ok(Self::Addresses { range, port: None });
        }
        let (host, port) = match text.split_once(':') {
            Some((host, port)) => (host, Some(port.parse().map_err(drop)?)),
            None => (text, None),
        };
        match url::Host::parse(host) {
            Ok(url::Host::Domain(host)) if !host.is_empty() => Ok(Self::Name { host, port }),
            _ => Err(()),
        }
    }
}

impl Settings {
    /// Whether a host by this name and port is excused.
    pub(super) fn allows_name(&self, name: &str, at: u16) -> bool {
        self.allow.iter().any(|allow| match allow {
            Allow::Name { host, port } => host == name && self.fits(*port, at),
            Allow::Addresses { .. } => false,
        })
    }

    /// Whether this address and port is excused.
    pub(super) fn allows_address(&self, address: IpAddr, at: u16) -> bool {
        self.allow.iter().any(|allow| match allow {
            Allow::Addresses { range, port } => range.holds(address) && self.fits(*port, at),
            Allow::Name { .. } => false,
        })
    }

    fn fits(&self, port: Option<u16>, at: u16) -> bool {
        port.map_or_else(|| at == 80 || self.ports.contains(&at), |port| port == at)
    }

    /// TLS as a client: the authorities of the public web, and those of the file.
    pub(crate) fn tls(&self) -> Result<TlsConnector, String> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        if let Some(file) = &self.ca_file {
            let bad = |why: String| format!("{}: {why}", file.display());
            let certificates = CertificateDer::pem_file_iter(file).map_err(|error| bad(error.to_string()))?;
            let mut count = 0;
            for certificate in certificates {
                let certificate = certificate.map_err(|error| bad(error.to_string()))?;
                roots.add(certificate).map_err(|error| bad(error.to_string()))?;
                count += 1;
            }
            if count == 0 {
                return Err(bad("holds no certificate in PEM form".to_owned()));
            }
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let builder = builder.with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
        Ok(TlsConnector::from(Arc::new(builder.with_root_certificates(roots).with_no_client_auth())))
    }
}
