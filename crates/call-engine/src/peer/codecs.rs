//! Which codecs the engine offers.

use rtc::{
    peer_connection::configuration::media_engine::MediaEngine,
    rtp_transceiver::rtp_sender::RTCRtpCodecParameters, shared::error::Result,
};

use crate::{
    Codecs, MediaKind,
    media::{codec_kind, codec_of},
};

/// The media engine that offers `codecs`.
pub(super) fn media_engine(codecs: Codecs) -> Result<MediaEngine> {
    let mut engine = MediaEngine::default();
    match codecs {
        Codecs::Full => engine.register_default_codecs()?,
        Codecs::OpusVp8 => {
            for (kind, payload_type) in [(MediaKind::Audio, 111), (MediaKind::Video, 96)] {
                let parameters = RTCRtpCodecParameters { rtp_codec: codec_of(kind), payload_type };
                engine.register_codec(parameters, codec_kind(kind))?;
            }
        }
    }
    Ok(engine)
}
