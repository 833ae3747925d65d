//! What packets pass through on their way between tracks and the wire.

mod key_frames;
mod quiet;

use std::time::Duration;

use rtc::{
    interceptor::{NackGeneratorBuilder, NackResponderBuilder, Registry, Slot, TwccReceiverBuilder},
    peer_connection::configuration::{
        interceptor_registry::{
            configure_rtcp_reports, configure_simulcast_extension_headers, configure_twcc_receiver_only,
        },
        media_engine::MediaEngine,
    },
    rtp_transceiver::rtp_sender::{RTCPFeedback, RTCRtpHeaderExtensionCapability, RtpCodecKind},
    shared::error::Result,
};

use key_frames::KeyFrames;
pub(crate) use key_frames::asks_for_key_frame;
use quiet::Quiet;

/// How many packets of a video track are kept to be sent again (RFC 4585 §6.2.1); a power of two. Two seconds of
/// 1 Mbit/s: what is asked for later comes too late to be shown. The 1024 of the crate are 112 KB a track.
const KEPT_FOR_RETRANSMISSION: u16 = 256;
/// How often lost packets are asked for (RFC 4585 §3.4).
const NACK_INTERVAL: Duration = Duration::from_millis(100);
/// How often arrivals are reported (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3).
const TRANSPORT_CC_INTERVAL: Duration = Duration::from_millis(100);

/// The header extension with a packet's section (RFC 9143 §15).
const SDES_MID: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";

/// Retransmission, reports, and feedback for congestion control: what the crate registers by default, with the two
/// interceptors that tick ten times a second made quiet while nothing comes in.
pub(super) fn interceptors(media: &mut MediaEngine) -> Result<Registry> {
    for parameter in ["", "pli"] {
        let feedback = RTCPFeedback { typ: "nack".to_owned(), parameter: parameter.to_owned() };
        media.register_feedback(feedback, RtpCodecKind::Video);
    }
    configure_simulcast_extension_headers(media)?;
    // That is for video alone; in a bundle every section's packets say which they belong to (RFC 9143 §15).
    let mid = RTCRtpHeaderExtensionCapability { uri: SDES_MID.to_owned() };
    media.register_header_extension(mid, RtpCodecKind::Audio, None)?;
    let registry = configure_rtcp_reports(configure_twcc_receiver_only(Registry::new(), media)?);
    let responder = NackResponderBuilder::new().with_size(KEPT_FOR_RETRANSMISSION).build();
    let generator = NackGeneratorBuilder::new().with_interval(NACK_INTERVAL).build();
    let arrivals = TwccReceiverBuilder::new().with_interval(TRANSPORT_CC_INTERVAL).build();
    Ok(registry
        .with(Slot::NackResponder, responder)
        .with(Slot::NackGenerator, Quiet::new(generator, NACK_INTERVAL))
        .with(Slot::TwccReceiver, Quiet::new(arrivals, TRANSPORT_CC_INTERVAL))
        // Behind all that act on feedback themselves.
        .with(Slot::from(14_000), KeyFrames::default()))
}
