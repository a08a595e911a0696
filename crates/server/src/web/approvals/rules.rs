//! The rules for an agent, between a form and the JSON in which they are kept:
//! `{"sources": […], "senders": […], "hours": {"from", "to", "offset"}, "auto_approve": {"senders": […], "per_day"}}`, whatever is left
//! out being not ruled; `from` and `to` are minutes of the day. Refuses numbers that are none; what the rest means, `core` judges.

use doorcode_core::relay::rules::Rules;
use doorcode_core::{Error, Result};
use serde_json::{Map, Value, json};

use crate::web::forms::Sent;
use crate::web::pages::RuleFields;

/// Minutes of an hour, and hours of a day.
const HOUR: i64 = 60;

/// What a form says.
pub(super) fn typed(form: &Sent) -> RuleFields {
    let text = |name| form.field(name).trim().to_owned();
    RuleFields {
        sources: form.fields("source").into_iter().map(str::to_owned).collect(),
        senders: text("senders"),
        from: text("from"),
        to: text("to"),
        offset: text("offset"),
        auto_senders: text("auto_senders"),
        per_day: text("per_day"),
    }
}

/// What is kept, as a form shows it.
pub(super) fn fields(kept: Option<&str>) -> RuleFields {
    let rules: Value = kept.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let list = |value: &Value| -> Vec<String> {
        let texts = value.as_array().into_iter().flatten().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    };
    let number = |value: &Value| value.as_i64().map_or_else(String::new, |number| number.to_string());
    let (hours, auto) = (&rules["hours"], &rules["auto_approve"]);
    RuleFields {
        sources: list(&rules["sources"]),
        senders: list(&rules["senders"]).join("\n"),
        from: hours["from"].as_i64().map_or_else(String::new, clock),
        to: hours["to"].as_i64().map_or_else(String::new, clock),
        offset: number(&hours["offset"]),
        auto_senders: list(&auto["senders"]).join("\n"),
        per_day: number(&auto["per_day"]),
    }
}

fn clock(minute: i64) -> String {
    format!("{:02}:{:02}", minute / HOUR, minute % HOUR)
}

/// The minute of the day that a time such as `08:30` is.
fn minute(text: &str) -> Option<i64> {
    let (hour, minute) = text.split_once(':')?;
    let two =
        |text: &str| (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok());
    let (hour, minute): (i64, i64) = (two(hour)??, two(minute)??);
    (hour < 24 && minute < HOUR).then_some(hour * HOUR + minute)
}

/// What is kept of a form; nothing where nothing is ruled.
pub(super) fn kept(typed: &RuleFields) -> Result<Option<String>> {
    let lines = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
    };
    let mut rules = Map::new();
    if !typed.sources.is_empty() {
        rules.insert("sources".to_owned(), json!(typed.sources));
    }
    let senders = lines(&typed.senders);
    if !senders.is_empty() {
        rules.insert("senders".to_owned(), json!(senders));
    }
    if let Some(hours) = hours(typed)? {
        rules.insert("hours".to_owned(), hours);
    }
    let auto = lines(&typed.auto_senders);
    if !auto.is_empty() {
        let bad = Error::Invalid { field: "auto_approve.per_day", why: "must be a whole number from 1 to 20" };
        let per_day: u32 = typed.per_day.parse().ok().filter(|number| (1..=20).contains(number)).ok_or(bad)?;
        rules.insert("auto_approve".to_owned(), json!({ "senders": auto, "per_day": per_day }));
    }
    if rules.is_empty() {
        return Ok(None);
    }
    // By the same rules that a request is held against.
    Rules::parse(&Value::Object(rules).to_string())?.to_json().map(Some)
}

fn hours(typed: &RuleFields) -> Result<Option<Value>> {
    if typed.from.is_empty() && typed.to.is_empty() {
        return Ok(None);
    }
    let bad = |field| Error::Invalid { field, why: "must be a time, as 08:30" };
    let from = minute(&typed.from).ok_or(bad("hours.from"))?;
    let to = minute(&typed.to).filter(|to| *to != from).ok_or(bad("hours.to"))?;
    let offset = if typed.offset.is_empty() { Some(0) } else { typed.offset.parse::<i64>().ok() };
    let offset = offset.filter(|minutes| (-720..=840).contains(minutes));
    let offset = offset.ok_or(Error::Invalid { field: "hours.offset", why: "must be -720 to 840 minutes" })?;
    Ok(Some(json!({ "from": from, "to": to, "offset": offset })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_shown_again_and_nothing_is_nothing() {
        let typed = RuleFields {
            sources: vec!["email".to_owned()],
            senders: "*@acme.com\nAcme".to_owned(),
            from: "08:00".to_owned(),
            to: "20:30".to_owned(),
            offset: "60".to_owned(),
            auto_senders: "noreply@acme.com".to_owned(),
            per_day: "5".to_owned(),
        };
        let text = kept(&typed).unwrap().unwrap();
        assert_eq!(
            serde_json::from_str::<Value>(&text).unwrap(),
            json!({ "sources": ["email"], "senders": ["*@acme.com", "Acme"],
                "hours": { "from": 480, "to": 1230, "offset": 60 },
                "auto_approve": { "senders": ["noreply@acme.com"], "per_day": 5 } })
        );
        assert_eq!(fields(Some(&text)), typed);
        assert_eq!(kept(&RuleFields::default()).unwrap(), None);
        assert_eq!((fields(None), fields(Some("nonsense"))), (RuleFields::default(), RuleFields::default()));
    }

    #[test]
    fn what_is_no_time_and_no_number_is_refused() {
        let of = |from: &str, to: &str, offset: &str| RuleFields {
            from: from.to_owned(),
            to: to.to_owned(),
            offset: offset.to_owned(),
            ..RuleFields::default()
        };
        for bad in [
            of("8", "20:00", ""),
            of("08:00", "", ""),
            of("08:00", "08:00", ""),
            of("24:00", "08:00", ""),
            of("08:00", "09:00", "841"),
        ] {
            assert!(kept(&bad).is_err(), "{bad:?}");
        }
        for per_day in ["", "0", "21", "x"] {
            let typed = RuleFields {
                auto_senders: "a@b.example".to_owned(),
                per_day: per_day.to_owned(),
                ..RuleFields::default()
            };
            assert!(kept(&typed).is_err(), "{per_day}");
        }
    }
}
