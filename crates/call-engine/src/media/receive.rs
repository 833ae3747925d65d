//! The task that takes a remote track's packets to the application.

use std::{sync::Arc, time::Duration};

use futures::future::{self, Either};
use webrtc::{
    media_stream::track_remote::{TrackRemote, TrackRemoteEvent},
    runtime::Runtime,
};

use super::Heard;
use crate::MediaKind;
use crate::{EngineEvent, Observer, PacketPosition, ReceivedPacket};

/// What a remote track's task needs.
pub(crate) struct Inbound {
    pub(crate) kind: MediaKind,
    pub(crate) track: Arc<dyn TrackRemote>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) heard: Heard,
    /// After which silence the track counts as paused.
    pub(crate) silence: Option<Duration>,
}

/// Reads a remote track until it ends. Each packet that arrives here has been decrypted and
/// authenticated (RFC 3711 §3.3): the only proof that media flows. A remote mute is seen by the media
/// that does not come, not by an event: `mute` fires for a change of direction only.
pub(crate) async fn receive_media(inbound: Inbound) {
    let Some(silence) = inbound.silence else {
        while let Some(event) = inbound.track.poll().await {
            if inbound.take(&event) == Taken::End {
                return;
            }
        }
        return;
    };
    loop {
        // Flowing: a timer looks for silence, at most twice in its length.
        let mut heard = inbound.runtime.now();
        let mut timer = inbound.runtime.sleep(silence);
        loop {
            match future::select(std::pin::pin!(inbound.track.poll()), &mut timer).await {
                Either::Left((Some(event), _)) if inbound.take(&event) == Taken::GoesOn => {
                    heard = inbound.runtime.now();
                }
                Either::Left(_) => return,
                Either::Right(_) => {
                    let quiet = inbound.runtime.now().duration_since(heard);
                    if quiet >= silence {
                        break;
                    }
                    timer = inbound.runtime.sleep(silence - quiet);
                }
            }
        }
        inbound.observer.on_event(EngineEvent::MediaPaused { kind: inbound.kind });
        match inbound.track.poll().await {
            Some(event) if inbound.take(&event) == Taken::GoesOn => {
                inbound.observer.on_event(EngineEvent::MediaResumed { kind: inbound.kind });
            }
            _ => return,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    GoesOn,
    End,
}

impl Inbound {
    fn take(&self, event: &TrackRemoteEvent) -> Taken {
        match event {
            TrackRemoteEvent::OnRtpPacket(packet) => {
                let ends_frame = self.kind == MediaKind::Audio || packet.header.marker;
                let position = if ends_frame { PacketPosition::End } else { PacketPosition::Within };
                let bytes = packet.payload.len();
                self.heard.at(self.runtime.now());
                self.observer.on_packet_received(ReceivedPacket { kind: self.kind, bytes, position });
                Taken::GoesOn
            }
            TrackRemoteEvent::OnEnded => Taken::End,
            _ => Taken::GoesOn,
        }
    }
}
