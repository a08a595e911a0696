//! Who really sent a message. Refuses to call anything verified that another reader could see in another way, or that was not made for
//! this mailbox after the request: then a code in it may be somebody else's, or an old one (docs/threat-model.md).
//!
//! DMARC is not asked: its other half, SPF, speaks of the host that brought a message, which of mail in a mailbox nobody knows and of
//! forwarded mail is the forwarder (`spf.rs` tells it and decides nothing by it). So a message without a signature is unverified whatever
//! its domain says of such, and only a signature that is wrong makes it forged.

use std::net::SocketAddr;
use std::time::Duration;

use doorcode_core::{Email, Result, Timestamp};
use mail_auth::common::crypto::HashAlgorithm;
use mail_auth::common::headers::Header;
use mail_auth::common::verify::VerifySignature;
use mail_auth::dkim::{Canonicalization, DkimError, Signature};
use mail_auth::{AuthenticatedMessage, DkimOutput, DkimResult, Error, MessageAuthenticator, Parameters};

use super::keys::{Fetched, Found, Keys};
use super::message::{Mailbox, Parsed};
use super::tags::Tags;
use super::{chain, domain, signature};

/// The most signatures of one message that are looked at.
pub(super) const MAX_SIGNATURES: usize = 8;
/// The longest that a judgement may take. Beyond it, keys could not be had: worth another try.
const LONGEST: Duration = Duration::from_secs(10);
/// How far ahead of its arrival a message may be dated. One from further ahead could be played back to a request of days to come,
/// when nobody remembers it.
const AHEAD: Duration = Duration::from_secs(86_400);

/// Said of a message that another try may say more about.
const NO_KEYS: &str = "the keys of its sender could not be had";

/// What a message is worth.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Its sender is who it says, and it is for this mailbox and this request.
    Verified {
        /// The domain of From, canonical.
        domain: String,
        /// Who says so.
        by: By,
    },
    /// Nobody says who sent it.
    Unverified {
        /// What is missing, for the card.
        why: &'static str,
    },
    /// It says that its sender signed it, and that is not so.
    Forged {
        /// What is wrong, for the card.
        why: &'static str,
    },
}

/// Who vouches for a sender.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum By {
    /// The sender's domain itself, or one above it.
    Dkim,
    /// A forwarder that the owner trusts.
    Arc {
        /// Its domain.
        sealer: String,
    },
}

/// What a message must fit, to be worth anything.
pub struct Expectation<'a> {
    /// The addresses of the mailbox, one of which To or Cc must name.
    pub mailbox: &'a [Email],
    /// When the request was made: the message must be younger.
    pub after: Timestamp,
    /// The time.
    pub now: Timestamp,
    /// Whether the mailbox's provider put it among the junk.
    pub junk: bool,
    /// The domains of forwarders that the owner trusts, canonical.
    pub trusted_sealers: &'a [&'a str],
}

/// A verdict, and what the caller has to remember or do.
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Whether another try may end otherwise: the servers of names did not answer.
    pub temporary: bool,
    /// SHA-256 of the body, white space folded: with the Message-ID, what a message is known by for 30 days. The same whichever of
    /// its signatures somebody takes away.
    pub body_hash: [u8; 32],
}

/// Judges messages. Clones share what they know of keys.
#[derive(Clone)]
pub struct Verifier(Keys);

/// A message under judgement.
pub(super) struct Case<'a> {
    pub(super) raw: &'a [u8],
    pub(super) parsed: &'a Parsed,
    pub(super) from: &'a Email,
    pub(super) expected: &'a Expectation<'a>,
    pub(super) keys: &'a Keys,
}

/// What a signature, or a chain of them, came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    /// It is right and proves who sent it.
    Proves,
    /// It proves nothing, for this reason.
    Nothing(&'static str),
    /// Somebody changed what was signed, or never had the key.
    Wrong(&'static str),
    /// Its key could not be had.
    Later,
}

impl Verifier {
    /// One that asks for keys as the system resolves names.
    ///
    /// # Errors
    /// `Unavailable` if the system does not say how.
    pub fn system() -> Result<Self> {
        Keys::system().map(Self)
    }

    /// One that asks the server of names there.
    ///
    /// # Errors
    /// `Unavailable` if it can't be set up.
    pub fn at(server: SocketAddr) -> Result<Self> {
        Keys::at(server).map(Self)
    }

    /// What asks the servers of names.
    pub(super) const fn authenticator(&self) -> &MessageAuthenticator {
        self.0.authenticator()
    }

    /// Judges `parsed`, which was read from `raw`.
    pub async fn judge(&self, raw: &[u8], parsed: &Parsed, expected: &Expectation<'_>) -> Judgement {
        let body_hash = body_hash(raw, parsed);
        let unverified = |why| Verdict::Unverified { why };
        let (verdict, temporary) = match (form(parsed), unfit(parsed, expected)) {
            (Err(why), _) | (_, Some(why)) => (unverified(why), false),
            (Ok(from), None) => {
                let case = Case { raw, parsed, from, expected, keys: &self.0 };
                let judged = tokio::time::timeout(LONGEST, case.judge()).await;
                judged.unwrap_or((unverified(NO_KEYS), true))
            }
        };
        Judgement { verdict, temporary, body_hash }
    }
}

fn body_hash(raw: &[u8], parsed: &Parsed) -> [u8; 32] {
    let body = raw.get(parsed.fields.body()..).unwrap_or_default();
    let hash = HashAlgorithm::Sha256.hash(Canonicalization::Relaxed.canonical_body(body, 0));
    let mut bytes = [0; 32];
    bytes.copy_from_slice(hash.as_ref());
    bytes
}

/// Who it is from, if it reads alike to everybody.
fn form(parsed: &Parsed) -> std::result::Result<&Email, &'static str> {
    if !parsed.fields.is_plain() {
        return Err("its headers can be read in two ways");
    }
    if !parsed.repeated.is_empty() {
        return Err("a header stands there twice");
    }
    parsed.lone_from.as_ref().ok_or("it is not from one sender")
}

/// Why it is not what somebody waits for, whoever sent it.
fn unfit(parsed: &Parsed, expected: &Expectation<'_>) -> Option<&'static str> {
    let named =
        |list: &[Mailbox]| list.iter().filter_map(Mailbox::email).any(|email| expected.mailbox.contains(&email));
    // Dates have no parts of a second.
    let after = Timestamp::from_millis(expected.after.millis() / 1000 * 1000);
    match (parsed.date, parsed.arrived) {
        _ if expected.junk => Some("it was among the junk"),
        _ if !named(&parsed.to) && !named(&parsed.cc) => Some("it is not addressed to this mailbox"),
        (None, _) => Some("it has no date"),
        (_, None) => Some("nobody knows when it arrived"),
        (Some(date), Some(arrived)) if date < after || arrived < after => Some("it is older than the request"),
        (Some(date), Some(arrived)) if date > arrived.plus(AHEAD) => Some("it is dated ahead"),
        _ => None,
    }
}

impl Case<'_> {
    async fn judge(&self) -> (Verdict, bool) {
        let Some(message) = AuthenticatedMessage::parse(self.raw).filter(|message| self.reads_alike(message)) else {
            return (Verdict::Unverified { why: "its headers can be read in two ways" }, false);
        };
        let domain = self.from.domain().to_owned();
        let signed = self.signatures(&message).await;
        let sealed = if signed == Outcome::Proves { None } else { Some(chain::outcome(self, &message).await) };
        match (signed, sealed) {
            (Outcome::Proves, _) => (Verdict::Verified { domain, by: By::Dkim }, false),
            (_, Some((Outcome::Proves, Some(sealer)))) => (Verdict::Verified { domain, by: By::Arc { sealer } }, false),
            (Outcome::Later, _) | (_, Some((Outcome::Later, _))) => (Verdict::Unverified { why: NO_KEYS }, true),
            (Outcome::Wrong(why), _) => (Verdict::Forged { why }, false),
            (Outcome::Nothing(why), _) => (Verdict::Unverified { why }, false),
        }
    }

    /// Whether the library took the headers apart as we did.
    fn reads_alike(&self, message: &AuthenticatedMessage<'_>) -> bool {
        message.headers.len() == self.parsed.fields.len() && message.body_offset() == self.parsed.fields.body()
    }

    /// Looks at every signature of the sender's own domain; the best one counts, and a wrong one only if no other is right.
    async fn signatures(&self, message: &AuthenticatedMessage<'_>) -> Outcome {
        let mut best = Outcome::Nothing("it has no signature of its sender");
        let own = |header: &&Header<'_, Signature>| domain::is_aligned(self.from.domain(), &header.header.d);
        let unread = message.errors.iter().filter(|header| header.name.eq_ignore_ascii_case(b"DKIM-Signature"));
        if let Some(why) = unread.take(MAX_SIGNATURES).find_map(|header| self.unread(header.value)) {
            best = Outcome::Nothing(why);
        }
        for header in message.dkim_headers.iter().filter(own).take(MAX_SIGNATURES) {
            best = better(best, self.signature(message, header).await);
            if best == Outcome::Proves {
                break;
            }
        }
        best
    }

    /// Why a signature of the sender's domain, which the library would not read, proves nothing: it says so of `l=`.
    fn unread(&self, value: &[u8]) -> Option<&'static str> {
        let tags = Tags::read(str::from_utf8(value).ok()?)?;
        let signer = domain::canonical(tags.get("d")?)?;
        domain::is_aligned(self.from.domain(), &signer).then(|| signature::flaw(&tags, self.expected.now))?
    }

    async fn signature(&self, message: &AuthenticatedMessage<'_>, header: &Header<'_, Signature>) -> Outcome {
        let Some(tags) = str::from_utf8(header.value).ok().and_then(Tags::read) else {
            return Outcome::Nothing("its signature can be read in two ways");
        };
        if tags.get("v") != Some("1") {
            return Outcome::Nothing("its signature has another version");
        }
        if let Some(why) = signature::flaw(&tags, self.expected.now) {
            return Outcome::Nothing(why);
        }
        let fetched = Fetched::default();
        match self.fetch(&header.header, &fetched).await {
            Outcome::Proves => {}
            other => return other,
        }
        match (check(self.keys, message, header, &fetched).await, self.open(&tags)) {
            (Outcome::Proves, Some(why)) => Outcome::Nothing(why),
            (outcome, _) => outcome,
        }
    }

    /// Why a signature that is right leaves too much open.
    pub(super) fn open(&self, tags: &Tags<'_>) -> Option<&'static str> {
        let gap = signature::gap(tags, &self.parsed.fields, self.raw);
        let to_us = |mailbox: &Mailbox| mailbox.email().is_some_and(|email| self.expected.mailbox.contains(&email));
        // Named in Cc only: then somebody may have added that to a message which was for them.
        let added = !self.parsed.to.iter().any(to_us) && !tags.has("h", "Cc");
        gap.or_else(|| added.then_some("its signature leaves out Cc"))
    }

    /// Gets a key into `fetched`. `Proves`: it is there.
    pub(super) async fn fetch(&self, signed: &impl VerifySignature, fetched: &Fetched) -> Outcome {
        let name = signed.domain_key();
        match self.keys.find(&name).await {
            Found::Key(key) => {
                fetched.insert(&name, key);
                Outcome::Proves
            }
            Found::Unfit(why) => Outcome::Nothing(why),
            Found::Later => Outcome::Later,
        }
    }
}

/// The one of two outcomes that says more: what proves, then what may yet prove, then what is wrong.
fn better(one: Outcome, other: Outcome) -> Outcome {
    let rank = |outcome| match outcome {
        Outcome::Proves => 3,
        Outcome::Later => 2,
        Outcome::Wrong(_) => 1,
        Outcome::Nothing(_) => 0,
    };
    // Of two that prove nothing the later one is a signature's, the first one may be that there is none.
    if rank(other) >= rank(one) { other } else { one }
}

/// Has the library check one signature with the keys in `fetched`.
async fn check(
    keys: &Keys,
    message: &AuthenticatedMessage<'_>,
    header: &Header<'_, Signature>,
    fetched: &Fetched,
) -> Outcome {
    let mut header = header.clone();
    // The sender's own domain signed: no third party is asked, and no report is made.
    (header.header.atps, header.header.r) = (None, false);
    let only = AuthenticatedMessage { dkim_headers: vec![header], errors: Vec::new(), ..message.clone() };
    let checked = keys.authenticator().verify_dkim(Parameters::new(&only).with_txt_cache(fetched)).await;
    match checked.first().map(DkimOutput::result) {
        Some(DkimResult::Pass) => Outcome::Proves,
        Some(DkimResult::Neutral(Error::Dkim(DkimError::FailedBodyHashMatch))) => {
            Outcome::Wrong("its text is not the one that was signed")
        }
        Some(DkimResult::Fail(Error::Crypto(_))) => Outcome::Wrong("its signature is wrong"),
        _ => Outcome::Nothing("its signature can't be checked"),
    }
}
