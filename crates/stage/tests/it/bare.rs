//! Two applications on plain `webrtc` that hand each other their messages: one audio track each, trickle.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use rtc::{
    ice::mdns::MulticastDnsMode,
    media::Sample,
    media_stream::MediaStreamTrack,
    peer_connection::{
        configuration::media_engine::{MIME_TYPE_OPUS, MediaEngine},
        transport::RTCIceCandidateInit,
    },
    rtp_transceiver::rtp_sender::{
        RTCRtpCodec, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
    },
};
use stage::Place;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use webrtc::{
    media_stream::{
        track_local::static_sample::TrackLocalStaticSample,
        track_remote::{TrackRemote, TrackRemoteEvent},
    },
    peer_connection::{
        PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCConfigurationBuilder,
        RTCPeerConnectionIceEvent, RTCSessionDescription, Registry, SettingEngineBuilder,
        register_default_interceptors,
    },
};

/// What the two hand to each other.
pub(crate) enum Wire {
    Description(Box<RTCSessionDescription>),
    Candidate(RTCIceCandidateInit),
}

pub(crate) struct Ends {
    pub(crate) out: UnboundedSender<Wire>,
    pub(crate) inbox: UnboundedReceiver<Wire>,
}

/// Two ends of one wire.
pub(crate) fn wire() -> (Ends, Ends) {
    let ((to_b, b_in), (to_a, a_in)) = (unbounded_channel(), unbounded_channel());
    (Ends { out: to_b, inbox: a_in }, Ends { out: to_a, inbox: b_in })
}

struct Handler {
    out: UnboundedSender<Wire>,
    place: Place,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        if let Ok(candidate) = event.candidate.to_json() {
            let _ = self.out.send(Wire::Candidate(candidate));
        }
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        self.place.spawn(async move {
            while let Some(event) = track.poll().await {
                if matches!(event, TrackRemoteEvent::OnEnded) {
                    break;
                }
            }
        });
    }
}

const SSRC: u32 = 4242;

/// Takes part for `talk`, from offer to close; with `offers`, makes the offer.
pub(crate) async fn talk(place: Place, mut ends: Ends, role: Role, talk: Duration) {
    let mut media = MediaEngine::default();
    media.register_default_codecs().unwrap();
    let interceptors = register_default_interceptors(Registry::new(), &mut media).unwrap();
    let settings = SettingEngineBuilder::new().with_multicast_dns_mode(MulticastDnsMode::Disabled).build();
    let observed = place.observed(Arc::new(Handler { out: ends.out.clone(), place: place.clone() }));
    let connection = PeerConnectionBuilder::new()
        .with_configuration(RTCConfigurationBuilder::new().with_ice_servers(place.ice_servers()).build())
        .with_setting_engine(settings)
        .with_media_engine(media)
        .with_interceptor_registry(interceptors)
        .with_runtime(place.runtime())
        .with_handler(observed.clone())
        .with_udp_addrs(place.socket_addresses(0))
        .build()
        .await
        .unwrap();
    let connection: Arc<dyn PeerConnection> = Arc::new(connection);
    observed.connection(&connection);
    let track = microphone(&place);
    connection.add_track(track.clone()).await.unwrap();
    let over = place.sleep(talk);
    tokio::pin!(over);
    if role == Role::Offers {
        let offer = connection.create_offer(None).await.unwrap();
        connection.set_local_description(offer.clone()).await.unwrap();
        let _ = ends.out.send(Wire::Description(Box::new(offer)));
    }
    let (mut early, mut described) = (Vec::new(), false);
    let mut clock = tokio::time::interval(Duration::from_millis(20));
    loop {
        let message = tokio::select! {
            biased;
            () = &mut over => break,
            message = ends.inbox.recv() => message,
            _ = clock.tick() => {
                let sample = Sample {
                    data: Bytes::from_static(&[7; 80]),
                    duration: Duration::from_millis(20),
                    ..Sample::new(place.runtime().now())
                };
                let _ = track.sample_writer(SSRC, 111).write_sample(&sample).await;
                continue;
            }
        };
        match message {
            Some(Wire::Description(description)) => {
                connection.set_remote_description(*description).await.unwrap();
                described = true;
                for candidate in early.drain(..) {
                    connection.add_ice_candidate(candidate).await.unwrap();
                }
                if role == Role::Answers {
                    let answer = connection.create_answer(None).await.unwrap();
                    connection.set_local_description(answer.clone()).await.unwrap();
                    let _ = ends.out.send(Wire::Description(Box::new(answer)));
                }
            }
            Some(Wire::Candidate(candidate)) if described => {
                connection.add_ice_candidate(candidate).await.unwrap();
            }
            Some(Wire::Candidate(candidate)) => early.push(candidate),
            None => break,
        }
    }
    connection.close().await.unwrap();
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Offers,
    Answers,
}

fn microphone(place: &Place) -> Arc<TrackLocalStaticSample> {
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
    let track = MediaStreamTrack::new(
        format!("{}-stream", place.name()),
        format!("{}-microphone", place.name()),
        "microphone".to_owned(),
        RtpCodecKind::Audio,
        vec![coding],
    );
    Arc::new(TrackLocalStaticSample::new(place.runtime().now(), track).unwrap())
}
