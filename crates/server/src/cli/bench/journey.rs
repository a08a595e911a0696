//! One journey after the other, on one connection: for what must be there before a measurement, and for the time that a
//! journey takes while nobody else asks. Refuses to go on after an answer that is not the right one.

use super::check::Live;
use super::client::Connection;
use super::door::Door;
use super::failure::{Failure, Outcome};
use super::mail::Mailbox;
use super::rig::Rig;

/// A start for an address of the mailbox, and its code: what a check names, and what it says.
pub(super) async fn start(rig: &Rig, connection: &mut Connection, mailbox: &mut Mailbox, serial: u64) -> Outcome<Live> {
    let address = mailbox.address(serial);
    let answer = connection.ask(rig.door.start(&address)).await?;
    rig.door.expect_started(&answer)?;
    let name = rig.door.named(address, &answer)?;
    Ok((name, code(mailbox, serial).await?))
}

/// The code that comes for an address of the mailbox.
pub(super) async fn code(mailbox: &mut Mailbox, serial: u64) -> Outcome<Box<str>> {
    loop {
        let letter = mailbox.letters.recv().await.ok_or_else(|| Failure::new("the server's mail has stopped"))?;
        if letter.serial == serial {
            return Ok(letter.code);
        }
    }
}

/// The way of a program to the same server: through `/v1`, with the key of somebody who signs up for it at the front door.
pub(super) async fn program(rig: &Rig) -> Outcome<Rig> {
    let mut connection = Connection::open(rig.server, None).await?;
    let mut mailbox = rig.office.open();
    let serial = mailbox.fresh();
    let (name, code) = start(rig, &mut connection, &mut mailbox, serial).await?;
    let answer = connection.ask(rig.door.check(&name, &code)).await?;
    rig.door.expect_earned(&answer)?;
    Ok(rig.through(Door::native(rig.server, &Door::key_of(&answer)?)?))
}
