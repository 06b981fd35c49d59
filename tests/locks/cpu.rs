//! The interrupts of one CPU, played: a thread is a CPU, and an interrupt arrives at each moment at which
//! it is told that one may.

use std::cell::{Cell, RefCell};

type Handler = Box<dyn Fn()>;

struct Cpu {
    enabled: Cell<bool>,
    /// An interrupt arrived while they were off.
    pending: Cell<bool>,
    handler: RefCell<Option<Handler>>,
    handling: Cell<bool>,
    handled: Cell<u32>,
}

std::thread_local! {
    static CPU: Cpu = const {
        Cpu {
            enabled: Cell::new(true),
            pending: Cell::new(false),
            handler: RefCell::new(None),
            handling: Cell::new(false),
            handled: Cell::new(0),
        }
    };
}

/// Switches interrupts off; tells whether they were on.
pub(crate) fn local_irq_save() -> bool {
    CPU.with(|cpu| cpu.enabled.replace(false))
}

/// Switches them on again if they were; what arrived meanwhile is handled at once.
pub(crate) fn local_irq_restore(enabled: bool) {
    CPU.with(|cpu| {
        cpu.enabled.set(enabled);
        if enabled && cpu.pending.take() {
            cpu.handle();
        }
    });
}

/// An interrupt arrives, if this CPU has any.
pub(crate) fn interrupt() {
    CPU.with(|cpu| match (&*cpu.handler.borrow(), cpu.enabled.get()) {
        (None, _) => {}
        (Some(_), true) => cpu.handle(),
        (Some(_), false) => cpu.pending.set(true),
    });
}

impl Cpu {
    fn handle(&self) {
        assert!(!self.handling.replace(true), "a handler is interrupted");
        self.enabled.set(false);
        if let Some(handler) = &*self.handler.borrow() {
            self.handled.set(self.handled.get() + 1);
            handler();
        }
        // What arrived while it ran is the same interrupt again.
        self.pending.set(false);
        self.enabled.set(true);
        self.handling.set(false);
    }
}

/// Runs `f` on a CPU whose interrupts run `handler`; returns how often one was handled.
pub(crate) fn with_handler(handler: impl Fn() + 'static, f: impl FnOnce()) -> u32 {
    CPU.with(|cpu| *cpu.handler.borrow_mut() = Some(Box::new(handler)));
    f();
    CPU.with(|cpu| {
        assert!(cpu.enabled.get(), "interrupts stay off");
        *cpu.handler.borrow_mut() = None;
        cpu.handled.take()
    })
}
