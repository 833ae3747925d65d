//! The server: its state, its clock, and where each arriving message goes.

mod allocate;
mod auth;
mod relay;
mod requests;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::allocation::{Allocation, Ports};
use crate::api::{
    Liveness, MAX_REALM_BYTES, Mood, Output, ServiceEvent, Settings, SettingsError, TurnSettings,
};
use crate::cache::Cache;
use crate::code::DropReason;
use crate::draw::NONCE_BYTES;
use crate::wire::{FiveTuple, Transport, is_channel_data};

/// How many bytes what is sent can be longer than the datagram that caused it: the 401 challenge to a
/// bare request of 20 bytes, with the longest realm. (A Data indication adds 51 at most, a 420 two
/// bytes per unknown attribute of at least four.)
pub const MAX_GROWTH: usize = ERROR_CODE + (4 + MAX_REALM_BYTES) + (4 + NONCE_BYTES) + FINGERPRINT;
/// ERROR-CODE "401 Unauthorized", with its header.
const ERROR_CODE: usize = 4 + 4 + 12;
/// FINGERPRINT, with its header.
const FINGERPRINT: usize = 8;

/// A STUN and TURN server. See the crate's documentation for what it promises.
pub struct Server {
    seed: u64,
    epoch: Duration,
    turn: Option<Arc<TurnSettings>>,
    mood: Mood,
    /// The latest virtual time seen; time never runs back.
    now: Duration,
    /// How often it was rebooted.
    boot: u64,
    /// Data indications and reservation tokens made in this life; their ids follow from it.
    made: u64,
    allocations: BTreeMap<FiveTuple, Allocation>,
    relays: BTreeMap<SocketAddr, FiveTuple>,
    ports: Ports,
    cache: Cache,
    traffic: Traffic,
    /// When the latest bytes for a stream are released; later ones do not overtake them.
    stream_release: Duration,
}

/// How much was relayed since the server was made. The hop inside one server counts in both directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Datagrams from clients to peers.
    pub to_peers: u64,
    /// Application bytes in them.
    pub to_peers_bytes: u64,
    /// Datagrams from peers to clients.
    pub to_clients: u64,
    /// Application bytes in them.
    pub to_clients_bytes: u64,
}

impl Server {
    /// A healthy server at virtual time zero.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] if the settings contradict themselves.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        if let Some(turn) = &settings.turn {
            turn.check()?;
        }
        let range = settings.turn.as_ref().map_or(1..=1, |turn| turn.relay_ports.clone());
        Ok(Self {
            seed: settings.seed,
            epoch: settings.epoch,
            turn: settings.turn.map(Arc::new),
            mood: Mood::default(),
            now: Duration::ZERO,
            boot: 0,
            made: 0,
            allocations: BTreeMap::new(),
            relays: BTreeMap::new(),
            ports: Ports::new(range, 0),
            cache: Cache::default(),
            traffic: Traffic::default(),
            stream_release: Duration::ZERO,
        })
    }

    /// Takes what arrived at `to`: one datagram at the server's address or at a relayed transport
    /// address, or one message of a TCP stream ([`StreamDeframer`](crate::StreamDeframer)). Expires what
    /// is due first, so a late [`tick`](Self::tick) changes no answer.
    pub fn handle(
        &mut self,
        now: Duration,
        transport: Transport,
        from: SocketAddr,
        to: SocketAddr,
        bytes: &[u8],
    ) -> Vec<Output> {
        let mut out = self.tick(now);
        let done = if self.mood.liveness == Liveness::Dead {
            Err(DropReason::Dead)
        } else if transport == Transport::Udp && self.is_relay_address(to) {
            self.relay_to_client(from, to, bytes, &mut out)
        } else if is_channel_data(bytes) {
            self.channel_data(FiveTuple { transport, client: from, server: to }, bytes, &mut out)
        } else {
            self.stun(FiveTuple { transport, client: from, server: to }, bytes, &mut out)
        };
        if let Err(reason) = done {
            out.push(Output::Event(ServiceEvent::Dropped { from, to, reason }));
        }
        out
    }

    /// Lets expire what is due at `now`.
    pub fn tick(&mut self, now: Duration) -> Vec<Output> {
        self.now = self.now.max(now);
        let now = self.now;
        let mut out = Vec::new();
        self.ports.expire(now);
        for (_, gone) in self.allocations.extract_if(.., |_, allocation| allocation.expires <= now) {
            self.relays.remove(&gone.relay);
            out.push(Output::Event(ServiceEvent::AllocationExpired { relay: gone.relay }));
            out.push(Output::Close { relay: gone.relay });
        }
        for allocation in self.allocations.values_mut() {
            out.extend(allocation.expire(now).into_iter().map(Output::Event));
        }
        out
    }

    /// When [`tick`](Self::tick) has something to do next; `None` while nothing can expire.
    pub fn next_deadline(&self) -> Option<Duration> {
        let allocations = self.allocations.values().map(Allocation::next_deadline);
        allocations.chain(self.ports.next_deadline()).min()
    }

    /// The faults in force.
    pub fn mood(&self) -> Mood {
        self.mood
    }

    /// Changes the faults in force, from the next message on.
    pub fn set_mood(&mut self, mood: Mood) {
        self.mood = mood;
    }

    /// Restarts the server: allocations, reservations and remembered answers are lost, every nonce is
    /// stale, relayed ports start elsewhere in the range. Settings, mood and traffic counts stay.
    pub fn reboot(&mut self, now: Duration) -> Vec<Output> {
        let mut out = self.tick(now);
        let allocations = self.allocations.len();
        out.push(Output::Event(ServiceEvent::Rebooted { allocations }));
        out.extend(self.relays.keys().map(|relay| Output::Close { relay: *relay }));
        self.boot += 1;
        self.made = 0;
        self.allocations.clear();
        self.relays.clear();
        self.cache.clear();
        if let Some(turn) = &self.turn {
            self.ports = Ports::new(turn.relay_ports.clone(), self.boot);
        }
        out
    }

    /// The TCP connection from `client` to `server` has ended; its allocation goes with it, since no
    /// message can come on that 5-tuple any more. (The RFCs leave the moment to the server.)
    pub fn disconnected(&mut self, now: Duration, client: SocketAddr, server: SocketAddr) -> Vec<Output> {
        let mut out = self.tick(now);
        self.release(FiveTuple { transport: Transport::Tcp, client, server }, &mut out);
        out
    }

    /// The relayed transport addresses that are allocated, in order: the sockets a driver has open.
    pub fn relays(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        self.relays.keys().copied()
    }

    /// How much was relayed.
    pub fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// Ends an allocation, if there is one.
    fn release(&mut self, client: FiveTuple, out: &mut Vec<Output>) {
        if let Some(gone) = self.allocations.remove(&client) {
            self.relays.remove(&gone.relay);
            out.push(Output::Event(ServiceEvent::Released { relay: gone.relay }));
            out.push(Output::Close { relay: gone.relay });
        }
    }

    /// Is this an address of the relay's range, allocated or not?
    fn is_relay_address(&self, address: SocketAddr) -> bool {
        self.turn
            .as_ref()
            .is_some_and(|turn| turn.relay_ips.contains(&address.ip()) && self.ports.contains(address.port()))
    }

    /// Sends to a client, when the mood allows.
    fn send_to_client(&mut self, client: FiveTuple, bytes: Vec<u8>, out: &mut Vec<Output>) {
        let mut release = self.now.saturating_add(self.mood.delay);
        if client.transport == Transport::Tcp {
            release = release.max(self.stream_release);
            self.stream_release = release;
        }
        out.push(Output::Send {
            transport: client.transport,
            from: client.server,
            to: client.client,
            bytes,
            after: release - self.now,
        });
    }
}
