//! Signed calls: a parent's backend brings codes back, each of a fresh person's in an organisation of their own, for keys that are sealed to a
//! device; and those keys ask who they are. All calls are signed before the clock runs: what is measured is the server's part. Some thousand
//! people sign up and are sent a code, then the clock runs until their codes are used, and stops for the next ones.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use doorcode_core::seal::turnkey::{BundleKey, open_grant};
use doorcode_core::stamp::Stamp;
use doorcode_core::{Secret, hex};
use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use hyper::header::HOST;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::child::{Server, Workspace};
use super::client::{Answer, Connection};
use super::crypto::Work;
use super::failure::{Failure, Outcome};
use super::mail::Mailbox;
use super::priority::step_back;
use super::report::{Process, Report};
use super::rig::{self, Rig, join};
use super::round::{self, Load, Round, Side};
use super::stats::Histogram;
use super::stopwatch::now;
use super::window::{Lane, Window};
use super::{Scenario, note};
use crate::clock::Clock;
use crate::entropy::{self, Entropy};

/// Codes that are ready when the clock begins to run, and at least so many of them for each connection.
const READY: usize = 2000;
const EACH: usize = 16;
/// People whose keys ask who they are.
const ASKING: usize = 256;
/// What is left to measure and shorter than this is let go.
const CRUMB: Duration = Duration::from_millis(20);
/// After the codes were sent; for the server's notes that they are.
const SETTLE: Duration = Duration::from_millis(30);

/// The backend that signs, and the device that keys are sealed to.
pub(super) struct Backend {
    key: BundleKey,
    device: BundleKey,
    org: String,
    clock: Clock,
    /// How many codes are ready when the clock begins to run.
    ready: usize,
}

/// A call that was signed.
pub(super) struct Signed {
    pub(super) request: Request<Full<Bytes>>,
    pub(super) stamp: Stamp,
    pub(super) body: Bytes,
}

/// Somebody with a code: their organisation, the start's id, the code.
type Coded = (String, String, Box<str>);

impl Backend {
    /// Makes its organisation in the data directory of `workspace`, before the server starts.
    pub(super) async fn new(workspace: &Workspace, connections: usize) -> Outcome<Self> {
        let mut backend = Self::alone(READY.max(connections * EACH))?;
        backend.org = rig::organization(workspace, &backend.key.public().to_hex()).await?;
        Ok(backend)
    }

    /// With its keys, and in no organisation.
    pub(super) fn alone(ready: usize) -> Outcome<Self> {
        let key = || {
            let seed = Entropy::real().bytes().map_err(Failure::during("drawing a key"))?;
            BundleKey::from_seed(Secret::new(seed)).map_err(Failure::during("making a key"))
        };
        Ok(Self { key: key()?, device: key()?, org: String::new(), clock: Clock::real(None, None), ready })
    }

    fn activity(&self, rig: &Rig, path: &str, kind: &str, org: &str, parameters: &Value) -> Outcome<Signed> {
        let at = self.clock.now().millis().to_string();
        let body = json!({ "type": kind, "timestampMs": at, "organizationId": org, "parameters": parameters });
        sign(rig, &format!("/public/v1/submit/{path}"), body.to_string(), &self.key)
    }

    fn sign_up(&self, rig: &Rig, email: &str) -> Outcome<Signed> {
        let user =
            json!({ "userName": email, "userEmail": email, "apiKeys": [], "authenticators": [], "oauthProviders": [] });
        let parameters = json!({ "subOrganizationName": email, "rootUsers": [user], "rootQuorumThreshold": 1 });
        self.activity(
            rig,
            "create_sub_organization",
            "ACTIVITY_TYPE_CREATE_SUB_ORGANIZATION_V7",
            &self.org,
            &parameters,
        )
    }

    fn start(&self, rig: &Rig, org: &str, email: &str) -> Outcome<Signed> {
        let parameters = json!({ "otpType": "OTP_TYPE_EMAIL", "contact": email, "appName": "Bench" });
        self.activity(rig, "init_otp_auth", "ACTIVITY_TYPE_INIT_OTP_AUTH_V3", org, &parameters)
    }

    /// The call that brings a code back.
    pub(super) fn redeem(&self, rig: &Rig, (org, start, code): &Coded) -> Outcome<Signed> {
        let target = self.device.public().uncompressed().map(|point| hex::encode(point));
        let parameters = json!({ "otpId": start, "otpCode": code, "targetPublicKey": target });
        self.activity(rig, "otp_auth", "ACTIVITY_TYPE_OTP_AUTH", org, &parameters)
    }
}

fn sign(rig: &Rig, path: &str, body: String, key: &BundleKey) -> Outcome<Signed> {
    let header = key.stamp(body.as_bytes(), &entropy::signing()).map_err(Failure::during("signing a call"))?;
    let stamp = Stamp::parse(&header).map_err(Failure::during("signing a call"))?;
    let body = Bytes::from(body);
    let request = Request::post(path)
        .header(HOST, rig.server.to_string())
        .header("x-stamp", header)
        .body(Full::new(body.clone()))
        .map_err(Failure::during("preparing a request"))?;
    Ok(Signed { request, stamp, body })
}

/// The result of an activity that is done.
fn result(answer: &Answer, name: &str) -> Outcome<Value> {
    let said: Value = serde_json::from_slice(&answer.body).map_err(Failure::during("reading an activity"))?;
    let result = said["activity"]["result"][name].clone();
    if answer.status == 200 && result.is_object() { Ok(result) } else { Err(surprise("an activity", answer)) }
}

fn surprise(what: &str, answer: &Answer) -> Failure {
    let start = String::from_utf8_lossy(&answer.body[..answer.body.len().min(300)]).into_owned();
    Failure::new(format!("{what} was answered {} {start}", answer.status))
}

fn expect(what: &str, answer: &Answer, part: &str) -> Outcome<()> {
    let found = answer.body.windows(part.len()).any(|bytes| bytes == part.as_bytes());
    if answer.status == 200 && found { Ok(()) } else { Err(surprise(what, answer)) }
}

fn text(result: &Value, name: &str) -> String {
    result[name].as_str().unwrap_or_default().to_owned()
}

/// Signs so many people up over one connection, and has a code sent to each.
async fn coded(rig: &Rig, backend: &Backend, connection: &mut Connection, count: usize) -> Outcome<Vec<Coded>> {
    let mut mailbox = rig.office.open();
    let mut waiting = HashMap::with_capacity(count);
    for _ in 0..count {
        let serial = mailbox.fresh();
        let email = mailbox.address(serial);
        let made = connection.ask(backend.sign_up(rig, &email)?.request).await?;
        let org = text(&result(&made, "createSubOrganizationResultV7")?, "subOrganizationId");
        let begun = connection.ask(backend.start(rig, &org, &email)?.request).await?;
        waiting.insert(serial, (org, text(&result(&begun, "initOtpAuthResultV2")?, "otpId")));
    }
    collect(&mut mailbox, waiting).await
}

async fn collect(mailbox: &mut Mailbox, mut waiting: HashMap<u64, (String, String)>) -> Outcome<Vec<Coded>> {
    let mut coded = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let letter = mailbox.letters.recv().await.ok_or_else(|| Failure::new("the server's mail has stopped"))?;
        coded.extend(waiting.remove(&letter.serial).map(|(org, start)| (org, start, letter.code)));
    }
    Ok(coded)
}

/// The calls of so many people who have a code. Their connections are closed: signing takes longer than a server waits for.
async fn ready(rig: &Rig, backend: &Arc<Backend>, count: usize) -> Outcome<Vec<Signed>> {
    let mut tasks = JoinSet::new();
    for (place, mut connection) in rig.connect().await?.into_iter().enumerate() {
        let share = count / rig.connections + usize::from(place < count % rig.connections);
        let (rig, backend) = (rig.clone(), Arc::clone(backend));
        tasks.spawn(async move {
            let people = coded(&rig, &backend, &mut connection, share).await?;
            people.iter().map(|person| backend.redeem(&rig, person)).collect::<Outcome<Vec<_>>>()
        });
    }
    Ok(join(tasks).await?.into_iter().flatten().collect())
}

/// One round of codes that are brought back: as many windows as it takes to measure `length` in all.
pub(super) async fn redeem(rig: &Rig, backend: &Arc<Backend>, length: Duration) -> Outcome<Round> {
    let (mut latencies, mut measured) = (Histogram::default(), Duration::ZERO);
    while measured + CRUMB < length {
        let calls = ready(rig, backend, backend.ready).await?;
        let (calls, connections) = (Arc::new(Mutex::new(calls)), rig.connect().await?);
        tokio::time::sleep(SETTLE).await;
        let window = Arc::new(Window::new(now(), length - measured, rig.connections));
        let mut tasks = JoinSet::new();
        for mut connection in connections {
            let (calls, window) = (Arc::clone(&calls), Arc::clone(&window));
            tasks.spawn(async move { use_up(&mut connection, &calls, &window).await });
        }
        for lane in join(tasks).await? {
            latencies.merge(&lane.latencies);
        }
        measured += window.measured();
    }
    Ok(Round { measured, latencies })
}

async fn use_up(connection: &mut Connection, calls: &Mutex<Vec<Signed>>, window: &Window) -> Outcome<Lane> {
    let mut lane = Lane::default();
    while !window.is_over(now()) {
        let call = calls.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let Some(call) = call else {
            window.close(now());
            break;
        };
        let answer = connection.ask_timed(call.request, window, &mut lane).await?;
        expect("a code", &answer, r#""credentialBundle":""#)?;
    }
    Ok(lane)
}

/// Keys that came out of so many bundles, each with its question who it is.
pub(super) async fn asking(rig: &Rig, backend: &Arc<Backend>, count: usize) -> Outcome<Vec<Signed>> {
    let mut connection = Connection::open(rig.server, None).await?;
    let mut questions = Vec::with_capacity(count);
    for person in coded(rig, backend, &mut connection, count).await? {
        let answer = connection.ask(backend.redeem(rig, &person)?.request).await?;
        let bundle = text(&result(&answer, "otpAuthResult")?, "credentialBundle");
        let key = open_grant(&bundle, &backend.device).map_err(Failure::during("opening a bundle"))?;
        let key = BundleKey::parse(&Secret::new(hex::encode(key.expose()))).map_err(Failure::during("using a key"))?;
        let body = json!({ "organizationId": person.0 }).to_string();
        questions.push(sign(rig, "/public/v1/query/whoami", body, &key)?);
    }
    Ok(questions)
}

/// One round of questions, each connection with some of them in turn.
pub(super) async fn whoami(rig: &Rig, questions: &Arc<Vec<Signed>>, length: Duration) -> Outcome<Round> {
    let connections = rig.connect().await?;
    let window = Arc::new(Window::new(now(), length, rig.connections));
    let mut tasks = JoinSet::new();
    for (place, mut connection) in connections.into_iter().enumerate() {
        let (window, questions) = (Arc::clone(&window), Arc::clone(questions));
        tasks.spawn(async move {
            let mut lane = Lane::default();
            for question in questions.iter().cycle().skip(place * EACH) {
                if window.is_over(now()) {
                    break;
                }
                let answer = connection.ask_timed(question.request.clone(), &window, &mut lane).await?;
                expect("who somebody is", &answer, r#""username":""#)?;
            }
            Ok(lane)
        });
    }
    let lanes = join(tasks).await?;
    Ok(Round::of(&lanes, window.measured()))
}

/// The whole scenario: both kinds of calls, each alone or in turn with its cryptography.
pub(super) async fn run(
    rig: &Rig,
    server: &Server,
    backend: &Arc<Backend>,
    (length, beside): (Duration, bool),
) -> Outcome<Report> {
    let idle = server.memory();
    step_back()?;
    let sample = ("00000000-0000-7000-8000-000000000000".to_owned(), "00000000-0000-7000-8000-000000000000".to_owned());
    let sample = backend.redeem(rig, &(sample.0, sample.1, "7K3M9Q2XV".into()))?;
    let mut codes = vec![Side::new("otp_auth", rig.clone(), Load::Redeem(Arc::clone(backend)))];
    if beside {
        let work = Work::redeem(sample, &backend.device.public()).map(Arc::new)?;
        codes.push(Side::new("crypto", rig.clone(), Load::Crypto(work)));
    }
    round::measure(&mut codes, length).await?;
    note(&format!("making {ASKING} keys"));
    let questions = Arc::new(asking(rig, backend, ASKING).await?);
    rig.settle().await?;
    let mut asked = vec![Side::new("whoami", rig.clone(), Load::WhoAmI(Arc::clone(&questions)))];
    if beside {
        asked.push(Side::new("verify", rig.clone(), Load::Crypto(Arc::new(Work::verify(questions)))));
    }
    round::measure(&mut asked, length).await?;
    let servers = vec![Process::new("doorcode", server.startup, idle, server.memory())];
    Ok(Report::new(Scenario::Stamped, rig.connections, &codes, servers).with_whoami(&asked))
}
