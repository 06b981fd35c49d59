//! What must hold of an object graph: the same functions for loom, shuttle, fuzz targets and tests.

use super::{Graph, GroupView, ListenerView, RequestView};
use crate::request::{Link, RequestState};
use alloc::{format, string::String, vec::Vec};

/// Something that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The invariant's name in the project's vocabulary, such as `I5`.
    pub invariant: &'static str,
    /// What was seen.
    pub text: String,
}

/// Collects what does not hold.
struct Report(Vec<Violation>);

impl Report {
    fn expect(&mut self, holds: bool, invariant: &'static str, text: impl FnOnce() -> String) {
        if !holds {
            self.0.push(Violation { invariant, text: text() });
        }
    }
}

impl<C> Graph<C> {
    /// Returns what does not hold of a stack in which no operation is under way.
    ///
    /// Everything that is counted is recounted: I1, I2, I3, I4, I5, I6 and I7, I8, I9, I13, I15, I16, I17, I18.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        let mut report = Report(Vec::new());
        for (slot, listener) in (0..).zip(&self.listeners) {
            self.check_queue(&mut report, slot, listener);
            self.check_home(&mut report, slot, listener);
            self.check_charges(&mut report, slot, listener);
        }
        for (slot, request) in (0..).zip(&self.requests) {
            self.check_request(&mut report, slot, request);
        }
        self.check_references(&mut report);
        for (slot, group) in (0..).zip(&self.groups) {
            self.check_group(&mut report, slot, group);
        }
        self.check_chunks(&mut report);
        self.check_map(&mut report);
        report.0
    }

    /// Returns what is in use of a stack whose sockets were all closed (I25).
    #[must_use]
    pub fn leftovers(&self) -> Vec<Violation> {
        let mut report = Report(Vec::new());
        let mut expect_free = |what, free: u32, refs: Vec<u32>| {
            report.expect(free as usize == refs.len(), "I25", || {
                let held: Vec<_> = refs.iter().enumerate().filter(|(_, refs)| **refs != 0).collect();
                format!("of {} {what} {free} are free; slots and references: {held:?}", refs.len())
            });
        };
        let free = self.free_slots;
        expect_free("listeners", free.listeners, self.listeners.iter().map(|l| l.refs).collect());
        expect_free("requests", free.requests, self.requests.iter().map(|r| r.refs).collect());
        expect_free("owners", free.owners, self.owners.iter().map(|o| o.refs).collect());
        expect_free("groups", free.groups, self.groups.iter().map(|g| g.refs).collect());
        report.expect(self.free_chunks.len() == self.chunks as usize, "I25", || {
            format!("of {} chunks {} are free", self.chunks, self.free_chunks.len())
        });
        report.0
    }

    /// I2, I5, I9.
    fn check_queue(&self, report: &mut Report, slot: u32, listener: &ListenerView<C>) {
        let Some(queue) = &listener.queue else { return };
        report.expect(queue.backlog as usize == queue.requests.len(), "I2", || {
            format!(
                "listener {slot} holds {} requests and its sk_ack_backlog is {}",
                queue.requests.len(),
                queue.backlog
            )
        });
        for request in &queue.requests {
            report.expect(request.rsk_listener == Some(slot), "I5", || {
                format!(
                    "request {} waits on listener {slot} and resolves to {:?}",
                    request.request, request.rsk_listener
                )
            });
        }
        let reset = listener.fastopenq.as_ref().map_or(0, |fastopenq| fastopenq.reset.len());
        let idle = listener.listening || listener.open || (queue.requests.is_empty() && reset == 0);
        report.expect(idle, "I9", || {
            format!(
                "listener {slot} has stopped and holds {} connections, {reset} reset ones",
                queue.requests.len()
            )
        });
    }

    /// I5: who has an owner is where it leads.
    fn check_home(&self, report: &mut Report, slot: u32, listener: &ListenerView<C>) {
        let link = listener.owner.map(|owner| self.owners[owner as usize].link);
        report.expect(link.is_none_or(|link| link == Link::Home(slot)), "I5", || {
            format!("listener {slot} has the owner {:?}, which leads to {link:?}", listener.owner)
        });
    }

    /// I3, I4: recounted from the requests.
    fn check_charges(&self, report: &mut Report, slot: u32, listener: &ListenerView<C>) {
        let mine = || self.requests.iter().filter(move |r| r.refs != 0 && r.rsk_listener == Some(slot));
        let hashed = mine().filter(|r| r.hashed != 0).count() as i32;
        let young = mine().filter(|r| r.hashed != 0 && r.num_timeout == 0).count() as i32;
        report.expect((listener.charges.qlen, listener.charges.young) == (hashed, young), "I3", || {
            format!(
                "listener {slot} has {hashed} half-open requests, {young} young, and is charged with {:?}",
                listener.charges
            )
        });
        let Some(fastopenq) = &listener.fastopenq else { return };
        let pending = mine().filter(|r| r.tfo_listener).count() + fastopenq.reset.len();
        report.expect(fastopenq.qlen as i64 == pending as i64, "I4", || {
            format!(
                "listener {slot} has {pending} fast-open connections and its fastopenq.qlen is {}",
                fastopenq.qlen
            )
        });
    }

    /// I1, I5, I8, I13: one place each, and the place is the one that the state says.
    fn check_request(&self, report: &mut Report, slot: u32, request: &RequestView) {
        let (queued, reset) = (self.queued(slot), self.reset_listed(slot));
        let places = (queued, reset, request.hashed as usize);
        let expected = match request.state {
            RequestState::Queued => (1, 0, 0),
            RequestState::ResetListed => (0, 1, 0),
            RequestState::Hashed => (0, 0, 1),
            RequestState::Free | RequestState::InHand | RequestState::Accepted => (0, 0, 0),
        };
        let free = (request.state == RequestState::Free) == (request.refs == 0);
        report.expect(places == expected && free && request.state != RequestState::InHand, "I1", || {
            format!(
                "request {slot} is {:?} with {} references and in (queues, reset lists, table) {places:?}",
                request.state, request.refs
            )
        });
        report.expect(request.refs == 0 || request.rsk_listener.is_some(), "I5", || {
            format!("request {slot} resolves to no listener, by way of owner {:?}", request.owner)
        });
        let pending = matches!(request.state, RequestState::Queued | RequestState::Accepted);
        report.expect(pending || !request.tfo_listener || request.refs == 0, "I8", || {
            format!("request {slot} is {:?} and its fast-open handshake has not ended", request.state)
        });
        let half_open = request.state == RequestState::Hashed;
        report.expect(!request.armed || half_open, "I15", || {
            format!("request {slot} is {:?} and its timer is armed", request.state)
        });
        // Whom a poller has in its hands is armed again, or given up, before the poller is done.
        report.expect(request.armed || !half_open || !self.keeps_timers, "I15", || {
            format!("request {slot} is half open and its timer is not armed")
        });
        let twin = (slot + 1..)
            .zip(&self.requests[slot as usize + 1..])
            .find(|(_, other)| request.hashed != 0 && other.hashed != 0 && request.tuple == other.tuple);
        report.expect(twin.is_none(), "I13", || {
            format!("request {slot} and {:?} have one tuple", twin.map(|(slot, _)| slot))
        });
    }

    fn queued(&self, slot: u32) -> usize {
        let queues = self.listeners.iter().filter_map(|l| l.queue.as_ref());
        queues.flat_map(|queue| &queue.requests).filter(|r| r.request == slot).count()
    }

    fn reset_listed(&self, slot: u32) -> usize {
        let queues = self.listeners.iter().filter_map(|l| l.fastopenq.as_ref());
        queues.flat_map(|fastopenq| &fastopenq.reset).filter(|&&r| r == slot).count()
    }

    /// I6, I7: every reference recounted.
    fn check_references(&self, report: &mut Report) {
        let mut equal = |what: &str, slot: u32, refs: u32, holders: usize| {
            report.expect(refs as usize == holders, "I6/I7", || {
                format!("{what} {slot} has {refs} references and {holders} holders")
            });
        };
        for (slot, request) in (0..).zip(&self.requests) {
            let lists = self.queued(slot) + self.reset_listed(slot) + request.hashed as usize;
            let kept = if request.refs == 0 { 0 } else { request.kept };
            equal("request", slot, request.refs, lists + kept as usize);
        }
        for (slot, owner) in (0..).zip(&self.owners) {
            let here = Some(slot);
            let requests = self.requests.iter().filter(|r| r.refs != 0 && r.owner == here).count();
            let homes = self.listeners.iter().filter(|l| l.owner == here).count();
            let estates = self.listeners.iter().filter(|l| l.estate == here).count();
            let handed = self.owners.iter().filter(|o| o.link == Link::Handed(slot)).count();
            equal("owner", slot, owner.refs, requests + homes + estates + handed);
        }
        for (slot, listener) in (0..).zip(&self.listeners) {
            // A descriptor counts until its socket is closed.
            let owners = self.owners.iter().filter(|o| o.link == Link::Home(slot)).count();
            equal("listener", slot, listener.refs, usize::from(listener.opened) + owners);
        }
        for (slot, group) in (0..).zip(&self.groups) {
            let members = self.listeners.iter().filter(|l| l.group == Some(slot)).count();
            equal("group", slot, group.refs, usize::from(members > 0));
        }
    }

    /// I16, I17, I18: the sections are disjoint and within bounds, and who is in one says so.
    fn check_group(&self, report: &mut Report, slot: u32, group: &GroupView) {
        let members = group.num_socks + group.num_closed_socks;
        report.expect(members <= group.max_socks, "I16", || {
            format!("group {slot} has {members} members and may have {}", group.max_socks)
        });
        let listed = (group.listening.len(), group.closed.len());
        let counted = (group.num_socks as usize, group.num_closed_socks as usize);
        report.expect(listed == counted, "I16", || {
            format!("group {slot} counts {counted:?} members in its sections and has {listed:?}")
        });
        let mut all: Vec<_> = group.listening.iter().chain(&group.closed).collect();
        all.sort_unstable();
        let distinct = all.windows(2).all(|pair| pair[0] != pair[1]);
        report.expect(distinct, "I16", || {
            format!("group {slot} has a member twice: {:?}, {:?}", group.listening, group.closed)
        });
        let says = |l: u32| self.listeners.get(l as usize).and_then(|l| l.group) == Some(slot);
        let there = |l: u32| all.contains(&&l);
        let agreed =
            all.iter().all(|&&l| says(l)) && (0..self.listeners.len() as u32).all(|l| !says(l) || there(l));
        report.expect(agreed, "I17", || {
            format!("group {slot} has the members {all:?}, and who says to be one differs")
        });
        let member = |&l: &u32| self.listeners.get(l as usize);
        let listens_there = |l: &ListenerView<C>| l.listening && l.addr == group.addr;
        let placed = match (group.addr, &group.listening[..]) {
            (Some(_), listening) => listed.0 > 0 && listening.iter().filter_map(member).all(listens_there),
            (None, []) => true,
            // A socket that does not listen may be alone in a group, for the sake of its program.
            (None, [alone]) => listed.1 == 0 && member(alone).is_some_and(|l| !l.listening),
            (None, _) => false,
        };
        report.expect(placed, "I17", || {
            format!("group {slot} is in the table at {:?}, and a member listens elsewhere", group.addr)
        });
        let for_a_cpu = |l: u32| self.listeners.get(l as usize).is_some_and(|l| l.incoming_cpu.is_some());
        let for_cpus = all.iter().filter(|&&&l| for_a_cpu(l)).count();
        report.expect(group.incoming_cpu as usize == for_cpus, "I17", || {
            format!("group {slot} counts {} members for some CPU and has {for_cpus}", group.incoming_cpu)
        });
        report.expect((group.refs == 0) == (members == 0), "I18", || {
            format!("group {slot} has {members} members and {} references", group.refs)
        });
    }

    /// I17: who is in the map listens in a group, and says in which entry it is.
    fn check_map(&self, report: &mut Report) {
        for (slot, listener) in (0..).zip(&self.listeners) {
            let Some(index) = listener.map_index else { continue };
            let entered = self.map.get(index as usize) == Some(&Some(slot));
            report.expect(entered && listener.listening && listener.group.is_some(), "I17", || {
                format!("listener {slot} says to be in entry {index}, and is not, or does not listen")
            });
        }
        for (index, entry) in (0..).zip(&self.map) {
            let Some(slot) = *entry else { continue };
            let says = self.listeners.get(slot as usize).and_then(|listener| listener.map_index);
            report.expect(says == Some(index), "I17", || {
                format!("entry {index} names listener {slot}, which says to be in {says:?}")
            });
        }
    }

    /// I16, I18: each chunk is in one tree, or free.
    fn check_chunks(&self, report: &mut Report) {
        let in_use: Vec<_> = self.groups.iter().flat_map(|group| &group.chunks).collect();
        let mut all: Vec<_> = in_use.iter().copied().chain(&self.free_chunks).copied().collect();
        all.sort_unstable();
        report.expect(all.windows(2).all(|pair| pair[0] != pair[1]), "I16", || {
            format!("a chunk is in two places: in use {in_use:?}, free {:?}", self.free_chunks)
        });
        report.expect(all.len() == self.chunks as usize, "I18", || {
            format!(
                "of {} chunks {} are in use and {} free",
                self.chunks,
                in_use.len(),
                self.free_chunks.len()
            )
        });
    }
}
