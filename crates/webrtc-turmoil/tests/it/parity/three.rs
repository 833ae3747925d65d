//! The three that are compared: the machine's loopback interface, a world of `netsim`, and turmoil.

use std::{io, net::SocketAddr, rc::Rc, time::Duration};

use async_trait::async_trait;
use netsim::{Access, HostSpec, LinkModel, LinkState, Power, ProcessingDelay, World, WorldConfig};

use super::{
    Fault, Row,
    place::{Listener, Place, Shared, Sockets, Stream, Udp},
};

/// How long a turn is where time is virtual: longer than a handshake and than a retransmission.
const TURN: Duration = Duration::from_secs(1);

/// How long a turn is in the machine's own time. Its loopback interface delivers within the system call.
const REAL_TURN: Duration = Duration::from_millis(5);

/// How long a packet takes from host to host where the time is virtual.
const DELAY: Duration = Duration::from_millis(10);

/// What a row shows on the loopback interface.
pub(crate) fn loopback(row: &Row) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let shared = Shared::new();
    let place = Place {
        sockets: Rc::new(Machine),
        own: [127, 0, 0, 1].into(),
        other: [127, 0, 0, 1].into(),
        shared: shared.clone(),
    };
    let turns = async {
        loop {
            tokio::time::sleep(REAL_TURN).await;
            shared.next_turn();
        }
    };
    runtime.block_on(async {
        tokio::select! {
            biased;
            _ = async { tokio::join!((row.server)(place.clone()), (row.client)(place)) } => {}
            () = turns => {}
        }
    });
    shared.observed()
}

/// What a row shows in a world.
pub(crate) fn world(row: &Row) -> String {
    let link = LinkModel::with_delay(DELAY / 2);
    let host = |name: &str, address: [u8; 4]| HostSpec {
        name: name.into(),
        addresses: vec![address.into()],
        access: Access::symmetric(link),
        processing: ProcessingDelay::ZERO,
    };
    let hosts = [host("client", [10, 0, 0, 1]), host("server", [10, 0, 0, 2])];
    let config = WorldConfig::builder(1).hosts(hosts).build().unwrap();
    let settings = determinism::Settings { seed: 1, epoch_s: 1_767_225_600 };
    let played = determinism::on_simulation_thread(settings, || {
        World::run(config, |world| async move { in_world(row, world).await }).unwrap().value.unwrap()
    });
    played.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

async fn in_world(row: &Row, world: World) -> String {
    let shared = Shared::new();
    let place = |own: &str, other: &str| {
        let host = |name: &str| world.host(&name.into()).unwrap();
        Place {
            own: host(own).addresses()[0],
            other: host(other).addresses()[0],
            sockets: Rc::new(Simulated(host(own))),
            shared: shared.clone(),
        }
    };
    let turns = async {
        loop {
            world.sleep(TURN).await;
            let turn = shared.next_turn();
            for (_, fault) in row.faults.iter().filter(|(at, _)| *at == turn) {
                match fault {
                    Fault::Cut => world.set_link_state(&"client".into(), LinkState::Down).unwrap(),
                    Fault::Mend => world.set_link_state(&"client".into(), LinkState::Up).unwrap(),
                    Fault::PowerLoss => world.set_power(&"server".into(), Power::Off).unwrap(),
                }
            }
        }
    };
    let ends = async {
        let server = (row.server)(place("server", "client"));
        tokio::select! {
            biased;
            () = (row.client)(place("client", "server")) => {}
            () = async { server.await; std::future::pending::<()>().await } => {}
        }
    };
    tokio::select! {
        biased;
        () = ends => {}
        () = turns => {}
    }
    shared.observed()
}

/// What a row shows in turmoil.
pub(crate) fn turmoil(row: &Row) -> String {
    let shared = Shared::new();
    let mut builder = turmoil::Builder::new();
    builder.min_message_latency(DELAY).max_message_latency(DELAY).rng_seed(1);
    builder.simulation_duration(Duration::from_secs(300)).tick_duration(DELAY);
    let mut sim = builder.build();
    let (client, server) = (row.client, row.server);
    let end = shared.clone();
    sim.host("server", move || {
        let shared = end.clone();
        async move {
            let (own, other) = (turmoil::lookup("server"), turmoil::lookup("client"));
            server(Place { own, other, sockets: Rc::new(Turmoil), shared }).await;
            // The machine stays on: one whose software has ended answers nobody in turmoil.
            std::future::pending().await
        }
    });
    let end = shared.clone();
    sim.client("client", async move {
        let (own, other) = (turmoil::lookup("client"), turmoil::lookup("server"));
        client(Place { own, other, sockets: Rc::new(Turmoil), shared: end }).await;
        Ok(())
    });
    while !sim.step().unwrap() {
        if sim.elapsed().as_millis() % TURN.as_millis() == 0 {
            let turn = shared.next_turn();
            for (_, fault) in row.faults.iter().filter(|(at, _)| *at == turn) {
                match fault {
                    Fault::Cut => sim.partition("client", "server"),
                    Fault::Mend => sim.repair("client", "server"),
                    Fault::PowerLoss => sim.crash("server"),
                }
            }
        }
    }
    shared.observed()
}

/// The sockets of one of the three: how they are opened, and their types, which have the methods of tokio's.
macro_rules! sockets {
    ($host:ident $(($inner:ty))?: $own:ident, $address:ident => $listen:expr, $connect:expr, $bind:expr; $listener:ty, $udp:ty) => {
        struct $host$(($inner))?;

        #[async_trait(?Send)]
        impl Sockets for $host {
            async fn listen(&self, $address: SocketAddr) -> io::Result<(Box<dyn Listener>, u16)> {
                let $own = self;
                let listener: $listener = $listen?;
                let port = listener.local_addr()?.port();
                Ok((Box::new(listener), port))
            }

            async fn connect(&self, $address: SocketAddr) -> io::Result<Box<dyn Stream>> {
                let $own = self;
                Ok(Box::new($connect?))
            }

            async fn bind_udp(&self, $address: SocketAddr) -> io::Result<Box<dyn Udp>> {
                let $own = self;
                Ok(Box::new($bind?))
            }
        }

        #[async_trait(?Send)]
        impl Listener for $listener {
            async fn accept(&self) -> io::Result<Box<dyn Stream>> {
                Ok(Box::new(self.accept().await?.0))
            }
        }

        #[async_trait(?Send)]
        impl Udp for $udp {
            fn port(&self) -> u16 {
                self.local_addr().unwrap().port()
            }

            async fn send_to(&self, bytes: &[u8], to: SocketAddr) -> io::Result<usize> {
                self.send_to(bytes, to).await
            }

            async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<usize> {
                Ok(self.recv_from(buffer).await?.0)
            }
        }
    };
}

sockets! {
    Machine: _own, address =>
        tokio::net::TcpListener::bind(address).await,
        tokio::net::TcpStream::connect(address).await,
        tokio::net::UdpSocket::bind(address).await;
    tokio::net::TcpListener, tokio::net::UdpSocket
}

sockets! {
    Simulated(netsim::Host): own, address =>
        own.0.listen(address),
        own.0.connect(address).await,
        own.0.bind_udp(address);
    netsim::TcpListener, netsim::UdpSocket
}

sockets! {
    Turmoil: _own, address =>
        turmoil::net::TcpListener::bind(address).await,
        turmoil::net::TcpStream::connect(address).await,
        turmoil::net::UdpSocket::bind(address).await;
    turmoil::net::TcpListener, turmoil::net::UdpSocket
}
