// SPDX-License-Identifier: MIT
//! Kernel threads that end before what they were lent does.

use core::sync::atomic::{AtomicBool, Ordering};
use kernel::bindings;
use kernel::c_str;
use kernel::error::from_err_ptr;
use kernel::ffi::{c_int, c_uint, c_void};
use kernel::prelude::*;
use kernel::task::Task;
use kernel::types::ARef;

/// What one thread has to do.
struct Job<'j> {
    work: &'j (dyn Fn() + Sync),
    done: AtomicBool,
}

/// # Safety
///
/// `job` is a [`Job`], there until this thread has ended.
unsafe extern "C" fn work(job: *mut c_void) -> c_int {
    // SAFETY: by the caller's contract.
    let job = unsafe { &*job.cast::<Job<'_>>() };
    (job.work)();
    job.done.store(true, Ordering::Release);
    0
}

/// A thread that does not run yet. It has to be stopped before its job is gone.
fn created(job: &Job<'_>) -> Result<ARef<Task>> {
    let data = core::ptr::from_ref(job).cast_mut().cast();
    // SAFETY: it gets a job, which is there, as this function's comment says.
    let task = from_err_ptr(unsafe {
        bindings::kthread_create_on_node(Some(work), data, -1, c_str!("rskq").as_char_ptr())
    })?;
    // SAFETY: it was just created, and waits to be woken.
    Ok(unsafe { &*task.cast::<Task>() }.into())
}

/// Not to be called with a spin lock held, which the kernel notices.
pub(crate) fn sleep(milliseconds: c_uint) {
    // SAFETY: only threads call this.
    unsafe { bindings::msleep(milliseconds) };
}

/// Runs each piece of work in a thread of its own, all at a time, and returns when they have ended.
pub(crate) fn together(work: &[&(dyn Fn() + Sync)]) -> Result {
    let mut jobs = KVec::with_capacity(work.len(), GFP_KERNEL)?;
    for work in work {
        jobs.push(Job { work: *work, done: AtomicBool::new(false) }, GFP_KERNEL)?;
    }
    let mut threads = KVec::<ARef<Task>>::with_capacity(work.len(), GFP_KERNEL)?;
    let all = jobs.iter().try_for_each(|job| Ok(threads.push(created(job)?, GFP_KERNEL)?));
    if all.is_ok() {
        threads.iter().for_each(|thread| thread.wake_up());
        for job in jobs.iter() {
            while !job.done.load(Ordering::Acquire) {
                sleep(10);
            }
        }
    }
    for thread in threads.iter() {
        let task = core::ptr::from_ref::<Task>(thread).cast_mut().cast();
        // SAFETY: a reference to the task is held. This waits for its end; who was not woken never begins.
        unsafe { bindings::kthread_stop(task) };
    }
    all
}
