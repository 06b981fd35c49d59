/* The listen side of TCP for kernels, for embedders in C. Generated from kmod/src by `make header`. */
#ifndef RSKQ_H
#define RSKQ_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#endif

// What an operation on a socket came to.
enum rskq_sock {
  // It was done.
  RSKQ_SOCK_OK,
  // Somebody is bound to what overlaps the address and does not share it, or this socket does not.
  RSKQ_SOCK_ADDR_IN_USE,
  // The socket is bound already, or nobody can be bound to the address.
  RSKQ_SOCK_INVALID,
  // There are no buckets.
  RSKQ_SOCK_NO_BUCKETS,
  // The socket is not bound.
  RSKQ_SOCK_NOT_BOUND,
  // Every listener is in use.
  RSKQ_SOCK_NO_LISTENER_SLOT,
  // Every group is in use, or the address's has no room for another member.
  RSKQ_SOCK_NO_GROUP_ROOM,
  // The socket was closed.
  RSKQ_SOCK_STALE,
  // The socket does not listen.
  RSKQ_SOCK_NOT_LISTENING,
  // The socket is being shut down or closed; take the steps of that first.
  RSKQ_SOCK_STOPPING,
  // An error that this header does not know.
  RSKQ_SOCK_OTHER,
};

// What became of a part of what a closing listener held.
enum rskq_step {
  // That was all: the steps are done.
  RSKQ_STEP_DONE,
  // One connection moved to `to`, which is to be woken.
  RSKQ_STEP_MOVED,
  // All connections moved to `to`, which is to be woken if `connections` is not 0.
  RSKQ_STEP_HANDED_OVER,
  // No listener took `connection`: reset it.
  RSKQ_STEP_ABORTED,
};

// What became of what arrived.
enum rskq_verdict {
  // It was taken.
  RSKQ_VERDICT_TAKEN,
  // A SYN whose connection is known: send its SYN-ACK again.
  RSKQ_VERDICT_DUPLICATE,
  // A SYN that a full SYN queue did not take: send a SYN-ACK with a cookie, and remember nothing.
  RSKQ_VERDICT_COOKIE,
  // Nobody listens there: answer with a reset.
  RSKQ_VERDICT_NO_LISTENER,
  // The accept queue is full: drop it, the client tries again.
  RSKQ_VERDICT_ACCEPT_QUEUE_FULL,
  // Every request is in use: drop it, the client tries again.
  RSKQ_VERDICT_NO_REQUEST_SLOT,
  // No half-open connection has this tuple.
  RSKQ_VERDICT_NO_REQUEST,
  // The accept queue is full, and such handshakes are to end: answer with a reset.
  RSKQ_VERDICT_ABORTED_ON_OVERFLOW,
  // The SYN queue is full, and cookies are off: drop it, the client tries again.
  RSKQ_VERDICT_SYN_QUEUE_FULL,
  // The listener waits for data: drop the bare ACK.
  RSKQ_VERDICT_DEFERRED,
  // A reason that this header does not know: drop it.
  RSKQ_VERDICT_OTHER,
};

// What a SYN-ACK timer came to.
enum rskq_timer {
  // None is due.
  RSKQ_TIMER_NONE,
  // Send the SYN-ACK again.
  RSKQ_TIMER_RETRANSMIT,
  // Send nothing: the listener waits for data.
  RSKQ_TIMER_WAIT,
  // It went off often enough: the connection was given up.
  RSKQ_TIMER_EXPIRED,
  // Its listener left, and nobody else listens: the connection was given up.
  RSKQ_TIMER_DROPPED,
};

// What closing a listener does with the connections that it holds, waiting or half open.
enum rskq_design {
  // Each is aborted.
  RSKQ_DESIGN_ABORT,
  // Each goes where Linux sends it, if `migrate_req` is on; otherwise it is aborted.
  RSKQ_DESIGN_LINUX,
  // Each goes to the listener at the address that its hash falls on now.
  RSKQ_DESIGN_REQUEUE,
  // All go to one listener at the address together, in O(1).
  RSKQ_DESIGN_HANDOVER,
};

// The listen side of TCP. Shared by pointer: any number of contexts may call with it at a time.
struct rskq_stack;

// Names a listening socket; stale once it was closed.
struct rskq_listener {
  // Its slot, below `rskq_sizes.listeners`: an index for tables of the embedder's.
  uint32_t index;
  // How often the slot was used before.
  uint32_t generation;
};

// Where and when something happens.
struct rskq_here {
  // Milliseconds since any moment, the same for every call.
  uint64_t now;
  // The CPU.
  uint32_t cpu;
};

// The steps of a shutdown or a close, in the caller's hands until the last one was taken.
struct rskq_closing {
  // Not to be looked into.
  uint64_t opaque[20];
};

// One step of a shutdown or a close.
struct rskq_outcome {
  // The connection that was aborted, otherwise null.
  void *connection;
  // The listener that gained what moved.
  struct rskq_listener to;
  // How many connections moved.
  uint32_t connections;
};

// What a stack counted, each by itself; they wrap at 2^32.
struct rskq_counters {
  // Connections that a full accept queue turned away. (Linux: `ListenOverflows`.)
  uint32_t listen_overflows;
  // Connections that a listener dropped, for whatever reason. (Linux: `ListenDrops`.)
  uint32_t listen_drops;
  // Connections that a handshake ended with. (Linux: `PassiveOpens`.)
  uint32_t passive_opens;
  // Half-open requests that were reset. (Linux: `EmbryonicRsts`.)
  uint32_t embryonic_rsts;
  // Times a SYN-ACK timer went off. (Linux: `TCPTimeouts`.)
  uint32_t tcp_timeouts;
  // Bare ACKs that were dropped because their listener waits for data. (Linux: `TCPDeferAcceptDrop`.)
  uint32_t tcp_defer_accept_drop;
  // SYNs that found the SYN queue full and were dropped. (Linux: `TCPReqQFullDrop`.)
  uint32_t tcp_req_q_full_drop;
  // SYNs that found the SYN queue full, or cookies always on. (Linux: `TCPReqQFullDoCookies`.)
  uint32_t tcp_req_q_full_do_cookies;
  // Cookies that were due. (Linux: `SyncookiesSent`.)
  uint32_t syncookies_sent;
  // Genuine cookies. (Linux: `SyncookiesRecv`.)
  uint32_t syncookies_recv;
  // Others. (Linux: `SyncookiesFailed`.)
  uint32_t syncookies_failed;
  // Fast-open connections. (Linux: `TCPFastOpenPassive`.)
  uint32_t tcp_fast_open_passive;
  // Fast-open connections beyond their listener's limit. (Linux: `TCPFastOpenListenOverflow`.)
  uint32_t tcp_fast_open_listen_overflow;
  // Requests that migrated to another listener. (Linux: `TCPMigrateReqSuccess`.)
  uint32_t tcp_migrate_req_success;
  // Requests that should have migrated and did not. (Linux: `TCPMigrateReqFailure`.)
  uint32_t tcp_migrate_req_failure;
  // Times that were more than a second earlier than one told before.
  uint32_t clock_backwards;
  // Connections turned away because every request slot was in use.
  uint32_t request_slab_full;
  // Listeners refused because every listener or owner slot was in use.
  uint32_t listener_slab_full;
  // Listeners refused because every group slot was in use, or the group was full.
  uint32_t group_full;
  // Listeners refused because `socks` had no room for the group to grow.
  uint32_t socks_full;
};

// One end of a connection.
struct rskq_addr {
  // The address, in network order; of IPv4 the first four bytes.
  uint8_t addr[16];
  // The zone of a link-local IPv6 address, otherwise 0.
  uint32_t scope;
  // The port, in host order.
  uint16_t port;
  // Whether it is IPv6.
  bool ipv6;
};

// The two ends of a connection.
struct rskq_tuple {
  // Ours.
  struct rskq_addr local;
  // The client's.
  struct rskq_addr remote;
};

// A connection that arrives, and the hashes that select a listener for it.
struct rskq_arrival {
  // Its ends.
  struct rskq_tuple tuple;
  // Selects when it arrives. Keyed: a client must not be able to choose its listener.
  uint32_t syn_hash;
  // Selects when it migrates; the same unless the listener is bound to a wildcard.
  uint32_t sk_hash;
};

// Room for a lock of the embedder's, who makes of it what it likes; zeros are an unlocked one.
struct rskq_lock {
  // For Linux, a `spinlock_t`.
  uint32_t word;
};

// How many of each a stack has. A part of which there are none is no error: what needs one fails.
struct rskq_sizes {
  // Listeners, including closed ones that connections still name.
  uint32_t listeners;
  // Connections that are half open or wait to be accepted.
  uint32_t requests;
  // Groups: one for each address, and one more for each that only has closed members left.
  uint32_t groups;
  // Members that each group may have.
  uint32_t members;
  // Buckets of ports and of listening addresses: about as many as there are of each.
  uint32_t buckets;
  // Buckets of half-open connections: about as many as are expected.
  uint32_t ehash;
};

// How a stack behaves; what is not named is as in Linux.
struct rskq_config {
  // An `enum rskq_design`.
  uint32_t design;
  // Linux's `tcp_migrate_req`.
  bool migrate_req;
  // Linux's `tcp_abort_on_overflow`.
  bool abort_on_overflow;
};

// Takes the connection that waited longest, or null if none waits. O(1), and does not sleep.
//
// # Safety
//
// `stack` is one that `rskq_init` made, and `connection` is writable.
enum rskq_sock rskq_accept(const struct rskq_stack *stack, struct rskq_listener listener, void **connection);

// Stores how many connections wait on a listener, and its backlog.
//
// # Safety
//
// `stack` is one that `rskq_init` made; `len` and `backlog` are writable.
enum rskq_sock rskq_queue_len(const struct rskq_stack *stack,
                              struct rskq_listener listener,
                              uint32_t *len,
                              uint32_t *backlog);

// Closes a socket: its name is stale from now on. Takes no step yet: `rskq_closing_next` has to be called
// until they are done.
//
// # Safety
//
// `stack` is one that `rskq_init` made, and is there until the steps are done; `closing` is
// writable.
enum rskq_sock rskq_close(const struct rskq_stack *stack,
                          struct rskq_listener listener,
                          struct rskq_here here,
                          struct rskq_closing *closing);

// Stops listening; the socket stays open and bound, and may listen again. Otherwise as `rskq_close`.
//
// # Safety
//
// As `rskq_close`.
enum rskq_sock rskq_shutdown(const struct rskq_stack *stack,
                             struct rskq_listener listener,
                             struct rskq_here here,
                             struct rskq_closing *closing);

// Takes the next step, and stores what became of it. After `Done` there is none any more.
//
// # Safety
//
// `closing` is what `rskq_close` or `rskq_shutdown` filled in with success, has not been done, and is used
// by one context at a time; `outcome` is writable.
enum rskq_step rskq_closing_next(struct rskq_closing *closing, struct rskq_outcome *outcome);

// Reads every counter. No lock.
//
// # Safety
//
// `stack` is one that `rskq_init` made.
struct rskq_counters rskq_read_counters(const struct rskq_stack *stack);

// A SYN arrived. If it is taken, a SYN-ACK is due, and its timer runs.
//
// # Safety
//
// `stack` is one that `rskq_init` made.
enum rskq_verdict rskq_syn(const struct rskq_stack *stack,
                           const struct rskq_arrival *arrival,
                           struct rskq_here here);

// The final ACK of a handshake arrived, `data` if more than an ACK, and `connection` is what it made. If
// it is taken, `wake` is the listener that whoever waits in accept is to be woken for.
//
// # Safety
//
// `stack` is one that `rskq_init` made, and `wake` is writable; whoever gets `connection` back
// may be another thread.
enum rskq_verdict rskq_ack(const struct rskq_stack *stack,
                           const struct rskq_tuple *tuple,
                           bool data,
                           struct rskq_here here,
                           void *connection,
                           struct rskq_listener *wake);

// A connection arrived that is established already. Otherwise as `rskq_ack`.
//
// # Safety
//
// As `rskq_ack`.
enum rskq_verdict rskq_deliver(const struct rskq_stack *stack,
                               const struct rskq_arrival *arrival,
                               struct rskq_here here,
                               void *connection,
                               struct rskq_listener *wake);

// A reset arrived: ends a half-open connection.
//
// # Safety
//
// `stack` is one that `rskq_init` made.
enum rskq_verdict rskq_reset(const struct rskq_stack *stack, const struct rskq_tuple *tuple);

// Deals with the SYN-ACK timer that is due next, and stores which connection's it is. To be called until
// none is due.
//
// # Safety
//
// `stack` is one that `rskq_init` made, and `tuple` is writable.
enum rskq_timer rskq_poll(const struct rskq_stack *stack, struct rskq_here here, struct rskq_tuple *tuple);

// Tells whether a timer runs, and stores when to poll.
//
// # Safety
//
// `stack` is one that `rskq_init` made, and `deadline` is writable.
bool rskq_next_deadline(const struct rskq_stack *stack, uint64_t *deadline);

// Opens a socket that is not bound, and stores its name. `reuseport`: it shares its address with others that
// say so; `v6only`: bound to IPv6, it does not receive IPv4. O(1).
//
// # Safety
//
// `stack` is one that `rskq_init` made, and `listener` is writable.
enum rskq_sock rskq_open(const struct rskq_stack *stack,
                         bool reuseport,
                         bool v6only,
                         struct rskq_listener *listener);

// Binds a socket to an address for as long as it is open.
//
// # Safety
//
// `stack` is one that `rskq_init` made.
enum rskq_sock rskq_bind(const struct rskq_stack *stack,
                         struct rskq_listener listener,
                         struct rskq_addr addr);

// Makes a bound socket listen, or changes its backlog; a backlog of N holds N + 1 connections.
//
// # Safety
//
// `stack` is one that `rskq_init` made.
enum rskq_sock rskq_listen(const struct rskq_stack *stack, struct rskq_listener listener, uint32_t backlog);

extern unsigned long rskq_lock_acquire(struct rskq_lock *lock);

extern void rskq_lock_release(struct rskq_lock *lock, unsigned long flags);

// Returns how many bytes a stack of these sizes takes; 0 if no memory is as large.
size_t rskq_memory_size(struct rskq_sizes sizes);

// Makes a stack in memory of the embedder's, which is the stack's from now on: `size` bytes, aligned as a
// `uint64_t`. Nothing of it needs to be undone; the memory may be taken back when nobody calls any more.
//
// Returns null if the memory is too small or not aligned, or `design` is unknown. O(size).
//
// # Safety
//
// `memory` has to be writable for `size` bytes, or null.
struct rskq_stack *rskq_init(void *memory, size_t size, struct rskq_sizes sizes, struct rskq_config config);

/* What the embedder brings. */

// Waits for the lock and takes it; returns what the release has to know, such as saved interrupt flags. Called
// wherever a function of this header is; what was taken last is released first.
unsigned long rskq_lock_acquire(struct rskq_lock *lock);

// Releases the lock; `flags` is what its acquisition returned.
void rskq_lock_release(struct rskq_lock *lock, unsigned long flags);

// Stops the machine, or the thread: a defect of rskq's was met. Does not return.
void rskq_panic(void);

#endif /* RSKQ_H */
