//! What the tests send: a mail with a code, keys to sign it with, and a mailbox that waits for it.

use std::collections::HashMap;
use std::io::Write as _;
use std::marker::PhantomData;
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorcode_core::{Email, Timestamp};
use mail_auth::common::crypto::{Algorithm, Ed25519Key, Sha1, Sha256, SigningKey};
use mail_auth::common::headers::{HeaderWriter as _, Writable};
use mail_auth::dkim::{Canonicalization, DkimSigner, Done};
use mail_auth::{AuthenticatedMessage, AuthenticationResults};

use super::server::{Answer, NameServer};
use crate::capture::{Expectation, Judgement, Verdict, Verifier, message};
use crate::clock::Clock;

/// Everything that must be signed.
pub(super) const HEADERS: [&str; 7] = ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"];

/// An RSA key. OpenSSL's command makes it and signs with it: ring does neither below 2048 bits, nor SHA-1 at all.
pub(super) struct Rsa {
    private: Vec<u8>,
    record: String,
}

/// Its use with one hash.
pub(super) struct RsaWith<H>(pub(super) &'static Rsa, PhantomData<H>);

pub(super) static RSA_2048: LazyLock<Rsa> = LazyLock::new(|| Rsa::new("2048"));
pub(super) static RSA_1024: LazyLock<Rsa> = LazyLock::new(|| Rsa::new("1024"));
pub(super) static RSA_768: LazyLock<Rsa> = LazyLock::new(|| Rsa::new("768"));
static ED25519: LazyLock<Vec<u8>> = LazyLock::new(|| Ed25519Key::generate_pkcs8().unwrap());

impl Rsa {
    fn new(bits: &str) -> Self {
        let private = openssl(&["genrsa", bits], b"");
        let public = openssl(&["rsa", "-pubout", "-outform", "DER"], &private);
        Self { private, record: format!("v=DKIM1; k=rsa; p={}", STANDARD.encode(public)) }
    }

    pub(super) const fn sha256(&'static self) -> RsaWith<Sha256> {
        RsaWith(self, PhantomData)
    }

    pub(super) const fn sha1(&'static self) -> RsaWith<Sha1> {
        RsaWith(self, PhantomData)
    }

    fn sign(&self, digest: &str, input: impl Writable) -> Vec<u8> {
        static FILES: AtomicUsize = AtomicUsize::new(0);
        let name = format!("doorcode-key-{}-{}", std::process::id(), FILES.fetch_add(1, Ordering::Relaxed));
        let file = std::env::temp_dir().join(name);
        std::fs::write(&file, &self.private).unwrap();
        let mut data = Vec::new();
        input.write(&mut data);
        let signature = openssl(&["dgst", digest, "-sign", file.to_str().unwrap()], &data);
        std::fs::remove_file(&file).unwrap();
        signature
    }
}

impl SigningKey for RsaWith<Sha256> {
    type Hasher = Sha256;

    fn sign(&self, input: impl Writable) -> mail_auth::Result<Vec<u8>> {
        Ok(self.0.sign("-sha256", input))
    }

    fn algorithm(&self) -> Algorithm {
        Algorithm::RsaSha256
    }
}

impl SigningKey for RsaWith<Sha1> {
    type Hasher = Sha1;

    fn sign(&self, input: impl Writable) -> mail_auth::Result<Vec<u8>> {
        Ok(self.0.sign("-sha1", input))
    }

    fn algorithm(&self) -> Algorithm {
        Algorithm::RsaSha1
    }
}

fn openssl(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut command = Command::new("openssl");
    let pipes = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = pipes.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "openssl {arguments:?}");
    done.stdout
}

pub(super) fn ed25519() -> Ed25519Key {
    Ed25519Key::from_pkcs8_maybe_unchecked_der(&ED25519).unwrap()
}

fn ed25519_record() -> String {
    format!("v=DKIM1; k=ed25519; p={}", STANDARD.encode(ed25519().public_key()))
}

/// A mailbox that waits for a code, before a name server.
pub(super) struct Scene {
    pub(super) names: NameServer,
    pub(super) verifier: Verifier,
    pub(super) now: Timestamp,
    pub(super) mailbox: Vec<Email>,
    pub(super) arrived: Timestamp,
    pub(super) junk: bool,
    pub(super) trusted: Vec<&'static str>,
}

impl Scene {
    /// One whose name server knows the keys of all senders of the tests.
    pub(super) async fn new() -> Self {
        Self::with(&[]).await
    }

    /// The same, and these records besides or instead.
    pub(super) async fn with(more: &[(&str, Answer)]) -> Self {
        let texts = |texts: &[&str]| Answer::Texts(texts.iter().map(|text| (*text).to_owned()).collect());
        let testing = format!("t=y; {}", ed25519_record());
        let mut known: HashMap<String, Answer> = HashMap::new();
        for domain in ["acme.com", "mail.acme.com", "news.acme.com", "evil.com", "com", "fwd.com", "other-fwd.com"] {
            for (selector, record) in [
                ("ed", ed25519_record().as_str()),
                ("rsa", &RSA_2048.record),
                ("r1024", &RSA_1024.record),
                ("r768", &RSA_768.record),
                ("testing", &testing),
            ] {
                known.insert(format!("{selector}._domainkey.{domain}"), texts(&[record]));
            }
        }
        known.insert("failing._domainkey.acme.com".to_owned(), Answer::Failure);
        known.extend(more.iter().map(|(name, answer)| ((*name).to_owned(), answer.clone())));
        let names = NameServer::start(known).await;
        let now = Clock::real(None, None).now();
        Self {
            verifier: Verifier::at(names.at).unwrap(),
            names,
            now,
            mailbox: vec![Email::parse("ada@home.example").unwrap()],
            arrived: now,
            junk: false,
            trusted: Vec::new(),
        }
    }

    /// A mail of Acme's, written now. Each change replaces one text by another.
    pub(super) fn mail(&self, changes: &[(&str, &str)]) -> String {
        let mut mail = format!(
            "From: Acme <no-reply@acme.com>\r\nTo: Ada <ada@home.example>\r\nSubject: Your code\r\nDate: {}\r\n\
             Message-ID: <1@acme.com>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
             Your code is 482913.\r\n",
            date(self.now)
        );
        for (from, to) in changes {
            assert!(mail.contains(from), "{from}");
            mail = mail.replace(from, to);
        }
        mail
    }

    /// What becomes of it, for a request that was made half a minute ago.
    pub(super) async fn judge(&self, raw: &str) -> Judgement {
        let parsed = message::parse(raw.as_bytes(), Some(self.arrived)).unwrap();
        let expected = Expectation {
            mailbox: &self.mailbox,
            after: self.now.minus(Duration::from_secs(30)),
            now: self.now,
            junk: self.junk,
            trusted_sealers: &self.trusted,
        };
        self.verifier.judge(raw.as_bytes(), &parsed, &expected).await
    }

    pub(super) async fn verdict(&self, raw: &str) -> Verdict {
        self.judge(raw).await.verdict
    }
}

/// As Date has it.
pub(super) fn date(at: Timestamp) -> String {
    mail_parser::DateTime::from_timestamp(at.millis() / 1000).to_rfc822()
}

/// A signer for that domain, which signs all headers that must be and folds white space.
pub(super) fn signer<K: SigningKey>(key: K, domain: &str, selector: &str) -> DkimSigner<K, Done> {
    let signer = DkimSigner::from_key(key).domain(domain).selector(selector).headers(HEADERS);
    signer.header_canonicalization(Canonicalization::Relaxed).body_canonicalization(Canonicalization::Relaxed)
}

/// The message with a signature above it.
pub(super) fn signed<K: SigningKey>(signer: &DkimSigner<K, Done>, raw: &str) -> String {
    signer.sign(raw.as_bytes()).unwrap().to_header() + raw
}

/// The message as Acme signs it.
pub(super) fn by_acme(raw: &str) -> String {
    signed(&signer(ed25519(), "acme.com", "ed"), raw)
}

/// The message with a forwarder's seal above it, over what `results` says that it saw (`dkim=pass header.d=…`).
pub(super) async fn sealed(scene: &Scene, raw: &str, forwarder: &str, results: &str, headers: &[&str]) -> String {
    let name = format!("mx.{forwarder}; {results}");
    let results = AuthenticationResults::new(&name);
    let before = AuthenticatedMessage::parse(raw.as_bytes()).unwrap();
    let authenticator = scene.verifier.authenticator();
    let chain = authenticator.verify_arc(&before).await;
    let sealer = mail_auth::arc::ArcSealer::from_key(ed25519()).domain(forwarder).selector("ed");
    let sealer = sealer.headers(headers.iter().copied());
    let set = sealer.seal(&before, &results, &chain).unwrap();
    set.to_header() + raw
}
