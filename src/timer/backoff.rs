//! How long a SYN-ACK timer runs.

/// How long a SYN-ACK timer runs: twice as long each time it went off, up to a limit. Both in
/// milliseconds; 0 counts as 1, so that a timer that is armed again is not due at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Of a timer that did not go off yet. (Linux: `TCP_TIMEOUT_INIT`.)
    pub timeout_init: u32,
    /// At most. (Linux: `TCP_RTO_MAX`.)
    pub rto_max: u32,
}

/// After so many timeouts every timer runs for `rto_max`: no `u32` is less than 1 doubled so often.
pub(super) const LAST: u32 = u32::BITS;

static_assertions::const_assert!(1u64 << LAST > u32::MAX as u64);

impl Backoff {
    /// Linux's values: 1 s, up to 120 s.
    pub const LINUX: Self = Self { timeout_init: 1_000, rto_max: 120_000 };

    /// Returns for how many milliseconds a timer runs that went off `num_timeout` times. (Linux:
    /// `tcp_reqsk_timeout()`.)
    #[must_use]
    pub fn timeout(self, num_timeout: u32) -> u64 {
        let doubled = u64::from(self.timeout_init.max(1)) << num_timeout.min(LAST);
        doubled.min(u64::from(self.rto_max.max(1)))
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::LINUX
    }
}
