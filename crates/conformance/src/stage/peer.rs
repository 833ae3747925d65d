//! A bare `webrtc` peer connection, and what it says.

use std::sync::Arc;

use rtc::{
    ice::mdns::MulticastDnsMode,
    media_stream::MediaStreamTrack,
    peer_connection::{
        configuration::{
            RTCOfferOptions,
            media_engine::{MIME_TYPE_OPUS, MIME_TYPE_VP8, MediaEngine},
        },
        transport::{RTCDtlsRole, RTCIceCandidateInit},
    },
    rtp_transceiver::{
        RTCRtpTransceiverDirection, RTCRtpTransceiverInit,
        rtp_sender::{
            RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters,
            RtpCodecKind,
        },
    },
};
use timeline::{ConnectionState, Machine, State};
use webrtc::{
    data_channel::DataChannel,
    error::Result,
    media_stream::{track_local::static_sample::TrackLocalStaticSample, track_remote::TrackRemote},
    peer_connection::{
        PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCConfigurationBuilder,
        RTCIceConnectionState, RTCIceGatheringState, RTCIceServer, RTCIceTransportPolicy,
        RTCPeerConnectionIceErrorEvent, RTCPeerConnectionIceEvent, RTCPeerConnectionState, RTCSdpType,
        RTCSessionDescription, RTCSignalingState, Registry, SettingEngineBuilder,
        register_default_interceptors,
    },
    rtp_transceiver::{RtpSender, RtpTransceiver},
};

use super::{Deviation, History, Log, OneOf, Shown, Stage};
use crate::sdp::Sdp;

/// A peer connection.
#[derive(Clone)]
pub(crate) struct Peer {
    pub(crate) connection: Arc<dyn PeerConnection>,
    pub(crate) log: Log<Said>,
    stage: Stage,
    name: String,
    runtime: Arc<dyn webrtc::runtime::Runtime>,
}

/// How it is configured.
#[derive(Clone, Default)]
pub(crate) struct Options {
    /// STUN and TURN servers.
    pub(crate) servers: Vec<RTCIceServer>,
    /// Whether only relayed candidates may be used.
    pub(crate) relay_only: bool,
    /// Whether it answers as the server of the DTLS association, and not as the client.
    pub(crate) answers_passive: bool,
}

/// Audio or video.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Audio,
    Video,
}

/// The events of a peer connection.
#[derive(Clone, Debug)]
pub(crate) enum Said {
    NegotiationNeeded,
    Candidate(RTCIceCandidateInit),
    CandidateError,
    State(State),
    Track,
    DataChannel,
}

impl Stage {
    /// A peer connection on the host `name`, without servers.
    pub(crate) async fn peer(&self, name: &str) -> std::result::Result<Peer, Deviation> {
        self.peer_with(name, Options::default()).await
    }

    /// A peer connection on the host `name`.
    pub(crate) async fn peer_with(
        &self,
        name: &str,
        options: Options,
    ) -> std::result::Result<Peer, Deviation> {
        let (runtime, log) = (self.runtime(name), Log::new());
        let policy =
            if options.relay_only { RTCIceTransportPolicy::Relay } else { RTCIceTransportPolicy::All };
        let mut media = media_engine()?;
        let interceptors = register_default_interceptors(Registry::new(), &mut media)?;
        let settings = SettingEngineBuilder::new()
            .with_multicast_dns_mode(MulticastDnsMode::Disabled)
            .with_crypto_provider(self.crypto())
            .with_answering_dtls_role(if options.answers_passive {
                RTCDtlsRole::Server
            } else {
                RTCDtlsRole::Auto
            })
            .build();
        let configuration = RTCConfigurationBuilder::new()
            .with_ice_servers(options.servers)
            .with_ice_transport_policy(policy)
            .build();
        let connection = PeerConnectionBuilder::new()
            .with_configuration(configuration)
            .with_setting_engine(settings)
            .with_media_engine(media)
            .with_interceptor_registry(interceptors)
            .with_runtime(runtime.clone())
            .with_handler(Arc::new(Handler(log.clone())))
            .with_udp_addrs(vec![self.socket_address(name)])
            .build()
            .await?;
        let connection: Arc<dyn PeerConnection> = Arc::new(connection);
        self.keep(connection.clone());
        self.rest().await;
        Ok(Peer { connection, log, stage: self.clone(), name: name.to_owned(), runtime })
    }

    /// Two peers, of which the first has something to offer: a data channel.
    pub(crate) async fn pair(&self) -> std::result::Result<(Peer, Peer), Deviation> {
        let (alice, bob) = (self.peer("alice").await?, self.peer("bob").await?);
        alice.channel("first").await?;
        Ok((alice, bob))
    }

    /// Two peers that have negotiated, and are connected.
    pub(crate) async fn connected(&self) -> std::result::Result<(Peer, Peer), Deviation> {
        let (alice, bob) = self.pair().await?;
        alice.negotiate(&bob).await?;
        self.connect(&alice, &bob).await?;
        Ok((alice, bob))
    }

    /// Exchanges the candidates of two peers that have negotiated, and waits until both are connected.
    pub(crate) async fn connect(&self, alice: &Peer, bob: &Peer) -> Shown {
        self.rest().await;
        alice.give_candidates(bob).await?;
        bob.give_candidates(alice).await?;
        for peer in [alice, bob] {
            let what = format!("{} is connected", peer.name);
            self.until(&what, || peer.is(ConnectionState::Connected)).await?;
        }
        Ok(())
    }
}

impl Peer {
    /// Makes an offer.
    pub(crate) async fn create_offer(&self) -> Result<RTCSessionDescription> {
        self.connection.create_offer(None).await
    }

    /// Makes an offer that restarts ICE.
    pub(crate) async fn create_restart(&self) -> Result<RTCSessionDescription> {
        self.connection.create_offer(Some(RTCOfferOptions { ice_restart: true })).await
    }

    /// Makes an answer.
    pub(crate) async fn create_answer(&self) -> Result<RTCSessionDescription> {
        self.connection.create_answer(None).await
    }

    /// `setLocalDescription`, and what follows at once.
    pub(crate) async fn set_local(&self, description: &RTCSessionDescription) -> Result<()> {
        let result = self.connection.set_local_description(description.clone()).await;
        self.stage.rest().await;
        result
    }

    /// `setRemoteDescription`, and what follows at once.
    pub(crate) async fn set_remote(&self, description: &RTCSessionDescription) -> Result<()> {
        let result = self.connection.set_remote_description(description.clone()).await;
        self.stage.rest().await;
        result
    }

    /// Makes an offer and applies it.
    pub(crate) async fn offer(&self) -> Result<RTCSessionDescription> {
        let offer = self.create_offer().await?;
        self.set_local(&offer).await?;
        Ok(offer)
    }

    /// Applies an offer, makes the answer and applies it.
    pub(crate) async fn answer(&self, offer: &RTCSessionDescription) -> Result<RTCSessionDescription> {
        self.set_remote(offer).await?;
        let answer = self.create_answer().await?;
        self.set_local(&answer).await?;
        Ok(answer)
    }

    /// A whole exchange, of which this side makes the offer: offer and answer.
    pub(crate) async fn negotiate(&self, other: &Self) -> Result<(Sdp, Sdp)> {
        let offer = self.offer().await?;
        let answer = other.answer(&offer).await?;
        self.set_remote(&answer).await?;
        Ok((Sdp::of(&offer), Sdp::of(&answer)))
    }

    /// `rollback`, locally.
    pub(crate) async fn roll_back(&self) -> Result<()> {
        self.set_local(&RTCSessionDescription::rollback(None)?).await
    }

    /// A data channel. It is kept by the caller, or forgotten, which ends nothing.
    pub(crate) async fn channel(&self, label: &str) -> Result<Arc<dyn DataChannel>> {
        let channel = self.connection.create_data_channel(label, None).await?;
        self.stage.rest().await;
        Ok(channel)
    }

    /// `addTrack` with a track of its own stream.
    pub(crate) async fn add_track(&self, kind: Kind) -> Result<Arc<dyn RtpSender>> {
        let ssrc = 1 + self.connection.get_transceivers().await.len() as u32;
        let coding = RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(ssrc), ..Default::default() },
            codec: kind.codec(),
            ..Default::default()
        };
        let (stream, id) = (format!("{}-stream", self.name), format!("{}-track-{ssrc}", self.name));
        let track = MediaStreamTrack::new(stream, id, "a track".to_owned(), kind.codec_kind(), vec![coding]);
        let track = TrackLocalStaticSample::new(self.runtime.now(), track)?;
        let sender = self.connection.add_track(Arc::new(track)).await?;
        self.stage.rest().await;
        Ok(sender)
    }

    /// `addTransceiver` of a kind.
    pub(crate) async fn add_transceiver(
        &self,
        kind: Kind,
        direction: RTCRtpTransceiverDirection,
    ) -> Result<Arc<dyn RtpTransceiver>> {
        let init = RTCRtpTransceiverInit { direction, streams: vec![], send_encodings: vec![] };
        let transceiver = self.connection.add_transceiver_from_kind(kind.codec_kind(), Some(init)).await?;
        self.stage.rest().await;
        Ok(transceiver)
    }

    /// The candidates that it has gathered, as an application would signal them.
    pub(crate) fn candidates(&self) -> Vec<RTCIceCandidateInit> {
        let candidate = |said| match said {
            Said::Candidate(candidate) => Some(candidate),
            _ => None,
        };
        self.log.all().into_iter().filter_map(candidate).collect()
    }

    /// Hands all its candidates to the other side, for the first media section.
    pub(crate) async fn give_candidates(&self, other: &Self) -> Result<()> {
        self.give_candidates_since(0, other).await
    }

    /// Hands its candidates after the first `from` to the other side.
    pub(crate) async fn give_candidates_since(&self, from: usize, other: &Self) -> Result<()> {
        for candidate in self.candidates().into_iter().skip(from) {
            let candidate = RTCIceCandidateInit { sdp_mid: None, sdp_mline_index: Some(0), ..candidate };
            other.connection.add_ice_candidate(candidate).await?;
        }
        Ok(())
    }

    /// How often `negotiationneeded` fired.
    pub(crate) fn needed(&self) -> usize {
        self.log.count(|said| matches!(said, Said::NegotiationNeeded))
    }

    /// `negotiationneeded` fires `times` times, from now on and to the end of the run.
    pub(crate) fn is_needed_exactly(&self, times: usize) {
        let what = "negotiationneeded events";
        self.stage.exactly(times, &self.log, what, |said| matches!(said, Said::NegotiationNeeded));
    }
}

/// By its events; that is all that `webrtc` says of its states.
impl History for Peer {
    fn entered(&self) -> Vec<State> {
        let state = |said| match said {
            Said::State(state) => Some(state),
            _ => None,
        };
        self.log.all().into_iter().filter_map(state).collect()
    }
}

impl Said {
    /// Whether a machine entered `state`.
    pub(crate) fn is(&self, state: impl OneOf) -> bool {
        matches!(self, Self::State(entered) if *entered == state.state())
    }
}

impl Kind {
    const fn codec_kind(self) -> RtpCodecKind {
        match self {
            Self::Audio => RtpCodecKind::Audio,
            Self::Video => RtpCodecKind::Video,
        }
    }

    fn codec(self) -> RTCRtpCodec {
        let (mime_type, clock_rate, channels) = match self {
            Self::Audio => (MIME_TYPE_OPUS, 48_000, 2),
            Self::Video => (MIME_TYPE_VP8, 90_000, 0),
        };
        RTCRtpCodec { mime_type: mime_type.to_owned(), clock_rate, channels, ..Default::default() }
    }
}

/// Opus and VP8, which every endpoint has (RFC 7874 §3, RFC 7742 §5).
fn media_engine() -> Result<MediaEngine> {
    let mut engine = MediaEngine::default();
    for (kind, payload_type) in [(Kind::Audio, 111), (Kind::Video, 96)] {
        let parameters = RTCRtpCodecParameters { rtp_codec: kind.codec(), payload_type };
        engine.register_codec(parameters, kind.codec_kind())?;
    }
    Ok(engine)
}

/// A description of another type with the same SDP.
pub(crate) fn retyped(description: &RTCSessionDescription, sdp_type: RTCSdpType) -> RTCSessionDescription {
    Sdp::of(description).typed(sdp_type)
}

struct Handler(Log<Said>);

impl Handler {
    /// `webrtc` has a state more, `unspecified`, which is none.
    fn state(&self, machine: Machine, state: impl ToString) {
        if let Some(state) = machine.state(&state.to_string()) {
            self.0.push(Said::State(state));
        }
    }
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_negotiation_needed(&self) {
        self.0.push(Said::NegotiationNeeded);
    }

    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        if let Ok(candidate) = event.candidate.to_json() {
            self.0.push(Said::Candidate(candidate));
        }
    }

    async fn on_ice_candidate_error(&self, _: RTCPeerConnectionIceErrorEvent) {
        self.0.push(Said::CandidateError);
    }

    async fn on_signaling_state_change(&self, state: RTCSignalingState) {
        self.state(Machine::Signaling, state);
    }

    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        self.state(Machine::Gathering, state);
    }

    async fn on_ice_connection_state_change(&self, state: RTCIceConnectionState) {
        self.state(Machine::Ice, state);
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        self.state(Machine::Connection, state);
    }

    async fn on_track(&self, _: Arc<dyn TrackRemote>) {
        self.0.push(Said::Track);
    }

    async fn on_data_channel(&self, _: Arc<dyn DataChannel>) {
        self.0.push(Said::DataChannel);
    }
}
