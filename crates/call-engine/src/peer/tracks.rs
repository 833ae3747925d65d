//! What a peer sends and receives: its tracks, and the directions of their media sections.

use std::{fmt, sync::Arc};

use rtc::{
    media_stream::MediaStreamTrack,
    rtp_transceiver::{
        RTCRtpTransceiverDirection as Direction, RTCRtpTransceiverId, RTCRtpTransceiverInit,
        rtp_sender::{RTCRtpCodingParameters, RTCRtpEncodingParameters},
    },
    shared::error::{Error, Result},
};
use serde::Serialize;
use webrtc::{
    media_stream::{track_local::static_sample::TrackLocalStaticSample, track_remote::TrackRemote},
    rtp_transceiver::RtpTransceiver,
};

use super::{Peer, PeerEvent, PeerEventKind};
use crate::{
    LocalTrack, MediaKind, MediaStream, RemoteTrack, SessionConstraints,
    media::{
        Gate, Inbound, Outbound, Source, answer_requests, ask_for_key_frame, codec_kind, codec_of,
        kind_of_codec, receive_media, send_media,
    },
};

/// Whether a call is on hold at this side: it sends nothing, and asks the other side to send nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Hold {
    /// On hold (`sendonly`, RFC 3264 §8.4). Not `inactive`, which `webrtc` 0.21.1 takes for the end of
    /// the media section.
    Held,
    /// Not on hold.
    #[default]
    Resumed,
}

/// `on`, `off`.
impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Held => "on",
            Self::Resumed => "off",
        })
    }
}

impl Peer {
    /// Adds the tracks of the call's own stream, and a receiving transceiver for each kind that `session`
    /// asks to receive and the stream does not have.
    pub(crate) async fn add_stream(
        &mut self,
        stream: &MediaStream,
        session: SessionConstraints,
    ) -> Result<()> {
        self.add_tracks(stream).await?;
        let has = |kind| stream.tracks().iter().any(|track| track.kind() == kind);
        for (kind, wanted) in [
            (MediaKind::Audio, session.offer_to_receive_audio),
            (MediaKind::Video, session.offer_to_receive_video),
        ] {
            match (has(kind), wanted) {
                (false, true) => self.add_receiver(kind).await?,
                (true, false) => self.make_send_only(kind).await?,
                _ => {}
            }
        }
        self.apply_hold().await
    }

    /// Adds the tracks of a stream.
    pub(crate) async fn add_tracks(&mut self, stream: &MediaStream) -> Result<()> {
        for track in stream.tracks() {
            let (rtp, ssrc) = self.outbound_for(stream, track)?;
            let sender = self.connection.add_track(rtp.clone()).await?;
            let source = Arc::new(Source::new(track.clone()));
            let stream = stream.id().to_owned();
            self.outbound.push(Outbound { stream, source, rtp, sender, ssrc, started: false });
            self.negotiation.changed();
        }
        Ok(())
    }

    /// Removes the tracks of the stream `id`. Its tracks are to be stopped by whoever has them.
    pub(crate) async fn remove_tracks(&mut self, id: &str) -> Result<()> {
        let (removed, kept) =
            std::mem::take(&mut self.outbound).into_iter().partition(|outbound| outbound.stream == id);
        self.outbound = kept;
        self.remove_outbound(removed).await
    }

    async fn remove_outbound(&mut self, removed: Vec<Outbound>) -> Result<()> {
        for outbound in removed {
            outbound.source.set_gate(Gate::Shut);
            self.connection.remove_track(&outbound.sender).await?;
            self.negotiation.changed();
        }
        Ok(())
    }

    /// Removes the tracks of one stream, of which there may be others of the same id.
    pub(crate) async fn remove_one(&mut self, stream: &MediaStream) -> Result<()> {
        let is_its = |outbound: &Outbound| stream.tracks().iter().any(|track| outbound.source.is_of(track));
        let (removed, kept) = std::mem::take(&mut self.outbound).into_iter().partition(is_its);
        self.outbound = kept;
        self.remove_outbound(removed).await
    }

    /// Sends `track` where the track of its kind of the stream `id` was sent, without negotiation.
    pub(crate) fn replace_track(&self, id: &str, track: &Arc<LocalTrack>) {
        let same = |outbound: &&Outbound| outbound.stream == id && outbound.source.kind() == track.kind();
        if let Some(outbound) = self.outbound.iter().find(same) {
            outbound.source.replace(track.clone());
        }
    }

    /// Puts the call on hold, or resumes it: takes effect with the next negotiation.
    pub(crate) async fn set_hold(&mut self, hold: Hold) -> Result<()> {
        if std::mem::replace(&mut self.hold, hold) == hold {
            return Ok(());
        }
        if hold == Hold::Resumed {
            self.turn(Direction::Sendonly, Direction::Sendrecv).await?;
        }
        self.apply_hold().await?;
        self.negotiation.changed();
        self.follow_directions().await
    }

    /// Makes every section one-way while the call is on hold.
    pub(super) async fn apply_hold(&self) -> Result<()> {
        match self.hold {
            Hold::Held => self.turn(Direction::Sendrecv, Direction::Sendonly).await,
            Hold::Resumed => Ok(()),
        }
    }

    /// Narrows each direction to what the offer allows (RFC 9429 §5.3.1), which `webrtc` 0.21.1 does not:
    /// the directions that were preferred, to be restored after the answer.
    pub(super) async fn narrow_to_offer(&self) -> Result<Vec<(Arc<dyn RtpTransceiver>, Direction)>> {
        let mut preferred = Vec::new();
        for transceiver in self.connection.get_transceivers().await {
            let mid = transceiver.mid().await?.unwrap_or_default();
            let Some((_, offered)) = self.remote.sections.iter().find(|(known, _)| *known == mid) else {
                continue;
            };
            let present = transceiver.direction().await?;
            let allowed = present.intersect(offered.reverse());
            if allowed != present {
                transceiver.set_direction(allowed).await?;
                preferred.push((transceiver, present));
            }
        }
        Ok(preferred)
    }

    async fn turn(&self, from: Direction, to: Direction) -> Result<()> {
        for transceiver in self.connection.get_transceivers().await {
            if transceiver.direction().await? == from {
                transceiver.set_direction(to).await?;
            }
        }
        Ok(())
    }

    /// An exchange is complete: sends where that says so, and nowhere else.
    pub(crate) async fn follow_directions(&mut self) -> Result<()> {
        for transceiver in self.connection.get_transceivers().await {
            let direction = transceiver.current_direction().await?;
            let negotiated = direction.has_send() || direction == Direction::Unspecified;
            let gate = if negotiated && self.hold == Hold::Resumed { Gate::Open } else { Gate::Shut };
            let id = transceiver.id();
            let of = |outbound: &&Outbound| RTCRtpTransceiverId::from(outbound.sender.id()) == id;
            if let Some(outbound) = self.outbound.iter().find(of) {
                outbound.source.set_gate(gate);
            }
        }
        self.start_senders().await
    }

    /// Media can flow: every track that has a codec is sent from now on.
    pub(crate) async fn start_sending(&mut self) -> Result<()> {
        self.sending = true;
        self.start_senders().await
    }

    async fn start_senders(&mut self) -> Result<()> {
        if !self.sending {
            return Ok(());
        }
        for outbound in self.outbound.iter_mut().filter(|outbound| !outbound.started) {
            let parameters = outbound.sender.get_parameters().await?;
            // A kind that the other side rejected has no codec, and nothing is sent.
            let Some(codec) = parameters.rtp_parameters.codecs.first() else { continue };
            outbound.started = true;
            let task = send_media(
                outbound.source.clone(),
                outbound.rtp.clone(),
                outbound.ssrc,
                codec.payload_type,
                self.runtime.clone(),
                self.observer.clone(),
            );
            self.tasks.push(self.runtime.spawn(Box::pin(task)));
            let (source, rtp) = (outbound.source.clone(), outbound.rtp.clone());
            let requests = answer_requests(source, rtp, self.observer.clone());
            self.tasks.push(self.runtime.spawn(Box::pin(requests)));
        }
        Ok(())
    }

    /// Asks the other side for a key frame of each of its video tracks (PLI, RFC 4585 §6.3.1).
    pub(crate) async fn request_key_frames(&self) -> Result<()> {
        for track in &self.received {
            if kind_of_codec(track.kind().await) == Some(MediaKind::Video) {
                ask_for_key_frame(track).await?;
            }
        }
        Ok(())
    }

    /// Reads a remote track to its end, in a task of its own. `None` for a kind that is neither audio
    /// nor video.
    pub(crate) async fn receive(&mut self, track: Arc<dyn TrackRemote>) -> Option<RemoteTrack> {
        let kind = kind_of_codec(track.kind().await)?;
        let id = track.track_id().await.to_string();
        let stream = track.stream_id().await.to_string();
        let (events, generation) = (self.events.clone(), self.generation);
        let ended = PeerEventKind::TrackEnded { id: id.clone() };
        let remote = Arc::new(RemoteTrack { id, kind, stream });
        self.received.push(track.clone());
        let inbound = Inbound {
            remote: remote.clone(),
            track,
            wants_frames: self.wants_frames,
            observer: self.observer.clone(),
            runtime: self.runtime.clone(),
            heard: self.heard.clone(),
            silence: self.silence,
        };
        let task = async move {
            receive_media(inbound).await;
            let _ = events.unbounded_send(PeerEvent { generation, kind: ended });
        };
        self.tasks.push(self.runtime.spawn(Box::pin(task)));
        Some((*remote).clone())
    }

    async fn add_receiver(&mut self, kind: MediaKind) -> Result<()> {
        let init =
            RTCRtpTransceiverInit { direction: Direction::Recvonly, streams: vec![], send_encodings: vec![] };
        self.connection.add_transceiver_from_kind(codec_kind(kind), Some(init)).await?;
        self.negotiation.changed();
        Ok(())
    }

    async fn make_send_only(&mut self, kind: MediaKind) -> Result<()> {
        for transceiver in self.connection.get_transceivers().await {
            let Some(sender) = transceiver.sender().await? else { continue };
            if sender.track().kind().await == codec_kind(kind) {
                transceiver.set_direction(Direction::Sendonly).await?;
                self.negotiation.changed();
            }
        }
        Ok(())
    }

    fn outbound_for(
        &self,
        stream: &MediaStream,
        track: &LocalTrack,
    ) -> Result<(Arc<TrackLocalStaticSample>, u32)> {
        let ssrc = self.random_ssrc()?;
        let coding = RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(ssrc), ..Default::default() },
            codec: codec_of(track.kind()),
            ..Default::default()
        };
        // No other track has it, nor has one of the other side: `webrtc` 0.21.1 announces a track id once,
        // and gives the feedback on a track of ours to a remote track of the same id.
        let id = format!("{}-{}-{ssrc:08x}", stream.id(), track.kind());
        let description = MediaStreamTrack::new(
            stream.id().to_owned(),
            id,
            track.label().to_owned(),
            codec_kind(track.kind()),
            vec![coding],
        );
        let rtp = TrackLocalStaticSample::new(self.runtime.now(), description)?;
        Ok((Arc::new(rtp), ssrc))
    }

    /// A random synchronisation source (RFC 3550 §8), never zero.
    fn random_ssrc(&self) -> Result<u32> {
        let mut bytes = [0; 4];
        self.provider.random().fill(&mut bytes).map_err(|error| Error::Crypto(error.to_string()))?;
        Ok(u32::from_be_bytes(bytes).max(1))
    }
}
