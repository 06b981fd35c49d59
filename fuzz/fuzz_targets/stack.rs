//! See `rskq_fuzz::stack`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rskq_fuzz::faults;
use rskq_fuzz::stack::Input;

fuzz_target!(|input: Input| input.run(faults::planted()));
