//! Where hosts hang on the network, what is between them, and the servers that ICE needs.

use schemars::JsonSchema;

use super::{Duration, OneOrMore, Probability, Profile};
use crate::plan::{
    CredentialKind, CredentialsWord, DependenceWord, Device, FirewallKind, IceServerKind, LivenessWord,
    NatKind, PortSupplyWord, PortsWord, RefreshWord,
};

/// Where a peer hangs on the network. What stands beside a profile replaces what the profile says.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Attachment {
    /// What its network is like: a name that `cargo xtask profiles` lists.
    profile: Option<Profile>,
    /// Its address, IPv4 or IPv6, or several. Default: 10.0.0.N for the N-th peer, 192.168.N.2 behind a NAT.
    address: Option<OneOrMore<String>>,
    /// Its way into the network. Default: 10 ms each way.
    link: Option<Link>,
    /// How that changes in the course of time.
    schedule: Option<Schedule>,
    #[schemars(flatten)]
    gateway: OwnGateway,
    /// The gateways between it and the network, the nearest first: two make a carrier-grade NAT.
    gateways: Option<Vec<OwnGateway>>,
}

/// A host's way into the network. A packet meets its sender's `up`, then its receiver's `down`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Link {
    #[schemars(flatten)]
    both: Half,
    /// What differs from the host into the network.
    up: Option<Half>,
    /// What differs from the network to the host.
    down: Option<Half>,
}

/// One direction of a host's way into the network.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Half {
    /// How long every packet takes. Default: 10ms.
    delay: Option<Duration>,
    /// How much longer a packet may take, drawn evenly. Default: 0s.
    jitter: Option<Duration>,
    /// How likely a packet is lost. Default: 0%.
    loss: Option<Probability>,
    /// The mean length of a burst of losses, in packets: with `loss`, a Gilbert–Elliott chain. Without it,
    /// each packet is lost on its own.
    #[schemars(range(min = 1))]
    burst: Option<f64>,
    /// A Gilbert–Elliott chain by its four probabilities, next to `loss`.
    bursts: Option<Bursts>,
    /// How fast it is: `500kbps`, `8Mbps`. Default: as fast as one likes.
    rate: Option<String>,
    /// What waits for its turn: a time or a size, `150ms`, `64KiB`; what finds no room is dropped. Default: 200ms.
    queue: Option<String>,
    /// What varies around the delay, next to `jitter`.
    spread: Option<Spread>,
    /// How much the varying part of a packet's delay resembles that of the packet before. Default: 0.
    #[schemars(range(min = 0, max = 1))]
    correlation: Option<f64>,
    /// Packets that take a detour, so that later ones overtake them.
    reordering: Option<Reordering>,
    /// How many datagrams arrive twice. Default: 0%.
    duplication: Option<Probability>,
    /// How many datagrams arrive with one bit flipped. Default: 0%.
    corruption: Option<Probability>,
    /// The longest IP packet, in bytes; longer ones are dropped in silence. Default: any.
    #[schemars(range(min = 68, max = 65535))]
    mtu: Option<u32>,
}

/// A Gilbert–Elliott chain.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Bursts {
    /// How probable a change to the bad state is, at each packet in the good one.
    to_bad: Probability,
    /// How probable a change to the good state is, at each packet in the bad one.
    to_good: Probability,
    /// How many packets are lost in the good state. Default: 0%.
    loss_good: Option<Probability>,
    /// How many packets are lost in the bad state. Default: 100%.
    loss_bad: Option<Probability>,
}

/// What varies around a delay.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub(super) enum Spread {
    /// Normal around the delay, with this standard deviation.
    Normal(Duration),
    /// A heavy tail above the delay (Pareto of the second kind).
    Tail(Tail),
}

/// A heavy tail.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Tail {
    /// How wide it is.
    scale: Duration,
    /// The exponent, above 1: the smaller, the heavier.
    #[schemars(range(min = 1))]
    index: f64,
}

/// Packets that take a detour.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Reordering {
    /// How many.
    probability: Probability,
    /// How much longer it takes.
    extra: Duration,
}

/// How a link changes in the course of time.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Schedule {
    /// Whether it begins again after its last step. Default: false.
    repeat: Option<bool>,
    /// What the link is like, and for how long.
    #[schemars(length(min = 1))]
    steps: Vec<ScheduleStep>,
}

/// A part of a schedule.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct ScheduleStep {
    /// How long it lasts.
    r#for: Duration,
    /// What the link is like. Default: as ever.
    link: Option<ScheduledLink>,
}

/// `down`, or what differs from what the link is otherwise.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum ScheduledLink {
    Down(Down),
    Link(Box<Link>),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
pub(super) enum Down {
    Down,
}

/// A NAT: one of the names of RFC 3489, or its behaviour in the words of RFC 4787.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Nat {
    Kind(NatKind),
    Behaviour(NatBehaviour),
}

/// How a NAT behaves (RFC 4787).
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct NatBehaviour {
    /// What it is like where nothing else is said. Default: port-restricted-cone.
    kind: Option<NatKind>,
    /// When an inside endpoint keeps its outside endpoint (§4.1).
    mapping: Option<DependenceWord>,
    /// Who is let in (§5).
    filtering: Option<DependenceWord>,
    /// How outside ports are chosen (§4.2). Default: preserved; of a symmetric NAT: random.
    ports: Option<PortsWord>,
    /// The first and the last outside port. Default: [1024, 65535].
    port_range: Option<[u16; 2]>,
    /// Whether inside endpoints reach each other through their mappings (§6). Default: true.
    hairpinning: Option<bool>,
    /// What keeps a UDP mapping alive (§4.3). Default: outbound.
    refresh: Option<RefreshWord>,
    /// After how much silence a UDP mapping is forgotten. Default: 2m.
    udp_timeout: Option<Duration>,
}

/// A firewall: one that is found, or UDP to one port only.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Firewall {
    Kind(FirewallKind),
    Port(UdpOnlyTo),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields, inline)]
pub(super) struct UdpOnlyTo {
    /// The only port to which UDP may go; its answers come back.
    #[schemars(range(min = 1))]
    udp_only_to: u16,
}

/// A NAT, a firewall or both, between a peer and the network.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct OwnGateway {
    /// How it translates IPv4. Default: it does not.
    nat: Option<Nat>,
    /// What it lets through. Default: everything that the NAT lets through.
    firewall: Option<Firewall>,
    /// The NAT's outside address. Default: 203.0.113.N, behind another NAT 100.64.0.N.
    public: Option<String>,
}

/// A NAT, a firewall or both, that several peers are behind.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct SharedGateway {
    /// The peers and gateways behind it.
    inside: Vec<String>,
    #[schemars(flatten)]
    own: OwnGateway,
}

/// A STUN or TURN server.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct IceServer {
    /// What it does. Default: turn.
    kind: Option<IceServerKind>,
    /// Its addresses, at most one of each family. Default: 198.51.100.N.
    address: Option<OneOrMore<String>>,
    /// Its way into the network. Default: 10 ms each way.
    link: Option<Link>,
    /// How fast its machine is. Default: server.
    device: Option<Device>,
    /// Its port. Default: 3478.
    #[schemars(range(min = 1))]
    port: Option<u16>,
    /// How it knows its users. Default: long-term.
    credentials: Option<CredentialKind>,
    /// The first and the last port to relay from. Default: [49152, 65535].
    relay_ports: Option<[u16; 2]>,
    /// How long an allocation lives, 1s to 1h. Default: 10m.
    allocation_lifetime: Option<Duration>,
    /// How long a nonce is good for, 1s to 1h. Default: 1h.
    nonce_lifetime: Option<Duration>,
    /// How many allocations one user may have. Default: any number.
    #[schemars(range(min = 1))]
    quota: Option<u32>,
    /// What is wrong with it at the start.
    mood: Option<Mood>,
}

/// What is wrong with a STUN or TURN server; what is not said is well.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Mood {
    /// Whether it reacts at all.
    liveness: Option<LivenessWord>,
    /// How much later it sends whatever it sends.
    delay: Option<Duration>,
    /// Whether it accepts right credentials.
    credentials: Option<CredentialsWord>,
    /// Whether it has ports to relay from.
    ports: Option<PortSupplyWord>,
    /// How long nonces are good for, those given out already as well.
    nonce_lifetime: Option<Duration>,
}
