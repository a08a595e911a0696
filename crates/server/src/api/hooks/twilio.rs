//! `POST /hooks/twilio/{token}`: an SMS, or a `WhatsApp` message, that came to a number at Twilio. Signed for the public URL of this server:
//! what `Host` says is not asked.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, Uri, header};
use axum::response::IntoResponse as _;
use doorcode_core::hook;
use doorcode_core::relay::{SMS, WHATSAPP};

use super::error::{Answer, PushProblems, invalid, unsigned};
use super::{Raw, lone};
use crate::api::segment::Segment;
use crate::app::App;
use crate::ops::hooks::{self, Kind, Text};

/// Parameters of one message; Twilio sends some thirty.
const PARAMETERS_MOST: usize = 200;
/// No message back.
const EMPTY: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response></Response>";

/// Takes a message from Twilio.
#[utoipa::path(post, path = "/hooks/twilio/{token}", tag = "hooks", operation_id = "push_twilio",
    params(("token" = String, Path, description = "What only Twilio knows"),
        ("X-Twilio-Signature" = String, Header, description = "Twilio's")),
    responses(
        (status = 200, description = "An empty TwiML answer, whatever became of it", body = String, content_type = "text/xml"),
        PushProblems,
    ))]
pub(super) async fn push(
    State(app): State<Arc<App>>,
    Segment(token): Segment,
    uri: Uri,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Answer {
    let by = hooks::secret_of(&app, Kind::Twilio, &token).await?;
    let parameters: Vec<(String, String)> =
        url::form_urlencoded::parse(&body).into_owned().take(PARAMETERS_MOST + 1).collect();
    let asked = uri.path_and_query().map_or(uri.path(), |whole| whole.as_str());
    let url = format!("{}{asked}", app.base_url());
    let signature = lone(&headers, "x-twilio-signature");
    if parameters.len() > PARAMETERS_MOST || !hook::is_twilios(&by.secret, &url, &parameters, signature) {
        return Err(unsigned());
    }
    let one = |name: &str| {
        let mut values = parameters.iter().filter(|(found, _)| found == name).map(|(_, value)| value.as_str());
        values.next().filter(|value| !value.is_empty() && values.next().is_none())
    };
    let Some(id) = one("MessageSid").or_else(|| one("SmsMessageSid")) else {
        return Err(invalid("MessageSid is missing"));
    };
    let from = one("From").unwrap_or_default();
    let (source, from) = from.strip_prefix("whatsapp:").map_or((SMS, from), |number| (WHATSAPP, number));
    let text = Text { source, from, text: one("Body").unwrap_or_default(), at: None, ids: &[id] };
    hooks::arrive(&app, &by.hook, &text).await?;
    Ok(([(header::CONTENT_TYPE, "text/xml")], EMPTY).into_response())
}
