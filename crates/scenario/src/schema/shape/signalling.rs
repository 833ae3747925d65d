//! `[signaller]`, `[peers.NAME.signaling]`, and what happens to the signaller in a step.

use schemars::JsonSchema;

use super::{Device, Duration, OneOrMore, network::Link};
use crate::plan::{FaultyMessage, MessageKind, TokenHeld, TransportPlan};

/// The signalling server.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Signaller {
    /// Its address, IPv4 or IPv6, or several. Default: 10.0.1.1.
    address: Option<OneOrMore<String>>,
    /// Its way into the network. Default: 10 ms each way.
    link: Option<Link>,
    /// How fast its machine is. Default: server.
    device: Option<Device>,
    /// How peers reach it that do not say otherwise. Default: stream.
    transport: Option<TransportPlan>,
    /// Whom it admits. Default: open.
    admission: Option<Admission>,
    /// How long a token is valid, from the beginning of the run. Default: 1h.
    token_lifetime: Option<Duration>,
    /// Messages that it keeps back; the first entry that fits a message decides.
    delays: Option<Vec<Delay>>,
    /// What goes wrong with the signalling; the first entry that fits decides.
    faults: Option<Vec<Fault>>,
    /// What it keeps at most.
    limits: Option<Limits>,
}

/// Whom the signaller admits.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
enum Admission {
    /// Everybody, under any name.
    Open,
    /// Holders of a token for the script's call, each under the name that stands in it.
    Token,
}

/// Messages that the signaller keeps back.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct Delay {
    /// Of which kind.
    message: MessageKind,
    /// Only those of this peer.
    from: Option<String>,
    /// Only the N-th of its sender.
    #[schemars(range(min = 1))]
    nth: Option<u32>,
    /// For how long.
    by: Duration,
}

/// What goes wrong with the signalling: `{ drop = "answer" }`, `{ websocket = "cut", after = "4s" }`,
/// `{ rest = "slow", by = "3s" }`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct Fault {
    /// Such messages are accepted and never passed on.
    drop: Option<FaultyMessage>,
    /// Such messages are passed on twice.
    duplicate: Option<FaultyMessage>,
    /// Such messages are kept back, `by` so long.
    delay: Option<FaultyMessage>,
    /// Such messages change places with the next one of their sender, where one comes `within` this time.
    reorder: Option<FaultyMessage>,
    /// What happens to WebSockets.
    websocket: Option<WebSocketFault>,
    /// What happens to REST requests.
    rest: Option<RestFault>,
    /// Only messages of this peer.
    from: Option<String>,
    /// Only WebSockets or requests of this peer.
    peer: Option<String>,
    /// Only requests of this type.
    request: Option<Request>,
    /// Only the N-th that fits.
    #[schemars(range(min = 1))]
    nth: Option<u32>,
    /// Only from this moment of the run on.
    begins: Option<Duration>,
    /// Only before this moment of the run.
    ends: Option<Duration>,
    /// How long a message is kept back, or a request takes.
    by: Option<Duration>,
    /// How long a message waits for another, or a proxy keeps what it has.
    within: Option<Duration>,
    /// With which status an upgrade is refused. Default: 403.
    #[schemars(range(min = 400, max = 599))]
    status: Option<u16>,
    /// How long a WebSocket lives before it is cut or falls silent.
    after: Option<Duration>,
    /// How many bytes pass before a WebSocket is cut.
    #[schemars(range(min = 1))]
    after_bytes: Option<u64>,
    /// How many bytes a proxy waits for.
    #[schemars(range(min = 1))]
    bytes: Option<u64>,
    /// What 429 asks for. Default: 1s.
    retry_after: Option<Duration>,
}

/// What happens to a WebSocket.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
enum WebSocketFault {
    /// The upgrade is refused with a `status`.
    Refused,
    /// The upgrade is never answered.
    Hangs,
    /// It is cut `after` a time or `after-bytes`, without a close frame.
    Cut,
    /// `after` a time nothing passes any more, and nobody is told.
    HalfOpen,
    /// A proxy keeps what the signaller sends until it has so many `bytes`, or for `within`.
    Buffered,
}

/// What happens to a REST request.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
enum RestFault {
    /// Answered 429, with `retry-after`.
    TooManyRequests,
    /// Not carried out, and answered 500.
    ServerError,
    /// Carried out, and answered 500.
    AnswerLost,
    /// Carried out `by` so much later.
    Slow,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
enum Request {
    /// Sends messages.
    Post,
    /// Asks for messages.
    Poll,
}

/// What the signaller keeps at most.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct Limits {
    /// Longest message, in bytes of JSON. Default: 65 536.
    message_bytes: Option<Size>,
    /// Messages that wait for one peer. Default: 256.
    queue: Option<Size>,
    /// Peers that are remembered. Default: 1024.
    participants: Option<Size>,
    /// Errors that wait to be read by one connection. Default: 16.
    replies: Option<Size>,
    /// Calls that are remembered, where tokens are wanted. Default: 512.
    calls: Option<Size>,
    /// How many bytes of messages a poll is answered with. Default: 131 072.
    poll_bytes: Option<Size>,
    /// Streams that are open at once. Default: 4096.
    connections: Option<Size>,
    /// How long a peer may be away before it is forgotten with its mail. Default: 10m.
    idle: Option<Duration>,
    /// How long a poll may ask to wait. Default: 60s.
    longest_poll_wait: Option<Duration>,
    /// How long the head of a request may take, and a connection may be idle between two. Default: 30s.
    head_within: Option<Duration>,
    /// How long the body of a request may take. Default: 10s.
    body_within: Option<Duration>,
    /// How long a WebSocket may be silent. Default: 60s.
    silence: Option<Duration>,
    /// How long the last answers may take when it is restarted. Default: 5s.
    stop_within: Option<Duration>,
}

#[derive(JsonSchema)]
#[schemars(inline)]
struct Size(#[schemars(range(min = 1, max = 16_777_216))] u64);

/// How a peer reaches the signaller: a transport, or settings of its client.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Signaling {
    Transport(TransportPlan),
    Settings(Box<Settings>),
}

/// The settings of a peer's signalling client.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Settings {
    /// How it reaches the signaller. Default: as `[signaller]` says.
    transport: Option<TransportPlan>,
    /// Which token it holds, where the signaller wants one. Default: valid.
    token: Option<TokenHeld>,
    /// Longest wait for a connection. Default: 10s.
    connect_within: Option<Duration>,
    /// Longest wait for the answer to a WebSocket upgrade. Default: 5s.
    upgrade_within: Option<Duration>,
    /// Longest wait for the signaller's first word on a new connection. Default: 5s.
    welcome_within: Option<Duration>,
    /// How often a heartbeat is sent on a WebSocket. Default: 15s.
    heartbeat: Option<Duration>,
    /// How soon something must be heard after it. Default: 10s.
    heartbeat_within: Option<Duration>,
    /// How long a message may stay unacknowledged. Default: 200ms.
    acknowledge_within: Option<Duration>,
    /// How many messages may stay unacknowledged. Default: 32.
    #[schemars(range(min = 1, max = 10_000))]
    acknowledge_every: Option<u32>,
    /// Waits between attempts that failed. Default: 500ms to 15s.
    backoff: Option<Backoff>,
    /// Failed attempts in a row after which it gives up. Default: never.
    #[schemars(range(min = 1, max = 10_000))]
    attempts: Option<u32>,
    /// So many WebSockets that are cut are reason to fall back to REST. Default: 3.
    #[schemars(range(min = 1, max = 1000))]
    cuts: Option<u32>,
    /// The time within which they count together. Default: 60s.
    cuts_within: Option<Duration>,
    /// Waits before a WebSocket is tried again from REST. Default: 30s to 10m.
    probe: Option<Backoff>,
    /// How long a poll asks the signaller to wait, in whole seconds. Default: 25s.
    poll_wait: Option<Duration>,
    /// Longest wait for an answer, beyond a poll's own wait. Default: 10s.
    answer_within: Option<Duration>,
    /// The longest `Retry-After` that is obeyed. Default: 60s.
    longest_retry_after: Option<Duration>,
    /// Longest time that closing takes. Default: 2s.
    flush_within: Option<Duration>,
    /// Messages that wait to be confirmed. Default: 256.
    queue: Option<Size>,
    /// Events that wait to be taken. Default: 256.
    events: Option<Size>,
    /// Longest message, in bytes of JSON. Default: 65 536.
    message_bytes: Option<Size>,
}

/// Waits that double from one failed attempt to the next.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct Backoff {
    /// The first.
    first: Option<Duration>,
    /// The longest.
    longest: Option<Duration>,
}

/// What happens to the signalling server.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum SignallerAction {
    Word(SignallerWord),
    Faults(SetFaults),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
pub(super) enum SignallerWord {
    /// Its machine loses power; what it keeps is on a disk.
    PowerOffKeepingStore,
    /// Its machine loses power, and with it what it keeps.
    PowerOffLosingStore,
    /// Its machine has power again.
    PowerOn,
    /// It is stopped in good order and started again.
    Restart,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields, inline)]
pub(super) struct SetFaults {
    /// What goes wrong with the signalling from here on, and nothing else.
    faults: Vec<Fault>,
}
