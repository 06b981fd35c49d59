//! What an embedder says of a group: its program, its map, its CPUs.

use super::Stack;
use crate::group::{AttachError, MapEntry, MapError, MapFlag, Program, ProgramId, SockReuseport};
use crate::listener::{Descriptor, Listener, ListenerId};
use crate::lockdep::{Before, Held, order::Reuseport};
use crate::outcome::SockError;
use crate::slab::{Fresh, NONE, Storage};
use crate::sync::{AtomicU32, Backend, Fault};
use core::sync::atomic::Ordering;

impl<'s, C: Send + 'static, B: Backend> Stack<'s, C, B> {
    /// Hands over the programs that may be attached to groups, and the map that they select from.
    ///
    /// O(size of the map).
    #[must_use]
    pub fn with_programs(
        mut self,
        programs: &'s [&'s dyn Program],
        mut map: Storage<'s, MapEntry<B>>,
    ) -> Self {
        map.iter_mut().for_each(MapEntry::place);
        (self.net.programs, self.net.map) = (programs, map);
        self
    }

    /// Attaches a program to the group of a socket, whichever of its members that is; it replaces the one
    /// that is attached. O(1). Takes `ListenerSock`, in it `Reuseport`. (Linux: `SO_ATTACH_REUSEPORT_EBPF`.)
    ///
    /// A socket that does not listen gets a group of its own. It keeps that if nobody listens at its address
    /// when it does; otherwise it is refused there.
    ///
    /// # Errors
    ///
    /// [`AttachError`].
    pub fn attach_reuseport_prog(&self, id: ListenerId<C, B>, program: ProgramId) -> Result<(), AttachError> {
        let listener = self.opened(id).map_err(|_| AttachError::Stale)?;
        if self.net.programs.get(program.0 as usize).is_none() {
            return Err(AttachError::NotFound);
        }
        let held = &mut self.nothing_held();
        let (descriptor, mut held) = listener.sock.lock_and(held);
        match *descriptor {
            Descriptor::Closed | Descriptor::Stopping { close: true, .. } => return Err(AttachError::Stale),
            Descriptor::Stopping { close: false, .. } => return Err(AttachError::Stopping),
            _ if !listener.shares() => return Err(AttachError::Invalid),
            Descriptor::Idle
                if B::planted(Fault::ProgramOfGroupLeft) && listener.sk_reuseport_cb.peek() != NONE => {}
            Descriptor::Idle => self.own_group(&listener, &mut held)?,
            Descriptor::Listening => {}
        }
        let group = self.net.groups.get(listener.sk_reuseport_cb.load(Ordering::Acquire));
        group.ok_or(AttachError::Invalid)?.prog.store(program.0.saturating_add(1), Ordering::Release);
        Ok(())
    }

    /// Takes the program of a socket's group away: the hash selects. O(1). Locks as
    /// [`attach_reuseport_prog`](Self::attach_reuseport_prog). (Linux: `SO_DETACH_REUSEPORT_BPF`.)
    ///
    /// # Errors
    ///
    /// [`AttachError::NotFound`] if there is none, or the socket was shut down; [`AttachError::Invalid`],
    /// [`AttachError::Stale`].
    pub fn detach_reuseport_prog(&self, id: ListenerId<C, B>) -> Result<(), AttachError> {
        let listener = self.opened(id).map_err(|_| AttachError::Stale)?;
        let held = &mut self.nothing_held();
        let (_descriptor, mut held) = listener.sock.lock_and(held);
        if !listener.shares() {
            return Err(AttachError::Invalid);
        }
        let _lock = self.net.reuseport_lock(&mut held);
        let group = self.net.groups.get(listener.sk_reuseport_cb.peek()).ok_or(AttachError::NotFound)?;
        let shut = !listener.is_listening() && group.num_closed_socks.load(Ordering::Relaxed) != 0;
        if shut || group.prog.peek() == 0 {
            return Err(AttachError::NotFound);
        }
        group.prog.store(0, Ordering::Release);
        Ok(())
    }

    /// Gives a socket that does not listen a group of its own, unless it has one.
    fn own_group<H: Before<Reuseport>>(
        &self,
        listener: &Listener<C, B>,
        held: &mut Held<'_, H>,
    ) -> Result<(), AttachError> {
        let net = &self.net;
        let fresh = Fresh::<SockReuseport<B>, _>::alloc(net);
        let lock = net.reuseport_lock(held);
        if net.is_in_own_group(listener) {
            return Ok(());
        }
        let group = fresh.ok_or(AttachError::NoGroupRoom)?;
        net.can_add(&group, &lock).map_err(|_| AttachError::NoGroupRoom)?;
        let group = group.publish();
        net.leave(listener, &lock);
        net.add_sock(&group, listener, &lock).map_err(|_| AttachError::NoGroupRoom)?;
        // The member's reference.
        let _ = group.into_raw();
        Ok(())
    }

    /// Puts a listener in an entry of the map, from which it goes by itself when it stops listening. O(1).
    /// Takes `ListenerSock`, in it `Reuseport`.
    ///
    /// # Errors
    ///
    /// [`MapError`].
    pub fn map_update(&self, index: u32, id: ListenerId<C, B>, flag: MapFlag) -> Result<(), MapError> {
        let listener = self.opened(id).map_err(|_| MapError::Stale)?;
        let held = &mut self.nothing_held();
        let (descriptor, mut held) = listener.sock.lock_and(held);
        if *descriptor != Descriptor::Listening || !listener.shares() {
            return Err(MapError::Invalid);
        }
        let lock = self.net.reuseport_lock(&mut held);
        self.net.map_update(index, &listener, flag, &lock)
    }

    /// Empties an entry of the map. O(1). Takes `Reuseport`.
    ///
    /// # Errors
    ///
    /// [`MapError::NoSuchIndex`], [`MapError::NotFound`].
    pub fn map_delete(&self, index: u32) -> Result<(), MapError> {
        let held = &mut self.nothing_held();
        let lock = self.net.reuseport_lock(held);
        self.net.map_delete(index, &lock)
    }

    /// Says which CPU's connections a socket is for, at any time; they go to it if they fall on its group.
    /// Takes `Reuseport`. O(1); but where a group has such members, a selection is O(members). (Linux:
    /// `SO_INCOMING_CPU`.)
    ///
    /// # Errors
    ///
    /// [`SockError::Stale`].
    pub fn set_incoming_cpu(&self, id: ListenerId<C, B>, cpu: Option<u32>) -> Result<(), SockError> {
        let listener = self.opened(id)?;
        let held = &mut self.nothing_held();
        let lock = self.net.reuseport_lock(held);
        self.net.set_incoming_cpu(&listener, cpu.map_or(NONE, |cpu| cpu.min(NONE - 1)), &lock);
        Ok(())
    }
}
