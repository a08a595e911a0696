//! The journeys: which requests a start, a check and a floor call are at each server, and which answers are right.
//! Headers and paths are prepared once; only the body is written for each request.

use std::net::SocketAddr;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Request, Uri};
use serde::Deserialize;

use super::client::Answer;
use super::failure::{Failure, Outcome};

/// The code that `bench/peers/better-auth/server.mjs` gives to everybody.
const PEER_CODE: &str = "424242";
/// Where verifications are.
pub(super) const VERIFICATIONS: &str = "/v1/verifications";
const SUCCESS: &str = r#""success":true"#;

/// Whose calls are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The `outx` door of Doorcode.
    Doorcode,
    /// Doorcode's own API under `/v1`, for a program with a key.
    Native,
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

/// What a start of a verification is answered with, as far as the check asks.
#[derive(Deserialize)]
struct Started<'a> {
    id: &'a str,
}

/// The key that a sign-up is answered with.
#[derive(Deserialize)]
struct SignedUp {
    team: Team,
}

#[derive(Deserialize)]
struct Team {
    api_key: String,
}

impl Door {
    /// Prepares the requests to `server`.
    pub(super) fn new(kind: Kind, server: SocketAddr) -> Outcome<Self> {
        let (start, check) = match kind {
            Kind::Doorcode => ("/linkedin-agent/auth-send-otp", "/linkedin-agent/auth-verify-otp"),
            Kind::Native => (VERIFICATIONS, VERIFICATIONS),
            Kind::BetterAuth => ("/api/auth/email-otp/send-verification-otp", "/api/auth/sign-in/email-otp"),
        };
        Ok(Self {
            kind,
            start: prepare(server, start)?,
            check: prepare(server, check)?,
            floor: prepare(server, "/dev/floor")?,
        })
    }

    /// Prepares the requests of a program with a key. The floor's carry the key as well, so that heads are as long.
    pub(super) fn native(server: SocketAddr, key: &str) -> Outcome<Self> {
        let mut door = Self::new(Kind::Native, server)?;
        let value = HeaderValue::try_from(format!("Bearer {key}")).map_err(Failure::during("using a key"))?;
        for prepared in [&mut door.start, &mut door.check, &mut door.floor] {
            prepared.headers_mut().insert(AUTHORIZATION, value.clone());
        }
        Ok(door)
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
        let body = match self.kind {
            Kind::Native => format!(r#"{{"email":"{address}"}}"#),
            Kind::Doorcode | Kind::BetterAuth => self.start_body(address),
        };
        fill(&self.floor, body)
    }

    /// Sends `code` back for what `named` gave.
    pub(super) fn check(&self, name: &str, code: &str) -> Request<Full<Bytes>> {
        if self.kind != Kind::Native {
            return fill(&self.check, format!(r#"{{"email":"{name}","otp":"{code}"}}"#));
        }
        let mut request = fill(&self.check, format!(r#"{{"code":"{code}"}}"#));
        // A name that makes no path is answered as what it is not, which ends the run.
        *request.uri_mut() = Uri::try_from(format!("{VERIFICATIONS}/{name}/check")).unwrap_or_default();
        request
    }

    /// The bytes of a request for the events of what `named` gave: whoever sends them reads as much of the answer as it wants.
    pub(super) fn watch(&self, name: &str) -> String {
        let mut head = format!("GET {VERIFICATIONS}/{name}/events HTTP/1.1\r\n");
        for field in [HOST, AUTHORIZATION] {
            if let Some(Ok(value)) = self.start.headers().get(&field).map(HeaderValue::to_str) {
                head.push_str(&format!("{field}: {value}\r\n"));
            }
        }
        head.push_str("\r\n");
        head
    }

    /// What a check names the challenge by that a start of `address` was answered with: the address, or an id.
    pub(super) fn named(&self, address: String, answer: &Answer) -> Outcome<Box<str>> {
        if self.kind != Kind::Native {
            return Ok(address.into());
        }
        let started: Started<'_> =
            serde_json::from_slice(&answer.body).map_err(Failure::during("reading the answer to a start"))?;
        Ok(started.id.into())
    }

    /// The key in the answer to a sign-up.
    pub(super) fn key_of(answer: &Answer) -> Outcome<String> {
        let signed_up: SignedUp =
            serde_json::from_slice(&answer.body).map_err(Failure::during("reading the answer to a sign-up"))?;
        Ok(signed_up.team.api_key)
    }

    fn start_body(&self, address: &str) -> String {
        match self.kind {
            Kind::Doorcode => format!(r#"{{"email":"{address}","full_name":"Bench Mark"}}"#),
            Kind::Native => format!(r#"{{"to":"{address}"}}"#),
            Kind::BetterAuth => format!(r#"{{"email":"{address}","type":"sign-in"}}"#),
        }
    }

    /// A start must be answered that a code is on its way.
    pub(super) fn expect_started(&self, answer: &Answer) -> Outcome<()> {
        match self.kind {
            Kind::Native => expect("a start", answer, 201, r#""status":"pending""#),
            Kind::Doorcode | Kind::BetterAuth => expect("a start", answer, 200, SUCCESS),
        }
    }

    /// A floor call must be answered as a start of the front door is.
    pub(super) fn expect_floor(answer: &Answer) -> Outcome<()> {
        expect("a floor call", answer, 200, SUCCESS)
    }

    /// A right check must be answered 200 with what was earned: an API key, a session, a proof.
    pub(super) fn expect_earned(&self, answer: &Answer) -> Outcome<()> {
        let earned = match self.kind {
            Kind::Doorcode => r#""api_key":""#,
            Kind::Native => r#""valid":true"#,
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
