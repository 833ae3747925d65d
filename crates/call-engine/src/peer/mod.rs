//! One `webrtc` peer connection with its tracks: the guide's steps 2 and 4 to 7.

mod addresses;
mod candidates;
mod codecs;
mod data;
mod description;
mod handler;
mod interceptors;
mod negotiation;
mod signalled;
mod statistics;
mod tracks;

use std::{sync::Arc, time::Duration};

use futures::channel::mpsc::UnboundedSender;
use rtc::{
    crypto::{self, RTCCryptoProvider},
    ice::mdns::MulticastDnsMode,
    peer_connection::{
        certificate::RTCCertificate, configuration::RTCOfferOptions, transport::RTCIceCandidateInit,
    },
    shared::error::{Error, Result},
};
use webrtc::{
    media_stream::track_remote::TrackRemote,
    peer_connection::{
        PeerConnection, PeerConnectionBuilder, RTCConfigurationBuilder, RTCIceTransportPolicy, RTCSdpType,
        RTCSessionDescription, SettingEngine, SettingEngineBuilder,
    },
    runtime::{JoinHandle, Runtime},
};

pub(crate) use addresses::BindAddresses;
pub(crate) use candidates::{Arrived, HasPeer, HoldBack, Incoming, OVER, Trickled};
pub use data::DataRefusal;
pub(crate) use data::{ForeignChannel, Outbox};
use description::Described;
pub(crate) use handler::{Handler, PeerEvent, PeerEventKind};
pub(crate) use interceptors::asks_for_key_frame;
pub(crate) use negotiation::{Answered, Covers, Negotiation, Next, Offer, OnAnswer, OnOffer, Origin};

pub use statistics::Statistics;
pub use tracks::Hold;

use self::signalled::DtlsRole;
use crate::{
    CandidateRef, DataSettings, Delivery, Guards, IceTransportPolicy, Observer, PeerSettings,
    media::{Heard, Outbound},
};
use statistics::Sampler;

/// How often a closed peer's tasks are looked at until they are gone.
const CLOSE_POLL: Duration = Duration::from_millis(1);
/// How long they have.
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);

/// What a peer is made with.
pub(crate) struct PeerParts<'a> {
    pub(crate) settings: &'a PeerSettings,
    /// `None` for one of its own making.
    pub(crate) certificate: Option<RTCCertificate>,
    pub(crate) guards: Guards,
    pub(crate) addresses: BindAddresses,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) events: UnboundedSender<PeerEvent>,
    pub(crate) generation: u64,
    pub(crate) negotiation: Negotiation,
    pub(crate) data: Option<DataSettings>,
    pub(crate) silence: Option<Duration>,
    pub(crate) wants_frames: bool,
    pub(crate) hold: Hold,
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
    /// This side's role, once the first exchange has settled it.
    dtls_role: Option<DtlsRole>,
    /// The role that the other side's newest offer takes.
    offered_role: Option<DtlsRole>,
    sending: bool,
    hold: Hold,
    silence: Option<Duration>,
    wants_frames: bool,
    /// The other side's tracks, those that have ended included.
    received: Vec<Arc<dyn TrackRemote>>,
    heard: Heard,
    sampler: Sampler,
    /// The kinds of data channels that messages are sent on.
    data_served: Vec<Delivery>,
    /// When to offer.
    pub(crate) negotiation: Negotiation,
}

impl Peer {
    /// Builds the peer connection: step 2 of the guide.
    pub(crate) async fn build(parts: PeerParts<'_>) -> Result<Self> {
        let PeerParts { settings, guards, runtime, observer, events, generation, .. } = parts;
        let provider = match &settings.crypto {
            Some(provider) => provider.clone(),
            None => crypto::default_provider().map_err(|error| Error::Crypto(error.to_string()))?,
        };
        let mut media = codecs::media_engine(settings.codecs)?;
        let interceptors = interceptors::interceptors(&mut media)?;
        let servers =
            if guards.use_ice_servers { settings.constraints.rtc_ice_servers() } else { Vec::new() };
        let configuration = RTCConfigurationBuilder::new()
            .with_ice_servers(servers)
            .with_ice_transport_policy(settings.constraints.rtc_policy())
            .with_certificates(parts.certificate.into_iter().collect())
            .build();
        // Some twenty kilobytes, which the engine's task would otherwise hold for its whole life.
        let building = Box::pin(
            PeerConnectionBuilder::new()
                .with_configuration(configuration)
                .with_setting_engine(setting_engine(settings, guards, provider.clone()))
                .with_media_engine(media)
                .with_interceptor_registry(interceptors)
                .with_runtime(runtime.clone())
                .with_handler(Arc::new(Handler { generation, events: events.clone() }))
                .with_udp_addrs(vec![parts.addresses])
                .with_data_channel_send_buffer_limit(
                    parts.data.map_or(usize::MAX, |data| data.buffered_bytes),
                )
                .build(),
        );
        let connection = building.await?;
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
            dtls_role: None,
            offered_role: None,
            sending: false,
            hold: parts.hold,
            silence: parts.silence,
            wants_frames: parts.wants_frames,
            received: Vec::new(),
            heard: Heard::default(),
            sampler: Sampler::default(),
            data_served: Vec::new(),
            negotiation: parts.negotiation,
        })
    }

    /// Makes an offer and applies it locally: step 4. Its SDP. Restarts ICE where that is wanted.
    pub(crate) async fn offer(&mut self) -> Result<String> {
        let options = RTCOfferOptions { ice_restart: self.negotiation.wants_restart() };
        let offer = self.connection.create_offer(Some(options)).await?;
        self.apply_local(offer).await.map(|sdp| signalled::offer(&sdp))
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
        let offered = DtlsRole::said_in(&sdp);
        self.connection.set_remote_description(unread(RTCSdpType::Offer, sdp)).await?;
        self.offered_role = offered;
        let restarted = described.restarts_ice_of(&self.remote);
        self.remote = described;
        // Applying an offer takes the hold back, in `webrtc` 0.21.1.
        self.apply_hold().await?;
        Ok(restarted)
    }

    /// Whether the other side's newest description says that it sends the track `id`.
    pub(crate) fn is_sent(&self, id: &str) -> bool {
        self.remote.tracks.iter().any(|track| track == id)
    }

    /// Makes an answer and applies it locally: the second half of step 6. Its SDP.
    pub(crate) async fn answer(&mut self) -> Result<String> {
        let preferred = self.narrow_to_offer().await?;
        let answer = self.connection.create_answer(None).await?;
        let sdp = self.apply_local(answer).await?;
        for (transceiver, direction) in preferred {
            transceiver.set_direction(direction).await?;
        }
        Ok(self.answered(&sdp))
    }

    /// Makes an answer and applies it locally as a provisional one (W3C webrtc-pc §4.2.7). Its SDP.
    pub(crate) async fn provisional_answer(&mut self) -> Result<String> {
        let answer = self.connection.create_answer(None).await?;
        let sdp = self.apply_local(unread(RTCSdpType::Pranswer, answer.sdp)).await?;
        Ok(self.answered(&sdp))
    }

    /// An answer of ours as it is signalled: with the role that the first exchange has settled, or settles
    /// now.
    fn answered(&mut self, made: &str) -> String {
        let chosen = || self.offered_role.map(DtlsRole::other).or_else(|| DtlsRole::said_in(made));
        let role = *self.dtls_role.get_or_insert(chosen().unwrap_or(DtlsRole::Active));
        signalled::answer(made, role)
    }

    /// The other side's answer settles the role, if nothing has.
    fn settle_role(&mut self, answered: Option<DtlsRole>) {
        self.dtls_role = self.dtls_role.or(answered.map(DtlsRole::other));
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
        let (described, role) = (Described::of(&sdp), DtlsRole::said_in(&sdp));
        self.connection.set_remote_description(unread(RTCSdpType::Answer, sdp)).await?;
        self.settle_role(role);
        self.remote = described;
        Ok(())
    }

    /// Applies a provisional answer.
    pub(crate) async fn apply_provisional_answer(&mut self, sdp: String) -> Result<()> {
        let (described, role) = (Described::of(&sdp), DtlsRole::said_in(&sdp));
        self.connection.set_remote_description(unread(RTCSdpType::Pranswer, sdp)).await?;
        self.settle_role(role);
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
        if let Trickled::Candidate(candidate) = &trickled
            && let Some(why) = self.remote.has_no_place_for(candidate)
        {
            return Err(Error::Other(why));
        }
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

    /// The candidates of the selected pair, local and remote.
    pub(crate) async fn selected_pair(&mut self) -> Option<(CandidateRef, CandidateRef)> {
        // With BUNDLE all senders have one transport (RFC 9143).
        let dtls = self.outbound.first()?.sender.transport().await.ok()??;
        let pair = dtls.ice_transport().get_selected_candidate_pair().await.ok()??;
        timeline::webrtc::candidate(pair.local()).zip(timeline::webrtc::candidate(pair.remote()))
    }

    /// Whether media of the other side has arrived within the last `time`.
    pub(crate) fn has_heard_within(&self, time: Duration) -> bool {
        self.heard.within(time, self.runtime.now())
    }

    /// Takes one sample of the statistics.
    pub(crate) async fn statistics(&mut self) -> Statistics {
        self.sampler.sample(&self.connection, &self.runtime).await
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
}

/// A description that nobody has parsed: who applies it does so, whether it was parsed before or not.
fn unread(sdp_type: RTCSdpType, sdp: String) -> RTCSessionDescription {
    let mut description = RTCSessionDescription::default();
    (description.sdp_type, description.sdp) = (sdp_type, sdp);
    description
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
        // A check that overtakes its candidate makes a peer-reflexive one of the same endpoint, which
        // `webrtc` 0.21.1 goes on taking for that: it would wait a second for what it has (RFC 8445
        // §7.3.1.3).
        .with_prflx_acceptance_min_wait(Some(Duration::ZERO))
        .with_crypto_provider(provider);
    if settings.constraints.ice_transport_policy == IceTransportPolicy::Relay && guards.nominate_relay_at_once
    {
        // Nothing better than a relayed pair can come.
        builder = builder.with_relay_acceptance_min_wait(Some(Duration::ZERO));
    }
    builder.build()
}
