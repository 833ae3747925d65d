//! Packets as columns: some ten thousand of them in a page, in a few hundred kilobytes.

use std::collections::BTreeMap;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Serialize;
use timeline::{Name, PacketRecord, Protocol};

use crate::decode::{Layer as Decoded, decode};

/// Packets, a column for each of their properties.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Packets {
    /// When each was sent, in microseconds after the one before.
    at: Vec<u64>,
    /// Between whom, as an index into `flows`.
    flow: Vec<u32>,
    /// What it carries, as an index into `protocols`.
    protocol: Vec<u32>,
    /// Payload bytes.
    len: Vec<u32>,
    /// What became of it, as an index into `verdicts`.
    verdict: Vec<u32>,
    /// How long it was under way, in microseconds; 0 where it has not arrived.
    transit: Vec<u32>,
    /// Of that: in queues, in the receiving host, waiting for a TCP retransmission. By packet, where any is not zero.
    spent: BTreeMap<usize, [u32; 3]>,
    /// The addresses behind NATs, by packet, where there was one on its way.
    translated: BTreeMap<usize, [String; 2]>,
    /// What is in it, layer by layer, by packet, where its bytes were kept.
    decoded: BTreeMap<usize, Vec<Decoded>>,
    /// The first twelve bytes of each SRTP packet, in Base64, one after the other; empty where bytes were not kept.
    headers: String,
    flows: Vec<Flow>,
    protocols: Vec<Content>,
    verdicts: Vec<Fate>,
}

/// Between whom packets pass.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Flow {
    /// The lane of the sender.
    from: usize,
    /// The lane of the receiver; `null` where nobody has the address.
    to: Option<usize>,
    /// The addresses as the sender wrote them.
    addresses: [String; 2],
}

/// What packets carry.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Content {
    layer: Layer,
    text: String,
}

/// What packets are filtered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Layer {
    Ice,
    Dtls,
    Media,
    Data,
    Tcp,
    Other,
}

/// What became of packets.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Fate {
    text: String,
    arrived: bool,
    /// Whether it is nothing to look at.
    plain: bool,
}

impl Packets {
    /// `payloads` are what is in `records`, one for each, or none at all.
    pub(crate) fn new(
        records: &[PacketRecord],
        payloads: &[Box<[u8]>],
        lane: &mut impl FnMut(&Name) -> usize,
    ) -> Self {
        let mut packets = Self::default();
        let mut before = 0;
        // In the order of sending already, but for worlds in real time.
        let mut records: Vec<(usize, &PacketRecord)> = records.iter().enumerate().collect();
        records.sort_by_key(|(_, record)| record.at);
        let mut flows = Flows::default();
        for (index, (recorded, record)) in records.into_iter().enumerate() {
            packets.payload(index, record.protocol, payloads.get(recorded).map(AsRef::as_ref));
            let at = record.at.as_nanos() / 1_000;
            packets.at.push(at - before);
            before = at;
            packets.flow.push(flows.of(record, &mut packets.flows, lane));
            let content = Content { layer: layer(record.protocol), text: record.protocol.to_string() };
            packets.protocol.push(place(&mut packets.protocols, content));
            packets.len.push(record.len);
            let (arrived, plain) = (record.verdict.arrived(), record.verdict == timeline::Verdict::Delivered);
            let fate = Fate { text: record.verdict.to_string(), arrived, plain };
            packets.verdict.push(place(&mut packets.verdicts, fate));
            packets.transit.push(record.transit.total_us);
            let spent = [record.transit.queued_us, record.transit.processing_us, record.transit.held_us];
            if spent != [0; 3] {
                packets.spent.insert(index, spent);
            }
            if let Some(seen) = &record.translated {
                packets.translated.insert(index, [seen.from.to_string(), seen.to.to_string()]);
            }
        }
        packets
    }
}

impl Packets {
    fn payload(&mut self, index: usize, protocol: Protocol, payload: Option<&[u8]>) {
        let Some(payload) = payload else { return };
        match protocol {
            // Media are most of the packets: their headers are decoded when they are looked at.
            Protocol::Srtp => {
                let mut head = [0; 12];
                let len = payload.len().min(head.len());
                head[..len].copy_from_slice(&payload[..len]);
                BASE64_STANDARD.encode_string(head, &mut self.headers);
            }
            Protocol::Tcp(_) => {}
            _ => {
                let layers = decode(payload);
                if !layers.is_empty() {
                    self.decoded.insert(index, layers);
                }
            }
        }
    }
}

/// The flows that were seen. There may be many, and packets of one mostly follow each other.
#[derive(Default)]
struct Flows {
    places: BTreeMap<(usize, Option<usize>, [std::net::SocketAddr; 2]), u32>,
}

impl Flows {
    fn of(
        &mut self,
        record: &PacketRecord,
        flows: &mut Vec<Flow>,
        lane: &mut impl FnMut(&Name) -> usize,
    ) -> u32 {
        let key = (lane(&record.from_host), record.to_host.as_ref().map(lane), [record.from, record.to]);
        *self.places.entry(key).or_insert_with(|| {
            let (from, to, addresses) = key;
            flows.push(Flow { from, to, addresses: addresses.map(|address| address.to_string()) });
            index(flows.len() - 1)
        })
    }
}

/// Where `value` stands among the few that there are.
fn place<T: PartialEq>(all: &mut Vec<T>, value: T) -> u32 {
    let found = all.iter().position(|other| *other == value).unwrap_or_else(|| {
        all.push(value);
        all.len() - 1
    });
    index(found)
}

fn index(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

fn layer(protocol: Protocol) -> Layer {
    match protocol {
        Protocol::Stun { .. } => Layer::Ice,
        Protocol::Dtls(timeline::DtlsContent::ApplicationData) => Layer::Data,
        Protocol::Dtls(_) => Layer::Dtls,
        Protocol::Srtp | Protocol::Srtcp | Protocol::ChannelData => Layer::Media,
        Protocol::Tcp(_) => Layer::Tcp,
        _ => Layer::Other,
    }
}
