//! A remote track that reports what the program reads from it.

use std::sync::Arc;

use rtc::{
    media_stream::{
        MediaStreamTrackState, MediaTrackCapabilities, MediaTrackConstraints, MediaTrackSettings,
    },
    rtp_transceiver::{
        RtpStreamId, SSRC,
        rtp_sender::{RTCRtpCodec, RTCRtpEncodingParameters, RtpCodecKind},
    },
};
use timeline::{Event, MediaKind, PacketPosition, ReceivedPacket, TrackChange};
use webrtc::{
    error::Result,
    media_stream::{
        MediaStreamId, MediaStreamTrackId, Track,
        track_remote::{TrackRemote, TrackRemoteEvent},
    },
};

use crate::Reporter;

pub(super) struct ObservedTrack {
    inner: Arc<dyn TrackRemote>,
    /// `None` for a kind that the library does not know.
    kind: Option<MediaKind>,
    reporter: Reporter,
}

impl ObservedTrack {
    pub(super) async fn new(inner: Arc<dyn TrackRemote>, reporter: Reporter) -> Self {
        let kind = match inner.kind().await {
            RtpCodecKind::Audio => Some(MediaKind::Audio),
            RtpCodecKind::Video => Some(MediaKind::Video),
            _ => None,
        };
        let track = Self { inner, kind, reporter };
        track.changed(TrackChange::Added);
        track
    }

    fn changed(&self, change: TrackChange) {
        if let Some(kind) = self.kind {
            self.reporter.report(Event::Track { change, kind });
        }
    }

    fn read(&self, event: &TrackRemoteEvent) {
        match event {
            TrackRemoteEvent::OnRtpPacket(packet) => {
                let Some(kind) = self.kind else { return };
                let ends_frame = kind == MediaKind::Audio || packet.header.marker;
                let position = if ends_frame { PacketPosition::End } else { PacketPosition::Within };
                let bytes = packet.payload.len();
                self.reporter.packet_received(ReceivedPacket { kind, bytes, position });
            }
            TrackRemoteEvent::OnEnded => self.changed(TrackChange::Ended),
            _ => {}
        }
    }
}

#[async_trait::async_trait]
impl TrackRemote for ObservedTrack {
    async fn write_rtcp(&self, packets: Vec<Box<dyn rtc::rtcp::Packet>>) -> Result<()> {
        self.inner.write_rtcp(packets).await
    }

    async fn poll(&self) -> Option<TrackRemoteEvent> {
        let event = self.inner.poll().await?;
        self.read(&event);
        Some(event)
    }
}

#[async_trait::async_trait]
impl Track for ObservedTrack {
    async fn stream_id(&self) -> MediaStreamId {
        self.inner.stream_id().await
    }

    async fn track_id(&self) -> MediaStreamTrackId {
        self.inner.track_id().await
    }

    async fn label(&self) -> String {
        self.inner.label().await
    }

    async fn kind(&self) -> RtpCodecKind {
        self.inner.kind().await
    }

    async fn rid(&self, ssrc: SSRC) -> Option<RtpStreamId> {
        self.inner.rid(ssrc).await
    }

    async fn codec(&self, ssrc: SSRC) -> Option<RTCRtpCodec> {
        self.inner.codec(ssrc).await
    }

    async fn ssrcs(&self) -> Vec<SSRC> {
        self.inner.ssrcs().await
    }

    async fn enabled(&self) -> bool {
        self.inner.enabled().await
    }

    async fn set_enabled(&self, enabled: bool) {
        self.inner.set_enabled(enabled).await;
    }

    async fn muted(&self) -> bool {
        self.inner.muted().await
    }

    async fn set_muted(&self, muted: bool) {
        self.inner.set_muted(muted).await;
    }

    async fn ready_state(&self) -> MediaStreamTrackState {
        self.inner.ready_state().await
    }

    async fn stop(&self) {
        self.inner.stop().await;
    }

    async fn get_capabilities(&self) -> MediaTrackCapabilities {
        self.inner.get_capabilities().await
    }

    async fn get_constraints(&self) -> MediaTrackConstraints {
        self.inner.get_constraints().await
    }

    async fn get_settings(&self) -> MediaTrackSettings {
        self.inner.get_settings().await
    }

    async fn apply_constraints(&self, constraints: Option<MediaTrackConstraints>) {
        self.inner.apply_constraints(constraints).await;
    }

    async fn codings(&self) -> Vec<RTCRtpEncodingParameters> {
        self.inner.codings().await
    }

    async fn add_coding(&self, coding: RTCRtpEncodingParameters) {
        self.inner.add_coding(coding).await;
    }
}
