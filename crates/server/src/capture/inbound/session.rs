//! Where a conversation with a mail client stands: what may be said next, and what is answered. Pure; who a recipient is, is looked up
//! between two steps. Refuses commands out of order, more recipients than a forwarder has, and to talk for ever without a mail.

use super::command::Command;
use super::reply::{self, Reply};

/// Recipients of one mail: a forwarder has one.
pub(super) const RECIPIENTS_MOST: usize = 5;
/// Commands since the last mail that was taken.
const COMMANDS_MOST: u32 = 40;
/// Commands until the first address of ours, besides greetings and STARTTLS: a forwarder needs two.
const UNNAMED_MOST: u32 = 8;
/// Commands that were wrong, since the beginning.
const ERRORS_MOST: u32 = 10;
/// Mails of one connection.
const MAILS_MOST: u32 = 100;

/// What is to be done.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// This is said.
    Say(Reply),
    /// What is offered is said.
    Offer,
    /// Whose address it is, is looked up; then [`Session::found`].
    Look { local: String, domain: String },
    /// The mail is read; then [`Session::ended`].
    Read,
    /// The connection goes on inside of TLS; then [`Session::secured`].
    Secure,
    /// This is said, and it is over.
    Close(Reply),
}

/// A conversation. `R` is whom a mail is for.
pub(super) struct Session<R> {
    /// What the client calls itself, since it greeted.
    helo: Option<String>,
    /// From whom a mail is, since it began.
    mail: Option<String>,
    recipients: Vec<R>,
    /// TLS can be had.
    tls: bool,
    commands: u32,
    errors: u32,
    mails: u32,
    /// An address of ours was named. Not forgotten: nobody finds one by chance.
    named: bool,
    /// Commands before that which count.
    unnamed: u32,
}

impl<R> Session<R> {
    pub(super) fn new(tls: bool) -> Self {
        let (commands, errors, mails, unnamed) = (0, 0, 0, 0);
        Self { helo: None, mail: None, recipients: Vec::new(), tls, commands, errors, mails, named: false, unnamed }
    }

    /// Whether it has named an address of ours.
    pub(super) fn has_named(&self) -> bool {
        self.named
    }

    /// Whether TLS is offered.
    pub(super) fn offers_tls(&self) -> bool {
        self.tls
    }

    /// A line came.
    pub(super) fn step(&mut self, line: Result<Command, Reply>) -> Step {
        self.commands += 1;
        let greets = matches!(line, Ok(Command::Ehlo(_) | Command::Helo(_) | Command::StartTls));
        self.unnamed += u32::from(!self.named && !greets);
        if self.commands > COMMANDS_MOST || self.unnamed > UNNAMED_MOST {
            return Step::Close(reply::NO_PROGRESS);
        }
        match line.and_then(|command| self.allowed(command)) {
            Ok(step) => step,
            Err(reply) => self.wrong(reply),
        }
    }

    fn wrong(&mut self, reply: Reply) -> Step {
        self.errors += 1;
        if self.errors > ERRORS_MOST { Step::Close(reply::NO_PROGRESS) } else { Step::Say(reply) }
    }

    fn allowed(&mut self, command: Command) -> Result<Step, Reply> {
        match command {
            Command::Ehlo(name) => {
                self.greeted(name);
                Ok(Step::Offer)
            }
            Command::Helo(name) => {
                self.greeted(name);
                Ok(Step::Say(reply::OK))
            }
            Command::StartTls if !self.tls => Err(reply::NOT_HERE),
            Command::StartTls => Ok(Step::Secure),
            Command::Mail(_) if self.mails >= MAILS_MOST => Ok(Step::Close(reply::NO_PROGRESS)),
            Command::Mail(from) if self.helo.is_some() && self.mail.is_none() => {
                self.mail = Some(from);
                Ok(Step::Say(reply::SENDER))
            }
            Command::Recipient { .. } if self.mail.is_none() => Err(reply::ORDER),
            Command::Recipient { .. } if self.recipients.len() >= RECIPIENTS_MOST => Err(reply::TOO_MANY_RECIPIENTS),
            Command::Recipient { local, domain } => Ok(Step::Look { local, domain }),
            Command::Data if !self.recipients.is_empty() => Ok(Step::Read),
            Command::Data if self.mail.is_some() => Err(reply::NO_RECIPIENTS),
            Command::Mail(_) | Command::Data => Err(reply::ORDER),
            Command::Reset => {
                self.forget();
                Ok(Step::Say(reply::OK))
            }
            Command::Noop => Ok(Step::Say(reply::OK)),
            Command::Quit => Ok(Step::Close(reply::BYE)),
            Command::Answered(reply) => Ok(Step::Say(reply)),
        }
    }

    /// Whose address it was.
    pub(super) fn found(&mut self, whose: Option<R>) -> Step {
        match whose {
            Some(whose) => {
                (self.named, self.unnamed) = (true, 0);
                self.recipients.push(whose);
                Step::Say(reply::RECIPIENT)
            }
            None => self.wrong(reply::NO_SUCH_ADDRESS),
        }
    }

    fn greeted(&mut self, name: String) {
        self.forget();
        self.helo = Some(name);
    }

    /// What the client calls itself, and from whom it says that the mail is.
    pub(super) fn envelope(&self) -> (String, String) {
        (self.helo.clone().unwrap_or_default(), self.mail.clone().unwrap_or_default())
    }

    /// Whom the mail is for that begins, first of all.
    pub(super) fn first(&self) -> Option<&R> {
        self.recipients.first()
    }

    /// The mail was read. Gives whom it is for.
    pub(super) fn ended(&mut self, taken: bool) -> Vec<R> {
        self.mails += 1;
        if taken {
            self.commands = 0;
        }
        let recipients = std::mem::take(&mut self.recipients);
        self.forget();
        recipients
    }

    /// TLS has begun: nothing that was said before counts (RFC 3207 section 4.2).
    pub(super) fn secured(&mut self) {
        self.forget();
        (self.helo, self.tls) = (None, false);
    }

    fn forget(&mut self) {
        self.mail = None;
        self.recipients.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::super::command::read;
    use super::*;

    fn said(session: &mut Session<u8>, line: &str) -> Step {
        session.step(read(line.as_bytes()))
    }

    fn begun() -> Session<u8> {
        let mut session = Session::new(true);
        assert_eq!(said(&mut session, "EHLO x"), Step::Offer);
        session
    }

    const TO: &str = "RCPT TO:<a@in.example>";

    #[test]
    fn a_mail_goes_its_way() {
        let mut session = begun();
        for from in ["", "a@b.com", ""] {
            assert_eq!(said(&mut session, &format!("MAIL FROM:<{from}>")), Step::Say(reply::SENDER));
            assert!(matches!(said(&mut session, TO), Step::Look { .. }));
            assert_eq!(session.found(Some(7)), Step::Say(reply::RECIPIENT));
            assert_eq!(said(&mut session, "DATA"), Step::Read);
            assert_eq!(session.envelope(), ("x".to_owned(), from.to_owned()));
            assert_eq!(session.ended(true), [7]);
        }
        assert_eq!(said(&mut session, "QUIT"), Step::Close(reply::BYE));
    }

    #[test]
    fn order_is_kept() {
        let mut session = Session::<u8>::new(false);
        for line in ["MAIL FROM:<>", TO, "DATA"] {
            assert_eq!(said(&mut session, line), Step::Say(reply::ORDER), "{line}");
        }
        assert_eq!(said(&mut session, "STARTTLS"), Step::Say(reply::NOT_HERE));
        let mut session = begun();
        said(&mut session, "MAIL FROM:<>");
        assert_eq!(said(&mut session, "MAIL FROM:<>"), Step::Say(reply::ORDER));
        assert_eq!(said(&mut session, "DATA"), Step::Say(reply::NO_RECIPIENTS), "nobody is it for");
        said(&mut session, TO);
        assert_eq!(session.found(None), Step::Say(reply::NO_SUCH_ADDRESS));
        assert_eq!(said(&mut session, "DATA"), Step::Say(reply::NO_RECIPIENTS), "all of them were refused");
        said(&mut session, TO);
        session.found(Some(1));
        said(&mut session, "RSET");
        assert_eq!(said(&mut session, "DATA"), Step::Say(reply::ORDER), "it was forgotten");
    }

    #[test]
    fn tls_begins_anew_and_once() {
        let mut session = begun();
        said(&mut session, "MAIL FROM:<>");
        assert_eq!(said(&mut session, "STARTTLS"), Step::Secure);
        session.secured();
        assert_eq!(session.envelope(), Default::default(), "nor who it said it was");
        assert_eq!(said(&mut session, TO), Step::Say(reply::ORDER));
        assert_eq!(said(&mut session, "STARTTLS"), Step::Say(reply::NOT_HERE));
        assert!(!session.offers_tls());
    }

    /// The attack: connections are kept by whoever has no mail for anybody here.
    #[test]
    fn who_names_no_address_of_ours_has_few_commands() {
        for line in ["NOOP", "GET /", "RSET", "VRFY x", "DATA"] {
            let mut session = begun();
            let closed = (0..100).position(|_| said(&mut session, line) == Step::Close(reply::NO_PROGRESS));
            assert_eq!(closed, Some(UNNAMED_MOST as usize), "{line}");
        }
        let mut session = begun();
        said(&mut session, "MAIL FROM:<>");
        let look = |session: &mut Session<u8>| {
            matches!(said(session, TO), Step::Look { .. }).then(|| session.found(None)).is_none()
        };
        let closed = (0..100).position(|_| look(&mut session));
        assert_eq!(closed, Some(UNNAMED_MOST as usize - 1), "addresses that are none");
        let mut session = begun();
        let greeted = (0..100).position(|_| said(&mut session, "EHLO x") == Step::Close(reply::NO_PROGRESS));
        assert_eq!(greeted, Some(COMMANDS_MOST as usize - 1), "greetings have their end as well");
    }

    /// One that has named an address, and may take its time.
    fn named() -> Session<u8> {
        let mut session = begun();
        said(&mut session, "MAIL FROM:<>");
        said(&mut session, TO);
        session.found(Some(1));
        assert!(session.has_named());
        session
    }

    #[test]
    fn recipients_errors_and_idle_talk_are_bounded() {
        let mut session = begun();
        said(&mut session, "MAIL FROM:<>");
        for _ in 0..RECIPIENTS_MOST {
            assert!(matches!(said(&mut session, TO), Step::Look { .. }));
            session.found(Some(1));
        }
        assert_eq!(said(&mut session, TO), Step::Say(reply::TOO_MANY_RECIPIENTS));
        let mut session = named();
        let closed = (0..100).position(|_| said(&mut session, "NOOP") == Step::Close(reply::NO_PROGRESS));
        assert_eq!(closed, Some(COMMANDS_MOST as usize - 3));
        let mut session = named();
        let closed = (0..100).position(|_| said(&mut session, "GET /") == Step::Close(reply::NO_PROGRESS));
        assert_eq!(closed, Some(ERRORS_MOST as usize));
        let mut session = named();
        let look = |session: &mut Session<u8>| {
            said(session, TO);
            session.found(None) == Step::Close(reply::NO_PROGRESS)
        };
        assert_eq!((0..100).position(|_| look(&mut session)), Some(ERRORS_MOST as usize), "addresses that are none");
    }
}
