//! What encrypted packets carry: SCTP in DTLS (RFC 8261), RTP in SRTP and RTCP in SRTCP (RFC 5764), decrypted with the
//! master secrets of their connections.

mod dtls;
mod session;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
};

use netsim::Wire;
use rtc_crypto::RTCCryptoProvider;
use timeline::{DtlsContent, Name, PacketRecord, Protocol};

use self::session::{Session, sessions};

/// What a packet carries behind its encryption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Plain {
    /// Decrypted.
    Text {
        /// Of which protocol it is.
        protocol: Plaintext,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// Nobody has the key.
    NoKey,
}

/// The protocols that are carried encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plaintext {
    Sctp,
    Rtp,
    Rtcp,
}

impl Plaintext {
    /// Wireshark's name of it.
    pub(crate) const fn dissector(self) -> &'static str {
        match self {
            Self::Sctp => "sctp",
            Self::Rtp => "rtp",
            Self::Rtcp => "rtcp",
        }
    }
}

/// What packets carry, by number; none for those that are not encrypted, and for those that a relay has only passed on.
pub(crate) struct Plaintexts(BTreeMap<usize, Plain>);

impl Plaintexts {
    pub(crate) fn get(&self, packet: usize) -> Option<&Plain> {
        self.0.get(&packet)
    }
}

/// What `packets` carry. `keys` are lines in the NSS key log format; those that are none are passed over.
pub(crate) fn plaintexts(packets: &[PacketRecord], wire: &Wire, keys: &[String]) -> Plaintexts {
    let mut found = BTreeMap::new();
    let Ok(provider) = rtc_crypto::default_provider() else { return Plaintexts(found) };
    let mut opener = Opener {
        sessions: sessions(packets, wire, &secrets(keys)),
        last: BTreeMap::new(),
        speakers: dtls::speakers(packets, wire),
    };
    for (index, (packet, payload)) in packets.iter().zip(&wire.payloads).enumerate() {
        let payload = dtls::relayed(payload);
        let Some(kind) = Kind::of(payload) else { continue };
        // What a relay passes on is there already, as its sender sent it.
        if !opener.speakers.contains(&packet.from_host) {
            continue;
        }
        let plain = opener.open(packet, kind, payload, provider.as_ref()).unwrap_or(Plain::NoKey);
        found.insert(index, plain);
    }
    Plaintexts(found)
}

/// The master secrets, by client random.
fn secrets(keys: &[String]) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let parse = |line: &String| {
        let rest = line.strip_prefix("CLIENT_RANDOM ")?;
        let (random, secret) = rest.trim().split_once(' ')?;
        Some((bytes(random)?, bytes(secret)?))
    };
    keys.iter().filter_map(parse).collect()
}

/// From hexadecimal.
fn bytes(hex: &str) -> Option<Vec<u8>> {
    if !hex.is_ascii() || !hex.len().is_multiple_of(2) {
        return None;
    }
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok()).collect()
}

/// What is encrypted, as its first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    DtlsData,
    Srtp,
    Srtcp,
}

impl Kind {
    fn of(payload: &[u8]) -> Option<Self> {
        match netsim::classify(payload) {
            Protocol::Dtls(DtlsContent::ApplicationData) => Some(Self::DtlsData),
            Protocol::Srtp => Some(Self::Srtp),
            Protocol::Srtcp => Some(Self::Srtcp),
            _ => None,
        }
    }
}

struct Opener {
    sessions: Vec<Session>,
    /// The session that opened the last packet of a flow: it opens the next one, mostly.
    last: BTreeMap<(Name, SocketAddr, Kind), usize>,
    /// Who takes part in handshakes.
    speakers: BTreeSet<Name>,
}

impl Opener {
    fn open(
        &mut self,
        packet: &PacketRecord,
        kind: Kind,
        payload: &[u8],
        provider: &dyn RTCCryptoProvider,
    ) -> Option<Plain> {
        let flow = (packet.from_host.clone(), packet.to, kind);
        let last = self.last.get(&flow).copied();
        // The newest first: a restart makes a new one.
        let others = (0..self.sessions.len()).rev().filter(|index| Some(*index) != last);
        for index in last.into_iter().chain(others) {
            let session = &mut self.sessions[index];
            let opened = match kind {
                Kind::DtlsData => session.data(&packet.from_host, payload, provider),
                Kind::Srtp => session.rtp(&packet.from_host, payload, provider),
                Kind::Srtcp => session.rtcp(&packet.from_host, payload, provider),
            };
            if let Some(bytes) = opened {
                self.last.insert(flow, index);
                let protocol = match kind {
                    Kind::DtlsData => Plaintext::Sctp,
                    Kind::Srtp => Plaintext::Rtp,
                    Kind::Srtcp => Plaintext::Rtcp,
                };
                return Some(Plain::Text { protocol, bytes });
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use timeline::{Transit, Verdict, VirtualTime};

    use super::*;

    #[test]
    fn lines_that_are_no_keys_are_passed_over() {
        let lines = [
            "CLIENT_RANDOM 0a0b 0c",
            "CLIENT_RANDOM 0a0",
            "CLIENT_RANDOM zz 0c",
            "# a comment",
            "CLIENT_RANDOM ä 0c",
        ];
        let secrets = secrets(&lines.map(str::to_owned));
        assert_eq!(secrets, BTreeMap::from([(vec![10, 11], vec![12])]));
    }

    fn record(len: usize) -> PacketRecord {
        PacketRecord {
            at: VirtualTime::ZERO,
            from_host: "a".into(),
            to_host: Some("b".into()),
            from: "10.0.0.1:1".parse().unwrap(),
            to: "10.0.0.2:2".parse().unwrap(),
            protocol: Protocol::Udp,
            len: u32::try_from(len).unwrap(),
            verdict: Verdict::Delivered,
            translated: None,
            transit: Transit::default(),
        }
    }

    /// The beginnings of what is looked into.
    fn payload() -> impl Strategy<Value = Vec<u8>> {
        let heads = [
            vec![22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 60, 1, 0, 0, 48, 0, 0, 0, 0, 0, 0, 0, 48],
            vec![22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 60, 2, 0, 0, 48, 0, 0, 0, 0, 0, 0, 0, 48],
            vec![23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9],
            vec![0x80, 111, 0, 1],
            vec![0x80, 200, 0, 1],
            vec![0x40, 0, 0, 8],
            vec![0, 22, 0, 40, 0x21, 0x12, 0xa4, 0x42],
        ];
        (proptest::sample::select(heads.to_vec()), proptest::collection::vec(any::<u8>(), 0..90))
            .prop_map(|(head, rest)| [head, rest].concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn bytes_of_strangers_never_panic(payloads in proptest::collection::vec(payload(), 1..12), random in any::<[u8; 32]>()) {
            let packets: Vec<PacketRecord> = payloads.iter().map(|payload| record(payload.len())).collect();
            let hex: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
            let wire = Wire {
                payloads: payloads.into_iter().map(Vec::into_boxed_slice).collect(),
                ..Wire::default()
            };
            let _ = plaintexts(&packets, &wire, &[format!("CLIENT_RANDOM {hex} {hex}")]);
        }
    }
}
