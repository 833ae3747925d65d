//! When `negotiationneeded` fires, how often, and when it never does.

use call_engine::EngineEvent;
use rtc::rtp_transceiver::RTCRtpTransceiverDirection;
use signaller::Message;
use timeline::MessageKind;
use webrtc::peer_connection::RTCSessionDescription;

use crate::{
    engine_side::Party,
    row::{Row, row},
    spec,
    stage::{Deviation, Kind, Shown, Stage, expect},
};

const SOURCE: &str = "RTCPeerConnection-onnegotiationneeded.html";
const NO_CHANNELS: &str = "the engine opens its data channels before the first offer, and no others";
const NO_CHANGES: &str = "an application cannot add, remove or turn single tracks of the engine's call";

pub(super) fn rows() -> Vec<Row> {
    [first(), while_negotiating(), changes(), never()].concat()
}

fn first() -> Vec<Row> {
    vec![
        row("the-first-data-channel", "The first data channel fires negotiationneeded, once.")
            .of(spec::NEGOTIATION_NEEDED, SOURCE)
            .bare(async |stage| {
                let alice = stage.peer("alice").await?;
                alice.is_needed_exactly(1);
                alice.channel("first").await.map(|_| ()).map_err(Deviation::from)
            })
            .not_applicable(NO_CHANNELS),
        row("two-data-channels", "A second data channel before the offer fires nothing more.")
            .of(spec::NEGOTIATION_NEEDED, SOURCE)
            .bare(async |stage| {
                let alice = stage.peer("alice").await?;
                alice.is_needed_exactly(1);
                alice.channel("first").await?;
                alice.channel("second").await.map(|_| ()).map_err(Deviation::from)
            })
            .not_applicable(NO_CHANNELS),
        row("add-track", "addTrack fires negotiationneeded, once.")
            .of(spec::TRANSCEIVERS, "RTCPeerConnection-addTrack.https.html")
            .bare(async |stage| {
                let alice = stage.peer("alice").await?;
                alice.is_needed_exactly(1);
                alice.add_track(Kind::Audio).await.map(|_| ()).map_err(Deviation::from)
            })
            .engine(one_offer),
        row("add-transceiver", "addTransceiver fires negotiationneeded, once.")
            .of(spec::NEGOTIATION_NEEDED, SOURCE)
            .bare(async |stage| {
                let alice = stage.peer("alice").await?;
                alice.is_needed_exactly(1);
                receive(&alice, Kind::Audio).await
            })
            .engine(one_offer),
        row("add-transceiver-twice", "Two transceivers in a row fire negotiationneeded once.")
            .of(spec::NEGOTIATION_NEEDED, SOURCE)
            .bare(async |stage| {
                let alice = stage.peer("alice").await?;
                alice.is_needed_exactly(1);
                receive(&alice, Kind::Audio).await?;
                receive(&alice, Kind::Video).await
            })
            .engine(one_offer),
        row(
            "data-channel-and-transceiver",
            "A data channel and a transceiver in a row fire negotiationneeded once.",
        )
        .of(spec::NEGOTIATION_NEEDED, SOURCE)
        .bare(async |stage| {
            let alice = stage.peer("alice").await?;
            alice.is_needed_exactly(1);
            alice.channel("first").await?;
            receive(&alice, Kind::Audio).await
        })
        .engine(one_offer),
    ]
}

fn while_negotiating() -> Vec<Row> {
    vec![
        row("not-in-have-local-offer", "While an offer is in flight, nothing fires.")
            .of(spec::NEGOTIATION_NEEDED, SOURCE)
            .bare(async |stage| {
                let (alice, _) = stage.pair().await?;
                alice.offer().await?;
                alice.is_needed_exactly(0);
                receive(&alice, Kind::Audio).await
            })
            .engine(async |stage| {
                let mut talk = stage.caller().await?;
                talk.far.receive_offer().await?;
                // An offer that nobody answers is not repeated either, as long as the call is tried.
                talk.party.never_sends(&stage, MessageKind::Offer);
                (0..5).for_each(|_| talk.party.engine.negotiation_needed());
                Ok(())
            }),
        row(
            "after-have-local-offer",
            "What changed while an offer was in flight fires once, back in stable.",
        )
        .of(spec::NEGOTIATION_NEEDED, SOURCE)
        .bare(async |stage| {
            let (alice, bob) = stage.pair().await?;
            let offer = alice.offer().await?;
            receive(&alice, Kind::Audio).await?;
            alice.is_needed_exactly(1);
            let answer = bob.answer(&offer).await?;
            alice.set_remote(&answer).await.map_err(Deviation::from)
        })
        .engine(async |stage| {
            let mut talk = stage.caller().await?;
            talk.answer_and_connect(&stage).await?;
            offers_exactly(&stage, &talk.party, 2);
            talk.party.engine.network_changed(None);
            let (offer, round) = talk.far.receive_offer().await?;
            talk.party.engine.network_changed(None);
            stage.rest().await;
            talk.far.answer(&offer, round).await?;
            let (offer, round) = talk.far.receive_offer().await?;
            talk.far.answer(&offer, round).await.map(|_| ())
        }),
        row("not-in-have-remote-offer", "While a remote offer is not answered, nothing fires.")
            .of(spec::NEGOTIATION_NEEDED, SOURCE)
            .bare(async |stage| {
                let (alice, bob) = stage.pair().await?;
                bob.set_remote(&alice.offer().await?).await?;
                bob.is_needed_exactly(0);
                receive(&bob, Kind::Audio).await
            })
            .not_applicable(super::signaling::NOTHING_BETWEEN),
        row(
            "after-an-answer-that-left-something",
            "What an answer could not carry fires once, back in stable.",
        )
        .of(spec::NEGOTIATION_NEEDED, SOURCE)
        .bare(async |stage| {
            let (alice, bob) = stage.pair().await?;
            bob.add_track(Kind::Audio).await?;
            bob.set_remote(&alice.offer().await?).await?;
            let answer = bob.create_answer().await?;
            bob.is_needed_exactly(1);
            bob.set_local(&answer).await?;
            alice.set_remote(&answer).await.map_err(Deviation::from)
        })
        .engine(async |stage| {
            let mut talk = stage.callee().await?;
            // The engine has a camera, and the offer only sound.
            talk.far.peer.add_track(Kind::Audio).await?;
            offers_exactly(&stage, &talk.party, 1);
            talk.far.offer(1).await?;
            talk.far.take_answer().await?;
            let (offer, round) = talk.far.receive_offer().await?;
            talk.far.answer(&offer, round).await?;
            talk.connect(&stage).await
        }),
        row(
            "not-after-an-answer-that-covers-all",
            "An exchange that covers everything fires nothing, on either side.",
        )
        .of(spec::NEGOTIATION_NEEDED, SOURCE)
        .bare(async |stage| {
            let (alice, bob) = (stage.peer("alice").await?, stage.peer("bob").await?);
            alice.add_track(Kind::Audio).await?;
            bob.add_track(Kind::Audio).await?;
            let offer = alice.offer().await?;
            bob.set_remote(&offer).await?;
            let answer = bob.create_answer().await?;
            alice.is_needed_exactly(0);
            bob.is_needed_exactly(0);
            bob.set_local(&answer).await?;
            alice.set_remote(&answer).await?;
            stage.connect(&alice, &bob).await
        })
        .engine(async |stage| {
            let (caller, callee) = stage.engines().await?;
            caller.never_sends(&stage, MessageKind::Offer);
            callee.never_sends(&stage, MessageKind::Offer);
            expect("offers", (caller.sent(MessageKind::Offer), callee.sent(MessageKind::Offer)), (1, 0))
        }),
        row("after-a-rollback", "A rollback of the first offer fires negotiationneeded again.")
            .of(spec::SET_DESCRIPTION, "RTCPeerConnection-setLocalDescription-rollback.html")
            .bare(async |stage| {
                let (alice, _) = stage.pair().await?;
                alice.offer().await?;
                alice.is_needed_exactly(1);
                alice.roll_back().await.map_err(Deviation::from)
            })
            .engine(async |stage| {
                let mut talk = stage.callee().await?;
                talk.offer_and_connect(&stage, &[Kind::Audio]).await?;
                let (offer, round) = talk.far.receive_offer().await?;
                talk.far.peer.add_track(Kind::Video).await?;
                talk.far.offer(round).await?;
                talk.far.take_answer().await?;
                // What the rollback took back is offered again, or was covered by the answer.
                let covered = offer.sections().len() == 2;
                if covered { Ok(()) } else { talk.far.receive_offer().await.map(|_| ()) }
            }),
        row(
            "after-a-rollback-of-a-remote-offer",
            "A rollback of a remote offer fires for what was not negotiated before.",
        )
        .of(spec::SET_DESCRIPTION, "RTCPeerConnection-setRemoteDescription-rollback.html")
        .bare(async |stage| {
            let (alice, bob) = stage.pair().await?;
            bob.set_remote(&alice.offer().await?).await?;
            receive(&bob, Kind::Audio).await?;
            bob.is_needed_exactly(1);
            bob.set_remote(&RTCSessionDescription::rollback(None)?).await.map_err(Deviation::from)
        })
        .not_applicable(super::signaling::NO_ROLLBACK_MESSAGE),
    ]
}

fn changes() -> Vec<Row> {
    vec![
        row("a-new-direction", "A direction that differs from what was negotiated fires once.")
            .of(spec::TRANSCEIVER, "RTCRtpTransceiver-direction.html")
            .bare(async |stage| {
                let (alice, bob) = (stage.peer("alice").await?, stage.peer("bob").await?);
                let direction = RTCRtpTransceiverDirection::Recvonly;
                let transceiver = alice.add_transceiver(Kind::Audio, direction).await?;
                alice.negotiate(&bob).await?;
                stage.connect(&alice, &bob).await?;
                alice.is_needed_exactly(1);
                let inactive = RTCRtpTransceiverDirection::Inactive;
                transceiver.set_direction(inactive).await.map_err(Deviation::from)
            })
            .not_applicable(NO_CHANGES),
        row("the-same-direction", "A direction that is set to what it is fires nothing.")
            .of(spec::TRANSCEIVER, "RTCRtpTransceiver-direction.html")
            .bare(async |stage| {
                let (alice, bob) = (stage.peer("alice").await?, stage.peer("bob").await?);
                let direction = RTCRtpTransceiverDirection::Recvonly;
                let transceiver = alice.add_transceiver(Kind::Audio, direction).await?;
                alice.negotiate(&bob).await?;
                stage.connect(&alice, &bob).await?;
                alice.is_needed_exactly(0);
                transceiver.set_direction(direction).await.map_err(Deviation::from)
            })
            .engine(async |stage| {
                let (caller, callee) = stage.engines().await?;
                caller.never_sends(&stage, MessageKind::Offer);
                callee.never_sends(&stage, MessageKind::Offer);
                // Fires where nothing has changed, as platforms do, are left alone.
                (0..5).for_each(|_| caller.engine.negotiation_needed());
                (0..5).for_each(|_| callee.engine.negotiation_needed());
                Ok(())
            }),
        row("remove-track", "removeTrack of a negotiated track fires once.")
            .of(spec::TRANSCEIVERS, "RTCPeerConnection-removeTrack.https.html")
            .bare(async |stage| {
                let (alice, bob) = (stage.peer("alice").await?, stage.peer("bob").await?);
                let sender = alice.add_track(Kind::Audio).await?;
                alice.negotiate(&bob).await?;
                stage.connect(&alice, &bob).await?;
                alice.is_needed_exactly(1);
                alice.connection.remove_track(&sender).await.map_err(Deviation::from)
            })
            .not_applicable(NO_CHANGES),
        row("stop-a-transceiver", "Stopping a negotiated transceiver fires once.")
            .of(spec::TRANSCEIVER, "RTCRtpTransceiver-stop.html")
            .bare(async |stage| {
                let (alice, bob) = (stage.peer("alice").await?, stage.peer("bob").await?);
                let direction = RTCRtpTransceiverDirection::Recvonly;
                let transceiver = alice.add_transceiver(Kind::Audio, direction).await?;
                alice.negotiate(&bob).await?;
                stage.connect(&alice, &bob).await?;
                alice.is_needed_exactly(1);
                transceiver.stop().await.map_err(Deviation::from)
            })
            .not_applicable(NO_CHANGES),
        row(
            "a-track-in-a-connected-call",
            "addTrack on a connected peer fires once, and what it leads to ends it.",
        )
        .of(spec::TRANSCEIVERS, "RTCPeerConnection-addTrack.https.html")
        .bare(async |stage| {
            let (alice, bob) = stage.connected().await?;
            alice.is_needed_exactly(1);
            let before = alice.needed();
            alice.add_track(Kind::Audio).await?;
            stage.until("negotiationneeded", || alice.needed() > before).await?;
            alice.negotiate(&bob).await.map(|_| ()).map_err(Deviation::from)
        })
        .not_applicable(NO_CHANGES),
    ]
}

fn never() -> Vec<Row> {
    vec![
        row("a-further-data-channel", "A data channel beside one that is negotiated fires nothing.")
            .of(spec::NEGOTIATION_NEEDED, SOURCE)
            .bare(async |stage| {
                let (alice, _bob) = stage.connected().await?;
                alice.is_needed_exactly(0);
                alice.channel("second").await.map(|_| ()).map_err(Deviation::from)
            })
            .not_applicable(NO_CHANNELS),
        row("nothing-to-negotiate", "A peer connection to which nothing was added fires nothing.")
            .of(spec::NEGOTIATION_NEEDED, SOURCE)
            .bare(async |stage| {
                let alice = stage.peer("alice").await?;
                alice.is_needed_exactly(0);
                Ok(())
            })
            .engine(async |stage| {
                let party = stage.party("alice");
                party.never_sends(&stage, MessageKind::Offer);
                party.engine.negotiation_needed();
                Ok(())
            }),
        row("never-after-close", "Nothing fires after close.")
            .of(spec::NEGOTIATION_NEEDED, "RTCPeerConnection-close.html")
            .bare(async |stage| {
                let (alice, bob) = stage.pair().await?;
                let offer = alice.offer().await?;
                bob.add_track(Kind::Audio).await?;
                bob.answer(&offer).await?;
                alice.is_needed_exactly(0);
                bob.is_needed_exactly(0);
                alice.connection.close().await?;
                bob.connection.close().await.map_err(Deviation::from)
            })
            .engine(async |stage| {
                let mut talk = stage.caller().await?;
                talk.far.receive_offer().await?;
                stage.never(&talk.party.log, "negotiationneeded events", |event| {
                    matches!(event, EngineEvent::NegotiationNeeded { .. })
                });
                talk.far.send(Message::Bye { reason: signaller::ByeReason::HungUp })
            }),
    ]
}

/// A whole call between two engines needs one offer, however often its peers ask.
async fn one_offer(stage: Stage) -> Shown {
    let mut talk = stage.caller().await?;
    offers_exactly(&stage, &talk.party, 0);
    talk.answer_and_connect(&stage).await?;
    expect("offers", talk.party.sent(MessageKind::Offer), 1)
}

/// From now on to the end of the run the party makes `times` offers.
fn offers_exactly(stage: &Stage, party: &Party, times: usize) {
    stage.exactly(times, &party.log, "offers", |event| {
        matches!(event, EngineEvent::MessageSent { kind: MessageKind::Offer, .. })
    });
}

async fn receive(peer: &crate::stage::Peer, kind: Kind) -> Result<(), Deviation> {
    peer.add_transceiver(kind, RTCRtpTransceiverDirection::Recvonly).await?;
    Ok(())
}
