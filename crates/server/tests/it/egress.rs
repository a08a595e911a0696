//! The way out over TLS: the certificate must be of an authority that is trusted, and for the name in the URL.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use doorcode::egress::{Egress, Kind, Settings};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::app::{Folder, seconds};
use crate::smtp_server::certificates;

/// A server with a certificate for `localhost`.
async fn server(folder: &Path) -> SocketAddr {
    let chain = CertificateDer::pem_file_iter(folder.join("server.crt")).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join("server.key")).unwrap();
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let config = builder.with_single_cert(chain.map(Result::unwrap).collect(), key).unwrap();
    let (acceptor, listener) = (TlsAcceptor::from(Arc::new(config)), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            assert_ne!(stream.read(&mut [0; 4096]).await.unwrap(), 0);
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        }
    });
    address
}

#[tokio::test]
async fn a_certificate_must_be_trusted_and_for_this_host() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path()).unwrap();
    certificates(folder.path());
    let port = server(folder.path()).await.port();
    let allow = ["localhost", "127.0.0.1"].map(|host| format!("{host}:{port}").parse().unwrap());
    let authority = Some(folder.path().join("ca.crt"));
    for (host, ca_file, outcome) in [
        ("localhost", authority.clone(), Ok(204)),
        ("localhost", None, Err(Kind::Tls)),
        ("127.0.0.1", authority, Err(Kind::Tls)),
    ] {
        let settings = Settings { allow: allow.to_vec(), ca_file, ..Settings::default() };
        let egress = Egress::new(&settings, "127.0.0.1:1".parse().unwrap(), None).unwrap();
        let target = egress.check_url(&format!("https://{host}:{port}/")).unwrap();
        let answer = egress.post(&target, &[], Vec::new(), seconds(10)).await;
        assert_eq!(answer.map(|answer| answer.status).map_err(|failure| failure.kind), outcome, "{host}");
    }
}
