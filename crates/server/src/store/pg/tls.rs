//! TLS to the database: the certificate must be one for the host that was asked for, signed by whom the settings trust. Refuses
//! every weaker form.

use doorcode_core::{Error, Result};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use super::settings::Settings;

/// What makes a connection, whether it is encrypted or not: `sslmode` in the settings says which.
pub(super) fn connector(settings: &Settings) -> Result<MakeRustlsConnect> {
    let mut roots = RootCertStore::empty();
    match &settings.ca_file {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(file) => {
            for certificate in CertificateDer::pem_file_iter(file).map_err(Error::unavailable)? {
                roots.add(certificate.map_err(Error::unavailable)?).map_err(Error::unavailable)?;
            }
        }
    }
    let config = ClientConfig::builder_with_provider(crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .map_err(Error::internal)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}
