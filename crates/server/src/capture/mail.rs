//! A mail on its way in, by whichever way: read, judged, and refused where nothing of it may ever be relayed. The same for the server and
//! for a collector beside the mailbox. Refuses this installation's own mail and that of the mailbox's own provider, whatever is set, and to ask
//! anybody about mail that fits no request.

use std::sync::Arc;

use doorcode_core::extract::{Format, Message, visible};
use doorcode_core::fingerprint::fingerprint;
use doorcode_core::relay::fit::{Came, Sender, Wanted, Worth, is_meant};
use doorcode_core::relay::{MAIL, Way};
use doorcode_core::{Email, Error, Result, Secret, Timestamp};

use super::message::{Parsed, parse};
use super::spf::Carrier;
use super::verified::{By, Expectation, Verdict, Verifier};
use super::{domain, origin};
use crate::app::App;
use crate::ops::audit::Whose;
use crate::ops::relays::{Incoming, Taken, note_turned_away, senders, take};

/// Where a mail came to.
pub struct Mailbox<'a> {
    /// Its addresses, one of which the mail must name.
    pub addresses: &'a [Email],
    /// The host that it is fetched from, if it is.
    pub host: Option<&'a str>,
    /// Forwarders whose seals count.
    pub forwarders: &'a [String],
    /// What the server calls itself that brought the mail here, if one did. A mailbox at a domain of its own is at home there as well: its
    /// provider forwards its mail. That somebody else calls itself so costs nobody but them.
    pub carrier: Option<&'a str>,
}

impl Mailbox<'_> {
    /// Where it is at home: domains and a host.
    fn homes(&self) -> Vec<&str> {
        self.addresses.iter().map(Email::domain).chain(self.host).collect()
    }
}

/// A mail as it came.
pub struct Letter<'a> {
    /// Its bytes.
    pub raw: &'a [u8],
    /// When it came to the mailbox.
    pub arrived: Timestamp,
    /// The provider put it among the junk.
    pub junk: bool,
}

/// Why nothing of a mail is relayed, whoever waits for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Never {
    /// It can't be read.
    Unreadable,
    /// This installation sent it.
    Ours,
    /// The mailbox's own provider sent it: its codes open the mailbox.
    Provider,
    /// Its sender is one whose codes are never relayed.
    Denied,
}

/// A mail that was read: what it says of itself, and nothing of it was asked of anybody.
pub struct Opened<'a> {
    letter: &'a Letter<'a>,
    parsed: Parsed,
    from: Option<Email>,
    /// Every domain that has to do with it.
    pub domains: Vec<String>,
}

/// A mail that was read and judged.
pub struct Judged {
    /// What it says.
    pub parsed: Parsed,
    /// The only mailbox in `From`.
    pub from: Option<Email>,
    /// What its sender is worth.
    pub worth: Worth,
    /// The domain that somebody vouches for.
    pub domain: Option<String>,
    /// Who does, if it is not the domain itself: a forwarder that is trusted.
    pub forwarder: Option<String>,
    /// What is wrong, where nobody does.
    pub why: Option<&'static str>,
    /// Every domain that has to do with it.
    pub domains: Vec<String>,
    /// The digest of its body. Whoever knows how the sender writes finds the code in it by trying all that there are: it is kept by whom the
    /// mail came to, and under a key.
    pub body: [u8; 16],
    /// The digest of its id, if it has one: by that it is known to everybody who has it.
    pub id: Option<[u8; 16]>,
    /// When it came.
    pub arrived: Timestamp,
    /// Another try may judge it otherwise.
    pub temporary: bool,
}

/// Reads a mail. `ours` says whether this installation sent it.
///
/// # Errors
/// [`Never`], but for what only lists of senders know.
pub fn open<'a>(
    letter: &'a Letter<'a>,
    mailbox: &Mailbox<'_>,
    ours: impl FnOnce(&Parsed) -> bool,
) -> Result<Opened<'a>, Never> {
    let parsed = parse(letter.raw, Some(letter.arrived)).map_err(|_| Never::Unreadable)?;
    if ours(&parsed) {
        return Err(Never::Ours);
    }
    let homes = mailbox.homes();
    let from_domains = parsed.from.iter().chain(&parsed.sender).filter_map(super::message::Mailbox::domain);
    let is_own = |from: String| {
        homes.iter().any(|home| domain::is_provider(home, &from))
            || mailbox.carrier.is_some_and(|carrier| domain::are_family(carrier, &from))
    };
    if from_domains.into_iter().any(is_own) {
        return Err(Never::Provider);
    }
    let carries = |signer: &str| {
        let trusted = mailbox.forwarders.iter().any(|forwarder| forwarder == signer);
        trusted || homes.iter().any(|home| domain::is_provider(home, signer))
    };
    let domains = origin::domains_of(&parsed, letter.raw, carries);
    let from = match &parsed.from[..] {
        [only] => only.email(),
        _ => None,
    };
    Ok(Opened { letter, parsed, from, domains })
}

impl Opened<'_> {
    /// Whether one of these requests would be served by it, were it from whom it says. Where none would, nobody is asked for keys: a stranger
    /// must not have this machine ask the servers of names that they choose.
    pub fn is_meant<'w>(&self, mut waiting: impl Iterator<Item = &'w Wanted>) -> bool {
        let sender = sender(self.from.as_ref(), &self.parsed);
        waiting.any(|wanted| is_meant(wanted, MAIL, &sender, self.letter.arrived))
    }

    /// Has it judged. `after` is when the oldest request was made that waits.
    pub async fn judge(
        self,
        verifier: &Verifier,
        mailbox: &Mailbox<'_>,
        (after, now): (Timestamp, Timestamp),
    ) -> Judged {
        let Self { letter, parsed, from, domains } = self;
        let sealers: Vec<&str> = mailbox.forwarders.iter().map(String::as_str).collect();
        let expected =
            Expectation { mailbox: mailbox.addresses, after, now, junk: letter.junk, trusted_sealers: &sealers };
        let judgement = verifier.judge(letter.raw, &parsed, &expected).await;
        let (worth, vouched, forwarder, why) = match judgement.verdict {
            Verdict::Verified { domain, by: By::Dkim } => (Worth::Verified, Some(domain), None, None),
            Verdict::Verified { domain, by: By::Arc { sealer } } => (Worth::Verified, Some(domain), Some(sealer), None),
            Verdict::Unverified { why } => (Worth::Unverified, None, None, Some(why)),
            Verdict::Forged { why } => (Worth::Forged, None, None, Some(why)),
        };
        let body = fingerprint("relay body", &[&judgement.body_hash]);
        let id = parsed.message_id.as_ref().map(|id| fingerprint("relay message id", &[id.as_bytes()]));
        let (arrived, temporary) = (letter.arrived, judgement.temporary);
        Judged { parsed, from, worth, domain: vouched, forwarder, why, domains, body, id, arrived, temporary }
    }
}

/// Whom it names as its sender.
fn sender<'a>(from: Option<&'a Email>, parsed: &'a Parsed) -> Sender<'a> {
    let name = parsed.from.first().and_then(|from| from.name.as_deref());
    from.map_or(Sender::Unknown, |from| Sender::Mail(from, name))
}

impl Judged {
    /// Its forms, as a code is looked for in them: the plain one first.
    pub fn forms(&self) -> Vec<Message<'_>> {
        let subject = self.parsed.subject.as_ref().map(|subject| subject.expose().as_str());
        let bodies = [(&self.parsed.text, Format::Text), (&self.parsed.html, Format::Html)];
        bodies
            .into_iter()
            .filter_map(|(text, format)| Some(Message { subject, text: text.as_ref()?.expose(), format }))
            .collect()
    }

    /// All that it is known by.
    pub fn digests(&self) -> Vec<[u8; 16]> {
        std::iter::once(self.body).chain(self.id).collect()
    }

    /// As it is matched. `text` is what a person reads of it.
    pub fn came<'a>(&'a self, text: &'a str) -> Came<'a> {
        let sender = sender(self.from.as_ref(), &self.parsed);
        Came { source: MAIL, sender, worth: self.worth, text, at: self.arrived }
    }

    /// What a person reads of it.
    pub fn text(&self) -> String {
        let forms = self.forms();
        let subject = self.parsed.subject.as_ref().map_or("", |subject| subject.expose());
        let body = forms.first().map(|form| visible(form).into_owned()).unwrap_or_default();
        format!("{subject}\n{body}")
    }
}

/// What became of a mail.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Became {
    /// Nothing of it is ever relayed.
    Never(Never),
    /// It was matched, or not.
    Was(Taken),
}

/// Takes a mail that came to this server for a person, out of a mailbox.
pub async fn receive(
    app: &Arc<App>,
    whose: Whose,
    way: Way,
    mailbox: &Mailbox<'_>,
    letter: &Letter<'_>,
) -> Result<Became> {
    receive_from(app, whose, way, (mailbox, letter), None).await
}

/// The same of a mail that somebody brought.
pub async fn receive_from(
    app: &Arc<App>,
    whose: Whose,
    way: Way,
    (mailbox, letter): (&Mailbox<'_>, &Letter<'_>),
    carrier: Option<&Carrier>,
) -> Result<Became> {
    let now = app.clock.now();
    let waiting = senders::waiting(app, whose.owner, MAIL, now).await?;
    // Nobody waits: it is not even read.
    let Some(after) = waiting.iter().map(|wanted| wanted.after).min() else {
        return Ok(Became::Was(Taken::Nobody));
    };
    let ring = app.keys.ring();
    let own: Vec<&str> =
        app.config.capture.own_domains.iter().map(String::as_str).chain([app.config.mail.domain()]).collect();
    let opened = match open(letter, mailbox, |parsed| origin::is_ours(parsed, &own, &ring)) {
        Ok(opened) => opened,
        Err(never) => return Ok(Became::Never(never)),
    };
    if senders::any_denied(app, whose.owner, &opened.domains).await? {
        return Ok(Became::Never(Never::Denied));
    }
    if !opened.is_meant(waiting.iter()) {
        return Ok(Became::Was(Taken::Nobody));
    }
    let verifier = verifier(app)?;
    let spf = async {
        match carrier {
            Some(carrier) => Some(verifier.spf(carrier).await),
            None => None,
        }
    };
    let (judged, spf) = tokio::join!(opened.judge(verifier, mailbox, (after, now)), spf);
    if judged.temporary && judged.worth != Worth::Verified {
        return Err(Error::unavailable("the keys of a sender could not be had"));
    }
    let text = Secret::new(judged.text());
    let forms = judged.forms();
    let incoming = Incoming {
        whose,
        way,
        came: judged.came(text.expose()),
        forms: &forms,
        sender: judged.domain.as_deref(),
        forwarder: judged.forwarder.as_deref(),
        spf: spf.as_deref(),
        digests: judged.digests(),
    };
    let taken = take(app, &incoming).await?;
    if let (Taken::Nobody | Taken::Unverified, Some(why)) = (taken, judged.why) {
        note_turned_away(app, &incoming, why).await?;
    }
    Ok(Became::Was(taken))
}

/// Who judges senders here.
pub fn verifier(app: &App) -> Result<&Verifier> {
    if app.verifier.get().is_none() {
        let made = match app.config.capture.dns {
            Some(server) => Verifier::at(server)?,
            None => Verifier::system()?,
        };
        // Another may have been quicker: one of the two is as good.
        drop(app.verifier.set(made));
    }
    app.verifier.get().ok_or_else(|| Error::internal("nobody judges senders"))
}
