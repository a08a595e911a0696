//! Forwarded mail over TLS: begun by STARTTLS, and nothing that somebody on the way said before it counts inside.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::sync::Arc;

use doorcode::capture::inbound::Patience;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::app::Folder;
use crate::inbound::{ACME, Client, House, by, house_of};
use crate::smtp_server::certificates;

async fn house(folder: &Folder) -> House {
    std::fs::create_dir_all(folder.path()).unwrap();
    certificates(folder.path());
    let [certificate, key] = ["server.crt", "server.key"].map(|name| folder.path().join(name).display().to_string());
    let more = [
        ("DOORCODE_CAPTURE__INBOUND__TLS_CERT", certificate.as_str()),
        ("DOORCODE_CAPTURE__INBOUND__TLS_KEY", key.as_str()),
    ];
    house_of(Patience::default(), &more, &[]).await
}

fn connector(folder: &Folder) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(folder.path().join("ca.crt")).unwrap() {
        roots.add(certificate.unwrap()).unwrap();
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    TlsConnector::from(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}

#[tokio::test]
async fn a_mail_comes_inside_of_tls() {
    let folder = Folder::new();
    let house = house(&folder).await;
    let id = house.scene.waits("email", ACME).await;
    let mut plain = house.client().await;
    assert!(plain.say("EHLO x").await.contains("250-STARTTLS"));
    plain.say("MAIL FROM:<>").await;
    assert!(plain.say("STARTTLS").await.starts_with("220"));
    let stream = connector(&folder).connect("localhost".try_into().unwrap(), plain.0).await.unwrap();
    let mut client = Client(stream, Vec::new());
    assert!(
        client.say(&format!("RCPT TO:<{}>", house.to)).await.starts_with("503"),
        "what was said before is forgotten"
    );
    assert!(!client.say("EHLO x").await.contains("STARTTLS"), "TLS in TLS is not offered");
    client.say("MAIL FROM:<>").await;
    assert!(client.say(&format!("RCPT TO:<{}>", house.to)).await.starts_with("250"));
    assert!(client.say("DATA").await.starts_with("354"));
    let mail = by("acme.com", &house.mail("no-reply@acme.com", "Your code is 482913."));
    assert!(client.text(&mail).await.starts_with("250 2.6.0"));
    assert_eq!(house.scene.code(&id, "acme.com").await, "482913");
}

#[tokio::test]
async fn what_somebody_puts_in_before_tls_ends_the_connection() {
    let folder = Folder::new();
    let house = house(&folder).await;
    let mut client = house.client().await;
    client.write("STARTTLS\r\nMAIL FROM:<eve@evil.example>\r\n").await;
    assert!(client.reply().await.starts_with("503"));
    assert_eq!(client.reply().await, "", "it is over");
}
