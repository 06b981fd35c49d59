//! One interleaving as a person reads it: a column a thread, a line a step.

use crate::observer::letter;
use crate::scenario::{Op, Scenario};
use crate::verdict::Interleaving;
use comfy_table::{ContentArrangement, Table, presets};
use rskq::migrate::Program;
use rskq::sync::model::{Deadlock, MAIN, Record, Waiter, Waiting, What};
use rskq::sync::{Event, LockTag};
use std::collections::HashMap;
use std::panic::Location;

/// Returns the interleaving with its threads side by side, the source lines beside the steps.
///
/// Accept queues' locks are always told, others where more than one thread takes them.
#[must_use]
pub fn tell(scenario: &Scenario, interleaving: &Interleaving) -> String {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Disabled);
    let threads = scenario.threads.iter().enumerate();
    let header = threads.map(|(t, ops)| format!("T{}: {}", t + 1, ops_text(ops)));
    table.set_header(header.chain([String::new()]));
    for Step { record, text, .. } in steps(&interleaving.records) {
        let mut row = vec![String::new(); scenario.threads.len() + 1];
        row[usize::from(record.thread) - 1] = text;
        row[scenario.threads.len()] = site(&record);
        table.add_row(row);
    }
    format!("{}\n{}\n{}", at_first(scenario, &interleaving.records), table, interleaving.text.trim_end())
}

/// Returns a deadlock, a line for each thread in it.
#[must_use]
pub fn deadlock(deadlock: &Deadlock) -> String {
    let line = |w: &Waiter| {
        let (holds, wants) = (lock_name(w.holds), lock_name(w.wants));
        let (taken, asked) = (place(w.taken_at), place(w.asked_at));
        format!("T{} holds {holds}, taken at {taken}, and waits for {wants} at {asked}", w.thread)
    };
    deadlock.cycle.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn at_first(scenario: &Scenario, records: &[Record]) -> String {
    let before = || records.iter().take_while(|record| record.thread == MAIN);
    let of = |l: u32| {
        let noted = before().filter_map(move |record| match record.what {
            What::Waiting(listener, now) if listener == l => Some(now),
            _ => None,
        });
        format!("{} {}", letter(l), queue_text(noted.last().unwrap_or(Waiting::new(&[]))))
    };
    let queues: Vec<_> = (0..scenario.listeners).map(of).collect();
    let mut at_first = format!("at first: {}", queues.join("  "));
    if scenario.has_half_open() || scenario.has_fast_open() {
        at_first += &format!(", after {}", ops_text(scenario.before));
    }
    at_first
}

/// Returns what waits in a queue, oldest first.
pub(crate) fn queue_text(waiting: Waiting) -> String {
    format!("[{}]", waiting.connections().map(|c| format!("#{c}")).collect::<Vec<_>>().join(" "))
}

/// Returns what a thread does, in the words of the scenario.
pub(crate) fn ops_text(ops: &[Op]) -> String {
    let text = |op: &Op| match *op {
        Op::Close(l) => format!("close({})", letter(l)),
        Op::Shutdown(l) => format!("shutdown({})", letter(l)),
        Op::ListenAgain(l) => format!("listen({})", letter(l)),
        Op::Accept(l) => format!("accept({})", letter(l)),
        Op::Deliver(c, l) => format!("deliver #{c} to {}", letter(l)),
        Op::Syn(c, l) => format!("SYN #{c} to {}", letter(l)),
        Op::Ack(c) => format!("ACK #{c}"),
        Op::AckData(c) => format!("ACK+data #{c}"),
        Op::Timer(c) => format!("timer #{c}"),
        Op::Poll => "poll".to_owned(),
        Op::Reset(c) | Op::ResetFast(c) => format!("RST #{c}"),
        Op::SynFast(c, l) => format!("SYN+data #{c} to {}", letter(l)),
        Op::Done(c) => format!("end of handshake #{c}"),
        Op::Migrate(on) => format!("migrate_req={}", u8::from(on)),
        Op::Program(program) => program_text(program),
    };
    ops.iter().map(text).collect::<Vec<_>>().join("; ")
}

/// Returns what a program does.
fn program_text(program: Option<Program>) -> String {
    match program {
        None => "no program".to_owned(),
        Some(Program::Pass) => "program passes".to_owned(),
        Some(Program::Drop) => "program drops".to_owned(),
        Some(Program::Select(l)) => format!("program selects {}", letter(l)),
    }
}

/// One step as it is told.
pub(crate) struct Step {
    /// The record it is told of.
    pub(crate) record: Record,
    /// Where that is among the records.
    pub(crate) index: usize,
    /// In words.
    pub(crate) text: String,
}

/// Returns what is worth telling: shared locks, with "wants" and "gets" in one where nothing came
/// between, and every step that the code names.
pub(crate) fn steps(records: &[Record]) -> Vec<Step> {
    let mut takers: HashMap<(&str, u32), Vec<u8>> = HashMap::new();
    for record in records {
        if let What::Wants(tag) = record.what {
            let threads = takers.entry((tag.class, tag.key)).or_default();
            if !threads.contains(&record.thread) {
                threads.push(record.thread);
            }
        }
    }
    let shared =
        |tag: LockTag| tag.class == "Rskq" || takers.get(&(tag.class, tag.key)).is_some_and(|t| t.len() > 1);
    let mut told = Vec::new();
    let mut last_wanted = None;
    for (index, record) in records.iter().enumerate() {
        let text = match record.what {
            What::Wants(tag) if !shared(tag) => continue,
            What::Wants(tag) => {
                let at_once = matches!(records.get(index + 1), Some(next)
                    if next.thread == record.thread && next.what == What::Gets(tag));
                last_wanted = at_once.then_some(tag);
                if at_once { continue } else { format!("wants {}", lock_name(tag)) }
            }
            What::Gets(tag) | What::Releases(tag) if !shared(tag) => continue,
            What::Gets(tag) if last_wanted.take() == Some(tag) => format!("locks {}", lock_name(tag)),
            What::Gets(tag) => format!("gets {}", lock_name(tag)),
            What::Releases(tag) => format!("unlocks {}", lock_name(tag)),
            What::Step(event) => event_text(event),
            What::Waiting(..) => continue,
            What::Op(verb, listener, connection) => op_text(verb, listener, connection),
        };
        told.push(Step { record: *record, index, text });
    }
    told
}

/// Returns a lock's name, as Linux has it.
pub(crate) fn lock_name(tag: LockTag) -> String {
    match tag.class {
        "Rskq" => format!("{}.rskq_lock", letter(tag.key)),
        "ListenerSock" => format!("lock_sock({})", letter(tag.key)),
        "BindBucket" => "the port's bucket".into(),
        "ListenBucket" => "the bucket".into(),
        "Reuseport" => "reuseport_lock".into(),
        class => format!("{class}({})", tag.key),
    }
}

fn event_text(event: Event) -> String {
    match event {
        Event::State { listener, listening } => {
            format!("{}.sk_state = {}", letter(listener), if listening { "LISTEN" } else { "CLOSE" })
        }
        Event::LeftGroup { listener } => format!("{} leaves socks[]", letter(listener)),
        Event::Picked { from, to } => format!("target of {}: {}", letter(from), letter(to)),
        Event::PickFailed { from } => format!("no target for {}", letter(from)),
        Event::Queued { request, listener } => format!("adds r{request} to {}", letter(listener)),
        Event::SynRefused { listener } => format!("{} refuses a SYN", letter(listener)),
        Event::Refused { request, listener } => format!("{} refuses r{request}", letter(listener)),
        Event::Popped { request, listener } => format!("takes r{request} from {}", letter(listener)),
        Event::Aborted { request, .. } => format!("gives r{request} up"),
        Event::Handed { from } => format!("hands {}'s owner on, takes its queue", letter(from)),
        Event::HandedOver { from, to } => format!("adds what {} had to {}'s", letter(from), letter(to)),
        Event::Hashed { request, listener } => {
            format!("r{request} half open, charged to {}", letter(listener))
        }
        Event::Unhashed { request } => format!("r{request} leaves the table"),
        Event::HandshakeEnded { request, listener } => {
            format!("handshake of r{request} ends, {} has one less", letter(listener))
        }
        Event::Spliced { from, to } => format!("puts {}'s queue before {}'s", letter(from), letter(to)),
        Event::Named { request, listener } => format!("finds that r{request} is {}'s", letter(listener)),
        Event::Renamed { request, listener: Some(listener) } => {
            format!("makes r{request} {}'s", letter(listener))
        }
        Event::Renamed { request, listener: None } => format!("makes r{request} nobody's"),
        Event::LeftToTheOther { request, listener, accepted } => {
            let other = if accepted { "the handshake" } else { "accept" };
            format!("leaves r{request} to {other}, under {}.fastopenq.lock", letter(listener))
        }
        other => format!("{other:?}"),
    }
}

fn op_text(verb: &str, listener: Option<u32>, connection: Option<u32>) -> String {
    let listener = listener.map(|l| letter(l).to_string());
    let connection = connection.map(|c| format!("#{c}"));
    let arguments: Vec<_> = [listener, connection].into_iter().flatten().collect();
    format!("{verb}({})", arguments.join(", "))
}

/// Returns the source line of a step of the crate; a scenario's own lines say nothing.
fn site(record: &Record) -> String {
    match record.what {
        // A guard that is dropped does not know where.
        What::Op(..) | What::Releases(_) => String::new(),
        _ => place(record.at),
    }
}

fn place(at: &Location<'_>) -> String {
    let file = at.file();
    format!("{}:{}", file.find("src/").map_or(file, |start| &file[start..]), at.line())
}
