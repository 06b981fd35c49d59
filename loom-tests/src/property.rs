//! The properties, by their names in the project's vocabulary.

/// Declares the properties, in the order of the matrix: variant, name, title, meaning.
macro_rules! properties {
    ($($(#[$doc:meta])* $property:ident = $name:literal, $title:literal;)+) => {
        /// A property that a model checks.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Property { $($(#[$doc])* $property,)+ }

        impl Property {
            /// Every property, in the order of the matrix.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$property,)+];

            /// Returns the name in findings and JSON.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$property => $name,)+ }
            }

            /// Returns the property in a few words.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$property => $title,)+ }
            }
        }
    };
}

properties! {
    /// a request is in one place, and knows which.
    I1 = "I1", "one place each";
    /// `sk_ack_backlog` is the length of the queue.
    I2 = "I2", "backlog counts the queue";
    /// `qlen` and `young` count the half-open requests that resolve to the listener.
    I3 = "I3", "qlen counts half-opens";
    /// `fastopenq.qlen` counts the fast-open connections that resolve to the listener.
    I4 = "I4", "fastopenq.qlen counts";
    /// A queued request resolves to the listener that owns the queue.
    I5 = "I5", "rsk_listener owns the queue";
    /// Every reference is held by somebody who is there.
    I6I7 = "I6/I7", "references balance";
    /// A fast-open handshake that has not ended has a request that is there.
    I8 = "I8", "fast-open handshakes end";
    /// A listener that stopped holds nothing, and gains nothing until it listens again.
    I9 = "I9", "nothing stranded";
    /// Every gain of a queue is followed by a wake-up of its listener. Also H4.
    I10 = "I10", "every gain wakes (H4)";
    /// No connection is lost while some member listens throughout. Also H3.
    I11 = "I11", "no connection lost (H3)";
    /// Each queue is first in, first out; who waits already stays in front.
    I12 = "I12", "FIFO, natives first";
    /// At most one half-open request has a tuple, and who looks for the tuple finds it or what took its place.
    I13 = "I13", "one request a tuple, no gap";
    /// At most one queue holds a connection, and one thread disposes of it.
    I14 = "I14", "one queue each";
    /// A timer that is armed is a half-open request's, and each of those has one where the stack keeps them.
    I15 = "I15", "timers end with requests";
    /// The sections of `socks[]` are disjoint and within bounds.
    I16 = "I16", "sections disjoint";
    /// Who is in `socks[]` says so, and who says so is.
    I17 = "I17", "members agree";
    /// A group goes with its last member, once.
    I18 = "I18", "groups go once";
    /// Locks are taken in the declared order.
    I22 = "I22", "lock order kept";
    /// A lookup finds what it looked for, and not what took its place.
    I24 = "I24", "found is what was sought";
    /// When all connections have ended, nothing is charged to anybody.
    I25 = "I25", "nothing remains";
    /// Closing a listener takes no step for each connection, where there is an heir.
    H1 = "H1", "close is O(1)";
    /// Nobody holds two `rskq_lock`s.
    H2 = "H2", "one rskq_lock at a time";
    /// Nobody waits for ever.
    Deadlock = "deadlock", "no deadlock";
}

impl Property {
    /// Returns the property of that name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.name() == name)
    }
}
