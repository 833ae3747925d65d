//! Sequence numbers for TCP segments. Worlds have none: their segments stand in order, and none is lost.

use std::{collections::BTreeMap, net::SocketAddr};

use timeline::{Name, PacketRecord, Protocol, VirtualTime};

use super::header::Place;

/// The end of a connection: the host, its own address, and the other one as it sees it.
type End = (Name, SocketAddr, SocketAddr);

/// What one end has sent.
#[derive(Default)]
struct Stream {
    next: u32,
    connections: u32,
    /// What arrived at the other end, and when: not all of it yet, seen from the packet that is looked at.
    arriving: Vec<(VirtualTime, u32)>,
    acknowledged: u32,
}

/// The place of each TCP segment in its stream, by the number of its packet.
pub(super) fn places(packets: &[PacketRecord]) -> BTreeMap<usize, Place> {
    let mut streams: BTreeMap<End, Stream> = BTreeMap::new();
    let mut others: BTreeMap<End, End> = BTreeMap::new();
    let mut places = BTreeMap::new();
    for (index, packet) in packets.iter().enumerate() {
        let Protocol::Tcp(flags) = packet.protocol else { continue };
        let end: End = (packet.from_host.clone(), packet.from, packet.to);
        if let Some(host) = &packet.to_host {
            let seen =
                packet.translated.as_ref().map_or((packet.from, packet.to), |seen| (seen.from, seen.to));
            let other = (host.clone(), seen.1, seen.0);
            others.insert(end.clone(), other.clone());
            others.entry(other).or_insert_with(|| end.clone());
        }
        let acknowledged = match others.get(&end).and_then(|other| streams.get_mut(other)) {
            Some(stream) => stream.acknowledged_at(packet.at),
            None => 0,
        };
        let stream = streams.entry(end).or_default();
        if flags.syn {
            // A new connection, far from what the one before it has sent.
            stream.connections += 1;
            stream.next = stream.connections.wrapping_mul(100_000_000);
            stream.acknowledged = 0;
            stream.arriving.clear();
        }
        places.insert(index, Place { sequence: stream.next, acknowledged });
        let len = packet.len.wrapping_add(u32::from(flags.syn)).wrapping_add(u32::from(flags.fin));
        stream.next = stream.next.wrapping_add(len);
        if let Some(at) = packet.arrived_at() {
            let next = stream.next;
            stream.arriving.push((at, next));
        }
    }
    places
}

impl Stream {
    fn acknowledged_at(&mut self, now: VirtualTime) -> u32 {
        let arrived = self.arriving.iter().filter(|(at, _)| *at <= now).map(|(_, next)| *next).max();
        self.acknowledged = self.acknowledged.max(arrived.unwrap_or(0));
        self.arriving.retain(|(at, _)| *at > now);
        self.acknowledged
    }
}

#[cfg(test)]
mod tests {
    use timeline::{TcpFlags, Transit, Verdict};

    use super::*;

    fn packet(ms: u64, from: &str, to: &str, flags: TcpFlags, len: u32) -> PacketRecord {
        let address =
            |name: &str| if name == "a" { "10.0.0.1:5000" } else { "10.0.0.2:443" }.parse().unwrap();
        PacketRecord {
            at: VirtualTime::from_millis(ms),
            from_host: from.into(),
            to_host: Some(to.into()),
            from: address(from),
            to: address(to),
            protocol: Protocol::Tcp(flags),
            len,
            verdict: Verdict::Delivered,
            translated: None,
            transit: Transit { total_us: 10_000, ..Transit::default() },
        }
    }

    #[test]
    fn what_arrived_is_acknowledged_and_what_was_sent_is_counted() {
        let flags = |syn, ack| TcpFlags { syn, ack, ..TcpFlags::default() };
        let packets = [
            packet(0, "a", "b", flags(true, false), 0),
            packet(20, "b", "a", flags(true, true), 0),
            packet(40, "a", "b", flags(false, true), 100),
            packet(41, "a", "b", flags(false, true), 7),
            packet(60, "b", "a", flags(false, true), 0),
        ];
        let base = 100_000_000;
        let found: Vec<(u32, u32)> =
            places(&packets).values().map(|place| (place.sequence, place.acknowledged)).collect();
        let expect = [
            (base, 0),
            (base, base + 1),
            (base + 1, base + 1),
            (base + 101, base + 1),
            (base + 1, base + 108),
        ];
        assert_eq!(found, expect);
    }
}
