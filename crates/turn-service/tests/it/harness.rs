//! A client in the raw: it forms any request, right or wrong, and shows what came back.

use std::net::SocketAddr;
use std::time::Duration;

use rtc_stun::attributes::*;
use rtc_stun::crypto::default_provider;
use rtc_stun::error_code::ErrorCodeAttribute;
use rtc_stun::fingerprint::FINGERPRINT;
use rtc_stun::integrity::MessageIntegrity;
use rtc_stun::message::*;
use rtc_stun::textattrs::TextAttribute;
use rtc_turn::proto::channum::ChannelNumber;
use rtc_turn::proto::data::Data;
use rtc_turn::proto::peeraddr::PeerAddress;
use rtc_turn::proto::relayaddr::RelayedAddress;
use turn_service::{Credentials, Output, Server, ServiceEvent, Settings, Transport, TurnSettings};

pub(crate) const EPOCH: Duration = Duration::from_secs(1_700_000_000);
pub(crate) const REALM: &str = "sim";

pub(crate) fn at(address: &str) -> SocketAddr {
    address.parse().unwrap()
}

pub(crate) fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) const MS: Duration = Duration::from_millis(1);

pub(crate) fn server_address() -> SocketAddr {
    at("198.51.100.2:3478")
}

pub(crate) fn peer() -> SocketAddr {
    at("192.0.2.9:5000")
}

/// alice and bob may allocate on 198.51.100.2.
pub(crate) fn turn() -> TurnSettings {
    let credentials = Credentials::user("alice", "wonderland").and_user("bob", "builder");
    TurnSettings::new(REALM, credentials, vec!["198.51.100.2".parse().unwrap()])
}

pub(crate) fn server() -> Server {
    server_with(turn())
}

pub(crate) fn server_with(turn: TurnSettings) -> Server {
    Server::new(Settings::with_turn(7, EPOCH, turn)).unwrap()
}

pub(crate) type Attrs = Vec<Box<dyn Setter>>;

pub(crate) fn raw(typ: AttrType, value: &[u8]) -> Box<dyn Setter> {
    Box::new(RawAttribute { typ, length: value.len() as u16, value: value.to_vec() })
}

pub(crate) fn udp() -> Box<dyn Setter> {
    raw(ATTR_REQUESTED_TRANSPORT, &[17, 0, 0, 0])
}

pub(crate) fn lifetime(seconds: u32) -> Box<dyn Setter> {
    raw(ATTR_LIFETIME, &seconds.to_be_bytes())
}

pub(crate) fn to(peer: SocketAddr) -> Box<dyn Setter> {
    Box::new(PeerAddress { ip: peer.ip(), port: peer.port() })
}

pub(crate) fn number(number: u16) -> Box<dyn Setter> {
    Box::new(ChannelNumber(number))
}

pub(crate) fn send_to(peer: SocketAddr, data: &[u8]) -> Attrs {
    vec![to(peer), Box::new(Data(data.to_vec()))]
}

pub(crate) fn channel_data(number: u16, data: &[u8]) -> Vec<u8> {
    [&number.to_be_bytes()[..], &(data.len() as u16).to_be_bytes(), data].concat()
}

/// A user at an address, with the nonce it learnt last.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) me: SocketAddr,
    pub(crate) transport: Transport,
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) nonce: String,
    ids: u64,
}

impl Client {
    pub(crate) fn new(me: &str, username: &str, password: &str) -> Self {
        Self {
            me: at(me),
            transport: Transport::Udp,
            username: username.into(),
            password: password.into(),
            nonce: "none".into(),
            ids: 0,
        }
    }

    pub(crate) fn alice() -> Self {
        Self::new("203.0.113.1:40001", "alice", "wonderland")
    }

    pub(crate) fn alice_on_tcp() -> Self {
        Self { transport: Transport::Tcp, ..Self::alice() }
    }

    pub(crate) fn bob() -> Self {
        Self::new("203.0.113.2:40002", "bob", "builder")
    }

    /// A message without credentials.
    pub(crate) fn bare(&mut self, kind: MessageType, attrs: Attrs) -> Vec<u8> {
        self.ids += 1;
        let mut id = [0; TRANSACTION_ID_SIZE];
        id[..2].copy_from_slice(&self.me.port().to_be_bytes());
        id[4..].copy_from_slice(&self.ids.to_be_bytes());
        let mut all: Attrs = vec![Box::new(TransactionId(id)), Box::new(kind)];
        all.extend(attrs);
        let mut message = Message::new();
        message.build(&all).unwrap();
        message.raw
    }

    /// A request with credentials.
    pub(crate) fn signed(&mut self, method: Method, mut attrs: Attrs) -> Vec<u8> {
        attrs.push(raw(ATTR_USERNAME, self.username.as_bytes()));
        attrs.push(raw(ATTR_REALM, REALM.as_bytes()));
        attrs.push(raw(ATTR_NONCE, self.nonce.as_bytes()));
        let mut message = Message::new();
        message.raw = self.bare(MessageType::new(method, CLASS_REQUEST), attrs);
        message.decode().unwrap();
        let provider = default_provider().unwrap();
        let integrity = MessageIntegrity::new_raw_integrity_with_provider(self.key(), provider.crypto());
        integrity.add_to(&mut message).unwrap();
        FINGERPRINT.add_to(&mut message).unwrap();
        message.raw
    }

    /// Sends any bytes, gives everything that the server did.
    pub(crate) fn send(&self, server: &mut Server, now: Duration, bytes: &[u8]) -> Vec<Output> {
        server.handle(now, self.transport, self.me, server_address(), bytes)
    }

    /// Sends a request with credentials; 0 for success, else the error code. Learns a new nonce.
    pub(crate) fn ask(&mut self, server: &mut Server, now: Duration, method: Method, attrs: Attrs) -> u16 {
        let request = self.signed(method, attrs);
        self.answer(&self.send(server, now, &request)).1
    }

    /// The same for a request without credentials.
    pub(crate) fn ask_bare(
        &mut self,
        server: &mut Server,
        now: Duration,
        method: Method,
        attrs: Attrs,
    ) -> u16 {
        let request = self.bare(MessageType::new(method, CLASS_REQUEST), attrs);
        self.answer(&self.send(server, now, &request)).1
    }

    /// Gets a nonce and an allocation.
    #[track_caller]
    pub(crate) fn allocate(&mut self, server: &mut Server, now: Duration) -> SocketAddr {
        assert_eq!(self.ask_bare(server, now, METHOD_ALLOCATE, vec![udp()]), 401);
        let request = self.signed(METHOD_ALLOCATE, vec![udp()]);
        let (message, code) = self.answer(&self.send(server, now, &request));
        assert_eq!(code, 0, "allocate");
        relayed(&message)
    }

    pub(crate) fn permit(&mut self, server: &mut Server, now: Duration, peer: SocketAddr) -> u16 {
        self.ask(server, now, METHOD_CREATE_PERMISSION, vec![to(peer)])
    }

    pub(crate) fn bind(&mut self, server: &mut Server, now: Duration, channel: u16, peer: SocketAddr) -> u16 {
        self.ask(server, now, METHOD_CHANNEL_BIND, vec![number(channel), to(peer)])
    }

    /// A Send indication; the bytes that left the server.
    pub(crate) fn indicate(
        &mut self,
        server: &mut Server,
        now: Duration,
        peer: SocketAddr,
        data: &[u8],
    ) -> Vec<Sent> {
        let kind = MessageType::new(METHOD_SEND, CLASS_INDICATION);
        let message = self.bare(kind, send_to(peer, data));
        sent(&self.send(server, now, &message))
    }

    /// The one answer among `outputs`, checked for fingerprint and, where it has one, integrity; and
    /// its error code.
    #[track_caller]
    pub(crate) fn answer(&mut self, outputs: &[Output]) -> (Message, u16) {
        let sent = sent(outputs);
        let [(_, to, bytes)] = sent.as_slice() else { panic!("one answer expected: {outputs:?}") };
        assert_eq!(*to, self.me);
        let mut message = Message::new();
        message.raw = bytes.clone();
        message.decode().unwrap();
        FINGERPRINT.check(&message).unwrap();
        if message.contains(ATTR_MESSAGE_INTEGRITY) {
            let provider = default_provider().unwrap();
            MessageIntegrity::check(&mut message, &self.key(), provider.crypto()).unwrap();
        }
        if let Ok(nonce) = TextAttribute::get_from_as(&message, ATTR_NONCE) {
            self.nonce = nonce.text;
        }
        let mut code = ErrorCodeAttribute::default();
        let code = code.get_from(&message).map_or(0, |()| code.code.0);
        (message, code)
    }

    fn key(&self) -> Vec<u8> {
        let provider = default_provider().unwrap();
        let (username, password) = (self.username.clone(), self.password.clone());
        MessageIntegrity::long_term_integrity_key(username, REALM.into(), password, provider.crypto())
            .unwrap()
    }
}

pub(crate) fn relayed(message: &Message) -> SocketAddr {
    let mut relay = RelayedAddress::default();
    relay.get_from(message).unwrap();
    SocketAddr::new(relay.ip, relay.port)
}

/// From, to, bytes.
pub(crate) type Sent = (SocketAddr, SocketAddr, Vec<u8>);

pub(crate) fn sent(outputs: &[Output]) -> Vec<Sent> {
    let sends = outputs.iter().filter_map(|output| match output {
        Output::Send { from, to, bytes, .. } => Some((*from, *to, bytes.clone())),
        _ => None,
    });
    sends.collect()
}

pub(crate) fn events(outputs: &[Output]) -> Vec<ServiceEvent> {
    let events = outputs.iter().filter_map(|output| match output {
        Output::Event(event) => Some(event.clone()),
        _ => None,
    });
    events.collect()
}

/// A datagram from `peer` to `relay`; what left the server.
pub(crate) fn from_peer(
    server: &mut Server,
    now: Duration,
    peer: SocketAddr,
    relay: SocketAddr,
    data: &[u8],
) -> Vec<Sent> {
    sent(&server.handle(now, Transport::Udp, peer, relay, data))
}
