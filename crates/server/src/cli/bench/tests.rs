//! The driver against a stand-in for the server: the same calls, codes handed to the post office as the delivery
//! worker's lines would be.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use doorcode_core::Secret;
use doorcode_core::seal::turnkey::grant;
use doorcode_core::stamp::{Curve, PublicKey, Stamp};
use serde_json::{Value, json};

use super::check::{self, Live, Pool};
use super::door::Kind;
use super::mail::PostOffice;
use super::report::Report;
use super::rig::Rig;
use super::round::{Load, Round, Side};
use super::single::{self, Call};
use super::stamped::{self, Backend};
use super::stats::Histogram;
use super::{Scenario, flow, journey, round, streams, timing};

const SHORT: Duration = Duration::from_millis(200);

/// The stand-in: live codes by address, and what it did.
#[derive(Default)]
struct Stand {
    office: Arc<PostOffice>,
    live: Mutex<HashMap<String, String>>,
    starts: AtomicU64,
    right: AtomicU64,
    wrong: AtomicU64,
    /// Accepts any code: a server that the bench must not praise.
    careless: bool,
}

async fn start(State(stand): State<Arc<Stand>>, Json(body): Json<Value>) -> Json<Value> {
    let email = body["email"].as_str().unwrap().to_owned();
    let number = stand.starts.fetch_add(1, Ordering::Relaxed);
    let code = format!("{:06}", (number * 7919) % 1_000_000);
    let line = json!({ "to": email, "code": code }).to_string();
    stand.live.lock().unwrap().insert(email.clone(), code);
    tokio::spawn(async move {
        stand.office.deliver(line.as_bytes());
        stand.office.deliver(line.as_bytes());
    });
    Json(json!({ "success": true, "email": email }))
}

async fn verify(State(stand): State<Arc<Stand>>, Json(body): Json<Value>) -> (StatusCode, Json<Value>) {
    let (email, otp) = (body["email"].as_str().unwrap(), body["otp"].as_str().unwrap());
    let mut live = stand.live.lock().unwrap();
    if stand.careless || live.get(email).is_some_and(|code| code == otp) {
        live.remove(email);
        stand.right.fetch_add(1, Ordering::Relaxed);
        return (StatusCode::OK, Json(json!({ "team": { "api_key": "outx_x" } })));
    }
    stand.wrong.fetch_add(1, Ordering::Relaxed);
    (StatusCode::UNAUTHORIZED, Json(json!({ "error": "Invalid or expired OTP" })))
}

async fn start_native(stand: State<Arc<Stand>>, head: HeaderMap, Json(body): Json<Value>) -> (StatusCode, Json<Value>) {
    assert_eq!(head[AUTHORIZATION], "Bearer outx_x");
    let _code_comes = start(stand, Json(json!({ "email": body["to"] }))).await;
    (StatusCode::CREATED, Json(json!({ "id": body["to"], "status": "pending" })))
}

async fn check_native(stand: State<Arc<Stand>>, Path(id): Path<String>, Json(body): Json<Value>) -> Json<Value> {
    let (status, _) = verify(stand, Json(json!({ "email": id, "otp": body["code"] }))).await;
    Json(json!({ "valid": status == StatusCode::OK }))
}

async fn events(Path(id): Path<String>, head: HeaderMap) -> Result<String, StatusCode> {
    assert_eq!(head[AUTHORIZATION], "Bearer outx_x");
    if id == "none" { Err(StatusCode::NOT_FOUND) } else { Ok("event: verification.started\n\n".to_owned()) }
}

/// Signed calls: an address names its organization and its start.
async fn signed(
    stand: State<Arc<Stand>>,
    Path((_, name)): Path<(String, String)>,
    head: HeaderMap,
    body: Bytes,
) -> Json<Value> {
    Stamp::parse(head["x-stamp"].to_str().unwrap()).unwrap().verify(&body).unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    let (org, given) = (&body["organizationId"], &body["parameters"]);
    let result = match name.as_str() {
        "create_sub_organization" => {
            json!({ "createSubOrganizationResultV7": { "subOrganizationId": given["subOrganizationName"] } })
        }
        "init_otp_auth" => {
            let _code_comes = start(stand, Json(json!({ "email": given["contact"] }))).await;
            json!({ "initOtpAuthResultV2": { "otpId": org } })
        }
        "otp_auth" if stand.careless => json!({ "otpAuthResult": {} }),
        "otp_auth" => {
            let (status, _) = verify(stand, Json(json!({ "email": given["otpId"], "otp": given["otpCode"] }))).await;
            assert_eq!(status, StatusCode::OK);
            let target = PublicKey::parse(Curve::P256, given["targetPublicKey"].as_str().unwrap()).unwrap();
            json!({ "otpAuthResult": { "credentialBundle": grant(&target, || Ok(Secret::new([9; 32]))).unwrap().bundle } })
        }
        "whoami" => return Json(json!({ "username": org })),
        other => panic!("{other}"),
    };
    Json(json!({ "activity": { "result": result } }))
}

async fn floor(Json(body): Json<Value>) -> Json<Value> {
    Json(json!({ "success": true, "email": body["email"] }))
}

async fn stand(careless: bool, connections: usize) -> (Arc<Stand>, Rig) {
    let stand = Arc::new(Stand { careless, ..Stand::default() });
    let router = Router::new()
        .route("/linkedin-agent/auth-send-otp", post(start))
        .route("/linkedin-agent/auth-verify-otp", post(verify))
        .route("/v1/verifications", post(start_native))
        .route("/v1/verifications/{id}/check", post(check_native))
        .route("/v1/verifications/{id}/events", get(events))
        .route("/dev/floor", post(floor))
        .route("/public/v1/{kind}/{name}", post(signed))
        .with_state(Arc::clone(&stand));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let rig = Rig::new(Kind::Doorcode, server, Arc::clone(&stand.office), connections).unwrap();
    (stand, rig)
}

fn seed(stand: &Stand, count: usize) -> Vec<Live> {
    let seeded: Vec<Live> =
        (0..count).map(|n| (format!("{n}@seed.example").into(), format!("{n:06}").into())).collect();
    let live = seeded.iter().map(|(address, code)| (address.to_string(), code.to_string()));
    stand.live.lock().unwrap().extend(live);
    seeded
}

#[tokio::test]
async fn a_flow_round_finishes_every_journey_it_began() {
    let (stand, rig) = stand(false, 4).await;
    let round = flow::round(&rig, SHORT).await.unwrap();
    let (starts, right) = (stand.starts.load(Ordering::Relaxed), stand.right.load(Ordering::Relaxed));
    assert_eq!(starts, right);
    assert_eq!(stand.wrong.load(Ordering::Relaxed), 0);
    assert!(round.requests() > 0 && round.requests() < 2 * right, "{} of {right} journeys", round.requests());
    assert_eq!(round.measured, SHORT);
    assert!(round.rate() > 0.0);
}

#[tokio::test]
async fn a_program_signs_up_once_and_goes_on_by_id_and_key() {
    let (stand, rig) = stand(false, 4).await;
    let program = journey::program(&rig).await.unwrap();
    let round = flow::round(&program, SHORT).await.unwrap();
    assert!(round.requests() > 0);
    assert_eq!(stand.starts.load(Ordering::Relaxed), stand.right.load(Ordering::Relaxed));
    assert_eq!(stand.wrong.load(Ordering::Relaxed), 0);
    assert!(single::round(&program, Call::Floor, SHORT).await.unwrap().requests() > 0);
}

#[tokio::test]
async fn signed_codes_are_brought_back_and_their_keys_ask() {
    let (stand, rig) = stand(false, 2).await;
    let backend = Arc::new(Backend::alone(20).unwrap());
    let round = stamped::redeem(&rig, &backend, Duration::from_millis(40)).await.unwrap();
    assert!(round.requests() > 0 && round.requests() < stand.right.load(Ordering::Relaxed));
    let questions = Arc::new(stamped::asking(&rig, &backend, 3).await.unwrap());
    assert!(stamped::whoami(&rig, &questions, SHORT).await.unwrap().requests() > 0);
}

#[tokio::test]
async fn an_activity_without_a_bundle_is_no_success() {
    let (_, rig) = stand(true, 2).await;
    let backend = Arc::new(Backend::alone(4).unwrap());
    assert!(stamped::redeem(&rig, &backend, SHORT).await.unwrap_err().why.contains("a code was answered"));
    assert!(stamped::asking(&rig, &backend, 1).await.is_err());
}

#[tokio::test]
async fn a_stream_is_open_when_it_has_told_of_the_start() {
    let (_, rig) = stand(false, 2).await;
    let program = journey::program(&rig).await.unwrap();
    let names = ["a", "b", "c"].map(Box::from).to_vec();
    assert_eq!(streams::open(&program, names).await.unwrap().len(), 3);
    let failure = streams::open(&program, vec!["none".into()]).await.unwrap_err();
    assert!(failure.why.contains("404"), "{}", failure.why);
}

#[tokio::test]
async fn single_rounds_count_each_request() {
    let (stand, rig) = stand(false, 3).await;
    let started = single::round(&rig, Call::Start, SHORT).await.unwrap();
    let starts = stand.starts.load(Ordering::Relaxed);
    assert!(started.requests() > 0 && started.requests() < starts);
    let floor = single::round(&rig, Call::Floor, SHORT).await.unwrap();
    assert!(floor.requests() > 0);
    assert_eq!(stand.starts.load(Ordering::Relaxed), starts, "the floor touches nothing");
}

#[tokio::test]
async fn a_small_pool_is_topped_up_while_the_clock_stands() {
    let (stand, rig) = stand(false, 4).await;
    let pool = Arc::new(Pool::new(40, 4).unwrap());
    pool.add(seed(&stand, 40));
    let round = check::round(&rig, &pool, SHORT).await.unwrap();
    let starts = stand.starts.load(Ordering::Relaxed);
    assert!(starts > 0, "no top-up happened");
    // Whoever is new signs up, unmeasured, and asks again.
    let checked = stand.right.load(Ordering::Relaxed) - starts / 2;
    // Three wrong ones for each, but for the first challenge of a connection after each top-up.
    let wrong = stand.wrong.load(Ordering::Relaxed);
    assert!(2 * checked < wrong && wrong < 3 * checked, "{wrong} wrong, {checked} right");
    assert!(round.measured <= SHORT && round.measured + Duration::from_millis(20) >= SHORT, "{:?}", round.measured);
    assert!(round.requests() > 0);
}

#[tokio::test]
async fn a_server_that_accepts_wrong_codes_is_not_measured() {
    let (stand, rig) = stand(true, 2).await;
    let pool = Arc::new(Pool::new(40, 2).unwrap());
    pool.add(seed(&stand, 40));
    let failure = check::round(&rig, &pool, SHORT).await.unwrap_err();
    assert!(failure.why.contains("a wrong check was answered 200"), "{}", failure.why);
}

#[tokio::test]
async fn a_server_that_goes_away_ends_the_bench() {
    let (_, mut rig) = stand(false, 2).await;
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    rig.server = gone.local_addr().unwrap();
    drop(gone);
    assert!(flow::round(&rig, SHORT).await.unwrap_err().why.starts_with("connecting"));
    rig.server = "192.0.2.1:80".parse().unwrap();
    assert_eq!(flow::round(&rig, SHORT).await.unwrap_err().code, 2);
}

#[tokio::test]
async fn a_comparison_alternates_and_reports_a_ratio() {
    let (_, rig) = stand(false, 2).await;
    let mut sides = [Side::new("flow", rig.clone(), Load::Flow)];
    round::measure(&mut sides, SHORT).await.unwrap();
    let [flow] = sides;
    assert_eq!(flow.rounds.len(), 1);
    let mut floor = Side::new("floor", rig.clone(), Load::Floor);
    floor.rounds.push(single::round(&rig, Call::Floor, SHORT).await.unwrap());
    let report = Report::new(Scenario::Flow, 2, &[flow, floor], vec![]);
    let json: Value = serde_json::from_str(&report.json().unwrap()).unwrap();
    assert_eq!(json["scenario"], "flow");
    assert_eq!(json["sides"][1]["name"], "floor");
    let rates = [0, 1].map(|side| json["sides"][side]["requests_per_second"].as_f64().unwrap());
    let ratio = json["ratio"]["requests_per_second"].as_f64().unwrap();
    assert!((ratio - rates[0] / rates[1]).abs() < 0.001, "{ratio} of {rates:?}");
    assert!(report.table().contains("ratio"));
    assert!(report.passes() && json["goal"].is_null(), "no goal is set for it");
}

/// Both calls have the goal, and one that misses it makes the whole run fail.
#[test]
fn signed_calls_are_judged_each() {
    let side = |requests: u64| {
        let rig = Rig::new(Kind::Doorcode, "127.0.0.1:1".parse().unwrap(), Arc::default(), 1).unwrap();
        let mut side = Side::new("x", rig, Load::Floor);
        let mut latencies = Histogram::default();
        (0..requests).for_each(|_| latencies.record(SHORT));
        side.rounds.push(Round { measured: Duration::from_secs(1), latencies });
        side
    };
    for (whoami, passes) in [(50, true), (49, false)] {
        let report = Report::new(Scenario::Stamped, 1, &[side(80), side(100)], vec![]);
        let report = report.with_whoami(&[side(whoami), side(100)]);
        let json: Value = serde_json::from_str(&report.json().unwrap()).unwrap();
        assert_eq!((&json["goal"]["pass"], &json["whoami"]["goal"]["pass"]), (&json!(true), &json!(passes)));
        assert_eq!(report.passes(), passes);
        assert_eq!(report.table().matches(": the goal is a ratio of 0.5 or more").count(), 2);
    }
}

#[tokio::test]
async fn timing_measures_every_case_of_both_calls() {
    let (stand, rig) = stand(false, 1).await;
    let verdicts = timing::run(&rig, 200, Some("127.0.0.2".parse().unwrap())).await.unwrap();
    assert_eq!(verdicts.len(), 2 * 2 * 6);
    let accounts = stand.right.load(Ordering::Relaxed);
    assert_eq!(accounts, 4 * 100, "half of the addresses of each set have an account");
    assert_eq!(stand.wrong.load(Ordering::Relaxed), 2 * (200 + 400), "each measured check is wrong");
}
