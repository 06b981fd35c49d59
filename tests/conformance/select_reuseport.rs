//! A program that is told which entry to select, and what to do where it cannot.

use super::*;
use rskq::group::{AttachError, AttachType, MapFlag, ProgramId, Verdict};
use std::sync::Mutex;

const SOCKETS: usize = 32;

/// What the program is told; the selftest's comes with the data.
#[derive(Clone, Copy)]
struct Command {
    index: u32,
    pass_on_failure: bool,
}

/// What it came to, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Results {
    drop_err_skb_data: u32,
    drop_err_sk_select_reuseport: u32,
    pass: u32,
    pass_err_sk_select_reuseport: u32,
}

#[derive(Default)]
struct Told {
    command: Option<Command>,
    /// Instead of the command's index, once.
    override_index: Option<u32>,
    results: Results,
}

struct World {
    stack: TestStack,
    /// By index in the map.
    sockets: Vec<Listener>,
    told: &'static Mutex<Told>,
    clients: u32,
}

impl World {
    /// The sockets are opened from the last index to the first, and the program is attached to the first of
    /// them before it is bound.
    fn new(entries: usize) -> Self {
        let told: &'static Mutex<Told> = Box::leak(Box::default());
        let select = program(AttachType::Select, move |md| {
            let told = &mut *told.lock().unwrap();
            let Some(command) = told.command else {
                told.results.drop_err_skb_data += 1;
                return Verdict::Drop;
            };
            let selected = md.select(told.override_index.take().unwrap_or(command.index));
            let (count, verdict) = match (selected, command.pass_on_failure) {
                (Ok(()), _) => (&mut told.results.pass, Verdict::Pass),
                (Err(_), true) => (&mut told.results.pass_err_sk_select_reuseport, Verdict::Pass),
                (Err(_), false) => (&mut told.results.drop_err_sk_select_reuseport, Verdict::Drop),
            };
            *count += 1;
            verdict
        });
        let sizes = Sizes { listeners: SOCKETS, owners: SOCKETS, max_socks: SOCKETS as u32, ..ENOUGH };
        let stack = with_programs(stack_of(sizes, Design::Linux), [select], entries);
        let mut sockets = Vec::new();
        for index in (0..SOCKETS as u32).rev() {
            let socket = stack.open(SockOptions { reuseport: true, v6only: false }).unwrap();
            if sockets.is_empty() {
                assert_eq!(stack.attach_reuseport_prog(socket, ProgramId(0)), Ok(()));
            }
            assert_eq!(stack.bind(socket, addr()), Ok(()));
            assert_eq!(stack.listen(socket, 10), Ok(()));
            if (index as usize) < entries {
                assert_eq!(stack.map_update(index, socket, MapFlag::NoExist), Ok(()));
            }
            sockets.insert(0, socket);
        }
        Self { stack, sockets, told, clients: 0 }
    }

    fn tell(&self, index: u32, pass_on_failure: bool) {
        self.told.lock().unwrap().command = Some(Command { index, pass_on_failure });
    }

    fn results(&self) -> Results {
        self.told.lock().unwrap().results
    }

    /// A client connects, whose hash falls on the first member of all; returns the index of the one socket
    /// that it is accepted from.
    fn send(&mut self) -> Result<usize, Refusal> {
        self.clients += 1;
        let client = self.clients;
        let went = connect(&self.stack, arrival(client), client);
        let readable = |&index: &usize| self.stack.accept(self.sockets[index]).unwrap() == Some(client);
        let at = (0..SOCKETS).filter(readable).collect::<Vec<_>>();
        let expected = went.iter().map(|id| self.sockets.iter().position(|socket| socket == id).unwrap());
        assert_eq!(at, expected.collect::<Vec<_>>());
        went.map(|_| at[0])
    }

    fn finish(self) {
        finish(self.stack, &self.sockets);
    }
}

#[test]
fn err_inner_map_there_is_no_map() {
    let mut world = World::new(0);
    world.tell(0, false);
    assert_eq!(world.send(), Err(Refusal::DroppedByProgram));
    assert_eq!(world.results(), Results { drop_err_sk_select_reuseport: 1, ..Results::default() });
    counted(&world.stack, NOTHING);
    world.finish();
}

#[test]
fn err_skb_data_without_a_command_it_drops() {
    let mut world = World::new(SOCKETS);
    assert_eq!(world.send(), Err(Refusal::DroppedByProgram));
    assert_eq!(world.results(), Results { drop_err_skb_data: 1, ..Results::default() });
    counted(&world.stack, NOTHING);
    world.finish();
}

#[test]
fn err_sk_select_port_an_index_that_is_none_drops() {
    let mut world = World::new(SOCKETS);
    world.tell(SOCKETS as u32, false);
    assert_eq!(world.send(), Err(Refusal::DroppedByProgram));
    assert_eq!(world.results(), Results { drop_err_sk_select_reuseport: 1, ..Results::default() });
    counted(&world.stack, NOTHING);
    world.finish();
}

#[test]
fn pass_every_index_is_its_socket() {
    let mut world = World::new(SOCKETS);
    for index in 0..SOCKETS {
        world.tell(index as u32, false);
        assert_eq!(world.send(), Ok(index));
        assert_eq!(world.results(), Results { pass: index as u32 + 1, ..Results::default() });
    }
    counted(&world.stack, Snapshot { PassiveOpens: SOCKETS as u32, ..NOTHING });
    world.finish();
}

/// A cookie that went out by the socket of index 1 is good at that of index 0; the program is asked once for
/// the SYN and once for the ACK.
#[test]
fn syncookie_one_sockets_cookie_is_anothers() {
    let world = World::new(SOCKETS);
    world.stack.set_sysctl(Sysctl { tcp_syncookies: Syncookies::Always, ..world.stack.sysctl() });
    world.tell(0, false);
    world.told.lock().unwrap().override_index = Some(1);
    assert!(matches!(world.stack.syn(arrival(1), HERE), Ok(Syn::Cookie(id)) if id == world.sockets[1]));
    let cookie = world.stack.cookie_ack(arrival(1), HERE).unwrap_or_else(|why| panic!("{why:?}"));
    assert_eq!(delivered(cookie.believe(1), 1), Ok(world.sockets[0]));
    assert_eq!(world.results(), Results { pass: 2, ..Results::default() });
    let sent = Snapshot { TCPReqQFullDoCookies: 1, SyncookiesSent: 1, ..NOTHING };
    counted(&world.stack, Snapshot { SyncookiesRecv: 1, PassiveOpens: 1, ..sent });
    world.finish();
}

#[test]
fn pass_on_err_the_hash_selects() {
    let mut world = World::new(SOCKETS);
    world.tell(SOCKETS as u32, true);
    // The first member is the socket of the last index.
    assert_eq!(world.send(), Ok(SOCKETS - 1));
    assert_eq!(world.results(), Results { pass_err_sk_select_reuseport: 1, ..Results::default() });
    counted(&world.stack, Snapshot { PassiveOpens: 1, ..NOTHING });
    world.finish();
}

#[test]
fn detach_bpf_the_program_is_the_groups() {
    let mut world = World::new(SOCKETS);
    world.tell(3, false);
    assert_eq!(world.send(), Ok(3));
    assert_eq!(world.stack.detach_reuseport_prog(world.sockets[0]), Ok(()));
    assert_eq!(world.stack.detach_reuseport_prog(world.sockets[1]), Err(AttachError::NotFound));
    assert_eq!(world.send(), Ok(SOCKETS - 1));
    assert_eq!(world.results(), Results { pass: 1, ..Results::default() });
    world.finish();
}
