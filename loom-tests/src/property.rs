//! The properties, by their names in the project's vocabulary.

/// A property that a model checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Property {
    /// `sk_ack_backlog` is the length of the queue.
    I2,
    /// A queued request resolves to the listener that owns the queue.
    I5,
    /// Every reference is held by somebody who is there.
    I6I7,
    /// A listener that stopped holds nothing, and gains nothing until it listens again.
    I9,
    /// Every gain of a queue is followed by a wake-up of its listener.
    I10,
    /// No connection is lost while some member listens throughout.
    I11,
    /// Each queue is first in, first out; who waits already stays in front.
    I12,
    /// At most one queue holds a connection, and one thread disposes of it.
    I14,
    /// Locks are taken in the declared order.
    I22,
    /// Nobody waits for ever.
    Deadlock,
}

impl Property {
    /// Every property, in the order of the matrix.
    pub const ALL: [Self; 10] = [
        Self::I2,
        Self::I5,
        Self::I6I7,
        Self::I9,
        Self::I10,
        Self::I11,
        Self::I12,
        Self::I14,
        Self::I22,
        Self::Deadlock,
    ];

    /// Returns the name in findings and JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::I2 => "I2",
            Self::I5 => "I5",
            Self::I6I7 => "I6/I7",
            Self::I9 => "I9",
            Self::I10 => "I10",
            Self::I11 => "I11",
            Self::I12 => "I12",
            Self::I14 => "I14",
            Self::I22 => "I22",
            Self::Deadlock => "deadlock",
        }
    }

    /// Returns the property in a few words.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::I2 => "backlog counts the queue",
            Self::I5 => "rsk_listener owns the queue",
            Self::I6I7 => "references balance",
            Self::I9 => "nothing stranded",
            Self::I10 => "every gain wakes",
            Self::I11 => "no connection lost",
            Self::I12 => "FIFO, natives first",
            Self::I14 => "one queue each",
            Self::I22 => "lock order kept",
            Self::Deadlock => "no deadlock",
        }
    }

    /// Returns the property of that name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.name() == name)
    }
}
