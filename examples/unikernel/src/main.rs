//! A web server without an operating system: two CPUs, an interface of its own on each, and a group of two
//! listeners, of which the second CPU's can be taken offline and back while clients connect.
//!
//! | module | what it is for |
//! |---|---|
//! | [`arch`] | the machine |
//! | [`nic`] | the network card |
//! | [`port`] | the card as each CPU's interface sees it |
//! | [`memory`] | all memory there is: statics, each handed over once |
//! | [`server`] | what is opened, and the loop |
//! | [`worker`] | a CPU's interface, sockets, shard and listener |
//! | [`mail`] | what one CPU asks of the other |
//! | [`http`] | what is answered |
#![no_std]
#![no_main]
// What it is measured beside does less.
#![cfg_attr(feature = "plain", allow(dead_code))]

mod arch;
mod http;
mod mail;
mod memory;
mod nic;
mod port;
mod server;
#[cfg_attr(feature = "plain", path = "plain.rs")]
mod worker;

use arch::command_line::StartInfo;
use core::panic::PanicInfo;

/// Where each CPU begins: the first with what it was told, the second once the first starts it.
#[unsafe(no_mangle)]
extern "C" fn start(info: Option<&StartInfo>, cpu: usize) -> ! {
    if cpu == 0 {
        arch::console::init();
    }
    arch::load_interrupts();
    arch::apic::init();
    if let Some(info) = info {
        // SAFETY: this is what the image was started with.
        let migrate = !unsafe { info.words() }.any(|word| word == "migrate=0");
        let card = nic::Nic::find().expect("QEMU was asked for a card");
        server::open(card, migrate);
        arch::apic::start_other();
    }
    server::serve(cpu)
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    say!("CPU {}: {info}", arch::cpu());
    arch::console::fail();
}
