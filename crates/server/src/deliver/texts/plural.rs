//! The forms that a number takes, by the plural rules for cardinals of Unicode CLDR, as far as whole numbers of minutes
//! and seconds reach. Refuses to know a language: a catalogue names the rule that its language counts by.

/// A form of CLDR's, without `zero`: nothing here counts nought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One, and in some languages nought.
    One,
    /// Two.
    Two,
    /// A few.
    Few,
    /// Many.
    Many,
    /// All the rest. Every language has it.
    Other,
}

impl Form {
    /// Every form.
    pub const ALL: [Self; 5] = [Self::One, Self::Two, Self::Few, Self::Many, Self::Other];

    /// CLDR's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::Two => "two",
            Self::Few => "few",
            Self::Many => "many",
            Self::Other => "other",
        }
    }
}

/// One text for each form that a language has. What is not written is said as `other`.
#[derive(Clone, Copy, Default)]
pub struct Plural {
    /// The text for [`Form::One`].
    pub one: Option<&'static str>,
    /// The text for [`Form::Two`].
    pub two: Option<&'static str>,
    /// The text for [`Form::Few`].
    pub few: Option<&'static str>,
    /// The text for [`Form::Many`].
    pub many: Option<&'static str>,
    /// The text for [`Form::Other`].
    pub other: &'static str,
}

impl Plural {
    /// The same text for every number.
    #[must_use]
    pub const fn same(other: &'static str) -> Self {
        Self { one: None, two: None, few: None, many: None, other }
    }

    /// One, and all the rest.
    #[must_use]
    pub const fn pair(one: &'static str, other: &'static str) -> Self {
        Self { one: Some(one), two: None, few: None, many: None, other }
    }

    /// The text for a form.
    #[must_use]
    pub fn of(&self, form: Form) -> &'static str {
        let written = match form {
            Form::One => self.one,
            Form::Two => self.two,
            Form::Few => self.few,
            Form::Many => self.many,
            Form::Other => None,
        };
        written.unwrap_or(self.other)
    }

    /// The forms that are written, each with its text.
    pub fn written(&self) -> impl Iterator<Item = (Form, &'static str)> {
        let all = [self.one, self.two, self.few, self.many, Some(self.other)];
        Form::ALL.into_iter().zip(all).filter_map(|(form, text)| Some((form, text?)))
    }

    /// Where the text of a form stands, if this language has the form.
    pub(super) fn slot(&mut self, form: Form) -> Option<&mut &'static str> {
        match form {
            Form::One => self.one.as_mut(),
            Form::Two => self.two.as_mut(),
            Form::Few => self.few.as_mut(),
            Form::Many => self.many.as_mut(),
            Form::Other => Some(&mut self.other),
        }
    }
}

/// One and the rest: English, German, Spanish.
pub(super) fn one_or_other(n: u32) -> Form {
    if n == 1 { Form::One } else { Form::Other }
}

/// Nought and one, and the rest: French, Brazilian Portuguese.
pub(super) fn up_to_one_or_other(n: u32) -> Form {
    if n <= 1 { Form::One } else { Form::Other }
}

/// No difference: Japanese, Chinese.
pub(super) fn always_other(_: u32) -> Form {
    Form::Other
}

/// Arabic: one, two, 3 to 10 and 11 to 99 of each hundred, and the rest.
pub(super) fn arabic(n: u32) -> Form {
    match (n, n % 100) {
        (1, _) => Form::One,
        (2, _) => Form::Two,
        (_, 3..=10) => Form::Few,
        (_, 11..=99) => Form::Many,
        _ => Form::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arabic_counts_as_cldr_says() {
        // The sample numbers of CLDR's chart.
        for (form, numbers) in [
            (Form::One, vec![1]),
            (Form::Two, vec![2]),
            (Form::Few, vec![3, 4, 10, 103, 110, 1003]),
            (Form::Many, vec![11, 26, 99, 111, 1011]),
            (Form::Other, vec![100, 102, 200, 202, 300, 1000, 10000, 100_000, 1_000_000]),
        ] {
            for n in numbers {
                assert_eq!(arabic(n), form, "{n}");
            }
        }
    }

    #[test]
    fn a_form_that_is_not_written_is_said_as_other() {
        let pair = Plural::pair("one", "other");
        assert_eq!((pair.of(Form::One), pair.of(Form::Few), pair.of(Form::Other)), ("one", "other", "other"));
        assert_eq!(Plural::same("all").written().map(|(form, _)| form.as_str()).collect::<Vec<_>>(), ["other"]);
    }
}
