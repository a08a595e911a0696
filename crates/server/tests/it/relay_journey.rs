//! Journeys of codes through the relay while servers die: what a client was told at each step, and whether the house that comes after
//! holds it. A step that was acknowledged has happened; of one that was not heard of nobody knows, and it is found out by going on.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::sync::Arc;
use std::time::Duration;

use doorcode::clock::Clock;
use doorcode_core::seal::{Context, PrivateKey};
use doorcode_core::{Secret, Timestamp, hex};
use ring::hmac::{self, HMAC_SHA256, Key};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::agentotp_cast::{public, seal};
use crate::process::{Home, ServerProcess};
use crate::sink::Sink;
use crate::talk::{Account, Answer, Caller};

/// People, and agents of each: some write into one record at the same time, some do not.
const PEOPLE: usize = 4;
const AGENTS: usize = 3;
/// Hooks of each agent's player: one takes so many messages a minute.
const HOOKS: usize = 3;
/// For so long a named reading is given again (`doorcode_core::relay::REPEAT`), less what a busy machine takes.
const REPEAT: Duration = Duration::from_secs(20);

/// An agent, its owner and what hands their messages in.
pub(crate) struct Player {
    agent: String,
    /// The agent's key.
    key: String,
    /// Its owner's sign-in key.
    owner: String,
    collector: String,
    /// Paths and secrets of hooks for SMS.
    hooks: Vec<(String, String)>,
}

/// What the relay's limits and clocks must not stand in the way of.
pub(crate) fn set_up(home: &mut Home) {
    for limit in ["agent_minute", "owner_minute", "captures_day", "prompts"] {
        home.set(&format!("relay.{limit}"), 1_000_000);
    }
    home.set("relay.live", 500);
    home.set("relay.approve_with_key", "yes");
    home.set("relay.approve_within", "1h");
    home.set("relay.keep", "10m");
}

/// Signs people in and makes their agents, collectors and hooks.
pub(crate) async fn players(home: &Home, server: &ServerProcess, sink: &Sink) -> Arc<Vec<Player>> {
    let caller = server.caller();
    let text = |answer: &Answer, place: &str| answer.json().pointer(place).unwrap().as_str().unwrap().to_owned();
    let mut players = Vec::new();
    for person in 0..PEOPLE {
        let email = format!("person{person}@example.com");
        assert_eq!(caller.start(&email).await.unwrap().status, 200);
        let code = sink.code(&email, &[]).await;
        let owner = Account::of(&caller.check(&email, &code).await.unwrap()).api_key;
        let made = home.run(&["collector", "create", "--owner", &email, "--json"]).await.well();
        let made: Value = serde_json::from_str(&made).unwrap();
        for agent in 0..AGENTS {
            let name = json!({ "name": format!("agent {agent}") });
            let agent = caller.call("POST /v1/agents", &owner, "", &name).await.unwrap();
            assert_eq!(agent.status, 201, "{}", agent.text());
            let mut hooks = Vec::new();
            for _ in 0..HOOKS {
                let hook = caller.call("POST /v1/hooks", &owner, "", &json!({ "kind": "sms" })).await.unwrap();
                assert_eq!(hook.status, 201, "{}", hook.text());
                let path = text(&hook, "/hook/url").split_once("example.com").unwrap().1.to_owned();
                hooks.push((path, text(&hook, "/secret")));
            }
            players.push(Player {
                agent: text(&agent, "/id"),
                key: text(&agent, "/api_key"),
                owner: owner.clone(),
                collector: made["api_key"].as_str().unwrap().to_owned(),
                hooks,
            });
        }
    }
    Arc::new(players)
}

/// Where a request stands, as the door calls it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stands {
    Pending,
    Approved,
    Received,
    Consumed,
    Cancelled,
    Expired,
}

const NAMES: [(Stands, &str); 6] = [
    (Stands::Pending, "pending_approval"),
    (Stands::Approved, "approved"),
    (Stands::Received, "otp_received"),
    (Stands::Consumed, "consumed"),
    (Stands::Cancelled, "cancelled"),
    (Stands::Expired, "expired"),
];

/// How far a journey is meant to go before the next begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Plan {
    /// To the end; the code comes by a collector, or as an SMS.
    Read { named: bool, sms: bool },
    /// Asked, and nobody says anything: it expires in a second.
    Unanswered,
    /// Taken back after the yes.
    TakenBack,
    /// A yes, and no message yet.
    Awaiting { sms: bool },
    /// The code is there, and the agent is in no hurry.
    Unread { sms: bool },
}

const PLANS: [Plan; 10] = [
    Plan::Read { named: false, sms: false },
    Plan::Read { named: true, sms: false },
    Plan::Unanswered,
    Plan::Read { named: false, sms: true },
    Plan::TakenBack,
    Plan::Unread { sms: false },
    Plan::Awaiting { sms: true },
    Plan::Read { named: true, sms: true },
    Plan::Unread { sms: true },
    Plan::Awaiting { sms: false },
];

impl Plan {
    const fn is_sms(self) -> bool {
        matches!(self, Self::Read { sms: true, .. } | Self::Awaiting { sms: true } | Self::Unread { sms: true })
    }
}

/// One request, as those who took part know it.
pub(crate) struct Journey {
    plan: Plan,
    /// Unlike every other's, and the reason that is given.
    pub(crate) mark: String,
    /// The number that its SMS comes from.
    number: String,
    code: String,
    player: usize,
    /// The request, if that was answered.
    pub(crate) id: Option<String>,
    expires_at: Option<Timestamp>,
    /// What was acknowledged last.
    stands: Stands,
    /// What was tried and not answered.
    tried: Option<Stands>,
    tried_at: Instant,
    /// The sealed text that the agent was handed.
    read: Option<String>,
}

/// No answer, or one that promises nothing.
struct Unheard;

type Heard = Result<Answer, Unheard>;

/// What an answer was, if there was one.
fn heard(answer: std::io::Result<Answer>) -> Heard {
    match answer {
        Ok(answer) if answer.status != 503 => Ok(answer),
        _ => Err(Unheard),
    }
}

/// Sends one code after another on its way until the server dies: each step is asked of the other caller.
pub(crate) async fn load(
    callers: [Caller; 2],
    players: Arc<Vec<Player>>,
    (round, client): (u8, u8),
    died: watch::Receiver<bool>,
) -> Vec<Journey> {
    let mut journeys = Vec::new();
    for n in 0_u32.. {
        if *died.borrow() {
            break;
        }
        let mut journey = Journey::new(round, client, n, players.len());
        let went = journey.go(callers, &players[journey.player]).await;
        journeys.push(journey);
        if went.is_err() {
            break;
        }
    }
    journeys
}

impl Journey {
    fn new(round: u8, client: u8, n: u32, players: usize) -> Self {
        let draw = getrandom::u32().unwrap();
        Self {
            // Not all clients do the same at the same time.
            plan: PLANS[(n as usize + usize::from(client)) % PLANS.len()],
            mark: format!("r{round}c{client}n{n}"),
            number: format!("+1{round:03}{client:02}{n:05}"),
            code: format!("{:06}", 100_000 + draw % 900_000),
            player: usize::from(client) % players,
            id: None,
            expires_at: None,
            stands: Stands::Pending,
            tried: None,
            tried_at: Instant::now(),
            read: None,
        }
    }

    fn wish(&self) -> Value {
        let (source, pattern) = match self.plan.is_sms() {
            true => ("sms", self.number.clone()),
            false => ("email", format!("*@{}.com", self.mark)),
        };
        let ttl = if self.plan == Plan::Unanswered { 1 } else { 3600 };
        json!({
            "reason": self.mark, "publicKey": public().encode().unwrap(), "ttl": ttl,
            "filter": { "sources": [source], "senderPattern": pattern },
        })
    }

    fn path(&self, step: &str) -> String {
        format!("/v1/otp/{}{step}", self.id.as_deref().unwrap())
    }

    /// A step, whose answer is waited for; what it leads to is known to have been tried from here on.
    async fn step(&mut self, to: Stands, asking: impl Future<Output = std::io::Result<Answer>>) -> Heard {
        (self.tried, self.tried_at) = (Some(to), Instant::now());
        let answer = heard(asking.await)?;
        self.tried = None;
        Ok(answer)
    }

    async fn go(&mut self, [here, there]: [Caller; 2], player: &Player) -> Result<(), Unheard> {
        let wish = self.wish();
        let answer = self.step(Stands::Pending, here.call("POST /v1/otp/request", &player.key, "", &wish)).await?;
        assert_eq!(answer.status, 202, "{}", answer.text());
        let asked = answer.json();
        self.id = Some(asked["id"].as_str().unwrap().to_owned());
        self.expires_at = Some(asked["expiresAt"].as_str().unwrap().parse().unwrap());
        if self.plan == Plan::Unanswered {
            return Ok(());
        }
        let approve = format!("POST {}", self.path("/approve"));
        let answer = self.step(Stands::Approved, there.call(&approve, &player.owner, "", &json!({}))).await?;
        assert_eq!(answer.status, 200, "{}", answer.text());
        self.stands = Stands::Approved;
        match self.plan {
            Plan::Unanswered | Plan::Awaiting { .. } => return Ok(()),
            Plan::TakenBack => {
                let cancel = format!("DELETE {}", self.path(""));
                let answer = self.step(Stands::Cancelled, here.call(&cancel, &player.key, "", &Value::Null)).await?;
                assert_eq!(answer.status, 200, "{}", answer.text());
                self.stands = Stands::Cancelled;
                return Ok(());
            }
            Plan::Read { .. } | Plan::Unread { .. } => {}
        }
        self.tried = Some(Stands::Received);
        let answer = heard(self.hand_in(here, player).await)?;
        self.tried = None;
        if answer.status == 429 {
            // Its hook has had its minute, and nothing came of it: the code is still waited for, and comes when this is judged.
            return Ok(());
        }
        assert_eq!(answer.status, 200, "{}", answer.text());
        self.stands = Stands::Received;
        if let Plan::Read { named, .. } = self.plan {
            let name = named.then(|| self.mark.clone());
            let read = consume(there, player, self.path("/consume"), name);
            let answer = self.step(Stands::Consumed, read).await?;
            self.open(&answer, player);
            self.stands = Stands::Consumed;
        }
        Ok(())
    }

    /// The message, as the person's phone pushes it or their collector found it. The same each time.
    async fn hand_in(&self, caller: Caller, player: &Player) -> std::io::Result<Answer> {
        if self.plan.is_sms() {
            let at = Clock::real(None, None).now().millis() / 1000;
            let text = format!("Your verification code is {}", self.code);
            let nonce = format!("nonce of {}", self.mark);
            let body = json!({ "id": self.mark, "nonce": nonce, "from": self.number, "text": text,
                // No later than it comes, whatever a phone says; and no earlier than it was asked for.
                "received_at": (at + 2) * 1000 });
            let (path, secret) = &player.hooks[self.code.as_bytes()[5] as usize % HOOKS];
            let key = Key::new(HMAC_SHA256, secret.as_bytes());
            let tag = hmac::sign(&key, format!("{at}.{body}").as_bytes());
            let tag = hex::encode(tag.as_ref());
            let signature = format!("X-Doorcode-Signature: t={at},v1={tag}\r\n");
            return caller.call(&format!("POST {path}"), "nobody", &signature, &body).await;
        }
        let payload = seal(self.id.as_deref().unwrap(), &self.code);
        let body = json!({ "encryptedPayload": payload, "source": "email", "metadata": { "emailId": format!("<{}>", self.mark) } });
        caller.call(&format!("POST {}", self.path("/receive")), &player.collector, "", &body).await
    }

    /// The same, as often as its hook says that it takes no more in this minute: a phone comes again with what was not taken.
    async fn hand_in_at_last(&self, caller: Caller, player: &Player) -> Answer {
        loop {
            let answer = self.hand_in(caller, player).await.unwrap();
            if answer.status != 429 {
                return answer;
            }
            let wait = answer.header("retry-after").unwrap().parse().unwrap();
            tokio::time::sleep(Duration::from_secs(wait)).await;
        }
    }

    /// Takes what the agent was handed; it is the code of this journey.
    fn open(&mut self, answer: &Answer, player: &Player) {
        assert_eq!(answer.status, 200, "{}: {}", self.mark, answer.text());
        let payload = answer.json()["encryptedPayload"].as_str().unwrap().to_owned();
        let id = self.id.as_deref().unwrap();
        // What a collector of the tests seals in says nothing of the agent.
        let (agent, expires_at) = match self.plan.is_sms() {
            true => (player.agent.as_str(), self.expires_at.unwrap()),
            false => ("", crate::app::START),
        };
        let context = Context { request: id, agent, sender: "", expires_at };
        let code = PrivateKey::from_seed(Secret::new([7; 32])).open(&payload, &context, Secret::new([1; 32])).unwrap();
        assert_eq!(*code.expose(), self.code, "{}: another one's code", self.mark);
        assert!(self.read.as_ref().is_none_or(|read| *read == payload), "{}: two sealed texts", self.mark);
        self.read = Some(payload);
    }

    /// Holds it against the server that came after, and goes on to its end: the code is read once, or it was given up, or a reading that
    /// nobody heard of has used it up. Gives whether the last is so.
    pub(crate) async fn judge(&mut self, to: Caller, players: &[Player]) -> bool {
        if self.id.is_none() {
            return false;
        }
        let player = &players[self.player];
        let found = self.look(to, player).await;
        let overdue = self.plan == Plan::Unanswered;
        let known = found == self.stands || Some(found) == self.tried || (overdue && found == Stands::Expired);
        assert!(
            known,
            "{}: {:?} was acknowledged, {:?} tried, and it is {found:?}",
            self.mark, self.stands, self.tried
        );
        if overdue {
            return false;
        }
        let mut stands = found;
        if stands == Stands::Pending {
            let approve = format!("POST {}", self.path("/approve"));
            assert_eq!(to.call(&approve, &player.owner, "", &json!({})).await.unwrap().status, 200, "{}", self.mark);
            stands = Stands::Approved;
        }
        // The message comes again where nobody knows whether it did: taken now, or it was. It never serves twice.
        if stands == Stands::Approved || (stands == Stands::Received && self.tried.is_some()) {
            let answer = self.hand_in_at_last(to, player).await;
            assert_eq!(answer.status, 200, "{}: {}", self.mark, answer.text());
            stands = self.look(to, player).await;
            assert_eq!(stands, Stands::Received, "{}: the message was lost", self.mark);
        }
        let name = match self.plan {
            Plan::Read { named: true, .. } => Some(self.mark.clone()),
            _ => None,
        };
        let soon = self.tried_at.elapsed() < REPEAT;
        let mut unheard = false;
        match (stands, &name) {
            (Stands::Cancelled, _) => {}
            // Read, heard of or not, under a name and just now: the same once more.
            (Stands::Consumed, Some(_)) if soon => {
                let again = consume(to, player, self.path("/consume"), name).await.unwrap();
                self.open(&again, player);
            }
            (Stands::Consumed, _) => unheard = self.read.is_none(),
            _ => {
                let first = consume(to, player, self.path("/consume"), name).await.unwrap();
                self.open(&first, player);
            }
        }
        let code = if stands == Stands::Cancelled { "OTP_CANCELLED" } else { "OTP_ALREADY_CONSUMED" };
        for name in [None, Some(format!("another-than-{}", self.mark))] {
            let over = consume(to, player, self.path("/consume"), name).await.unwrap();
            let over = (over.status, over.json()["code"].as_str().unwrap().to_owned());
            assert_eq!(over, (409, code.to_owned()), "{}: read twice", self.mark);
        }
        unheard
    }

    async fn look(&self, to: Caller, player: &Player) -> Stands {
        let look = format!("GET {}", self.path(""));
        let answer = to.call(&look, &player.key, "", &Value::Null).await.unwrap();
        assert_eq!(answer.status, 200, "{}: an acknowledged request is gone: {}", self.mark, answer.text());
        let status = answer.json()["status"].as_str().unwrap().to_owned();
        NAMES.iter().find(|(_, name)| *name == status).unwrap_or_else(|| panic!("{status}")).0
    }
}

async fn consume(to: Caller, player: &Player, path: String, name: Option<String>) -> std::io::Result<Answer> {
    let name = name.map_or_else(String::new, |name| format!("Idempotency-Key: {name}\r\n"));
    to.call(&format!("POST {path}"), &player.key, &name, &Value::Null).await
}

/// What must be true of the rows whatever died when. `ask` gives the first column of each row.
pub(crate) fn audit(journeys: &[Journey], ask: impl Fn(&str) -> Vec<String>) {
    let number = |sql: &str| ask(sql)[0].parse::<i64>().unwrap();
    let read = number("SELECT count(*) FROM relays WHERE state = 3");
    assert_eq!(number("SELECT count(*) FROM audit WHERE kind = 'otp_consume'"), read, "in the record");
    assert_eq!(number("SELECT count(*) FROM events WHERE kind = 'relay.consumed'"), read, "and among the events");
    let received = number("SELECT count(*) FROM relays WHERE received_at IS NOT NULL");
    assert_eq!(number("SELECT count(*) FROM audit WHERE kind = 'otp_receive'"), received);
    let twice = "SELECT count(*) FROM (SELECT relay_id FROM audit WHERE relay_id IS NOT NULL GROUP BY relay_id, kind HAVING count(*) > 1) twice";
    assert_eq!(number(twice), 0, "no step is in the record twice");
    let kept =
        "SELECT count(*) FROM relays WHERE payload IS NOT NULL AND state <> 2 AND (state <> 3 OR repeat_key IS NULL)";
    assert_eq!(number(kept), 0, "no sealed code is kept for nobody");
    // A request whose answer nobody heard is there or not; nobody could say yes to it.
    let asked: std::collections::HashSet<&str> =
        journeys.iter().filter(|journey| journey.id.is_some()).map(|journey| journey.mark.as_str()).collect();
    for row in ask("SELECT reason || ' ' || state FROM relays") {
        let (mark, state) = row.split_once(' ').unwrap();
        assert!(asked.contains(mark) || ["0", "5"].contains(&state), "{row}");
    }
}
