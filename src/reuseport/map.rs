//! The map that programs select from: listeners by index, read without a lock.
//!
//! A listener is in at most one entry, and in none once it stops listening, before it leaves LISTEN. Who
//! reads an entry takes a reference on the listener and looks again whether it is in this entry, so that what
//! a slot was before does not matter. It may stop right after that, as any listener that was selected.

use crate::group::{MapError, MapFlag, SelectError, SockReuseport};
use crate::listener::Listener;
use crate::net::{ListenerRef, Net, ReuseportLocked};
use crate::slab::NONE;
use crate::sync::{AtomicU32, Backend, Fault};
use core::sync::atomic::Ordering;

impl<'s, C: Send + 'static, B: Backend> Net<'s, C, B> {
    /// Takes a reference on the listener in an entry, a member of `group`.
    pub(super) fn map_lookup(
        &self,
        group: &SockReuseport<B>,
        index: u32,
    ) -> Result<ListenerRef<'_, 's, C, B>, SelectError> {
        let entry = self.map.get(index as usize).ok_or(SelectError::NoEntry)?;
        let listener =
            ListenerRef::try_get(self, entry.0.load(Ordering::Acquire)).ok_or(SelectError::NoEntry)?;
        let is_entered =
            listener.map_index.load(Ordering::Acquire) == index || B::planted(Fault::MapNotChecked);
        if !is_entered || !listener.is_listening() {
            return Err(SelectError::NoEntry);
        }
        let is_member = listener.sk_reuseport_cb.load(Ordering::Acquire) == group.index();
        if is_member {
            return Ok(listener);
        }
        if B::planted(Fault::RefusedSelectionLeaked) {
            let _ = listener.into_raw();
        }
        Err(SelectError::OtherGroup)
    }

    /// Puts a listener in an entry. (Linux: `bpf_fd_reuseport_array_update_elem()`.)
    pub(crate) fn map_update(
        &self,
        index: u32,
        listener: &Listener<C, B>,
        flag: MapFlag,
        _lock: &ReuseportLocked<'_, B>,
    ) -> Result<(), MapError> {
        let entry = self.map.get(index as usize).ok_or(MapError::NoSuchIndex)?;
        let before = self.listeners.get(entry.0.peek());
        match (flag, before) {
            (MapFlag::NoExist, Some(_)) => return Err(MapError::Exists),
            (MapFlag::Exist, None) => return Err(MapError::NotFound),
            _ => {}
        }
        if listener.map_index.peek() != NONE {
            return Err(MapError::Busy);
        }
        if let Some(before) = before {
            before.map_index.store(NONE, Ordering::Release);
        }
        listener.map_index.store(index, Ordering::Release);
        entry.0.store(listener.index(), Ordering::Release);
        Ok(())
    }

    /// Empties an entry. (Linux: `reuseport_array_delete_elem()`.)
    pub(crate) fn map_delete(&self, index: u32, lock: &ReuseportLocked<'_, B>) -> Result<(), MapError> {
        let entry = self.map.get(index as usize).ok_or(MapError::NoSuchIndex)?;
        let listener = self.listeners.get(entry.0.peek()).ok_or(MapError::NotFound)?;
        self.map_leave(listener, lock);
        Ok(())
    }

    /// Takes a listener out of the map. (Linux: `bpf_sk_reuseport_detach()`.)
    pub(crate) fn map_leave(&self, listener: &Listener<C, B>, _lock: &ReuseportLocked<'_, B>) {
        if let Some(entry) = self.map.get(listener.map_index.peek() as usize) {
            entry.0.store(NONE, Ordering::Release);
            listener.map_index.store(NONE, Ordering::Release);
        }
    }
}
