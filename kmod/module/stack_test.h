/* SPDX-License-Identifier: MIT */
/* The tests; each says what was not as expected, or NULL. */
#ifndef RSKQ_STACK_TEST_H
#define RSKQ_STACK_TEST_H

#include "controls.h"
#include "rskq.h"

/* A stack in memory of the kernel's; NULL if there is none. */
struct rskq_stack *stack_new(enum fault fault, void **memory);

/* One thread: queueing, in order, and what becomes of it at close. */
const char *test_queueing(struct rskq_stack *stack);

/* Threads, and a timer's softirq: every connection ends once. Stores what was done. */
struct done {
	unsigned int handshakes;
	unsigned int accepted;
	unsigned int moved;
	unsigned int closes;
	unsigned int in_softirq;
};
const char *test_threads(struct rskq_stack *stack, enum fault fault, struct done *done);

#endif
