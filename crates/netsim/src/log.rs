//! The record of all packets that hosts handed to the network, and the digest over them.

use std::{
    net::{IpAddr, SocketAddr},
    ops::{Index, IndexMut},
    time::Duration,
};

use timeline::{Digest, Name, PacketRecord, Protocol, Transit, Translated, Verdict, VirtualTime};

use crate::{Passage, Wire, draw::Transport, ids::RecordId};

/// What a packet under way has spent on anything but propagation.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spent {
    pub(crate) queued: Duration,
    pub(crate) processing: Duration,
    pub(crate) held: Duration,
}

#[derive(Debug, Default)]
pub(crate) struct PacketLog {
    records: Records,
    digest: Digest,
    /// `None` where bytes are not kept.
    wire: Option<Wire>,
}

/// All records, in pieces: a list of a hundred thousand is never moved to a bigger place.
#[derive(Debug, Default)]
struct Records(Vec<Vec<PacketRecord>>);

/// How many records make a piece.
const PIECE: usize = 4096;

impl Records {
    fn push(&mut self, record: PacketRecord) -> RecordId {
        match self.0.last_mut() {
            Some(last) if last.len() < PIECE => last.push(record),
            // The first piece grows with what is needed.
            None => self.0.push(vec![record]),
            Some(_) => {
                let mut next = Vec::with_capacity(PIECE);
                next.push(record);
                self.0.push(next);
            }
        }
        self.len() - 1
    }

    fn len(&self) -> usize {
        self.0.last().map_or(0, |last| (self.0.len() - 1) * PIECE + last.len())
    }

    fn into_one(self) -> Vec<PacketRecord> {
        let len = self.len();
        let mut pieces = self.0.into_iter();
        let mut all = pieces.next().unwrap_or_default();
        all.reserve_exact(len - all.len());
        pieces.for_each(|mut piece| all.append(&mut piece));
        all
    }
}

impl Index<RecordId> for Records {
    type Output = PacketRecord;

    fn index(&self, id: RecordId) -> &PacketRecord {
        &self.0[id / PIECE][id % PIECE]
    }
}

impl IndexMut<RecordId> for Records {
    fn index_mut(&mut self, id: RecordId) -> &mut PacketRecord {
        &mut self.0[id / PIECE][id % PIECE]
    }
}

impl PacketLog {
    /// One that keeps the bytes of packets as well.
    pub(crate) fn with_bytes() -> Self {
        Self { wire: Some(Wire::default()), ..Self::default() }
    }

    /// Takes a packet in; `payload` goes into the digest, not into the record.
    pub(crate) fn push(&mut self, record: PacketRecord, payload: &[u8]) -> RecordId {
        self.digest(&record, payload);
        if let Some(wire) = &mut self.wire {
            wire.payloads.push(payload.into());
        }
        self.records.push(record)
    }

    /// What has become of a packet. That a receiver saw it is the last word: what then happens to a copy
    /// does not count, but for a second arrival.
    pub(crate) fn set_verdict(&mut self, id: RecordId, verdict: Verdict) {
        let present = &mut self.records[id].verdict;
        match (present.arrived(), verdict.arrived()) {
            (false, _) => *present = verdict,
            (true, true) => *present = Verdict::Duplicated,
            (true, false) => {}
        }
    }

    /// A packet reached its program at `at`: where its time went. Of several copies the first counts.
    pub(crate) fn set_transit(&mut self, id: RecordId, at: VirtualTime, spent: Spent) {
        let record = &mut self.records[id];
        if record.transit == Transit::default() {
            record.transit = Transit {
                total_us: micros(at.since(record.at)),
                queued_us: micros(spent.queued),
                processing_us: micros(spent.processing),
                held_us: micros(spent.held),
            };
        }
    }

    /// A packet reaches its program with other bytes than its sender's.
    pub(crate) fn set_damaged(&mut self, id: RecordId, payload: &[u8]) {
        if let Some(wire) = &mut self.wire {
            wire.damaged.entry(id).or_insert_with(|| payload.into());
        }
    }

    /// A packet is at a gateway.
    pub(crate) fn pass(&mut self, passage: Passage) {
        if let Some(wire) = &mut self.wire {
            wire.passages.push(passage);
        }
    }

    /// When a packet was sent.
    pub(crate) fn sent_at(&self, id: RecordId) -> VirtualTime {
        self.records[id].at
    }

    /// The host that sent a packet.
    pub(crate) fn sender(&self, id: RecordId) -> &Name {
        &self.records[id].from_host
    }

    /// The addresses of a packet as its sender wrote them, and the destination as its receiver knows it.
    pub(crate) fn endpoints(&self, id: RecordId) -> (SocketAddr, SocketAddr, SocketAddr) {
        let record = &self.records[id];
        let seen = record.translated.as_ref().map_or(record.to, |translated| translated.to);
        (record.from, record.to, seen)
    }

    /// Who gets a packet, and with which addresses, where a NAT changed them.
    pub(crate) fn set_receiver(&mut self, id: RecordId, host: &Name, from: SocketAddr, to: SocketAddr) {
        let record = &mut self.records[id];
        if record.to_host.as_ref() != Some(host) {
            record.to_host = Some(host.clone());
        }
        if (record.from, record.to) != (from, to) {
            record.translated = Some(Box::new(Translated { from, to }));
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// Takes the bytes of all packets, where they were kept.
    pub(crate) fn take_wire(&mut self) -> Option<Wire> {
        self.wire.take()
    }

    pub(crate) fn take(&mut self) -> (Vec<PacketRecord>, Digest) {
        (std::mem::take(&mut self.records).into_one(), std::mem::take(&mut self.digest))
    }

    /// Time, addresses, transport (with a TCP segment's flags), length, bytes. Every field but the last
    /// has a fixed width, or says its own.
    fn digest(&mut self, record: &PacketRecord, payload: &[u8]) {
        let mut head = [0; 56];
        let mut writer = Writer { bytes: &mut head, len: 0 };
        writer.put(&record.at.as_nanos().to_le_bytes());
        writer.put_address(record.from);
        writer.put_address(record.to);
        writer.put(&transport_bits(record.protocol));
        writer.put(&record.len.to_le_bytes());
        let len = writer.len;
        self.digest.update(&head[..len]);
        self.digest.update(payload);
    }
}

/// Rounded up, as the clock is.
fn micros(duration: Duration) -> u32 {
    u32::try_from(duration.as_nanos().div_ceil(1000)).unwrap_or(u32::MAX)
}

fn transport_bits(protocol: Protocol) -> [u8; 2] {
    match protocol {
        Protocol::Tcp(flags) => {
            let bits = [flags.syn, flags.fin, flags.rst, flags.ack].into_iter().enumerate();
            let bits = bits.map(|(place, set)| u8::from(set) << place).sum();
            [Transport::Tcp as u8, bits]
        }
        _ => [Transport::Udp as u8, 0],
    }
}

struct Writer<'a> {
    bytes: &'a mut [u8],
    len: usize,
}

impl Writer<'_> {
    fn put(&mut self, bytes: &[u8]) {
        self.bytes[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    fn put_address(&mut self, address: SocketAddr) {
        match address.ip() {
            IpAddr::V4(v4) => {
                self.put(&[4]);
                self.put(&v4.octets());
            }
            IpAddr::V6(v6) => {
                self.put(&[6]);
                self.put(&v6.octets());
            }
        }
        self.put(&address.port().to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use timeline::TcpFlags;

    use super::*;

    fn record() -> PacketRecord {
        PacketRecord {
            at: VirtualTime::from_millis(1),
            from_host: "a".into(),
            to_host: Some("b".into()),
            from: "10.0.0.1:1".parse().unwrap(),
            to: "[2001:db8::1]:2".parse().unwrap(),
            protocol: Protocol::Udp,
            len: 3,
            verdict: Verdict::InFlight,
            translated: None,
            transit: Transit::default(),
        }
    }

    fn digest(change: impl FnOnce(&mut PacketRecord), payload: &[u8]) -> String {
        let mut record = record();
        change(&mut record);
        let mut log = PacketLog::default();
        log.push(record, payload);
        log.take().1.to_string()
    }

    #[test]
    fn keeps_every_record_in_its_place() {
        for count in [0, 1, PIECE, PIECE + 1, 3 * PIECE + 7] {
            let mut log = PacketLog::default();
            for nth in 0..count {
                let at = VirtualTime::from_nanos(nth as u64);
                assert_eq!(log.push(PacketRecord { at, ..record() }, b""), nth);
            }
            assert_eq!(log.len(), count);
            if let Some(last) = count.checked_sub(1) {
                assert_eq!(log.sent_at(last).as_nanos(), last as u64);
                log.set_verdict(last / 2, Verdict::Delivered);
            }
            let records = log.take().0;
            assert!(records.iter().enumerate().all(|(nth, record)| record.at.as_nanos() == nth as u64));
            let delivered: Vec<_> =
                (0..count).filter(|nth| records[*nth].verdict == Verdict::Delivered).collect();
            assert_eq!(delivered, count.checked_sub(1).map(|last| last / 2).into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_is_in_packets_is_kept_where_it_is_asked_for_and_changes_no_digest() {
        let logged = |mut log: PacketLog| {
            for payload in [&b"one"[..], b"", b"three"] {
                log.push(record(), payload);
            }
            (log.take_wire().map(|wire| wire.payloads), log.take().1.to_string())
        };
        let (kept, digest) = logged(PacketLog::with_bytes());
        assert_eq!(kept, Some([&b"one"[..], b"", b"three"].map(Box::from).to_vec()));
        assert_eq!(logged(PacketLog::default()), (None, digest));
    }

    #[test]
    fn covers_all_that_was_sent_and_not_what_became_of_it() {
        let base = digest(|_| (), b"abc");
        assert_eq!(base, digest(|record| record.verdict = Verdict::LostUp, b"abc"));
        let changed = [
            digest(|_| (), b"abd"),
            digest(|record| record.at = VirtualTime::from_millis(2), b"abc"),
            digest(|record| record.from.set_port(3), b"abc"),
            digest(|record| record.to.set_port(3), b"abc"),
            digest(|record| record.len = 4, b"abc"),
            digest(|record| record.protocol = Protocol::Tcp(TcpFlags::default()), b"abc"),
        ];
        assert!(changed.iter().all(|digest| *digest != base));
    }
}
