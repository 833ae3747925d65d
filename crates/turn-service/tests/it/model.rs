//! Random sessions of two clients against a small model of RFC 8656: which request succeeds, which
//! datagram passes, at any time.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use proptest::prelude::*;
use rtc_stun::message::*;
use turn_service::{Server, Transport, TurnSettings};

use crate::harness::*;

#[derive(Clone, Debug)]
enum Op {
    Allocate(usize),
    Refresh(usize, Option<u32>),
    Permit(usize, Vec<Far>),
    Bind(usize, u16, Far),
    Send(usize, Far),
    ChannelData(usize, u16),
    FromPeer(usize, usize),
    Advance(u64),
}

/// Whom a client may talk to: one of the peers, or the other client's relayed address.
#[derive(Clone, Copy, Debug)]
enum Far {
    Peer(usize),
    Other,
}

fn far() -> impl Strategy<Value = Far> {
    prop_oneof![3 => (0..PEERS.len()).prop_map(Far::Peer), 1 => Just(Far::Other)]
}

fn op() -> impl Strategy<Value = Op> {
    let who = || 0usize..2;
    let channel = || prop::sample::select(vec![0x4000u16, 0x4001, 0x4fff, 0x5000]);
    let asked = prop::option::of(prop::sample::select(vec![0u32, 1, 700, 5000]));
    let step = prop::sample::select(vec![0u64, 1, 30_000, 299_999, 300_000, 599_999, 600_000]);
    prop_oneof![
        3 => who().prop_map(Op::Allocate),
        2 => (who(), asked).prop_map(|(who, asked)| Op::Refresh(who, asked)),
        3 => (who(), prop::collection::vec(far(), 0..3)).prop_map(|(who, far)| Op::Permit(who, far)),
        3 => (who(), channel(), far()).prop_map(|(who, number, far)| Op::Bind(who, number, far)),
        4 => (who(), far()).prop_map(|(who, far)| Op::Send(who, far)),
        4 => (who(), channel()).prop_map(|(who, number)| Op::ChannelData(who, number)),
        4 => (who(), 0..PEERS.len()).prop_map(|(who, peer)| Op::FromPeer(who, peer)),
        3 => step.prop_map(Op::Advance),
    ]
}

const PEERS: [&str; 3] = ["192.0.2.1:1", "192.0.2.1:2", "192.0.2.2:1"];

/// What RFC 8656 says is alive. Nothing is ever removed for its age; every question takes the time.
#[derive(Default)]
struct Model {
    now: Duration,
    held: BTreeMap<usize, Held>,
}

struct Held {
    relay: SocketAddr,
    until: Duration,
    permissions: BTreeMap<IpAddr, Duration>,
    channels: BTreeMap<u16, (SocketAddr, Duration)>,
}

impl Model {
    fn held(&self, who: usize) -> Option<&Held> {
        self.held.get(&who).filter(|held| self.now < held.until)
    }

    /// Where `far` is for `who`; a port that nobody holds if the other client has none.
    fn address(&self, who: usize, far: Far) -> SocketAddr {
        match far {
            Far::Peer(peer) => at(PEERS[peer]),
            Far::Other => self.held(1 - who).map_or(at("198.51.100.2:65000"), |held| held.relay),
        }
    }

    fn permits(&self, who: usize, peer: IpAddr) -> bool {
        self.held(who).and_then(|held| held.permissions.get(&peer)).is_some_and(|until| self.now < *until)
    }

    fn bound(&self, who: usize) -> Vec<(u16, SocketAddr)> {
        let channels = self.held(who).into_iter().flat_map(|held| &held.channels);
        channels
            .filter(|(_, (_, until))| self.now < *until)
            .map(|(number, (peer, _))| (*number, *peer))
            .collect()
    }

    fn permit(&mut self, who: usize, peers: &[SocketAddr]) {
        let until = self.now + s(300);
        let permissions = &mut self.held.get_mut(&who).unwrap().permissions;
        permissions.extend(peers.iter().map(|peer| (peer.ip(), until)));
    }

    /// Who gets `data` that arrives for `to` from `from`: the receiver, and the channel it comes on.
    fn delivery(&self, from: SocketAddr, to: SocketAddr) -> Option<(SocketAddr, Option<u16>)> {
        let Some(who) = (0..2).find(|who| self.held(*who).is_some_and(|held| held.relay == to)) else {
            return (to.ip() != server_address().ip()).then_some((to, None));
        };
        let channel = self.bound(who).into_iter().find(|(_, peer)| *peer == from).map(|(number, _)| number);
        self.permits(who, from.ip()).then(|| (clients()[who].me, channel))
    }
}

fn clients() -> [Client; 2] {
    [Client::alice(), Client::bob()]
}

struct Run {
    model: Model,
    server: Server,
    clients: [Client; 2],
}

impl Run {
    fn step(&mut self, op: &Op) {
        match op {
            Op::Allocate(who) => self.allocate(*who),
            Op::Refresh(who, asked) => self.refresh(*who, *asked),
            Op::Permit(who, far) => self.permit(*who, far),
            Op::Bind(who, number, far) => self.bind(*who, *number, *far),
            Op::Send(who, far) => self.send(*who, *far),
            Op::ChannelData(who, number) => self.channel_data(*who, *number),
            Op::FromPeer(who, peer) => self.hear(*who, at(PEERS[*peer])),
            Op::Advance(ms) => self.model.now += Duration::from_millis(*ms),
        }
        let now = self.model.now;
        self.server.tick(now);
        let held = (0..2).filter(|who| self.model.held(*who).is_some()).count();
        assert_eq!(self.server.relays().count(), held);
        assert!(self.server.next_deadline().is_none_or(|deadline| now < deadline));
    }

    fn ask(&mut self, who: usize, method: Method, attrs: Attrs) -> u16 {
        self.clients[who].ask(&mut self.server, self.model.now, method, attrs)
    }

    fn allocate(&mut self, who: usize) {
        let request = self.clients[who].signed(METHOD_ALLOCATE, vec![udp()]);
        let outputs = self.clients[who].send(&mut self.server, self.model.now, &request);
        let (message, code) = self.clients[who].answer(&outputs);
        assert_eq!(code, if self.model.held(who).is_some() { 437 } else { 0 });
        if code == 0 {
            let (relay, until) = (relayed(&message), self.model.now + s(600));
            let held = Held { relay, until, permissions: BTreeMap::new(), channels: BTreeMap::new() };
            self.model.held.insert(who, held);
        }
    }

    fn refresh(&mut self, who: usize, asked: Option<u32>) {
        let alive = self.model.held(who).is_some();
        let code = self.ask(who, METHOD_REFRESH, asked.map(lifetime).into_iter().collect());
        assert_eq!(code, if alive { 0 } else { 437 });
        if alive {
            let granted = match asked {
                Some(0) => 0,
                None => 600,
                Some(seconds) => seconds.clamp(600, 3600),
            };
            self.model.held.get_mut(&who).unwrap().until = self.model.now + s(granted.into());
        }
    }

    fn permit(&mut self, who: usize, far: &[Far]) {
        let peers: Vec<SocketAddr> = far.iter().map(|far| self.model.address(who, *far)).collect();
        let code = self.ask(who, METHOD_CREATE_PERMISSION, peers.iter().map(|peer| to(*peer)).collect());
        let expected = match (self.model.held(who).is_some(), peers.is_empty()) {
            (false, _) => 437,
            (true, true) => 400,
            (true, false) => 0,
        };
        assert_eq!(code, expected);
        if code == 0 {
            self.model.permit(who, &peers);
        }
    }

    fn bind(&mut self, who: usize, channel: u16, far: Far) {
        let peer = self.model.address(who, far);
        let code = self.ask(who, METHOD_CHANNEL_BIND, vec![number(channel), to(peer)]);
        let taken = self.model.bound(who).iter().any(|(n, p)| (*n == channel) != (*p == peer));
        let expected = match (self.model.held(who).is_some(), taken || channel > 0x4fff) {
            (false, _) => 437,
            (true, true) => 400,
            (true, false) => 0,
        };
        assert_eq!(code, expected);
        if code == 0 {
            self.model.permit(who, &[peer]);
            let until = self.model.now + s(600);
            self.model.held.get_mut(&who).unwrap().channels.insert(channel, (peer, until));
        }
    }

    fn send(&mut self, who: usize, far: Far) {
        let peer = self.model.address(who, far);
        let relay =
            self.model.held(who).filter(|_| self.model.permits(who, peer.ip())).map(|held| held.relay);
        let sent = self.clients[who].indicate(&mut self.server, self.model.now, peer, b"data");
        self.check(&sent, relay.and_then(|relay| self.model.delivery(relay, peer)));
    }

    fn channel_data(&mut self, who: usize, number: u16) {
        let bound = self.model.bound(who).into_iter().find(|(bound, _)| *bound == number);
        let route = bound.zip(self.model.held(who)).map(|((_, peer), held)| (held.relay, peer));
        let outputs =
            self.clients[who].send(&mut self.server, self.model.now, &channel_data(number, b"data"));
        self.check(&sent(&outputs), route.and_then(|(relay, peer)| self.model.delivery(relay, peer)));
    }

    fn hear(&mut self, who: usize, peer: SocketAddr) {
        let relay = self.model.address(1 - who, Far::Other);
        let outputs = self.server.handle(self.model.now, Transport::Udp, peer, relay, b"data");
        self.check(&sent(&outputs), self.model.delivery(peer, relay));
    }

    /// Did exactly that arrive, framed like that?
    #[track_caller]
    fn check(&self, sent: &[Sent], expected: Option<(SocketAddr, Option<u16>)>) {
        let got = sent.iter().map(|(_, to, bytes)| {
            let channel =
                (bytes[0] == 0x40 || bytes[0] == 0x4f).then(|| u16::from_be_bytes([bytes[0], bytes[1]]));
            (*to, channel)
        });
        assert_eq!(got.collect::<Vec<_>>(), expected.into_iter().collect::<Vec<_>>());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_server_does_what_the_model_says(ops in prop::collection::vec(op(), 1..80)) {
        let server = server_with(TurnSettings { nonce_lifetime: s(1_000_000), ..turn() });
        let mut run = Run { model: Model::default(), server, clients: clients() };
        for client in &mut run.clients {
            client.ask_bare(&mut run.server, s(0), METHOD_ALLOCATE, vec![]);
        }
        for op in &ops {
            run.step(op);
        }
    }
}
