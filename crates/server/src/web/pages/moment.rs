//! A time on a page. Refuses to guess where the reader is: it is in UTC and says so; the script puts the reader's own time
//! in its place.

use doorcode_core::Timestamp;

/// A time, for a `<time>` element.
#[derive(Clone, Copy)]
pub(super) struct Moment(Timestamp);

impl Moment {
    pub(super) fn of(at: Timestamp) -> Self {
        Self(at)
    }

    /// For `datetime`: RFC 3339, in UTC.
    pub(super) fn machine(self) -> String {
        self.0.to_string()
    }

    /// For people: `2026-11-22 08:07 UTC`.
    pub(super) fn shown(self) -> String {
        let text = self.0.to_string();
        let (day, time) = text.split_once('T').unwrap_or((&text, ""));
        format!("{day} {} UTC", time.get(..5).unwrap_or(time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_said_to_the_minute_and_told_in_full() {
        let moment = Moment::of(Timestamp::from_millis(1_795_334_868_123));
        assert_eq!(moment.shown(), "2026-11-22 08:07 UTC");
        assert_eq!(moment.machine(), "2026-11-22T08:07:48.123Z");
    }
}
