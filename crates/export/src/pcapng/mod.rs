//! A run as a capture that Wireshark opens, decrypted: every packet with its virtual time, on an interface for each host
//! and for each side of each NAT.
//!
//! - An address is called after its host by a name resolution block.
//! - The keys of DTLS connections are in a decryption secrets block: Wireshark shows what is in their records.
//! - It recognises no SCTP in DTLS and decrypts no SRTP, so what is in these is there a second time, as plaintext on the
//!   interfaces `plaintext sctp`, `plaintext rtp` and `plaintext rtcp` (exported PDUs).
//! - A comment says what became of a packet that was not simply delivered, and what of it cannot be decrypted.

mod block;
mod header;
mod streams;

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
};

use netsim::{Bound, Wire};
use timeline::{Name, PacketRecord, Protocol, TcpFlags, Timeline, Verdict};

use self::{
    block::{File, LinkType},
    header::Place,
};
use crate::{
    Scene,
    plain::{Plain, Plaintext, plaintexts},
};

/// The most that one IPv4 packet takes of a TCP stream. Worlds have segments of any length.
const MAX_SEGMENT_BYTES: usize = 65_000;

/// The capture of a run: its timeline, the bytes of the timeline's packets, and the keys that opened them, in the NSS key
/// log format.
pub fn pcapng(scene: &Scene, timeline: &Timeline, wire: &Wire, keys: &[String]) -> Vec<u8> {
    let plain = plaintexts(&timeline.packets, wire, keys);
    let mut capture = Capture {
        timeline,
        wire,
        places: streams::places(&timeline.packets),
        interfaces: Interfaces::default(),
        frames: Vec::new(),
    };
    // Hosts first, in the order of the world, whether they send or not.
    for (host, _) in &scene.hosts {
        capture.interfaces.number(host.as_str(), LinkType::Raw);
    }
    for (index, packet) in timeline.packets.iter().enumerate() {
        let comment = comment(packet, plain.get(index));
        capture.packet(index, packet, &comment);
        if let Some(Plain::Text { protocol, bytes }) = plain.get(index) {
            capture.plaintext(packet, *protocol, bytes, &comment);
        }
    }
    for passage in &wire.passages {
        capture.passage(scene, passage);
    }
    capture.finish(scene, keys)
}

struct Capture<'a> {
    timeline: &'a Timeline,
    wire: &'a Wire,
    places: BTreeMap<usize, Place>,
    interfaces: Interfaces,
    frames: Vec<Frame>,
}

struct Frame {
    nanos: u64,
    interface: u32,
    bytes: Vec<u8>,
    comment: String,
}

/// By name, numbered as they come.
#[derive(Default)]
struct Interfaces(Vec<(String, LinkType)>);

impl Interfaces {
    fn number(&mut self, name: &str, link: LinkType) -> u32 {
        let known = self.0.iter().position(|(known, _)| known == name);
        let index = known.unwrap_or_else(|| {
            self.0.push((name.to_owned(), link));
            self.0.len() - 1
        });
        u32::try_from(index).unwrap_or(u32::MAX)
    }
}

impl Capture<'_> {
    /// A packet at its sender, and where it arrived.
    fn packet(&mut self, index: usize, packet: &PacketRecord, comment: &str) {
        let payload = self.wire.payloads.get(index).map_or(&[][..], |payload| payload);
        let sender = self.interfaces.number(packet.from_host.as_str(), LinkType::Raw);
        self.ip(index, packet, (sender, packet.at.as_nanos()), (packet.from, packet.to), payload, comment);
        if let (Some(at), Some(host)) = (packet.arrived_at(), &packet.to_host) {
            let payload = self.wire.damaged.get(&index).map_or(payload, |damaged| damaged);
            let receiver = self.interfaces.number(host.as_str(), LinkType::Raw);
            let seen =
                packet.translated.as_ref().map_or((packet.from, packet.to), |seen| (seen.from, seen.to));
            self.ip(index, packet, (receiver, at.as_nanos()), seen, payload, comment);
        }
    }

    /// A packet on both sides of a NAT. A gateway that does not translate has no interface.
    fn passage(&mut self, scene: &Scene, passage: &netsim::Passage) {
        let Some((name, outside)) = scene.gateways.get(passage.gateway) else { return };
        let Some(packet) = self.timeline.packets.get(passage.packet).filter(|_| !outside.is_empty()) else {
            return;
        };
        let payload = self.wire.payloads.get(passage.packet).map_or(&[][..], |payload| payload);
        let [came, went] = match passage.bound {
            Bound::Out => ["inside", "outside"],
            Bound::In => ["outside", "inside"],
        };
        let comment = match passage.went {
            Some(went) if went != passage.came => translation(passage.came, went),
            Some(_) => String::new(),
            None => packet.verdict.to_string(),
        };
        for (side, addresses) in [(came, Some(passage.came)), (went, passage.went)] {
            let Some(addresses) = addresses else { continue };
            let interface = self.interfaces.number(&format!("{name} {side}"), LinkType::Raw);
            self.ip(passage.packet, packet, (interface, passage.at.as_nanos()), addresses, payload, &comment);
        }
    }

    fn ip(
        &mut self,
        index: usize,
        packet: &PacketRecord,
        (interface, nanos): (u32, u64),
        (from, to): (SocketAddr, SocketAddr),
        payload: &[u8],
        comment: &str,
    ) {
        let mut push = |bytes| {
            self.frames.push(Frame { nanos, interface, bytes, comment: comment.to_owned() });
        };
        let Protocol::Tcp(flags) = packet.protocol else { return push(header::udp(from, to, payload)) };
        let mut place = self.places.get(&index).copied().unwrap_or_default();
        let mut parts = payload.chunks(MAX_SEGMENT_BYTES).peekable();
        if parts.peek().is_none() {
            return push(header::tcp(from, to, flags, place, &[]));
        }
        while let Some(part) = parts.next() {
            let fin = flags.fin && parts.peek().is_none();
            push(header::tcp(from, to, TcpFlags { fin, ..flags }, place, part));
            place.sequence = place.sequence.wrapping_add(u32::try_from(part.len()).unwrap_or(u32::MAX));
        }
    }

    /// What a packet carries, once decrypted, as its sender sent it.
    fn plaintext(&mut self, packet: &PacketRecord, protocol: Plaintext, bytes: &[u8], comment: &str) {
        let name = format!("plaintext {}", protocol.dissector());
        let interface = self.interfaces.number(&name, LinkType::UpperPdu);
        let bytes = exported_pdu(protocol.dissector(), packet.from, packet.to, bytes);
        self.frames.push(Frame {
            nanos: packet.at.as_nanos(),
            interface,
            bytes,
            comment: comment.to_owned(),
        });
    }

    fn finish(mut self, scene: &Scene, keys: &[String]) -> Vec<u8> {
        self.frames.sort_by_key(|frame| frame.nanos);
        let mut file = File::new();
        if !keys.is_empty() {
            file.secrets(keys);
        }
        for (name, link) in &self.interfaces.0 {
            file.interface(name, *link);
        }
        let names = names(scene, &self.timeline.packets);
        file.names(names.iter().map(|(address, name)| (address, name.as_str())));
        for Frame { nanos, interface, bytes, comment } in &self.frames {
            file.packet(*interface, *nanos, bytes, comment);
        }
        file.finish()
    }
}

/// What each address is called. Where several networks have it, all who have it: `caller or callee`.
fn names(scene: &Scene, packets: &[PacketRecord]) -> BTreeMap<IpAddr, String> {
    let mut owners: BTreeMap<IpAddr, Vec<&Name>> = BTreeMap::new();
    let known = scene.hosts.iter().chain(&scene.gateways);
    let known = known.flat_map(|(name, addresses)| addresses.iter().map(move |address| (*address, name)));
    // Those of later: hosts change networks.
    let used = packets.iter().map(|packet| (packet.from.ip(), &packet.from_host));
    for (address, name) in known.chain(used) {
        let owners = owners.entry(address).or_default();
        if !owners.contains(&name) {
            owners.push(name);
        }
    }
    let in_words =
        |names: Vec<&Name>| names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join("-or-");
    owners.into_iter().map(|(address, names)| (address, in_words(names))).collect()
}

/// What became of a packet, where that is more than that it arrived; and why it cannot be read.
fn comment(packet: &PacketRecord, plain: Option<&Plain>) -> String {
    let mut parts: Vec<String> = Vec::new();
    if packet.verdict != Verdict::Delivered {
        parts.push(packet.verdict.to_string());
    }
    if let Some(seen) = &packet.translated {
        parts.push(translation((packet.from, packet.to), (seen.from, seen.to)));
    }
    let waits =
        [("in queues", packet.transit.queued_us), ("for a TCP retransmission", packet.transit.held_us)];
    for (what, us) in waits {
        if us > 0 {
            parts.push(format!("delayed: {} ms {what}", f64::from(us) / 1e3));
        }
    }
    if matches!(plain, Some(Plain::NoKey)) {
        parts.push("encrypted: the keys of this connection are not known".to_owned());
    }
    parts.join("; ")
}

fn translation(came: (SocketAddr, SocketAddr), went: (SocketAddr, SocketAddr)) -> String {
    let side = |what: &str, came: SocketAddr, went: SocketAddr| {
        (came != went).then(|| format!("{what} {came} translated to {went}"))
    };
    let parts = [side("source", came.0, went.0), side("destination", came.1, went.1)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Tags in front of what a dissector takes (Wireshark, `exported_pdu.h`): each a number, a length, and a value that is
/// filled up to whole words.
fn exported_pdu(dissector: &str, from: SocketAddr, to: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    const DISSECTOR_NAME: u16 = 12;
    const IPV4: [u16; 2] = [20, 21];
    const IPV6: [u16; 2] = [22, 23];
    const PORT_TYPE: u16 = 24;
    /// No transport: with UDP's Wireshark would take it for what the DTLS connection between these ports protects.
    const PORT_TYPE_NONE: u32 = 0;
    const PORTS: [u16; 2] = [25, 26];
    let mut out = Vec::with_capacity(bytes.len() + 80);
    let mut tag = |number: u16, value: &[u8]| {
        let len = value.len().next_multiple_of(4);
        out.extend(number.to_be_bytes());
        out.extend(u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes());
        out.extend(value);
        out.resize(out.len() + len - value.len(), 0);
    };
    tag(DISSECTOR_NAME, dissector.as_bytes());
    for (side, address) in [from, to].into_iter().enumerate() {
        match address.ip() {
            IpAddr::V4(v4) => tag(IPV4[side], &v4.octets()),
            IpAddr::V6(v6) => tag(IPV6[side], &v6.octets()),
        }
    }
    tag(PORT_TYPE, &PORT_TYPE_NONE.to_be_bytes());
    for (side, address) in [from, to].into_iter().enumerate() {
        tag(PORTS[side], &u32::from(address.port()).to_be_bytes());
    }
    tag(0, b"");
    out.extend(bytes);
    out
}
