//! What a collector remembers beyond its own end: which request each signature was seen with, which messages it has handed in, and up to
//! where the mailbox was looked at. So one that begins again is shown no old request as a new one, hands no message in twice, and looks at
//! what came in between. Holds no message, no code and no address. Refuses a file that it can't read, and one that another collector uses:
//! whoever began without it would have forgotten.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use doorcode_core::fingerprint::fingerprint;
use doorcode_core::relay::Named as _;
use doorcode_core::{RelayId, Timestamp, hex};
use serde::{Deserialize, Serialize};

use super::super::Trouble;
use crate::capture::mailbox::{Account, Place};

/// For how long a message is known that was handed in: as long as the server knows it.
const KNOWN: Duration = Duration::from_secs(30 * 86_400);
/// Messages that are known, at most.
const KNOWN_MOST: usize = 10_000;

/// The memory, and its file.
pub(super) struct Memory {
    file: PathBuf,
    /// Which mailbox a place is in.
    mailbox: String,
    held: Mutex<Held>,
    /// Open for as long as the file is ours.
    _lock: File,
}

/// What is in the file.
#[derive(Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Held {
    /// By signature, while it is good.
    statements: HashMap<String, Statement>,
    /// By digest, when it was handed in.
    messages: HashMap<String, i64>,
    mailbox: Option<Mailbox>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Statement {
    request: String,
    until: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mailbox {
    which: String,
    place: String,
}

/// Whether a signature may stand for a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Taken {
    /// It does, and is remembered.
    Yes,
    /// It stands for another one.
    Elsewhere,
    /// It could not be remembered.
    Unkept,
}

impl Memory {
    /// The one in that file, which need not be there yet, of a collector at that mailbox.
    pub(super) fn open(file: PathBuf, account: &Account) -> Result<Self, Trouble> {
        let shown = file.display();
        let lock = lock(&file.with_extension("lock")).map_err(|error| format!("{shown}: {error}"))?;
        let Some(lock) = lock else {
            return Err(format!("{shown}: another collector uses it; name another file with --state").into());
        };
        let held = match std::fs::read_to_string(&file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Held::default(),
            Err(error) => return Err(format!("{shown}: {error}").into()),
            Ok(text) => serde_json::from_str(&text).map_err(|error| {
                format!("{shown}: {error}; without it what was handed in would be forgotten: mend it, or remove it")
            })?,
        };
        let memory = Self { mailbox: which(account), file, held: Mutex::new(held), _lock: lock };
        // A file that can't be written is better known now than at the first code.
        memory.save(&memory.held())?;
        Ok(memory)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a signature for a request: it is good for one, until then.
    pub(super) fn takes(&self, signature: &str, request: RelayId, until: Timestamp, now: Timestamp) -> Taken {
        let mut held = self.held();
        held.statements.retain(|_, statement| statement.until > now.millis());
        let shown = request.shown();
        if let Some(known) = held.statements.get(signature) {
            return if known.request == shown { Taken::Yes } else { Taken::Elsewhere };
        }
        held.statements.insert(signature.to_owned(), Statement { request: shown, until: until.millis() });
        // Before anything is sealed to it: else an end in between would make it new again.
        match self.save(&held) {
            Ok(()) => Taken::Yes,
            Err(_) => {
                held.statements.remove(signature);
                Taken::Unkept
            }
        }
    }

    /// Whether a message was handed in before.
    pub(super) fn knows(&self, digests: &[[u8; 16]]) -> bool {
        let held = self.held();
        digests.iter().any(|digest| held.messages.contains_key(&hex::encode(digest)))
    }

    /// A message was handed in.
    ///
    /// # Errors
    /// The file can't be written: it is known until the collector ends.
    pub(super) fn handed_in(&self, digests: &[[u8; 16]], now: Timestamp) -> std::io::Result<()> {
        let mut held = self.held();
        let oldest = now.minus(KNOWN).millis();
        held.messages.retain(|_, at| *at > oldest);
        held.messages.extend(digests.iter().map(|digest| (hex::encode(digest), now.millis())));
        while held.messages.len() > KNOWN_MOST {
            let Some(first) = held.messages.iter().min_by_key(|(_, at)| **at).map(|(digest, _)| digest.clone()) else {
                break;
            };
            held.messages.remove(&first);
        }
        self.save(&held)
    }

    /// Where this mailbox was left; none: it was never watched.
    pub(super) fn place(&self) -> Option<Place> {
        let held = self.held();
        let left = held.mailbox.as_ref().filter(|mailbox| mailbox.which == self.mailbox)?;
        Place::read(&left.place)
    }

    /// The mailbox was looked at up to there.
    ///
    /// # Errors
    /// The file can't be written.
    pub(super) fn reached(&self, place: &Place) -> std::io::Result<()> {
        let mut held = self.held();
        held.mailbox = Some(Mailbox { which: self.mailbox.clone(), place: place.write() });
        self.save(&held)
    }

    /// Whole, or as it was: written beside, synced, and put in its place.
    fn save(&self, held: &Held) -> std::io::Result<()> {
        let part = self.file.with_extension("part");
        let text = serde_json::to_vec(held).map_err(std::io::Error::other)?;
        match std::fs::remove_file(&part) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&part)?;
        file.write_all(&text)?;
        file.sync_all()?;
        std::fs::rename(&part, &self.file)?;
        let folder = self.file.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

/// None: somebody else has it.
fn lock(path: &Path) -> std::io::Result<Option<File>> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => Err(error),
    }
}

/// A mailbox, without its name.
fn which(account: &Account) -> String {
    let place = account.target.authority();
    let parts = [place.as_bytes(), account.user.as_bytes(), account.folder.as_bytes()];
    hex::encode(&fingerprint("collector mailbox", &parts))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use doorcode_core::Secret;

    use super::*;
    use crate::capture::mailbox::{Access, Held as Password, Security};
    use crate::egress::{Egress, Settings};

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("doorcode-memory-{}-{name}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn open(&self, user: &str) -> Result<Memory, Trouble> {
            let egress = Egress::new(&Settings::default(), "127.0.0.1:1".parse().unwrap(), None).unwrap();
            let account = Account {
                target: egress.own_choice("imap.example.com", 993).unwrap(),
                security: Security::Tls,
                user: user.to_owned(),
                access: Access::Password(Password::Here(Secret::new(String::new()))),
                folder: "INBOX".to_owned(),
            };
            Memory::open(self.0.join("a.state.json"), &account)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).unwrap();
        }
    }

    fn relay(last: u8) -> RelayId {
        RelayId::from_bytes([last; 16])
    }

    #[test]
    fn what_was_seen_is_known_after_a_restart() {
        let folder = Folder::new("restart");
        let until = NOW.plus(Duration::from_secs(300));
        let place = Place::read("7 12 11:1800000000000").unwrap();
        let memory = folder.open("ada@example.com").ok().unwrap();
        assert_eq!(memory.place(), None);
        assert_eq!(memory.takes("sig", relay(1), until, NOW), Taken::Yes);
        memory.handed_in(&[[3; 16]], NOW).unwrap();
        memory.reached(&place).unwrap();
        drop(memory);

        let memory = folder.open("ada@example.com").ok().unwrap();
        assert_eq!(memory.place(), Some(place));
        assert!(memory.knows(&[[4; 16], [3; 16]]) && !memory.knows(&[[4; 16]]));
        assert_eq!(memory.takes("sig", relay(2), until, NOW), Taken::Elsewhere);
        assert_eq!(memory.takes("sig", relay(1), until, NOW), Taken::Yes, "the same request is no other one");
        assert_eq!(memory.takes("sig", relay(2), until.plus(KNOWN), until), Taken::Yes, "it was over");
        let mode = std::fs::metadata(folder.0.join("a.state.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        drop(memory);
        assert_eq!(folder.open("eve@example.com").ok().unwrap().place(), None, "another mailbox is another place");
    }

    #[test]
    fn one_collector_has_it_and_a_broken_one_is_not_begun_anew() {
        let folder = Folder::new("alone");
        let first = folder.open("ada@example.com").ok().unwrap();
        assert!(folder.open("ada@example.com").err().unwrap().0[0].contains("another collector uses it"));
        drop(first);
        std::fs::write(folder.0.join("a.state.json"), "{\"statements\":").unwrap();
        assert!(folder.open("ada@example.com").err().unwrap().0[0].contains("would be forgotten"));
    }

    #[test]
    fn the_oldest_of_too_many_goes_first() {
        let folder = Folder::new("many");
        let memory = folder.open("ada@example.com").ok().unwrap();
        memory.handed_in(&[[255; 16]], NOW).unwrap();
        let many: Vec<[u8; 16]> = (0..KNOWN_MOST as u128).map(u128::to_be_bytes).collect();
        memory.handed_in(&many, NOW.plus(Duration::from_secs(1))).unwrap();
        assert!(!memory.knows(&[[255; 16]]) && memory.knows(&many[..1]));
        memory.handed_in(&[[254; 16]], NOW.plus(KNOWN + Duration::from_secs(2))).unwrap();
        assert!(!memory.knows(&many), "after thirty days the server does not know them either");
    }

    #[test]
    fn a_signature_that_can_not_be_remembered_is_not_taken() {
        let folder = Folder::new("gone");
        let memory = folder.open("ada@example.com").ok().unwrap();
        // A folder under the name of the file that is written first: nobody can write there, not even root.
        std::fs::create_dir(folder.0.join("a.state.part")).unwrap();
        let until = NOW.plus(Duration::from_secs(300));
        assert_eq!(memory.takes("sig", relay(1), until, NOW), Taken::Unkept);
        std::fs::remove_dir(folder.0.join("a.state.part")).unwrap();
        assert_eq!(memory.takes("sig", relay(2), until, NOW), Taken::Yes);
    }
}
