//! Those who wait for their turn. Of each line, one is under way and the others stand behind it; networks take turns there, so
//! that a flood from few keeps whoever comes from elsewhere waiting for no longer than its networks are many. Refuses those whose
//! network has its share of a line, or of the room, that is full.

use std::collections::{HashMap, VecDeque};

use crate::store::about::NetworkId;

/// What a line is called.
pub(super) type LineId = [u8; 16];

/// Who may wait in all lines.
const ROOM: usize = 4096;
/// Who may wait in one.
const LINE: usize = 1024;

/// Somebody who waits.
pub(super) struct Waiting<W> {
    pub(super) line: LineId,
    pub(super) network: NetworkId,
    pub(super) work: W,
}

/// What is waited with.
pub(super) trait Work {
    /// Whether it is to be done in a transaction of its own.
    fn is_alone(&self) -> bool;
    /// Whether somebody still waits for it.
    fn is_wanted(&self) -> bool;
}

/// All of them.
pub(super) struct Lines<W> {
    /// In front of their lines: for a group, and on their own.
    ready: VecDeque<Waiting<W>>,
    alone: VecDeque<Waiting<W>>,
    /// The others of each line that has one in front, or under way.
    behind: HashMap<LineId, Line<W>>,
    /// How many of each network wait.
    of_networks: HashMap<NetworkId, usize>,
    count: usize,
}

/// Those behind in one line.
struct Line<W> {
    of_networks: HashMap<NetworkId, VecDeque<Waiting<W>>>,
    /// The networks that have somebody in it, the one whose turn is next in front.
    turns: VecDeque<NetworkId>,
    count: usize,
}

/// Whether a network with `own` in a room has its share of it, and the room is full.
fn is_over_share(own: usize, count: usize, room: usize, networks: usize) -> bool {
    count >= room && own >= (room / networks.max(1)).max(1)
}

impl<W: Work> Lines<W> {
    pub(super) fn new() -> Self {
        Self {
            ready: VecDeque::new(),
            alone: VecDeque::new(),
            behind: HashMap::new(),
            of_networks: HashMap::new(),
            count: 0,
        }
    }

    /// Takes somebody in, or gives them back.
    pub(super) fn push(&mut self, waiting: Waiting<W>) -> Result<(), W> {
        let own = self.of_networks.get(&waiting.network).copied().unwrap_or(0);
        if is_over_share(own, self.count, ROOM, self.of_networks.len()) {
            return Err(waiting.work);
        }
        let network = waiting.network;
        match self.behind.get_mut(&waiting.line) {
            Some(line) => line.push(waiting)?,
            None => {
                self.behind.insert(waiting.line, Line::new());
                self.put_in_front(waiting);
            }
        }
        *self.of_networks.entry(network).or_default() += 1;
        self.count += 1;
        Ok(())
    }

    /// Whether a group can be made.
    pub(super) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Up to `most` that may share a transaction, in the order of their lines, which is that of their addresses: what is new is
    /// inserted in this order, so that two groups do not wait for each other.
    pub(super) fn take(&mut self, most: usize) -> Vec<Waiting<W>> {
        let mut group: Vec<_> = self.ready.drain(..self.ready.len().min(most)).collect();
        group.iter().for_each(|waiting| self.forget(waiting.network));
        group.sort_by_key(|waiting| waiting.line);
        group
    }

    /// The next whose turn it is to work alone.
    pub(super) fn take_alone(&mut self) -> Option<Waiting<W>> {
        let waiting = self.alone.pop_front()?;
        self.forget(waiting.network);
        Some(waiting)
    }

    /// Whoever was under way in these lines is done. Who has gone away meanwhile is passed over.
    pub(super) fn free(&mut self, lines: &[LineId]) {
        for id in lines {
            let next = loop {
                let Some(next) = self.behind.get_mut(id).and_then(Line::pop) else { break None };
                if next.work.is_wanted() {
                    break Some(next);
                }
                self.forget(next.network);
            };
            match next {
                Some(next) => self.put_in_front(next),
                None => drop(self.behind.remove(id)),
            }
        }
    }

    fn put_in_front(&mut self, waiting: Waiting<W>) {
        let front = if waiting.work.is_alone() { &mut self.alone } else { &mut self.ready };
        front.push_back(waiting);
    }

    /// One of a network waits no more.
    fn forget(&mut self, network: NetworkId) {
        self.count -= 1;
        if let Some(own) = self.of_networks.get_mut(&network) {
            *own -= 1;
            if *own == 0 {
                self.of_networks.remove(&network);
            }
        }
    }
}

impl<W> Line<W> {
    fn new() -> Self {
        Self { of_networks: HashMap::new(), turns: VecDeque::new(), count: 0 }
    }

    fn push(&mut self, waiting: Waiting<W>) -> Result<(), W> {
        let own = self.of_networks.get(&waiting.network).map_or(0, VecDeque::len);
        if is_over_share(own, self.count, LINE, self.of_networks.len()) {
            return Err(waiting.work);
        }
        if own == 0 {
            self.turns.push_back(waiting.network);
        }
        self.of_networks.entry(waiting.network).or_default().push_back(waiting);
        self.count += 1;
        Ok(())
    }

    fn pop(&mut self) -> Option<Waiting<W>> {
        let network = self.turns.pop_front()?;
        let own = self.of_networks.get_mut(&network)?;
        let next = own.pop_front();
        if own.is_empty() {
            self.of_networks.remove(&network);
        } else {
            self.turns.push_back(network);
        }
        self.count -= usize::from(next.is_some());
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Nothing {
        alone: bool,
        wanted: bool,
    }

    impl Work for Nothing {
        fn is_alone(&self) -> bool {
            self.alone
        }

        fn is_wanted(&self) -> bool {
            self.wanted
        }
    }

    const SHARED: Nothing = Nothing { alone: false, wanted: true };

    fn waiting(line: u8, network: u16, work: Nothing) -> Waiting<Nothing> {
        let mut id = [0; 16];
        id[..2].copy_from_slice(&network.to_be_bytes());
        Waiting { line: [line; 16], network: id, work }
    }

    fn network(waiting: &Waiting<Nothing>) -> u16 {
        u16::from_be_bytes([waiting.network[0], waiting.network[1]])
    }

    fn taken(lines: &mut Lines<Nothing>) -> Vec<u8> {
        lines.take(64).iter().map(|waiting| waiting.line[0]).collect()
    }

    #[test]
    fn of_one_line_one_is_under_way() {
        let mut lines = Lines::new();
        for n in [1, 2, 1, 1, 3] {
            lines.push(waiting(n, 0, SHARED)).unwrap();
        }
        assert_eq!(taken(&mut lines), [1, 2, 3]);
        assert!(taken(&mut lines).is_empty(), "the others wait until the first is over");
        lines.free(&[[1; 16], [2; 16]]);
        lines.push(waiting(2, 0, SHARED)).unwrap();
        assert_eq!(taken(&mut lines), [1, 2]);
        lines.free(&[[1; 16], [2; 16], [3; 16]]);
        assert_eq!(taken(&mut lines), [1]);
        lines.free(&[[1; 16]]);
        assert!(lines.behind.is_empty() && lines.ready.is_empty(), "nobody is left, and nothing of them");
        assert!(lines.of_networks.is_empty() && lines.count == 0);
    }

    #[test]
    fn whoever_works_alone_has_a_turn_in_the_same_line() {
        let mut lines = Lines::new();
        lines.push(waiting(1, 0, Nothing { alone: true, wanted: true })).unwrap();
        lines.push(waiting(1, 0, SHARED)).unwrap();
        assert!(lines.take_alone().is_some() && lines.take_alone().is_none());
        assert!(!lines.has_ready());
        lines.free(&[[1; 16]]);
        assert_eq!(taken(&mut lines), [1]);
    }

    #[test]
    fn whoever_comes_from_elsewhere_is_next_in_a_flood() {
        let mut lines = Lines::new();
        let mut refused = 0;
        for _ in 0..2 * LINE {
            refused += usize::from(lines.push(waiting(1, 1, SHARED)).is_err());
        }
        assert_eq!(refused, LINE - 1, "one is in front, the others fill the line");
        lines.push(waiting(1, 2, SHARED)).expect("the line is full of another network's");
        lines.take(1);
        let mut order = Vec::new();
        for _ in 0..3 {
            lines.free(&[[1; 16]]);
            order.extend(lines.take(1).iter().map(network));
        }
        assert_eq!(order, [1, 2, 1], "networks take turns");
    }

    #[test]
    fn a_flood_over_many_lines_leaves_room_for_others() {
        let mut lines = Lines::new();
        let mut refused = 0;
        for n in 0..=u8::MAX {
            for _ in 0..32 {
                refused += usize::from(lines.push(waiting(n, 1, SHARED)).is_err());
            }
        }
        assert_eq!(refused, 256 * 32 - ROOM);
        lines.push(waiting(7, 2, SHARED)).expect("the room is full of another network's");
        for n in 0..2000 {
            drop(lines.push(waiting(9, n, SHARED)));
        }
        assert!(lines.count < 2 * ROOM, "{}", lines.count);
    }

    #[test]
    fn who_has_gone_is_passed_over() {
        let mut lines = Lines::new();
        lines.push(waiting(1, 0, SHARED)).unwrap();
        for _ in 0..10 {
            lines.push(waiting(1, 0, Nothing { alone: false, wanted: false })).unwrap();
        }
        assert_eq!(taken(&mut lines), [1]);
        lines.free(&[[1; 16]]);
        assert_eq!((lines.count, lines.behind.len()), (0, 0), "nobody waits any more");
    }

    #[test]
    fn a_group_is_not_endless() {
        let mut lines = Lines::new();
        (0..=u8::MAX).for_each(|n| lines.push(waiting(n, 0, SHARED)).unwrap());
        assert_eq!(lines.take(64).len(), 64);
    }
}
