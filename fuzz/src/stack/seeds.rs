//! Seeds: what the recorded kernel was asked to do, episode by episode.

use super::{Input, MOST};
use crate::reference::{CLIENTS, CPUS, ENTRIES, Op, SOCKETS};
use linux_oracle::TraceError;
use linux_oracle::embedded::{SECOND, TRACES};
use linux_oracle::lines::Lines;
use linux_oracle::trace::{Conn, Connect, Line, Open, Operation, ProgramKind, Verdict};
use rskq::{MapFlag, Syncookies};
use std::net::IpAddr;

/// Episodes are cut into pieces: each begins with what the listeners were opened with.
const PIECE: usize = MOST / 2;

/// Returns every seed, the same each time.
///
/// # Errors
///
/// If a trace cannot be read.
pub fn all() -> Result<Vec<Vec<u8>>, TraceError> {
    let mut seeds = Vec::new();
    for trace in TRACES.into_iter().chain([SECOND]) {
        for (design, ops) in
            ["linux", "requeue", "handover", "abort"].into_iter().cycle().zip(episodes(trace.bytes)?)
        {
            seeds.extend(ops.chunks(PIECE).map(|ops| Input { design, ops: ops.to_vec() }.bytes()));
        }
    }
    Ok(seeds)
}

/// Returns the operations of each episode.
fn episodes(trace: &[u8]) -> Result<Vec<Vec<Op>>, TraceError> {
    let mut lines = Lines::new(trace)?;
    let mut episodes = Vec::new();
    let mut ops: Vec<Op> = Vec::new();
    while let Some((line, text)) = lines.next_line()? {
        match Line::parse(&text).map_err(|why| TraceError { line, why })? {
            Line::Header(_) => {}
            Line::Episode(start) => {
                episodes.push(std::mem::take(&mut ops));
                ops.push(Op::MigrateReq { on: start.migrate_req });
            }
            Line::Operation(operation, _) => ops.extend(told(operation)),
        }
    }
    episodes.push(ops);
    Ok(episodes)
}

fn which(listener: u32) -> usize {
    listener as usize % SOCKETS
}

fn client(conn: Conn) -> u32 {
    u32::from(conn) % CLIENTS.len() as u32
}

/// Returns what comes nearest to an operation of a trace.
fn told(operation: Operation) -> Vec<Op> {
    match operation {
        Operation::Open(open) => opened(open),
        Operation::Listen { listener, backlog, .. } => {
            vec![Op::ListenAgain { which: which(listener), backlog }]
        }
        Operation::Shutdown { listener } => vec![stop(listener, false)],
        Operation::Close { listener } => vec![stop(listener, true)],
        Operation::Accept { listener } => vec![Op::Accept { which: which(listener) }],
        Operation::Connect(Connect { conn, syn_hash: hash, fast: true, .. }) => {
            vec![Op::SynFastOpen { client: client(conn), hash }]
        }
        Operation::Connect(Connect { conn, syn_hash: hash, fast: false, .. }) => {
            let client = client(conn);
            vec![Op::Syn { client, hash }, Op::Ack { client, data: false }]
        }
        Operation::Data { conn } | Operation::DataThenReset { conn } => {
            vec![Op::Ack { client: client(conn), data: true }]
        }
        Operation::Reset { conn } => vec![Op::Reset { client: client(conn) }],
        Operation::Fin { conn } => vec![Op::EndHandshake { back: usize::from(conn) % 4, reset: false }],
        Operation::Hold { .. } => vec![],
        Operation::MigrateReq { on } => vec![Op::MigrateReq { on }],
        Operation::Syncookies { value } => {
            let all = [Syncookies::Never, Syncookies::WhenFull, Syncookies::Always];
            vec![Op::SetSyncookies { to: all[usize::from(value.min(2))] }]
        }
        Operation::AbortOnOverflow { on } => vec![Op::AbortOnOverflow { on }],
        Operation::IncomingCpu { listener, cpu } => {
            let cpu = u32::try_from(cpu).ok().map(|cpu| cpu % CPUS);
            vec![Op::SetIncomingCpu { which: which(listener), cpu }]
        }
        Operation::Cpu { cpu } => vec![Op::RunOn { cpu: cpu % CPUS }],
        Operation::Fastopen { listener, max_qlen } => {
            vec![Op::SetFastOpen { which: which(listener), limit: max_qlen }]
        }
        Operation::DeferAccept { listener, seconds } => {
            vec![Op::SetDefer { which: which(listener), timeouts: seconds }]
        }
        Operation::Program { listener, kind, verdict } => vec![attached(which(listener), kind, verdict)],
        Operation::Detach { listener } => vec![Op::Detach { which: which(listener) }],
        Operation::Map { index, listener: Some(listener) } => {
            vec![Op::MapUpdate { index: index % ENTRIES, which: which(listener), flag: MapFlag::Any }]
        }
        Operation::Map { index, listener: None } => vec![Op::MapDelete { index: index % ENTRIES }],
        Operation::Timer {} => vec![Op::Poll { after: 1_000 }],
    }
}

fn opened(open: Open) -> Vec<Op> {
    let Open { listener, backlog, address, port, shared: shares, fastopen, .. } = open;
    let which = which(listener);
    let spot = match (address, port) {
        (_, Some(_)) => 4,
        (None, _) => 0,
        (Some(IpAddr::V4(address)), _) => usize::from(address.is_unspecified()),
        (Some(IpAddr::V6(address)), _) if address.is_unspecified() => 2,
        (Some(IpAddr::V6(_)), _) => 3,
    };
    let limit = fastopen.map(|limit| Op::SetFastOpen { which, limit });
    [Op::Listen { which, spot, shares, backlog }].into_iter().chain(limit).collect()
}

fn stop(listener: u32, close: bool) -> Op {
    Op::Stop { which: which(listener), close, steps: usize::MAX }
}

fn attached(which: usize, kind: ProgramKind, verdict: Verdict) -> Op {
    let program = match (kind, verdict) {
        (ProgramKind::None, _) => return Op::Detach { which },
        (ProgramKind::Select, Verdict::Drop) => 2,
        (ProgramKind::Select, _) => 0,
        (ProgramKind::SelectOrMigrate, Verdict::Pass) => 3,
        (ProgramKind::SelectOrMigrate, _) => 1,
    };
    Op::Attach { which, program }
}
