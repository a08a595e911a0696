//! Random schedules against the guess budgets, with an oracle that was written from the rules (docs/limits.md) and not from
//! the code: what may be compared, what must be, and that no schedule gets more than the arithmetic there promises.

use std::collections::HashMap;
use std::time::Duration;

use doorcode_core::{Class, Timestamp};
use proptest::prelude::*;

use crate::app::{TestApp, hours, minutes, not, seconds};

const ADA: &str = "ada@example.com";
/// Three /24s with two neighbours, two /64s of one /48, and one more.
const PLACES: [&str; 6] =
    ["192.0.2.1", "192.0.2.2", "198.51.100.1", "203.0.113.1", "2001:db8:0:1::1", "2001:db8:0:2::1"];
const NETWORK_HOUR: usize = 12;
const WIDE_HOUR: usize = 16;

/// The wider network of a place.
fn wide(place: usize) -> usize {
    [0, 0, 1, 2, 3, 3][place]
}

#[derive(Clone, Debug)]
enum Step {
    Wait(Duration),
    Start(usize),
    Wrong(usize, usize),
    Right(usize),
    /// The long code, if one was ever mailed.
    Long(usize),
    Retain,
}

fn step() -> impl Strategy<Value = Step> {
    let wait = prop_oneof![
        4 => (0_u64..20).prop_map(seconds),
        4 => (1_u64..70).prop_map(minutes),
        3 => (1_u64..30).prop_map(hours),
        1 => (20_u64..95).prop_map(|days| hours(24 * days)),
    ];
    let place = 0..PLACES.len();
    prop_oneof![
        4 => wait.prop_map(Step::Wait),
        5 => place.clone().prop_map(Step::Start),
        6 => (place.clone(), 1_usize..8).prop_map(|(place, times)| Step::Wrong(place, times)),
        2 => place.clone().prop_map(Step::Right),
        1 => place.prop_map(Step::Long),
        1 => Just(Step::Retain),
    ]
}

/// A code as the oracle sees it.
#[derive(Clone)]
struct Code {
    text: String,
    until: Timestamp,
    used: Option<Used>,
}

#[derive(Clone)]
struct Used {
    at: Timestamp,
    by: usize,
    repeats: u32,
}

/// What the rules say, in lists of moments.
#[derive(Default)]
struct Oracle {
    short: Option<Code>,
    long: Option<Code>,
    /// Tries of each place on the present short code.
    tries: HashMap<usize, usize>,
    /// Wrong comparisons of all time: when, by whom, counted since the last success or not.
    wrong: Vec<(Timestamp, Class, bool)>,
    successes: HashMap<usize, Timestamp>,
    repeat_until: Option<Timestamp>,
    /// The hour of each place and each wider network: since when, how many.
    hours: HashMap<(bool, usize), (Timestamp, usize)>,
}

impl Oracle {
    fn class(&self, place: usize, now: Timestamp) -> Class {
        let known = self.successes.get(&place).is_some_and(|at| now.since(*at) < hours(24 * 90));
        if known { Class::Known } else { Class::Stranger }
    }

    fn pool(&self, class: Class, now: Timestamp) -> bool {
        let of_class = || self.wrong.iter().filter(|(_, other, _)| *other == class);
        let today = of_class().filter(|(at, _, _)| now.since(*at) < hours(24)).count();
        let streak = of_class().filter(|(_, _, counts)| *counts).count();
        let (day, row) = if class == Class::Known { (20, 40) } else { (10, 60) };
        today < day && streak < row
    }

    /// The hour of a network, begun anew if it is over.
    fn hour(&mut self, wide: bool, of: usize, now: Timestamp) -> &mut usize {
        let (since, used) = self.hours.entry((wide, of)).or_insert((now, 0));
        if now.since(*since) >= hours(1) {
            (*since, *used) = (now, 0);
        }
        used
    }

    /// Whether there is something to guess at: a live short code, or a right answer that may still be repeated.
    fn at_stake(&self, now: Timestamp) -> bool {
        self.repeat_until.is_some_and(|until| now < until)
            || self.short.as_ref().is_some_and(|code| code.used.is_none() && now < code.until)
    }

    fn tried_out(&self, place: usize) -> bool {
        self.tries.get(&place).is_some_and(|tries| *tries >= 5)
    }

    /// Whether a guess is compared, and what it costs before anybody knows whether it is right. The network pays whatever
    /// becomes of it: what is left of its budget must not tell which addresses wait for a code.
    fn pays(&mut self, place: usize, long: bool, now: Timestamp) -> bool {
        let room = *self.hour(false, place, now) < NETWORK_HOUR && *self.hour(true, wide(place), now) < WIDE_HOUR;
        let may = long || (self.at_stake(now) && self.pool(self.class(place, now), now) && !self.tried_out(place));
        if room {
            *self.hour(false, place, now) += 1;
            *self.hour(true, wide(place), now) += 1;
        }
        room && may
    }

    fn code(&mut self, long: bool) -> &mut Option<Code> {
        if long { &mut self.long } else { &mut self.short }
    }

    /// Says whether an entry succeeds, and keeps the books.
    fn enter(&mut self, place: usize, long: bool, right: bool, now: Timestamp) -> (bool, bool) {
        let paid = self.pays(place, long, now);
        let charged = paid && !long;
        let Some(mut code) = self.code(long).clone() else {
            self.charge(charged, place, now);
            return (false, paid);
        };
        let live = code.used.is_none() && now < code.until;
        let fresh = code.used.as_ref().is_some_and(|used| now.since(used.at) < seconds(10));
        let repeat = fresh && code.used.as_ref().is_some_and(|used| used.by == place && used.repeats < 8);
        let success = paid && right && (live || repeat);
        if success {
            *self.hour(false, place, now) -= 1;
            *self.hour(true, wide(place), now) -= 1;
            match &mut code.used {
                Some(used) => used.repeats += 1,
                None => {
                    code.used = Some(Used { at: now, by: place, repeats: 0 });
                    self.successes.insert(place, now);
                    self.repeat_until = Some(now.plus(seconds(10)));
                    self.wrong.iter_mut().for_each(|(_, _, counts)| *counts = false);
                    // The other code is over; if it was used before, its user may still repeat it.
                    self.code(!long).take_if(|other| other.used.is_none());
                }
            }
            *self.code(long) = Some(code);
        } else {
            self.charge(charged, place, now);
        }
        (success, paid)
    }

    fn charge(&mut self, charged: bool, place: usize, now: Timestamp) {
        if charged {
            *self.tries.entry(place).or_default() += 1;
            self.wrong.push((now, self.class(place, now), true));
        }
    }

    /// What a start must send, given what came: the same code, or a new one of the right length.
    fn started(&mut self, place: usize, text: &str, now: Timestamp) {
        let live = self.short.as_ref().is_some_and(|code| code.used.is_none() && now < code.until);
        let long = !self.pool(self.class(place, now), now) || (live && self.tried_out(place));
        let why = "escalation is when the asker has no guess left, and only then";
        assert_eq!(text.len(), if long { 13 } else { 6 }, "{why}");
        let live = self.code(long).as_ref().filter(|code| code.used.is_none() && code.until > now.plus(minutes(5)));
        match live {
            Some(code) => assert_eq!(code.text, text, "a resend is the same code"),
            None => {
                *self.code(long) = Some(Code { text: text.to_owned(), until: now.plus(hours(1)), used: None });
                if !long {
                    self.tries.clear();
                }
            }
        }
    }

    /// The bound that docs/limits.md promises, over the whole history, whatever the model above thinks.
    fn within_the_bound(&self) {
        for (n, (from, _, _)) in self.wrong.iter().enumerate() {
            let day: Vec<_> = self.wrong[n..].iter().take_while(|(at, _, _)| at.since(*from) < hours(24)).collect();
            let strangers = day.iter().filter(|(_, class, _)| *class == Class::Stranger).count();
            assert!(day.len() <= 30 && strangers <= 10 && day.len() - strangers <= 20, "a day from {from}");
        }
        let row: Vec<_> = self.wrong.iter().filter(|(_, _, counts)| *counts).collect();
        let strangers = row.iter().filter(|(_, class, _)| *class == Class::Stranger).count();
        assert!(row.len() <= 100 && strangers <= 60 && row.len() - strangers <= 40);
    }
}

async fn enter(app: &TestApp, oracle: &mut Oracle, place: usize, entry: &str, right: bool) {
    let before = [app.counted("checks", "wrong"), app.counted("checks", "refused")];
    let expected = oracle.enter(place, entry.len() == 13, right, app.now());
    let status = app.from(PLACES[place]).verify(ADA, entry).await.status;
    let [wrong, refused] = [app.counted("checks", "wrong") - before[0], app.counted("checks", "refused") - before[1]];
    assert_eq!(status == 200, expected.0, "{} enters {entry}, right: {right}", PLACES[place]);
    assert_eq!(wrong + refused == 0, expected.0);
    // A compared guess and a refused one look the same from outside; only the server's own count knows.
    assert_eq!(refused == 0, expected.1, "{} enters {entry}: compared or not", PLACES[place]);
}

async fn run(steps: &[Step]) {
    let (network, wide) = (NETWORK_HOUR.to_string(), WIDE_HOUR.to_string());
    let mut app = TestApp::with(&[
        ("DOORCODE_LIMITS__GUESS__NETWORK_HOUR", &network),
        ("DOORCODE_LIMITS__GUESS__WIDE_HOUR", &wide),
        // Sends have tests of their own; here they shall not be what stops a schedule.
        ("DOORCODE_LIMITS__SEND__STRANGER_HOUR", "1000"),
        ("DOORCODE_LIMITS__SEND__STRANGER_DAY", "1000"),
    ])
    .await;
    let mut oracle = Oracle::default();
    for step in steps {
        match step {
            Step::Wait(time) => app.advance(*time),
            Step::Retain => app.retain().await,
            Step::Start(place) => {
                let text = app.from(PLACES[*place]).code(ADA).await;
                oracle.started(*place, &text, app.now());
            }
            Step::Wrong(place, times) => {
                let entry = oracle.short.as_ref().map_or("123456".to_owned(), |code| not(&code.text));
                for _ in 0..*times {
                    enter(&app, &mut oracle, *place, &entry, false).await;
                }
            }
            Step::Right(place) => {
                if let Some(code) = oracle.short.clone() {
                    enter(&app, &mut oracle, *place, &code.text, true).await;
                }
            }
            Step::Long(place) => {
                if let Some(code) = oracle.long.clone() {
                    enter(&app, &mut oracle, *place, &code.text, true).await;
                }
            }
        }
        oracle.within_the_bound();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_schedule_beats_the_guess_budgets(steps in prop::collection::vec(step(), 20..110)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(&steps));
    }
}
