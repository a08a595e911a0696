//! One connection of a mail client, from its greeting to its end. Refuses to wait: for a line, for a mail, for an answer to be taken, for
//! all of it. Logs that a mail came, and nothing that stood in one.

use std::net::IpAddr;
use std::time::Duration;

use doorcode_core::relay::Way;
use doorcode_core::{Email, Error};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Listening;
use super::command::{self, MAIL_MOST};
use super::lines::{self, End, Line, Text};
use super::reply::{self, Reply};
use super::room::Held;
use super::session::{Session, Step};
use crate::capture::Carrier;
use crate::capture::mail::{self, Letter, Mailbox};
use crate::ops::audit::Whose;
use crate::ops::inbound;

/// The most that is read at once.
const READ: usize = 8 * 1024;
/// How often over its limit a mail is read on, so that its client hears why it is refused.
const PASSED_OVER: usize = 4;

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// Whom a mail is for, and the address that it came to.
type Recipient = (Whose, Option<Email>);

/// Why a connection is over: this is said, if anything can be.
struct Over(Option<Reply>);

struct Talk<'a> {
    listening: &'a Listening,
    /// Where the client is.
    ip: IpAddr,
    stream: Box<dyn Stream>,
    read: Vec<u8>,
    session: Session<Recipient>,
}

/// Talks with a client until one of both has enough.
pub(super) async fn talk(listening: &Listening, stream: TcpStream, ip: IpAddr) {
    drop(stream.set_nodelay(true));
    let session = Session::new(listening.tls.is_some());
    let mut talk = Talk { listening, ip, stream: Box::new(stream), read: Vec::new(), session };
    let Over(last) = match timeout(listening.patience.all, talk.run()).await {
        Ok(Ok(())) => return,
        Ok(Err(over)) => over,
        Err(_) => Over(Some(reply::TOO_SLOW)),
    };
    if let Some(last) = last {
        // Whoever does not take it is left.
        drop(talk.say(last).await);
        drop(timeout(Duration::from_secs(1), talk.stream.shutdown()).await);
    }
}

impl Talk<'_> {
    async fn run(&mut self) -> Result<(), Over> {
        let naming = self.listening.patience.naming;
        timeout(naming, self.begin()).await.unwrap_or(Err(Over(Some(reply::TOO_SLOW))))?;
        loop {
            self.turn().await?;
        }
    }

    /// From the greeting to the first address of ours.
    async fn begin(&mut self) -> Result<(), Over> {
        let greeting = format!("220 {} ESMTP", self.listening.hostname);
        self.say(&greeting).await?;
        while !self.session.has_named() {
            self.turn().await?;
        }
        Ok(())
    }

    /// One command, and what is answered.
    async fn turn(&mut self) -> Result<(), Over> {
        let line = self.line().await?;
        let mut step = self.session.step(command::read(&line));
        if let Step::Look { local, domain } = step {
            let found = inbound::find(&self.listening.app, &local, &domain).await;
            step = match found {
                Ok(found) => {
                    let address = Email::parse(&format!("{local}@{domain}")).ok();
                    self.session.found(found.map(|whose| (whose, address)))
                }
                Err(error) => {
                    tracing::error!(error = %crate::chain(&error), "an address could not be looked up");
                    Step::Say(reply::LATER)
                }
            };
        }
        match step {
            Step::Say(reply) => self.say(reply).await,
            Step::Offer => self.offer().await,
            Step::Read => self.mail().await,
            Step::Secure => self.secure().await,
            Step::Close(reply) => Err(Over(Some(reply))),
            Step::Look { .. } => Err(Over(None)),
        }
    }

    /// How long a command, and a reply, may take now.
    fn patience(&self) -> Duration {
        let patience = self.listening.patience;
        if self.session.has_named() { patience.command } else { patience.unnamed_command }
    }

    async fn say(&mut self, reply: &str) -> Result<(), Over> {
        let whole = format!("{reply}\r\n");
        let written = timeout(self.patience(), async {
            self.stream.write_all(whole.as_bytes()).await?;
            self.stream.flush().await
        });
        match written.await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Over(None)),
        }
    }

    async fn offer(&mut self) -> Result<(), Over> {
        let tls = if self.session.offers_tls() { "250-STARTTLS\r\n" } else { "" };
        let name = &self.listening.hostname;
        let offer = format!(
            "250-{name}\r\n{tls}250-PIPELINING\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE {MAIL_MOST}"
        );
        self.say(&offer).await
    }

    /// Reads more.
    async fn more(&mut self) -> Result<(), Over> {
        let mut room = [0; READ];
        match self.stream.read(&mut room).await {
            Ok(0) | Err(_) => Err(Over(None)),
            Ok(count) => {
                self.read.extend_from_slice(&room[..count]);
                Ok(())
            }
        }
    }

    /// The next command. Its time runs from its beginning: a letter now and then does not give it more.
    async fn line(&mut self) -> Result<Vec<u8>, Over> {
        let patience = self.patience();
        timeout(patience, self.whole_line()).await.unwrap_or(Err(Over(Some(reply::TOO_SLOW))))
    }

    async fn whole_line(&mut self) -> Result<Vec<u8>, Over> {
        loop {
            match lines::first(&self.read) {
                Line::Whole(length) => {
                    let mut line: Vec<u8> = self.read.drain(..length + 2).collect();
                    line.truncate(length);
                    return Ok(line);
                }
                Line::Part => self.more().await?,
                Line::TooLong => return Err(Over(Some(reply::TOO_LONG))),
                Line::Bare => return Err(Over(Some(reply::BARE))),
            }
        }
    }

    async fn secure(&mut self) -> Result<(), Over> {
        // What was sent behind it in the clear may be anybody's.
        if !self.read.is_empty() {
            return Err(Over(Some(reply::ORDER)));
        }
        let Some(tls) = self.listening.tls.clone() else { return Err(Over(None)) };
        self.say(reply::TLS).await?;
        let plain = std::mem::replace(&mut self.stream, Box::new(tokio::io::empty()));
        match timeout(self.patience(), tls.accept(plain)).await {
            Ok(Ok(secure)) => self.stream = Box::new(secure),
            _ => return Err(Over(None)),
        }
        self.session.secured();
        Ok(())
    }

    async fn mail(&mut self) -> Result<(), Over> {
        // Several share the room of the first: whoever sends knows all of them.
        let Some(owner) = self.session.first().map(|(whose, _)| whose.owner) else { return Err(Over(None)) };
        let Some(mut held) = self.listening.room.begin(owner).await else {
            drop(self.session.ended(false));
            return self.say(reply::BUSY).await;
        };
        self.say(reply::GO_AHEAD).await?;
        let mut text = Text::default();
        let patience = self.listening.patience.mail;
        let end = timeout(patience, self.text(&mut text, &mut held)).await;
        match end.unwrap_or(Err(Over(Some(reply::TOO_SLOW))))? {
            End::Whole => {
                let (helo, sender) = self.session.envelope();
                let carrier = Carrier { ip: self.ip, helo, sender, host: self.listening.hostname.clone() };
                let recipients = self.session.ended(true);
                let reply = deliver(self.listening, &recipients, text.bytes(), &carrier).await;
                drop(held);
                self.say(reply).await
            }
            End::TooLarge => {
                drop(self.session.ended(false));
                self.say(reply::TOO_LARGE).await
            }
            End::Bare => Err(Over(Some(reply::BARE_DATA))),
        }
    }

    /// Reads the text of a mail to its end.
    async fn text(&mut self, text: &mut Text, held: &mut Held) -> Result<End, Over> {
        let mut passed = 0;
        loop {
            let (used, end) = text.take(&self.read);
            self.read.drain(..used);
            passed += used;
            if let Some(end) = end {
                return Ok(end);
            }
            if passed > PASSED_OVER * MAIL_MOST {
                return Err(Over(Some(reply::TOO_LARGE)));
            }
            if !held.grow(text.room()) {
                return Err(Over(Some(reply::BUSY)));
            }
            self.more().await?;
        }
    }
}

/// Taken, only when all of it is committed or nobody waits; else the client keeps it and tries again.
async fn deliver(listening: &Listening, recipients: &[Recipient], raw: &[u8], carrier: &Carrier) -> Reply {
    let app = &listening.app;
    let mut reply = reply::TAKEN;
    for (n, (whose, address)) in recipients.iter().enumerate() {
        // Named twice, it is read once: reading is what a mail costs.
        if recipients[..n].iter().any(|(other, _)| other.owner == whose.owner) {
            continue;
        }
        let taken = async {
            let mut addresses = inbound::addresses(app, *whose).await?;
            addresses.extend(address.clone());
            let (forwarders, brought) = (&app.config.capture.forwarders, carrier.helo.to_ascii_lowercase());
            let mailbox = Mailbox { addresses: &addresses, host: None, forwarders, carrier: Some(&brought) };
            let letter = Letter { raw, arrived: app.clock.now(), junk: false };
            mail::receive_from(app, *whose, Way::Inbound, (&mailbox, &letter), Some(carrier)).await
        };
        match taken.await {
            Ok(_) => {}
            Err(error) => {
                note(&error);
                reply = reply::LATER;
            }
        }
    }
    reply
}

fn note(error: &Error) {
    tracing::warn!(error = %crate::chain(error), "a mail is not taken now: its sender keeps it");
}
