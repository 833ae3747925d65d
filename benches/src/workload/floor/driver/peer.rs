//! One peer connection with a microphone and a camera.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use rtc::{
    ice::mdns::MulticastDnsMode,
    peer_connection::{
        configuration::{interceptor_registry::register_default_interceptors, media_engine::MediaEngine},
        transport::RTCIceCandidateInit,
    },
    rtp_transceiver::rtp_sender::RTCRtpCodecParameters,
};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinSet,
};
use webrtc::{
    media_stream::track_remote::{TrackRemote, TrackRemoteEvent},
    peer_connection::{
        PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCPeerConnectionIceEvent,
        RTCPeerConnectionState, RTCSessionDescription, Registry, SettingEngineBuilder,
    },
};

use super::{
    media::{Kind, Outbound},
    network::Network,
    runtime::InMemory,
};
use crate::workload::Broken;

/// One side of a call.
pub(super) struct Peer {
    connection: Arc<dyn PeerConnection>,
    outbound: Vec<Outbound>,
    events: UnboundedReceiver<Event>,
    state: RTCPeerConnectionState,
    received: Arc<AtomicU64>,
}

impl Peer {
    /// `number` tells it from all others of its network.
    pub(super) async fn new(network: &Network, number: u32) -> Result<Self, Broken> {
        let mut media = MediaEngine::default();
        for kind in Kind::ALL {
            let codec = RTCRtpCodecParameters { rtp_codec: kind.codec(), payload_type: kind.payload_type() };
            media.register_codec(codec, kind.codec_kind())?;
        }
        let interceptors = register_default_interceptors(Registry::new(), &mut media)?;
        let settings =
            SettingEngineBuilder::new().with_multicast_dns_mode(MulticastDnsMode::Disabled).build();
        let (events_in, events) = unbounded_channel();
        let received = Arc::new(AtomicU64::new(0));
        let connection = PeerConnectionBuilder::new()
            .with_setting_engine(settings)
            .with_media_engine(media)
            .with_interceptor_registry(interceptors)
            .with_runtime(Arc::new(InMemory(network.clone())))
            .with_handler(Arc::new(Handler { events: events_in, received: received.clone() }))
            .with_udp_addrs(vec![address(number)])
            .build()
            .await?;
        let mut outbound = Vec::new();
        for (kind, ssrc) in Kind::ALL.into_iter().zip(2 * number + 1..) {
            let one = Outbound::new(kind, ssrc)?;
            connection.add_track(one.track.clone()).await?;
            outbound.push(one);
        }
        let connection = Arc::new(connection);
        Ok(Self { connection, outbound, events, state: RTCPeerConnectionState::New, received })
    }

    /// Makes an offer and applies it.
    pub(super) async fn offer(&self) -> Result<RTCSessionDescription, Broken> {
        let offer = self.connection.create_offer(None).await?;
        self.connection.set_local_description(offer.clone()).await?;
        Ok(offer)
    }

    /// Applies an offer, makes an answer and applies that.
    pub(super) async fn answer(&self, offer: RTCSessionDescription) -> Result<RTCSessionDescription, Broken> {
        self.connection.set_remote_description(offer).await?;
        let answer = self.connection.create_answer(None).await?;
        self.connection.set_local_description(answer.clone()).await?;
        Ok(answer)
    }

    /// Applies the answer.
    pub(super) async fn accept(&self, answer: RTCSessionDescription) -> Result<(), Broken> {
        Ok(self.connection.set_remote_description(answer).await?)
    }

    /// The candidate that was gathered.
    pub(super) async fn candidate(&mut self) -> Result<RTCIceCandidateInit, Broken> {
        loop {
            if let Event::Candidate(event) = self.event().await? {
                return Ok(event.candidate.to_json()?);
            }
        }
    }

    /// Applies one of the other side.
    pub(super) async fn add_candidate(&self, candidate: RTCIceCandidateInit) -> Result<(), Broken> {
        Ok(self.connection.add_ice_candidate(candidate).await?)
    }

    /// Waits until it is connected.
    pub(super) async fn connected(&mut self) -> Result<(), Broken> {
        while self.state != RTCPeerConnectionState::Connected {
            self.event().await?;
        }
        Ok(())
    }

    /// Looks at what happened since, without waiting.
    pub(super) fn is_connected(&mut self) -> bool {
        while let Ok(event) = self.events.try_recv() {
            self.take(&event);
        }
        self.state == RTCPeerConnectionState::Connected
    }

    /// Sends all tracks for as long as `time`; how many packets.
    pub(super) async fn send(&self, time: Duration) -> Result<u64, Broken> {
        let mut sending: JoinSet<_> = self.outbound.iter().map(|one| one.clone().send(time)).collect();
        let mut packets = 0;
        while let Some(sent) = sending.join_next().await {
            packets += sent??;
        }
        Ok(packets)
    }

    /// How many media packets arrived.
    pub(super) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    pub(super) async fn close(self) -> Result<(), Broken> {
        Ok(self.connection.close().await?)
    }

    async fn event(&mut self) -> Result<Event, Broken> {
        let event = self.events.recv().await.ok_or(Broken::DriverStopped)?;
        self.take(&event);
        match self.state {
            RTCPeerConnectionState::Failed | RTCPeerConnectionState::Closed => Err(Broken::NotConnected),
            _ => Ok(event),
        }
    }

    fn take(&mut self, event: &Event) {
        if let Event::State(state) = event {
            self.state = *state;
        }
    }
}

/// Each has a host of its own.
fn address(number: u32) -> SocketAddr {
    const FIRST: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
    SocketAddr::from((Ipv4Addr::from_bits(FIRST.to_bits() + number), 5000))
}

enum Event {
    Candidate(RTCPeerConnectionIceEvent),
    State(RTCPeerConnectionState),
}

struct Handler {
    events: UnboundedSender<Event>,
    received: Arc<AtomicU64>,
}

#[async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        // A call that is over is not told.
        let _ = self.events.send(Event::Candidate(event));
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        let _ = self.events.send(Event::State(state));
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let received = self.received.clone();
        tokio::spawn(async move {
            while let Some(event) = track.poll().await {
                match event {
                    TrackRemoteEvent::OnRtpPacket(_) => drop(received.fetch_add(1, Ordering::Relaxed)),
                    TrackRemoteEvent::OnEnded => return,
                    _ => {}
                }
            }
        });
    }
}
