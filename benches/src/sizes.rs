//! Item 8: bytes.

use crate::Child;
use rskq::DefaultBackend as B;
use rskq::group::SockReuseport;
use rskq::listener::Listener;
use rskq::request::{Owner, RequestSock};
use rskq::{BindBucket, Bucket, EhashBucket, Member, Slot};
use serde::{Deserialize, Serialize};

/// One object, with its slot where it has one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Size {
    /// What it is.
    pub what: String,
    /// How many bytes.
    pub bytes: usize,
}

/// What everything takes.
#[must_use]
pub fn sizes() -> Vec<Size> {
    let size = |what: &str, bytes| Size { what: what.into(), bytes };
    vec![
        size("request, without a child", size_of::<RequestSock<(), B>>()),
        size("request, without a child, in its slot", size_of::<Slot<RequestSock<(), B>, B>>()),
        size("request of a child of 32 bytes, in its slot", size_of::<Slot<RequestSock<Child, B>, B>>()),
        size("listener", size_of::<Listener<Child, B>>()),
        size("listener, in its slot", size_of::<Slot<Listener<Child, B>, B>>()),
        size("owner, in its slot", size_of::<Slot<Owner<B>, B>>()),
        size("group, in its slot", size_of::<Slot<SockReuseport<B>, B>>()),
        size("member of a group", size_of::<Member<B>>()),
        size("bucket of half-open requests", size_of::<EhashBucket<Child, B>>()),
        size("bucket of listening addresses", size_of::<Bucket<B>>()),
        size("bucket of ports", size_of::<BindBucket<Child, B>>()),
    ]
}
