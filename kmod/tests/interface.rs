//! The C interface, called as C does, on a lock of the test's: what it says to bad input, and a connection's
//! way.

use rskq_c::*;
use std::ffi::{c_ulong, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

/// The embedder's side: the word is an atomic.
///
/// # Safety
///
/// `lock` is a lock of the stack's.
#[unsafe(no_mangle)]
unsafe extern "C" fn rskq_lock_acquire(lock: *mut rskq_lock) -> c_ulong {
    // SAFETY: the lock is a word, and there as long as its stack.
    let word = unsafe { AtomicU32::from_ptr(lock.cast()) };
    while word.swap(1, Ordering::Acquire) != 0 {
        std::hint::spin_loop();
    }
    0x202
}

/// # Safety
///
/// `lock` is held.
#[unsafe(no_mangle)]
unsafe extern "C" fn rskq_lock_release(lock: *mut rskq_lock, flags: c_ulong) {
    assert_eq!(flags, 0x202, "what the acquisition returned");
    // SAFETY: as above.
    unsafe { AtomicU32::from_ptr(lock.cast()) }.store(0, Ordering::Release);
}

const SIZES: rskq_sizes =
    rskq_sizes { listeners: 2, requests: 4, groups: 2, members: 2, buckets: 1, ehash: 1 };
const CONFIG: rskq_config =
    rskq_config { design: rskq_design::Handover as u32, migrate_req: false, abort_on_overflow: false };
const HERE: rskq_here = rskq_here { now: 0, cpu: 0 };

fn init(memory: *mut c_void, size: usize, config: rskq_config) -> *mut rskq_stack {
    // SAFETY: null, or the memory of `memory`.
    unsafe { rskq_init(memory, size, SIZES, config) }
}

fn memory() -> (*mut c_void, usize) {
    let size = rskq_memory_size(SIZES);
    // One word more, for a pointer that is not aligned.
    let words = vec![0_u64; size / 8 + 1].leak();
    (words.as_mut_ptr().cast(), size)
}

fn stack() -> &'static rskq_stack {
    let (memory, size) = memory();
    // SAFETY: leaked.
    unsafe { &*init(memory, size, CONFIG) }
}

fn addr(last: u8, port: u16) -> rskq_addr {
    let mut addr = [0; 16];
    addr[..4].copy_from_slice(&[10, 0, 0, last]);
    rskq_addr { addr, scope: 0, port, ipv6: false }
}

fn arrival(client: u8) -> rskq_arrival {
    let tuple = rskq_tuple { local: addr(1, 80), remote: addr(client, 40_000) };
    rskq_arrival { tuple, syn_hash: 0, sk_hash: 0 }
}

fn listening(stack: &rskq_stack, backlog: u32) -> rskq_listener {
    let mut id = rskq_listener { index: 0, generation: 0 };
    // SAFETY: a stack, and what is written to is.
    unsafe {
        assert_eq!(rskq_open(stack, true, false, &mut id), rskq_sock::Ok);
        assert_eq!(rskq_bind(stack, id, addr(1, 80)), rskq_sock::Ok);
        assert_eq!(rskq_listen(stack, id, backlog), rskq_sock::Ok);
    }
    id
}

fn ack(stack: &rskq_stack, client: u8) -> (rskq_verdict, rskq_listener) {
    let mut wake = rskq_listener { index: 9, generation: 9 };
    let connection = ptr::without_provenance_mut(client.into());
    // SAFETY: a stack, and what is written to is.
    let verdict = unsafe { rskq_ack(stack, &arrival(client).tuple, false, HERE, connection, &mut wake) };
    (verdict, wake)
}

fn accept(stack: &rskq_stack, id: rskq_listener) -> Result<usize, rskq_sock> {
    let mut connection = ptr::null_mut();
    // SAFETY: a stack, and what is written to is.
    match unsafe { rskq_accept(stack, id, &mut connection) } {
        rskq_sock::Ok => Ok(connection.addr()),
        error => Err(error),
    }
}

fn closed(stack: &'static rskq_stack, id: rskq_listener) -> Vec<(rskq_step, usize, u32)> {
    let mut closing = MaybeUninit::uninit();
    let mut outcome = rskq_outcome { connection: ptr::null_mut(), to: id, connections: 0 };
    // SAFETY: a stack that is there for ever; the steps are taken until they are done.
    unsafe {
        assert_eq!(rskq_close(stack, id, HERE, closing.as_mut_ptr()), rskq_sock::Ok);
        std::iter::from_fn(|| match rskq_closing_next(closing.as_mut_ptr(), &mut outcome) {
            rskq_step::Done => None,
            step => Some((step, outcome.connection.addr(), outcome.connections)),
        })
        .collect()
    }
}

#[test]
fn memory_and_design_are_looked_at() {
    let (memory, size) = memory();
    assert!(init(ptr::null_mut(), size, CONFIG).is_null());
    assert!(init(memory, size - 1, CONFIG).is_null());
    assert!(init(memory.wrapping_byte_add(4), size, CONFIG).is_null());
    assert!(init(memory, size, rskq_config { design: 4, ..CONFIG }).is_null());
    assert!(!init(memory, size, CONFIG).is_null());
    let huge = rskq_sizes { requests: u32::MAX, groups: u32::MAX, members: u32::MAX, ..SIZES };
    let sizes = [rskq_memory_size(huge), rskq_memory_size(rskq_sizes { members: 0, ..SIZES })];
    assert!(sizes[0] == 0 || sizes[0] > 1 << 40);
    assert!(sizes[1] < size);
}

#[test]
fn from_syn_to_accept() {
    let stack = stack();
    let (a, b) = (listening(stack, 1), listening(stack, 1));
    // SAFETY: a stack.
    unsafe {
        assert_eq!(rskq_syn(stack, &arrival(2), HERE), rskq_verdict::Taken);
        assert_eq!(rskq_syn(stack, &arrival(2), HERE), rskq_verdict::Duplicate);
        assert_eq!(rskq_reset(stack, &arrival(3).tuple), rskq_verdict::NoRequest);
        assert_eq!(rskq_syn(stack, &arrival(3), HERE), rskq_verdict::Taken);
        assert_eq!(rskq_reset(stack, &arrival(3).tuple), rskq_verdict::Taken);
    }
    let (verdict, wake) = ack(stack, 2);
    assert_eq!((verdict, wake.index, wake.generation), (rskq_verdict::Taken, a.index, a.generation));
    assert_eq!(ack(stack, 2).0, rskq_verdict::NoRequest);
    let (mut len, mut backlog) = (0, 0);
    // SAFETY: a stack, and what is written to is.
    assert_eq!(unsafe { rskq_queue_len(stack, a, &mut len, &mut backlog) }, rskq_sock::Ok);
    assert_eq!((len, backlog), (1, 1));
    assert_eq!(closed(stack, a), [(rskq_step::HandedOver, 0, 1)]);
    assert_eq!(accept(stack, a), Err(rskq_sock::Stale));
    assert_eq!((accept(stack, b), accept(stack, b)), (Ok(2), Ok(0)));
    // SAFETY: a stack.
    assert_eq!(unsafe { rskq_read_counters(stack) }.passive_opens, 1);
}

#[test]
fn nobody_is_left_to_take_it() {
    let stack = stack();
    let id = listening(stack, 0);
    let mut wake = id;
    let connection = ptr::without_provenance_mut;
    // SAFETY: a stack, and what is written to is.
    unsafe {
        assert_eq!(rskq_deliver(stack, &arrival(2), HERE, connection(2), &mut wake), rskq_verdict::Taken);
        let full = rskq_deliver(stack, &arrival(3), HERE, connection(3), &mut wake);
        assert_eq!(full, rskq_verdict::AcceptQueueFull);
        assert_eq!(closed(stack, id), [(rskq_step::Aborted, 2, 0)]);
        assert_eq!(rskq_syn(stack, &arrival(4), HERE), rskq_verdict::NoListener);
        assert_eq!(rskq_listen(stack, id, 1), rskq_sock::Stale);
    }
}

#[test]
fn a_shut_down_socket_listens_again() {
    let stack = stack();
    let id = listening(stack, 1);
    let mut closing = MaybeUninit::uninit();
    let mut outcome = rskq_outcome { connection: ptr::null_mut(), to: id, connections: 0 };
    // SAFETY: as in `closed`.
    unsafe {
        assert_eq!(rskq_shutdown(stack, id, HERE, closing.as_mut_ptr()), rskq_sock::Ok);
        assert_eq!(rskq_listen(stack, id, 1), rskq_sock::Stopping);
        assert_eq!(rskq_closing_next(closing.as_mut_ptr(), &mut outcome), rskq_step::Done);
        assert_eq!(accept(stack, id), Err(rskq_sock::NotListening));
        assert_eq!(rskq_listen(stack, id, 1), rskq_sock::Ok);
    }
}

#[test]
fn timers_are_polled() {
    let stack = stack();
    listening(stack, 1);
    let mut deadline = 0;
    let mut tuple = arrival(9).tuple;
    // SAFETY: a stack, and what is written to is.
    unsafe {
        assert!(!rskq_next_deadline(stack, &mut deadline));
        assert_eq!(rskq_syn(stack, &arrival(2), HERE), rskq_verdict::Taken);
        assert!(rskq_next_deadline(stack, &mut deadline) && deadline > 0);
        assert_eq!(rskq_poll(stack, HERE, &mut tuple), rskq_timer::None);
        let then = rskq_here { now: deadline, cpu: 0 };
        assert_eq!(rskq_poll(stack, then, &mut tuple), rskq_timer::Retransmit);
        assert_eq!((tuple.remote.addr[3], tuple.remote.port), (2, 40_000));
    }
}
