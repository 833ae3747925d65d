//! What descriptions do, beyond the signalling table.

use call_engine::EngineEvent;
use rtc::rtp_transceiver::RTCRtpTransceiverDirection;
use signaller::Message;
use timeline::{Machine, MessageKind, SignalingState, State};
use webrtc::peer_connection::{RTCSdpType, RTCSessionDescription};

use super::signaling::{ITS_OWN_CHOICE, NO_PRANSWER, NOTHING_BETWEEN, glare_at_polite};
use crate::{
    row::{Row, row},
    sdp::Sdp,
    spec,
    stage::{
        Deviation, History as _, Kind, Name, Said, Stage, accepted, expect, expect_moves, expect_that,
        refused, retyped,
    },
};

const NO_DESCRIPTIONS: &str = "an application does not see the engine's descriptions";
const ONE_STEP: &str = "the engine makes a description and applies it in one step";
const ONE_AT_A_TIME: &str = "the engine takes one thing at a time; its methods only say what is wanted";

const SLD: &str = "RTCPeerConnection-setLocalDescription.html";
const SLD_OFFER: &str = "RTCPeerConnection-setLocalDescription-offer.html";
const SLD_ROLLBACK: &str = "RTCPeerConnection-setLocalDescription-rollback.html";
const SLD_PARAMETERLESS: &str = "RTCPeerConnection-setLocalDescription-parameterless.https.html";
const SRD_OFFER: &str = "RTCPeerConnection-setRemoteDescription-offer.html";
const SRD_ROLLBACK: &str = "RTCPeerConnection-setRemoteDescription-rollback.html";

pub(super) fn rows() -> Vec<Row> {
    [creating(), applying(), rolling_back(), implicit_rollback()].concat()
}

fn creating() -> Vec<Row> {
    vec![
        row("create-offer-changes-nothing", "createOffer alone changes no state and sets no description.")
            .of(spec::METHODS, "RTCPeerConnection-createOffer.html")
            .bare(async |stage| {
                let (alice, _) = stage.pair().await?;
                stage.never(&alice.log, "state changes", |said| matches!(said, Said::State(..)));
                alice.create_offer().await?;
                expect("local description", alice.connection.local_description().await.is_none(), true)
            })
            .not_applicable(ONE_STEP),
        row("create-offer-in-have-remote-offer", "createOffer in have-remote-offer is an InvalidStateError.")
            .of(spec::METHODS, "RTCPeerConnection-createOffer.html")
            .bare(async |stage| {
                let (alice, bob) = stage.pair().await?;
                bob.set_remote(&alice.offer().await?).await?;
                refused("createOffer", bob.create_offer().await, &[Name::InvalidState])
            })
            .not_applicable(NOTHING_BETWEEN),
        row("create-answer-in-stable", "createAnswer without a remote offer is an InvalidStateError.")
            .of(spec::METHODS, "RTCPeerConnection-createAnswer.html")
            .bare(async |stage| {
                let (alice, _) = stage.pair().await?;
                refused("createAnswer", alice.create_answer().await, &[Name::InvalidState])
            })
            .not_applicable(ONE_STEP),
        row(
            "create-answer-after-an-exchange",
            "createAnswer in stable after an exchange is an InvalidStateError.",
        )
        .of(spec::METHODS, "RTCPeerConnection-createAnswer.html")
        .bare(async |stage| {
            let (alice, bob) = stage.pair().await?;
            alice.negotiate(&bob).await?;
            refused("createAnswer", bob.create_answer().await, &[Name::InvalidState])
        })
        .not_applicable(ONE_STEP),
        row("create-answer-in-have-local-offer", "createAnswer in have-local-offer is an InvalidStateError.")
            .of(spec::METHODS, "RTCPeerConnection-createAnswer.html")
            .bare(async |stage| {
                let (alice, _) = stage.pair().await?;
                alice.offer().await?;
                refused("createAnswer", alice.create_answer().await, &[Name::InvalidState])
            })
            .not_applicable(ONE_STEP),
        row("operations-are-chained", "An operation begins when those that were called before it are done.")
            .of(
                "webrtc-pc §4.4.1.2 Chain an asynchronous operation",
                "RTCPeerConnection-operations.https.html",
            )
            .bare(async |stage| {
                let (alice, bob) = stage.pair().await?;
                let offer = alice.offer().await?;
                let (applied, answer) = futures::join!(
                    bob.connection.set_remote_description(offer),
                    bob.connection.create_answer(None)
                );
                accepted("setRemoteDescription", applied)?;
                accepted("createAnswer, called before it was done", answer).map(|_| ())
            })
            .not_applicable(ONE_AT_A_TIME),
    ]
}

fn applying() -> Vec<Row> {
    vec![
        row(
            "offer-not-created-here",
            "Only the offer that was created last can be applied locally: InvalidModificationError.",
        )
        .of(spec::METHODS, SLD_OFFER)
        .bare(async |stage| {
            let (alice, bob) = stage.pair().await?;
            alice.create_offer().await?;
            let foreign = bob.create_offer().await?;
            refused("setLocalDescription", alice.set_local(&foreign).await, &[Name::InvalidModification])
        })
        .not_applicable(ITS_OWN_CHOICE),
        row(
            "answer-not-created-here",
            "Only the answer that was created last can be applied locally: InvalidModificationError.",
        )
        .of(spec::METHODS, "RTCPeerConnection-setLocalDescription-answer.html")
        .bare(async |stage| {
            let (alice, bob) = stage.pair().await?;
            bob.set_remote(&alice.offer().await?).await?;
            let answer = bob.create_answer().await?;
            let changed = Sdp::of(&answer).with("s=", "s=changed").typed(RTCSdpType::Answer);
            refused("setLocalDescription", bob.set_local(&changed).await, &[Name::InvalidModification])
        })
        .not_applicable(ITS_OWN_CHOICE),
        row(
            "empty-sdp-applies-the-last-offer",
            "A local offer without SDP applies the offer that was created last.",
        )
        .of(spec::METHODS, SLD_OFFER)
        .bare(async |stage| {
            let (alice, _) = stage.pair().await?;
            alice.create_offer().await?;
            accepted("setLocalDescription", alice.set_local(&empty(RTCSdpType::Offer)).await)?;
            alice.expect_states(&[SignalingState::HaveLocalOffer])
        })
        .not_applicable(ITS_OWN_CHOICE),
        row("empty-sdp-creates-the-offer", "A local offer without SDP is created where none was.")
            .of(spec::METHODS, SLD_PARAMETERLESS)
            .bare(async |stage| {
                let (alice, _) = stage.pair().await?;
                accepted("setLocalDescription", alice.set_local(&empty(RTCSdpType::Offer)).await)?;
                alice.expect_states(&[SignalingState::HaveLocalOffer])
            })
            .not_applicable(ITS_OWN_CHOICE),
        row("empty-sdp-creates-the-answer", "A local answer without SDP is created where none was.")
            .of(spec::METHODS, SLD_PARAMETERLESS)
            .bare(async |stage| {
                let (alice, bob) = stage.pair().await?;
                bob.set_remote(&alice.offer().await?).await?;
                accepted("setLocalDescription", bob.set_local(&empty(RTCSdpType::Answer)).await)?;
                bob.expect_states(&[SignalingState::HaveRemoteOffer, SignalingState::Stable])
            })
            .not_applicable(ITS_OWN_CHOICE),
        row("offers-are-pending", "An offer is the pending description on both sides, and no current one.")
            .of(spec::ATTRIBUTES, SLD_OFFER)
            .bare(async |stage| {
                let (alice, bob) = stage.pair().await?;
                bob.set_remote(&alice.offer().await?).await?;
                let (a, b) = (&alice.connection, &bob.connection);
                expect("pending local", a.pending_local_description().await.is_some(), true)?;
                expect("current local", a.current_local_description().await.is_some(), false)?;
                expect("pending remote", b.pending_remote_description().await.is_some(), true)?;
                expect("current remote", b.current_remote_description().await.is_some(), false)
            })
            .not_applicable(NO_DESCRIPTIONS),
        row(
            "an-answer-makes-both-current",
            "An answer makes offer and answer current, and leaves nothing pending.",
        )
        .of(spec::ATTRIBUTES, "RTCPeerConnection-setRemoteDescription-answer.html")
        .bare(async |stage| {
            let (alice, bob) = stage.pair().await?;
            alice.negotiate(&bob).await?;
            for peer in [&alice.connection, &bob.connection] {
                expect("current local", peer.current_local_description().await.is_some(), true)?;
                expect("current remote", peer.current_remote_description().await.is_some(), true)?;
                expect("pending local", peer.pending_local_description().await.is_some(), false)?;
                expect("pending remote", peer.pending_remote_description().await.is_some(), false)?;
            }
            Ok(())
        })
        .not_applicable(NO_DESCRIPTIONS),
        row("a-pranswer-stays-pending", "A provisional answer leaves both descriptions pending.")
            .of(spec::ATTRIBUTES, "RTCPeerConnection-setLocalDescription-pranswer.html")
            .bare(async |stage| {
                let (alice, bob) = stage.pair().await?;
                bob.set_remote(&alice.offer().await?).await?;
                let answer = bob.create_answer().await?;
                bob.set_local(&retyped(&answer, RTCSdpType::Pranswer)).await?;
                expect("pending local", bob.connection.pending_local_description().await.is_some(), true)?;
                expect("pending remote", bob.connection.pending_remote_description().await.is_some(), true)?;
                expect("current local", bob.connection.current_local_description().await.is_some(), false)
            })
            .not_applicable(NO_PRANSWER),
        row(
            "one-event-for-each-move",
            "signalingstatechange fires once for each move of an exchange, on both sides.",
        )
        .of(spec::SET_DESCRIPTION, "RTCPeerConnection-onsignalingstatechanged.https.html")
        .bare(async |stage| {
            let (alice, bob) = stage.pair().await?;
            alice.negotiate(&bob).await?;
            alice.expect_states(&[SignalingState::HaveLocalOffer, SignalingState::Stable])?;
            bob.expect_states(&[SignalingState::HaveRemoteOffer, SignalingState::Stable])
        })
        .engine(async |stage| {
            let (caller, callee) = stage.engines().await?;
            caller.expect_states(&[SignalingState::HaveLocalOffer, SignalingState::Stable])?;
            callee.expect_states(&[SignalingState::HaveRemoteOffer, SignalingState::Stable])
        }),
        row(
            "no-event-without-a-move",
            "A description that leaves the state as it is fires no signalingstatechange.",
        )
        .of(spec::SET_DESCRIPTION, SLD)
        .bare(async |stage| {
            let (alice, _) = stage.pair().await?;
            let offer = alice.offer().await?;
            alice.set_local(&offer).await?;
            alice.expect_states(&[SignalingState::HaveLocalOffer])
        })
        .not_applicable(ITS_OWN_CHOICE),
        row(
            "invalid-sdp-is-refused",
            "A remote description that cannot be parsed is refused, and changes nothing.",
        )
        .of(spec::SET_DESCRIPTION, "RTCPeerConnection-setRemoteDescription.html")
        .bare(async |stage| {
            let (alice, _) = stage.pair().await?;
            stage.never(&alice.log, "state changes", |said| matches!(said, Said::State(..)));
            let garbage = Sdp::from_text("garbage").typed(RTCSdpType::Offer);
            refused("setRemoteDescription", alice.set_remote(&garbage).await, &[Name::Syntax])
        })
        .engine(async |stage| {
            let mut talk = stage.callee().await?;
            talk.party.never_moves(&stage, Machine::Signaling);
            talk.party.never_sends(&stage, MessageKind::Answer);
            talk.far.send(Message::Offer { sdp: "garbage".to_owned(), negotiation: 1 })?;
            stage.rest().await;
            expect_that(talk.party.has_problem("cannot apply the offer"), "the offer is not reported")
        }),
        row(
            "a-new-offer-replaces-the-first",
            "A second remote offer in have-remote-offer replaces the first, and is answered.",
        )
        .of(spec::SET_DESCRIPTION, SRD_OFFER)
        .bare(async |stage| {
            let (alice, bob) = stage.pair().await?;
            bob.set_remote(&alice.offer().await?).await?;
            alice.add_track(Kind::Audio).await?;
            let second = alice.offer().await?;
            accepted("setRemoteDescription, again", bob.set_remote(&second).await)?;
            let answer = bob.create_answer().await?;
            expect("sections of the answer", Sdp::of(&answer).sections().len(), 2)
        })
        .not_applicable(NOTHING_BETWEEN),
        row(
            "track-event-with-the-description",
            "A remote track is announced when its description is applied.",
        )
        .of(spec::REMOTE_TRACKS, "RTCPeerConnection-ontrack.https.html")
        .bare(async |stage| {
            let (alice, bob) = (stage.peer("alice").await?, stage.peer("bob").await?);
            alice.add_track(Kind::Audio).await?;
            stage.exactly(1, &bob.log, "track events", |said| matches!(said, Said::Track));
            alice.negotiate(&bob).await.map(|_| ()).map_err(Deviation::from)
        })
        .engine(async |stage| {
            let mut talk = stage.callee().await?;
            talk.far.peer.add_track(Kind::Audio).await?;
            talk.far.offer(1).await?;
            talk.far.take_answer().await?;
            let tracks = talk.party.log.count(|event| matches!(event, EngineEvent::TrackAdded { .. }));
            expect("tracks announced", tracks, 1)
        }),
        row(
            "no-track-event-without-a-track",
            "A section in which the other side only receives announces no track.",
        )
        .of(spec::REMOTE_TRACKS, "RTCPeerConnection-ontrack.https.html")
        .bare(async |stage| {
            let (alice, bob) = (stage.peer("alice").await?, stage.peer("bob").await?);
            alice.add_transceiver(Kind::Audio, RTCRtpTransceiverDirection::Recvonly).await?;
            stage.never(&bob.log, "track events", |said| matches!(said, Said::Track));
            alice.negotiate(&bob).await?;
            stage.connect(&alice, &bob).await
        })
        .engine(async |stage| {
            let mut talk = stage.callee().await?;
            let peer = talk.far.peer.clone();
            peer.add_transceiver(Kind::Audio, RTCRtpTransceiverDirection::Recvonly).await?;
            stage.never(&talk.party.log, "tracks announced", |event| {
                matches!(event, EngineEvent::TrackAdded { .. })
            });
            talk.far.offer(1).await?;
            talk.far.take_answer().await?;
            talk.connect(&stage).await
        }),
    ]
}

fn rolling_back() -> Vec<Row> {
    vec![
        row(
            "a-rollback-forgets-the-offer",
            "After a rollback of the first offer there is no local description.",
        )
        .of(spec::ROLLBACK, SLD_ROLLBACK)
        .bare(async |stage| {
            let (alice, _) = stage.pair().await?;
            alice.offer().await?;
            alice.roll_back().await?;
            expect("local description", alice.connection.local_description().await.is_none(), true)
        })
        .not_applicable(NO_DESCRIPTIONS),
        row(
            "a-rollback-keeps-what-was-agreed",
            "A rollback of a later offer leaves the current descriptions, and the connection.",
        )
        .of(spec::ROLLBACK, SLD_ROLLBACK)
        .bare(async |stage| {
            let (alice, _bob) = stage.connected().await?;
            let agreed = alice.connection.current_local_description().await.map(|sdp| sdp.sdp);
            stage.never(&alice.log, "connection state changes", |said| {
                matches!(said, Said::State(State::Connection(_)))
            });
            alice.add_track(Kind::Audio).await?;
            alice.offer().await?;
            alice.roll_back().await?;
            let now = alice.connection.local_description().await.map(|sdp| sdp.sdp);
            expect_that(now == agreed, "another local description than before the offer")
        })
        .engine(async |stage| {
            let mut talk = stage.callee().await?;
            talk.offer_and_connect(&stage, &[Kind::Audio]).await?;
            // The engine's offer for its camera, which another one crosses.
            let (_, round) = talk.far.receive_offer().await?;
            talk.party.never_moves(&stage, Machine::Connection);
            talk.far.peer.add_track(Kind::Video).await?;
            talk.far.offer(round).await?;
            talk.far.take_answer().await.map(|_| ())
        }),
        row("a-rollback-allows-another-offer", "After a rollback, another offer is made, and answered.")
            .of(spec::ROLLBACK, SLD_ROLLBACK)
            .bare(async |stage| {
                let (alice, bob) = stage.pair().await?;
                alice.offer().await?;
                alice.roll_back().await?;
                alice.negotiate(&bob).await?;
                stage.connect(&alice, &bob).await
            })
            .engine(async |stage| glare_at_polite(stage).await),
        row(
            "a-rollback-of-a-remote-offer-undoes-its-transceivers",
            "A rollback removes the transceivers that the remote offer created.",
        )
        .of(spec::SET_DESCRIPTION, SRD_ROLLBACK)
        .bare(async |stage| {
            let (alice, bob) = (stage.peer("alice").await?, stage.peer("bob").await?);
            alice.add_track(Kind::Audio).await?;
            bob.set_remote(&alice.offer().await?).await?;
            expect("transceivers with the offer", bob.connection.get_transceivers().await.len(), 1)?;
            bob.set_remote(&RTCSessionDescription::rollback(None)?).await?;
            expect("transceivers after it", bob.connection.get_transceivers().await.len(), 0)
        })
        .not_applicable(super::signaling::NO_ROLLBACK_MESSAGE),
        row("a-rollback-ignores-its-sdp", "The SDP of a rollback is not looked at.")
            .of(spec::SDP_TYPE, SRD_ROLLBACK)
            .bare(async |stage| {
                let (alice, bob) = stage.pair().await?;
                bob.set_remote(&alice.offer().await?).await?;
                let rollback = Sdp::from_text("garbage").typed(RTCSdpType::Rollback);
                accepted("setRemoteDescription", bob.set_remote(&rollback).await)?;
                bob.expect_states(&[SignalingState::HaveRemoteOffer, SignalingState::Stable])
            })
            .not_applicable(super::signaling::NO_ROLLBACK_MESSAGE),
        row(
            "a-rollback-frees-the-mids",
            "A rollback of the first offer takes the mids of its transceivers back.",
        )
        .of(spec::SET_DESCRIPTION, SLD_ROLLBACK)
        .bare(async |stage| {
            let alice = stage.peer("alice").await?;
            let transceiver =
                alice.add_transceiver(Kind::Audio, RTCRtpTransceiverDirection::Recvonly).await?;
            alice.offer().await?;
            alice.roll_back().await?;
            let mid = transceiver.mid().await?.filter(|mid| !mid.is_empty());
            expect("mid", mid, None::<String>)
        })
        .not_applicable(NO_DESCRIPTIONS),
    ]
}

fn implicit_rollback() -> Vec<Row> {
    vec![
        row(
            "an-implicit-rollback-passes-through-stable",
            "An offer that meets a local one moves to stable, then to have-remote-offer: two events.",
        )
        .of(spec::SET_DESCRIPTION, SRD_OFFER)
        .bare(async |stage| {
            let (alice, bob) = stage.pair().await?;
            bob.channel("its own").await?;
            alice.offer().await?;
            accepted("setRemoteDescription", alice.set_remote(&bob.offer().await?).await)?;
            alice.expect_states(&[
                SignalingState::HaveLocalOffer,
                SignalingState::Stable,
                SignalingState::HaveRemoteOffer,
            ])
        })
        .engine(glare_at_polite),
        row(
            "an-implicit-rollback-even-for-an-invalid-offer",
            "An offer that meets a local one rolls that back even where it turns out to be invalid.",
        )
        .of(spec::SET_DESCRIPTION, SRD_OFFER)
        .bare(async |stage| {
            let (alice, bob) = stage.pair().await?;
            bob.channel("its own").await?;
            alice.offer().await?;
            let invalid = Sdp::of(&bob.offer().await?).without("a=fingerprint").offer();
            let result = alice.set_remote(&invalid).await;
            refused("setRemoteDescription", result, &[Name::InvalidAccess, Name::InvalidState])?;
            alice.expect_states(&[SignalingState::HaveLocalOffer, SignalingState::Stable])
        })
        .engine(async |stage: Stage| {
            let mut talk = stage.callee().await?;
            talk.offer_and_connect(&stage, &[Kind::Audio]).await?;
            // The engine's offer for its camera.
            let (_, round) = talk.far.receive_offer().await?;
            let from = talk.party.states::<SignalingState>().len();
            let session = talk.far.peer.connection.local_description().await.unwrap_or_default();
            let origin = Sdp::of(&session).value("o=").to_owned();
            talk.far
                .send(Message::Offer { sdp: format!("v=0\r\no={origin}\r\nbroken"), negotiation: round })?;
            stage.rest().await;
            let moved = talk.party.states().into_iter().skip(from).take(1).collect::<Vec<_>>();
            expect_moves("signaling states", &moved, &[SignalingState::Stable])
        }),
    ]
}

/// A description without SDP.
fn empty(sdp_type: RTCSdpType) -> RTCSessionDescription {
    Sdp::from_text("").typed(sdp_type)
}
