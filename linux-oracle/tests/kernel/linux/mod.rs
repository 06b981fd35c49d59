//! A real kernel shows what the rules say.
//!
//! A network namespace belongs to a process, and a user namespace is only given to a process with one
//! thread, which a test of libtest never is. So this is a harness of its own: each test is a process of
//! this same file, which runs the test it is told, as root or as nobody. Where the system does not allow
//! it, the test says so and passes.

mod groups;
mod ports;
mod scripts;

use libtest_mimic::{Arguments, Failed, Trial};
use linux_oracle::live::kernel::{Kernel, Setup};
use nix::unistd::{Gid, Uid, geteuid, setgid, setgroups, setuid};
use std::net::Ipv4Addr;
use std::process::{Command, ExitCode};
use std::{env, process};

/// Tells a process of this file to be a test.
const TEST: &str = "LINUX_ORACLE_KERNEL_TEST";
/// Tells it to give up its privileges first.
const NOBODY: &str = "LINUX_ORACLE_KERNEL_NOBODY";
/// The exit code of what the system does not allow.
const NOT_ALLOWED: i32 = 77;
const NOBODY_ID: u32 = 65_534;

type Test = (&'static str, fn());

const TESTS: [&[Test]; 3] = [&scripts::TESTS, &groups::TESTS, &ports::TESTS];

pub(crate) fn main() -> ExitCode {
    if let Ok(name) = env::var(TEST) {
        let (_, test) = TESTS.iter().copied().flatten().find(|(it, _)| *it == name).expect("a test");
        if env::var_os(NOBODY).is_some() {
            give_up_privileges();
        }
        test();
        return ExitCode::SUCCESS;
    }
    let mut users = vec![("nobody", true)];
    if geteuid().is_root() {
        users.push(("root", false));
    }
    let tests = TESTS.iter().copied().flatten();
    let trials = tests.flat_map(|&(name, _)| {
        users.clone().into_iter().map(move |(user, nobody)| {
            Trial::test(format!("{name}::{user}"), move || in_a_process(name, nobody))
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

fn in_a_process(name: &str, nobody: bool) -> Result<(), Failed> {
    let mut command = Command::new(env::current_exe()?);
    command.env(TEST, name);
    if nobody {
        command.env(NOBODY, "1");
    }
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(0) => Ok(()),
        Some(NOT_ALLOWED) => {
            println!("{name}: left out: {said}");
            Ok(())
        }
        _ => Err(said.into_owned().into()),
    }
}

/// Only root has any; what is left may do no more than any user.
fn give_up_privileges() {
    if geteuid().is_root() {
        setgroups(&[]).expect("root may");
        setgid(Gid::from_raw(NOBODY_ID)).expect("root may");
        setuid(Uid::from_raw(NOBODY_ID)).expect("root may");
    }
}

/// Enters a namespace, or ends this process.
fn kernel() -> Kernel {
    let setup = Setup {
        address: Ipv4Addr::LOCALHOST.into(),
        port: 7000,
        cpu: 0,
        syncookies: 1,
        seed: 0,
        programs: true,
    };
    Kernel::start(setup).unwrap_or_else(|error| {
        eprintln!("{error}");
        process::exit(NOT_ALLOWED)
    })
}
