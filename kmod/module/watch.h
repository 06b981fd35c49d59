/* SPDX-License-Identifier: MIT */
/* The kernel's spinlock_t as the stack's lock, and what is wrong with how it is used. */
#ifndef RSKQ_WATCH_H
#define RSKQ_WATCH_H

#include "rskq.h"

/* Forgets every order that was seen. */
void watch_reset(void);

/* Says what was wrong since, or NULL. */
const char *watch_complaint(void);

/* How many pairs of locks were taken one in the other, and how often any was taken. */
unsigned int watch_orders(void);
unsigned long watch_taken(void);

#endif
