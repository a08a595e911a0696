//! Mailboxes that this server watches: `/v1/mailboxes`. Our own addition to the contract. To connect one, or to give it other credentials, takes
//! what a yes takes: from then on this server reads the messages. Refuses agents and devices, and to show a credential again.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use doorcode_core::mailbox::{Credentials, Refresh, Security};
use doorcode_core::relay::Named as _;
use doorcode_core::{MailboxId, Secret};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::answers::{BodyProblems, NoApprover, NoKey, NoPerson, NotFound, TooManyChanges, Unavailable};
use super::caller::{ByPerson, ByRuler};
use super::error::{self, Answer, ErrorBody, Refused, about, moment};
use super::fields::{Fields, wrong};
use crate::api::segment::Segment;
use crate::app::App;
use crate::ops::mailboxes::{self, Wanted};
use crate::store::mailboxes::Mailbox;

/// A mailbox that is to be connected, with one way to sign in. Every member may also be spelt in the other way.
#[derive(ToSchema)]
#[schema(as = NewMailbox)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "the document is made of it")]
pub(crate) struct NewMailbox {
    /// Its IMAP server.
    #[schema(example = "imap.example.com")]
    host: String,
    /// 993 or 143; without it the one that goes with `security`.
    #[schema(minimum = 1, maximum = 65535)]
    port: Option<u16>,
    /// `tls`, `starttls`, or `none` to this machine; without it `tls`.
    security: Option<String>,
    /// Who signs in.
    #[schema(example = "ada@example.com", max_length = 254)]
    user: String,
    /// Its addresses, one of which a message must name; without them the user.
    #[schema(max_items = 5)]
    addresses: Option<Vec<String>>,
    /// Which folder; without it INBOX.
    #[schema(max_length = 254)]
    folder: Option<String>,
    /// What you call it.
    #[schema(max_length = 64)]
    name: Option<String>,
    #[serde(flatten)]
    credentials: MailboxCredentials,
}

/// By what to sign in: `password`, or `accessToken`, or `refreshToken` with `tokenEndpoint` and `clientId`.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "the document is made of it")]
pub(crate) struct MailboxCredentials {
    /// A password, best one for this program alone.
    #[schema(max_length = 4096)]
    password: Option<String>,
    /// An access token of OAuth 2 (XOAUTH2), for as long as it lives.
    #[schema(max_length = 4096)]
    access_token: Option<String>,
    /// What access tokens are asked for with.
    #[schema(max_length = 4096)]
    refresh_token: Option<String>,
    /// Where: the provider's token endpoint.
    #[schema(example = "https://oauth2.example.com/token", max_length = 2048)]
    token_endpoint: Option<String>,
    /// Who asks, as the provider knows it.
    #[schema(max_length = 254)]
    client_id: Option<String>,
    /// The same's secret, if it has one.
    #[schema(max_length = 4096)]
    client_secret: Option<String>,
}

fn view(mailbox: &Mailbox) -> Value {
    let addresses: Vec<&str> = mailbox.addresses.lines().collect();
    json!({
        "id": mailbox.id.shown(),
        "name": mailbox.name,
        "host": mailbox.host,
        "port": mailbox.port,
        "security": mailbox.security,
        "user": mailbox.login,
        "addresses": addresses,
        "folder": mailbox.folder,
        "credentials": mailbox.kind,
        "state": mailbox.state,
        "error": mailbox.trouble,
        "stateSince": moment(mailbox.changed_at),
        "createdAt": moment(mailbox.id.made_at()),
        "readableByServer": true,
    })
}

fn credentials(fields: &mut Fields) -> Result<Credentials, Refused> {
    let mut secret = |name: &str| Ok::<_, Refused>(fields.text(name)?.map(Secret::new));
    let given = (secret("password")?, secret("accessToken")?, secret("refreshToken")?);
    Ok(match given {
        (Some(password), None, None) => Credentials::Password(password),
        (None, Some(token), None) => Credentials::AccessToken(token),
        (None, None, Some(token)) => Credentials::RefreshToken(Refresh {
            client_secret: secret("clientSecret")?,
            endpoint: fields.needed("tokenEndpoint")?,
            client_id: fields.needed("clientId")?,
            token,
        }),
        _ => return Err(wrong("password", "or accessToken or refreshToken is required, and one of them only")),
    })
}

fn named(text: &str) -> Result<MailboxId, Refused> {
    MailboxId::read(text).ok_or_else(|| Refused::from(error::absent("mailbox")))
}

/// Connects a mailbox: this server signs in to it, and can read its messages. It is watched within seconds; `state` says how that goes.
#[utoipa::path(post, path = "/v1/mailboxes", tag = "agentotp", operation_id = "create_mailbox", request_body = NewMailbox,
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 201, description = "It: `mailbox`, without its credentials", body = Object),
        NoKey,
        NoApprover,
        (status = 409, description = "There are as many as may be, or none may be connected here", body = ErrorBody),
        BodyProblems,
        TooManyChanges,
        Unavailable,
    ))]
pub(super) async fn create(State(app): State<Arc<App>>, ByRuler(whose): ByRuler, mut fields: Fields) -> Answer {
    let security = fields.text("security")?.unwrap_or_else(|| Security::Tls.as_str().to_owned());
    let port = fields.number("port", (1, 65_535))?.and_then(|port| u16::try_from(port).ok());
    let wanted = Wanted {
        name: fields.text("name")?.unwrap_or_default(),
        host: fields.needed("host")?,
        port,
        security: Security::read(&security)?,
        login: fields.needed("user")?,
        addresses: fields.texts("addresses")?.unwrap_or_default(),
        folder: fields.text("folder")?,
        credentials: credentials(&mut fields)?,
    };
    let made = mailboxes::create(&app, whose, wanted).await?;
    Ok((StatusCode::CREATED, Json(json!({ "success": true, "mailbox": view(&made) }))).into_response())
}

/// A person's mailboxes.
#[utoipa::path(get, path = "/v1/mailboxes", tag = "agentotp", operation_id = "list_mailboxes",
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "They", body = Object),
        NoKey,
        NoPerson,
        Unavailable,
    ))]
pub(super) async fn list(State(app): State<Arc<App>>, ByPerson(whose): ByPerson) -> Answer {
    let found: Vec<Value> = mailboxes::list(&app, whose.owner).await?.iter().map(view).collect();
    Ok(Json(json!({ "success": true, "mailboxes": found })).into_response())
}

/// One of them: `state` is `connecting`, `watching`, `away` or `credentials_refused`, and `error` says why it is not watched.
#[utoipa::path(get, path = "/v1/mailboxes/{id}", tag = "agentotp", operation_id = "show_mailbox",
    params(("id" = String, Path, description = "It", pattern = "^mailbox_[A-Za-z0-9_-]{22}$")),
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "It", body = Object),
        NoKey,
        NoPerson,
        NotFound,
        Unavailable,
    ))]
pub(super) async fn show(State(app): State<Arc<App>>, ByPerson(whose): ByPerson, Segment(text): Segment) -> Answer {
    let found = mailboxes::show(&app, whose.owner, named(&text)?).await.map_err(about("mailbox"))?;
    Ok(Json(json!({ "success": true, "mailbox": view(&found) })).into_response())
}

/// Gives a mailbox other credentials, and has it tried again.
#[utoipa::path(put, path = "/v1/mailboxes/{id}/credentials", tag = "agentotp", operation_id = "replace_mailbox_credentials",
    request_body = MailboxCredentials,
    params(("id" = String, Path, description = "It", pattern = "^mailbox_[A-Za-z0-9_-]{22}$")),
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "It", body = Object),
        NoKey,
        NoApprover,
        NotFound,
        BodyProblems,
        TooManyChanges,
        Unavailable,
    ))]
pub(super) async fn replace(
    State(app): State<Arc<App>>,
    ByRuler(whose): ByRuler,
    Segment(text): Segment,
    mut fields: Fields,
) -> Answer {
    let id = named(&text)?;
    let given = credentials(&mut fields)?;
    let found = mailboxes::replace(&app, whose, id, given).await.map_err(about("mailbox"))?;
    Ok(Json(json!({ "success": true, "mailbox": view(&found) })).into_response())
}

/// Removes a mailbox: its credentials are forgotten, and nobody looks into it any more.
#[utoipa::path(delete, path = "/v1/mailboxes/{id}", tag = "agentotp", operation_id = "delete_mailbox",
    params(("id" = String, Path, description = "It", pattern = "^mailbox_[A-Za-z0-9_-]{22}$")),
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "It is gone", body = Object),
        NoKey,
        NoPerson,
        NotFound,
        Unavailable,
    ))]
pub(super) async fn remove(State(app): State<Arc<App>>, ByPerson(whose): ByPerson, Segment(text): Segment) -> Answer {
    mailboxes::remove(&app, whose, named(&text)?).await.map_err(about("mailbox"))?;
    Ok(Json(json!({ "success": true })).into_response())
}
