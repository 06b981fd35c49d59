// SPDX-License-Identifier: MIT
/*
 * The self-test of rskq in a kernel: loading the module runs it, and fails if it does. `fault=N` seeds a
 * fault, which has to be found.
 */
#include <linux/module.h>
#include <linux/vmalloc.h>

#include "controls.h"
#include "stack_test.h"
#include "watch.h"

static unsigned int fault;
module_param(fault, uint, 0444);
MODULE_PARM_DESC(fault, "what to break, see enum fault; 0 is nothing");

static int __init selftest_init(void)
{
	const char *wrong = "there is no memory, or an unknown fault";
	struct rskq_stack *stack = NULL;
	struct done done = {};
	void *memory = NULL;

	watch_reset();
	if (fault < FAULTS)
		stack = stack_new(fault, &memory);
	if (stack) {
		wrong = test_queueing(stack);
		if (!wrong)
			wrong = test_threads(stack, fault, &done);
		break_locks(fault);
		if (!wrong)
			wrong = watch_complaint();
	}
	vfree(memory);
	if (wrong) {
		pr_err("rskq: FAILED: %s\n", wrong);
		return -EINVAL;
	}
	pr_info("rskq: %u handshakes, of which %u in softirq, %u accepted, %u moved at %u closes\n", done.handshakes,
		done.in_softirq, done.accepted, done.moved, done.closes);
	pr_info("rskq: ok: %lu locks taken, %u orders among them, no cycle\n", watch_taken(), watch_orders());
	return 0;
}
module_init(selftest_init);

static void __exit selftest_exit(void)
{
}
module_exit(selftest_exit);

MODULE_DESCRIPTION("Self-test of rskq");
MODULE_LICENSE("Dual MIT/GPL");
