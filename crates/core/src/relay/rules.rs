//! A person's rules for one of their agents: from where it may ask for codes, of whom, at what hours, and what is said yes to without
//! them. Kept as JSON; pure. Refuses rules that nobody can keep, and to say yes by itself to anything but mail of one exact address, asked
//! for by an agent whose identity is known.
//!
//! ```json
//! {"sources": ["email"], "senders": ["*@acme.com"], "hours": {"from": 480, "to": 1200, "offset": 60},
//!  "auto_approve": {"senders": ["noreply@acme.com"], "per_day": 5}}
//! ```
//!
//! Whatever is left out is not ruled. `from` and `to` are minutes of the day, `offset` is how many minutes that day is ahead of UTC.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{MAIL, SOURCES, source_bits};
use crate::address::Email;
use crate::error::{Error, Result};
use crate::time::Timestamp;

/// Senders in one list.
const SENDERS_MOST: usize = 50;
/// The longest pattern of senders, in characters.
const PATTERN_MOST: usize = 255;
/// The most codes a day that are said yes to without their owner (security, section 5).
pub const AUTO_MOST: u32 = 20;
/// Minutes of a day.
const DAY: i64 = 1440;
/// How far a day is ahead of UTC or behind, in minutes, where people live.
const OFFSETS: (i64, i64) = (-720, 840);

/// What is refused, as the agent is told.
const NO_SOURCE: &str = "Its owner does not let this agent ask for codes of that source";
const NO_SENDER: &str = "Its owner does not let this agent ask for codes of that sender";
const NO_HOUR: &str = "Its owner does not let this agent ask at this hour";

/// The hours in which an agent may ask.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Hours {
    /// From this minute of the day on.
    from: i64,
    /// Until before this one; where it is less, of the next day.
    to: i64,
    /// How many minutes that day is ahead of UTC.
    offset: i64,
}

/// What is said yes to without the owner.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Auto {
    /// Exact addresses, in their canonical form.
    senders: Vec<String>,
    /// How often in a day.
    per_day: u32,
}

/// The rules.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize)]
pub struct Rules {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sources: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    senders: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hours: Option<Hours>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auto_approve: Option<Auto>,
}

/// What an agent asks for, as far as the rules see it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Bits of [`SOURCES`]; none: any.
    pub sources: i64,
    /// Whose messages.
    pub sender: Option<&'a str>,
    /// What they say is asked for as well: which of a sender's messages are meant is the agent's wish, and its owner has to see it.
    pub content: bool,
    /// The agent's identity is known, and has signed this.
    pub proved: bool,
}

/// What the rules say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ruling {
    /// The owner is asked.
    Ask,
    /// No, and why.
    Refuse(&'static str),
    /// Yes, if the day has this many left.
    Approve(u32),
}

impl Rules {
    /// Reads rules.
    ///
    /// # Errors
    /// `Invalid` with the member's name: what is no rule, or can not be kept. A member that is not known is one too, since it would be
    /// taken for a rule that holds.
    pub fn parse(text: &str) -> Result<Self> {
        let bad = Error::Invalid { field: "rules", why: "must be a JSON object" };
        match serde_json::from_str(text) {
            Ok(Value::Object(members)) => Self::read(members),
            _ => Err(bad),
        }
    }

    fn read(mut members: Map<String, Value>) -> Result<Self> {
        let rules = Self {
            sources: sources(take(&mut members, "sources"))?,
            senders: texts(take(&mut members, "senders"), "rules.senders")?,
            hours: take(&mut members, "hours").map(hours).transpose()?,
            auto_approve: take(&mut members, "auto_approve")
                .or(take(&mut members, "autoApprove"))
                .map(auto)
                .transpose()?,
        };
        end(&members, "rules", "may hold sources, senders, hours and auto_approve")?;
        Ok(rules)
    }

    /// As they are kept.
    ///
    /// # Errors
    /// `Internal` if they can't be written, which does not happen.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(Error::internal)
    }

    /// The sources that a request comes to: what it asks for, or where it asks for any, what is let.
    pub fn sources(&self, asked: i64) -> i64 {
        match (asked, self.sources.is_empty()) {
            (0, true) => source_bits(),
            (0, false) => self.source_bits(),
            _ => asked,
        }
    }

    fn source_bits(&self) -> i64 {
        SOURCES.iter().filter(|(_, name)| self.sources.contains(name)).map(|(bit, _)| bit).sum()
    }

    /// What they say of a request at a moment.
    pub fn judge(&self, asked: &Asked<'_>, now: Timestamp) -> Ruling {
        let sources = self.sources(asked.sources);
        if !self.sources.is_empty() && sources & !self.source_bits() != 0 {
            return Ruling::Refuse(NO_SOURCE);
        }
        if !self.senders.is_empty() && !asked.sender.is_some_and(|sender| self.lets(sender)) {
            return Ruling::Refuse(NO_SENDER);
        }
        if self.hours.is_some_and(|hours| !hours.hold(now)) {
            return Ruling::Refuse(NO_HOUR);
        }
        // Only mail tells who sent it.
        let auto = self.auto_approve.as_ref().filter(|_| asked.proved && sources == MAIL && !asked.content);
        let sender = asked.sender.and_then(exact);
        match (auto, sender) {
            (Some(auto), Some(sender)) if auto.senders.contains(&sender) => Ruling::Approve(auto.per_day),
            _ => Ruling::Ask,
        }
    }

    /// Whether a sender is one of those that are let: the same pattern, or an address at the domain of `*@domain`.
    fn lets(&self, sender: &str) -> bool {
        let exact = exact(sender);
        self.senders.iter().any(|pattern| {
            let at = pattern.strip_prefix("*@").zip(exact.as_deref().and_then(|sender| sender.rsplit_once('@')));
            pattern.eq_ignore_ascii_case(sender)
                || exact.as_deref().is_some_and(|sender| pattern.eq_ignore_ascii_case(sender))
                || at.is_some_and(|(domain, (_, own))| domain.eq_ignore_ascii_case(own))
        })
    }
}

impl Hours {
    fn hold(self, now: Timestamp) -> bool {
        let minute = (now.millis().div_euclid(60_000) + self.offset).rem_euclid(DAY);
        if self.from < self.to {
            (self.from..self.to).contains(&minute)
        } else {
            minute >= self.from || minute < self.to
        }
    }
}

/// The address that a pattern is, if it stands for one only.
fn exact(pattern: &str) -> Option<String> {
    let plain = !pattern.contains(['*', '?']);
    Email::parse(pattern).ok().filter(|_| plain).map(|email| email.as_str().to_owned())
}

fn take(members: &mut Map<String, Value>, name: &str) -> Option<Value> {
    members.remove(name).filter(|value| !value.is_null())
}

fn end(members: &Map<String, Value>, field: &'static str, why: &'static str) -> Result<()> {
    if members.is_empty() { Ok(()) } else { Err(Error::Invalid { field, why }) }
}

fn object(value: Value, field: &'static str) -> Result<Map<String, Value>> {
    match value {
        Value::Object(members) => Ok(members),
        _ => Err(Error::Invalid { field, why: "must be an object" }),
    }
}

fn texts(value: Option<Value>, field: &'static str) -> Result<Vec<String>> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let bad = Error::Invalid { field, why: "must be a list of 1 to 50 texts of at most 255 characters" };
    let Value::Array(values) = value else { return Err(bad) };
    let short = |text: &str| !text.trim().is_empty() && text.chars().count() <= PATTERN_MOST;
    let texts = values.iter().map(|value| value.as_str().filter(|text| short(text)).map(|text| text.trim().to_owned()));
    match texts.collect::<Option<Vec<String>>>() {
        Some(texts) if (1..=SENDERS_MOST).contains(&texts.len()) => Ok(texts),
        _ => Err(bad),
    }
}

fn sources(value: Option<Value>) -> Result<Vec<&'static str>> {
    let named = texts(value, "rules.sources")?;
    let known = |name: &String| SOURCES.iter().find(|(_, known)| known == name).map(|(_, known)| *known);
    let bad = Error::Invalid { field: "rules.sources", why: "may hold sms, email and whatsapp" };
    named.iter().map(known).collect::<Option<Vec<_>>>().ok_or(bad)
}

fn whole(value: Option<Value>, (least, most): (i64, i64), bad: Error) -> Result<i64> {
    let number = value.and_then(|value| value.as_i64());
    number.filter(|number| (least..=most).contains(number)).ok_or(bad)
}

fn hours(value: Value) -> Result<Hours> {
    let mut members = object(value, "rules.hours")?;
    let minute = "must be a minute of the day, 0 to 1439";
    let from = Error::Invalid { field: "rules.hours.from", why: minute };
    let from = whole(take(&mut members, "from"), (0, DAY - 1), from)?;
    let to = Error::Invalid { field: "rules.hours.to", why: minute };
    let to = whole(take(&mut members, "to"), (0, DAY - 1), to)?;
    let offset = take(&mut members, "offset").or(Some(0.into()));
    let bad = Error::Invalid { field: "rules.hours.offset", why: "must be minutes ahead of UTC, -720 to 840" };
    let offset = whole(offset, OFFSETS, bad)?;
    end(&members, "rules.hours", "may hold from, to and offset")?;
    if from == to {
        return Err(Error::Invalid { field: "rules.hours.to", why: "must be another minute than from" });
    }
    Ok(Hours { from, to, offset })
}

fn auto(value: Value) -> Result<Auto> {
    let mut members = object(value, "rules.auto_approve")?;
    let senders = texts(take(&mut members, "senders"), "rules.auto_approve.senders")?;
    let bad = Error::Invalid { field: "rules.auto_approve.senders", why: "must be exact e-mail addresses" };
    let senders = senders.iter().map(|sender| exact(sender)).collect::<Option<Vec<_>>>();
    let senders = senders.filter(|senders| !senders.is_empty()).ok_or(bad)?;
    let per_day = take(&mut members, "per_day").or(take(&mut members, "perDay"));
    let bad = Error::Invalid { field: "rules.auto_approve.per_day", why: "must be a whole number from 1 to 20" };
    let per_day = whole(per_day, (1, AUTO_MOST.into()), bad)?;
    end(&members, "rules.auto_approve", "may hold senders and per_day")?;
    Ok(Auto { senders, per_day: u32::try_from(per_day).unwrap_or(AUTO_MOST) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2027-01-15T08:00:00Z.
    const EIGHT: Timestamp = Timestamp::from_millis(1_800_000_000_000);
    const ACME: Asked<'_> = Asked { sources: MAIL, sender: Some("NoReply@acme.com"), content: false, proved: true };

    fn rules(text: &str) -> Rules {
        Rules::parse(text).unwrap()
    }

    fn auto_acme() -> Rules {
        rules(r#"{"auto_approve": {"senders": ["noreply@ACME.com"], "per_day": 5}}"#)
    }

    #[test]
    fn no_rules_ask() {
        assert_eq!(rules("{}").judge(&ACME, EIGHT), Ruling::Ask);
        assert_eq!(Rules::default().to_json().unwrap(), "{}");
    }

    #[test]
    fn what_is_kept_is_read_again() {
        let all = rules(
            r#"{"sources": ["email", "sms"], "senders": [" *@acme.com "], "hours": {"from": 480, "to": 1200},
                "autoApprove": {"senders": ["a@b.example"], "perDay": 20}}"#,
        );
        let kept = all.to_json().unwrap();
        assert!(kept.contains(r#""auto_approve":{"senders":["a@b.example"],"per_day":20}"#), "{kept}");
        assert_eq!(Rules::parse(&kept).unwrap(), all);
    }

    #[test]
    fn a_rule_that_can_not_be_kept_is_refused_by_its_name() {
        for (text, field) in [
            ("[]", "rules"),
            ("{", "rules"),
            (r#"{"sender": ["x"]}"#, "rules"),
            (r#"{"sources": ["fax"]}"#, "rules.sources"),
            (r#"{"sources": []}"#, "rules.sources"),
            (r#"{"senders": "x"}"#, "rules.senders"),
            (r#"{"senders": [""]}"#, "rules.senders"),
            (r#"{"hours": 8}"#, "rules.hours"),
            (r#"{"hours": {"from": 0}}"#, "rules.hours.to"),
            (r#"{"hours": {"from": -1, "to": 5}}"#, "rules.hours.from"),
            (r#"{"hours": {"from": 5, "to": 1440}}"#, "rules.hours.to"),
            (r#"{"hours": {"from": 5, "to": 5}}"#, "rules.hours.to"),
            (r#"{"hours": {"from": 5, "to": 6, "offset": 900}}"#, "rules.hours.offset"),
            (r#"{"hours": {"from": 5, "to": 6, "zone": "x"}}"#, "rules.hours"),
            (r#"{"auto_approve": {"senders": ["*@acme.com"], "per_day": 1}}"#, "rules.auto_approve.senders"),
            (r#"{"auto_approve": {"senders": ["n?@acme.com"], "per_day": 1}}"#, "rules.auto_approve.senders"),
            (r#"{"auto_approve": {"senders": ["Acme"], "per_day": 1}}"#, "rules.auto_approve.senders"),
            (r#"{"auto_approve": {"per_day": 1}}"#, "rules.auto_approve.senders"),
            (r#"{"auto_approve": {"senders": ["a@b.example"]}}"#, "rules.auto_approve.per_day"),
            (r#"{"auto_approve": {"senders": ["a@b.example"], "per_day": 0}}"#, "rules.auto_approve.per_day"),
            (r#"{"auto_approve": {"senders": ["a@b.example"], "per_day": 21}}"#, "rules.auto_approve.per_day"),
        ] {
            match Rules::parse(text) {
                Err(Error::Invalid { field: named, .. }) => assert_eq!(named, field, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn yes_without_the_owner_takes_all_of_it() {
        let rules = auto_acme();
        assert_eq!(rules.judge(&ACME, EIGHT), Ruling::Approve(5));
        for asked in [
            Asked { proved: false, ..ACME },
            Asked { content: true, ..ACME },
            Asked { sources: 0, ..ACME },
            Asked { sources: 1, ..ACME },
            Asked { sources: MAIL | 4, ..ACME },
            Asked { sender: None, ..ACME },
            Asked { sender: Some("*@acme.com"), ..ACME },
            Asked { sender: Some("noreply@acme.co"), ..ACME },
            Asked { sender: Some("?oreply@acme.com"), ..ACME },
        ] {
            assert_eq!(rules.judge(&asked, EIGHT), Ruling::Ask, "{asked:?}");
        }
    }

    #[test]
    fn what_is_not_let_is_refused_before_anything_is_said_yes_to() {
        let text = r#"{"sources": ["email"], "senders": ["*@acme.com", "Acme"], "auto_approve": {"senders": ["noreply@other.example"], "per_day": 5}}"#;
        let rules = rules(text);
        assert_eq!(rules.judge(&ACME, EIGHT), Ruling::Ask);
        assert_eq!(rules.judge(&Asked { sources: 0, sender: Some("acme"), ..ACME }, EIGHT), Ruling::Ask);
        assert_eq!(rules.sources(0), MAIL, "any comes to what is let");
        for sender in [None, Some("noreply@other.example"), Some("*@other.example"), Some("a@sub.acme.com"), Some("*")]
        {
            assert_eq!(rules.judge(&Asked { sender, ..ACME }, EIGHT), Ruling::Refuse(NO_SENDER), "{sender:?}");
        }
        for sources in [1, MAIL | 1] {
            assert_eq!(rules.judge(&Asked { sources, ..ACME }, EIGHT), Ruling::Refuse(NO_SOURCE));
        }
    }

    #[test]
    fn hours_end_before_their_last_minute_and_may_go_over_midnight() {
        let at = |minute: i64| Timestamp::from_millis(EIGHT.millis() + 60_000 * (minute - 480));
        let judge = |text: &str, minute| rules(text).judge(&ACME, at(minute));
        let day = r#"{"hours": {"from": 480, "to": 1200}}"#;
        let night = r#"{"hours": {"from": 1320, "to": 360}}"#;
        let ahead = r#"{"hours": {"from": 480, "to": 1200, "offset": 60}}"#;
        for (text, minute, held) in [
            (day, 479, false),
            (day, 480, true),
            (day, 1199, true),
            (day, 1200, false),
            (night, 1319, false),
            (night, 1320, true),
            (night, 0, true),
            (night, 359, true),
            (night, 360, false),
            (ahead, 419, false),
            (ahead, 420, true),
            (ahead, 1139, true),
            (ahead, 1140, false),
        ] {
            let expected = if held { Ruling::Ask } else { Ruling::Refuse(NO_HOUR) };
            assert_eq!(judge(text, minute), expected, "{text} {minute}");
        }
    }
}
