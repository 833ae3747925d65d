//! The library's floor: what its sans-I/O half (`rtc`) needs where nothing else is there. Two peer connections hand
//! each other their packets in memory, at once and without loss: no runtime, no network, no signalling, no engine. A
//! call of ours does the same, and all the rest; so it cannot be cheaper than this on the same library.

use std::time::{Duration, Instant};

use rtc::{
    interceptor::Registry,
    media_stream::MediaStreamTrack,
    peer_connection::{
        RTCPeerConnection, RTCPeerConnectionBuilder,
        configuration::{
            interceptor_registry::register_default_interceptors,
            media_engine::{MIME_TYPE_OPUS, MIME_TYPE_VP8, MediaEngine},
        },
        event::RTCPeerConnectionEvent,
        state::RTCPeerConnectionState,
        transport::{CandidateConfig, CandidateHostConfig, RTCIceCandidate},
    },
    rtp,
    rtp_transceiver::{
        RTCRtpSenderId,
        rtp_sender::{
            RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters,
            RtpCodecKind,
        },
    },
    sansio::Protocol as _,
};

use super::super::{Broken, PrepareError, Prepared, Region, Size, Workload, within};

/// In the order in which they are shown.
pub(in crate::workload) const ALL: &[Workload] = &[
    Workload {
        id: "floor/stack",
        about: "Two peer connections of the sans-I/O library, back to back in memory: Opus and VP8, offer and answer, \
                a candidate each, ICE, DTLS, until both are connected; their end. No runtime, network or signalling.",
        unit: "call",
        prepare: |size, region| stack("floor/stack", size, region, |_| 1),
    },
    Workload {
        id: "floor/stack-media",
        about: "The same, and ten seconds of media both ways: 50 audio and 30 video packets a second. The units are media \
                packets; the set-up is in it.",
        unit: "media packet",
        prepare: |size, region| stack("floor/stack-media", size, region, Pair::media),
    },
];

fn stack(
    id: &'static str,
    size: Size,
    region: Region,
    connected: fn(&mut Pair) -> u64,
) -> Result<Prepared, PrepareError> {
    let times = if size == Size::Full { 10 } else { 1 };
    let play = move || -> Result<u64, Broken> {
        let mut pair = Pair::new()?;
        pair.connect()?;
        Ok(connected(&mut pair))
    };
    play().map_err(|what| PrepareError::Broken { id, what })?;
    Ok(Box::new(move || {
        within(region, || (0..times).map(|_| play().unwrap_or_else(|what| panic!("{id}: {what}"))).sum())
    }))
}

/// The two sides, and their common time.
struct Pair {
    sides: [Side; 2],
    now: Instant,
}

struct Side {
    connection: RTCPeerConnection,
    is_connected: bool,
    /// Sender, SSRC and next sequence number of each track.
    senders: Vec<(RTCRtpSenderId, u32, u16)>,
    received: u64,
}

impl Pair {
    fn new() -> Result<Self, Broken> {
        #[expect(
            clippy::disallowed_methods,
            reason = "an instant is needed to begin with; which does not matter"
        )]
        let now = Instant::now();
        Ok(Self { sides: [Side::new(now, 1)?, Side::new(now, 2)?], now })
    }

    /// Offer, answer, and packets until both are connected.
    fn connect(&mut self) -> Result<(), Broken> {
        let [caller, callee] = &mut self.sides;
        let offer = caller.connection.create_offer(None)?;
        caller.connection.set_local_description(self.now, offer.clone())?;
        callee.connection.set_remote_description(self.now, offer)?;
        let answer = callee.connection.create_answer(None)?;
        callee.connection.set_local_description(self.now, answer.clone())?;
        caller.connection.set_remote_description(self.now, answer)?;
        for _ in 0..1000 {
            self.exchange()?;
            if self.sides.iter().all(|side| side.is_connected) {
                return Ok(());
            }
            self.pass_until(self.now + Duration::from_secs(1))?;
        }
        Err(Broken::NotConnected)
    }

    /// Hands packets over until both have nothing more to say.
    fn exchange(&mut self) -> Result<(), Broken> {
        loop {
            let mut moved = false;
            for from in 0..2 {
                while let Some(mut packet) = self.sides[from].connection.poll_write() {
                    moved = true;
                    packet.now = self.now;
                    let transport = &mut packet.transport;
                    std::mem::swap(&mut transport.local_addr, &mut transport.peer_addr);
                    self.sides[1 - from].connection.handle_read(packet)?;
                }
                self.sides[from].look();
            }
            if !moved {
                return Ok(());
            }
        }
    }

    /// Lets time jump to the next timer, but not beyond `until`.
    fn pass_until(&mut self, until: Instant) -> Result<(), Broken> {
        let next = self.sides.iter_mut().filter_map(|side| side.connection.poll_timeout()).min();
        self.now = next.unwrap_or(until).clamp(self.now, until);
        for side in &mut self.sides {
            side.connection.handle_timeout(self.now)?;
        }
        Ok(())
    }

    /// Ten seconds of media both ways; how many packets came.
    fn media(&mut self) -> u64 {
        let start = self.now;
        for millisecond in (0..10_000).step_by(10) {
            let due = start + Duration::from_millis(millisecond);
            while self.now < due {
                self.pass_until(due).expect("time passes");
                self.exchange().expect("packets pass");
            }
            for side in &mut self.sides {
                if millisecond % 20 == 0 {
                    side.send(0, self.now, millisecond, 160);
                }
                if millisecond % 33 < 10 {
                    side.send(1, self.now, millisecond, 1100);
                }
            }
            self.exchange().expect("packets pass");
        }
        self.sides.iter().map(|side| side.received).sum()
    }
}

impl Side {
    fn new(now: Instant, number: u16) -> Result<Self, Broken> {
        let mut media = MediaEngine::default();
        let codecs = [
            (MIME_TYPE_OPUS, 48_000, 2, 111, RtpCodecKind::Audio),
            (MIME_TYPE_VP8, 90_000, 0, 96, RtpCodecKind::Video),
        ]
        .map(|(mime_type, clock_rate, channels, payload_type, kind)| {
            let mime_type = mime_type.to_owned();
            let rtp_codec = RTCRtpCodec { mime_type, clock_rate, channels, ..RTCRtpCodec::default() };
            (RTCRtpCodecParameters { rtp_codec, payload_type }, kind)
        });
        for (codec, kind) in codecs.clone() {
            media.register_codec(codec, kind)?;
        }
        let interceptors = register_default_interceptors(Registry::new(), &mut media)?;
        let mut connection = RTCPeerConnectionBuilder::new()
            .with_media_engine(media)
            .with_interceptor_registry(interceptors)
            .build(now)?;
        let mut senders = Vec::new();
        for (ssrc, (codec, kind)) in (u32::from(number) * 10..).zip(codecs) {
            let encoding = RTCRtpEncodingParameters {
                rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(ssrc), ..Default::default() },
                codec: codec.rtp_codec,
                ..Default::default()
            };
            let [stream, track] = ["stream".to_owned(), format!("{kind:?}")];
            let track = MediaStreamTrack::new(stream, track.clone(), track, kind, vec![encoding]);
            senders.push((connection.add_track(track)?, ssrc, 0));
        }
        let candidate = CandidateHostConfig {
            base_config: CandidateConfig {
                network: "udp".to_owned(),
                address: format!("10.0.0.{number}"),
                port: 5000 + number,
                component: 1,
                ..Default::default()
            },
            ..Default::default()
        };
        let candidate = candidate.new_candidate_host()?;
        let candidate = RTCIceCandidate::from(&candidate).to_json()?;
        connection.add_local_candidate(candidate)?;
        Ok(Self { connection, is_connected: false, senders, received: 0 })
    }

    /// Takes what the connection has for its application.
    fn look(&mut self) {
        while let Some(event) = self.connection.poll_event() {
            if let RTCPeerConnectionEvent::OnConnectionStateChangeEvent(state) = event {
                self.is_connected = state == RTCPeerConnectionState::Connected;
            }
        }
        while let Some(message) = self.connection.poll_read() {
            self.received += u64::from(matches!(
                message.message,
                rtc::peer_connection::message::RTCMessage::RtpPacket(..)
            ));
        }
    }

    fn send(&mut self, track: usize, now: Instant, millisecond: u64, bytes: usize) {
        let (sender, ssrc, sequence) = &mut self.senders[track];
        *sequence += 1;
        let header = rtp::Header {
            version: 2,
            payload_type: [111, 96][track],
            sequence_number: *sequence,
            timestamp: millisecond as u32 * [48, 90][track],
            ssrc: *ssrc,
            ..rtp::Header::default()
        };
        let packet = rtp::Packet { header, payload: vec![0; bytes].into() };
        let mut sender = self.connection.rtp_sender(*sender).expect("a sender");
        sender.write_rtp(now, packet).expect("it is connected");
    }
}
