//! One connection to a mailbox. What it costs from the server's word that a message came to the message itself is one round trip: the end
//! of IDLE and the question for the message go out together. Refuses to keep more of an answer than one message,
//! or than the numbers that were asked for: each answer has so many bytes, and so much time.

use std::time::Duration;

use async_imap::imap_proto::{AttributeValue, MailboxDatum, RequestId, Response, Status};
use async_imap::{Authenticator, Client, Session};
use doorcode_core::{Secret, Timestamp};
use mail_parser::DateTime;

use super::wire::Wire;
use super::{Access, Account, Held, LARGEST, Security, Trouble};
use crate::egress::Egress;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes that an answer without a message may have. A list of fifty thousand messages has less.
const ANSWER: usize = 4 << 20;
/// Messages in it.
const LISTED_MOST: usize = 50_000;
/// Bytes that the end of IDLE may have: a few lines.
const ENDING: usize = 16 * 1024;
/// Bytes between two messages of an answer: the largest, and what is around it.
const MESSAGE: usize = LARGEST as usize + (1 << 20);

/// A signed-in connection with an open folder.
pub(super) struct Open {
    session: Session<Wire>,
    idle: Option<Idle>,
    /// The command whose answer is being read.
    pending: Option<RequestId>,
    /// Whether the server says by itself what comes.
    pub(super) pushes: bool,
    /// Which numbering of messages holds.
    pub(super) validity: u32,
    /// The number that the next message will have.
    pub(super) uid_next: u32,
    /// How many messages there are.
    pub(super) exists: u32,
    /// How many more there were said to be than when they were last asked for.
    pub(super) more: u32,
    /// How long an answer may take.
    pub(super) patience: Duration,
}

/// IDLE was said, and its end was not heard.
struct Idle {
    tag: RequestId,
    stage: Stage,
}

/// How far an IDLE is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// It was said.
    Said,
    /// The server has taken it.
    Taken,
    /// It was ended by us.
    Ended,
}

/// A message in an answer that has its number and time only.
pub(super) struct Listed {
    pub(super) uid: u32,
    pub(super) arrived: Option<Timestamp>,
}

/// A message as it stands in an answer.
pub(super) struct Found {
    pub(super) uid: u32,
    pub(super) arrived: Option<Timestamp>,
    pub(super) size: u32,
    pub(super) raw: Option<Secret<Vec<u8>>>,
}

/// What was heard.
pub(super) enum Heard {
    /// There are more messages.
    More,
    /// Nothing that matters.
    Nothing,
}

struct Bearer(Secret<String>);

impl Authenticator for Bearer {
    type Response = String;

    fn process(&mut self, challenge: &[u8]) -> String {
        // The second question of the server is why the first answer was wrong; to that there is nothing to say.
        if challenge.is_empty() { self.0.expose().clone() } else { String::new() }
    }
}

impl Open {
    /// Connects, signs in (with a token that was asked for, where that is how), opens the folder for reading.
    pub(super) async fn of(egress: &Egress, account: &Account, token: Option<Secret<String>>) -> Result<Self, Trouble> {
        within(PATIENCE, Self::open(egress, account, token)).await
    }

    async fn open(egress: &Egress, account: &Account, token: Option<Secret<String>>) -> Result<Self, Trouble> {
        let mut session = sign_in(connect(egress, account).await?, account, token).await?;
        session.get_mut().allow(ANSWER);
        let pushes = session.capabilities().await?.has_str("IDLE");
        let opened = session.examine(&account.folder).await?;
        // Nobody reads what was said beside the answers, and it would stay for as long as the connection does.
        while session.unsolicited_responses.try_recv().is_ok() {}
        let (Some(validity), Some(uid_next)) = (opened.uid_validity, opened.uid_next) else {
            return Err(Trouble::Line("the server does not number its messages"));
        };
        let (exists, patience) = (opened.exists, PATIENCE);
        Ok(Self { session, idle: None, pending: None, pushes, validity, uid_next, exists, more: 0, patience })
    }

    /// Asks to be told what comes.
    pub(super) async fn idle(&mut self) -> Result<(), Trouble> {
        if self.pushes && !self.is_at([Stage::Said, Stage::Taken]) {
            self.session.get_mut().allow(ANSWER);
            let tag = self.session.run_command("IDLE").await?;
            self.idle = Some(Idle { tag, stage: Stage::Said });
        }
        Ok(())
    }

    /// The next thing that the server says. May be dropped half way.
    pub(super) async fn hear(&mut self) -> Result<Heard, Trouble> {
        self.hear_one().await?;
        Ok(if self.more > 0 { Heard::More } else { Heard::Nothing })
    }

    /// Whether anything happened meanwhile: the server is asked, and the connection proves that it is one.
    pub(super) async fn poll(&mut self) -> Result<(), Trouble> {
        let seen = self.more;
        within(self.patience, async {
            self.begin("NOOP").await?;
            while self.read_on().await?.is_some() {}
            Ok(())
        })
        .await?;
        self.more = self.more.saturating_add(seen);
        Ok(())
    }

    /// Asks for numbers and times, and reads all of the answer.
    pub(super) async fn list(&mut self, command: &str) -> Result<Vec<Listed>, Trouble> {
        within(self.patience, async {
            self.begin(command).await?;
            let mut all = Vec::new();
            while let Some(Found { uid, arrived, .. }) = self.read_on().await? {
                if all.len() == LISTED_MOST {
                    return Err(Trouble::Line("the server says more than it was asked"));
                }
                all.push(Listed { uid, arrived });
            }
            Ok(all)
        })
        .await
    }

    /// Asks for messages; the answer is read by [`Open::next`].
    pub(super) async fn ask(&mut self, command: &str) -> Result<(), Trouble> {
        within(self.patience, self.begin(command)).await
    }

    async fn begin(&mut self, command: &str) -> Result<(), Trouble> {
        while self.is_at([Stage::Said]) {
            self.hear_one().await?;
        }
        if let Some(idle) = self.idle.as_mut().filter(|idle| idle.stage == Stage::Taken) {
            idle.stage = Stage::Ended;
            self.session.run_command_untagged("DONE").await?;
        }
        self.more = 0;
        self.session.get_mut().allow(ANSWER);
        self.pending = Some(self.session.run_command(command).await?);
        Ok(())
    }

    /// Waits for the beginning of the answer to what was just asked. The end of IDLE, which comes before it, is not that.
    pub(super) async fn answered(&mut self) -> Result<(), Trouble> {
        within(self.patience, self.begun()).await
    }

    async fn begun(&mut self) -> Result<(), Trouble> {
        // So that nothing of the answer is taken for something that came with the end of IDLE.
        self.session.get_mut().allow(ENDING);
        self.session.get_mut().by_lines(true);
        while self.idle.is_some() {
            self.hear_one().await?;
        }
        self.session.get_mut().by_lines(false);
        self.session.get_mut().allow(ANSWER);
        Ok(self.session.get_mut().hears().await?)
    }

    /// The next message of the answer; none: that was all.
    pub(super) async fn next(&mut self) -> Result<Option<Found>, Trouble> {
        self.session.get_mut().allow_literals(MESSAGE);
        within(self.patience, self.read_on()).await
    }

    async fn read_on(&mut self) -> Result<Option<Found>, Trouble> {
        while let Some(tag) = &self.pending {
            let Some(said) = self.session.read_response().await? else { return Err(GONE) };
            match said.parsed() {
                Response::Done { tag: ended, status, .. } if ended == tag => {
                    self.pending = None;
                    if *status != Status::Ok {
                        return Err(Trouble::Line("the server would not say what came"));
                    }
                }
                Response::Fetch(_, attributes) => {
                    if let Some(found) = found(attributes) {
                        return Ok(Some(found));
                    }
                }
                other => note(other, &mut self.exists, &mut self.more, &mut self.idle)?,
            }
        }
        Ok(None)
    }

    /// What is said that answers no question.
    async fn hear_one(&mut self) -> Result<(), Trouble> {
        let Some(said) = self.session.read_response().await? else { return Err(GONE) };
        self.note(said.parsed())
    }

    fn is_at<const N: usize>(&self, stages: [Stage; N]) -> bool {
        self.idle.as_ref().is_some_and(|idle| stages.contains(&idle.stage))
    }

    fn note(&mut self, said: &Response<'_>) -> Result<(), Trouble> {
        note(said, &mut self.exists, &mut self.more, &mut self.idle)
    }
}

const GONE: Trouble = Trouble::Line("the server has hung up");

/// What the server says unasked.
fn note(said: &Response<'_>, exists: &mut u32, more: &mut u32, idle: &mut Option<Idle>) -> Result<(), Trouble> {
    match said {
        Response::MailboxData(MailboxDatum::Exists(count)) => {
            *more = more.saturating_add(count.saturating_sub(*exists));
            *exists = *count;
        }
        Response::Expunge(_) => *exists = exists.saturating_sub(1),
        Response::Continue { .. } => {
            if let Some(idle) = idle.as_mut().filter(|idle| idle.stage == Stage::Said) {
                idle.stage = Stage::Taken;
            }
        }
        Response::Data { status: Status::Bye, .. } => return Err(GONE),
        Response::Done { status: Status::No | Status::Bad, .. } => return Err(Trouble::Line("the server says no")),
        // By our word, or by itself.
        Response::Done { tag, .. } if idle.as_ref().is_some_and(|idle| idle.tag == *tag) => *idle = None,
        _ => {}
    }
    Ok(())
}

fn found(attributes: &[AttributeValue<'_>]) -> Option<Found> {
    let mut found = Found { uid: 0, arrived: None, size: 0, raw: None };
    for attribute in attributes {
        match attribute {
            AttributeValue::Uid(uid) => found.uid = *uid,
            AttributeValue::Rfc822Size(size) => found.size = *size,
            AttributeValue::InternalDate(text) => found.arrived = moment(text),
            // It is measured here: what the server says of its size is its word only.
            AttributeValue::BodySection { section: None, data: Some(data), .. } if data.len() <= LARGEST as usize => {
                found.raw = Some(Secret::new(data.to_vec()));
            }
            _ => {}
        }
    }
    // What changed of other messages is said in between, without its number.
    (found.uid != 0).then_some(found)
}

/// `17-Jul-1996 02:44:25 -0700` (RFC 3501).
fn moment(text: &str) -> Option<Timestamp> {
    let (day, rest) = text.trim().split_once('-')?;
    let (month, rest) = rest.split_once('-')?;
    // As mails have it.
    let date = DateTime::parse_rfc822(&format!("{day} {month} {rest}")).filter(DateTime::is_valid)?;
    Some(Timestamp::from_millis(date.to_timestamp().checked_mul(1000)?))
}

async fn within<T>(patience: Duration, work: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
    tokio::time::timeout(patience, work).await.unwrap_or(Err(Trouble::Line("no answer in time")))
}

async fn connect(egress: &Egress, account: &Account) -> Result<Client<Wire>, Trouble> {
    let line = egress.open(&account.target).await?;
    let mut client = match account.security {
        Security::Tls => Client::new(Wire::of(egress.protect(&account.target, line).await?)),
        Security::None if !line.is_loopback() => {
            return Err(Trouble::Line("without TLS only this machine is spoken to"));
        }
        _ => Client::new(Wire::of(line)),
    };
    greeting(&mut client).await?;
    if account.security == Security::StartTls {
        client.run_command_and_check_ok("STARTTLS", None).await?;
        // What was said before TLS counts for nothing.
        let line = client.into_inner().into_line();
        return Ok(Client::new(Wire::of(egress.protect(&account.target, line).await?)));
    }
    Ok(client)
}

async fn greeting(client: &mut Client<Wire>) -> Result<(), Trouble> {
    match client.read_response().await? {
        Some(said) if matches!(said.parsed(), Response::Data { status: Status::Ok, .. }) => Ok(()),
        _ => Err(Trouble::Line("the server does not greet as IMAP does")),
    }
}

async fn sign_in(
    client: Client<Wire>,
    account: &Account,
    token: Option<Secret<String>>,
) -> Result<Session<Wire>, Trouble> {
    let unreadable = |_| Trouble::Line("the file of the password can't be read");
    let held = account.access.held().map(Held::read).transpose().map_err(unreadable)?;
    let secret = token.or(held).ok_or(Trouble::Line("there is nothing to sign in with"))?;
    let signed_in = match &account.access {
        Access::Password(_) => client.login(&account.user, secret.expose()).await,
        Access::Token(_) | Access::Grant(_) => {
            let said = format!("user={}\x01auth=Bearer {}\x01\x01", account.user, secret.expose());
            client.authenticate("XOAUTH2", Bearer(Secret::new(said))).await
        }
    };
    signed_in.map_err(|(error, _)| match error {
        async_imap::error::Error::No(why) if is_passing(&why) => {
            Trouble::Line("the server lets nobody in at the moment")
        }
        async_imap::error::Error::No(_) => Trouble::Refused,
        other => other.into(),
    })
}

/// Whether a server says that it is not user or password (RFC 5530 section 3).
fn is_passing(why: &str) -> bool {
    ["[UNAVAILABLE]", "[INUSE]", "[LIMIT]", "[SERVERBUG]", "[CONTACTADMIN]"].iter().any(|code| why.contains(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_arrival_is_read() {
        let read = |text| moment(text).map(Timestamp::millis);
        assert_eq!(read("17-Jul-1996 02:44:25 -0700"), Some(837_596_665_000));
        assert_eq!(read(" 7-Jul-1996 09:44:25 +0000"), Some(836_732_665_000));
        assert_eq!(read("yesterday"), None);
    }

    #[test]
    fn what_is_not_about_the_password_passes() {
        let said = |text: &str| format!("code: None, info: Some(\"{text}\")");
        assert!(is_passing(&said("[UNAVAILABLE] Temporary authentication failure.")));
        assert!(
            !is_passing(&said("[AUTHENTICATIONFAILED] Authentication failed.")) && !is_passing(&said("LOGIN failed"))
        );
    }

    #[test]
    fn more_is_what_was_not_there_before() {
        let (mut exists, mut more, mut idle) = (4, 0, None);
        let mut hear = |said: Response<'_>| note(&said, &mut exists, &mut more, &mut idle).map(|()| (exists, more));
        let there = |count| Response::MailboxData(MailboxDatum::Exists(count));
        assert_eq!(hear(there(4)), Ok((4, 0)));
        assert_eq!(hear(Response::Expunge(2)), Ok((3, 0)));
        assert_eq!(hear(there(4)), Ok((4, 1)));
        assert_eq!(hear(there(6)), Ok((6, 3)));
        // A server may say anything.
        for count in [u32::MAX, 0, u32::MAX] {
            hear(there(count)).unwrap();
        }
        assert_eq!(hear(there(u32::MAX)), Ok((u32::MAX, u32::MAX)));
        assert_eq!(hear(Response::Data { status: Status::Bye, code: None, information: None }), Err(GONE));
    }
}
