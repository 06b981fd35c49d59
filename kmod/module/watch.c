// SPDX-License-Identifier: MIT
/*
 * The kernel's spinlock_t as the stack's lock.
 *
 * Each acquisition is noted, so that the self-test knows of every order in which locks were taken: a cycle
 * among them is a deadlock that may happen, whether it happened or not. That one holder is left alone, that
 * nobody waits for what it holds, and that what was taken last is released first, is looked at as well.
 */
#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/bug.h>
#include <linux/hash.h>
#include <linux/percpu.h>
#include <linux/spinlock.h>

#include "watch.h"

#define LOCKS_BITS 8
#define LOCKS (1 << LOCKS_BITS)
#define DEPTH 8

/* The locks that were met, by number; a place is taken once, and without a lock. */
static atomic_long_t addresses[LOCKS];
static unsigned long holders[BITS_TO_LONGS(LOCKS)];
/* after[a] has b where b was taken while a was held. */
static unsigned long after[LOCKS][BITS_TO_LONGS(LOCKS)];
static atomic_long_t taken;
static const char *complaint;

struct held {
	unsigned int depth;
	unsigned int locks[DEPTH];
};
static DEFINE_PER_CPU(struct held, held);

static void complain(const char *text)
{
	cmpxchg(&complaint, NULL, text);
}

static unsigned int number_of(struct rskq_lock *lock)
{
	unsigned int first = hash_ptr(lock, LOCKS_BITS), i;

	for (i = 0; i < LOCKS; i++) {
		unsigned int at = (first + i) % LOCKS;
		long found = atomic_long_cmpxchg(&addresses[at], 0, (long)lock);

		if (!found || found == (long)lock)
			return at;
	}
	complain("more locks than the watch has room for");
	return 0;
}

/* Interrupts are off: what is of this CPU stays so. */
static void note_taken(unsigned int lock)
{
	struct held *here = this_cpu_ptr(&held);
	unsigned int i;

	if (test_and_set_bit(lock, holders))
		complain("two CPUs hold one lock");
	for (i = 0; i < here->depth; i++)
		if (!test_bit(lock, after[here->locks[i]]))
			set_bit(lock, after[here->locks[i]]);
	if (here->depth < DEPTH)
		here->locks[here->depth++] = lock;
	else
		complain("more locks are held than the watch has room for");
	atomic_long_inc(&taken);
}

static void note_released(unsigned int lock)
{
	struct held *here = this_cpu_ptr(&held);

	if (!here->depth || here->locks[--here->depth] != lock)
		complain("a lock is released before one that was taken later");
	clear_bit(lock, holders);
}

unsigned long rskq_lock_acquire(struct rskq_lock *lock)
{
	unsigned int number = number_of(lock), i;
	struct held *here;
	unsigned long flags;

	BUILD_BUG_ON(sizeof(spinlock_t) > sizeof(struct rskq_lock));
	local_irq_save(flags);
	here = this_cpu_ptr(&held);
	for (i = 0; i < here->depth; i++)
		BUG_ON(here->locks[i] == number);
	spin_lock((spinlock_t *)lock);
	note_taken(number);
	return flags;
}

void rskq_lock_release(struct rskq_lock *lock, unsigned long flags)
{
	note_released(number_of(lock));
	spin_unlock_irqrestore((spinlock_t *)lock, flags);
}

void rskq_panic(void)
{
	BUG();
}

void watch_reset(void)
{
	memset(addresses, 0, sizeof(addresses));
	memset(after, 0, sizeof(after));
	atomic_long_set(&taken, 0);
	complaint = NULL;
}

/* Takes the closure of the orders that were seen: who comes after whom, by whatever way. */
const char *watch_complaint(void)
{
	unsigned int a, b;

	for (b = 0; b < LOCKS; b++)
		for (a = 0; a < LOCKS; a++)
			if (test_bit(b, after[a]))
				bitmap_or(after[a], after[a], after[b], LOCKS);
	for (a = 0; a < LOCKS; a++)
		if (test_bit(a, after[a]))
			complain("locks are taken in a cycle");
	return complaint;
}

unsigned int watch_orders(void)
{
	unsigned int a, orders = 0;

	for (a = 0; a < LOCKS; a++)
		orders += bitmap_weight(after[a], LOCKS);
	return orders;
}

unsigned long watch_taken(void)
{
	return atomic_long_read(&taken);
}
