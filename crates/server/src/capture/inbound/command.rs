//! One line of a mail client, read (RFC 5321 section 4.1, RFC 1870, RFC 6152, RFC 3207). Refuses what it does not know by the reply that
//! the standard has for it. What a client calls itself and from whom it says a mail is are kept for SPF alone: they prove nothing.

use super::reply::{self, Reply};

/// The largest mail, in bytes: a code does not come in more.
pub(super) const MAIL_MOST: usize = 1024 * 1024;
/// The longest line of a command with its end (RFC 5321 section 4.5.3.1.4 has 512; parameters may add to it).
pub(super) const LINE_MOST: usize = 1024;
/// The longest address (section 4.5.3.1.3).
const PATH_MOST: usize = 256;

/// What a client wants.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Command {
    /// HELO, and what the client calls itself.
    Helo(String),
    /// EHLO: tell what you can.
    Ehlo(String),
    /// A mail begins, from this address or from nobody.
    Mail(String),
    /// It is for this local part at this domain.
    Recipient { local: String, domain: String },
    /// Its text comes.
    Data,
    /// What was begun is forgotten.
    Reset,
    /// Nothing.
    Noop,
    /// Good-bye.
    Quit,
    /// TLS from here.
    StartTls,
    /// A question whose answer is always the same.
    Answered(Reply),
}

/// Reads a line, without its end.
pub(super) fn read(line: &[u8]) -> Result<Command, Reply> {
    let text = str::from_utf8(line).ok().filter(|text| !text.bytes().any(|byte| byte.is_ascii_control()));
    let text = text.filter(|text| text.is_ascii()).ok_or(reply::SYNTAX)?;
    let (verb, rest) = text.split_once(' ').unwrap_or((text, ""));
    let alone = |command| if rest.trim().is_empty() { Ok(command) } else { Err(reply::PARAMETERS) };
    match verb.to_ascii_uppercase().as_str() {
        "EHLO" if !rest.trim().is_empty() => Ok(Command::Ehlo(rest.trim().to_owned())),
        "HELO" if !rest.trim().is_empty() => Ok(Command::Helo(rest.trim().to_owned())),
        "EHLO" | "HELO" => Err(reply::PARAMETERS),
        "MAIL" => mail(rest),
        "RCPT" => recipient(rest),
        "DATA" => alone(Command::Data),
        "RSET" => alone(Command::Reset),
        "QUIT" => alone(Command::Quit),
        "STARTTLS" => alone(Command::StartTls),
        "NOOP" => Ok(Command::Noop),
        "VRFY" => Ok(Command::Answered(reply::NOT_SAID)),
        "HELP" => Ok(Command::Answered(reply::HELP)),
        "EXPN" | "TURN" | "AUTH" | "BDAT" | "ETRN" => Err(reply::NOT_HERE),
        _ => Err(reply::UNKNOWN),
    }
}

/// `FROM:<…>` and its parameters.
fn mail(rest: &str) -> Result<Command, Reply> {
    let (path, parameters) = path(rest, "FROM:")?;
    if path.len() > PATH_MOST {
        return Err(reply::PARAMETERS);
    }
    for parameter in parameters.split_ascii_whitespace() {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match (name.to_ascii_uppercase().as_str(), value.to_ascii_uppercase().as_str()) {
            ("SIZE", size) => {
                let digits = !size.is_empty() && size.len() <= 20 && size.bytes().all(|byte| byte.is_ascii_digit());
                // More digits than a number has is too much as well.
                match size.parse::<u64>() {
                    _ if !digits => return Err(reply::PARAMETERS),
                    Ok(size) if size <= MAIL_MOST as u64 => {}
                    _ => return Err(reply::TOO_LARGE),
                }
            }
            ("BODY", "7BIT" | "8BITMIME") => {}
            _ => return Err(reply::NO_SUCH_PARAMETER),
        }
    }
    Ok(Command::Mail(path.to_owned()))
}

/// `TO:<local@domain>`.
fn recipient(rest: &str) -> Result<Command, Reply> {
    let (path, parameters) = path(rest, "TO:")?;
    if !parameters.trim().is_empty() {
        return Err(reply::NO_SUCH_PARAMETER);
    }
    // A route of old times before the address (section 4.1.1.3: it is passed over).
    let address = match path.strip_prefix('@') {
        Some(route) => route.split_once(':').map_or("", |(_, address)| address),
        None => path,
    };
    match address.rsplit_once('@') {
        Some((local, domain)) if !local.is_empty() && !domain.is_empty() && address.len() <= PATH_MOST => {
            Ok(Command::Recipient { local: local.to_owned(), domain: domain.to_owned() })
        }
        // No address of ours, and none at all: both are the same to whoever asks.
        _ => Err(reply::NO_SUCH_ADDRESS),
    }
}

/// What stands in the angle brackets behind a word, and what behind them.
fn path<'a>(rest: &'a str, word: &str) -> Result<(&'a str, &'a str), Reply> {
    let head = rest.get(..word.len()).filter(|head| head.eq_ignore_ascii_case(word)).ok_or(reply::PARAMETERS)?;
    // Some clients write a space there, which the standard forbids and everybody takes.
    let rest = rest[head.len()..].trim_start();
    let (path, behind) = rest.strip_prefix('<').and_then(|rest| rest.split_once('>')).ok_or(reply::PARAMETERS)?;
    let apart = behind.is_empty() || behind.starts_with(' ');
    if apart && !path.contains(['<', ' ']) { Ok((path, behind)) } else { Err(reply::PARAMETERS) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_in_any_case() {
        for (line, command) in [
            ("EHLO mx.example.com", Command::Ehlo("mx.example.com".to_owned())),
            ("helo x ", Command::Helo("x".to_owned())),
            ("MAIL FROM:<>", Command::Mail(String::new())),
            ("mail from: <a@b.com> SIZE=1048576 BODY=8BITMIME", Command::Mail("a@b.com".to_owned())),
            ("DATA", Command::Data),
            ("rset ", Command::Reset),
            ("NOOP whatever", Command::Noop),
            ("QUIT", Command::Quit),
            ("StartTLS", Command::StartTls),
            ("VRFY x", Command::Answered(reply::NOT_SAID)),
            ("RCPT TO:<abc@in.example.com>", recipient("TO:<abc@in.example.com>").unwrap()),
        ] {
            assert_eq!(read(line.as_bytes()), Ok(command), "{line}");
        }
        let routed = recipient("TO:<@a.com,@b.com:abc@in.example.com>").unwrap();
        assert_eq!(routed, Command::Recipient { local: "abc".to_owned(), domain: "in.example.com".to_owned() });
    }

    #[test]
    fn what_is_wrong_has_its_reply() {
        for (line, reply) in [
            ("", reply::UNKNOWN),
            ("EHLO", reply::PARAMETERS),
            ("DATA now", reply::PARAMETERS),
            ("MAIL", reply::PARAMETERS),
            ("MAIL FROM:a@b.com", reply::PARAMETERS),
            ("MAIL FROM:<a@b.com", reply::PARAMETERS),
            ("MAIL FROM:<a@b.com>SIZE=1", reply::PARAMETERS),
            ("MAIL FROM:<a@b.com> SIZE=x", reply::PARAMETERS),
            ("MAIL FROM:<a@b.com> SIZE=1048577", reply::TOO_LARGE),
            ("MAIL FROM:<a@b.com> SIZE=99999999999999999999", reply::TOO_LARGE),
            ("MAIL FROM:<a@b.com> SMTPUTF8", reply::NO_SUCH_PARAMETER),
            ("RCPT TO:<>", reply::NO_SUCH_ADDRESS),
            ("RCPT TO:<postmaster>", reply::NO_SUCH_ADDRESS),
            ("RCPT TO:<a@b.com> NOTIFY=NEVER", reply::NO_SUCH_PARAMETER),
            ("AUTH PLAIN x", reply::NOT_HERE),
            ("BDAT 10 LAST", reply::NOT_HERE),
            ("GET / HTTP/1.1", reply::UNKNOWN),
            ("NOOP \0", reply::SYNTAX),
            ("NOOP \u{fc}", reply::SYNTAX),
        ] {
            assert_eq!(read(line.as_bytes()), Err(reply), "{line}");
        }
        assert_eq!(read(&[0xff, 0xfe]), Err(reply::SYNTAX));
    }
}
