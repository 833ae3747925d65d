//! The task that takes a remote track's packets to the application.

use std::{sync::Arc, time::Duration};

use futures::future::{self, Either};
use rtc::{
    rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication, rtp, shared::error::Result,
};
use webrtc::{
    media_stream::track_remote::{TrackRemote, TrackRemoteEvent},
    runtime::Runtime,
};

use super::{Heard, ReceivedFrame, RemoteTrack, frames::Frames};
use crate::MediaKind;
use crate::{EngineEvent, Observer, PacketPosition, ReceivedPacket};

/// What a remote track's task needs.
pub(crate) struct Inbound {
    pub(crate) remote: Arc<RemoteTrack>,
    pub(crate) track: Arc<dyn TrackRemote>,
    /// Whether the application is given whole frames.
    pub(crate) wants_frames: bool,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) heard: Heard,
    /// After which silence the track counts as paused.
    pub(crate) silence: Option<Duration>,
}

/// Asks for a key frame of a remote track, of each stream of packets that it has.
pub(crate) async fn ask_for_key_frame(track: &Arc<dyn TrackRemote>) -> Result<()> {
    let ask = |media_ssrc| PictureLossIndication { sender_ssrc: 0, media_ssrc };
    for ssrc in track.ssrcs().await {
        track.write_rtcp(vec![Box::new(ask(ssrc))]).await?;
    }
    Ok(())
}

/// Reads a remote track until it ends. Each packet that arrives here has been decrypted and
/// authenticated (RFC 3711 §3.3): the only proof that media flows. A remote mute is seen by the media
/// that does not come, not by an event: `mute` fires for a change of direction only.
pub(crate) async fn receive_media(inbound: Inbound) {
    let (silence, kind) = (inbound.silence, inbound.remote.kind);
    let mut receiver = Receiver { inbound, frames: None };
    let Some(silence) = silence else {
        while receiver.next().await == Taken::GoesOn {}
        return;
    };
    loop {
        // Flowing: a timer looks for silence, at most twice in its length.
        let runtime = receiver.inbound.runtime.clone();
        let mut heard = runtime.now();
        let mut timer = runtime.sleep(silence);
        loop {
            match future::select(std::pin::pin!(receiver.next()), &mut timer).await {
                Either::Left((Taken::GoesOn, _)) => heard = runtime.now(),
                Either::Left((Taken::End, _)) => return,
                Either::Right(_) => {
                    let quiet = runtime.now().duration_since(heard);
                    if quiet >= silence {
                        break;
                    }
                    timer = runtime.sleep(silence - quiet);
                }
            }
        }
        receiver.inbound.observer.on_event(EngineEvent::MediaPaused { kind });
        match receiver.next().await {
            Taken::GoesOn => receiver.inbound.observer.on_event(EngineEvent::MediaResumed { kind }),
            Taken::End => return,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    GoesOn,
    End,
}

/// A remote track, and the frames that its packets make.
struct Receiver {
    inbound: Inbound,
    /// `None` until the first packet has told the codec, and where nobody wants them.
    frames: Option<Frames>,
}

impl Receiver {
    /// Waits for the track's next event and takes it. Cancel-safe up to the event.
    async fn next(&mut self) -> Taken {
        match self.inbound.track.poll().await {
            Some(TrackRemoteEvent::OnRtpPacket(packet)) => {
                self.inbound.take(&packet);
                if self.inbound.wants_frames {
                    self.put_together(packet).await;
                }
                Taken::GoesOn
            }
            Some(TrackRemoteEvent::OnEnded) | None => Taken::End,
            Some(_) => Taken::GoesOn,
        }
    }

    async fn put_together(&mut self, packet: rtp::Packet) {
        let Inbound { remote, track, observer, runtime, .. } = &self.inbound;
        if self.frames.is_none() {
            let codec = track.codec(packet.header.ssrc).await;
            self.frames = codec.and_then(|codec| Frames::of(remote.clone(), &codec));
        }
        let Some(frames) = &mut self.frames else { return };
        let now = runtime.now();
        let whole: Vec<ReceivedFrame> = frames.take(now, packet);
        whole.into_iter().for_each(|frame| observer.on_frame_received(frame));
        if frames.asks_for_key(now) {
            // A peer connection that is gone needs none.
            let _ = ask_for_key_frame(track).await;
        }
    }
}

impl Inbound {
    fn take(&self, packet: &rtp::Packet) {
        let kind = self.remote.kind;
        let ends_frame = kind == MediaKind::Audio || packet.header.marker;
        let position = if ends_frame { PacketPosition::End } else { PacketPosition::Within };
        let bytes = packet.payload.len();
        self.heard.at(self.runtime.now());
        self.observer.on_packet_received(ReceivedPacket { kind, bytes, position });
        self.observer.on_rtp(&self.remote, packet);
    }
}
