//! One `webrtc` peer connection with its tracks: the guide's steps 2 and 4 to 7.

mod addresses;
mod candidates;
mod codecs;
mod description;
mod handler;
mod negotiation;

use std::{sync::Arc, time::Duration};

use futures::channel::mpsc::UnboundedSender;
use rtc::{
    crypto::{self, RTCCryptoProvider},
    ice::mdns::MulticastDnsMode,
    media_stream::MediaStreamTrack,
    peer_connection::{configuration::RTCOfferOptions, transport::RTCIceCandidateInit},
    rtp_transceiver::{
        RTCRtpTransceiverDirection, RTCRtpTransceiverInit,
        rtp_sender::{RTCRtpCodingParameters, RTCRtpEncodingParameters},
    },
    shared::error::{Error, Result},
};
use webrtc::{
    media_stream::{track_local::static_sample::TrackLocalStaticSample, track_remote::TrackRemote},
    peer_connection::{
        PeerConnection, PeerConnectionBuilder, RTCConfigurationBuilder, RTCIceTransportPolicy,
        RTCSessionDescription, Registry, SettingEngine, SettingEngineBuilder, register_default_interceptors,
    },
    runtime::{JoinHandle, Runtime},
};

pub(crate) use addresses::BindAddresses;
pub(crate) use candidates::{Arrived, HasPeer, HoldBack, OVER, Trickled};
pub(crate) use description::Described;
pub(crate) use handler::{Handler, PeerEvent, PeerEventKind};
pub(crate) use negotiation::{Answered, Covers, Needed, Negotiation, Next, Offer, OnAnswer, OnOffer, Origin};

use crate::{
    Guards, IceTransportPolicy, MediaKind, MediaStream, Observer, PeerSettings, SessionConstraints,
    media::{Outbound, receive_media},
};

/// How often a closed peer's tasks are looked at until they are gone.
const CLOSE_POLL: Duration = Duration::from_millis(1);
/// How long they have.
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);

/// What a peer is made with.
pub(crate) struct PeerParts<'a> {
    pub(crate) settings: &'a PeerSettings,
    pub(crate) guards: Guards,
    pub(crate) addresses: BindAddresses,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) events: UnboundedSender<PeerEvent>,
    pub(crate) generation: u64,
    pub(crate) negotiation: Negotiation,
}

/// A peer connection, its tracks and the tasks that serve them.
pub(crate) struct Peer {
    connection: Arc<dyn PeerConnection>,
    runtime: Arc<dyn Runtime>,
    observer: Arc<dyn Observer>,
    events: UnboundedSender<PeerEvent>,
    provider: Arc<dyn RTCCryptoProvider>,
    generation: u64,
    outbound: Vec<Outbound>,
    tasks: Vec<Box<dyn JoinHandle>>,
    local: Described,
    remote: Described,
    sending: bool,
    /// When to offer.
    pub(crate) negotiation: Negotiation,
}

/// A track of the other side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RemoteTrack {
    pub(crate) id: String,
    pub(crate) kind: MediaKind,
    pub(crate) stream: String,
}

impl Peer {
    /// Builds the peer connection: step 2 of the guide.
    pub(crate) async fn build(parts: PeerParts<'_>) -> Result<Self> {
        let PeerParts { settings, guards, addresses, runtime, observer, events, generation, negotiation } =
            parts;
        let provider = match &settings.crypto {
            Some(provider) => provider.clone(),
            None => crypto::default_provider().map_err(|error| Error::Crypto(error.to_string()))?,
        };
        let mut media = codecs::media_engine(settings.codecs)?;
        let interceptors = register_default_interceptors(Registry::new(), &mut media)?;
        let servers =
            if guards.use_ice_servers { settings.constraints.rtc_ice_servers() } else { Vec::new() };
        let configuration = RTCConfigurationBuilder::new()
            .with_ice_servers(servers)
            .with_ice_transport_policy(settings.constraints.rtc_policy())
            .build();
        let connection = PeerConnectionBuilder::new()
            .with_configuration(configuration)
            .with_setting_engine(setting_engine(settings, guards, provider.clone()))
            .with_media_engine(media)
            .with_interceptor_registry(interceptors)
            .with_runtime(runtime.clone())
            .with_handler(Arc::new(Handler { generation, events: events.clone() }))
            .with_udp_addrs(vec![addresses])
            .build()
            .await?;
        Ok(Self {
            connection: Arc::new(connection),
            runtime,
            observer,
            events,
            provider,
            generation,
            outbound: Vec::new(),
            tasks: Vec::new(),
            local: Described::default(),
            remote: Described::default(),
            sending: false,
            negotiation,
        })
    }

    /// Adds the stream's tracks, and a receiving transceiver for each kind that `session` asks to
    /// receive and the stream does not have.
    pub(crate) async fn add_stream(
        &mut self,
        stream: &MediaStream,
        session: SessionConstraints,
    ) -> Result<()> {
        for track in stream.tracks() {
            let outbound = self.outbound_for(stream, track)?;
            let sender = self.connection.add_track(outbound.0.clone()).await?;
            self.outbound.push(Outbound { track: track.clone(), rtp: outbound.0, sender, ssrc: outbound.1 });
            self.negotiation.changed();
        }
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
        Ok(())
    }

    /// Makes an offer and applies it locally: step 4. Its SDP. Restarts ICE where that is wanted.
    pub(crate) async fn offer(&mut self) -> Result<String> {
        let options = RTCOfferOptions { ice_restart: self.negotiation.wants_restart() };
        let offer = self.connection.create_offer(Some(options)).await?;
        self.apply_local(offer).await
    }

    /// Takes our offer back, as W3C webrtc-pc §4.4.1.5 does by itself where a remote one crosses it, and
    /// `webrtc` 0.21.1 does not.
    pub(crate) async fn roll_back(&mut self) -> Result<()> {
        self.connection.set_local_description(RTCSessionDescription::rollback(None)?).await?;
        self.negotiation.rolled_back();
        Ok(())
    }

    /// Which peer connection of the other side made this offer.
    pub(crate) fn origin_of(&self, sdp: &str) -> Origin {
        if Described::of(sdp).is_rebuilt_since(&self.remote) { Origin::Rebuilt } else { Origin::Known }
    }

    /// Applies a remote offer: the first half of step 6. Whether it restarted ICE.
    pub(crate) async fn apply_offer(&mut self, sdp: String) -> Result<bool> {
        let described = Described::of(&sdp);
        self.connection.set_remote_description(RTCSessionDescription::offer(sdp)?).await?;
        let restarted = described.restarts_ice_of(&self.remote);
        self.remote = described;
        Ok(restarted)
    }

    /// Makes an answer and applies it locally: the second half of step 6. Its SDP.
    pub(crate) async fn answer(&mut self) -> Result<String> {
        let answer = self.connection.create_answer(None).await?;
        self.apply_local(answer).await
    }

    /// Whether every track and every wish to receive has a media section: what an answer cannot add.
    pub(crate) async fn covers(&self) -> Result<Covers> {
        for transceiver in self.connection.get_transceivers().await {
            if transceiver.mid().await?.is_none_or(|mid| mid.is_empty()) {
                return Ok(Covers::NotEverything);
            }
        }
        Ok(Covers::Everything)
    }

    /// Applies the answer: step 7.
    pub(crate) async fn apply_answer(&mut self, sdp: String) -> Result<()> {
        let described = Described::of(&sdp);
        self.connection.set_remote_description(RTCSessionDescription::answer(sdp)?).await?;
        self.remote = described;
        Ok(())
    }

    /// From the next gathering on, only relayed candidates are used.
    pub(crate) async fn relay_only(&self) -> Result<()> {
        let configuration = RTCConfigurationBuilder::new()
            .with_ice_servers(self.connection.get_configuration().await.ice_servers().to_vec())
            .with_ice_transport_policy(RTCIceTransportPolicy::Relay)
            .build();
        self.connection.set_configuration(configuration).await
    }

    /// Applies one remote candidate: step 5.
    pub(crate) async fn apply_candidate(&mut self, trickled: Trickled) -> Result<()> {
        self.connection.add_ice_candidate(trickled.into_init()).await
    }

    /// A gathered candidate in the form in which it is signalled.
    pub(crate) fn complete(&self, found: RTCIceCandidateInit) -> signaller::Candidate {
        self.local.complete(found)
    }

    /// The present generation of our candidates.
    pub(crate) fn local_fragment(&self) -> Option<&str> {
        self.local.username_fragment.as_deref()
    }

    /// The end of the candidates of the present generation.
    pub(crate) fn end_of_candidates(&self) -> signaller::Message {
        signaller::Message::EndOfCandidates {
            sdp_mid: self.local.sdp_mid.clone(),
            username_fragment: self.local.username_fragment.clone(),
        }
    }

    /// Starts to send media; once, however often it is called.
    pub(crate) async fn start_sending(&mut self) -> Result<()> {
        if std::mem::replace(&mut self.sending, true) {
            return Ok(());
        }
        for outbound in &self.outbound {
            let parameters = outbound.sender.get_parameters().await?;
            // A kind that the other side rejected has no codec, and nothing is sent.
            let Some(codec) = parameters.rtp_parameters.codecs.first() else { continue };
            let task = Outbound::run(
                outbound.track.clone(),
                outbound.rtp.clone(),
                outbound.ssrc,
                codec.payload_type,
                self.runtime.clone(),
                self.observer.clone(),
            );
            self.tasks.push(self.runtime.spawn(Box::pin(task)));
        }
        Ok(())
    }

    /// Reads a remote track to its end, in a task of its own. `None` for a kind that is neither audio
    /// nor video.
    pub(crate) async fn receive(&mut self, track: Arc<dyn TrackRemote>) -> Option<RemoteTrack> {
        let kind = MediaKind::from_codec_kind(track.kind().await)?;
        let id = track.track_id().await.to_string();
        let stream = track.stream_id().await.to_string();
        let (observer, events, generation) = (self.observer.clone(), self.events.clone(), self.generation);
        let ended = PeerEventKind::TrackEnded { id: id.clone() };
        let task = async move {
            receive_media(kind, track, observer).await;
            let _ = events.unbounded_send(PeerEvent { generation, kind: ended });
        };
        self.tasks.push(self.runtime.spawn(Box::pin(task)));
        Some(RemoteTrack { id, kind, stream })
    }

    /// Closes the connection and waits until every task of it is gone.
    pub(crate) async fn close(self) -> Result<()> {
        let closed = self.connection.close().await;
        for task in &self.tasks {
            task.abort();
        }
        let mut waited = Duration::ZERO;
        while waited < CLOSE_PATIENCE && !self.tasks.iter().all(|task| task.is_finished()) {
            self.runtime.sleep(CLOSE_POLL).await;
            waited += CLOSE_POLL;
        }
        closed
    }

    async fn apply_local(&mut self, description: RTCSessionDescription) -> Result<String> {
        let sdp = description.sdp.clone();
        self.local = Described::of(&sdp);
        self.connection.set_local_description(description).await?;
        Ok(sdp)
    }

    async fn add_receiver(&mut self, kind: MediaKind) -> Result<()> {
        let init = RTCRtpTransceiverInit {
            direction: RTCRtpTransceiverDirection::Recvonly,
            streams: vec![],
            send_encodings: vec![],
        };
        self.connection.add_transceiver_from_kind(kind.codec_kind(), Some(init)).await?;
        self.negotiation.changed();
        Ok(())
    }

    async fn make_send_only(&mut self, kind: MediaKind) -> Result<()> {
        for transceiver in self.connection.get_transceivers().await {
            let Some(sender) = transceiver.sender().await? else { continue };
            if sender.track().kind().await == kind.codec_kind() {
                transceiver.set_direction(RTCRtpTransceiverDirection::Sendonly).await?;
                self.negotiation.changed();
            }
        }
        Ok(())
    }

    fn outbound_for(
        &self,
        stream: &MediaStream,
        track: &crate::LocalTrack,
    ) -> Result<(Arc<TrackLocalStaticSample>, u32)> {
        let ssrc = self.random_ssrc()?;
        let coding = RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(ssrc), ..Default::default() },
            codec: codecs::codec_of(track.kind()),
            ..Default::default()
        };
        let description = MediaStreamTrack::new(
            stream.id().to_owned(),
            format!("{}-{}", stream.id(), track.kind()),
            track.label().to_owned(),
            track.kind().codec_kind(),
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

fn setting_engine(
    settings: &PeerSettings,
    guards: Guards,
    provider: Arc<dyn RTCCryptoProvider>,
) -> SettingEngine {
    // mDNS needs multicast, which neither mobile apps nor worlds have.
    let mut builder = SettingEngineBuilder::new()
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .with_discard_local_candidates_during_ice_restart(guards.rebind_on_restart)
        .with_crypto_provider(provider);
    if settings.constraints.ice_transport_policy == IceTransportPolicy::Relay && guards.nominate_relay_at_once
    {
        // Nothing better than a relayed pair can come.
        builder = builder
            .with_relay_acceptance_min_wait(Some(Duration::ZERO))
            .with_prflx_acceptance_min_wait(Some(Duration::ZERO));
    }
    builder.build()
}
