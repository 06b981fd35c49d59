//! What an embedder tells a validator: which one, in which context, of which class.

use super::validator::{ClassKey, Context, Validator};
use crate::sync::Backend;

/// Where the caller is, and which validator sees it.
///
/// # Examples
///
/// A program with threads:
///
/// ```
/// use rskq::lockdep::Embedder;
/// use rskq::lockdep::validator::{Context, Policy, Validator};
/// use rskq::sync::Core;
///
/// struct Program;
///
/// static VALIDATOR: Validator<Core<spin::Mutex<()>>> = Validator::new(&[], Policy::Panic);
/// std::thread_local!(static CONTEXT: Context = const { Context::new() });
///
/// impl Embedder for Program {
///     type Backend = Core<spin::Mutex<()>>;
///     fn with<R>(f: impl FnOnce(&Validator<Self::Backend>, &Context) -> R) -> R {
///         CONTEXT.with(|context| f(&VALIDATOR, context))
///     }
/// }
/// ```
///
/// A kernel has one context a CPU: [`PerCpu`](super::validator::PerCpu). Code that passes its context
/// along needs no `Embedder`; it calls the [`Validator`] by hand.
pub trait Embedder: 'static {
    /// What guards the validator's tables.
    type Backend: Backend;

    /// Runs `f` with the validator and the caller's context. Called at each acquisition and release.
    ///
    /// A lock that is taken in here must not be a validated one.
    fn with<R>(f: impl FnOnce(&Validator<Self::Backend>, &Context) -> R) -> R;
}

/// A class of the embedder's locks, as a type; [`lock_class!`](crate::lock_class) declares one.
pub trait Class: 'static {
    /// Whose class it is.
    type Embedder: Embedder;
    /// What orders two locks of the class: a `u32` in each lock, or nothing.
    type Key: Key;
    /// The class's name, and its number once it has one.
    fn key() -> &'static ClassKey<<Self::Embedder as Embedder>::Backend>;
}

/// What orders the locks of a class: `u32`, or `()` where two of them are never held together.
pub trait Key: Copy + Send + Sync + 'static {
    /// The key of a lock that was given none.
    const NONE: Self;
    /// The key as a number.
    fn number(self) -> u32;
}

impl Key for () {
    const NONE: Self = ();
    #[inline(always)]
    fn number(self) -> u32 {
        0
    }
}

impl Key for u32 {
    const NONE: Self = 0;
    #[inline(always)]
    fn number(self) -> u32 {
        self
    }
}

/// Declares lock classes: types for [`Validated`](crate::lockdep::Validated), with a name each.
///
/// `[u32]` gives each lock of the class a key, by which [`lock_pair`](crate::lockdep::lock_pair) orders two.
///
/// ```
/// # use rskq::lockdep::{Embedder, validator::{Context, Validator}};
/// # pub struct Kernel;
/// # impl Embedder for Kernel {
/// #     type Backend = rskq::sync::Core<spin::Mutex<()>>;
/// #     fn with<R>(_: impl FnOnce(&Validator<Self::Backend>, &Context) -> R) -> R { unimplemented!() }
/// # }
/// rskq::lock_class! {
///     /// An inode.
///     pub Inode = "inode" of Kernel;
///     /// A page.
///     pub Page[u32] = "page" of Kernel;
/// }
/// ```
#[macro_export]
macro_rules! lock_class {
    ($($(#[$meta:meta])* $vis:vis $class:ident $([$key:ty])? = $name:literal of $embedder:ty;)+) => {$(
        $(#[$meta])*
        $vis struct $class;

        impl $crate::lockdep::Class for $class {
            type Embedder = $embedder;
            type Key = ($($key)?);
            fn key() -> &'static $crate::lockdep::validator::ClassKey<
                <$embedder as $crate::lockdep::Embedder>::Backend,
            > {
                static KEY: $crate::lockdep::validator::ClassKey<
                    <$embedder as $crate::lockdep::Embedder>::Backend,
                > = $crate::lockdep::validator::ClassKey::new($name);
                &KEY
            }
        }
    )+};
}
