//! The shape of a scenario file, written down for its schema only: nothing is ever deserialised into
//! these types. Their comments are what an editor shows.

#![allow(dead_code, reason = "the types are read by the schema generator, their fields by nobody")]

mod signalling;

use std::{borrow::Cow, collections::BTreeMap};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use timeline::Machine;

use self::signalling::{Signaling, Signaller, SignallerAction};
use crate::{
    checks,
    format::states_known,
    plan::{
        AlwaysOn, Codecs, CredentialKind, CredentialsWord, Crypto, DeliveryWord, DependenceWord, Device,
        FacingMode, FirewallKind, IceServerKind, IceTransportPolicy, LivenessWord, LocalWord, MediaKind,
        Milestone, NatKind, Outcome, PathWord, Permission, PortSupplyWord, PortsWord, RefreshWord, TcpWord,
        TurnCredentials, WayTaken,
    },
    profile,
    record::END_REASONS,
};

/// A scripted call: who takes part, over which network, what happens when, and what must hold.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields, title = "callsim scenario")]
pub(super) struct Scenario {
    /// The version of this format.
    version: u64,
    /// One sentence for people: who, on which network, what happens.
    summary: Text,
    /// The virtual time at which a run is stopped. Default: 60s.
    deadline: Option<Duration>,
    /// How many events a run may take. Default: 5 000 000.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    event_budget: Option<u64>,
    /// How many seeds are played by default. Default: 20.
    #[schemars(range(min = 1, max = 100_000))]
    seeds: Option<u32>,
    /// The peers by name, at least two. Their order gives their addresses: 10.0.0.1, 10.0.0.2, …
    #[schemars(extend("minProperties" = 2))]
    peers: BTreeMap<String, Peer>,
    /// The signalling server.
    signaller: Option<Signaller>,
    /// The NATs and firewalls that several peers are behind, by name.
    gateways: Option<BTreeMap<String, SharedGateway>>,
    /// The guards of all engines, for tests of the harness itself. Default: all on.
    engine: Option<Guards>,
    /// The guard that the scenario is about: `cargo xtask scenarios --guards-off` plays it without.
    guard: Option<AboutGuard>,
    /// The STUN and TURN servers, by name.
    ice_servers: Option<BTreeMap<String, IceServer>>,
    /// What happens when, in time order; at least one step dials.
    #[schemars(length(min = 1))]
    steps: Vec<Step>,
    /// What must hold.
    expect: Expect,
}

/// A guard of the engine, and what the harness must see where it is off.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct AboutGuard {
    /// The guard.
    off: GuardName,
    /// The checks of which one must fail without it.
    fails: OneOrMore<CheckName>,
}

/// A text that says something.
#[derive(JsonSchema)]
#[schemars(inline)]
struct Text(#[schemars(length(min = 1))] String);

/// A duration: `250ms`, `2s`, `1s 500ms`, `1m`; at most 24h.
#[derive(JsonSchema)]
struct Duration(#[schemars(regex(pattern = r"^\s*[0-9]"))] String);

/// A probability: `"5%"`, or a number from 0 to 1.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Probability {
    PerCent(#[schemars(regex(pattern = r"^\s*[0-9]+(\.[0-9]+)?\s*%$"))] String),
    Fraction(#[schemars(range(min = 0.0, max = 1.0))] f64),
}

/// One, or a list of several.
#[derive(JsonSchema)]
#[schemars(untagged, inline)]
enum OneOrMore<T> {
    One(T),
    More(Vec<T>),
}

/// A peer: its machine, its network, its media and its user.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct Peer {
    #[schemars(flatten)]
    attachment: Attachment,
    /// The STUN and TURN servers that it uses, by name. Default: all.
    ice_servers: Option<Vec<String>>,
    /// Which candidates it may use. Default: all.
    ice_transport_policy: Option<IceTransportPolicy>,
    /// What it shows to TURN servers. Default: valid.
    turn_credentials: Option<TurnCredentials>,
    /// How fast its machine is. Default: what the profile says, else laptop.
    device: Option<Device>,
    /// Which tracks it brings; `voice` has a video track that is disabled. Default: audio-video.
    media: Option<Media>,
    /// What `getUserMedia` answers. Default: granted.
    permission: Option<Permission>,
    /// What its user does when it rings. Default: accept.
    on_ring: Option<OnRing>,
    /// How long a call may ring. Default: 30s.
    ring_timeout: Option<Duration>,
    /// How long an accepted call may take to connect. Default: 30s.
    connect_timeout: Option<Duration>,
    /// Which codecs it offers. Default: opus-vp8.
    codecs: Option<Codecs>,
    /// Where its cryptography comes from. Default: ring.
    crypto: Option<Crypto>,
    /// Video frames per second. Default: 30.
    #[schemars(range(min = 1, max = 120))]
    frame_rate: Option<u32>,
    /// Which camera it asks for. Default: user.
    facing_mode: Option<FacingMode>,
    /// How its engine recovers a connection that fails; `true` for its own settings. Default: not at all.
    recovery: Option<RecoverySwitch>,
    /// Whether it has data channels; both sides must have them or not. Default: false.
    data_channels: Option<bool>,
    /// How often it takes statistics. Default: never.
    statistics: Option<Duration>,
    /// After which silence it calls a remote track paused. Default: never.
    media_silence: Option<Duration>,
    /// How it reaches the signaller. Default: as `[signaller]` says, with the client's own settings.
    signaling: Option<Signaling>,
}

/// Whether a connection that fails is recovered, and how.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum RecoverySwitch {
    Whether(bool),
    How(Recovery),
}

/// The rungs of the ladder, and how long each may take; `false` leaves one out.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct Recovery {
    /// How long `disconnected` may heal by itself. Default: 2s.
    disconnected_wait: Option<Duration>,
    /// How long ICE may stay in `checking` when the call first connects. Default: 8s.
    checking: Option<Rung>,
    /// How long the DTLS handshake may take. Default: 5s.
    dtls_handshake: Option<Rung>,
    /// How long an ICE restart may take. Default: 6s.
    ice_restart: Option<Rung>,
    /// How long an ICE restart over TURN alone may take. Default: 6s.
    relay_restart: Option<Rung>,
    /// How long a rebuilt peer connection may take. Default: 8s.
    rebuild_within: Option<Duration>,
    /// How often the peer connection is rebuilt. Default: 8.
    #[schemars(range(max = 100))]
    rebuilds: Option<u32>,
    /// How much longer than the caller the callee waits. Default: 1500ms.
    follower_grace: Option<Duration>,
    /// From the loss of the connection to the end of the call. Default: 60s.
    give_up: Option<Duration>,
}

/// How long a rung may take, or `false`.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Rung {
    For(Duration),
    Without(bool),
}

/// Where a peer hangs on the network. What stands beside a profile replaces what the profile says.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct Attachment {
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
struct Link {
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
struct Half {
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
struct Bursts {
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
enum Spread {
    /// Normal around the delay, with this standard deviation.
    Normal(Duration),
    /// A heavy tail above the delay (Pareto of the second kind).
    Tail(Tail),
}

/// A heavy tail.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct Tail {
    /// How wide it is.
    scale: Duration,
    /// The exponent, above 1: the smaller, the heavier.
    #[schemars(range(min = 1))]
    index: f64,
}

/// Packets that take a detour.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct Reordering {
    /// How many.
    probability: Probability,
    /// How much longer it takes.
    extra: Duration,
}

/// How a link changes in the course of time.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct Schedule {
    /// Whether it begins again after its last step. Default: false.
    repeat: Option<bool>,
    /// What the link is like, and for how long.
    #[schemars(length(min = 1))]
    steps: Vec<ScheduleStep>,
}

/// A part of a schedule.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct ScheduleStep {
    /// How long it lasts.
    r#for: Duration,
    /// What the link is like. Default: as ever.
    link: Option<ScheduledLink>,
}

/// `down`, or what differs from what the link is otherwise.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum ScheduledLink {
    Down(Down),
    Link(Box<Link>),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
enum Down {
    Down,
}

/// A NAT: one of the names of RFC 3489, or its behaviour in the words of RFC 4787.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Nat {
    Kind(NatKind),
    Behaviour(NatBehaviour),
}

/// How a NAT behaves (RFC 4787).
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct NatBehaviour {
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
enum Firewall {
    Kind(FirewallKind),
    Port(UdpOnlyTo),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields, inline)]
struct UdpOnlyTo {
    /// The only port to which UDP may go; its answers come back.
    #[schemars(range(min = 1))]
    udp_only_to: u16,
}

/// A NAT, a firewall or both, between a peer and the network.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct OwnGateway {
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
struct SharedGateway {
    /// The peers and gateways behind it.
    inside: Vec<String>,
    #[schemars(flatten)]
    own: OwnGateway,
}

/// A STUN or TURN server.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct IceServer {
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
struct Mood {
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

/// The tracks of a peer.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
enum Media {
    AudioVideo,
    Voice,
    AudioOnly,
}

/// What a user does when it rings.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum OnRing {
    AtOnce(Reaction),
    Later(Later),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
enum Reaction {
    Accept,
    Reject,
    Ignore,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", rename_all_fields = "kebab-case", inline)]
enum Later {
    AcceptAfter(Duration),
    RejectAfter(Duration),
}

/// A moment, and what each peer or the network does then: `caller = { dial = "callee" }`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
struct Step {
    /// When, counted from the beginning of the run.
    at: Duration,
    /// What happens to the network.
    network: Option<NetworkAction>,
    /// What happens to the signalling server.
    signaller: Option<SignallerAction>,
    #[schemars(flatten)]
    peers: BTreeMap<String, PeerAction>,
}

/// What a peer does.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum PeerAction {
    Word(PeerWord),
    Table(PeerTable),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
enum PeerWord {
    /// Takes the call that rings.
    Accept,
    /// Declines the call that rings.
    Reject,
    /// Leaves its call; while it rings at the other end this cancels it.
    HangUp,
    /// Turns its audio track on.
    EnableAudio,
    /// Turns its audio track off.
    DisableAudio,
    /// Turns its video track on.
    EnableVideo,
    /// Turns its video track off.
    DisableVideo,
    /// Fires `negotiationneeded` though nothing needs it.
    NegotiationNeeded,
    /// Puts the call on hold.
    Hold,
    /// Takes it up again.
    Resume,
    /// Shares the screen, as a second video track.
    ShareScreen,
    /// Shares it no longer.
    StopScreen,
    /// Loses the permission for microphone and camera.
    LosePermission,
    /// Calls `createDataChannel` by itself.
    CreateDataChannel,
    /// Calls `restartIce` by itself.
    RestartIce,
    /// Calls `close` by itself.
    Close,
    /// Leaves the call of several that it is in.
    Leave,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
enum PeerTable {
    /// Calls this peer.
    Dial(String),
    /// Joins the call of several of this name, and dials everybody who is in it.
    Join(Text),
    /// Fires `negotiationneeded` this many times though nothing needs it.
    NegotiationNeeded(#[schemars(range(min = 1, max = 1000))] u32),
    /// Sends a candidate by itself, whatever its engine does, as apps do that offer while it still rings.
    SendCandidate(SendCandidate),
    /// Goes over to this camera; nothing is negotiated.
    SwitchCamera(FacingMode),
    /// Sends messages on a data channel.
    SendData(SendData),
    /// Calls `getUserMedia` and `addTrack` by itself. A peer that makes calls of the API by itself has no engine.
    AddTrack(MediaKind),
    /// Calls `removeTrack` by itself, for its newest track of this kind.
    RemoveTrack(MediaKind),
    /// Makes a description and calls `setLocalDescription` by itself. The other peer gets it.
    SetLocalDescription(LocalWord),
    /// Calls `setRemoteDescription` by itself, once the other peer has made the description.
    SetRemoteDescription(RemoteDescription),
    /// Calls `addIceCandidate` by itself, for the next candidate of the other peer, once there is one.
    AddIceCandidate(OtherCandidate),
}

/// A description of the other peer.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct RemoteDescription {
    /// Which of those that it made, from 1; rollbacks do not count. Default: 1.
    #[schemars(range(min = 1, max = 1000))]
    nth: Option<u32>,
    /// Applied instead, with the ICE credentials, fingerprints and candidates of the one that was made.
    sdp: Option<Text>,
}

/// A candidate of the other peer.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct OtherCandidate {
    /// After which of its descriptions, from 1, it was gathered. Default: 1.
    #[schemars(range(min = 1, max = 1000))]
    nth: Option<u32>,
}

/// A candidate, and for whom.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct SendCandidate {
    /// Who gets it.
    to: String,
    /// The address that it names, with its port.
    address: String,
}

/// Messages on a data channel.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct SendData {
    /// On which channel. Default: ordered.
    delivery: Option<DeliveryWord>,
    /// How many. Default: 1.
    #[schemars(range(min = 1, max = 100_000))]
    count: Option<u32>,
    /// How long each is. Default: 100.
    #[schemars(range(min = 1, max = 65_536))]
    bytes: Option<u32>,
}

/// What happens to the network. A host is a peer, an ICE server, or `signaller`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
enum NetworkAction {
    /// Nothing passes this host's link any more, either way.
    LinkDown(String),
    /// This host's link works again.
    LinkUp(String),
    /// A host's link becomes another one.
    SetLink(Box<SetLink>),
    /// A peer moves to another network.
    Handover(Box<Handover>),
    /// Something goes wrong with a STUN or TURN server, or it gets well again.
    Mood(ServerMood),
    /// This STUN or TURN server restarts: its allocations are gone.
    Reboot(String),
}

/// Whose link becomes which.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct SetLink {
    /// Whose.
    host: String,
    #[schemars(flatten)]
    link: Link,
}

/// A move to another network: another address, link and NAT.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct Handover {
    /// Who moves.
    peer: String,
    /// How long it has no network in between. Default: 0s.
    gap: Option<Duration>,
    /// How long it has both networks.
    overlap: Option<Duration>,
    /// What becomes of TCP connections whose address goes. Default: reset.
    tcp: Option<TcpWord>,
    /// Back to the network that it had at the start; then nothing else is said of it. Default: false.
    back: Option<bool>,
    #[schemars(flatten)]
    to: Attachment,
}

/// Which server, and what is wrong with it from now on.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct ServerMood {
    /// Which.
    server: String,
    #[schemars(flatten)]
    mood: Mood,
}

/// What must hold in every run, and over all of them.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct Expect {
    /// How the first call may come out.
    outcome: Option<OneOrMore<Outcome>>,
    /// Over which candidates the first call may go, by what each side knows the other: `relay` where one of
    /// them is relayed, else `prflx`, `srflx` or `host`; `none` where it is not connected.
    path: Option<OneOrMore<PathWord>>,
    /// What must hold for single peers.
    peers: Option<BTreeMap<String, PeerExpect>>,
    /// When the call reaches its milestones, measured from the first dial.
    milestones: Option<Milestones>,
    /// Which media flows, and when.
    media: Option<Vec<MediaExpect>>,
    /// Which messages arrive on data channels.
    data: Option<Vec<DataExpect>>,
    /// How many offers all peers together send.
    offers: Option<Count>,
    /// How often connections are recovered, counted at all peers together.
    recoveries: Option<Count>,
    /// How many candidates all peers together hold back until the remote description is there.
    held_candidates: Option<Count>,
    /// How often all peers together say that they have no more candidates.
    candidate_ends: Option<Count>,
    /// States that must not be entered before the run ends.
    never: Option<Vec<States>>,
    /// States that a machine must enter in this order; others may lie between them.
    sequence: Option<Vec<States>>,
    /// Checks of every scenario that this one does without, each with the reason.
    waive: Option<Waive>,
    /// How often outcomes occur. Judged where at least 20 seeds are played.
    rates: Option<Rates>,
}

/// What must hold for one peer.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct PeerExpect {
    /// The reasons for which its call may end.
    ends: Option<OneOrMore<EndReason>>,
    /// The state its call must be in at the end of the run.
    state: Option<CallState>,
    /// Whether its call is connected at some time.
    connected: Option<bool>,
    /// When it reaches its milestones, measured from the first dial.
    milestones: Option<Milestones>,
    /// The ways by which it reaches the signaller, in order; `[]` if it never does.
    ways: Option<Vec<WayTaken>>,
    /// How often it reaches the signaller again, by whatever way.
    reconnects: Option<Count>,
    /// What the samples of its statistics say.
    statistics: Option<StatisticsExpect>,
}

/// What samples of statistics say.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct StatisticsExpect {
    /// How many there are.
    samples: Option<Count>,
    /// Each that was measured lies in this range.
    round_trip_time: Option<DurationRange>,
    /// What arrives in the median of the samples, in thousands of bits a second.
    received_kbps: Option<Count>,
    /// How many RTP packets the last sample says were lost.
    lost: Option<Count>,
}

/// Which messages of one data channel arrive: `{ ordered = "caller to callee", messages = 20 }`. Those of the
/// ordered one arrive in order, and none arrives twice.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct DataExpect {
    /// From whom to whom on the ordered channel.
    ordered: Option<Pair>,
    /// From whom to whom on the unordered channel.
    unordered: Option<Pair>,
    /// How many arrive. Default: at least one.
    messages: Option<Count>,
    /// How many the sender's engine refuses because too many wait.
    refused: Option<Count>,
    /// The last one arrives before this moment of the run.
    before: Option<Duration>,
}

/// A pair such as `caller to callee`.
#[derive(JsonSchema)]
struct Pair(#[schemars(regex(pattern = r"^\S+ to \S+$"))] String);

/// Bounds by milestone.
#[derive(JsonSchema)]
#[schemars(transparent)]
struct Milestones(BTreeMap<Milestone, DurationRange>);

/// Bands by outcome.
#[derive(JsonSchema)]
#[schemars(transparent)]
struct Rates(BTreeMap<Outcome, RateBand>);

/// Reasons by check.
#[derive(JsonSchema)]
#[schemars(transparent)]
struct Waive(BTreeMap<AlwaysOn, Text>);

/// Not earlier than this, not later than that. The milestone must be reached.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields, extend("minProperties" = 1))]
struct DurationRange {
    /// Not earlier than this.
    at_least: Option<Duration>,
    /// Not later than this.
    at_most: Option<Duration>,
}

/// Fractions of the runs.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields, extend("minProperties" = 1))]
struct RateBand {
    /// Not less than this. Default: 0%.
    at_least: Option<Probability>,
    /// Not more than this. Default: 100%.
    at_most: Option<Probability>,
}

/// A number, or bounds for it.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Count {
    Exactly(u64),
    Range(CountRange),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields, inline, extend("minProperties" = 1))]
struct CountRange {
    /// The least.
    at_least: Option<u64>,
    /// The most.
    at_most: Option<u64>,
}

/// Which way media of one kind flows: `{ video = "none", before = "3s" }`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct MediaExpect {
    /// `both-ways`, `none`, or pairs such as `caller to callee` and no others.
    audio: Option<OneOrMore<Flow>>,
    /// `both-ways`, `none`, or pairs such as `caller to callee` and no others.
    video: Option<OneOrMore<Flow>>,
    /// Only packets that arrive at this moment of the run or later count; a multiple of 100 ms.
    after: Option<Duration>,
    /// Only packets that arrive before this moment of the run count; a multiple of 100 ms.
    before: Option<Duration>,
}

/// `both-ways`, `none`, a pair such as `caller to callee`, or all pairs `among alice, bob, carol`.
#[derive(JsonSchema)]
struct Flow(#[schemars(regex(pattern = r"^(both-ways|none|\S+ to \S+|among \S.*)$"))] String);

/// States of machines, of one peer or of any: `{ peer = "caller", connection = "failed" }`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct States {
    /// Whose.
    peer: Option<String>,
    /// States of the call as its user sees it.
    call: Option<OneOrMore<CallState>>,
    /// `RTCSignalingState`.
    signaling: Option<OneOrMore<SignalingState>>,
    /// `RTCIceGatheringState`.
    gathering: Option<OneOrMore<GatheringState>>,
    /// `RTCIceConnectionState`.
    ice: Option<OneOrMore<IceState>>,
    /// `RTCPeerConnectionState`.
    connection: Option<OneOrMore<ConnectionState>>,
}

/// A type whose schema is one of some words.
macro_rules! one_of {
    ($name:ident, $words:expr) => {
        struct $name;

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "enum": $words })
            }
        }
    };
}

one_of!(EndReason, END_REASONS);
one_of!(GuardName, call_engine::Guards::NAMES);
one_of!(CheckName, checks::NAMES);
one_of!(Profile, profile::names());
one_of!(CallState, states_known(Machine::Call));
one_of!(SignalingState, states_known(Machine::Signaling));
one_of!(GatheringState, states_known(Machine::Gathering));
one_of!(IceState, states_known(Machine::Ice));
one_of!(ConnectionState, states_known(Machine::Connection));

/// One switch for each guard of the engine.
struct Guards;

impl JsonSchema for Guards {
    fn schema_name() -> Cow<'static, str> {
        "Guards".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let switches: serde_json::Map<String, serde_json::Value> = call_engine::Guards::NAMES
            .iter()
            .map(|name| ((*name).to_owned(), serde_json::json!({ "type": "boolean" })))
            .collect();
        json_schema!({ "type": "object", "additionalProperties": false, "properties": switches })
    }
}
