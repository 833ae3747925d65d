//! The client of `rtc-turn`, the one that `webrtc` ships, against this server.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rtc_shared::{TransportContext, TransportMessage, TransportProtocol};
use rtc_turn::client::{Client, ClientConfig, Event};
use rtc_turn::crypto::default_provider;
use sansio::Protocol;
use turn_service::{Credentials, ErrorCode, Output, Server, ServiceEvent, Transport, TurnSettings, mint};

use crate::harness::{EPOCH, MS, at, peer, s, server, server_address, server_with, turn};

/// A client and a server with nothing but bytes between them.
struct Link {
    client: Client,
    me: SocketAddr,
    server: Server,
    origin: Instant,
    now: Duration,
    /// What the server sent to peers.
    to_peers: Vec<(SocketAddr, SocketAddr, Vec<u8>)>,
    events: Vec<ServiceEvent>,
}

impl Link {
    fn new(server: Server, username: &str, password: &str) -> Self {
        let me = at("203.0.113.1:40001");
        let config = ClientConfig {
            stun_serv_addr: server_address().to_string(),
            turn_serv_addr: server_address().to_string(),
            local_addr: me,
            username: username.into(),
            password: password.into(),
            ..ClientConfig::default()
        };
        let client = Client::new(config, default_provider().unwrap()).unwrap();
        #[allow(
            clippy::disallowed_methods,
            reason = "the client wants an Instant; only differences are used"
        )]
        let origin = Instant::now();
        Self { client, me, server, origin, now: s(0), to_peers: vec![], events: vec![] }
    }

    fn instant(&self) -> Instant {
        self.origin + self.now
    }

    /// Carries bytes both ways until both are quiet.
    fn exchange(&mut self) {
        while let Some(message) = self.client.poll_write() {
            let to = message.transport.peer_addr;
            let outputs = self.server.handle(self.now, Transport::Udp, self.me, to, &message.message);
            self.take(outputs);
        }
    }

    fn take(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Send { from, to, bytes, .. } if to == self.me => self.deliver(from, &bytes),
                Output::Send { from, to, bytes, .. } => self.to_peers.push((from, to, bytes)),
                Output::Event(event) => self.events.push(event),
                _ => {}
            }
        }
    }

    fn deliver(&mut self, from: SocketAddr, bytes: &[u8]) {
        let transport = TransportContext {
            local_addr: self.me,
            peer_addr: from,
            transport_protocol: TransportProtocol::UDP,
            ecn: None,
        };
        let now = self.instant();
        // The client reports a refusal of a transaction as an error of the read; the tests look at
        // events.
        let _ = self.client.handle_read(TransportMessage { now, transport, message: BytesMut::from(bytes) });
    }

    /// Lets both live until `until`.
    fn live(&mut self, until: Duration) {
        loop {
            self.exchange();
            let client = self.client.poll_timeout().map(|instant| instant.duration_since(self.origin));
            let next = [client, self.server.next_deadline()].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= until) else { break };
            self.now = self.now.max(next);
            let outputs = self.server.tick(self.now);
            self.take(outputs);
            self.client.handle_timeout(self.instant()).unwrap();
        }
        self.now = until;
    }

    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.client.poll_event()).collect()
    }

    #[track_caller]
    fn allocate(&mut self) -> SocketAddr {
        self.client.allocate(self.instant()).unwrap();
        self.exchange();
        match &self.events()[..] {
            [Event::AllocateResponse(_, relay)] => *relay,
            other => panic!("no allocation: {other:?}"),
        }
    }

    #[track_caller]
    fn permit(&mut self, relay: SocketAddr, peer: SocketAddr) {
        let now = self.instant();
        self.client.relay(relay).unwrap().create_permission(now, peer).unwrap();
        self.exchange();
        assert!(matches!(self.events()[..], [Event::CreatePermissionResponse(..)]));
    }

    fn send(&mut self, relay: SocketAddr, peer: SocketAddr, data: &[u8]) {
        let now = self.instant();
        self.client.relay(relay).unwrap().send_to(now, data, peer).unwrap();
        self.exchange();
    }

    fn hear(&mut self, peer: SocketAddr, relay: SocketAddr, data: &[u8]) -> Vec<(bool, SocketAddr, Vec<u8>)> {
        let outputs = self.server.handle(self.now, Transport::Udp, peer, relay, data);
        self.take(outputs);
        let heard = self.events().into_iter().filter_map(|event| match event {
            Event::DataIndicationOrChannelData(channel, from, data) => {
                Some((channel.is_some(), from, data.to_vec()))
            }
            _ => None,
        });
        heard.collect()
    }
}

fn alice() -> Link {
    Link::new(server(), "alice", "wonderland")
}

#[test]
fn binding_tells_the_address() {
    let mut link = alice();
    link.client.send_binding_request(link.instant()).unwrap();
    link.exchange();
    assert!(matches!(link.events()[..], [Event::BindingResponse(_, address)] if address == link.me));
}

#[test]
fn data_goes_both_ways_by_indication_and_then_by_channel() {
    let mut link = alice();
    let relay = link.allocate();
    link.permit(relay, peer());
    // The first datagram goes as an indication and binds a channel on the way.
    link.send(relay, peer(), b"one");
    link.send(relay, peer(), b"two");
    let expected = [(relay, peer(), b"one".to_vec()), (relay, peer(), b"two".to_vec())];
    assert_eq!(link.to_peers, expected);
    assert!(link.events.iter().any(|event| matches!(event, ServiceEvent::ChannelBound { .. })));
    assert_eq!(link.hear(peer(), relay, b"back"), [(true, peer(), b"back".to_vec())]);
    let neighbour = at("192.0.2.9:5001");
    assert_eq!(link.hear(neighbour, relay, b"back"), [(false, neighbour, b"back".to_vec())]);
}

#[test]
fn refreshes_keep_a_quiet_allocation_and_its_permission_alive() {
    let mut link = alice();
    let relay = link.allocate();
    link.permit(relay, peer());
    link.live(s(3000));
    assert_eq!(link.hear(peer(), relay, b"still there").len(), 1);
    assert!(!link.events.iter().any(|event| matches!(event, ServiceEvent::AllocationExpired { .. })));
}

#[test]
fn closing_releases_the_allocation() {
    let mut link = alice();
    let relay = link.allocate();
    link.client.relay(relay).unwrap().close(link.origin).unwrap();
    link.exchange();
    assert!(link.events.contains(&ServiceEvent::Released { relay }));
    assert!(link.client.relay(relay).is_err());
}

#[test]
fn a_wrong_password_is_an_error_with_its_code() {
    let mut link = Link::new(server(), "alice", "guess");
    link.client.allocate(link.instant()).unwrap();
    link.exchange();
    let events = link.events();
    let [Event::AllocateError(_, error)] = &events[..] else { panic!("{events:?}") };
    assert!(error.to_string().contains("401"), "{error}");
}

#[test]
fn a_minted_credential_allocates() {
    let credentials = Credentials::time_limited("hush");
    let minted = mint("hush", "alice", EPOCH + s(60)).unwrap();
    let server = server_with(TurnSettings { credentials, ..turn() });
    Link::new(server, &minted.username, &minted.password).allocate();
}

#[test]
fn a_lost_success_is_made_good_by_the_retransmission() {
    let mut link = alice();
    link.client.allocate(link.instant()).unwrap();
    let first = link.client.poll_write().unwrap();
    let challenge = link.server.handle(s(0), Transport::Udp, link.me, server_address(), &first.message);
    link.take(challenge);
    let second = link.client.poll_write().unwrap();
    link.server.handle(s(0), Transport::Udp, link.me, server_address(), &second.message);
    // That answer is lost.
    link.live(s(1));
    assert!(matches!(link.events()[..], [Event::AllocateResponse(..)]));
    assert!(link.events.iter().any(|event| matches!(event, ServiceEvent::Repeated { .. })));
}

/// A defect of `rtc-turn` 0.21.1, pinned so that a fix shows: it learns the new nonce from the 438 but
/// does not repeat the request (RFC 8489 §9.2.5 says it must). Its next Refresh is half a lifetime
/// later, when the allocation has just expired.
#[test]
fn a_stale_nonce_costs_this_client_its_allocation() {
    let mut link = alice();
    let relay = link.allocate();
    link.live(s(3900) - MS);
    let stale =
        |event: &ServiceEvent| matches!(event, ServiceEvent::Refused { code: ErrorCode::StaleNonce, .. });
    assert_eq!(link.events.iter().filter(|event| stale(event)).count(), 1, "the refresh at 3600 s");
    assert_eq!(link.server.relays().collect::<Vec<_>>(), [relay]);
    link.live(s(3900));
    assert!(link.events.contains(&ServiceEvent::AllocationExpired { relay }));
}
