//! A scheduler that reads bytes.

use shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};

/// Who runs next, as bytes say: the lower two bits of each choose among those who can run, and the others say
/// for how many steps. Once there are no more, whoever runs goes on for as long as it can.
pub(crate) struct Choices {
    bytes: std::vec::IntoIter<u8>,
    /// Steps for which nothing has to be chosen.
    goes_on: u8,
    begun: bool,
}

impl Choices {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self { bytes: bytes.into_iter(), goes_on: 0, begun: false }
    }
}

impl Scheduler for Choices {
    fn new_execution(&mut self) -> Option<Schedule> {
        let again = std::mem::replace(&mut self.begun, true);
        (!again).then(|| Schedule::new(0))
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        _is_yielding: bool,
    ) -> Option<TaskId> {
        if let [alone] = runnable {
            return Some(alone.id());
        }
        let current = current.filter(|current| runnable.iter().any(|task| task.id() == *current));
        if let (Some(current), Some(goes_on)) = (current, self.goes_on.checked_sub(1)) {
            self.goes_on = goes_on;
            return Some(current);
        }
        let Some(byte) = self.bytes.next() else {
            return current.or_else(|| runnable.first().map(|task| task.id()));
        };
        self.goes_on = byte >> 2;
        Some(runnable[usize::from(byte & 3) % runnable.len()].id())
    }

    fn next_u64(&mut self) -> u64 {
        0
    }
}
