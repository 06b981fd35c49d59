//! One context a CPU.

use super::context::Context;

/// The contexts of a machine whose spin locks are held by CPUs: one each, by number, for a `static`.
///
/// # Examples
///
/// ```
/// use rskq::lockdep::validator::{PerCpu, Policy, Validator};
/// # use rskq::lockdep::{Embedder, validator::Context};
/// # use rskq::sync::Core;
/// # struct Kernel;
/// # fn this_cpu() -> usize { 0 }
/// static VALIDATOR: Validator<Core<spin::Mutex<()>>> = Validator::new(&[], Policy::Panic);
/// static CONTEXTS: PerCpu<64> = PerCpu::new();
///
/// impl Embedder for Kernel {
///     type Backend = Core<spin::Mutex<()>>;
///     fn with<R>(f: impl FnOnce(&Validator<Self::Backend>, &Context) -> R) -> R {
///         // SAFETY: `f` runs on this CPU to its end, since whoever takes a lock of this kernel has
///         // switched preemption off; handlers declare themselves.
///         unsafe { CONTEXTS.with(this_cpu(), |context| f(&VALIDATOR, context)) }
///     }
/// }
/// ```
pub struct PerCpu<const CPUS: usize>([Context; CPUS]);

// SAFETY: a context is reached through `with` only, whose caller promises that no other CPU reaches the
// same one meanwhile.
unsafe impl<const CPUS: usize> Sync for PerCpu<CPUS> {}

static_assertions::assert_not_impl_any!(Context: Sync);

impl<const CPUS: usize> PerCpu<CPUS> {
    /// Contexts that hold nothing.
    pub const fn new() -> Self {
        Self([const { Context::new() }; CPUS])
    }

    /// Runs `f` with the context of CPU number `cpu`. O(1).
    ///
    /// # Safety
    ///
    /// `cpu` is the CPU that runs the caller, and stays it until `f` returns. What interrupts `f` there
    /// and uses the same context calls [`Context::enter`] first and [`Context::leave`] last.
    ///
    /// # Panics
    ///
    /// If there is no such CPU.
    #[inline(always)]
    pub unsafe fn with<R>(&self, cpu: usize, f: impl FnOnce(&Context) -> R) -> R {
        f(&self.0[cpu])
    }
}

impl<const CPUS: usize> Default for PerCpu<CPUS> {
    fn default() -> Self {
        Self::new()
    }
}
