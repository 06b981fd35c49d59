//! All memory there is: statics, each handed over once. The image has no allocator.

use crate::arch::CPUS;
use heapless::Vec;
use rskq::group::SockReuseport;
use rskq::listener::Listener;
use rskq::request::{Owner, RequestSock};
use rskq::{BindBucket, Bucket, DefaultBackend as B, EhashBucket, Member, Resources, Slot};
use rskq_smoltcp::{Connection, Departed, Held, Memory, Place, Pool};
use smoltcp::iface::{SocketHandle, SocketSet, SocketStorage};
use smoltcp::socket::tcp;
use spin::{Mutex, MutexGuard};

/// Connections of one CPU, of whatever stage.
pub const CONNECTIONS: usize = 512;
/// Bytes of each of a socket's two buffers: a request fits, and an answer.
const BUFFER: usize = 512;
/// Listeners that are open, or whose connections live on; and their groups.
const LISTENERS: usize = 8;

/// Memory that is handed over once.
type Once<T> = Mutex<T>;

/// Hands it over. Whoever asked twice would wait for ever.
fn take<T>(memory: &'static Once<T>) -> &'static mut T {
    MutexGuard::leak(memory.lock())
}

/// Arrays of things that are empty.
macro_rules! arrays {
    ($($name:ident: [$type:ty; $count:expr] = $empty:expr;)*) => {
        $(static $name: Once<[$type; $count]> = Once::new([const { $empty }; $count]);)*
    };
}

arrays! {
    LISTENER: [Slot<Listener<Connection, B>, B>; LISTENERS] = Slot::new();
    REQUEST: [Slot<RequestSock<Connection, B>, B>; CPUS * CONNECTIONS] = Slot::new();
    OWNER: [Slot<Owner<B>, B>; LISTENERS] = Slot::new();
    GROUP: [Slot<SockReuseport<B>, B>; LISTENERS] = Slot::new();
    SOCKS: [Member<B>; LISTENERS * Member::<B>::count_for(1)] = Member::new();
    PORT: [BindBucket<Connection, B>; 4] = BindBucket::new();
    BUCKET: [Bucket<B>; 4] = Bucket::new();
    EHASH: [EhashBucket<Connection, B>; CPUS * CONNECTIONS] = EhashBucket::new();
}

/// The stack's.
pub fn stack() -> Resources<'static, Connection, B> {
    Resources {
        listeners: take(&LISTENER).into(),
        requests: take(&REQUEST).into(),
        owners: take(&OWNER).into(),
        groups: take(&GROUP).into(),
        socks: take(&SOCKS).into(),
        ports: take(&PORT).into(),
        buckets: take(&BUCKET).into(),
        ehash: take(&EHASH).into(),
    }
}

/// What one CPU has.
struct Own {
    connections: [Place<Held<B>>; CONNECTIONS],
    departed: [Place<Departed>; CONNECTIONS],
    storage: [SocketStorage<'static>; CONNECTIONS],
    handles: Vec<SocketHandle, CONNECTIONS>,
    buffers: [[[u8; BUFFER]; 2]; CONNECTIONS],
}

static OWN: [Once<Own>; CPUS] = [const {
    Once::new(Own {
        connections: [const { Place::new() }; CONNECTIONS],
        departed: [const { Place::new() }; CONNECTIONS],
        storage: [SocketStorage::EMPTY; CONNECTIONS],
        handles: Vec::new(),
        buffers: [[[0; BUFFER]; 2]; CONNECTIONS],
    })
}; CPUS];

/// One CPU's: what its shard keeps in mind, its sockets, and those of them that are idle, which are all.
pub fn shard(cpu: usize) -> (Memory<'static, B>, SocketSet<'static>, Pool<'static>) {
    let Own { connections, departed, storage, handles, buffers } = take(&OWN[cpu]);
    let mut sockets = SocketSet::new(&mut storage[..]);
    for [rx, tx] in buffers {
        let socket =
            tcp::Socket::new(tcp::SocketBuffer::new(&mut rx[..]), tcp::SocketBuffer::new(&mut tx[..]));
        // There is a handle for each.
        let _ = handles.push(sockets.add(socket));
    }
    let memory = Memory { connections: connections.into(), departed: departed.into() };
    (memory, sockets, Pool::new(handles.as_mut_slice()))
}
