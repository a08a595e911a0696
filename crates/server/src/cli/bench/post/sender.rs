//! Somebody who signs their mails: the key, and the server of names that has its public half, under every name. Refuses nobody: what a
//! signature is worth is for others to say.

use std::io;
use std::net::{SocketAddr, UdpSocket};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mail_auth::common::crypto::Ed25519Key;
use mail_auth::common::headers::HeaderWriter as _;
use mail_auth::dkim::DkimSigner;

/// What is signed: all that whoever reads it may ask for.
const HEADERS: [&str; 7] = ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"];

/// A sender.
pub struct Sender {
    key: Vec<u8>,
    /// The server of names. It answers for as long as this process lives.
    pub names: SocketAddr,
}

impl Sender {
    /// One with a key of its own.
    ///
    /// # Errors
    /// No key could be made, or no port is free.
    pub fn new() -> io::Result<Self> {
        let key = Ed25519Key::generate_pkcs8().map_err(io::Error::other)?;
        let public = Ed25519Key::from_pkcs8_maybe_unchecked_der(&key).map_err(io::Error::other)?.public_key();
        let names = name_server(format!("v=DKIM1; k=ed25519; p={}", STANDARD.encode(public)))?;
        Ok(Self { key, names })
    }

    /// The mail, signed for a domain.
    ///
    /// # Errors
    /// It is no mail.
    pub fn signed(&self, mail: &str, domain: &str) -> io::Result<String> {
        let key = Ed25519Key::from_pkcs8_maybe_unchecked_der(&self.key).map_err(io::Error::other)?;
        let signer = DkimSigner::from_key(key).domain(domain).selector("s").headers(HEADERS);
        Ok(signer.sign(mail.as_bytes()).map_err(io::Error::other)?.to_header() + mail)
    }
}

/// A server that knows one text, under every name.
fn name_server(record: String) -> io::Result<SocketAddr> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    let at = socket.local_addr()?;
    std::thread::spawn(move || {
        let mut packet = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut packet) {
            if let Some(answer) = answer(&packet[..length], &record) {
                let _ = socket.send_to(&answer, from);
            }
        }
    });
    Ok(at)
}

/// One question, and the text as the answer to it (RFC 1035).
fn answer(question: &[u8], record: &str) -> Option<Vec<u8>> {
    let end = 12 + question.get(12..)?.iter().position(|byte| *byte == 0)? + 5;
    let mut out = question.get(..2)?.to_vec();
    out.extend([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
    out.extend(question.get(12..end)?);
    out.extend([0xc0, 12, 0, 16, 0, 1, 0, 0, 1, 44]);
    out.extend(u16::try_from(record.len() + 1).ok()?.to_be_bytes());
    out.push(u8::try_from(record.len()).ok()?);
    out.extend(record.as_bytes());
    Some(out)
}
