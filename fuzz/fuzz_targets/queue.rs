//! See `rskq_fuzz::queue`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rskq_fuzz::faults;
use rskq_fuzz::queue::Input;

fuzz_target!(|input: Input| input.run(faults::planted().first().copied()));
