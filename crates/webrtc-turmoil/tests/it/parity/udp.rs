//! Datagrams.

use std::net::SocketAddr;

use super::{
    Fault,
    place::{ok, word, word_or_waits},
    rows,
};

rows! {
    udp_closed_port: "send to a port that nobody has bound; then receive"
        => [Some("ok; waits"), Some("ok; waits"), Some("ok; waits")];
    server |place| {
        let socket = place.sockets.bind_udp(place.at(0)).await.unwrap();
        place.publish(socket.port());
    }
    client |place| {
        place.turn(1).await;
        let socket = place.sockets.bind_udp(place.at(0)).await.unwrap();
        place.note(word(socket.send_to(b"x", place.target()).await, ok));
        let received = place.before(3, socket.recv_from(&mut [0; 8])).await;
        place.note(word_or_waits(received, ok));
    }

    udp_nobody_there: "send to an address that nobody has"
        => [None, Some("ok"), Some("refused")];
    server |_place| {}
    client |place| {
        let socket = place.sockets.bind_udp(place.at(0)).await.unwrap();
        let nobody = "10.9.9.9:80".parse().unwrap();
        place.note(word(socket.send_to(b"x", nobody).await, ok));
    }

    udp_port_in_use: "bind a port that another socket has"
        => [Some("address in use"), Some("address in use"), Some("address in use")];
    server |_place| {}
    client |place| {
        let socket = place.sockets.bind_udp(place.at(0)).await.unwrap();
        place.note(word(place.sockets.bind_udp(place.at(socket.port())).await, ok));
    }

    udp_rebind: "bind a port again after its socket is closed"
        => [Some("ok"), Some("ok"), Some("ok")];
    server |_place| {}
    client |place| {
        let port = place.sockets.bind_udp(place.at(0)).await.unwrap().port();
        place.note(word(place.sockets.bind_udp(place.at(port)).await, ok));
    }

    udp_and_tcp: "bind a UDP port whose TCP namesake is in use"
        => [Some("ok"), Some("ok"), Some("ok")];
    server |_place| {}
    client |place| {
        let _listener = place.listen().await;
        place.note(word(place.sockets.bind_udp(place.at(place.published())).await, ok));
    }

    udp_own_address: "bind the host's own address instead of the wildcard"
        => [Some("ok"), Some("ok"), Some("no such address")];
    server |_place| {}
    client |place| {
        place.note(word(place.sockets.bind_udp(SocketAddr::new(place.own, 0)).await, ok));
    }

    udp_others_address: "bind an address that the host does not have"
        => [Some("no such address"), Some("no such address"), Some("no such address")];
    server |_place| {}
    client |place| {
        place.note(word(place.sockets.bind_udp("10.9.9.9:0".parse().unwrap()).await, ok));
    }

    udp_truncated: "receive 10 bytes into a buffer of 4, then the next datagram"
        => [Some("4 bytes; 2 bytes"), Some("4 bytes; 2 bytes"), Some("4 bytes; 2 bytes")];
    server |place| {
        let socket = place.sockets.bind_udp(place.at(0)).await.unwrap();
        place.publish(socket.port());
        for _ in 0..2 {
            place.note(word(socket.recv_from(&mut [0; 4]).await, |len| format!("{len} bytes")));
        }
    }
    client |place| {
        place.turn(1).await;
        let socket = place.sockets.bind_udp(place.at(0)).await.unwrap();
        socket.send_to(b"0123456789", place.target()).await.unwrap();
        socket.send_to(b"ab", place.target()).await.unwrap();
        place.turn(3).await;
    }

    udp_empty: "send an empty datagram"
        => [Some("0 bytes"), Some("0 bytes"), Some("0 bytes")];
    server |place| {
        let socket = place.sockets.bind_udp(place.at(0)).await.unwrap();
        place.publish(socket.port());
        place.note(word(socket.recv_from(&mut [0; 4]).await, |len| format!("{len} bytes")));
    }
    client |place| {
        place.turn(1).await;
        let socket = place.sockets.bind_udp(place.at(0)).await.unwrap();
        socket.send_to(b"", place.target()).await.unwrap();
        place.turn(3).await;
    }

    udp_too_long: "send 65,508 bytes in one datagram, one more than IPv4 allows"
        => [Some("too long"), Some("too long"), Some("ok")];
    server |_place| {}
    client |place| {
        let socket = place.sockets.bind_udp(place.at(0)).await.unwrap();
        let to = SocketAddr::new(place.other, 9);
        place.note(word(socket.send_to(&[7; 65_508], to).await, ok));
    }

    udp_full_queue: "10,000 datagrams of 1,000 bytes to a socket that does not receive; then it does"
        => [Some("some are lost"), Some("all arrive"), Some("64 arrive")];
    server |place| {
        let socket = place.sockets.bind_udp(place.at(0)).await.unwrap();
        place.publish(socket.port());
        place.turn(2).await;
        let mut arrived = 0;
        while place.before(3, socket.recv_from(&mut [0; 1000])).await.is_some() {
            arrived += 1;
        }
        place.note(match arrived {
            64 => "64 arrive",
            10_000 => "all arrive",
            _ => "some are lost",
        });
    }
    client |place| {
        place.turn(1).await;
        let socket = place.sockets.bind_udp(place.at(0)).await.unwrap();
        for _ in 0..10_000 {
            socket.send_to(&[7; 1000], place.target()).await.unwrap();
        }
        place.turn(4).await;
    }

    udp_cut: "a datagram while nothing gets through; then one afterwards"
        => [None, Some("`second`"), Some("`second`")],
        faults [(1, Fault::Cut), (2, Fault::Mend)];
    server |place| {
        let socket = place.sockets.bind_udp(place.at(0)).await.unwrap();
        place.publish(socket.port());
        let mut buffer = [0; 16];
        let received = socket.recv_from(&mut buffer).await;
        place.note(word(received, |len| format!("`{}`", String::from_utf8_lossy(&buffer[..len]))));
    }
    client |place| {
        let socket = place.sockets.bind_udp(place.at(0)).await.unwrap();
        place.turn(1).await;
        socket.send_to(b"first", place.target()).await.unwrap();
        place.turn(2).await;
        socket.send_to(b"second", place.target()).await.unwrap();
        place.turn(4).await;
    }
}
