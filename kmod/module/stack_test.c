// SPDX-License-Identifier: MIT
/* The stack, driven by one thread, and by several with a timer in between. */
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/hash.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/timer.h>
#include <linux/version.h>
#include <linux/vmalloc.h>

#include "stack_test.h"

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define timer_delete_sync del_timer_sync
#endif

#define CLIENTS 2
/* Handshakes of each client, and of the timer at most. */
#define ROUNDS 5000
#define LISTENERS 3
#define CONNECTIONS ((CLIENTS + 1) * ROUNDS)

static struct rskq_here here(void)
{
	return (struct rskq_here){ .now = jiffies_to_msecs(get_jiffies_64()), .cpu = raw_smp_processor_id() };
}

static struct rskq_addr ipv4(u32 addr, u16 port)
{
	return (struct rskq_addr){ .addr = { addr >> 24, addr >> 16, addr >> 8, addr }, .port = port };
}

static struct rskq_addr local(void)
{
	return ipv4(0x0a000001, 80);
}

static struct rskq_arrival arrival(u32 number)
{
	u32 hash = hash_32(number, 32);

	return (struct rskq_arrival){ .tuple = { .local = local(), .remote = ipv4(0x0a010000 + number, 40000) },
				      .syn_hash = hash,
				      .sk_hash = hash };
}

struct rskq_stack *stack_new(enum fault fault, void **memory)
{
	struct rskq_sizes sizes = {
		.listeners = 2 * LISTENERS,
		.requests = 128,
		.groups = 2,
		.members = 2 * LISTENERS,
		.buckets = 2,
		.ehash = 16,
	};
	struct rskq_config config = { .design = fault == FAULT_ABORT ? RSKQ_DESIGN_ABORT : RSKQ_DESIGN_HANDOVER };
	size_t size = rskq_memory_size(sizes);

	*memory = vmalloc(size);
	return *memory ? rskq_init(*memory, size, sizes, config) : NULL;
}

static enum rskq_sock opened(struct rskq_stack *stack, struct rskq_listener *id)
{
	enum rskq_sock result = rskq_open(stack, true, false, id);

	if (result == RSKQ_SOCK_OK)
		result = rskq_bind(stack, *id, local());
	if (result == RSKQ_SOCK_OK)
		result = rskq_listen(stack, *id, 16);
	return result;
}

/* A whole handshake. */
static enum rskq_verdict shaken(struct rskq_stack *stack, u32 number, void *connection)
{
	struct rskq_arrival it = arrival(number);
	enum rskq_verdict verdict = rskq_syn(stack, &it, here());
	struct rskq_listener wake;

	if (verdict != RSKQ_VERDICT_TAKEN)
		return verdict;
	verdict = rskq_ack(stack, &it.tuple, false, here(), connection, &wake);
	if (verdict != RSKQ_VERDICT_TAKEN)
		rskq_reset(stack, &it.tuple);
	return verdict;
}

const char *test_queueing(struct rskq_stack *stack)
{
	static int connections[4];
	struct rskq_listener a, b, wake;
	struct rskq_arrival half_open = arrival(4);
	struct rskq_closing closing;
	struct rskq_outcome outcome;
	void *accepted;
	unsigned int i, moved = 0;
	int last = -1;

	if (opened(stack, &a) != RSKQ_SOCK_OK || opened(stack, &b) != RSKQ_SOCK_OK)
		return "two sockets do not listen";
	if (rskq_bind(stack, a, local()) != RSKQ_SOCK_INVALID)
		return "a socket is bound twice";
	for (i = 0; i < 4; i++)
		if (shaken(stack, i, &connections[i]) != RSKQ_VERDICT_TAKEN)
			return "a handshake is refused";
	if (rskq_syn(stack, &half_open, here()) != RSKQ_VERDICT_TAKEN ||
	    rskq_syn(stack, &half_open, here()) != RSKQ_VERDICT_DUPLICATE)
		return "a SYN that comes twice is not seen to";
	if (rskq_close(stack, a, here(), &closing) != RSKQ_SOCK_OK)
		return "a listener is not closed";
	for (;;) {
		enum rskq_step step = rskq_closing_next(&closing, &outcome);

		if (step == RSKQ_STEP_DONE)
			break;
		if (step == RSKQ_STEP_ABORTED)
			return "a connection is aborted though somebody listens";
		moved += outcome.connections;
	}
	if (rskq_accept(stack, a, &accepted) != RSKQ_SOCK_STALE)
		return "a closed socket is not stale";
	if (rskq_ack(stack, &half_open.tuple, false, here(), &last, &wake) != RSKQ_VERDICT_TAKEN)
		return "a half-open connection of a closed listener is refused";
	if (wake.index != b.index || wake.generation != b.generation)
		return "it is not where it migrated to";
	for (i = 0; i < 4; i++)
		if (rskq_accept(stack, b, &accepted) != RSKQ_SOCK_OK || !accepted || accepted == &last)
			return "what waited is not accepted first";
	if (rskq_accept(stack, b, &accepted) != RSKQ_SOCK_OK || accepted != &last)
		return "what came last is not accepted last";
	if (rskq_accept(stack, b, &accepted) != RSKQ_SOCK_OK || accepted)
		return "something is accepted that did not come";
	if (rskq_read_counters(stack).passive_opens != 5)
		return "not five connections are counted";
	if (rskq_close(stack, b, here(), &closing) != RSKQ_SOCK_OK)
		return "the other listener is not closed";
	if (rskq_closing_next(&closing, &outcome) != RSKQ_STEP_DONE)
		return "an empty listener has something to abort";
	return NULL;
}

/* What the threads of one run share. */
struct world {
	struct rskq_stack *stack;
	enum fault fault;
	/* Read by who accepts while it is exchanged: an id that is torn is stale, and nothing else. */
	struct rskq_listener listeners[LISTENERS];
	/* How often each connection was accepted, aborted or refused. */
	atomic_t *ends;
	struct timer_list timer;
	atomic_t timer_round;
	unsigned int in_softirq;
	atomic_t handshakes;
	atomic_t accepted;
	unsigned int moved;
	unsigned int closes;
	bool stop;
	struct completion completions[CLIENTS];
	struct completion closer;
	struct completion acceptor;
};

static struct world world;

static void ended(void *connection)
{
	atomic_inc((atomic_t *)connection);
}

static bool shake(u32 number)
{
	atomic_t *connection = &world.ends[number];

	if (shaken(world.stack, number, connection) == RSKQ_VERDICT_TAKEN) {
		atomic_inc(&world.handshakes);
		return true;
	}
	ended(connection);
	return false;
}

static int client(void *number)
{
	unsigned long of = (unsigned long)number;
	u32 round;

	for (round = 0; round < ROUNDS; round++) {
		/* A full queue waits for who accepts. */
		if (!shake(of * ROUNDS + round))
			usleep_range(50, 100);
	}
	complete(&world.completions[of]);
	return 0;
}

/* In a softirq, on whatever CPU, with whoever was interrupted. */
static void arrives(struct timer_list *timer)
{
	u32 i, round;

	for (i = 0; i < 16; i++) {
		round = atomic_read(&world.timer_round);
		if (round == ROUNDS)
			return;
		atomic_inc(&world.timer_round);
		if (shake(CLIENTS * ROUNDS + round))
			world.in_softirq++;
	}
	if (!READ_ONCE(world.stop))
		mod_timer(timer, jiffies + 1);
}

static bool accept_all(struct rskq_listener id)
{
	void *connection;
	bool any = false;

	/* An error is a listener that was closed meanwhile. */
	while (rskq_accept(world.stack, id, &connection) == RSKQ_SOCK_OK && connection) {
		if (world.fault != FAULT_LOST || atomic_read(&world.accepted) != 100)
			ended(connection);
		atomic_inc(&world.accepted);
		any = true;
	}
	return any;
}

static int acceptor(void *unused)
{
	unsigned int which;

	while (!READ_ONCE(world.stop)) {
		for (which = 0; which < LISTENERS; which++)
			accept_all(world.listeners[which]);
		cond_resched();
	}
	complete(&world.acceptor);
	return 0;
}

static void close_it(struct rskq_listener id)
{
	struct rskq_closing closing;
	struct rskq_outcome outcome;
	enum rskq_step step;

	if (rskq_close(world.stack, id, here(), &closing) != RSKQ_SOCK_OK)
		return;
	world.closes++;
	while ((step = rskq_closing_next(&closing, &outcome)) != RSKQ_STEP_DONE) {
		if (step == RSKQ_STEP_ABORTED)
			ended(outcome.connection);
		else
			world.moved += outcome.connections;
	}
}

static int closer(void *unused)
{
	struct rskq_listener id, old;
	unsigned int round;

	for (round = 0; !READ_ONCE(world.stop); round++) {
		/* Without room for another one the old one stays: connections still name those that closed. */
		if (opened(world.stack, &id) == RSKQ_SOCK_OK) {
			old = world.listeners[round % LISTENERS];
			world.listeners[round % LISTENERS] = id;
			close_it(old);
		}
		cond_resched();
	}
	complete(&world.closer);
	return 0;
}

static const char *run(void)
{
	unsigned long i;

	if (IS_ERR(kthread_run(acceptor, NULL, "rskq-accept")) || IS_ERR(kthread_run(closer, NULL, "rskq-close")))
		return "there are no threads";
	mod_timer(&world.timer, jiffies + 1);
	for (i = 0; i < CLIENTS; i++)
		if (IS_ERR(kthread_run(client, (void *)i, "rskq-client")))
			return "there are no threads";
	for (i = 0; i < CLIENTS; i++)
		wait_for_completion(&world.completions[i]);
	/* The timer has had its part, too. */
	while (atomic_read(&world.timer_round) < ROUNDS / 4)
		msleep(10);
	WRITE_ONCE(world.stop, true);
	wait_for_completion(&world.acceptor);
	wait_for_completion(&world.closer);
	timer_delete_sync(&world.timer);
	return NULL;
}

const char *test_threads(struct rskq_stack *stack, enum fault fault, struct done *done)
{
	const char *wrong = NULL;
	unsigned int i, clients = CLIENTS * ROUNDS;

	memset(&world, 0, sizeof(world));
	world.stack = stack;
	world.fault = fault;
	world.ends = vzalloc(CONNECTIONS * sizeof(*world.ends));
	if (!world.ends)
		return "there is no memory";
	timer_setup(&world.timer, arrives, 0);
	init_completion(&world.acceptor);
	init_completion(&world.closer);
	for (i = 0; i < CLIENTS; i++)
		init_completion(&world.completions[i]);
	for (i = 0; i < LISTENERS; i++)
		if (opened(stack, &world.listeners[i]) != RSKQ_SOCK_OK)
			wrong = "a socket does not listen";
	if (!wrong)
		wrong = run();
	for (i = 0; i < LISTENERS; i++) {
		accept_all(world.listeners[i]);
		close_it(world.listeners[i]);
	}
	for (i = 0; i < clients + atomic_read(&world.timer_round) && !wrong; i++)
		if (atomic_read(&world.ends[i]) != 1)
			wrong = "a connection did not end once";
	if (!wrong && (!world.moved || !world.in_softirq || !atomic_read(&world.accepted)))
		wrong = "the threads never met";
	*done = (struct done){ .handshakes = atomic_read(&world.handshakes),
			       .accepted = atomic_read(&world.accepted),
			       .moved = world.moved,
			       .closes = world.closes,
			       .in_softirq = world.in_softirq };
	vfree(world.ends);
	return wrong;
}
