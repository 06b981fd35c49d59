//! Shutdown and close, some steps at a time.

use super::groups::{Group, StillIn};
use super::world::{Socket, State, World, free_owners, sk_hash};
use crate::common::Listener;
use rskq::inspect::Graph;
use rskq::*;

/// What a step said, without what borrows the stack.
enum Said {
    Aborted(u32),
    Moved(Listener),
    HandedOver(Listener, u32),
}

impl World {
    /// Closes or shuts down, or goes on with it, for at most so many outcomes.
    pub(crate) fn stop(&mut self, before: &Graph<u32>, which: usize, close: bool, steps: usize) {
        let Some(socket) = &self.sockets[which] else { return };
        let (id, state) = (socket.id, socket.state);
        let refused = match state {
            State::Closed => Some(SockError::Stale),
            State::Shut if !close => Some(SockError::NotListening),
            State::Stopping { close: true } if !close => Some(SockError::Stale),
            _ => None,
        };
        if let Some(error) = refused {
            let stopped =
                if close { self.stack.close(id, self.here()) } else { self.stack.shutdown(id, self.here()) };
            assert_eq!(stopped.map(drop), Err(error));
            return;
        }
        // Who is left of the group that it is in by Linux's rules, though it has left LISTEN.
        let mut still_in = self.still_in(before, id.index());
        let mut heir = None;
        if state == State::Listening {
            let (left, place) = self.leave(which);
            heir = self.heir(before, which, &left, place, close);
            let stays = self.stays(which, left.program);
            self.left = Some((id.index(), stays));
            still_in = stays.then_some(StillIn { members: left.members, program: left.program });
        }
        self.socket(which).state = State::Stopping { close };
        let (said, done) = self.take_steps(which, close, steps);
        let mut said = said.into_iter();
        if let Some(heir) = heir {
            self.handed_over(which, heir, said.next());
        } else if let (State::Stopping { .. }, Some(heir)) = (state, self.socket(which).estate) {
            self.told_again(heir, &mut said);
        }
        for said in said {
            self.one_by_one(which, &still_in, said);
        }
        if done {
            assert!(self.socket(which).queue.is_empty(), "the last step leaves nothing");
            self.socket(which).state = if close { State::Closed } else { State::Shut };
            self.socket(which).estate = None;
        }
        if done && close {
            // Its place may be another socket's, which has nothing of theirs.
            for socket in self.sockets.iter_mut().flatten().filter(|socket| socket.estate == Some(which)) {
                socket.estate = None;
            }
        }
    }

    /// Returns who gets at once everything that a socket held which left its group, if anybody does.
    fn heir(
        &self,
        before: &Graph<u32>,
        which: usize,
        left: &Group,
        place: usize,
        close: bool,
    ) -> Option<usize> {
        let socket = self.known(which);
        let view = &before.listeners[socket.id.index() as usize];
        let fast = view.fastopenq.as_ref().expect("nobody holds a lock").qlen;
        // Who still has to take steps asks the heir again, and is to find who has its own by then.
        let asked = self.sockets.iter().flatten().any(|socket| socket.estate == Some(which));
        let nothing = socket.queue.is_empty() && view.charges.is_none() && fast == 0 && !asked;
        if self.design != Design::Handover || nothing || !close && free_owners(before) == 0 {
            return None;
        }
        // Who took the place, or who is left of it.
        left.members.get(place).or(left.members.last()).copied()
    }

    fn take_steps(&self, which: usize, close: bool, steps: usize) -> (Vec<Said>, bool) {
        let id = self.sockets[which].as_ref().expect("it is known").id;
        let mut closing =
            if close { self.stack.close(id, self.here()) } else { self.stack.shutdown(id, self.here()) }
                .expect("it stops");
        let said = closing.by_ref().take(steps).map(|outcome| match outcome {
            Outcome::Aborted(child) => Said::Aborted(child),
            Outcome::Moved { to, wake } => {
                assert_eq!(wake.map(|wake| wake.listener()), Some(to), "every gain wakes");
                Said::Moved(to)
            }
            Outcome::HandedOver { to, connections, wake } => {
                assert_eq!(wake.map(|wake| wake.listener()), (connections > 0).then_some(to));
                Said::HandedOver(to, connections)
            }
            Outcome::Spliced { .. } => panic!("no design here splices"),
        });
        let said = said.collect::<Vec<_>>();
        let done = said.len() < steps;
        (said, done)
    }

    fn handed_over(&mut self, which: usize, heir: usize, said: Option<Said>) {
        let mut queue = std::mem::take(&mut self.socket(which).queue);
        match said {
            Some(Said::HandedOver(to, connections)) => {
                assert_eq!((to, connections), (self.socket(heir).id, queue.len() as u32));
                self.counted.TCPMigrateReqSuccess += connections;
            }
            _ => panic!("it holds something and somebody listens"),
        }
        self.socket(heir).queue.append(&mut queue);
        // What was handed to it goes on with it.
        for socket in self.sockets.iter_mut().flatten().filter(|socket| socket.estate == Some(which)) {
            socket.estate = Some(heir);
        }
        self.socket(which).estate = Some(heir);
    }

    /// Whoever goes on with the steps is told who has everything, if anything waits there.
    fn told_again(&mut self, heir: usize, said: &mut impl Iterator<Item = Said>) {
        let Socket { id, state, ref queue, .. } = *self.socket(heir);
        if state == State::Listening && !queue.is_empty() {
            let told = said.next();
            assert!(matches!(told, Some(Said::HandedOver(to, n)) if (to, n) == (id, queue.len() as u32)));
        }
    }

    /// The oldest goes to who listens now, or is aborted where nobody does.
    fn one_by_one(&mut self, which: usize, still_in: &Option<StillIn>, said: Said) {
        let child = self.socket(which).queue.pop_front().expect("something waits");
        let (client, hash) = self.children[child as usize];
        let target = match self.design {
            Design::Linux => self.migrates_to(still_in, sk_hash(hash), Occasion::Close),
            _ if self.adopts() => self.selected(client, sk_hash(hash), Occasion::Close).ok(),
            _ => None,
        };
        if target.is_some() || self.adopts() || still_in.is_some() {
            self.count_migration(target.is_some());
        }
        match (said, target) {
            (Said::Aborted(aborted), None) => {
                assert_eq!(aborted, child, "the oldest first");
                self.ended(child);
            }
            (Said::Moved(to), Some(target)) => {
                assert_eq!(to, self.socket(target).id);
                self.socket(target).queue.push_back(child);
            }
            (Said::Aborted(_), Some(_)) => panic!("a connection was aborted and somebody listens"),
            (Said::Moved(_) | Said::HandedOver(..), _) => panic!("it moved"),
        }
    }
}
