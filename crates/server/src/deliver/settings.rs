//! What the operator says about the mail server. Refuses, before anything is sent, what would fail later or send codes
//! in plain text to another machine, and names the setting.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use doorcode_core::Secret;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, TlsParameters, TlsParametersBuilder};

use super::mime::Sender;

/// How the connection is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte; port 465 (RFC 8314).
    ImplicitTls,
    /// TLS by STARTTLS, required; port 587.
    StartTls,
    /// No TLS. Only to this machine, unless `allow_plaintext` is set.
    None,
}

/// How to reach the mail server, and who mails come from.
pub struct SmtpSettings {
    /// The mail server's name or address. Its certificate must be for this.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is secured.
    pub security: Security,
    /// Allows [`Security::None`] to another machine, where anybody on the way can read every code.
    pub allow_plaintext: bool,
    /// The name to sign in with; none for a server that asks for none.
    pub username: Option<String>,
    /// The password to it.
    pub password: Option<Secret<String>>,
    /// The certificates to trust (PEM), in the place of the public ones.
    pub ca_file: Option<PathBuf>,
    /// The sender, as in `Doorcode <no-reply@example.com>`.
    pub from: String,
    /// Where answers go.
    pub reply_to: Option<String>,
    /// The longest that one attempt may take, the wait for a connection included.
    pub timeout: Duration,
    /// The most connections at a time.
    pub pool: u32,
    /// The name to give in EHLO; else the name of this machine.
    pub hello_name: Option<String>,
}

/// A setting that can't be used.
#[derive(Debug, PartialEq, Eq)]
pub struct SettingError {
    /// The field of [`SmtpSettings`].
    pub setting: &'static str,
    /// What is wrong with it. Never holds the value of a secret.
    pub why: String,
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mail.{}: {}", self.setting, self.why)
    }
}

impl std::error::Error for SettingError {}

impl SmtpSettings {
    pub(super) fn check(&self) -> Result<(), SettingError> {
        if self.host.is_empty() {
            return Err(wrong("host", "is missing"));
        }
        if self.port == 0 {
            return Err(wrong("port", "must be 1 to 65535"));
        }
        if self.security == Security::None && !self.allow_plaintext && !is_loopback(&self.host) {
            let why = "\"none\" would send every code in plain text over the network; choose implicit TLS or STARTTLS";
            return Err(wrong("security", why));
        }
        if self.timeout.is_zero() {
            return Err(wrong("timeout", "must be longer than nothing"));
        }
        if self.pool == 0 {
            return Err(wrong("pool", "must be at least 1"));
        }
        match &self.hello_name {
            Some(name) if name.is_empty() || !name.bytes().all(|b| b.is_ascii_graphic()) => {
                Err(wrong("hello_name", "must be a host name"))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn tls(&self) -> Result<TlsParameters, SettingError> {
        let mut builder = TlsParametersBuilder::new(self.host.clone());
        if let Some(path) = &self.ca_file {
            let pem = std::fs::read(path).map_err(|error| wrong("ca_file", &format!("can't be read: {error}")))?;
            if !pem.windows(27).any(|window| window == b"-----BEGIN CERTIFICATE-----") {
                return Err(wrong("ca_file", "holds no certificate in PEM form"));
            }
            let roots = Certificate::from_pem(&pem).map_err(|_| wrong("ca_file", "holds a broken certificate"))?;
            builder = builder.certificate_store(CertificateStore::None).add_root_certificate(roots);
        }
        builder.build().map_err(|_| wrong("ca_file", "holds a certificate that can't be trusted"))
    }

    pub(super) fn credentials(&self) -> Result<Option<Credentials>, SettingError> {
        match (&self.username, &self.password) {
            (Some(name), Some(password)) => Ok(Some(Credentials::new(name.clone(), password.expose().clone()))),
            (Some(_), None) => Err(wrong("password", "is missing, and username is set")),
            (None, Some(_)) => Err(wrong("username", "is missing, and password is set")),
            (None, None) => Ok(None),
        }
    }

    pub(super) fn sender(&self) -> Result<Sender, SettingError> {
        let form = "must look like `Doorcode <no-reply@example.com>`";
        let from = self.from.parse().map_err(|_| wrong("from", form))?;
        let reply_to = self.reply_to.as_deref().map(str::parse).transpose().map_err(|_| wrong("reply_to", form))?;
        Ok(Sender { from, reply_to })
    }
}

fn wrong(setting: &'static str, why: &str) -> SettingError {
    SettingError { setting, why: why.to_owned() }
}

/// Whether `host` is this machine: a loopback address or `localhost` (RFC 6761 section 6.3).
fn is_loopback(host: &str) -> bool {
    match host.parse::<std::net::IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::smtp::Smtp;
    use super::*;

    fn settings() -> SmtpSettings {
        SmtpSettings {
            host: "mail.example.com".to_owned(),
            port: 465,
            security: Security::ImplicitTls,
            allow_plaintext: false,
            username: None,
            password: None,
            ca_file: None,
            from: "Doorcode <no-reply@example.com>".to_owned(),
            reply_to: None,
            timeout: Duration::from_secs(10),
            pool: 4,
            hello_name: None,
        }
    }

    fn refused(change: impl FnOnce(&mut SmtpSettings)) -> &'static str {
        let mut settings = settings();
        change(&mut settings);
        Smtp::new(&settings).err().map_or("", |error| error.setting)
    }

    #[test]
    fn a_wrong_setting_is_named() {
        assert_eq!(refused(|_| ()), "");
        assert_eq!(refused(|s| s.host.clear()), "host");
        assert_eq!(refused(|s| s.port = 0), "port");
        assert_eq!(refused(|s| s.pool = 0), "pool");
        assert_eq!(refused(|s| s.timeout = Duration::ZERO), "timeout");
        assert_eq!(refused(|s| s.from = "no-reply".to_owned()), "from");
        assert_eq!(refused(|s| s.reply_to = Some("x".to_owned())), "reply_to");
        assert_eq!(refused(|s| s.hello_name = Some("a b".to_owned())), "hello_name");
        assert_eq!(refused(|s| s.username = Some("x".to_owned())), "password");
        assert_eq!(refused(|s| s.password = Some(Secret::new("x".to_owned()))), "username");
        assert_eq!(refused(|s| s.ca_file = Some("/nonexistent".into())), "ca_file");
        assert_eq!(refused(|s| s.ca_file = Some("/dev/null".into())), "ca_file");
    }

    #[test]
    fn plain_text_stays_on_this_machine() {
        for (host, allow, setting) in [
            ("mail.example.com", false, "security"),
            ("10.0.0.1", false, "security"),
            ("localhost.example.com", false, "security"),
            ("mail.example.com", true, ""),
            ("localhost", false, ""),
            ("127.0.0.2", false, ""),
            ("::1", false, ""),
        ] {
            let change = |s: &mut SmtpSettings| {
                s.security = Security::None;
                s.host = host.to_owned();
                s.allow_plaintext = allow;
            };
            assert_eq!(refused(change), setting, "{host}");
        }
    }
}
