//! See `rskq_fuzz::slab`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rskq_fuzz::faults;
use rskq_fuzz::slab::{FAULTS, Input};

fuzz_target!(|input: Input| input.run(faults::named(FAULTS)));
