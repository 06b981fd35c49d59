// SPDX-License-Identifier: MIT
/* Misuse of locks, which the watch has to notice. */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/smp.h>
#include <linux/spinlock.h>

#include "controls.h"
#include "watch.h"

static struct rskq_lock a, b;

static void take_both(struct rskq_lock *outer, struct rskq_lock *inner)
{
	unsigned long flags = rskq_lock_acquire(outer), within = rskq_lock_acquire(inner);

	rskq_lock_release(inner, within);
	rskq_lock_release(outer, flags);
}

static void release_first_first(void)
{
	unsigned long flags = rskq_lock_acquire(&a), within = rskq_lock_acquire(&b);

	rskq_lock_release(&a, within);
	rskq_lock_release(&b, flags);
}

static bool taken_by_two;
static DECLARE_COMPLETION(second_done);

static int take_too(void *unused)
{
	rskq_lock_release(&a, rskq_lock_acquire(&a));
	WRITE_ONCE(taken_by_two, true);
	complete(&second_done);
	return 0;
}

/* Opens the spin lock behind the watch's back, for another CPU to take it, too. */
static void let_two_in(void)
{
	unsigned int other = cpumask_any_but(cpu_online_mask, raw_smp_processor_id());
	struct task_struct *second;
	unsigned long flags;

	set_cpus_allowed_ptr(current, cpumask_of(raw_smp_processor_id()));
	second = kthread_create(take_too, NULL, "rskq-second");
	if (IS_ERR(second) || other >= nr_cpu_ids)
		return;
	kthread_bind(second, other);
	flags = rskq_lock_acquire(&a);
	spin_unlock((spinlock_t *)&a);
	wake_up_process(second);
	while (!READ_ONCE(taken_by_two))
		cpu_relax();
	spin_lock((spinlock_t *)&a);
	rskq_lock_release(&a, flags);
	wait_for_completion(&second_done);
}

void break_locks(enum fault fault)
{
	switch (fault) {
	case FAULT_ORDER:
		take_both(&a, &b);
		take_both(&b, &a);
		break;
	case FAULT_RELEASE:
		release_first_first();
		break;
	case FAULT_HOLDERS:
		let_two_in();
		break;
	default:
		break;
	}
}
