//! An access token for a mailbox, asked for with what its person's provider gave out (RFC 6749 section 6). Asked for at each connection, so
//! that none is kept. Refuses to repeat a word of the provider's: it may quote what it was told.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use doorcode_core::Secret;
use doorcode_core::mailbox::Refresh;
use serde::Deserialize;
use url::form_urlencoded::Serializer;

use super::Trouble;
use crate::egress::{Egress, Target};

/// How long a provider may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What access tokens are asked for with, and where.
pub struct Grant {
    target: Target,
    kept: Mutex<Refresh>,
}

/// What the provider gave out.
pub(super) struct Fresh {
    /// Signs in.
    pub(super) access: Secret<String>,
    /// The grant, if it is another one from now on.
    pub(super) renewed: Option<Refresh>,
}

/// The answer of a token endpoint, good or not.
#[derive(Deserialize)]
struct Answer {
    access_token: Option<String>,
    refresh_token: Option<String>,
    error: Option<String>,
}

impl Grant {
    /// For a provider that may be asked.
    pub fn new(target: Target, refresh: Refresh) -> Self {
        Self { target, kept: Mutex::new(refresh) }
    }

    /// Asks for an access token. Where the provider gives another grant with it, that one is asked with from now on.
    pub(super) async fn ask(&self, egress: &Egress) -> Result<Fresh, Trouble> {
        let before = self.lock().clone();
        let headers = [
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
            ("accept", "application/json".to_owned()),
        ];
        let (status, body) = egress.ask(&self.target, &headers, form(&before), PATIENCE).await?;
        let body = zeroize::Zeroizing::new(body);
        let (access, next) = read(status, &body)?;
        let renewed = next.filter(|next| next.expose() != before.token.expose());
        let renewed = renewed.map(|token| Refresh { token, ..before });
        if let Some(renewed) = &renewed {
            *self.lock() = renewed.clone();
        }
        Ok(Fresh { access, renewed })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Refresh> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn form(refresh: &Refresh) -> Vec<u8> {
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "refresh_token");
    form.append_pair("refresh_token", refresh.token.expose());
    form.append_pair("client_id", &refresh.client_id);
    if let Some(secret) = &refresh.client_secret {
        form.append_pair("client_secret", secret.expose());
    }
    form.finish().into_bytes()
}

/// The access token of an answer, and the next grant if there is one.
fn read(status: u16, body: &[u8]) -> Result<(Secret<String>, Option<Secret<String>>), Trouble> {
    let answer: Option<Answer> = serde_json::from_slice(body).ok();
    let error = answer.as_ref().and_then(|answer| answer.error.as_deref());
    // What no later try mends (RFC 6749 section 5.2).
    if (400..500).contains(&status) && matches!(error, Some("invalid_grant" | "invalid_client" | "unauthorized_client"))
    {
        return Err(Trouble::Refused);
    }
    let failed = Trouble::Line("the provider gives no access token");
    if status != 200 {
        return Err(failed);
    }
    let Some(Answer { access_token: Some(access), refresh_token, .. }) = answer else { return Err(failed) };
    // It goes into a line of IMAP.
    if access.is_empty() || access.chars().any(char::is_control) {
        return Err(failed);
    }
    Ok((Secret::new(access), refresh_token.filter(|token| !token.is_empty()).map(Secret::new)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(status: u16, body: &str) -> Result<(String, Option<String>), Trouble> {
        let plain = |secret: Secret<String>| secret.expose().clone();
        read(status, body.as_bytes()).map(|(access, next)| (plain(access), next.map(plain)))
    }

    #[test]
    fn answers_are_read() {
        let good = r#"{"access_token":"a","expires_in":3599,"token_type":"Bearer"}"#;
        assert_eq!(kinds(200, good), Ok(("a".to_owned(), None)));
        let next = r#"{"access_token":"a","refresh_token":"r"}"#;
        assert_eq!(kinds(200, next), Ok(("a".to_owned(), Some("r".to_owned()))));
        for error in ["invalid_grant", "invalid_client", "unauthorized_client"] {
            assert_eq!(kinds(400, &format!(r#"{{"error":"{error}"}}"#)), Err(Trouble::Refused), "{error}");
        }
        for (status, body) in [
            (400, r#"{"error":"temporarily_unavailable"}"#),
            (503, r#"{"error":"invalid_grant"}"#),
            (500, "<html>"),
            (200, "{}"),
            (200, r#"{"access_token":"a\r\nb"}"#),
            (201, good),
        ] {
            assert!(matches!(kinds(status, body), Err(Trouble::Line(_))), "{status} {body}");
        }
    }

    #[test]
    fn the_form_is_that_of_the_standard() {
        let refresh = Refresh {
            endpoint: "https://id.example/token".to_owned(),
            client_id: "a&b".to_owned(),
            client_secret: Some(Secret::new("c d".to_owned())),
            token: Secret::new("1//x".to_owned()),
        };
        let said = String::from_utf8(form(&refresh)).unwrap();
        assert_eq!(said, "grant_type=refresh_token&refresh_token=1%2F%2Fx&client_id=a%26b&client_secret=c+d");
    }
}
