//! The certificate that a mail client is shown after STARTTLS. Refuses to start with one that can't be read.

use std::path::Path;
use std::sync::Arc;

use doorcode_core::{Error, Result};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Reads both files.
pub(super) fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor> {
    let bad = |file: &Path, why: String| Error::unavailable(format!("capture.inbound: {}: {why}", file.display()));
    let chain =
        CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>);
    let chain = chain.map_err(|error| bad(certificate, error.to_string()))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| bad(key, error.to_string()))?;
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(Error::internal)?;
    let config = builder.with_no_client_auth().with_single_cert(chain, private);
    config.map(|config| TlsAcceptor::from(Arc::new(config))).map_err(|error| bad(certificate, error.to_string()))
}
