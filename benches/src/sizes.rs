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

/// Linux's: a half-open request, and what an established connection takes from then on.
const OF_LINUX: [(&str, &str); 2] =
    [("request_sock_TCP", "Linux's half-open request"), ("TCP", "Linux's connection, from the final ACK on")];

/// Returns what a kernel's objects take, as `/proc/slabinfo` says, which only root may read.
fn of_linux(slabinfo: &str) -> Vec<Size> {
    let size = |(slab, what): (&str, &str)| {
        let mut words =
            slabinfo.lines().map(str::split_whitespace).find(|words| words.clone().next() == Some(slab))?;
        Some(Size { what: format!("{what}, here"), bytes: words.nth(3)?.parse().ok()? })
    };
    OF_LINUX.into_iter().filter_map(size).collect()
}

/// What everything takes.
#[must_use]
pub fn sizes() -> Vec<Size> {
    let size = |what: &str, bytes| Size { what: what.into(), bytes };
    let linux = of_linux(&std::fs::read_to_string("/proc/slabinfo").unwrap_or_default());
    let ours = vec![
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
    ];
    [ours, linux].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slab_has_a_size_or_is_not_told() {
        let slabinfo = "slabinfo - version: 2.1\n# name <active_objs> <num_objs> <objsize>\n\
                        request_sock_TCPv6 168 216 400 12 1\nrequest_sock_TCP 192 252 320 12 1\n";
        assert!(of_linux(slabinfo).iter().map(|size| size.bytes).eq([320]));
        assert!(of_linux("").is_empty());
    }
}
