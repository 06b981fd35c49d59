//! Two devices and the wire between them, which whoever holds it may look at and put frames on.

use smoltcp::phy::{self, Device, DeviceCapabilities, Medium};
use smoltcp::time::Instant;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// On their way in one direction.
#[derive(Clone, Default)]
pub(crate) struct Frames(Arc<Mutex<VecDeque<Vec<u8>>>>);

impl Frames {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One end of a wire.
pub(crate) struct End {
    rx: Frames,
    tx: Frames,
    medium: Medium,
    blocked: bool,
}

/// Returns the two ends of a wire.
pub(crate) fn link(medium: Medium) -> (End, End) {
    let (there, back) = (Frames::default(), Frames::default());
    let end = |rx: &Frames, tx: &Frames| End { rx: rx.clone(), tx: tx.clone(), medium, blocked: false };
    (end(&back, &there), end(&there, &back))
}

#[allow(dead_code)] // each of the crates that include this uses a part of it
impl End {
    /// Sends a frame as it is.
    pub(crate) fn put(&self, frame: Vec<u8>) {
        self.tx.lock().push_back(frame);
    }

    /// Has no room to send, or has again; answers go all the same.
    pub(crate) fn block(&mut self, blocked: bool) {
        self.blocked = blocked;
    }

    /// Takes every frame that has come.
    pub(crate) fn take(&self) -> Vec<Vec<u8>> {
        self.rx.lock().drain(..).collect()
    }
}

impl Device for End {
    type RxToken<'a> = Received;
    type TxToken<'a> = Sending<'a>;

    fn receive(&mut self, _timestamp: Instant) -> Option<(Received, Sending<'_>)> {
        let frame = self.rx.lock().pop_front()?;
        Some((Received(frame), Sending(&self.tx)))
    }

    fn transmit(&mut self, _timestamp: Instant) -> Option<Sending<'_>> {
        (!self.blocked).then_some(Sending(&self.tx))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = self.medium;
        capabilities.max_transmission_unit = 1514;
        capabilities
    }
}

pub(crate) struct Received(Vec<u8>);

impl phy::RxToken for Received {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

pub(crate) struct Sending<'a>(&'a Frames);

impl phy::TxToken for Sending<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let mut frame = vec![0; len];
        let result = f(&mut frame);
        self.0.lock().push_back(frame);
        result
    }
}
