//! DTLS handshakes that did not come to their end (RFC 6347 §4.2.4).

use std::{collections::BTreeMap, fmt};

use diagnosis::{Cause, Code, Evidence, wording::moment};
use timeline::{Cause as Why, DtlsContent, Event, Name, PacketRecord, Protocol, Verdict, VirtualTime};

use super::{
    links,
    scene::{self, Scene},
};

/// The part of packets whose loss no handshake stands; one that loses less should have come about.
const HOPELESS_LOSS: f64 = 0.5;

/// ICE connected, and DTLS did not.
pub(super) fn never_connected(scene: &Scene<'_>) -> Option<Cause> {
    let sides = scene.sides()?;
    let ice = sides.iter().filter_map(|side| scene.ice_connected(side)).min()?;
    let stuck: Vec<&Name> = sides.into_iter().filter(|side| scene.dtls_connected(side).is_none()).collect();
    if stuck.is_empty() {
        return None;
    }
    let over = scene.over();
    let [one, other] = sides;
    let datagrams = |from, to| {
        let packets = scene.on_the_way(from, to).filter(move |packet| packet.at >= ice && packet.at < over);
        packets.collect::<Vec<&PacketRecord>>()
    };
    let mut packets: Vec<&PacketRecord> =
        [(one, other), (other, one)].into_iter().flat_map(|(from, to)| datagrams(from, to)).collect();
    packets.sort_by_key(|packet| packet.at);
    let handshake: Vec<&PacketRecord> =
        packets.iter().copied().filter(|packet| matches!(packet.protocol, Protocol::Dtls(_))).collect();
    let since = format!("ICE connected at {}, DTLS did not", moment(ice));
    if let Some(cause) = refused(scene, &sides, &handshake, &since) {
        return Some(cause);
    }
    // A narrow or dead link goes before what it did to the handshake; a lossy one does not: a handshake has timers.
    let so = format!("so DTLS did not connect after ICE had at {}", moment(ice));
    let trouble = links::trouble(scene, packets.iter().copied(), HOPELESS_LOSS, &so);
    match (trouble, lost_flight(&handshake)) {
        (Some(trouble), None) => Some(trouble),
        (Some(trouble), Some(_)) => Some(trouble),
        (None, Some(lost)) => Some(lost.cause(scene, &since)),
        (None, None) if scene.was_cut_short(ice) => None,
        (None, None) => {
            // What a relay carries cannot be told apart.
            let relayed = packets.iter().any(|packet| packet.protocol == Protocol::ChannelData);
            Some(unexplained(&sides, &handshake, relayed, ice, &since))
        }
    }
}

/// A side that ended the handshake itself: an alert, or the state that says so.
fn refused(scene: &Scene<'_>, sides: &[&Name; 2], handshake: &[&PacketRecord], since: &str) -> Option<Cause> {
    let failed = sides.iter().find_map(|side| {
        scene
            .entries(side)
            .find(|entry| matches!(&entry.event, Event::Transition { cause: Some(Why::DtlsFailed), .. }))
    });
    let alert = handshake.iter().find(|packet| packet.protocol == Protocol::Dtls(DtlsContent::Alert));
    let certificates =
        handshake.iter().filter(|packet| Flight::of(packet, None) == Some(Flight::Server)).count();
    let (at, who) = match (failed, alert) {
        (Some(entry), _) => (entry.at, &entry.actor),
        (None, Some(alert)) => (alert.at, &alert.from_host),
        (None, None) => return None,
    };
    if certificates == 0 {
        return None;
    }
    let sentence = format!(
        "{since}: {who} refused the certificate of the other side at {}, which is not the one whose fingerprint was signalled",
        moment(at)
    );
    let evidence = failed.map(scene::entry).into_iter().chain(alert.map(|alert| scene::packet(alert)));
    Some(Cause::new(Code::DtlsFingerprintMismatch, at, sentence).about([who]).shown_by(evidence))
}

/// The flights of a full handshake (RFC 6347 §4.2.4, figure 1) as far as their first record tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Flight {
    /// 1 and 3.
    ClientHello,
    /// 2.
    HelloVerify,
    /// 4.
    Server,
    /// 5.
    Client,
    /// 6.
    Finished,
}

impl Flight {
    /// The flight that begins like this; what can be of either side is decided by who the client is.
    fn of(packet: &PacketRecord, client: Option<&Name>) -> Option<Self> {
        let Protocol::Dtls(content) = packet.protocol else { return None };
        let by_client = client.is_some_and(|client| packet.from_host == *client);
        match content {
            DtlsContent::Handshake(Some(1)) => Some(Self::ClientHello),
            DtlsContent::Handshake(Some(3)) => Some(Self::HelloVerify),
            DtlsContent::Handshake(Some(2 | 12 | 13 | 14)) => Some(Self::Server),
            DtlsContent::Handshake(Some(11)) => Some(if by_client { Self::Client } else { Self::Server }),
            DtlsContent::Handshake(Some(15 | 16)) => Some(Self::Client),
            DtlsContent::Handshake(_) | DtlsContent::ChangeCipherSpec => {
                Some(if by_client { Self::Client } else { Self::Finished })
            }
            DtlsContent::Alert | DtlsContent::ApplicationData | DtlsContent::Other(_) => None,
        }
    }
}

impl fmt::Display for Flight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ClientHello => "the ClientHello",
            Self::HelloVerify => "flight 2 (HelloVerifyRequest)",
            Self::Server => "flight 4",
            Self::Client => "flight 5",
            Self::Finished => "flight 6",
        })
    }
}

/// A flight of which something was lost for good.
struct Lost<'a> {
    flight: Flight,
    from: &'a Name,
    packet: &'a PacketRecord,
    /// How often it was sent again after that.
    again: usize,
}

/// The latest flight that began and of which a part never arrived.
fn lost_flight<'a>(handshake: &[&'a PacketRecord]) -> Option<Lost<'a>> {
    let hello = Protocol::Dtls(DtlsContent::Handshake(Some(1)));
    let client = handshake.iter().find(|packet| packet.protocol == hello).map(|packet| &packet.from_host);
    let mut flights: BTreeMap<Flight, Vec<&'a PacketRecord>> = BTreeMap::new();
    for packet in handshake {
        if let Some(flight) = Flight::of(packet, client) {
            flights.entry(flight).or_default().push(packet);
        }
    }
    flights.into_iter().rev().find_map(|(flight, packets)| {
        let lost = packets.iter().rev().find(|packet| !is_whole(packet))?;
        // The same record again: same sender, same content, same length.
        let like = |packet: &&&PacketRecord| packet.protocol == lost.protocol && packet.len == lost.len;
        let later = packets.iter().filter(|packet| packet.at > lost.at);
        if later.clone().filter(like).any(|packet| is_whole(packet)) {
            return None;
        }
        let first = packets.iter().find(|packet| !is_whole(packet) && like(packet))?;
        let again = packets.iter().filter(|packet| packet.at > first.at).filter(like).count();
        Some(Lost { flight, from: &first.from_host, packet: first, again })
    })
}

/// Whether it arrived as it was sent.
fn is_whole(packet: &PacketRecord) -> bool {
    packet.verdict.arrived() && packet.verdict != Verdict::Corrupted
}

impl Lost<'_> {
    fn cause(&self, scene: &Scene<'_>, since: &str) -> Cause {
        let Self { flight, from, packet, again } = self;
        let of = format!("{flight} of {from}");
        let stack = match scene.peer_plan(from).is_some_and(|peer| peer.program.is_none()) {
            true => format!("`webrtc` {WEBRTC}"),
            false => (*from).to_string(),
        };
        let resent = match again {
            0 => format!("and {stack} never resent it"),
            1 => format!("and so was the one time that {stack} resent it"),
            times => format!("and so were all {times} times that {stack} resent it"),
        };
        let lost = if packet.verdict == Verdict::Corrupted { "corrupted on its way" } else { "lost" };
        let sentence = format!("{since}: {of} was {lost} at {}, {resent}", moment(packet.at));
        Cause::new(Code::DtlsFlightLost, packet.at, sentence).about([*from]).shown_by([scene::packet(packet)])
    }
}

/// The version of the stack that the engine is built on, of whose defects is spoken here.
const WEBRTC: &str = "0.21.1";

fn unexplained(
    sides: &[&Name; 2],
    handshake: &[&PacketRecord],
    relayed: bool,
    ice: VirtualTime,
    since: &str,
) -> Cause {
    let (code, at, sentence) = match handshake.last() {
        None if relayed => {
            let what = format!("{since}: what the relay carried of the handshake cannot be told apart");
            (Code::DtlsNeverConnected, ice, what)
        }
        None => (
            Code::DtlsRolesClash,
            ice,
            format!("{since}: neither side began the handshake, so both took the passive role (`a=setup`)"),
        ),
        Some(last) => {
            let from = &last.from_host;
            let what = format!(
                "{since}: the last of {} packets was sent by {from} at {}",
                handshake.len(),
                moment(last.at)
            );
            (Code::DtlsNeverConnected, last.at, what)
        }
    };
    let evidence = handshake.last().map(|last| scene::packet(last));
    let connected = Evidence::general(ice, "ICE is connected");
    Cause::new(code, at, sentence).about(*sides).shown_by(evidence.into_iter().chain([connected]))
}
