/* SPDX-License-Identifier: MIT */
/* Faults that the self-test has to find. */
#ifndef RSKQ_CONTROLS_H
#define RSKQ_CONTROLS_H

enum fault {
	FAULT_NONE,
	FAULT_ABORT, /* what a closed listener held is aborted instead of moved */
	FAULT_LOST, /* one connection that was accepted is forgotten */
	FAULT_ORDER, /* two locks are taken in both orders */
	FAULT_RELEASE, /* of two locks, the one that was taken first is released first */
	FAULT_HOLDERS, /* two CPUs hold one lock */
	FAULTS,
};

/* Does the fault, if it is one of locks, to locks of its own. */
void break_locks(enum fault fault);

#endif
