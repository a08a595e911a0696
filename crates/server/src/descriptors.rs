//! How many descriptors the system gives this process. A house that takes more connections than that ends up with none for
//! its own files, and its answers fail.

/// What the house needs for itself: the database and its readers, mail and webhooks on their way, the listener, standard
/// streams.
const OWN: usize = 160;

/// Of what the system gives, the part that connected mailboxes may have.
const MAILBOXES: usize = 16;

/// How many mailboxes this process may watch at once: what is asked for, or a part of what the system gives.
pub(crate) fn mailboxes(wanted: usize) -> usize {
    open_most().map_or(wanted, |most| wanted.min(most / MAILBOXES))
}

/// How many connections may be open at once: what is asked for, or as many as the system gives, less what the house needs, and less those
/// to mailboxes.
pub(crate) fn connections(wanted: usize, mailboxes: usize) -> usize {
    let room = open_most().map_or(wanted, |most| most.saturating_sub(OWN + mailboxes).max(1));
    if room < wanted {
        // With 10,000 by default and 1,024 in most shells this is the usual case, and nothing is wrong.
        tracing::info!(
            wanted,
            room,
            "server.max_connections is more than the limit of open files allows (ulimit -n, LimitNOFILE=)"
        );
    }
    room.min(wanted)
}

/// How many files this process may have open at once; none if there is no limit.
pub(crate) fn open_most() -> Option<usize> {
    open_files(&std::fs::read_to_string("/proc/self/limits").unwrap_or_default())
}

/// The soft limit of open files in what proc(5) says; none if there is none.
fn open_files(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_is_read() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
            Max cpu time              unlimited            unlimited            seconds   \n\
            Max open files            1024                 524288               files     \n";
        assert_eq!(open_files(limits), Some(1024));
        assert_eq!(open_files(&limits.replace("1024 ", "unlimited ")), None);
        assert_eq!(open_files(""), None);
    }

    #[test]
    fn never_more_than_wanted_and_never_none() {
        assert_eq!(connections(1, 0), 1);
        assert!((1..=usize::MAX - 1).contains(&connections(usize::MAX - 1, mailboxes(1000))));
        assert_eq!(mailboxes(0), 0);
    }
}
