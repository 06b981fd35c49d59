/// A connection from SYN to accept, on the lock `R`: what the examples of the page are held to.
pub(crate) fn serve<R: rskq::sync::RawLock>() {
    use rskq::{sync::Core, *};
    let (mut listeners, mut requests) = ([const { Slot::new() }; 1], [const { Slot::new() }; 1]);
    let (mut owners, mut groups) = ([const { Slot::new() }; 1], [const { Slot::new() }; 1]);
    let (mut socks, mut ports) = ([const { Member::new() }; 64], [const { BindBucket::new() }; 1]);
    let (mut buckets, mut ehash) = ([const { Bucket::new() }; 1], [const { EhashBucket::new() }; 1]);
    let resources = Resources::<&str, Core<R>> {
        listeners: (&mut listeners).into(),
        requests: (&mut requests).into(),
        owners: (&mut owners).into(),
        groups: (&mut groups).into(),
        socks: (&mut socks).into(),
        ports: (&mut ports).into(),
        buckets: (&mut buckets).into(),
        ehash: (&mut ehash).into(),
    };
    let stack = Stack::new(resources, Config::default());
    let local = "10.0.0.1:80".parse().unwrap();
    let listener = stack.listen_at(local, 1, false).unwrap();
    let tuple = Tuple { local, remote: "192.0.2.7:50000".parse().unwrap() };
    assert!(stack.syn(Arrival { tuple, hashes: Hashes::default() }, Here::default()).is_ok());
    assert!(stack.ack(&tuple, Payload::None, Here::default(), "a connection").is_ok());
    assert_eq!(stack.accept(listener), Ok(Some("a connection")));
    assert_eq!(stack.close(listener, Here::default()).unwrap().count(), 0);
}
