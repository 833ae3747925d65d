//! The codecs of local tracks.

use rtc::{
    peer_connection::configuration::media_engine::{MIME_TYPE_OPUS, MIME_TYPE_VP8},
    rtp_transceiver::rtp_sender::RTCRtpCodec,
};

use crate::MediaKind;

/// Clock rate of Opus in RTP (RFC 7587 §4.1), hertz.
const OPUS_CLOCK_HZ: u32 = 48_000;
/// Clock rate of VP8 in RTP (RFC 7741 §4.1), hertz.
const VP8_CLOCK_HZ: u32 = 90_000;

/// The codec that local tracks of `kind` are encoded with. Feedback (RFC 4585) is registered with the
/// interceptors that act on it.
pub(crate) fn codec_of(kind: MediaKind) -> RTCRtpCodec {
    match kind {
        MediaKind::Audio => RTCRtpCodec {
            mime_type: MIME_TYPE_OPUS.to_owned(),
            clock_rate: OPUS_CLOCK_HZ,
            channels: 2,
            sdp_fmtp_line: "minptime=10;useinbandfec=1".to_owned(),
            rtcp_feedback: vec![],
        },
        MediaKind::Video => RTCRtpCodec {
            mime_type: MIME_TYPE_VP8.to_owned(),
            clock_rate: VP8_CLOCK_HZ,
            channels: 0,
            sdp_fmtp_line: String::new(),
            rtcp_feedback: vec![],
        },
    }
}
