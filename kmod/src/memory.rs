//! A stack, laid out in the embedder's memory.

use crate::rskq_lock;
use core::alloc::{Layout, LayoutError};
use core::ffi::c_void;
use core::ptr;
use rskq::group::{Member, SockReuseport};
use rskq::hash::{BindBucket, Bucket, EhashBucket};
use rskq::listener::Listener;
use rskq::request::{Owner, RequestSock};
use rskq::slab::Vacant;
use rskq::{Config, Design, Resources, Slot, Stack, Sysctl};

/// What is established, to the embedder: never looked into.
pub(crate) struct Connection(pub(crate) *mut c_void);

// SAFETY: the stack passes the pointer along and does not follow it; whoever gets it back may be elsewhere,
// which the header says.
unsafe impl Send for Connection {}

pub(crate) type B = rskq::sync::Core<rskq_lock>;

/// The listen side of TCP. Shared by pointer: any number of contexts may call with it at a time.
pub struct rskq_stack(pub(crate) Stack<'static, Connection, B>);

/// How many of each a stack has. A part of which there are none is no error: what needs one fails.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rskq_sizes {
    /// Listeners, including closed ones that connections still name.
    pub listeners: u32,
    /// Connections that are half open or wait to be accepted.
    pub requests: u32,
    /// Groups: one for each address, and one more for each that only has closed members left.
    pub groups: u32,
    /// Members that each group may have.
    pub members: u32,
    /// Buckets of ports and of listening addresses: about as many as there are of each.
    pub buckets: u32,
    /// Buckets of half-open connections: about as many as are expected.
    pub ehash: u32,
}

/// What closing a listener does with the connections that it holds, waiting or half open.
#[repr(C)]
#[derive(Clone, Copy)]
pub enum rskq_design {
    /// Each is aborted.
    Abort,
    /// Each goes where Linux sends it, if `migrate_req` is on; otherwise it is aborted.
    Linux,
    /// Each goes to the listener at the address that its hash falls on now.
    Requeue,
    /// All go to one listener at the address together, in O(1).
    Handover,
}

/// How a stack behaves; what is not named is as in Linux.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rskq_config {
    /// An `enum rskq_design`.
    pub design: u32,
    /// Linux's `tcp_migrate_req`.
    pub migrate_req: bool,
    /// Linux's `tcp_abort_on_overflow`.
    pub abort_on_overflow: bool,
}

impl rskq_config {
    fn read(self) -> Option<Config> {
        let Self { design, migrate_req, abort_on_overflow } = self;
        let design = match design {
            of if of == rskq_design::Abort as u32 => Design::Abort,
            of if of == rskq_design::Linux as u32 => Design::Linux,
            of if of == rskq_design::Requeue as u32 => Design::Requeue,
            of if of == rskq_design::Handover as u32 => Design::Handover,
            _ => return None,
        };
        let sysctl = Sysctl {
            tcp_migrate_req: migrate_req,
            tcp_abort_on_overflow: abort_on_overflow,
            ..Sysctl::LINUX
        };
        Some(Config { sysctl, ..Config::with(design) })
    }
}

/// Where in the memory one part begins, and how many elements it has.
#[derive(Clone, Copy)]
struct Part {
    offset: usize,
    count: usize,
}

/// The parts of a stack's memory, in this order behind the stack itself.
struct Plan {
    layout: Layout,
    listeners: Part,
    requests: Part,
    owners: Part,
    groups: Part,
    socks: Part,
    ports: Part,
    buckets: Part,
    ehash: Part,
}

impl Plan {
    fn new(sizes: rskq_sizes) -> Result<Self, LayoutError> {
        let rskq_sizes { listeners, requests, groups, members, buckets, ehash } = sizes;
        let socks = (groups as usize).saturating_mul(Member::<B>::count_for(members));
        let mut layout = Layout::new::<rskq_stack>();
        let layout = &mut layout;
        Ok(Self {
            listeners: extend::<Slot<Listener<Connection, B>, B>>(layout, listeners as usize)?,
            requests: extend::<Slot<RequestSock<Connection, B>, B>>(layout, requests as usize)?,
            // One more for each socket that was shut down and handed its own over.
            owners: extend::<Slot<Owner<B>, B>>(layout, (listeners as usize).saturating_mul(2))?,
            groups: extend::<Slot<SockReuseport<B>, B>>(layout, groups as usize)?,
            socks: extend::<Member<B>>(layout, socks)?,
            ports: extend::<BindBucket<Connection, B>>(layout, buckets as usize)?,
            buckets: extend::<Bucket<B>>(layout, buckets as usize)?,
            ehash: extend::<EhashBucket<Connection, B>>(layout, ehash as usize)?,
            layout: layout.pad_to_align(),
        })
    }
}

/// Appends `count` elements.
fn extend<T>(layout: &mut Layout, count: usize) -> Result<Part, LayoutError> {
    let (whole, offset) = layout.extend(Layout::array::<T>(count)?)?;
    *layout = whole;
    Ok(Part { offset, count })
}

/// Makes the unused elements of a part.
///
/// # Safety
///
/// The part has to be in memory of at least its plan's size and alignment, which is nobody else's for ever.
unsafe fn vacant<T: Vacant>(memory: *mut u8, part: Part) -> &'static mut [T] {
    // SAFETY: within the memory, by the caller's contract.
    let first = unsafe { memory.add(part.offset) }.cast::<T>();
    for index in 0..part.count {
        // SAFETY: as above, and aligned by the plan.
        unsafe { first.add(index).write(T::VACANT) };
    }
    // SAFETY: each element was just written.
    unsafe { core::slice::from_raw_parts_mut(first, part.count) }
}

/// Returns how many bytes a stack of these sizes takes; 0 if no memory is as large.
#[unsafe(no_mangle)]
pub extern "C" fn rskq_memory_size(sizes: rskq_sizes) -> usize {
    Plan::new(sizes).map_or(0, |plan| plan.layout.size())
}

/// Makes a stack in memory of the embedder's, which is the stack's from now on: `size` bytes, aligned as a
/// `uint64_t`. Nothing of it needs to be undone; the memory may be taken back when nobody calls any more.
///
/// Returns null if the memory is too small or not aligned, or `design` is unknown. O(size).
///
/// # Safety
///
/// `memory` has to be writable for `size` bytes, or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rskq_init(
    memory: *mut c_void,
    size: usize,
    sizes: rskq_sizes,
    config: rskq_config,
) -> *mut rskq_stack {
    let (Ok(plan), Some(config)) = (Plan::new(sizes), config.read()) else {
        return ptr::null_mut();
    };
    if memory.is_null() || size < plan.layout.size() || !memory.addr().is_multiple_of(plan.layout.align()) {
        return ptr::null_mut();
    }
    let memory = memory.cast::<u8>();
    // SAFETY: of the plan's size and alignment, just looked at; given for good, by the caller's contract.
    let resources = unsafe {
        Resources {
            listeners: vacant(memory, plan.listeners).into(),
            requests: vacant(memory, plan.requests).into(),
            owners: vacant(memory, plan.owners).into(),
            groups: vacant(memory, plan.groups).into(),
            socks: vacant(memory, plan.socks).into(),
            ports: vacant(memory, plan.ports).into(),
            buckets: vacant(memory, plan.buckets).into(),
            ehash: vacant(memory, plan.ehash).into(),
        }
    };
    let stack = memory.cast::<rskq_stack>();
    // SAFETY: the plan begins with the stack.
    unsafe { stack.write(rskq_stack(Stack::new(resources, Config { max_socks: sizes.members, ..config }))) };
    stack
}
