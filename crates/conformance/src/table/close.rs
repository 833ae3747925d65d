//! The end of a peer connection.

use call_engine::EngineEvent;
use rtc::{peer_connection::transport::RTCIceCandidateInit, rtp_transceiver::RTCRtpTransceiverDirection};
use timeline::{CallState, ConnectionState, EndReason, Machine, MessageKind};
use webrtc::data_channel::RTCDataChannelState;

use crate::{
    row::{Row, row},
    spec,
    stage::{Deviation, History as _, Kind, Name, Peer, Stage, accepted, expect, refused},
};

const SOURCE: &str = "RTCPeerConnection-close.html";
const NO_METHODS: &str =
    "the engine's methods only say what is wanted; after the end there is no peer connection";

pub(super) fn rows() -> Vec<Row> {
    [own(), methods(), other_side()].concat()
}

fn own() -> Vec<Row> {
    vec![
        row("close-fires-nothing", "close fires no event at all.")
            .of(spec::METHODS, SOURCE)
            .bare(async |stage| {
                let (alice, _bob) = stage.connected().await?;
                stage.never(&alice.log, "events after close", |_| true);
                alice.connection.close().await.map_err(Deviation::from)
            })
            .engine(async |stage| {
                let (caller, callee) = stage.engines().await?;
                for machine in [Machine::Signaling, Machine::Ice, Machine::Connection] {
                    caller.never_moves(&stage, machine);
                }
                caller.engine.hang_up();
                stage.until("the callee knows", || callee.is(CallState::Ended(EndReason::HungUp))).await
            }),
        row("close-twice", "A second close does nothing, and is no error.")
            .of(spec::METHODS, SOURCE)
            .bare(async |stage| {
                let (alice, _) = stage.pair().await?;
                alice.connection.close().await?;
                accepted("close", alice.connection.close().await)
            })
            .engine(async |stage| {
                let (caller, callee) = stage.engines().await?;
                caller.engine.hang_up();
                callee.engine.hang_up();
                caller.engine.hang_up();
                for party in [&caller, &callee] {
                    stage.until("both end", || party.is(CallState::Ended(EndReason::HungUp))).await?;
                    stage.never(&party.log, "further events of the call", |event| {
                        matches!(event, EngineEvent::StateChanged { .. })
                    });
                }
                Ok(())
            }),
        row("close-before-anything", "A peer connection can be closed before anything was done with it.")
            .of(spec::METHODS, SOURCE)
            .bare(async |stage| {
                let alice = stage.peer("alice").await?;
                stage.never(&alice.log, "events", |_| true);
                accepted("close", alice.connection.close().await)
            })
            .engine(async |stage| {
                let party = stage.party("alice");
                party.engine.shut_down().await;
                Ok(())
            }),
        row(
            "close-while-negotiating",
            "A peer connection can be closed in every signaling state, and leaves nothing.",
        )
        .of(spec::METHODS, SOURCE)
        .bare(async |stage| {
            let (alice, bob) = stage.pair().await?;
            bob.set_remote(&alice.offer().await?).await?;
            for peer in [&alice, &bob] {
                stage.never(&peer.log, "events after close", |_| true);
                accepted("close", peer.connection.close().await)?;
            }
            Ok(())
        })
        .engine(async |stage| {
            let mut talk = stage.caller().await?;
            talk.far.receive_offer().await?;
            talk.party.engine.hang_up();
            talk.far.receive(MessageKind::Bye).await?;
            let party = &talk.party;
            stage
                .until("everything is released", || {
                    party.log.any(|event| matches!(event, EngineEvent::Released { live_tracks: 0 }))
                })
                .await
        }),
    ]
}

fn methods() -> Vec<Row> {
    let closed = async |stage: &Stage| -> Result<Peer, Deviation> {
        let alice = stage.peer("alice").await?;
        alice.connection.close().await?;
        Ok(alice)
    };
    let state = &[Name::InvalidState];
    vec![
        row("create-offer-after-close", "createOffer after close is an InvalidStateError.")
            .of(spec::METHODS, "RTCPeerConnection-createOffer.html")
            .bare(async move |stage| {
                refused("createOffer", closed(&stage).await?.create_offer().await, state)
            })
            .not_applicable(NO_METHODS),
        row("create-answer-after-close", "createAnswer after close is an InvalidStateError.")
            .of(spec::METHODS, "RTCPeerConnection-createAnswer.html")
            .bare(async move |stage| {
                let (alice, bob) = stage.pair().await?;
                bob.set_remote(&alice.offer().await?).await?;
                bob.connection.close().await?;
                refused("createAnswer", bob.create_answer().await, state)
            })
            .not_applicable(NO_METHODS),
        row("add-track-after-close", "addTrack after close is an InvalidStateError.")
            .of(spec::TRANSCEIVERS, "RTCPeerConnection-addTrack.https.html")
            .bare(async move |stage| {
                refused("addTrack", closed(&stage).await?.add_track(Kind::Audio).await, state)
            })
            .not_applicable(NO_METHODS),
        row("remove-track-after-close", "removeTrack after close is an InvalidStateError.")
            .of(spec::TRANSCEIVERS, "RTCPeerConnection-removeTrack.https.html")
            .bare(async move |stage| {
                let alice = stage.peer("alice").await?;
                let sender = alice.add_track(Kind::Audio).await?;
                alice.connection.close().await?;
                refused("removeTrack", alice.connection.remove_track(&sender).await, state)
            })
            .not_applicable(NO_METHODS),
        row("add-transceiver-after-close", "addTransceiver after close is an InvalidStateError.")
            .of(spec::TRANSCEIVERS, "RTCPeerConnection-addTransceiver.https.html")
            .bare(async move |stage| {
                let direction = RTCRtpTransceiverDirection::Recvonly;
                let result = closed(&stage).await?.add_transceiver(Kind::Audio, direction).await;
                refused("addTransceiver", result, state)
            })
            .not_applicable(NO_METHODS),
        row("create-data-channel-after-close", "createDataChannel after close is an InvalidStateError.")
            .of(spec::DATA_CHANNEL, "RTCPeerConnection-createDataChannel.html")
            .bare(async move |stage| {
                refused("createDataChannel", closed(&stage).await?.channel("late").await, state)
            })
            .not_applicable(NO_METHODS),
        row("set-configuration-after-close", "setConfiguration after close is an InvalidStateError.")
            .of("webrtc-pc §4.4.1.5 Set the configuration", "RTCConfiguration-iceServers.html")
            .bare(async move |stage| {
                let alice = closed(&stage).await?;
                let same = alice.connection.get_configuration().await;
                refused("setConfiguration", alice.connection.set_configuration(same).await, state)
            })
            .not_applicable(NO_METHODS),
        row("restart-ice-after-close", "restartIce after close is no error, and does nothing.")
            .of(spec::METHODS, "RTCPeerConnection-restartIce.https.html")
            .bare(async move |stage| {
                let alice = closed(&stage).await?;
                stage.never(&alice.log, "events", |_| true);
                accepted("restartIce", alice.connection.restart_ice().await)
            })
            .engine(async |stage| {
                let (caller, callee) = stage.engines().await?;
                caller.engine.hang_up();
                stage.until("the callee knows", || callee.is(CallState::Ended(EndReason::HungUp))).await?;
                caller.never_sends(&stage, MessageKind::Offer);
                caller.engine.network_changed(None);
                Ok(())
            }),
        row("add-empty-candidate-after-close", "The end of candidates after close is an InvalidStateError.")
            .of(spec::METHODS, "RTCPeerConnection-addIceCandidate-timing.https.html")
            .bare(async move |stage| {
                let (alice, bob) = stage.pair().await?;
                bob.set_remote(&alice.offer().await?).await?;
                bob.connection.close().await?;
                let end = RTCIceCandidateInit::default();
                refused("addIceCandidate", bob.connection.add_ice_candidate(end).await, state)
            })
            .not_applicable(NO_METHODS),
    ]
}

fn other_side() -> Vec<Row> {
    vec![
        row(
            "close-is-no-state-of-the-other-side",
            "When one side closes, the other one is never closed by it.",
        )
        .of(spec::CONNECTION_STATE, "RTCPeerConnection-connectionState.https.html")
        .bare(async |stage| {
            let (alice, bob) = stage.connected().await?;
            stage.never(&bob.log, "connection state closed", |said| said.is(ConnectionState::Closed));
            alice.connection.close().await.map_err(Deviation::from)
        })
        .not_applicable("the engine's signalling says that the call is over, and its other side closes"),
        row("close-ends-data-channels", "When one side closes, its own data channels are closed.")
            .of(spec::METHODS, SOURCE)
            .bare(async |stage| {
                let (alice, bob) = (stage.peer("alice").await?, stage.peer("bob").await?);
                let channel = alice.channel("first").await?;
                alice.negotiate(&bob).await?;
                stage.connect(&alice, &bob).await?;
                stage.pass(std::time::Duration::from_secs(1)).await;
                expect(
                    "readyState before",
                    channel.ready_state().await.ok(),
                    Some(RTCDataChannelState::Open),
                )?;
                alice.connection.close().await?;
                expect("readyState", channel.ready_state().await.ok(), Some(RTCDataChannelState::Closed))
            })
            .not_applicable("an application does not see the engine's data channels after the call"),
        row(
            "a-channel-that-is-not-wanted-is-closed",
            "A data channel of any label opens; whoever has no use for it closes it, and its maker sees that.",
        )
        .of(spec::DATA_CHANNEL, "RTCDataChannel-close.html")
        .bare(async |stage| {
            let (alice, bob) = (stage.peer("alice").await?, stage.peer("bob").await?);
            let channel = alice.channel("chat").await?;
            alice.negotiate(&bob).await?;
            stage.connect(&alice, &bob).await?;
            stage.pass(std::time::Duration::from_secs(1)).await;
            expect("readyState", channel.ready_state().await.ok(), Some(RTCDataChannelState::Open))
        })
        .engine(async |stage| {
            let mut talk = stage.callee().await?;
            let channel = talk.far.peer.channel("chat").await?;
            talk.offer_and_connect(&stage, &[Kind::Audio, Kind::Video]).await?;
            let refused = EngineEvent::DataChannelRefused { label: "chat".to_owned() };
            let log = talk.party.log.clone();
            stage.until("the refusal is reported", || log.any(|event| *event == refused)).await?;
            stage.pass(std::time::Duration::from_secs(1)).await;
            // `webrtc` 0.21.1 knows nothing any more of a channel that is closed.
            let is_open = matches!(channel.ready_state().await, Ok(RTCDataChannelState::Open));
            expect("open", is_open, false)
        }),
        row("close-is-noticed", "When one side closes, the other side's DTLS transport learns it at once.")
            .of(spec::DTLS_TRANSPORT, "RTCDtlsTransport-state.html")
            .bare(async |stage| {
                let (alice, bob) = stage.connected().await?;
                let sctp = bob.connection.sctp().await;
                let Some(sctp) = sctp else { return Err(Deviation::new("there is no SCTP transport")) };
                let dtls = sctp.transport();
                alice.connection.close().await?;
                stage.pass(std::time::Duration::from_secs(1)).await;
                let state = dtls.state().await?;
                expect("DTLS state after 1 s", state.to_string().as_str(), "closed")
            })
            .engine(async |stage| {
                let (caller, callee) = stage.engines().await?;
                caller.engine.hang_up();
                stage.pass(std::time::Duration::from_secs(1)).await;
                callee.expect_state("call after 1 s", CallState::Ended(EndReason::HungUp))
            }),
    ]
}
