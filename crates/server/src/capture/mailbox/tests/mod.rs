//! Servers of mailboxes that do not behave, and what they gain by it: nothing.

mod hostile;
mod silent;

use std::time::Duration;

use doorcode_core::{Secret, Timestamp};

use super::{Access, Account, Desk, Held, Mailbox, Pauses, Security, watch};
use crate::clock::Clock;
use crate::egress::{Egress, Resolver, Settings};
use crate::entropy::Entropy;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
/// The one message of a mailbox.
const MESSAGE: &str = "Subject: x\r\n\r\n482913\r\n";

/// The message as it stands in an answer.
fn message() -> String {
    let (size, when) = (MESSAGE.len(), "17-Jul-2026 02:44:25 +0000");
    format!("* 1 FETCH (UID 1 INTERNALDATE \"{when}\" RFC822.SIZE {size} BODY[]<0> {{{size}}}\r\n{MESSAGE})\r\n")
}

/// What is said of a folder with so many messages.
fn opened(exists: u32) -> String {
    let next = exists + 1;
    format!("* {exists} EXISTS\r\n* OK [UIDVALIDITY 1] n\r\n* OK [UIDNEXT {next}] n\r\n")
}

fn egress() -> Egress {
    let settings = Settings { allow: Vec::new(), ports: Vec::new(), ca_file: None, resolver: Resolver::table() };
    Egress::new(&settings, "127.0.0.1:1".parse().unwrap(), None).unwrap()
}

fn account(egress: &Egress, port: u16) -> Account {
    Account {
        target: egress.own_choice("127.0.0.1", port).unwrap(),
        security: Security::None,
        user: "ada".to_owned(),
        access: Access::Password(Held::Here(Secret::new("imap-secret-words".to_owned()))),
        folder: "INBOX".to_owned(),
    }
}

/// Watches the mailbox of the server there, and rests between two tries for no time at all.
async fn watched(port: u16, desk: &impl Desk) {
    let egress = egress();
    let account = account(&egress, port);
    let (clock, entropy) = (Clock::manual(NOW), Entropy::seeded(1));
    let none = (Duration::ZERO, Duration::ZERO);
    let pauses = Pauses { line: none, refused: none };
    watch(&Mailbox { egress: &egress, account: &account, desk, clock: &clock, entropy: &entropy, pauses }).await;
}
