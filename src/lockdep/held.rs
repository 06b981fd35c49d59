//! What a context holds, as a type: a wrong nesting does not compile.
//!
//! Taking a lock of class `K` borrows a [`Held<H>`](Held) exclusively and demands `H: `[`Before<K>`]. While
//! the guard lives that token is out of reach, so that what is taken next is taken through the token
//! that came with the guard, which says `K`.
//!
//! A token is a type and nothing else: no code is generated for it. It cannot be made in safe code,
//! copied, kept beyond the guard that it came with, or sent to another context.

use core::marker::PhantomData;

/// The class of no lock: what a context holds that holds none.
pub enum Nothing {}

/// Says that a lock of class `K` may be taken while `Self` is the innermost class held.
///
/// Implemented by [`lock_order!`](crate::lock_order) for every pair of an order, and by [`Nothing`] for all.
///
/// # Safety
///
/// There must be one order of all classes concerned in which `K` comes after `Self`, and every class that
/// is before `Self` is before `K`. Otherwise tokens could be led outward again, step by step.
// The table is named here because an attribute cannot quote it; tests compare the two.
#[diagnostic::on_unimplemented(
    message = "lock order violation: `{K}` may not be taken while `{Self}` is held",
    label = "this token says that `{Self}` is held, and `{K}` does not come after it",
    note = "the order, outermost first: ListenerSock, BindBucket, ListenBucket, Reuseport, EstablishedBucket, Timer, Rskq, FastOpen, Slab",
    note = "take `{K}` before `{Self}`, or release `{Self}` and use the token that it was taken with",
    note = "two locks of one class are taken together, in one call: `Mutex::lock_pair`"
)]
pub unsafe trait Before<K> {}

/// Shows that the context holds locks up to class `K`, and none that `K` is before.
pub struct Held<'t, K> {
    /// The guard that the token came with must be borrowed for as long as the token is used.
    scope: PhantomData<&'t mut ()>,
    class: PhantomData<fn() -> K>,
    /// What a context holds is no other context's business.
    context: PhantomData<*mut ()>,
}

static_assertions::assert_not_impl_any!(Held<'static, Nothing>: Send, Sync, Clone, Copy);
static_assertions::const_assert_eq!(size_of::<Held<'static, Nothing>>(), 0);

impl Held<'_, Nothing> {
    /// Says that the context holds no lock of the order.
    ///
    /// # Safety
    ///
    /// It must be so, and stay so but for locks taken through this token: one such token a context,
    /// for as long as it lives. (A lock taken against the order can deadlock, which is not unsound by
    /// itself; but the guards' exclusive borrows rely on one context not holding one lock twice.)
    #[must_use]
    pub unsafe fn nothing() -> Self {
        Self::new()
    }
}

impl<K> Held<'_, K> {
    /// Made for the guard of a lock of class `K` that was just taken.
    pub(super) fn new() -> Self {
        Self { scope: PhantomData, class: PhantomData, context: PhantomData }
    }

    /// The same token for a shorter time.
    #[must_use]
    pub fn reborrow(&mut self) -> Held<'_, K> {
        Held::new()
    }

    /// Goes on as if a lock of the inner class `J` were held already: less may be taken, never more.
    #[must_use]
    pub fn at<J>(&mut self) -> Held<'_, J>
    where
        K: Before<J>,
    {
        Held::new()
    }
}
