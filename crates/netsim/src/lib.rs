//! A virtual network for one thread: hosts with access links, UDP and TCP sockets, virtual time.
//!
//! A [`World`] runs a future on tokio's paused clock. What hosts send takes the time, and meets the fate,
//! that their links' models say; one seed gives the same packets, bytes and times on every machine.
//!
//! ```
//! use std::time::Duration;
//! use netsim::{Access, HostSpec, LinkModel, ProcessingDelay, World, WorldConfig};
//!
//! let host = |name: &str, address: &str| HostSpec {
//!     name: name.into(),
//!     addresses: vec![address.parse().unwrap()],
//!     access: Access::symmetric(LinkModel::with_delay(Duration::from_millis(15))),
//!     processing: ProcessingDelay::ZERO,
//! };
//! let config = WorldConfig::builder(7)
//!     .host(host("caller", "10.0.0.1"))
//!     .host(host("callee", "10.0.0.2"))
//!     .deadline(Duration::from_secs(60))
//!     .build()
//!     .unwrap();
//! let settings = determinism::Settings { seed: 7, epoch_s: 1_767_225_600 };
//! let outcome = determinism::on_simulation_thread(settings, || {
//!     World::run(config, |world| async move {
//!         let caller = world.host(&"caller".into()).unwrap().bind_udp("10.0.0.1:5000".parse().unwrap()).unwrap();
//!         let callee = world.host(&"callee".into()).unwrap().bind_udp("10.0.0.2:5000".parse().unwrap()).unwrap();
//!         caller.send_to(b"hello", "10.0.0.2:5000".parse().unwrap()).await.unwrap();
//!         let mut buf = [0; 16];
//!         let (len, _) = callee.recv_from(&mut buf).await.unwrap();
//!         assert_eq!(&buf[..len], b"hello");
//!         world.now().as_millis()
//!     })
//! });
//! assert_eq!(outcome.unwrap().unwrap().value, Some(30));
//! ```
//!
//! Invariants:
//! - A packet from A to B crosses A's uplink, the core (free and instant, but for the gateways that A and B are
//!   behind) and B's downlink; loopback crosses nothing. Each stage is a module of `network`.
//! - Every draw is a pure function of the seed and of what it is for (`draw`): one packet more on one link
//!   shifts no other draw.
//! - What happens at one instant happens in one order: timers, then packets one by one (`pump`).
//! - TCP loses and reorders nothing: a loss is a delay (`hold`), until the user timeout.
//! - A world always ends: at its deadline, its event budget, or when it stalls (`budget`).
//! - A program that calls the machine instead of the world is noticed (`determinism`), and ends the world.
//!
//! Time has a resolution of one millisecond, that of tokio's timers. Delays are exact to the nanosecond
//! along a packet's way and rounded up once, where it arrives.
//!
//! Deliberately absent: any knowledge of WebRTC (but for [`classify`], which names what a packet carries),
//! fast retransmit and congestion control, fragments, ICMP, NAT for IPv6, TCP's `TIME-WAIT`.

mod attachment;
mod budget;
mod classify;
mod config;
mod counts;
mod draw;
mod effects;
mod events;
mod gateway;
mod handling;
mod hold;
mod host;
mod ids;
mod kernel;
mod link;
mod log;
mod lookup;
mod network;
mod numeric;
mod outcome;
mod pace;
mod pump;
mod shared;
mod sleep;
mod socket;
mod tap;
mod timers;
mod wire;
mod world;

pub use attachment::{Attachment, Connections, Handover, HandoverError, Power, Transition};
pub use classify::classify;
pub use config::{ConfigError, HostSpec, ProcessingDelay, WorldConfig, WorldConfigBuilder};
pub use counts::{AccessCounts, Counts, HalfCounts};
pub use determinism::{Escape, EscapeKind, Escapes};
pub use draw::Transport;
pub use gateway::{
    Action, Dependence, Firewall, Gateway, Hairpinning, NatConfig, Outward, PortAllocation, PortRange,
    Refresh, Rule, Timeouts,
};
pub use handling::Handling;
pub use host::Host;
pub use link::{
    Access, Correlation, Ending, GilbertElliott, Half, InvalidBursts, InvalidCorrelation, InvalidProbability,
    InvalidTailIndex, LinkModel, LinkState, Probability, QueueLimit, Rate, Reordering, Schedule, Spread,
    TailIndex,
};
pub use outcome::{End, Leftovers, Outcome, UnknownHost};
pub use pace::{Lateness, Pace};
pub use sleep::Sleep;
pub use socket::{TcpListener, TcpStream, UdpSocket};
pub use tap::{Arrival, Content, Crossing, Tap};
pub use wire::{Bound, Passage, Wire};
pub use world::{World, WorldError};
