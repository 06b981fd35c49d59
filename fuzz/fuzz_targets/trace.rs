//! See `rskq_fuzz::trace`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rskq_fuzz::faults;
use rskq_fuzz::trace::{FAULTS, Input};

fuzz_target!(|bytes: &[u8]| Input::new(bytes).run(faults::named(FAULTS)));
