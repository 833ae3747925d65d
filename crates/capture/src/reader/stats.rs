//! `getStats` as captures keep it (W3C webrtc-stats): one value at a time, by object and member.

use std::collections::BTreeMap;

use serde_json::Value;

use timeline::MediaKind;

use crate::{
    candidate::CandidateType,
    trace::{Flow, SelectedPair, StatsSample},
};

/// The newest value of every member that is of use.
#[derive(Debug, Default)]
pub(super) struct Statistics {
    objects: BTreeMap<String, Object>,
}

#[derive(Debug, Default)]
struct Object {
    kind: String,
    members: BTreeMap<&'static str, Value>,
}

const WANTED: [&str; 16] = [
    "dtlsState",
    "selectedCandidatePairId",
    "currentRoundTripTime",
    "nominated",
    "state",
    "localCandidateId",
    "remoteCandidateId",
    "candidateType",
    "protocol",
    "packetsReceived",
    "packetsLost",
    "packetsSent",
    "kind",
    "mediaType",
    "bytesReceived",
    "bytesSent",
];

/// More objects than that are not kept: a call has some dozens.
const MAX_OBJECTS: usize = 4096;

/// The member as it is kept, `None` for those that are of no use.
pub(super) fn wanted(member: &str) -> Option<&'static str> {
    WANTED.into_iter().find(|wanted| *wanted == member)
}

impl Statistics {
    pub(super) fn set(&mut self, id: &str, kind: &str, member: &'static str, value: Value) {
        if !self.objects.contains_key(id) && self.objects.len() >= MAX_OBJECTS {
            return;
        }
        let object = self.objects.entry(id.to_owned()).or_default();
        if !kind.is_empty() && object.kind != kind {
            kind.clone_into(&mut object.kind);
        }
        object.members.insert(member, value);
    }

    /// What they say together; `None` where they say nothing of the network.
    pub(super) fn sample(&self) -> Option<StatsSample> {
        let pair = self.selected_pair();
        let sum = |kind: &str, member: &str| {
            let values = self.of_kind(kind).filter_map(|object| object.members.get(member)?.as_f64());
            values.reduce(|sum, value| sum + value)
        };
        let sample = StatsSample {
            round_trip_ms: pair
                .and_then(|pair| pair.members.get("currentRoundTripTime")?.as_f64())
                .map(|seconds| seconds * 1e3),
            packets_received: sum("inbound-rtp", "packetsReceived").map(|sum| sum as u64),
            packets_lost: sum("inbound-rtp", "packetsLost").map(|sum| sum as i64),
            packets_sent: sum("outbound-rtp", "packetsSent").map(|sum| sum as u64),
            dtls_connected: self.of_kind("transport").any(|transport| {
                transport.members.get("dtlsState").and_then(Value::as_str) == Some("connected")
            }),
            audio: self.flow(MediaKind::Audio),
            video: self.flow(MediaKind::Video),
            selected: pair.and_then(|pair| self.candidates(pair)),
            ..StatsSample::default()
        };
        (sample != StatsSample::default()).then_some(sample)
    }

    /// Packets where they are counted, else bytes. `ssrc` is the type of both in Chromium up to 117, whose ids end with
    /// the direction.
    fn flow(&self, kind: MediaKind) -> Flow {
        let streams = |way: &'static str| {
            let is_of = move |(id, object): &(&String, &Object)| {
                let is_way = match object.kind.as_str() {
                    "inbound-rtp" => way == "recv",
                    "outbound-rtp" => way == "send",
                    "ssrc" => id.ends_with(way),
                    _ => false,
                };
                is_way && media_kind(id, object) == Some(kind)
            };
            self.objects.iter().filter(is_of).map(|(_, object)| object)
        };
        let count = |way: &'static str, packets: &str, bytes: &str| {
            let of = |member: &str| {
                let values = streams(way).filter_map(|object| number(object.members.get(member)?));
                values.reduce(|sum, value| sum + value)
            };
            of(packets).or_else(|| of(bytes)).map(|sum| sum as u64)
        };
        Flow {
            received: count("recv", "packetsReceived", "bytesReceived"),
            sent: count("send", "packetsSent", "bytesSent"),
        }
    }

    fn of_kind<'s>(&'s self, kind: &'s str) -> impl Iterator<Item = &'s Object> {
        self.objects.values().filter(move |object| object.kind == kind)
    }

    fn selected_pair(&self) -> Option<&Object> {
        let named = self.of_kind("transport").find_map(|transport| {
            self.objects.get(transport.members.get("selectedCandidatePairId")?.as_str()?)
        });
        named.or_else(|| {
            let is = |pair: &Object, member: &str, value: &Value| pair.members.get(member) == Some(value);
            self.of_kind("candidate-pair").find(|pair| {
                is(pair, "nominated", &Value::Bool(true)) && is(pair, "state", &Value::from("succeeded"))
            })
        })
    }

    fn candidates(&self, pair: &Object) -> Option<SelectedPair> {
        let candidate = |member: &str| self.objects.get(pair.members.get(member)?.as_str()?);
        let kind = |object: &Object| CandidateType::from_word(object.members.get("candidateType")?.as_str()?);
        let (local, remote) = (candidate("localCandidateId")?, candidate("remoteCandidateId")?);
        let protocol = local.members.get("protocol").and_then(Value::as_str).unwrap_or("udp").to_owned();
        Some(SelectedPair { local: kind(local)?, remote: kind(remote)?, protocol })
    }
}

/// As the object says, else by its id: `IT01A123`, `RTCInboundRTPAudioStream_123`.
fn media_kind(id: &str, object: &Object) -> Option<MediaKind> {
    let said = object.members.get("kind").or_else(|| object.members.get("mediaType")).and_then(Value::as_str);
    if let Some(kind) = said.and_then(MediaKind::from_word) {
        return Some(kind);
    }
    let lower = id.to_ascii_lowercase();
    let letter = id.get(4..5).filter(|_| id.starts_with("IT") || id.starts_with("OT"));
    match letter {
        _ if lower.contains("audio") => Some(MediaKind::Audio),
        _ if lower.contains("video") => Some(MediaKind::Video),
        Some("A") => Some(MediaKind::Audio),
        Some("V") => Some(MediaKind::Video),
        _ => None,
    }
}

/// Older dumps write numbers as texts.
fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())
}
