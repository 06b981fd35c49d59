//! Temporary.
use super::select::reciprocal_scale;
use crate::listener::Listener;
use crate::net::{ListenerRef, Net};
use crate::request::Tuple;
use crate::sync::{AtomicU32, Backend};
use core::sync::atomic::Ordering;
#[derive(Clone, Copy, Debug)]
pub(crate) enum MigratingSk {
    NewSynRecv,
    SynRecv,
    Established,
}
#[derive(Clone, Copy, Debug)]
pub(crate) struct Migrating {
    pub(crate) tuple: Tuple,
    pub(crate) hash: u32,
    pub(crate) cpu: u32,
    pub(crate) len: u32,
    pub(crate) sk: MigratingSk,
}
pub(crate) enum Migration2<'a, 's, C: Send + 'static, B: Backend> {
    To(ListenerRef<'a, 's, C, B>),
    Failed,
    NotInGroup,
}
impl<'s, C: Send + 'static, B: Backend> Net<'s, C, B> {
    pub(crate) fn may_migrate(&self, _: &Listener<C, B>) -> bool {
        self.sysctl.tcp_migrate_req()
    }
    pub(crate) fn migrate_sock2(&self, closed: &Listener<C, B>, m: &Migrating) -> Migration2<'_, 's, C, B> {
        let Some(group) = self.groups.get(closed.sk_reuseport_cb.load(Ordering::Acquire)) else {
            return Migration2::NotInGroup;
        };
        let num = group.num_socks.load(Ordering::Acquire);
        if num == 0 || !self.sysctl.tcp_migrate_req() {
            return Migration2::Failed;
        }
        match self.sock_ref(group, reciprocal_scale(m.hash, num)) {
            Some(t) => Migration2::To(t),
            None => Migration2::Failed,
        }
    }
}
