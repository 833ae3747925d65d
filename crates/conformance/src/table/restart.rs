//! ICE restarts.

use timeline::{CallState, ConnectionState, MessageKind, State};
use webrtc::peer_connection::RTCSessionDescription;

use crate::{
    engine_side::Talk,
    row::{Row, row},
    sdp::Sdp,
    spec,
    stage::{Deviation, History as _, Kind, Link, Peer, Said, Shown, Stage, expect, expect_that},
};

const SOURCE: &str = "RTCPeerConnection-restartIce.https.html";
const EVENTS: &str = "RTCPeerConnection-restartIce-onnegotiationneeded.https.html";
const ITS_OWN: &str =
    "the engine restarts ICE when the connection or the network asks for it, and in no other state";

pub(super) fn rows() -> Vec<Row> {
    [events(), credentials(), lasting(), connections()].concat()
}

fn events() -> Vec<Row> {
    vec![
        row("restart-before-negotiation", "restartIce before the first negotiation fires nothing.")
            .of(spec::METHODS, EVENTS)
            .bare(async |stage| {
                let alice = stage.peer("alice").await?;
                alice.is_needed_exactly(0);
                alice.connection.restart_ice().await.map_err(Deviation::from)
            })
            .engine(async |stage| {
                let party = stage.party("alice");
                party.never_sends(&stage, MessageKind::Offer);
                party.engine.network_changed(None);
                Ok(())
            }),
        row("restart-in-stable", "restartIce in stable, after a negotiation, fires negotiationneeded once.")
            .of(spec::METHODS, EVENTS)
            .bare(async |stage| {
                let (alice, _bob) = stage.connected().await?;
                alice.is_needed_exactly(1);
                alice.connection.restart_ice().await.map_err(Deviation::from)
            })
            .engine(async |stage| {
                let talk = restarting(&stage).await?;
                stage.rest().await;
                // The first, and this one: at once, not when something else has failed.
                expect("offers", talk.party.sent(MessageKind::Offer), 2)
            }),
        row("restart-twice-in-stable", "restartIce twice in a row fires negotiationneeded once.")
            .of(spec::METHODS, EVENTS)
            .bare(async |stage| {
                let (alice, _bob) = stage.connected().await?;
                alice.is_needed_exactly(1);
                alice.connection.restart_ice().await?;
                alice.connection.restart_ice().await.map_err(Deviation::from)
            })
            .engine(async |stage| {
                let mut talk = restarting(&stage).await?;
                talk.far.receive_offer().await?;
                talk.party.never_sends(&stage, MessageKind::Offer);
                talk.party.engine.network_changed(None);
                stage.rest().await;
                // One more would be due after the answer; the call ends before.
                talk.far.send(signaller::Message::Bye { reason: signaller::ByeReason::HungUp })
            }),
        row(
            "restart-in-have-local-offer",
            "restartIce in have-local-offer fires negotiationneeded once, back in stable.",
        )
        .of(spec::METHODS, EVENTS)
        .bare(async |stage| {
            let (alice, bob) = stage.connected().await?;
            alice.add_track(Kind::Audio).await?;
            let offer = alice.offer().await?;
            alice.is_needed_exactly(1);
            alice.connection.restart_ice().await?;
            alice.set_remote(&bob.answer(&offer).await?).await.map_err(Deviation::from)
        })
        .engine(async |stage| {
            let mut talk = stage.callee().await?;
            talk.offer_and_connect(&stage, &[Kind::Audio]).await?;
            // The engine's offer for its camera is in flight.
            let (first, round) = talk.far.receive_offer().await?;
            talk.party.engine.network_changed(None);
            stage.rest().await;
            talk.far.answer(&first, round).await?;
            let (second, _) = talk.far.receive_offer().await?;
            expect_that(ufrag(&first) != ufrag(&second), "the offer that follows restarts nothing")
        }),
        row(
            "restart-in-have-remote-offer",
            "restartIce in have-remote-offer fires negotiationneeded once, back in stable.",
        )
        .of(spec::METHODS, EVENTS)
        .bare(async |stage| {
            let (alice, bob) = stage.connected().await?;
            bob.add_track(Kind::Audio).await?;
            alice.set_remote(&bob.offer().await?).await?;
            alice.is_needed_exactly(1);
            alice.connection.restart_ice().await?;
            let answer = alice.create_answer().await?;
            alice.set_local(&answer).await.map_err(Deviation::from)
        })
        .not_applicable(super::signaling::NOTHING_BETWEEN),
        row("a-restart-that-is-done", "After the restart is negotiated, nothing more fires for it.")
            .of(spec::METHODS, EVENTS)
            .bare(async |stage| {
                let (alice, bob) = stage.connected().await?;
                alice.connection.restart_ice().await?;
                let offer = alice.create_offer().await?;
                alice.set_local(&offer).await?;
                alice.is_needed_exactly(0);
                alice.set_remote(&bob.answer(&offer).await?).await.map_err(Deviation::from)
            })
            .engine(async |stage| {
                let mut talk = restarting(&stage).await?;
                let (offer, round) = talk.far.receive_offer().await?;
                talk.party.never_sends(&stage, MessageKind::Offer);
                talk.far.answer(&offer, round).await?;
                talk.far.trickle()?;
                talk.far.take_candidates().await
            }),
    ]
}

fn credentials() -> Vec<Row> {
    vec![
        row(
            "a-restart-has-new-credentials",
            "The offer after restartIce has another ufrag and another password.",
        )
        .of(spec::ICE_CREDENTIALS, SOURCE)
        .bare(async |stage| {
            let (alice, _bob) = stage.connected().await?;
            let before = local(&alice).await;
            alice.connection.restart_ice().await?;
            let offer = Sdp::of(&alice.create_offer().await?);
            credentials_differ(&before, &offer)
        })
        .engine(async |stage| {
            let mut talk = stage.caller().await?;
            let (first, round) = talk.far.receive_offer().await?;
            talk.far.answer(&first, round).await?;
            talk.connect(&stage).await?;
            talk.party.engine.network_changed(None);
            let (second, _) = talk.far.receive_offer().await?;
            credentials_differ(&first, &second)
        }),
        row("ice-restart-as-an-option", "An offer with iceRestart has another ufrag and another password.")
            .of(spec::SUBSEQUENT_OFFER, SOURCE)
            .bare(async |stage| {
                let (alice, _bob) = stage.connected().await?;
                let before = local(&alice).await;
                credentials_differ(&before, &Sdp::of(&alice.create_restart().await?))
            })
            .not_applicable(ITS_OWN),
        row(
            "the-answer-has-new-credentials-too",
            "The answer to a restart has another ufrag and another password.",
        )
        .of(spec::INITIAL_ANSWER, SOURCE)
        .bare(async |stage| {
            let (alice, bob) = stage.connected().await?;
            let before = local(&bob).await;
            let offer = alice.create_restart().await?;
            alice.set_local(&offer).await?;
            credentials_differ(&before, &Sdp::of(&bob.answer(&offer).await?))
        })
        .engine(async |stage| {
            let mut talk = stage.callee().await?;
            let first = talk.offer_and_connect(&stage, &[Kind::Audio, Kind::Video]).await?;
            let restart = talk.far.peer.create_restart().await?;
            talk.far.peer.set_local(&restart).await?;
            talk.far.send_offer(&restart, 2)?;
            credentials_differ(&first, &talk.far.take_answer().await?)
        }),
        row("without-a-restart-the-same-credentials", "An offer without a restart keeps ufrag and password.")
            .of(spec::SUBSEQUENT_OFFER, SOURCE)
            .bare(async |stage| {
                let (alice, bob) = stage.connected().await?;
                let before = local(&alice).await;
                alice.add_track(Kind::Audio).await?;
                let (offer, _) = alice.negotiate(&bob).await?;
                expect_that(ufrag(&before) == ufrag(&offer), "another ufrag")
            })
            .engine(async |stage| {
                let mut talk = stage.callee().await?;
                let answer = talk.offer_and_connect(&stage, &[Kind::Audio]).await?;
                // The engine's offer for its camera.
                let (offer, _) = talk.far.receive_offer().await?;
                expect_that(ufrag(&answer) == ufrag(&offer), "another ufrag")
            }),
        row("all-sections-restart", "A restart gives every bundled section the same new credentials.")
            .of(spec::ICE_CREDENTIALS, SOURCE)
            .bare(async |stage| {
                let (alice, bob) = stage.pair().await?;
                alice.add_track(Kind::Audio).await?;
                alice.negotiate(&bob).await?;
                stage.connect(&alice, &bob).await?;
                one_generation(&Sdp::of(&alice.create_restart().await?), 2)
            })
            .engine(async |stage| {
                let mut talk = restarting(&stage).await?;
                let (offer, _) = talk.far.receive_offer().await?;
                one_generation(&offer, 2)
            }),
    ]
}

fn lasting() -> Vec<Row> {
    vec![
        row(
            "restart-without-effect-before-negotiation",
            "restartIce before the first negotiation does not outlast it.",
        )
        .of(spec::METHODS, SOURCE)
        .bare(async |stage| {
            let (alice, bob) = stage.pair().await?;
            alice.connection.restart_ice().await?;
            let (first, _) = alice.negotiate(&bob).await?;
            let second = Sdp::of(&alice.create_offer().await?);
            expect_that(ufrag(&first) == ufrag(&second), "the second offer restarts ICE")
        })
        .not_applicable(ITS_OWN),
        row("a-restart-survives-a-rollback", "After a rollback of the restart, the next offer restarts ICE.")
            .of(spec::SET_DESCRIPTION, SOURCE)
            .bare(async |stage| {
                let (alice, _bob) = stage.connected().await?;
                let before = local(&alice).await;
                alice.connection.restart_ice().await?;
                alice.offer().await?;
                alice.roll_back().await?;
                credentials_differ(&before, &Sdp::of(&alice.create_offer().await?))
            })
            .engine(async |stage| {
                let mut talk = stage.callee().await?;
                let before = talk.offer_and_connect(&stage, &[Kind::Audio, Kind::Video]).await?;
                talk.party.engine.network_changed(None);
                let (_, round) = talk.far.receive_offer().await?;
                // Crosses it, and restarts nothing.
                talk.far.offer(round).await?;
                talk.far.take_answer().await?;
                let (again, _) = talk.far.receive_offer().await?;
                credentials_differ(&before, &again)
            }),
        row(
            "a-restart-survives-a-remote-offer",
            "After a remote offer that restarts nothing, the next offer restarts ICE.",
        )
        .of(spec::METHODS, SOURCE)
        .bare(async |stage| {
            let (alice, bob) = stage.connected().await?;
            let before = local(&alice).await;
            alice.connection.restart_ice().await?;
            bob.add_track(Kind::Audio).await?;
            bob.negotiate(&alice).await?;
            credentials_differ(&before, &Sdp::of(&alice.create_offer().await?))
        })
        .not_applicable(ITS_OWN),
        row(
            "a-remote-restart-satisfies",
            "A remote offer that restarts ICE fulfils the restart that was wanted here.",
        )
        .of(spec::METHODS, SOURCE)
        .bare(async |stage| {
            let (alice, bob) = stage.connected().await?;
            alice.connection.restart_ice().await?;
            let offer = bob.create_restart().await?;
            bob.set_local(&offer).await?;
            let answer = alice.answer(&offer).await?;
            bob.set_remote(&answer).await?;
            let next = Sdp::of(&alice.create_offer().await?);
            expect_that(ufrag(&Sdp::of(&answer)) == ufrag(&next), "the next offer restarts ICE again")
        })
        .engine(async |stage| {
            let mut talk = stage.callee().await?;
            talk.offer_and_connect(&stage, &[Kind::Audio, Kind::Video]).await?;
            talk.party.engine.network_changed(None);
            let (_, round) = talk.far.receive_offer().await?;
            talk.party.never_sends(&stage, MessageKind::Offer);
            let crossing = talk.far.peer.create_restart().await?;
            talk.far.peer.set_local(&crossing).await?;
            talk.far.send_offer(&crossing, round)?;
            talk.far.take_answer().await?;
            talk.far.trickle()?;
            talk.far.take_candidates().await
        }),
        row(
            "a-restart-beats-the-option",
            "restartIce restarts ICE even where the offer's option says not to.",
        )
        .of(spec::METHODS, SOURCE)
        .bare(async |stage| {
            let (alice, _bob) = stage.connected().await?;
            let before = local(&alice).await;
            alice.connection.restart_ice().await?;
            let options = rtc::peer_connection::configuration::RTCOfferOptions { ice_restart: false };
            let offer = alice.connection.create_offer(Some(options)).await?;
            credentials_differ(&before, &Sdp::of(&offer))
        })
        .not_applicable(ITS_OWN),
        row(
            "every-offer-until-the-restart-is-applied",
            "Offers that are created but not applied leave the restart to the next one.",
        )
        .of(spec::METHODS, SOURCE)
        .bare(async |stage| {
            let (alice, _bob) = stage.connected().await?;
            let before = local(&alice).await;
            alice.connection.restart_ice().await?;
            alice.create_offer().await?;
            credentials_differ(&before, &Sdp::of(&alice.create_offer().await?))
        })
        .not_applicable(ITS_OWN),
    ]
}

fn connections() -> Vec<Row> {
    vec![
        row(
            "a-restart-offer-that-is-not-applied",
            "Creating an offer that restarts ICE leaves the connection alone, to the end.",
        )
        .of(spec::METHODS, SOURCE)
        .bare(async |stage| {
            let (alice, bob) = stage.connected().await?;
            for peer in [&alice, &bob] {
                stage.never(&peer.log, "connection states", |said| {
                    matches!(said, Said::State(State::Connection(_) | State::Ice(_)))
                });
            }
            alice.create_restart().await.map(|_| ()).map_err(Deviation::from)
        })
        .not_applicable("the engine makes a description and applies it in one step"),
        row(
            "a-restart-keeps-the-connection",
            "A restart that is negotiated leads to a connection again, without a failure.",
        )
        .of(spec::CONNECTION_STATE, "RTCDataChannel-iceRestart.html")
        .bare(async |stage| {
            let (alice, bob) = stage.connected().await?;
            for peer in [&alice, &bob] {
                stage.never(&peer.log, "failures", |said| said.is(ConnectionState::Failed));
            }
            restart(&stage, &alice, &bob).await?;
            stage.pass(std::time::Duration::from_secs(10)).await;
            for peer in [&alice, &bob] {
                peer.expect_state("connection state", ConnectionState::Connected)?;
            }
            Ok(())
        })
        .engine(async |stage| {
            let (caller, callee) = stage.engines().await?;
            caller.engine.network_changed(None);
            stage.pass(std::time::Duration::from_secs(10)).await;
            for party in [&caller, &callee] {
                party.expect_state("connection", ConnectionState::Connected)?;
                party.expect_state("call", CallState::Connected)?;
            }
            Ok(())
        }),
        row("a-restart-after-a-failure", "After failed, a restart leads to connected again.")
            .of(spec::ICE_STATE, "RTCPeerConnection-iceConnectionState.https.html")
            .bare(async |stage| {
                let (alice, bob) = stage.connected().await?;
                stage.link("bob", Link::Down);
                for peer in [&alice, &bob] {
                    stage.until("it fails", || peer.is(ConnectionState::Failed)).await?;
                }
                stage.link("bob", Link::Up);
                restart(&stage, &alice, &bob).await?;
                for peer in [&alice, &bob] {
                    stage.until("connected again", || peer.is(ConnectionState::Connected)).await?;
                }
                Ok(())
            })
            .engine(async |stage| {
                let (caller, callee) = stage.engines().await?;
                stage.link("bob", Link::Down);
                for party in [&caller, &callee] {
                    stage
                        .until("it fails", || {
                            party.states().contains(&ConnectionState::Failed)
                                || party.is(CallState::Reconnecting)
                        })
                        .await?;
                }
                stage.link("bob", Link::Up);
                for party in [&caller, &callee] {
                    stage
                        .until("connected again", || {
                            party.is(CallState::Connected) && party.is(ConnectionState::Connected)
                        })
                        .await?;
                }
                Ok(())
            }),
        row(
            "a-rolled-back-restart-keeps-the-connection",
            "A restart that is rolled back leaves the connection as it was, to the end.",
        )
        .of(spec::SET_DESCRIPTION, SOURCE)
        .bare(async |stage| {
            let (alice, bob) = stage.connected().await?;
            alice.connection.restart_ice().await?;
            alice.offer().await?;
            alice.roll_back().await?;
            for peer in [&alice, &bob] {
                stage.never(&peer.log, "trouble", |said| {
                    said.is(ConnectionState::Disconnected) || said.is(ConnectionState::Failed)
                });
            }
            stage.pass(std::time::Duration::from_secs(10)).await;
            alice.expect_state("connection state", ConnectionState::Connected)
        })
        .engine(async |stage| {
            let (caller, callee) = stage.engines().await?;
            for party in [&caller, &callee] {
                party.engine.network_changed(None);
            }
            stage.pass(std::time::Duration::from_secs(10)).await;
            for party in [&caller, &callee] {
                party.expect_state("call", CallState::Connected)?;
                party.never_enters(&stage, CallState::Reconnecting);
            }
            Ok(())
        }),
        row(
            "another-fingerprint-needs-a-restart",
            "An answer with another fingerprint, without an ICE restart, is refused.",
        )
        .of(spec::PARSING, "protocol/fingerprint-change-requires-ice-restart.html")
        .bare(async |stage| {
            let (alice, bob) = stage.connected().await?;
            alice.add_track(Kind::Audio).await?;
            let answer = Sdp::of(&bob.answer(&alice.offer().await?).await?);
            let wrong = vec!["00"; 32].join(":");
            let changed = answer.with("a=fingerprint:", &format!("a=fingerprint:sha-256 {wrong}"));
            let result = alice.set_remote(&changed.answer()).await;
            expect_that(result.is_err(), "accepted")
        })
        .not_applicable("the engine hands remote descriptions to webrtc as they came"),
    ]
}

/// The engine as a caller, connected, with a change of its network.
async fn restarting(stage: &Stage) -> Result<Talk, Deviation> {
    let mut talk = stage.caller().await?;
    talk.answer_and_connect(stage).await?;
    talk.party.engine.network_changed(None);
    Ok(talk)
}

/// A whole restart, made by `alice`.
async fn restart(stage: &Stage, alice: &Peer, bob: &Peer) -> Shown {
    let (a, b) = (alice.candidates().len(), bob.candidates().len());
    alice.connection.restart_ice().await?;
    let offer: RTCSessionDescription = alice.create_offer().await?;
    alice.set_local(&offer).await?;
    alice.set_remote(&bob.answer(&offer).await?).await?;
    stage.rest().await;
    alice.give_candidates_since(a, bob).await?;
    bob.give_candidates_since(b, alice).await?;
    Ok(())
}

async fn local(peer: &Peer) -> Sdp {
    Sdp::of(&peer.connection.local_description().await.unwrap_or_default())
}

fn ufrag(sdp: &Sdp) -> String {
    sdp.value("a=ice-ufrag:").to_owned()
}

fn credentials_differ(before: &Sdp, after: &Sdp) -> Shown {
    for what in ["a=ice-ufrag:", "a=ice-pwd:"] {
        expect_that(!after.value(what).is_empty(), &format!("no {what}"))?;
        expect_that(before.value(what) != after.value(what), &format!("the same {what}"))?;
    }
    Ok(())
}

/// All sections have one generation.
fn one_generation(sdp: &Sdp, sections: usize) -> Shown {
    let ufrags = sdp.values("a=ice-ufrag:");
    expect("sections with a ufrag", ufrags.len(), sections)?;
    expect_that(ufrags.windows(2).all(|pair| pair[0] == pair[1]), "sections of several generations")
}
