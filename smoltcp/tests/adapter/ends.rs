//! smoltcp at both ends of the wire.

use super::common::link::{End, link};
use super::*;
use rskq_smoltcp::{Boxed, Memory, Shard};
use smoltcp::iface::{Interface, SocketHandle, SocketSet};
use smoltcp::phy::{Device, Medium};
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::{EthernetAddress, HardwareAddress};

const CLIENTS: u16 = 40;

fn interface(device: &mut End, number: u8) -> Interface {
    let hardware = match device.capabilities().medium {
        Medium::Ethernet => EthernetAddress([0x02, 0, 0, 0, 0, number]).into(),
        Medium::Ip => HardwareAddress::Ip,
    };
    let mut config = smoltcp::iface::Config::new(hardware);
    config.random_seed = number.into();
    let mut iface = Interface::new(config, device, Instant::ZERO);
    iface.update_ip_addrs(|addresses| {
        addresses.push(format!("10.0.0.{number}/24").parse().unwrap()).unwrap();
        addresses.push(format!("fd00::{number}/64").parse().unwrap()).unwrap();
    });
    iface
}

/// Clients all connect at once, to two listeners of a group of which one closes while they wait, say who they are
/// and hear it back.
fn echoed(medium: Medium, addr: &str) {
    let (mut device, mut wire) = link(medium);
    let (mut iface, mut clients) = (interface(&mut device, 1), interface(&mut wire, 2));
    let stack = server::stack(HANDOVER);
    let listeners = [(); 2].map(|()| stack.listen_at(at(addr), 64, true).unwrap());
    let mut shard = Shard::new(stack, 0, [7; 16], Boxed::new(256, 256, 64), Memory::boxed(64));
    let (mut sockets, mut theirs) = (SocketSet::new(vec![]), SocketSet::new(vec![]));
    let handles: Vec<SocketHandle> = (0..CLIENTS)
        .map(|number| {
            let handle = theirs.add(server::buffers());
            let socket = theirs.get_mut::<tcp::Socket<'_>>(handle);
            socket.connect(clients.context(), at(addr), 50_000 + number).unwrap();
            handle
        })
        .collect();
    let (mut accepted, mut echoed) = (vec![], 0);
    for millisecond in 0..3_000 {
        let now = Instant::ZERO + Duration::from_millis(millisecond);
        clients.poll(now, &mut wire, &mut theirs);
        shard.poll(now, &mut device, &mut iface, &mut sockets, |_| {});
        if millisecond == 10 {
            shard.close(listeners[0], now, &mut sockets, |_| {}).unwrap();
        }
        if millisecond > 10 {
            accepted.extend(shard.accept(listeners[1], now, &mut sockets, |_| {}).unwrap());
        }
        for connection in &accepted {
            let socket = sockets.get_mut::<tcp::Socket<'_>>(connection.handle());
            if let Ok(data) = socket.recv(|data| (data.len(), data.to_vec())) {
                socket.send_slice(&data).unwrap();
            }
        }
        for (number, &handle) in (0_u16..).zip(&handles) {
            let socket = theirs.get_mut::<tcp::Socket<'_>>(handle);
            if socket.may_send() && millisecond == 20 {
                socket.send_slice(&number.to_be_bytes()).unwrap();
            }
            if socket.recv_queue() == 2 {
                let echo = socket.recv(|data| (data.len(), data.to_vec()));
                assert_eq!(echo, Ok(number.to_be_bytes().to_vec()));
                echoed += 1;
            }
        }
    }
    assert_eq!((accepted.len(), echoed), (usize::from(CLIENTS), CLIENTS), "{medium:?}");
    for connection in accepted {
        let state = sockets.get::<tcp::Socket<'_>>(connection.handle()).state();
        assert_eq!(state, tcp::State::Established);
        shard.abort(connection, Instant::from_secs(4), &mut sockets).unwrap();
    }
    shard.poll(Instant::from_secs(4), &mut device, &mut iface, &mut sockets, |_| {});
    assert!(shard.is_empty());
}

#[test]
fn over_ip() {
    echoed(Medium::Ip, SERVER);
    echoed(Medium::Ip, "[fd00::1]:80");
}

#[test]
fn over_ethernet() {
    echoed(Medium::Ethernet, SERVER);
    echoed(Medium::Ethernet, "[fd00::1]:80");
}
