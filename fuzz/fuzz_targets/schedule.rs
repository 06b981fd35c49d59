//! See `rskq_fuzz::schedule`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rskq_fuzz::faults;
use rskq_fuzz::schedule::Input;

fuzz_target!(|input: Input| input.run(faults::planted()));
