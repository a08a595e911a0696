//! Those who wait for their turn. Of each line, one is in front or under way and the others stand behind it. Wherever several wait,
//! askers take turns: wide networks (or the orgs whose programs ask), and within each its networks. So a flood keeps whoever comes
//! from elsewhere waiting for no longer than it has wide networks. Where a line is full, the newest of the asker with the most gives way.

use std::collections::{HashMap, VecDeque};

use crate::store::about::Asker;

/// What a line is called.
pub(super) type LineId = [u8; 16];

/// Who may wait in all lines before those who have their share of that are refused; twice as many are the most.
const ROOM: usize = 4096;
/// Who may wait in one.
const LINE: usize = 1024;

/// Somebody who waits.
pub(super) struct Waiting<W> {
    pub(super) line: LineId,
    pub(super) asker: Asker,
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
    ready: Turns<W>,
    alone: Turns<W>,
    /// The others of each line that has one in front, or under way.
    behind: HashMap<LineId, Turns<W>>,
    /// How many of each wide asker wait.
    of_askers: HashMap<[u8; 16], usize>,
    count: usize,
}

impl<W: Work> Lines<W> {
    pub(super) fn new() -> Self {
        Self { ready: Turns::new(), alone: Turns::new(), behind: HashMap::new(), of_askers: HashMap::new(), count: 0 }
    }

    /// Takes somebody in. Gives whoever has to go for it: another one, or they themselves.
    pub(super) fn push(&mut self, waiting: Waiting<W>) -> Option<W> {
        let wide = waiting.asker.wide;
        let own = self.of_askers.get(&wide).copied().unwrap_or(0);
        let share = (ROOM / self.of_askers.len().max(1)).max(1);
        if self.count >= ROOM && own >= share || self.count >= 2 * ROOM {
            return Some(waiting.work);
        }
        let mut gone = None;
        match self.behind.get_mut(&waiting.line) {
            Some(line) => {
                if line.count >= LINE {
                    let Some(most) = line.make_room(&wide) else { return Some(waiting.work) };
                    gone = Some(most);
                }
                line.push(waiting);
            }
            None => {
                self.behind.insert(waiting.line, Turns::new());
                self.put_in_front(waiting);
            }
        }
        *self.of_askers.entry(wide).or_default() += 1;
        self.count += 1;
        gone.map(|gone| {
            self.forget(&gone.asker);
            gone.work
        })
    }

    /// Whether a group can be made.
    pub(super) fn has_ready(&self) -> bool {
        self.ready.count > 0
    }

    /// Up to `most` that may share a transaction, in the order of their lines, which is that of their addresses: what is new is
    /// inserted in this order, so that two groups do not wait for each other.
    pub(super) fn take(&mut self, most: usize) -> Vec<Waiting<W>> {
        let mut group = Vec::new();
        while group.len() < most {
            let Some(waiting) = self.ready.pop() else { break };
            group.extend(self.leave(waiting));
        }
        group.sort_by_key(|waiting| waiting.line);
        group
    }

    /// The next whose turn it is to work alone.
    pub(super) fn take_alone(&mut self) -> Option<Waiting<W>> {
        loop {
            let waiting = self.alone.pop()?;
            if let Some(waiting) = self.leave(waiting) {
                return Some(waiting);
            }
        }
    }

    /// It waits no more: it is under way, or, if nobody wants it any more, the next of its line is in front.
    fn leave(&mut self, waiting: Waiting<W>) -> Option<Waiting<W>> {
        self.forget(&waiting.asker);
        if waiting.work.is_wanted() {
            return Some(waiting);
        }
        self.free(&[waiting.line]);
        None
    }

    /// Whoever was under way in these lines is done. Who has gone away meanwhile is passed over.
    pub(super) fn free(&mut self, lines: &[LineId]) {
        for id in lines {
            let next = loop {
                let Some(next) = self.behind.get_mut(id).and_then(Turns::pop) else { break None };
                if next.work.is_wanted() {
                    break Some(next);
                }
                self.forget(&next.asker);
            };
            match next {
                Some(next) => self.put_in_front(next),
                None => drop(self.behind.remove(id)),
            }
        }
    }

    fn put_in_front(&mut self, waiting: Waiting<W>) {
        let front = if waiting.work.is_alone() { &mut self.alone } else { &mut self.ready };
        front.push(waiting);
    }

    /// One of an asker waits no more.
    fn forget(&mut self, asker: &Asker) {
        self.count -= 1;
        if let Some(own) = self.of_askers.get_mut(&asker.wide) {
            *own -= 1;
            if *own == 0 {
                self.of_askers.remove(&asker.wide);
            }
        }
    }
}

/// Some who wait, of whom askers take turns.
struct Turns<W> {
    of_wide: HashMap<[u8; 16], Wide<W>>,
    /// Those that have somebody here, the one whose turn is next in front.
    turns: VecDeque<[u8; 16]>,
    count: usize,
}

/// Those of one wide asker, of whom its networks take turns.
struct Wide<W> {
    of_exact: HashMap<[u8; 16], VecDeque<Waiting<W>>>,
    turns: VecDeque<[u8; 16]>,
    count: usize,
}

impl<W> Turns<W> {
    fn new() -> Self {
        Self { of_wide: HashMap::new(), turns: VecDeque::new(), count: 0 }
    }

    fn push(&mut self, waiting: Waiting<W>) {
        let wide = waiting.asker.wide;
        let own = self.of_wide.entry(wide).or_insert_with(|| {
            self.turns.push_back(wide);
            Wide { of_exact: HashMap::new(), turns: VecDeque::new(), count: 0 }
        });
        own.push(waiting);
        self.count += 1;
    }

    fn pop(&mut self) -> Option<Waiting<W>> {
        let wide = self.turns.pop_front()?;
        let own = self.of_wide.get_mut(&wide)?;
        let next = own.pop();
        if own.count == 0 {
            self.of_wide.remove(&wide);
        } else {
            self.turns.push_back(wide);
        }
        self.count -= usize::from(next.is_some());
        next
    }

    /// Takes out the newest of whoever has the most, unless the one that comes would have as many.
    fn make_room(&mut self, coming: &[u8; 16]) -> Option<Waiting<W>> {
        let own = self.of_wide.get(coming).map_or(0, |own| own.count);
        let (wide, most) = self.of_wide.iter_mut().max_by_key(|(_, wide)| wide.count)?;
        if most.count <= own + 1 {
            return None;
        }
        let wide = *wide;
        let newest = most.pop_newest()?;
        if most.count == 0 {
            self.of_wide.remove(&wide);
            self.turns.retain(|turn| *turn != wide);
        }
        self.count -= 1;
        Some(newest)
    }
}

impl<W> Wide<W> {
    fn push(&mut self, waiting: Waiting<W>) {
        let exact = waiting.asker.exact;
        let own = self.of_exact.entry(exact).or_insert_with(|| {
            self.turns.push_back(exact);
            VecDeque::new()
        });
        own.push_back(waiting);
        self.count += 1;
    }

    fn pop(&mut self) -> Option<Waiting<W>> {
        let exact = self.turns.pop_front()?;
        let own = self.of_exact.get_mut(&exact)?;
        let next = own.pop_front();
        if own.is_empty() {
            self.of_exact.remove(&exact);
        } else {
            self.turns.push_back(exact);
        }
        self.count -= usize::from(next.is_some());
        next
    }

    /// The newest of the network with the most.
    fn pop_newest(&mut self) -> Option<Waiting<W>> {
        let (exact, own) = self.of_exact.iter_mut().max_by_key(|(_, own)| own.len())?;
        let exact = *exact;
        let newest = own.pop_back();
        if own.is_empty() {
            self.of_exact.remove(&exact);
            self.turns.retain(|turn| *turn != exact);
        }
        self.count -= usize::from(newest.is_some());
        newest
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

    fn shared() -> Nothing {
        Nothing { alone: false, wanted: true }
    }

    fn id(n: u16) -> [u8; 16] {
        let mut id = [0; 16];
        id[..2].copy_from_slice(&n.to_be_bytes());
        id
    }

    fn waiting(line: u8, (wide, exact): (u16, u16), work: Nothing) -> Waiting<Nothing> {
        Waiting { line: [line; 16], asker: Asker { wide: id(wide), exact: id(exact) }, work }
    }

    fn wide(waiting: &Waiting<Nothing>) -> u16 {
        u16::from_be_bytes([waiting.asker.wide[0], waiting.asker.wide[1]])
    }

    fn taken(lines: &mut Lines<Nothing>) -> Vec<u8> {
        lines.take(64).iter().map(|waiting| waiting.line[0]).collect()
    }

    #[test]
    fn of_one_line_one_is_under_way() {
        let mut lines = Lines::new();
        for n in [1, 2, 1, 1, 3] {
            assert!(lines.push(waiting(n, (0, 0), shared())).is_none());
        }
        assert_eq!(taken(&mut lines), [1, 2, 3]);
        assert!(taken(&mut lines).is_empty(), "the others wait until the first is over");
        lines.free(&[[1; 16], [2; 16]]);
        lines.push(waiting(2, (0, 0), shared()));
        assert_eq!(taken(&mut lines), [1, 2]);
        lines.free(&[[1; 16], [2; 16], [3; 16]]);
        assert_eq!(taken(&mut lines), [1]);
        lines.free(&[[1; 16]]);
        assert!(lines.behind.is_empty() && lines.ready.count == 0, "nobody is left, and nothing of them");
        assert!(lines.of_askers.is_empty() && lines.count == 0);
    }

    #[test]
    fn whoever_works_alone_has_a_turn_in_the_same_line() {
        let mut lines = Lines::new();
        lines.push(waiting(1, (0, 0), Nothing { alone: true, wanted: true }));
        lines.push(waiting(1, (0, 0), shared()));
        assert!(lines.take_alone().is_some() && lines.take_alone().is_none());
        assert!(!lines.has_ready());
        lines.free(&[[1; 16]]);
        assert_eq!(taken(&mut lines), [1]);
    }

    #[test]
    fn whoever_comes_from_elsewhere_is_next_in_a_flood() {
        let mut lines = Lines::new();
        // Each from a network of its own, all of them in one wide one: that is what somebody has who rents a server.
        let refused = (0..3 * LINE as u16).filter(|n| lines.push(waiting(1, (1, *n), shared())).is_some()).count();
        assert_eq!(refused, 2 * LINE - 1, "one is in front, the others fill the line");
        let gone = lines.push(waiting(1, (2, 0), shared()));
        assert!(gone.is_some(), "the newest of the flood gives way");
        assert_eq!(lines.count, LINE + 1);
        lines.take(1);
        let mut order = Vec::new();
        for _ in 0..3 {
            lines.free(&[[1; 16]]);
            order.extend(lines.take(1).iter().map(wide));
        }
        assert_eq!(order, [1, 2, 1], "they take turns");
    }

    #[test]
    fn a_line_of_many_that_have_one_each_takes_no_more() {
        let mut lines = Lines::new();
        for n in 0..=LINE as u16 {
            assert!(lines.push(waiting(1, (n, n), shared())).is_none());
        }
        assert!(lines.push(waiting(1, (5000, 0), shared())).is_some());
        assert_eq!(lines.count, LINE + 1);
    }

    #[test]
    fn in_front_too_askers_take_turns() {
        let mut lines = Lines::new();
        for n in 0..100 {
            lines.push(waiting(n, (1, n.into()), shared()));
        }
        lines.push(waiting(200, (2, 0), shared()));
        assert!(lines.take(2).iter().any(|waiting| wide(waiting) == 2));
    }

    #[test]
    fn a_flood_over_many_lines_leaves_room_for_others() {
        let mut lines = Lines::new();
        let mut refused = 0;
        for n in 0..=u8::MAX {
            for _ in 0..32 {
                refused += usize::from(lines.push(waiting(n, (1, 1), shared())).is_some());
            }
        }
        assert_eq!(refused, 256 * 32 - ROOM);
        assert!(lines.push(waiting(7, (2, 2), shared())).is_none(), "the room is full of another one's");
        for n in 0..20_000 {
            lines.push(waiting((n % 250) as u8, (n, n), shared()));
        }
        assert!(lines.count <= 2 * ROOM, "{}", lines.count);
    }

    #[test]
    fn who_has_gone_is_passed_over() {
        let mut lines = Lines::new();
        lines.push(waiting(1, (0, 0), Nothing { alone: false, wanted: false }));
        for _ in 0..10 {
            lines.push(waiting(1, (0, 0), Nothing { alone: false, wanted: false }));
        }
        lines.push(waiting(1, (0, 0), shared()));
        assert_eq!(taken(&mut lines), [1], "the only one that somebody waits for");
        lines.free(&[[1; 16]]);
        assert_eq!((lines.count, lines.behind.len()), (0, 0), "nobody waits any more");
    }

    #[test]
    fn a_group_is_not_endless() {
        let mut lines = Lines::new();
        for n in 0..=u8::MAX {
            lines.push(waiting(n, (0, 0), shared()));
        }
        assert_eq!(lines.take(64).len(), 64);
    }
}
