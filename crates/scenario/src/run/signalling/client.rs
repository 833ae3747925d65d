use std::net::{IpAddr, SocketAddr};

use netsim::{UnknownHost, World};
use signaller::{
    CallId, SessionId, Transport,
    access::{Secret, Token},
    client::{AllowedWays, FallbackSettings, FallbackTransport, Identity, Jitter, Target},
    tcp::{ClientSettings, TcpTransport},
};
use stage::connector;
use timeline::Name;

use super::{CALL, HTTP_PORT, STREAM_PORT, grant, secret, transport_of, watched::Watched};
use crate::{
    plan::{Admission, PeerPlan, Plan, TokenHeld, TransportPlan},
    run::recorder::Recording,
};

/// A peer's way to the signaller. `index` tells the peers of a plan apart.
pub(in crate::run) fn transport(
    plan: &Plan,
    peer: &PeerPlan,
    (seed, index): (u64, u64),
    world: &World,
    recording: &Recording,
) -> Result<Box<dyn Transport>, UnknownHost> {
    let host = world.host(&peer.name)?;
    let identity = Identity { participant: peer.name.clone(), session: SessionId::new("run") };
    let by = transport_of(plan, peer);
    let ways = match by {
        TransportPlan::Stream => {
            let connector = connector(host, signaller_address(plan, peer, STREAM_PORT));
            let inner = TcpTransport::spawn(identity, stream_settings(&peer.signaling.client), connector);
            return Ok(Box::new(Watched::new(inner, peer.name.clone(), world.clone(), recording.clone())));
        }
        TransportPlan::WebSocket => AllowedWays::WebSocket,
        TransportPlan::Rest => AllowedWays::Rest,
        TransportPlan::WebSocketWithFallback => AllowedWays::Both,
    };
    let address = signaller_address(plan, peer, HTTP_PORT);
    let settings = FallbackSettings { ways, ..peer.signaling.client };
    let target = target(plan, peer, address);
    let inner =
        FallbackTransport::spawn(identity, target, settings, jitter(seed, index), connector(host, address));
    Ok(Box::new(Watched::new(inner, peer.name.clone(), world.clone(), recording.clone())))
}

/// The first address of the signaller that is of a family which the peer has.
fn signaller_address(plan: &Plan, peer: &PeerPlan, port: u16) -> SocketAddr {
    let addresses = &plan.signaller.addresses;
    let fits = |address: &&IpAddr| peer.addresses.iter().any(|own| own.is_ipv4() == address.is_ipv4());
    let address = addresses.iter().find(fits).or(addresses.first()).expect("the signaller has an address");
    SocketAddr::new(*address, port)
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
