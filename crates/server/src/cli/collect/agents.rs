//! The collector's own list of agents, and the keys that it has pinned. The person writes the list, and compares what is in it with the
//! agent's, not with the server's. Refuses a line that it can't read: half a list would be a list of somebody else's making.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use doorcode_core::seal::Fingerprint;
use doorcode_core::sender::SenderPattern;
use serde::Deserialize;

use super::super::Trouble;
use super::settings::read;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    agent: Vec<RawAgent>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAgent {
    name: String,
    id: Option<String>,
    identity: Option<String>,
    senders: Vec<String>,
}

/// An agent on the list.
pub(super) struct Agent {
    /// Its id, for an agent without an identity.
    id: Option<String>,
    /// The fingerprint of its identity key, as it was compared.
    identity: Option<String>,
    /// Whose messages it may have.
    senders: Vec<SenderPattern>,
}

/// The list.
#[derive(Default)]
pub(super) struct Agents(Vec<Agent>);

impl Agents {
    /// Reads the file.
    pub(super) fn read(file: &Path) -> Result<Self, Trouble> {
        let bad = |why: &str| Trouble::from(format!("{}: {why}", file.display()));
        let written: File = toml::from_str(&read(file)?).map_err(|error| bad(&error.to_string()))?;
        let mut agents = Vec::new();
        for raw in written.agent {
            if raw.id.is_none() == raw.identity.is_none() {
                return Err(bad(&format!("{}: name its identity, or, if it has none, its id", raw.name)));
            }
            if raw.identity.as_deref().is_some_and(|text| text.chars().filter(char::is_ascii_hexdigit).count() < 32) {
                return Err(bad(&format!("{}: identity must be the fingerprint of 32 digits or more", raw.name)));
            }
            let senders: Result<Vec<_>, _> = raw.senders.iter().map(|text| SenderPattern::parse(text)).collect();
            let senders = senders.map_err(|_| bad(&format!("{}: senders are like *@acme.com", raw.name)))?;
            agents.push(Agent { id: raw.id, identity: raw.identity, senders });
        }
        Ok(Self(agents))
    }

    /// The one with that identity.
    pub(super) fn of_identity(&self, identity: &Fingerprint) -> Option<&Agent> {
        self.0.iter().find(|agent| agent.identity.as_deref().is_some_and(|text| identity.agrees(text)))
    }

    /// The one with that id, which has no identity.
    pub(super) fn of_id(&self, id: &str) -> Option<&Agent> {
        self.0.iter().find(|agent| agent.id.as_deref() == Some(id))
    }
}

impl Agent {
    /// Whether it may have messages of this pattern: it is one on the list, or an address that one of those takes in.
    pub(super) fn may_have(&self, pattern: Option<&str>) -> bool {
        let Some(wanted) = pattern.and_then(|text| SenderPattern::parse(text).ok()) else { return false };
        let address = pattern.and_then(|text| doorcode_core::Email::parse(text).ok());
        self.senders
            .iter()
            .any(|allowed| *allowed == wanted || address.as_ref().is_some_and(|address| allowed.matches_email(address)))
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct PinFile {
    #[serde(default)]
    pin: Vec<Pin>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pin {
    agent: String,
    key: String,
}

/// What is known of an agent's key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Known {
    /// It is the pinned one.
    This,
    /// Another one is pinned.
    Another,
    /// None is.
    None,
}

/// The file of pinned keys. Read at each question: `doorcode collect approve` may have written to it.
pub(super) struct Pins(PathBuf, Mutex<()>);

impl Pins {
    /// The one there; it need not be there yet.
    pub(super) fn at(file: PathBuf) -> Self {
        Self(file, Mutex::new(()))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Whether an agent's key is pinned.
    pub(super) fn knows(&self, agent: &str, key: &Fingerprint) -> Result<Known, Trouble> {
        let text = match std::fs::read_to_string(&self.0) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Known::None),
            other => other?,
        };
        let file: PinFile = toml::from_str(&text).map_err(|error| format!("{}: {error}", self.0.display()))?;
        let mut pins = file.pin.iter().filter(|pin| pin.agent == agent).peekable();
        if pins.peek().is_none() {
            return Ok(Known::None);
        }
        Ok(if pins.any(|pin| key.agrees(&pin.key)) { Known::This } else { Known::Another })
    }

    /// Pins a key to an agent.
    pub(super) fn add(&self, agent: &str, key: &str) -> Result<(), Trouble> {
        let _alone = self.1.lock();
        let mut file = std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(&self.0)?;
        let (agent, key) = (toml::Value::from(agent), toml::Value::from(key));
        file.write_all(format!("[[pin]]\nagent = {agent}\nkey = {key}\n\n").as_bytes())?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use doorcode_core::Secret;
    use doorcode_core::seal::IdentitySigner;

    use super::*;

    fn agents(text: &str) -> Result<Agents, Trouble> {
        let file = std::env::temp_dir().join(format!("doorcode-agents-{}-{}", std::process::id(), text.len()));
        std::fs::write(&file, text).unwrap();
        let read = Agents::read(&file);
        std::fs::remove_file(file).unwrap();
        read
    }

    #[test]
    fn an_agent_is_its_identity_and_has_its_senders() {
        let identity = IdentitySigner::from_seed(Secret::new([7; 32])).public().unwrap().fingerprint();
        let other = IdentitySigner::from_seed(Secret::new([8; 32])).public().unwrap().fingerprint();
        let text = format!("[[agent]]\nname = \"Shop\"\nidentity = \"{identity}\"\nsenders = [\"*@acme.com\"]\n");
        let list = agents(&text).ok().unwrap();
        let agent = list.of_identity(&identity).unwrap();
        assert!(list.of_identity(&other).is_none());
        for (pattern, may) in [
            (Some("*@acme.com"), true),
            (Some("no-reply@acme.com"), true),
            (Some("*@bank.com"), false),
            (Some("*"), false),
            (None, false),
        ] {
            assert_eq!(agent.may_have(pattern), may, "{pattern:?}");
        }
    }

    #[test]
    fn half_a_list_is_none() {
        for text in [
            "[[agent]]\nname = \"a\"\nsenders = []\n",
            "[[agent]]\nname = \"ab\"\nidentity = \"12ab\"\nsenders = []\n",
            "[[agent]]\nname = \"abc\"\nid = \"agent_x\"\nsenders = [\"@\"]\n",
            "[[agent]]\nname = \"abcd\"\nid = \"agent_x\"\nsender = [\"*@acme.com\"]\n",
        ] {
            assert!(agents(text).is_err(), "{text}");
        }
    }
}
