//! The ways by which messages come. Refuses none of them anything: what each may is said where it is.

/// By which way a code came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// A collector beside the person's mailbox handed it in, sealed.
    Collector,
    /// A phone did.
    Device,
    /// This server watches a mailbox.
    Mailbox,
    /// Mail was forwarded here.
    Inbound,
    /// A program pushed it.
    Webhook,
    /// By none: it was made up for who tries things out.
    Test,
}

/// All of them, as they are stored and told.
const WAYS: [(Way, &str); 6] = [
    (Way::Collector, "collector"),
    (Way::Device, "device"),
    (Way::Mailbox, "mailbox"),
    (Way::Inbound, "inbound"),
    (Way::Webhook, "webhook"),
    (Way::Test, "test"),
];

impl Way {
    /// Its word, in the database, the records and the API.
    pub fn as_str(self) -> &'static str {
        WAYS.iter().find(|(way, _)| *way == self).map_or("", |(_, name)| name)
    }

    /// The way of that word.
    pub fn read(text: &str) -> Option<Self> {
        WAYS.iter().find(|(_, name)| *name == text).map(|(way, _)| *way)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_is_read_as_it_is_written() {
        for (way, name) in WAYS {
            assert_eq!((way.as_str(), Way::read(name)), (name, Some(way)));
        }
        assert_eq!(Way::read("Inbound"), None);
    }
}
