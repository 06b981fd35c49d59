//! A schedule that shuttle printed is run again, and fails again.

use super::{Choice, Plan, SEED, column, large, replay_one, run};
use loom_tests::scenario;
use rskq::sync::Fault;
use rskq::sync::model::Fine;
use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;

/// A large world with a late arrival that is dropped: takes a delivery that meets a listener between its
/// leaving the group and the next look at it.
fn faulty() -> Plan {
    Plan { faults: &[Fault::LateArrivalDropped], ..Plan::new(large::queues(), column("handover")) }
}

/// Fails: what [`a_planted_fault_is_found_and_its_schedule_fails_again`] runs.
#[test]
#[ignore = "fails, as it has to"]
fn planted() {
    run::<Fine>(faulty(), Choice::Random(SEED), 1_000);
}

/// The control of the large worlds: a fault that takes a race is found, the schedule that was printed
/// fails again and in the same way, and without the fault it does not.
#[test]
fn a_planted_fault_is_found_and_its_schedule_fails_again() {
    let test = env::current_exe().expect("the test knows itself");
    let args = ["replay::planted", "--exact", "--ignored", "--nocapture"];
    let output = Command::new(test).args(args).output().expect("the test can be started again");
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "the fault was not found");
    let finding = printed.lines().find(|line| line.contains("I11: ")).expect("the finding is printed");
    let (_, schedule) = printed.split_once("failing schedule:\n\"\n").expect("the schedule is printed");
    let (schedule, _) = schedule.split_once("\n\"").expect("the schedule is quoted");

    let again = catch_unwind(AssertUnwindSafe(|| replay_one::<Fine>(faulty(), schedule)));
    let payload = again.err().expect("the schedule fails again");
    let text = payload.downcast_ref::<String>().expect("a failed assertion has a text");
    let what = |text: &str| text.split_once("I11: ").map(|(_, what)| what.trim().to_owned());
    assert_eq!(what(text), what(finding), "another failure");
}

/// Runs the schedule in `RSKQ_SCHEDULE` for the design and the scenario in `RSKQ_DESIGN` and
/// `RSKQ_SCENARIO`.
#[test]
#[ignore = "needs a schedule that another test printed"]
fn given() {
    let given = |name| env::var(name).unwrap_or_else(|_| panic!("{name} says what to run"));
    let large = [large::queues(), large::handshakes(), large::fast_open()];
    let name = given("RSKQ_SCENARIO");
    let scenario = scenario::by_name(&name).or_else(|| large.into_iter().find(|s| s.name == name));
    let scenario = scenario.expect("the scenario has a name");
    replay_one::<Fine>(Plan::new(scenario, column(&given("RSKQ_DESIGN"))), &given("RSKQ_SCHEDULE"));
}
