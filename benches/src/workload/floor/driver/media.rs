//! What a peer sends: frames of the sizes and at the pace of the engine's own devices.

use std::{sync::Arc, time::Duration};

use crate::workload::Broken;
use bytes::Bytes;
use rtc::{
    media::Sample,
    media_stream::MediaStreamTrack,
    peer_connection::configuration::media_engine::{MIME_TYPE_OPUS, MIME_TYPE_VP8},
    rtp_transceiver::{
        PayloadType, SSRC,
        rtp_sender::{RTCRtpCodec, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind},
    },
};
use webrtc::media_stream::track_local::static_sample::TrackLocalStaticSample;

/// What is sent.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Audio,
    Video,
}

impl Kind {
    pub(super) const ALL: [Self; 2] = [Self::Audio, Self::Video];

    pub(super) fn codec_kind(self) -> RtpCodecKind {
        match self {
            Self::Audio => RtpCodecKind::Audio,
            Self::Video => RtpCodecKind::Video,
        }
    }

    pub(super) fn codec(self) -> RTCRtpCodec {
        let (mime_type, clock_rate, channels) = match self {
            Self::Audio => (MIME_TYPE_OPUS, 48_000, 2),
            Self::Video => (MIME_TYPE_VP8, 90_000, 0),
        };
        RTCRtpCodec { mime_type: mime_type.to_owned(), clock_rate, channels, ..RTCRtpCodec::default() }
    }

    pub(super) fn payload_type(self) -> PayloadType {
        match self {
            Self::Audio => 111,
            Self::Video => 96,
        }
    }

    /// From frame to frame.
    fn interval(self) -> Duration {
        match self {
            Self::Audio => Duration::from_millis(20),
            Self::Video => Duration::from_secs(1) / 30,
        }
    }

    /// How many bytes the `nth` frame has, and how many packets: every three seconds there is a key frame.
    fn frame(self, nth: u64) -> (usize, u64) {
        match self {
            Self::Audio => (80, 1),
            Self::Video if nth.is_multiple_of(90) => (3000, 3),
            Self::Video => (1000, 1),
        }
    }
}

/// A local track.
#[derive(Clone)]
pub(super) struct Outbound {
    kind: Kind,
    ssrc: SSRC,
    pub(super) track: Arc<TrackLocalStaticSample>,
}

impl Outbound {
    pub(super) fn new(kind: Kind, ssrc: SSRC) -> Result<Self, Broken> {
        let encoding = RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(ssrc), ..Default::default() },
            codec: kind.codec(),
            ..Default::default()
        };
        let [stream, track] = ["stream".to_owned(), format!("{kind:?}")];
        let track = MediaStreamTrack::new(stream, track.clone(), track, kind.codec_kind(), vec![encoding]);
        let now = tokio::time::Instant::now().into_std();
        let track = TrackLocalStaticSample::new(now, track)?;
        Ok(Self { kind, ssrc, track: Arc::new(track) })
    }

    /// Sends frames for as long as `time`, the first one at once; how many packets.
    pub(super) async fn send(self, time: Duration) -> Result<u64, Broken> {
        let Self { kind, ssrc, track } = self;
        let duration = kind.interval();
        let (largest, _) = kind.frame(0);
        let data = Bytes::from(vec![0; largest]);
        let (start, mut packets) = (tokio::time::Instant::now(), 0);
        let mut clock = tokio::time::interval(duration);
        for nth in 0.. {
            if clock.tick().await - start >= time {
                break;
            }
            let (bytes, in_packets) = kind.frame(nth);
            let timestamp = tokio::time::Instant::now().into_std();
            let sample = Sample { data: data.slice(..bytes), duration, ..Sample::new(timestamp) };
            let writer = track.sample_writer(ssrc, kind.payload_type());
            writer.write_sample(&sample).await?;
            packets += in_packets;
        }
        Ok(packets)
    }
}
