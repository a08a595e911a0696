//! `/signin`: address, code, and back to where one came from. Refuses a way back that is not on its org's list, to say whether an
//! address has an account, and to be of use to another site.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};
use doorcode_core::redirect::{is_challenge, with_query};
use doorcode_core::{Email, Error, GuessPolicy, OrgId, Result, Secret, Shape};

use super::asked::Asked;
use super::forms::{Sent, TOKEN_FIELD, Token};
use super::onward::{NEXT_FIELD, onward};
use super::pages::{
    AddressProblem, CODE_FIELD, CodeProblem, EMAIL_FIELD, Form, SignInAddress, SignInCode, sign_in_address,
    sign_in_code,
};
use super::reply::{Page, frame, go, minutes, refusal};
use super::{browser, cookies, sealed};
use crate::app::App;
use crate::ops::challenges::{self as engine, Attempt, Entry, Live, Start, Terms};
use crate::ops::client::Client;
use crate::ops::redirects::{self, AppRequest};
use crate::ops::relays::Approver;
use crate::ops::sessions;
use crate::ops::sign_in::{Earned, PURPOSE, Wish, enter_browser};

/// The hidden field with what an app asked for.
const REQUEST_FIELD: &str = "request";
/// The most bytes of an app's `state` and `nonce`.
const ECHO_MOST: usize = 512;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/signin", get(address_page).post(address_sent))
        .route("/signin/code", get(code_page).post(code_sent))
        .route("/signin/resend", post(resend))
}

/// Where one goes when signed in: to an app, or to a page of ours; else to the account.
#[derive(Clone, Default)]
struct Goal {
    request: Option<AppRequest>,
    next: Option<String>,
}

type Parameters = std::result::Result<Query<Vec<(String, String)>>, QueryRejection>;

async fn address_page(State(app): State<Arc<App>>, headers: HeaderMap, query: Parameters) -> Response {
    let Ok(Query(parameters)) = query else { return Page::refused(&app, &headers) };
    let request = match requested(&app, &parameters).await {
        Ok(request) => request,
        Err(error) => return refusal(&app, &headers, &error),
    };
    let one = |wanted: &str| parameters.iter().find(|(name, _)| name == wanted).map_or("", |(_, value)| value.as_str());
    let goal = Goal { next: onward(one(NEXT_FIELD)).filter(|_| request.is_none()), request };
    let mut typed = one("login_hint").to_owned();
    if goal.request.is_none()
        && let Some(live) = browser::session(&app, &headers).await
    {
        match &goal.next {
            None => return go("/account", None),
            Some(next) if Approver::of_session(&app, &live).is_ok() => return go(next, None),
            // What is wanted there needs a younger sign-in than the one that there is.
            Some(_) => typed = live.owner.email.clone().unwrap_or_default(),
        }
    }
    ask_address(&app, &headers, &goal, &typed, None)
}

/// What an app asks for in the address of the page (RFC 6749 section 4.1.1, RFC 7636 section 4.3).
async fn requested(app: &App, parameters: &[(String, String)]) -> Result<Option<AppRequest>> {
    let one = |name: &str| -> Result<Option<String>> {
        let mut found = parameters.iter().filter(|(had, _)| had == name).map(|(_, value)| value.clone());
        match (found.next(), found.next()) {
            (value, None) => Ok(value.filter(|value| !value.is_empty())),
            _ => Err(Error::Invalid { field: "query", why: "must name each parameter once" }),
        }
    };
    let (client, uri) = (one("client_id")?, one("redirect_uri")?);
    if client.is_none() && uri.is_none() {
        return Ok(None);
    }
    let method = one("code_challenge_method")?;
    let request = AppRequest {
        client_id: client.unwrap_or_default(),
        redirect_uri: uri.unwrap_or_default(),
        code_challenge: one("code_challenge")?.unwrap_or_default(),
        state: one("state")?,
        nonce: one("nonce")?,
    };
    if one("response_type")?.as_deref() != Some("code") || method.as_deref() != Some("S256") {
        return Err(Error::Invalid { field: "response_type", why: "must be code, with a code_challenge by S256" });
    }
    check(app, request).await.map(Some)
}

/// The request, if it may be granted.
async fn check(app: &App, request: AppRequest) -> Result<AppRequest> {
    let long = |text: &Option<String>| text.as_ref().is_some_and(|text| text.len() > ECHO_MOST);
    if !is_challenge(&request.code_challenge) || long(&request.state) || long(&request.nonce) {
        return Err(Error::Invalid { field: "code_challenge", why: "must be one by S256; state and nonce are short" });
    }
    let client: OrgId = request.client_id.parse()?;
    if redirects::is_listed(app, client, &request.redirect_uri).await? {
        Ok(request)
    } else {
        Err(Error::Invalid { field: "redirect_uri", why: "is not on the list" })
    }
}

fn ask_address(app: &App, headers: &HeaderMap, goal: &Goal, typed: &str, problem: Option<AddressProblem>) -> Response {
    let token = match Token::of(app, headers) {
        Ok(token) => token,
        Err(error) => return refusal(app, headers, &error),
    };
    let request = goal.request.as_ref().and_then(|request| serde_json::to_vec(request).ok());
    let request = request.map(|bytes| sealed::seal(app, "request", &bytes)).unwrap_or_default();
    let mut hidden = vec![(TOKEN_FIELD, token.token.as_str()), (REQUEST_FIELD, request.as_str())];
    hidden.extend(goal.next.as_deref().map(|next| (NEXT_FIELD, next)));
    let form = Form { action: "/signin", hidden: &hidden };
    let html = sign_in_address(&SignInAddress { frame: frame(app, headers), form, typed, problem });
    let status = match problem {
        None => StatusCode::OK,
        Some(AddressProblem::Invalid) => StatusCode::UNPROCESSABLE_ENTITY,
        Some(AddressProblem::TooMany(_)) => StatusCode::TOO_MANY_REQUESTS,
        Some(AddressProblem::FormExpired) => StatusCode::FORBIDDEN,
    };
    Page::new(html).status(status).cookie(token.cookie).answer()
}

async fn address_sent(State(app): State<Arc<App>>, client: Client, form: Sent) -> Response {
    let (headers, typed) = (&form.headers, form.field(EMAIL_FIELD));
    let request = match request_of(&app, &form).await {
        Ok(request) => request,
        Err(error) => return refusal(&app, headers, &error),
    };
    let goal = Goal { next: onward(form.field(NEXT_FIELD)).filter(|_| request.is_none()), request };
    if !form.is_ours(&app) {
        return ask_address(&app, headers, &goal, typed, Some(AddressProblem::FormExpired));
    }
    let Ok(email) = Email::parse(typed) else {
        return ask_address(&app, headers, &goal, typed, Some(AddressProblem::Invalid));
    };
    match send(&app, client, &email, goal.clone()).await {
        Ok(cookie) => go("/signin/code", [cookie]),
        Err(Error::Limited { retry_after, .. }) => {
            let problem = AddressProblem::TooMany(minutes(retry_after));
            ask_address(&app, headers, &goal, typed, Some(problem))
        }
        Err(error) => refusal(&app, headers, &error),
    }
}

/// What the form says that an app asked for: sealed by us, and checked again, since a list may have changed.
async fn request_of(app: &App, form: &Sent) -> Result<Option<AppRequest>> {
    let sealed = form.field(REQUEST_FIELD);
    if sealed.is_empty() {
        return Ok(None);
    }
    let bytes = sealed::open(app, "request", sealed).ok_or(Error::Forbidden)?;
    let request = serde_json::from_slice(&bytes).map_err(|_| Error::Forbidden)?;
    check(app, request).await.map(Some)
}

/// Has a code and a link sent; gives what the browser keeps of it. The same for every address.
async fn send(app: &Arc<App>, client: Client, email: &Email, goal: Goal) -> Result<String> {
    let native = app.config.native;
    let ask = Start {
        realm: OrgId::HOUSE,
        purpose: PURPOSE,
        to: email.clone().into(),
        shape: app.config.outx.shape,
        life: native.life,
        renew: native.renew,
        language: app.config.mail.texts.choose(&client.languages).language.into(),
        full_name: None,
        client,
        live: Live::Resent,
        link: true,
        terms: Terms::default(),
    };
    let challenge = engine::start(app, ask).await?;
    let mut asked = Asked::new(challenge.id, email, challenge.shape.is_long(), goal.request, app.clock.now());
    asked.next = goal.next;
    asked.cookie(app)
}

async fn code_page(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    match Asked::of(&app, &headers) {
        Some(asked) => ask_code(&app, &headers, &asked, None),
        None => go("/signin", None),
    }
}

fn ask_code(app: &App, headers: &HeaderMap, asked: &Asked, problem: Option<CodeProblem>) -> Response {
    let made = Token::of(app, headers).and_then(|token| Ok((token, asked.email()?, asked.cookie(app)?)));
    let (token, email, cookie) = match made {
        Ok(made) => made,
        Err(error) => return refusal(app, headers, &error),
    };
    let hidden = [(TOKEN_FIELD, token.token.as_str())];
    let html = sign_in_code(&SignInCode {
        frame: frame(app, headers),
        form: Form { action: "/signin/code", hidden: &hidden },
        masked: &email.masked(),
        shape: if asked.long { Shape::LONG } else { app.config.outx.shape },
        problem,
        resend: Form { action: "/signin/resend", hidden: &hidden },
        resend_in: asked.pause(app),
        other_address: "/signin",
    });
    let status = match problem {
        None => StatusCode::OK,
        Some(CodeProblem::Wrong | CodeProblem::Expired) => StatusCode::UNPROCESSABLE_ENTITY,
        Some(CodeProblem::TooMany(_)) => StatusCode::TOO_MANY_REQUESTS,
        Some(CodeProblem::FormExpired) => StatusCode::FORBIDDEN,
    };
    let towards = asked.request.as_ref().map(|request| request.redirect_uri.as_str());
    // What was missed is kept; where nothing was, the cookie stays as it is.
    let changed = problem.is_some().then_some(cookie);
    Page::new(html).status(status).cookie(token.cookie).cookie(changed).towards(towards).answer()
}

async fn code_sent(State(app): State<Arc<App>>, client: Client, form: Sent) -> Response {
    let Some(asked) = Asked::of(&app, &form.headers) else { return go("/signin", None) };
    if !form.is_ours(&app) {
        return ask_code(&app, &form.headers, &asked, Some(CodeProblem::FormExpired));
    }
    let entry = Entry::Typed(Secret::new(form.field(CODE_FIELD).to_owned()));
    finish(&app, client, &form.headers, asked, entry).await
}

/// Checks what came back, and goes on to what it earned.
pub(super) async fn finish(
    app: &Arc<App>,
    client: Client,
    headers: &HeaderMap,
    mut asked: Asked,
    entry: Entry,
) -> Response {
    let to = match asked.email() {
        Ok(email) => email,
        Err(error) => return refusal(app, headers, &error),
    };
    let shape = app.config.outx.shape;
    let client = match cookies::get(app, headers, cookies::FORMS) {
        Some(mark) => client.holding(&mark),
        None => client,
    };
    let terms = Terms::default();
    let attempt =
        Attempt { realm: OrgId::HOUSE, purpose: PURPOSE, to: to.into(), only: None, entry, shape, client, terms };
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let before = browser::session(app, headers).await.map(|live| live.session.id);
    let wish = Wish { agent: browser::name_of(agent), before, request: asked.request.clone() };
    match enter_browser(app, attempt, wish).await {
        Ok(Some(earned)) => earned_page(app, headers, &asked, &earned),
        Ok(None) => {
            asked.misses += 1;
            let problem = if asked.is_over(app) {
                CodeProblem::Expired
            } else if asked.misses >= GuessPolicy::for_shape(shape).per_code && !asked.long {
                CodeProblem::TooMany(minutes(std::time::Duration::from_secs(u64::from(asked.pause(app)))))
            } else {
                CodeProblem::Wrong
            };
            ask_code(app, headers, &asked, Some(problem))
        }
        Err(error) => refusal(app, headers, &error),
    }
}

/// To the account with a session, or to the app with its code.
fn earned_page(app: &App, headers: &HeaderMap, asked: &Asked, earned: &Earned) -> Response {
    let over = cookies::end(app, cookies::ASKED);
    match (earned, &asked.request) {
        (Earned::Session(session), _) => match sessions::cookie(app, session) {
            Ok(value) => {
                let left = session.until.since(app.clock.now()).as_secs();
                let next = asked.next.as_deref().and_then(onward);
                go(
                    next.as_deref().unwrap_or("/account"),
                    [cookies::set(app, cookies::SESSION, value.expose(), left), over],
                )
            }
            Err(error) => refusal(app, headers, &error),
        },
        (Earned::Code(code), Some(request)) => {
            let base = app.base_url();
            let mut parameters = vec![("code", code.expose().as_str()), ("iss", base.as_str())];
            if let Some(state) = &request.state {
                parameters.push(("state", state));
            }
            go(&with_query(&request.redirect_uri, &parameters), [over])
        }
        (Earned::Code(_), None) => refusal(app, headers, &Error::Gone),
    }
}

async fn resend(State(app): State<Arc<App>>, client: Client, form: Sent) -> Response {
    let Some(asked) = Asked::of(&app, &form.headers) else { return go("/signin", None) };
    if !form.is_ours(&app) {
        return ask_code(&app, &form.headers, &asked, Some(CodeProblem::FormExpired));
    }
    if asked.pause(&app) > 0 {
        return go("/signin/code", None);
    }
    let email = match asked.email() {
        Ok(email) => email,
        Err(error) => return refusal(&app, &form.headers, &error),
    };
    let goal = Goal { request: asked.request.clone(), next: asked.next.clone() };
    match send(&app, client, &email, goal).await {
        Ok(cookie) => go("/signin/code", [cookie]),
        Err(Error::Limited { retry_after, .. }) => {
            ask_code(&app, &form.headers, &asked, Some(CodeProblem::TooMany(minutes(retry_after))))
        }
        Err(error) => refusal(&app, &form.headers, &error),
    }
}
