//! A mailbox that a person connects: how its server is spoken to, by what one signs in there, and for what that is sealed. Refuses a folder
//! of junk, since nothing in it is proof of anything, and what could end a line of IMAP.

use serde::{Deserialize, Serialize};

use crate::address::Email;
use crate::error::{Error, Result};
use crate::id::{MailboxId, OrgId, UserId};
use crate::secret::Secret;

/// The longest secret, in bytes: refresh tokens have up to two thousand.
pub const SECRET_MOST: usize = 4096;
/// The longest name of a user or a folder, in bytes.
pub const NAME_MOST: usize = 254;
/// Addresses of one mailbox.
pub const ADDRESSES_MOST: usize = 5;
/// How often a server may refuse what it is told before nobody tries any more: each try counts, and some servers lock an account.
pub const REFUSALS: i64 = 3;

/// How a connection is protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Security {
    /// TLS from the first byte.
    Tls,
    /// TLS before anything is said.
    StartTls,
    /// None, to this machine only.
    None,
}

/// Every one, with its word.
const SECURITIES: [(Security, &str); 3] =
    [(Security::Tls, "tls"), (Security::StartTls, "starttls"), (Security::None, "none")];

impl Security {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        SECURITIES.iter().find(|(security, _)| *security == self).map_or("", |(_, word)| word)
    }

    /// The one of that word.
    ///
    /// # Errors
    /// `Invalid` with the field `security`.
    pub fn read(text: &str) -> Result<Self> {
        let found = SECURITIES.iter().find(|(_, word)| *word == text).map(|(security, _)| *security);
        found.ok_or(Error::Invalid { field: "security", why: "must be tls, starttls or none" })
    }

    /// Where such servers listen.
    pub fn port(self) -> u16 {
        if self == Self::Tls { 993 } else { 143 }
    }
}

/// By what one signs in.
#[derive(Clone)]
pub enum Credentials {
    /// A password, best one for this alone.
    Password(Secret<String>),
    /// An access token of OAuth 2, for as long as it lives.
    AccessToken(Secret<String>),
    /// What access tokens are asked for with.
    RefreshToken(Refresh),
}

/// What access tokens are asked for with (RFC 6749 section 6).
#[derive(Clone)]
pub struct Refresh {
    /// Where: the provider's token endpoint.
    pub endpoint: String,
    /// Who asks, as the provider knows it.
    pub client_id: String,
    /// The same's secret, if it has one.
    pub client_secret: Option<Secret<String>>,
    /// The person's word, as the provider gave it out.
    pub token: Secret<String>,
}

/// Credentials, as they are written before they are sealed.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Written {
    Password(String),
    AccessToken(String),
    RefreshToken { endpoint: String, client_id: String, client_secret: Option<String>, token: String },
}

/// The words for the three kinds.
pub const KINDS: [&str; 3] = ["password", "access_token", "refresh_token"];

impl Credentials {
    /// Which kind, in a word.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Password(_) => KINDS[0],
            Self::AccessToken(_) => KINDS[1],
            Self::RefreshToken(_) => KINDS[2],
        }
    }

    /// The same, if nothing in them is too long or could be taken for something else.
    ///
    /// # Errors
    /// `Invalid` with the name of the member.
    pub fn checked(self) -> Result<Self> {
        match &self {
            Self::Password(secret) => check("password", secret.expose(), SECRET_MOST)?,
            Self::AccessToken(secret) => check("accessToken", secret.expose(), SECRET_MOST)?,
            Self::RefreshToken(refresh) => {
                check("clientId", &refresh.client_id, NAME_MOST)?;
                if let Some(secret) = &refresh.client_secret {
                    check("clientSecret", secret.expose(), SECRET_MOST)?;
                }
                check("refreshToken", refresh.token.expose(), SECRET_MOST)?;
            }
        }
        Ok(self)
    }

    /// As they are sealed.
    ///
    /// # Errors
    /// `Internal` if they can't be written.
    pub fn write(&self) -> Result<Secret<String>> {
        let text = |secret: &Secret<String>| secret.expose().clone();
        let written = match self {
            Self::Password(secret) => Written::Password(text(secret)),
            Self::AccessToken(secret) => Written::AccessToken(text(secret)),
            Self::RefreshToken(refresh) => Written::RefreshToken {
                endpoint: refresh.endpoint.clone(),
                client_id: refresh.client_id.clone(),
                client_secret: refresh.client_secret.as_ref().map(text),
                token: text(&refresh.token),
            },
        };
        serde_json::to_string(&written).map(Secret::new).map_err(Error::internal)
    }

    /// What was written. None: it was not.
    pub fn read(text: &Secret<String>) -> Option<Self> {
        Some(match serde_json::from_str(text.expose()).ok()? {
            Written::Password(secret) => Self::Password(Secret::new(secret)),
            Written::AccessToken(secret) => Self::AccessToken(Secret::new(secret)),
            Written::RefreshToken { endpoint, client_id, client_secret, token } => Self::RefreshToken(Refresh {
                endpoint,
                client_id,
                client_secret: client_secret.map(Secret::new),
                token: Secret::new(token),
            }),
        })
    }
}

/// For which mailbox credentials are sealed. The server is part of it: whoever can write the database and names another host in the row has
/// nothing sent there.
pub struct Sealed<'a> {
    /// In which org.
    pub org: &'a OrgId,
    /// Whose.
    pub owner: &'a UserId,
    /// Which.
    pub id: &'a MailboxId,
    /// Its server.
    pub host: &'a str,
    /// And port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Who signs in.
    pub user: &'a str,
}

impl Sealed<'_> {
    /// The place, as the vault takes it.
    pub fn place<T>(&self, then: impl FnOnce(&[&[u8]]) -> T) -> T {
        let port = self.port.to_be_bytes();
        then(&[
            b"mailbox",
            self.org.as_bytes(),
            self.owner.as_bytes(),
            self.id.as_bytes(),
            self.host.as_bytes(),
            &port,
            self.security.as_str().as_bytes(),
            self.user.as_bytes(),
        ])
    }
}

/// A text that is not empty, not too long, and ends no line.
///
/// # Errors
/// `Invalid` with that field.
pub fn check(field: &'static str, text: &str, most: usize) -> Result<()> {
    if text.is_empty() || text.len() > most || text.chars().any(char::is_control) {
        return Err(Error::Invalid { field, why: "must not be empty, nor too long, nor have control characters" });
    }
    Ok(())
}

/// A folder that may be watched.
///
/// # Errors
/// `Invalid` with the field `folder`.
pub fn check_folder(folder: &str) -> Result<()> {
    check("folder", folder, NAME_MOST)?;
    let lower = folder.to_lowercase();
    if ["junk", "spam"].iter().any(|word| lower.contains(word)) {
        return Err(Error::Invalid {
            field: "folder",
            why: "must not be the junk: nothing in there proves who sent it",
        });
    }
    Ok(())
}

/// The addresses that mail of a mailbox may name: those that were said, else the user, if that is one.
///
/// # Errors
/// `Invalid` with the field `addresses`.
pub fn addresses(said: &[String], user: &str) -> Result<Vec<Email>> {
    let bad = |why| Error::Invalid { field: "addresses", why };
    if said.is_empty() {
        return Email::parse(user).map(|email| vec![email]).map_err(|_| bad("is required: the user is no address"));
    }
    if said.len() > ADDRESSES_MOST {
        return Err(bad("must be at most five"));
    }
    said.iter().map(|text| Email::parse(text).map_err(|_| bad("must be addresses of this mailbox"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[test]
    fn credentials_are_read_as_they_were_written() {
        let refresh = |client_secret| Refresh {
            endpoint: "https://id.example/token".to_owned(),
            client_id: "app".to_owned(),
            client_secret,
            token: secret("r \"q\""),
        };
        for (credentials, kind) in [
            (Credentials::Password(secret("p\\w")), "password"),
            (Credentials::AccessToken(secret("a")), "access_token"),
            (Credentials::RefreshToken(refresh(None)), "refresh_token"),
            (Credentials::RefreshToken(refresh(Some(secret("s")))), "refresh_token"),
        ] {
            let written = credentials.checked().unwrap().write().unwrap();
            let read = Credentials::read(&written).unwrap();
            assert_eq!((read.kind(), read.write().unwrap().expose()), (kind, written.expose()));
        }
        for nonsense in ["", "{}", r#"{"password":1}"#, r#"{"key":"x"}"#] {
            assert!(Credentials::read(&secret(nonsense)).is_none(), "{nonsense}");
        }
    }

    #[test]
    fn what_could_end_a_line_is_refused() {
        for bad in ["", "a\r\nb", "a\0", "a\u{1}auth=Bearer x", &"x".repeat(SECRET_MOST + 1)] {
            assert!(Credentials::Password(secret(bad)).checked().is_err(), "{bad:?}");
        }
        assert!(Credentials::Password(secret("päss wörd")).checked().is_ok());
        for folder in ["Junk", "INBOX/Junk E-Mail", "[Gmail]/Spam", "SPAM", ""] {
            assert!(check_folder(folder).is_err(), "{folder}");
        }
        assert!(check_folder("INBOX").is_ok() && check_folder("Codes").is_ok());
    }

    #[test]
    fn a_mailbox_has_an_address() {
        assert_eq!(
            addresses(&[], "Ada@Home.example").unwrap()[0].as_str(),
            Email::parse("Ada@Home.example").unwrap().as_str()
        );
        assert!(addresses(&[], "ada").is_err());
        assert_eq!(addresses(&["ada@home.example".to_owned()], "ada").unwrap().len(), 1);
        assert!(addresses(&vec!["ada@home.example".to_owned(); 6], "ada").is_err());
        assert!(addresses(&["no".to_owned()], "ada").is_err());
    }

    #[test]
    fn another_server_is_another_place() {
        let (org, owner, id) =
            (OrgId::from_bytes([1; 16]), UserId::from_bytes([2; 16]), MailboxId::from_bytes([3; 16]));
        let of = |host, port, security, user| {
            let sealed = Sealed { org: &org, owner: &owner, id: &id, host, port, security, user };
            sealed.place(|place| place.iter().map(|part| part.to_vec()).collect::<Vec<_>>())
        };
        let right = of("imap.example.com", 993, Security::Tls, "ada");
        for other in [
            of("imap.evil.example", 993, Security::Tls, "ada"),
            of("imap.example.com", 143, Security::Tls, "ada"),
            of("imap.example.com", 993, Security::None, "ada"),
            of("imap.example.com", 993, Security::Tls, "eve"),
        ] {
            assert_ne!(right, other);
        }
    }
}
