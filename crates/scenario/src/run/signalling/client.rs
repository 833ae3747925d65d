use std::{net::SocketAddr, sync::Arc};

use signaller::{
    CallId, SessionId, Transport,
    access::{Secret, Token},
    client::{AllowedWays, FallbackSettings, FallbackTransport, Identity, Jitter, Target},
    tcp::{ClientSettings, Connector, TcpTransport},
};
use stage::{Place, connector};
use timeline::Name;

use super::{CALL, HTTP_PORT, STREAM_PORT, grant, secret, watched::Watched};
use crate::{
    plan::{Admission, PeerPlan, Plan, TokenHeld, TransportPlan},
    run::{Connecting, Site, build, recorder::Recording},
};

/// A peer's way to the signaller.
pub(in crate::run) fn transport(
    plan: &Plan,
    peer: &PeerPlan,
    place: &Place,
    site: Option<&Site>,
    recording: &Recording,
) -> Box<dyn Transport> {
    match site {
        Some(site) => over(plan, peer, place, recording, |to| connector_of(&site.connect, to)),
        None => over(plan, peer, place, recording, |to| connector(place.host().clone(), to)),
    }
}

/// How a program outside of the world opens connections to the server at `to`.
fn connector_of(
    connect: &Arc<dyn Fn(SocketAddr) -> Connecting + Send + Sync>,
    to: SocketAddr,
) -> impl Connector + use<> {
    let connect = Arc::clone(connect);
    move || connect(to)
}

/// The same, whatever opens its connections.
fn over<C: Connector>(
    plan: &Plan,
    peer: &PeerPlan,
    place: &Place,
    recording: &Recording,
    connector: impl Fn(SocketAddr) -> C,
) -> Box<dyn Transport> {
    let identity = Identity { participant: peer.name.clone(), session: SessionId::new("run") };
    let at = |port| SocketAddr::new(build::signaller_address(plan, peer), port);
    let (name, world) = (peer.name.clone(), place.world().clone());
    let ways = match plan.transport(peer) {
        TransportPlan::Stream => {
            let connector = connector(at(STREAM_PORT));
            let inner = TcpTransport::spawn(identity, stream_settings(&peer.signaling.client), connector);
            return Box::new(Watched::new(place.staggered(inner), name, world, recording.clone()));
        }
        TransportPlan::WebSocket => AllowedWays::WebSocket,
        TransportPlan::Rest => AllowedWays::Rest,
        TransportPlan::WebSocketWithFallback => AllowedWays::Both,
    };
    let settings = FallbackSettings { ways, ..peer.signaling.client };
    let (target, connector) = (target(plan, peer, at(HTTP_PORT)), connector(at(HTTP_PORT)));
    let jitter = jitter(place.seed(), place.index());
    let inner = FallbackTransport::spawn(identity, target, settings, jitter, connector);
    Box::new(Watched::new(place.staggered(inner), name, world, recording.clone()))
}

/// What the framed transport has of the same settings.
const fn stream_settings(client: &FallbackSettings) -> ClientSettings {
    ClientSettings {
        connect_within: client.connect_within,
        join_within: client.welcome_within,
        first_retry: client.backoff.first,
        longest_retry: client.backoff.longest,
        attempts: client.attempts,
        flush_within: client.flush_within,
        queue: client.queue,
        events: client.events,
        message_bytes: client.message_bytes,
    }
}

fn target(plan: &Plan, peer: &PeerPlan, address: SocketAddr) -> Target {
    let authority = address.to_string();
    let Admission::Token { lifetime } = plan.signaller.admission else { return Target::open(authority) };
    let call = CallId::new(CALL);
    let caller = plan.first_dial().map_or(&peer.name, |(_, caller, _)| caller);
    let issue = |secret: Secret, holder: &Name, call, lifetime| secret.issue(&grant(holder, call, lifetime));
    let token = match peer.signaling.token {
        TokenHeld::Valid => issue(secret(), &peer.name, CALL, lifetime),
        TokenHeld::Missing => return Target { authority, access: None },
        TokenHeld::Expired => issue(secret(), &peer.name, CALL, std::time::Duration::ZERO),
        TokenHeld::Forged => issue(others_secret(), &peer.name, CALL, lifetime),
        TokenHeld::OfAnotherCall => issue(secret(), &peer.name, "another-call", lifetime),
        TokenHeld::Stolen => issue(secret(), caller, CALL, lifetime),
    };
    Target::guarded(authority, call, Token::new(token.as_str()))
}

fn others_secret() -> Secret {
    Secret::new("a secret that somebody else has made up").expect("it is long enough")
}

/// The random part of a peer's waits: a SplitMix64 sequence of its own.
fn jitter(seed: u64, index: u64) -> Jitter {
    let mut state = seed ^ index.wrapping_mul(0xd1b5_4a32_d192_ed03);
    Jitter::new(move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    })
}
