//! Declaring classes and their order: once, for every checker.

use crate::sync::{Backend, Canary, Lock};

/// A class of locks: all that share one place in the order.
pub trait LockClass: 'static {
    /// The class's name in reports.
    const NAME: &'static str;
    /// The class's place in the order; a lock is only taken while all locks held have lower ranks.
    const RANK: u8;
    /// Which of a back end's locks stands behind the class.
    type Lock<B: Backend>: Lock;
    /// Which of a back end's race detectors watches what the class protects.
    type Canary<B: Backend>: Canary;
}

/// A class below which nothing is taken: its locks may be taken whatever is held.
pub(crate) trait Innermost: LockClass {}

/// Declares lock classes, outermost first.
///
/// From the one list come, for [`Mutex`](crate::lockdep::Mutex)es of these classes:
///
/// * the implementations of [`Before`](crate::lockdep::Before), which make a wrong nesting a compile error;
/// * `ORDER`, the names by rank, which a [`Validator`](crate::lockdep::validator::Validator) is made with;
/// * the ranks that a model checker's locks assert.
///
/// Each class may name its kind of lock and of race detector, for a piece that has models of its own.
///
/// # Examples
///
/// ```
/// use rskq::DefaultBackend;
/// use rskq::lockdep::{Held, Mutex};
///
/// rskq::lock_order! {
///     /// One inode.
///     Inode,
///     /// One page of the cache.
///     Page,
/// }
///
/// let inode = Mutex::<u32, Inode, DefaultBackend>::new(1);
/// let page = Mutex::<u32, Page, DefaultBackend>::new(2);
/// // SAFETY: this context holds no lock yet, and this is its only token.
/// let mut nothing = unsafe { Held::nothing() };
/// let (one, mut held) = inode.lock_and(&mut nothing);
/// assert_eq!(*one + *page.lock(&mut held), 3);
/// assert_eq!(ORDER, ["Inode", "Page"]);
/// ```
///
/// The other way round does not compile:
///
/// ```compile_fail,E0277
/// # use rskq::DefaultBackend;
/// # use rskq::lockdep::{Held, Mutex};
/// # rskq::lock_order! { Inode, Page, }
/// # let inode = Mutex::<u32, Inode, DefaultBackend>::new(1);
/// # let page = Mutex::<u32, Page, DefaultBackend>::new(2);
/// # let mut nothing = unsafe { Held::nothing() };
/// let (two, mut held) = page.lock_and(&mut nothing);
/// let one = inode.lock(&mut held); // lock order violation: `Inode` may not be taken while `Page` is held
/// ```
#[macro_export]
macro_rules! lock_order {
    (@kinds $class:ident ($lock:ident, $canary:ident)) => {
        impl $crate::lockdep::LockClass for $class {
            const NAME: &'static str = stringify!($class);
            const RANK: u8 = Rank::$class as u8;
            type Lock<B: $crate::sync::Backend> = B::$lock;
            type Canary<B: $crate::sync::Backend> = B::$canary;
        }
    };
    (@kinds $class:ident) => {
        $crate::lock_order!(@kinds $class (Lock, Canary));
    };
    (@before $outer:ident $($inner:ident)*) => {
        // SAFETY: whoever holds nothing may take anything.
        unsafe impl $crate::lockdep::Before<$outer> for $crate::lockdep::Nothing {}
        $(
            // SAFETY: the order is that of the declaration, in which the inner class comes later.
            unsafe impl $crate::lockdep::Before<$inner> for $outer {}
        )*
        $crate::lock_order!(@before $($inner)*);
    };
    (@before) => {};
    ($($(#[$doc:meta])* $class:ident $(($lock:ident, $canary:ident))? ,)+) => {
        /// Every class's name, by rank.
        pub const ORDER: &[&str] = &[$(stringify!($class)),+];

        #[repr(u8)]
        enum Rank { $($class),+ }

        $(
            $(#[$doc])*
            pub struct $class;

            $crate::lock_order!(@kinds $class $(($lock, $canary))?);
        )+

        $crate::lock_order!(@before $($class)+);
    };
}
