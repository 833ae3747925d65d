//! One call: a peer connection, a microphone, what is heard, and the chat.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use rtc::{
    ice::mdns::MulticastDnsMode,
    media::Sample,
    media_stream::MediaStreamTrack,
    peer_connection::{
        configuration::{
            RTCOfferOptions,
            media_engine::{MIME_TYPE_OPUS, MediaEngine},
        },
        sdp::RTCSdpType,
        transport::RTCIceCandidateInit,
    },
    rtp_transceiver::rtp_sender::{
        RTCRtpCodec, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
    },
};
use tokio::{sync::mpsc::UnboundedSender, task::JoinSet, time::interval};
use webrtc::{
    data_channel::{DataChannel, DataChannelEvent},
    media_stream::{track_local::static_sample::TrackLocalStaticSample, track_remote::TrackRemote},
    peer_connection::{
        PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCConfigurationBuilder,
        RTCPeerConnectionIceEvent, RTCPeerConnectionState, RTCSessionDescription, Registry,
        SettingEngineBuilder, register_default_interceptors,
    },
    runtime::Runtime,
};

use super::{Config, Result, Watcher};
use crate::wire::Wire;

/// What happens in a call by itself.
pub(super) enum Happened {
    Candidate(RTCIceCandidateInit),
    Connected,
    Chat(Arc<dyn DataChannel>),
    Track(Arc<dyn TrackRemote>),
    /// The other side wrote this.
    Said(String),
}

pub(super) struct Call {
    connection: Arc<dyn PeerConnection>,
    microphone: Arc<TrackLocalStaticSample>,
    runtime: Arc<dyn Runtime>,
    happens: UnboundedSender<Happened>,
    chat: Option<Arc<dyn DataChannel>>,
    /// Candidates that came before their description; `None` since that is here.
    early: Option<Vec<RTCIceCandidateInit>>,
    speaks: bool,
    /// Whoever reads and writes; they end with the call.
    tasks: JoinSet<()>,
}

const SSRC: u32 = 4242;
const PAYLOAD_TYPE: u8 = 111;
const FRAME: Duration = Duration::from_millis(20);

impl Call {
    pub(super) async fn new(
        config: &Config,
        runtime: &Arc<dyn Runtime>,
        watcher: &dyn Watcher,
        happens: &UnboundedSender<Happened>,
    ) -> Result<Self> {
        let mut media = MediaEngine::default();
        media.register_default_codecs()?;
        let interceptors = register_default_interceptors(Registry::new(), &mut media)?;
        let settings = SettingEngineBuilder::new()
            .with_multicast_dns_mode(MulticastDnsMode::Disabled)
            .with_discard_local_candidates_during_ice_restart(true)
            .build();
        let servers = config.ice_servers.clone();
        let (handler, built) = watcher.watch(Arc::new(Handler(happens.clone())));
        let connection = PeerConnectionBuilder::new()
            .with_configuration(RTCConfigurationBuilder::new().with_ice_servers(servers).build())
            .with_setting_engine(settings)
            .with_media_engine(media)
            .with_interceptor_registry(interceptors)
            .with_runtime(runtime.clone())
            .with_handler(handler)
            // Every interface, looked up again where ICE restarts.
            .with_udp_addrs(vec!["0.0.0.0:0"])
            .build()
            .await?;
        let connection: Arc<dyn PeerConnection> = Arc::new(connection);
        built(&connection);
        let microphone = Arc::new(TrackLocalStaticSample::new(runtime.now(), track(&config.name))?);
        connection.add_track(microphone.clone()).await?;
        Ok(Self {
            connection,
            microphone,
            runtime: runtime.clone(),
            happens: happens.clone(),
            chat: None,
            early: Some(Vec::new()),
            speaks: false,
            tasks: JoinSet::new(),
        })
    }

    pub(super) async fn offer(&self, ice_restart: bool) -> Result<Wire> {
        let description = self.connection.create_offer(Some(RTCOfferOptions { ice_restart })).await?;
        self.connection.set_local_description(description.clone()).await?;
        Ok(Wire::Description { description: description.into() })
    }

    /// The other side's description came; the answer, if it is an offer.
    pub(super) async fn described(&mut self, description: RTCSessionDescription) -> Result<Option<Wire>> {
        let is_offer = description.sdp_type == RTCSdpType::Offer;
        if !is_offer && self.connection.pending_local_description().await.is_none() {
            // The answer to an offer before the last: the last was answered.
            return Ok(None);
        }
        self.connection.set_remote_description(description).await?;
        for candidate in self.early.take().into_iter().flatten() {
            self.connection.add_ice_candidate(candidate).await?;
        }
        if !is_offer {
            return Ok(None);
        }
        let description = self.connection.create_answer(None).await?;
        self.connection.set_local_description(description.clone()).await?;
        Ok(Some(Wire::Description { description: description.into() }))
    }

    pub(super) async fn candidate(&mut self, candidate: RTCIceCandidateInit) -> Result<()> {
        match &mut self.early {
            Some(early) => early.push(candidate),
            None => self.connection.add_ice_candidate(candidate).await?,
        }
        Ok(())
    }

    /// The caller opens the chat.
    pub(super) async fn open_chat(&mut self) -> Result<()> {
        let channel = self.connection.create_data_channel("chat", None).await?;
        self.chat(channel);
        Ok(())
    }

    pub(super) fn chat(&mut self, channel: Arc<dyn DataChannel>) {
        self.chat = Some(channel.clone());
        let happens = self.happens.clone();
        self.tasks.spawn(async move {
            while let Some(event) = channel.poll().await {
                if let DataChannelEvent::OnMessage(message) = event {
                    let text = String::from_utf8_lossy(&message.data).into_owned();
                    // An app that is gone reads nothing.
                    let _ = happens.send(Happened::Said(text));
                }
            }
        });
    }

    /// What is said while there is no chat yet is lost.
    pub(super) async fn say(&self, text: &str) {
        if let Some(chat) = &self.chat {
            let _ = chat.send_text(text).await;
        }
    }

    /// Sends what a microphone would, from the first time that there is a connection.
    pub(super) fn speak(&mut self) {
        if std::mem::replace(&mut self.speaks, true) {
            return;
        }
        let (microphone, runtime) = (self.microphone.clone(), self.runtime.clone());
        self.tasks.spawn(async move {
            let mut clock = interval(FRAME);
            loop {
                clock.tick().await;
                let data = Bytes::from_static(&[7; 80]);
                let sample = Sample { data, duration: FRAME, ..Sample::new(runtime.now()) };
                // While there is no connection, what is said is lost.
                let _ = microphone.sample_writer(SSRC, PAYLOAD_TYPE).write_sample(&sample).await;
            }
        });
    }

    /// Reads a track, as a loudspeaker would.
    pub(super) fn listen(&mut self, track: Arc<dyn TrackRemote>) {
        self.tasks.spawn(async move { while track.poll().await.is_some() {} });
    }

    pub(super) async fn close(mut self) -> Result<()> {
        self.tasks.shutdown().await;
        Ok(self.connection.close().await?)
    }
}

struct Handler(UnboundedSender<Happened>);

impl Handler {
    fn tell(&self, what: Happened) {
        // An app that is gone hears nothing.
        let _ = self.0.send(what);
    }
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        if let Ok(candidate) = event.candidate.to_json() {
            self.tell(Happened::Candidate(candidate));
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        if state == RTCPeerConnectionState::Connected {
            self.tell(Happened::Connected);
        }
    }

    async fn on_data_channel(&self, channel: Arc<dyn DataChannel>) {
        self.tell(Happened::Chat(channel));
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        self.tell(Happened::Track(track));
    }
}

fn track(name: &str) -> MediaStreamTrack {
    let codec = RTCRtpCodec {
        mime_type: MIME_TYPE_OPUS.to_owned(),
        clock_rate: 48_000,
        channels: 2,
        sdp_fmtp_line: "minptime=10;useinbandfec=1".to_owned(),
        rtcp_feedback: Vec::new(),
    };
    let coding = RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(SSRC), ..Default::default() },
        codec,
        ..Default::default()
    };
    let (stream, id) = (format!("{name}-stream"), format!("{name}-microphone"));
    MediaStreamTrack::new(stream, id, "microphone".to_owned(), RtpCodecKind::Audio, vec![coding])
}
