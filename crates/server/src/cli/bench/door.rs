//! The journeys: which requests a start, a check and a floor call are at each server, and which answers are right.
//! Headers and paths are prepared once; only the body is written for each request.

use std::net::SocketAddr;

use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HOST};

use super::client::Answer;
use super::failure::{Failure, Outcome};

/// The code that `bench/peers/better-auth/server.mjs` gives to everybody.
const PEER_CODE: &str = "424242";

/// Whose calls are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The `outx` door of Doorcode.
    Doorcode,
    /// The e-mail OTP plugin of better-auth.
    BetterAuth,
}

/// The prepared requests to one server.
#[derive(Debug, Clone)]
pub(super) struct Door {
    kind: Kind,
    start: Request<()>,
    check: Request<()>,
    floor: Request<()>,
}

impl Door {
    /// Prepares the requests to `server`.
    pub(super) fn new(kind: Kind, server: SocketAddr) -> Outcome<Self> {
        let (start, check) = match kind {
            Kind::Doorcode => ("/linkedin-agent/auth-send-otp", "/linkedin-agent/auth-verify-otp"),
            Kind::BetterAuth => ("/api/auth/email-otp/send-verification-otp", "/api/auth/sign-in/email-otp"),
        };
        Ok(Self {
            kind,
            start: prepare(server, start)?,
            check: prepare(server, check)?,
            floor: prepare(server, "/dev/floor")?,
        })
    }

    /// The code that every challenge of this server has, if codes do not come by mail.
    pub(super) fn fixed_code(&self) -> Option<&'static str> {
        (self.kind == Kind::BetterAuth).then_some(PEER_CODE)
    }

    /// Asks for a code for `address`.
    pub(super) fn start(&self, address: &str) -> Request<Full<Bytes>> {
        fill(&self.start, self.start_body(address))
    }

    /// The body of a start, sent to the route that touches nothing.
    pub(super) fn floor(&self, address: &str) -> Request<Full<Bytes>> {
        fill(&self.floor, self.start_body(address))
    }

    /// Sends `code` back.
    pub(super) fn check(&self, address: &str, code: &str) -> Request<Full<Bytes>> {
        fill(&self.check, format!(r#"{{"email":"{address}","otp":"{code}"}}"#))
    }

    fn start_body(&self, address: &str) -> String {
        match self.kind {
            Kind::Doorcode => format!(r#"{{"email":"{address}","full_name":"Bench Mark"}}"#),
            Kind::BetterAuth => format!(r#"{{"email":"{address}","type":"sign-in"}}"#),
        }
    }

    /// A start or a floor call must be answered 200 and `"success":true`.
    pub(super) fn expect_started(&self, answer: &Answer) -> Outcome<()> {
        expect("a start", answer, 200, r#""success":true"#)
    }

    /// A right check must be answered 200 with what was earned: an API key, a session.
    pub(super) fn expect_earned(&self, answer: &Answer) -> Outcome<()> {
        let earned = match self.kind {
            Kind::Doorcode => r#""api_key":""#,
            Kind::BetterAuth => r#""token":""#,
        };
        expect("a right check", answer, 200, earned)
    }

    /// A wrong check must be answered 401, as docs/outx.md says.
    pub(super) fn expect_refused(&self, answer: &Answer) -> Outcome<()> {
        expect("a wrong check", answer, 401, r#""error""#)
    }
}

fn prepare(server: SocketAddr, path: &str) -> Outcome<Request<()>> {
    Request::post(path)
        .header(HOST, server.to_string())
        .header(CONTENT_TYPE, "application/json")
        .body(())
        .map_err(Failure::during("preparing a request"))
}

fn fill(prepared: &Request<()>, body: String) -> Request<Full<Bytes>> {
    prepared.clone().map(|()| Full::new(Bytes::from(body)))
}

fn expect(what: &str, answer: &Answer, status: u16, part: &str) -> Outcome<()> {
    let found = answer.body.windows(part.len()).any(|bytes| bytes == part.as_bytes());
    if answer.status == status && found {
        return Ok(());
    }
    let start = String::from_utf8_lossy(&answer.body[..answer.body.len().min(300)]).into_owned();
    Err(Failure::new(format!("{what} was answered {} {start}, not {status} with {part}", answer.status)))
}
