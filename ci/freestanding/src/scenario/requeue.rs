//! The policy that loses nothing: a closed listener's connections go to who listens now.

use super::{FIRST, LOCAL, accept, deliver};
use crate::child::Child;
use crate::memory::{Backend, ImageStack};
use crate::sys::{expect, must};
use rskq::{Bucket, Config, Design, Member, Outcome, Resources, Slot};

pub(super) fn run() {
    let (mut listeners, mut owners) = ([const { Slot::new() }; 2], [const { Slot::new() }; 2]);
    // As many as wait: moving takes none.
    let (mut requests, mut groups) = ([const { Slot::new() }; 2], [const { Slot::new() }; 1]);
    let (mut socks, mut buckets) = ([const { Member::<Backend>::new() }; 2], [const { Bucket::new() }; 1]);
    let resources = Resources {
        listeners: (&mut listeners).into(),
        requests: (&mut requests).into(),
        owners: (&mut owners).into(),
        groups: (&mut groups).into(),
        socks: (&mut socks).into(),
        buckets: (&mut buckets).into(),
    };
    let stack = ImageStack::new(resources, Config { design: Design::Requeue, migrate_req: false });
    let a = must(stack.listen(LOCAL, 4, true), "listen: shared");
    let b = must(stack.listen(LOCAL, 4, true), "listen: shared with the first");
    expect(deliver(&stack, LOCAL, FIRST, 1) == Ok(a), "deliver: the hash selects the first");
    expect(deliver(&stack, LOCAL, FIRST, 2) == Ok(a), "deliver: the first again");
    for outcome in must(stack.close(a), "close: two wait") {
        let Outcome::Moved { to, wake } = outcome else {
            return expect(false, "close: somebody listens, so that all move");
        };
        expect(to == b && wake.is_some_and(|wake| wake.listener() == b), "close: who gained is woken");
    }
    expect(accept(&stack, b) == Some(1) && accept(&stack, b) == Some(2), "accept: in order");
    expect(must(stack.close(b), "close: the last").next().is_none(), "close: nothing waits");
    expect(Child::live() == 0, "no child is left");
}
