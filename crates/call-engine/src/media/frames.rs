//! Whole frames from the RTP packets of a remote track (RFC 7587 for Opus, RFC 7741 for VP8).

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use rtc::{
    media::{Sample, io::sample_builder::SampleBuilder},
    peer_connection::configuration::media_engine::{MIME_TYPE_OPUS, MIME_TYPE_VP8},
    rtp::{
        self,
        codec::{opus::OpusPacket, vp8::Vp8Packet},
    },
    rtp_transceiver::rtp_sender::RTCRtpCodec,
};

use crate::MediaKind;

/// A track of the other side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteTrack {
    /// `MediaStreamTrack.id`, by its maker (RFC 8830).
    pub id: String,
    /// Audio or video.
    pub kind: MediaKind,
    /// The id of the stream that it belongs to.
    pub stream: String,
}

/// A whole encoded frame of the other side, as a decoder takes it: Opus or VP8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedFrame {
    /// Which track.
    pub track: Arc<RemoteTrack>,
    /// The frame.
    pub data: Bytes,
    /// When it is to be played, in the clock of its codec: 48 kHz for Opus, 90 kHz for VP8. Wraps around.
    pub rtp_timestamp: u32,
    /// Whether it can be decoded by itself: every Opus frame, and key frames of VP8.
    pub is_key: bool,
    /// Whether frames before it are missing: a decoder of video shows errors from here to the next key
    /// frame, which the engine has asked for.
    pub follows_loss: bool,
}

/// How many packets of a track may be missing until what is before them is given up; a fifth of a second of
/// video at 1 Mbit/s, and a second of audio.
const MOST_LATE: u16 = 50;
/// How often the other side is asked for a key frame at most.
const ASKS_EVERY: Duration = Duration::from_millis(500);

/// Puts the packets of one track together.
pub(crate) struct Frames {
    track: Arc<RemoteTrack>,
    builder: Builder,
    /// A key frame is needed before anything else can be decoded.
    needs_key: bool,
    asked: Option<Instant>,
}

enum Builder {
    Opus(SampleBuilder<OpusPacket>),
    Vp8(SampleBuilder<Vp8Packet>),
}

impl Frames {
    /// `None` for a codec whose frames are not known here: its packets reach the application all the same.
    pub(crate) fn of(track: Arc<RemoteTrack>, codec: &RTCRtpCodec) -> Option<Self> {
        let rate = codec.clock_rate;
        let is = |mime: &str| codec.mime_type.eq_ignore_ascii_case(mime);
        let builder = if is(MIME_TYPE_OPUS) {
            Builder::Opus(SampleBuilder::new(MOST_LATE, OpusPacket, rate))
        } else if is(MIME_TYPE_VP8) {
            Builder::Vp8(SampleBuilder::new(MOST_LATE, Vp8Packet::default(), rate))
        } else {
            return None;
        };
        let needs_key = track.kind == MediaKind::Video;
        Some(Self { track, builder, needs_key, asked: None })
    }

    /// A packet arrived: the frames that are whole now, oldest first.
    pub(crate) fn take(&mut self, now: Instant, packet: rtp::Packet) -> Vec<ReceivedFrame> {
        match &mut self.builder {
            Builder::Opus(builder) => builder.push(now, packet),
            Builder::Vp8(builder) => builder.push(now, packet),
        }
        let mut frames = Vec::new();
        while let Some(sample) = self.next_sample(now) {
            frames.push(self.frame(sample));
        }
        frames
    }

    /// Whether the other side is to be asked for a key frame now.
    pub(crate) fn asks_for_key(&mut self, now: Instant) -> bool {
        let asked_lately = self.asked.is_some_and(|asked| now.saturating_duration_since(asked) < ASKS_EVERY);
        if !self.needs_key || asked_lately {
            return false;
        }
        self.asked = Some(now);
        true
    }

    fn next_sample(&mut self, now: Instant) -> Option<Sample> {
        match &mut self.builder {
            Builder::Opus(builder) => builder.pop(now),
            Builder::Vp8(builder) => builder.pop(now),
        }
    }

    fn frame(&mut self, sample: Sample) -> ReceivedFrame {
        let is_video = self.track.kind == MediaKind::Video;
        // The lowest bit of a VP8 frame says that it needs the one before (RFC 6386 §9.1).
        let is_key = !is_video || sample.data.first().is_some_and(|tag| tag & 1 == 0);
        let follows_loss = sample.prev_dropped_packets > 0;
        if is_video {
            self.needs_key = !is_key && (self.needs_key || follows_loss);
        }
        ReceivedFrame {
            track: self.track.clone(),
            data: sample.data,
            rtp_timestamp: sample.packet_timestamp,
            is_key,
            follows_loss,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::codec_of;

    fn frames(kind: MediaKind) -> Frames {
        let track = RemoteTrack { id: "t".to_owned(), kind, stream: "s".to_owned() };
        Frames::of(Arc::new(track), &codec_of(kind)).unwrap()
    }

    /// A packet of VP8: the first of its frame or not, the last or not.
    fn video(number: u16, timestamp: u32, first: bool, last: bool, data: &[u8]) -> rtp::Packet {
        let mut payload = vec![if first { 0x10 } else { 0 }];
        payload.extend_from_slice(data);
        let mut packet = rtp::Packet::default();
        packet.header.sequence_number = number;
        packet.header.timestamp = timestamp;
        packet.header.marker = last;
        packet.payload = payload.into();
        packet
    }

    fn now() -> Instant {
        #[expect(
            clippy::disallowed_methods,
            reason = "instants cannot be made; only distances from this one count"
        )]
        Instant::now()
    }

    #[test]
    fn a_frame_in_two_packets_is_whole_whatever_their_order() {
        let (mut frames, now) = (frames(MediaKind::Video), now());
        let packets = [
            video(1, 3_000, true, false, &[0x10, 1, 2, 3]),
            video(3, 6_000, true, true, &[0x11, 7, 8, 9]),
            video(2, 3_000, false, true, &[4, 5, 6, 7]),
            video(4, 9_000, true, true, &[0x11, 1, 1, 1]),
        ];
        let found: Vec<_> = packets.into_iter().flat_map(|packet| frames.take(now, packet)).collect();
        assert_eq!(&found[0].data[..], [0x10, 1, 2, 3, 4, 5, 6, 7]);
        assert!(found[0].is_key && !found[1].is_key);
        assert_eq!((found[0].rtp_timestamp, found[1].rtp_timestamp), (3_000, 6_000));
        assert!(!frames.asks_for_key(now), "the first frame was a key frame");
    }

    #[test]
    fn a_key_frame_is_asked_for_until_one_comes_and_not_too_often() {
        let (mut frames, now) = (frames(MediaKind::Video), now());
        assert!(frames.asks_for_key(now), "nothing was decoded yet");
        assert!(!frames.asks_for_key(now + ASKS_EVERY - Duration::from_millis(1)));
        assert!(frames.asks_for_key(now + ASKS_EVERY));
        for number in 1..4 {
            frames.take(now, video(number, 3_000 * u32::from(number), true, true, &[0x10, 0, 0, 0]));
        }
        assert!(!frames.asks_for_key(now + 4 * ASKS_EVERY));
    }

    #[test]
    fn sound_needs_no_key() {
        assert!(!frames(MediaKind::Audio).asks_for_key(now()));
    }
}
