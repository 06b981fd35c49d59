//! Whose a request is: from its owner to the listener at the root of the chain.
//!
//! An owner's link changes in two ways, each under one `rskq_lock`:
//!
//! * from a listener to another owner, under the lock of that listener: it hands everything over;
//! * from one owner to the root of its chain, under the lock of the root's listener: the chain is
//!   compressed.
//!
//! So whoever has locked a listener and sees, under the lock, that an owner still leads to it, is at the
//! root and stays there until the lock is released. Links never form a ring: an owner is only handed to
//! one whose listener left its group later, or has not left it.

use super::{ListenerRef, Net, OwnerRef};
use crate::lockdep::{Before, Held, order::Rskq};
use crate::queue::LockedQueue;
use crate::request::{Link, Owner};
use crate::sync::{Backend, Fault};
use core::mem::ManuallyDrop;

/// The end of a chain of owners, as it was found, and what to put that led there before.
///
/// Dropping it may put last references: to be dropped where no lock is held.
#[must_use = "holds references that are put where no lock is held"]
pub(crate) struct Root<'a, 's, C: Send + 'static, B: Backend> {
    /// The slot of the listener.
    listener: u32,
    /// The owner that leads to the listener, if it is not the one the chain begins at.
    owner: Option<OwnerRef<'a, 's, C, B>>,
    /// How many owners lead to owners.
    hops: u32,
    /// What the first owner led to before the chain was compressed.
    before: Option<OwnerRef<'a, 's, C, B>>,
}

impl<'s, C: Send + 'static, B: Backend> Net<'s, C, B> {
    /// Runs `f` under the `rskq_lock` of the listener at the root of the chain that begins at `owner`.
    /// O(1) but for chains that were not walked before, which are compressed. Takes `Rskq`.
    ///
    /// The listener need not listen; nobody can hand it over while `f` runs, in which no reference may
    /// be put. No reference is taken on it: slots are type-stable, so that its lock can be taken whoever is
    /// in the slot, and under the lock the owner that leads there has one.
    pub(crate) fn at_root<'a, R, H: Before<Rskq>>(
        &'a self,
        owner: &OwnerRef<'a, 's, C, B>,
        held: &mut Held<'_, H>,
        f: impl FnOnce(&ListenerRef<'a, 's, C, B>, &mut LockedQueue<'_, C, B>, &mut Held<'_, Rskq>) -> R,
    ) -> (R, Root<'a, 's, C, B>) {
        let mut link: fn(&Owner<B>) -> Link = Owner::link;
        loop {
            let Some(mut root) = self.root(owner, link) else {
                // A link that was loaded led to somebody who is gone: the newest does not.
                link = Owner::newest_link;
                continue;
            };
            let Some(listener) = self.listeners.get(root.listener) else { continue };
            let (mut queue, mut held) = listener.accept_queue.lock_and(held);
            // The link is written under this lock, if it leads here.
            if root.owner.as_ref().unwrap_or(owner).peek() == Link::Home(root.listener) {
                // SAFETY: the link's reference, which is only taken back under this lock; it is not put here.
                let listener = ManuallyDrop::new(unsafe { ListenerRef::from_raw(self, root.listener) });
                let result = f(&listener, &mut queue, &mut held);
                root.before = root.compress(self, owner);
                drop(queue);
                return (result, root);
            }
        }
    }

    /// Takes a reference on the listener at the root of the chain that begins at the owner in slot
    /// `owner`, as it is at this moment; `None` if the chain was let go of. (Stands for Linux's
    /// `req->rsk_listener`.)
    #[cfg(feature = "designs")]
    pub(crate) fn rsk_listener(&self, owner: u32) -> Option<ListenerRef<'_, 's, C, B>> {
        let owner = OwnerRef::try_get(self, owner)?;
        while owner.link() != Link::Vacant {
            let root = self.root(&owner, Owner::newest_link);
            if let Some(listener) = root.and_then(|root| ListenerRef::try_get(self, root.listener)) {
                return Some(listener);
            }
        }
        None
    }

    /// Walks the chain. `None` if it changed meanwhile: each link that fails was exchanged for one that
    /// leads further.
    fn root<'a>(
        &'a self,
        owner: &OwnerRef<'a, 's, C, B>,
        link: fn(&Owner<B>) -> Link,
    ) -> Option<Root<'a, 's, C, B>> {
        let mut at: Option<OwnerRef<'a, 's, C, B>> = None;
        let mut hops = 0;
        loop {
            match link(at.as_ref().unwrap_or(owner)) {
                // A referenced owner leads somewhere.
                Link::Vacant => return None,
                Link::Home(listener) => return Some(Root { listener, owner: at, hops, before: None }),
                Link::Handed(next) => {
                    let found = OwnerRef::try_get(self, next)?;
                    // Who compresses the chain lets go of `next`, whose slot another owner may have by now:
                    // `walk_against_an_owner_whose_slot_has_another`. What the link leads to with a reference
                    // held is what it led to.
                    let led_here = link(at.as_ref().unwrap_or(owner)) == Link::Handed(next);
                    if !led_here && !B::planted(Fault::SlotNotOwner) {
                        return None;
                    }
                    at = Some(found);
                    hops += 1;
                }
            }
        }
    }
}

impl<'a, 's, C: Send + 'static, B: Backend> Root<'a, 's, C, B> {
    /// Makes `owner`, which the chain begins at, lead to its last owner; under the listener's
    /// `rskq_lock`. Returns the owner that it led to.
    fn compress(
        &self,
        net: &'a Net<'s, C, B>,
        owner: &OwnerRef<'a, 's, C, B>,
    ) -> Option<OwnerRef<'a, 's, C, B>> {
        let last = self.owner.as_ref().filter(|_| self.hops > 1)?;
        let Link::Handed(_) = owner.peek() else { return None };
        match owner.set_link(Link::Handed(last.clone().into_raw())) {
            // SAFETY: a link carries a reference stored by `into_raw`, and the owner has another now.
            Link::Handed(before) => Some(unsafe { OwnerRef::from_raw(net, before) }),
            Link::Vacant | Link::Home(_) => None,
        }
    }
}
