// SPDX-License-Identifier: MIT
/* The module's parameter, which Rust cannot declare in this kernel. */
#include <linux/module.h>

unsigned int rskq_fault;
module_param_named(fault, rskq_fault, uint, 0444);
MODULE_PARM_DESC(fault, "what to break, see enum Fault; 0 is nothing");
