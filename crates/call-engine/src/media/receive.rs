//! The task that takes a remote track's packets to the application.

use std::sync::Arc;

use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};

use super::MediaKind;
use crate::{Observer, PacketPosition, ReceivedPacket};

/// Reads a remote track until it ends. Each packet that arrives here has been decrypted and
/// authenticated (RFC 3711 §3.3): the only proof that media flows.
pub(crate) async fn receive_media(kind: MediaKind, track: Arc<dyn TrackRemote>, observer: Arc<dyn Observer>) {
    while let Some(event) = track.poll().await {
        match event {
            TrackRemoteEvent::OnRtpPacket(packet) => {
                let ends_frame = kind == MediaKind::Audio || packet.header.marker;
                let position = if ends_frame { PacketPosition::End } else { PacketPosition::Within };
                observer.on_packet_received(ReceivedPacket { kind, bytes: packet.payload.len(), position });
            }
            TrackRemoteEvent::OnEnded => return,
            _ => {}
        }
    }
}
