//! See `rskq_fuzz::validator`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rskq_fuzz::faults;
use rskq_fuzz::validator::{FAULTS, Input};

fuzz_target!(|input: Input| input.run(faults::named(FAULTS)));
