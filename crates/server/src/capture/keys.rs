//! The keys that domains publish for their signatures, asked for in DNS. Refuses keys that prove nothing: those of a domain that is
//! only trying (`t=y`), those for something else than mail, those that are too short, and two where one must be.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use doorcode_core::{Error, Result};
use mail_auth::common::parse::TxtRecordParser as _;
use mail_auth::common::verify::DomainKey;
use mail_auth::hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use mail_auth::hickory_resolver::proto::op::ResponseCode;
use mail_auth::hickory_resolver::proto::rr::{Name, RData};
use mail_auth::hickory_resolver::system_conf::read_system_conf;
use mail_auth::{DnsError, MessageAuthenticator, ResolverCache, Txt};

use super::tags::Tags;

/// How long one server of names may take to answer.
const ANSWER: Duration = Duration::from_secs(2);
/// How often one is asked.
const ATTEMPTS: usize = 2;
/// The answers that are kept, for as long as they say. A sender has one or two keys; a record is below a kilobyte.
const KEPT: u64 = 1024;
/// The longest that an answer is kept: a key that was withdrawn is not believed for longer.
const KEPT_FOR: Duration = Duration::from_secs(3600);
/// The shortest RSA key that proves anything.
const MIN_RSA_BITS: usize = 1024;

/// Where keys are asked for. Clones share connections and what is kept.
#[derive(Clone)]
pub(super) struct Keys(MessageAuthenticator);

/// What was found at the name of a key.
pub(super) enum Found {
    /// A key that counts.
    Key(Arc<DomainKey>),
    /// Something that does not, and why.
    Unfit(&'static str),
    /// The servers of names did not say: another try may find it.
    Later,
}

impl Keys {
    /// As the system resolves names.
    pub(super) fn system() -> Result<Self> {
        let (config, options) = read_system_conf().map_err(Error::unavailable)?;
        Self::new(config, options)
    }

    /// Asks the server of names there.
    pub(super) fn at(server: SocketAddr) -> Result<Self> {
        let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut way| {
            way.port = server.port();
            way
        });
        let server = NameServerConfig::new(server.ip(), true, connections.to_vec());
        Self::new(ResolverConfig::from_parts(None, Vec::new(), vec![server]), ResolverOpts::default())
    }

    fn new(config: ResolverConfig, mut options: ResolverOpts) -> Result<Self> {
        options.timeout = ANSWER;
        options.attempts = ATTEMPTS;
        options.cache_size = KEPT;
        options.positive_max_ttl = Some(KEPT_FOR);
        options.negative_max_ttl = Some(Duration::from_secs(60));
        Ok(Self(MessageAuthenticator::new(config, options).map_err(Error::unavailable)?))
    }

    /// What checks signatures, with the keys that it is handed.
    pub(super) const fn authenticator(&self) -> &MessageAuthenticator {
        &self.0
    }

    /// The key of that name (`selector._domainkey.domain.`).
    pub(super) async fn find(&self, name: &str) -> Found {
        let Ok(name) = Name::from_ascii(name) else { return Found::Unfit("the name of its key is none") };
        match self.0.resolver().txt_lookup(name).await {
            Ok(answer) => {
                let records = answer.answers().iter().filter_map(|record| match &record.data {
                    RData::TXT(text) => Some(text.txt_data.concat()),
                    _ => None,
                });
                judge(&records.collect::<Vec<_>>())
            }
            Err(error) if error.is_no_records_found() => Found::Unfit("its key is not published"),
            Err(_) => Found::Later,
        }
    }
}

/// The one record among these that is a key, if it counts. What the library reads leniently is read here first (RFC 6376 section
/// 3.6.1): it takes the first of several keys, and looks at neither `t=y`, `s=` nor `h=`.
fn judge(records: &[Vec<u8>]) -> Found {
    let keys = records.iter().filter_map(|record| {
        let tags = Tags::read(str::from_utf8(record).ok()?)?;
        tags.get("p")?;
        Some((record, tags))
    });
    let Ok([(record, tags)]) = <[_; 1]>::try_from(keys.collect::<Vec<_>>()) else {
        return Found::Unfit("its key is not published, or more than once");
    };
    let speaks = |tag, words: &[&str]| tags.get(tag).is_none() || words.iter().any(|word| tags.has(tag, word));
    let flaw = match () {
        () if tags.get("v").is_some_and(|version| version != "DKIM1") => "its key has another version",
        () if tags.get("p").is_none_or(str::is_empty) => "its key was withdrawn",
        () if tags.has("t", "y") => "its domain is only trying out signatures",
        () if !speaks("s", &["*", "email"]) => "its key is for something else than mail",
        () if !speaks("h", &["sha256"]) => "its key is for another hash",
        () => return measured(record),
    };
    Found::Unfit(flaw)
}

fn measured(record: &[u8]) -> Found {
    match DomainKey::parse(record) {
        Ok(key) if key.p.public_key_bits() < MIN_RSA_BITS => Found::Unfit("its key is too short"),
        Ok(key) => Found::Key(Arc::new(key)),
        Err(_) => Found::Unfit("its key is none"),
    }
}

/// The keys of one judgement: what was asked for and found fit. Whoever checks signatures with these asks nobody: what is not here
/// does not exist.
#[derive(Default)]
pub(super) struct Fetched(Mutex<HashMap<Box<str>, Arc<DomainKey>>>);

impl Fetched {
    /// Takes a key in.
    pub(super) fn insert(&self, name: &str, key: Arc<DomainKey>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.into(), key);
    }
}

impl ResolverCache<Box<str>, Txt> for Fetched {
    fn get<Q>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = || mail_auth::Error::Dns(DnsError::RecordNotFound(ResponseCode::NXDomain));
        Some(keys.get(name).map_or_else(|| Txt::Error(missing()), |key| Txt::DomainKey(Arc::clone(key))))
    }

    fn remove<Q>(&self, _: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: Box<str>, _: Txt, _: Instant) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

    fn why(records: &[&str]) -> Option<&'static str> {
        let records: Vec<Vec<u8>> = records.iter().map(|record| record.as_bytes().to_vec()).collect();
        match judge(&records) {
            Found::Key(_) => None,
            Found::Unfit(why) => Some(why),
            Found::Later => panic!("nobody was asked"),
        }
    }

    #[test]
    fn a_key_counts_if_it_is_one_and_for_mail() {
        for fit in ["", "v=DKIM1; ", "v=DKIM1; t=s; ", "s=email:x; ", "s=*; ", "h=sha1:sha256; ", "n=a note; "] {
            assert_eq!(why(&[&format!("{fit}{KEY}")]), None, "{fit}");
        }
        assert_eq!(why(&[KEY, "v=spf1 -all"]), None, "other records at the name are none of ours");
        for unfit in ["v=DKIM2; ", "t=y; ", "t=s:y; ", "s=tlsrpt; ", "h=sha1; ", "k=dsa; ", "t=s; t=y; "] {
            let record = format!("{unfit}{}", if unfit.contains("k=") { &KEY[11..] } else { KEY });
            assert!(why(&[&record]).is_some(), "{record}");
        }
        for unfit in ["k=ed25519; p=", "k=ed25519", "", "p=!"] {
            assert!(why(&[unfit]).is_some(), "{unfit}");
        }
        assert!(why(&[KEY, KEY]).is_some() && why(&[]).is_some());
    }

    #[test]
    fn what_was_not_fetched_does_not_exist() {
        let fetched = Fetched::default();
        assert!(matches!(fetched.get::<str>("a._domainkey.x.org."), Some(Txt::Error(_))));
    }
}
