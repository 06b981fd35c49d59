# use smoltcp::iface::{Config, Interface, SocketSet};
# use smoltcp::{phy::{Loopback, Medium}, socket::tcp, time::Instant, wire::HardwareAddress};
# let mut device = Loopback::new(Medium::Ip);
# let mut iface = Interface::new(Config::new(HardwareAddress::Ip), &mut device, Instant::ZERO);
# iface.update_ip_addrs(|addresses| addresses.push("10.0.0.1/24".parse().unwrap()).unwrap());
# let (mut sockets, mut now, key) = (SocketSet::new(vec![]), Instant::ZERO, [7; 16]);
# let client = tcp::Socket::new(tcp::SocketBuffer::new(vec![0; 64]), tcp::SocketBuffer::new(vec![0; 64]));
# let client = sockets.add(client);
# let to = (smoltcp::wire::IpAddress::v4(10, 0, 0, 1), 80);
# sockets.get_mut::<tcp::Socket>(client).connect(iface.context(), to, 50_000).unwrap();
use rskq::{DefaultBackend, Design, Resources, Stack};
use rskq_smoltcp::{Boxed, Connection, Event, Memory, Shard, adapted};

let config = adapted(rskq::Config::with(Design::Handover)); // who closes hands over what waits
let stack = Stack::<Connection, DefaultBackend>::new(Resources::boxed(4, 256), config);
let mut shard = Shard::new(&stack, 0, key, Boxed::new(4096, 4096, 256), Memory::boxed(256));
let worker = stack.listen_at("10.0.0.1:80".parse().unwrap(), 128, true).unwrap();
# for _ in 0..20 {
# now += smoltcp::time::Duration::from_millis(100);
// In the loop, in place of `iface.poll`:
shard.poll(now, &mut device, &mut iface, &mut sockets, |event| {
    if let Event::Wake(wake) = event { println!("wake who accepts on {:?}", wake.listener()) }
});
while let Some(connection) = shard.accept(worker, now, &mut sockets, |_| {}).unwrap() {
    let socket = sockets.get_mut::<tcp::Socket>(connection.handle());
    socket.send_slice(b"hello").unwrap();
    shard.release(connection, now, &mut sockets).unwrap(); // it is closed once that is sent
}
# }
# let mut answer = [0; 5];
# assert_eq!(sockets.get_mut::<tcp::Socket>(client).recv_slice(&mut answer), Ok(5));
# assert_eq!(&answer, b"hello");
