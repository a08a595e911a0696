//! What a unit of work is about, as far as whoever waits beside it has to know: in whose line it stands, what it locks, who
//! asks. On SQLite all units follow one another anyway, and none of it counts.

use super::targets::TargetId;

/// Who asks, as far as turns go: those who share a wide asker, or an org whose program asks, share its turns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asker {
    /// The wide asker, or the org.
    pub wide: [u8; 16],
    /// The network within it, or what the org's program says of the person's.
    pub exact: [u8; 16],
}

/// A unit's place.
#[derive(Clone, Copy)]
pub struct About {
    /// Units of one line follow one another: an address, or whatever else a flood would be aimed at.
    pub(super) line: [u8; 16],
    /// Who asks.
    pub(super) asker: Asker,
    /// The addresses whose rows it reads and writes, as far as that is known before.
    pub(super) addresses: [Option<TargetId>; 2],
    /// It may change what units for other addresses change as well, and shares no transaction.
    pub(super) alone: bool,
}

impl About {
    /// One address and nothing that units for others change: it may share a transaction with them.
    pub fn address(address: TargetId, asker: Asker) -> Self {
        Self { line: address, asker, addresses: [Some(address), None], alone: false }
    }

    /// An address, and another one that it writes as well. It stands in the line of the other, which units for many may write.
    pub fn addresses(address: TargetId, counted: TargetId, asker: Asker) -> Self {
        if address == counted {
            return Self::address(address, asker);
        }
        Self { line: counted, asker, addresses: [Some(address), Some(counted)], alone: true }
    }

    /// Something whose address only the unit itself finds out: whatever this names is its line.
    pub fn something(line: [u8; 16], asker: Asker) -> Self {
        Self { line, asker, addresses: [None, None], alone: true }
    }

    /// The same, in a transaction of its own.
    #[must_use]
    pub fn alone(self) -> Self {
        Self { alone: true, ..self }
    }

    /// The addresses that are locked when it begins.
    pub(super) fn locks(&self) -> Vec<TargetId> {
        self.addresses.into_iter().flatten().collect()
    }
}
