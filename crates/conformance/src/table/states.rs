//! Connection and ICE states, and what they are made of.

use std::time::Duration;

use call_engine::{Machine as StateMachine, Settings};
use signaller::Message;

use crate::{
    engine_side::Party,
    row::{Row, row},
    sdp::Sdp,
    spec,
    stage::{Deviation, Kind, Link, Machine, Peer, Said, Shown, Stage, expect, expect_that},
};

const CONNECTION: &str = "RTCPeerConnection-connectionState.https.html";
const ICE: &str = "RTCPeerConnection-iceConnectionState.https.html";
const DISCONNECTED: &str = "RTCPeerConnection-iceConnectionState-disconnected.https.html";

pub(super) fn rows() -> Vec<Row> {
    [connecting(), losing(), aggregating()].concat()
}

fn connecting() -> Vec<Row> {
    vec![
        row("new-until-negotiated", "Before an answer, connection and ICE state stay new.")
            .of(spec::CONNECTION_STATE, CONNECTION)
            .bare(async |stage| {
                let (alice, _) = stage.pair().await?;
                stage.never(&alice.log, "connection and ICE states", |said| {
                    matches!(said, Said::State(Machine::Connection | Machine::Ice, _))
                });
                alice.offer().await.map(|_| ()).map_err(Deviation::from)
            })
            .engine(async |stage| {
                let mut talk = stage.caller().await?;
                talk.far.receive_offer().await?;
                talk.party.never_moves(&stage, StateMachine::Connection);
                talk.party.never_moves(&stage, StateMachine::Ice);
                Ok(())
            }),
        row("connecting-then-connected", "The connection state goes through connecting to connected.")
            .of(spec::CONNECTION_STATE, CONNECTION)
            .bare(async |stage| {
                let (alice, bob) = stage.connected().await?;
                alice.expect_states(Machine::Connection, &["connecting", "connected"])?;
                bob.expect_states(Machine::Connection, &["connecting", "connected"])
            })
            .engine(async |stage| {
                let (caller, callee) = stage.engines().await?;
                caller.expect_states(StateMachine::Connection, &["connecting", "connected"])?;
                callee.expect_states(StateMachine::Connection, &["connecting", "connected"])
            }),
        row("checking-then-connected", "The ICE connection state goes through checking to connected.")
            .of(spec::ICE_STATE, ICE)
            .bare(async |stage| {
                let (alice, bob) = stage.connected().await?;
                for peer in [&alice, &bob] {
                    let states = peer.states(Machine::Ice);
                    expect(
                        "ICE connection states",
                        states.get(..2).unwrap_or(&states),
                        ["checking", "connected"].as_slice(),
                    )?;
                }
                Ok(())
            })
            .engine(async |stage| {
                let (caller, callee) = stage.engines().await?;
                caller.expect_states(StateMachine::Ice, &["checking", "connected"])?;
                callee.expect_states(StateMachine::Ice, &["checking", "connected"])
            }),
        row(
            "completed-after-the-last-candidate",
            "When the candidates have ended on both sides, ICE is completed.",
        )
        .of(spec::ICE_STATE, ICE)
        .bare(async |stage| {
            let (alice, bob) = stage.connected().await?;
            for peer in [&alice, &bob] {
                let end = rtc::peer_connection::transport::RTCIceCandidateInit::default();
                peer.connection.add_ice_candidate(end).await?;
            }
            stage
                .until("ICE is completed", || {
                    [&alice, &bob].iter().any(|peer| peer.state(Machine::Ice) == "completed")
                })
                .await
        })
        .not_applicable("the engine treats connected and completed alike, and tells what webrtc tells"),
        row(
            "ice-connects-before-the-connection",
            "The connection is connected after ICE is, since DTLS follows it.",
        )
        .of(spec::CONNECTION_STATE, CONNECTION)
        .bare(async |stage| {
            let (alice, bob) = stage.connected().await?;
            for peer in [&alice, &bob] {
                let said = peer.log.all();
                let at = |machine| said.iter().position(|said| said.is(machine, "connected"));
                expect_that(at(Machine::Ice) < at(Machine::Connection), "connected before ICE was")?;
            }
            Ok(())
        })
        .engine(async |stage| {
            let (caller, callee) = stage.engines().await?;
            for party in [&caller, &callee] {
                let at = |machine| position(party, machine, "connected");
                expect_that(
                    at(StateMachine::Ice) < at(StateMachine::Connection),
                    "connected before ICE was",
                )?;
            }
            Ok(())
        }),
        row(
            "a-call-that-connects-never-fails",
            "Without trouble there is no disconnected and no failed, to the end.",
        )
        .of(spec::CONNECTION_STATE, CONNECTION)
        .bare(async |stage| {
            let (alice, bob) = stage.pair().await?;
            for peer in [&alice, &bob] {
                stage.never(&peer.log, "trouble", is_trouble);
            }
            alice.negotiate(&bob).await?;
            stage.connect(&alice, &bob).await
        })
        .engine(async |stage| {
            let (caller, callee) = stage.engines().await?;
            for party in [&caller, &callee] {
                party.never_moves(&stage, StateMachine::Connection);
                party.never_moves(&stage, StateMachine::Ice);
                party.never_enters(&stage, StateMachine::Call, "reconnecting");
            }
            Ok(())
        }),
        row(
            "media-and-data-connect-as-one",
            "Audio, video and data are bundled: one transport, one set of states.",
        )
        .of(spec::CONNECTION_STATE, "RTCPeerConnection-connectionState.https.html")
        .bare(async |stage| {
            let (alice, bob) = stage.pair().await?;
            alice.add_track(Kind::Audio).await?;
            alice.add_track(Kind::Video).await?;
            alice.negotiate(&bob).await?;
            stage.connect(&alice, &bob).await?;
            alice.expect_states(Machine::Connection, &["connecting", "connected"])
        })
        .engine(async |stage| {
            let (caller, _callee) = stage.engines().await?;
            caller.expect_states(StateMachine::Connection, &["connecting", "connected"])
        }),
    ]
}

fn losing() -> Vec<Row> {
    vec![
        row(
            "a-lost-path-disconnects-then-fails",
            "A path that is gone leads to disconnected, then failed, in ICE as in the connection.",
        )
        .of(spec::ICE_STATE, DISCONNECTED)
        .bare(async |stage| {
            let (alice, bob) = stage.connected().await?;
            stage.link("bob", Link::Down);
            for peer in [&alice, &bob] {
                stage.until("the connection fails", || peer.state(Machine::Connection) == "failed").await?;
                stage.rest().await;
                for machine in [Machine::Ice, Machine::Connection] {
                    let states = peer.states(machine);
                    let last = &states[states.len().saturating_sub(3)..];
                    expect("last states", last, ["connected", "disconnected", "failed"].as_slice())?;
                }
            }
            Ok(())
        })
        .engine(async |stage| {
            let (caller, callee) = engines_without_recovery(&stage).await?;
            stage.link("bob", Link::Down);
            for party in [&caller, &callee] {
                stage.until("the call ends", || party.call_is("ended: connection-lost")).await?;
            }
            // The first to see the failure says so, and the other one closes.
            let has_failed = |party: &&Party| {
                let wanted = ["connecting", "connected", "disconnected", "failed"];
                party.states(StateMachine::Connection) == wanted
            };
            let failed = [&caller, &callee].into_iter().filter(has_failed).count();
            expect_that(failed >= 1, "the call ended without a failure of its connection")
        }),
        row(
            "a-short-outage-heals",
            "After an outage of ten seconds the connection is connected again, by itself.",
        )
        .of(spec::CONNECTION_STATE, DISCONNECTED)
        .bare(async |stage| {
            let (alice, bob) = stage.connected().await?;
            stage.never(&alice.log, "failures", |said| said.is(Machine::Connection, "failed"));
            stage.link("bob", Link::Down);
            stage.pass(Duration::from_secs(10)).await;
            stage.link("bob", Link::Up);
            for peer in [&alice, &bob] {
                stage
                    .until("connected again", || {
                        peer.states(Machine::Connection)
                            .ends_with(&["disconnected".to_owned(), "connected".to_owned()])
                    })
                    .await?;
            }
            Ok(())
        })
        .engine(async |stage| {
            let (caller, callee) = engines_without_recovery(&stage).await?;
            stage.link("bob", Link::Down);
            stage.pass(Duration::from_secs(10)).await;
            stage.link("bob", Link::Up);
            let wanted = ["connecting", "connected", "disconnected", "connected"];
            for party in [&caller, &callee] {
                stage.until("connected again", || party.states(StateMachine::Connection) == wanted).await?;
            }
            Ok(())
        }),
        row(
            "no-path-fails",
            "Where no check ever succeeds, ICE and connection fail without having connected.",
        )
        .of(spec::ICE_STATE, ICE)
        .bare(async |stage| {
            let (alice, bob) = stage.pair().await?;
            alice.negotiate(&bob).await?;
            stage.link("bob", Link::Down);
            alice.give_candidates(&bob).await?;
            bob.give_candidates(&alice).await?;
            stage.until("the connection fails", || alice.state(Machine::Connection) == "failed").await?;
            stage.rest().await;
            expect("ICE connection state", alice.state(Machine::Ice).as_str(), "failed")?;
            alice.expect_states(Machine::Connection, &["connecting", "failed"])
        })
        .engine(async |stage| {
            let mut talk = stage.caller_with(without_recovery).await?;
            let (offer, round) = talk.far.receive_offer().await?;
            stage.link("bob", Link::Down);
            talk.far.answer(&offer, round).await?;
            talk.far.trickle()?;
            let party = &talk.party;
            stage.until("the call ends", || party.state(StateMachine::Call).starts_with("ended")).await?;
            expect_that(
                !party.states(StateMachine::Connection).iter().any(|state| state == "connected"),
                "it was connected",
            )
        }),
        row("no-candidates-fail", "Where the other side has no candidates at all, ICE and connection fail.")
            .of(spec::ICE_STATE, ICE)
            .bare(async |stage| {
                let (alice, bob) = stage.pair().await?;
                alice.negotiate(&bob).await?;
                stage.until("the connection fails", || alice.state(Machine::Connection) == "failed").await
            })
            .engine(async |stage| {
                let mut talk = stage.caller_with(without_recovery).await?;
                let (offer, round) = talk.far.receive_offer().await?;
                talk.far.answer(&offer, round).await?;
                let party = &talk.party;
                stage.until("the call ends", || party.state(StateMachine::Call).starts_with("ended")).await
            }),
        row(
            "ice-tells-before-the-connection",
            "When ICE fails, its state is told before that of the connection.",
        )
        .of(spec::ICE_TRANSPORT, "protocol/ice-state.https.html")
        .bare(async |stage| {
            let (alice, _bob) = stage.connected().await?;
            stage.link("bob", Link::Down);
            stage.until("the connection fails", || alice.state(Machine::Connection) == "failed").await?;
            stage.rest().await;
            let said = alice.log.all();
            let at = |machine| said.iter().position(|said| said.is(machine, "failed"));
            expect_that(at(Machine::Ice) < at(Machine::Connection), "the connection's state is told first")
        })
        .not_applicable("an application acts on the state of the call"),
    ]
}

fn aggregating() -> Vec<Row> {
    vec![
        row(
            "a-wrong-fingerprint-fails",
            "A DTLS certificate that does not match the fingerprint makes the connection failed.",
        )
        .of(spec::DTLS_TRANSPORT, "protocol/dtls-fingerprint-validation.html")
        .bare(async |stage| {
            let (alice, bob) = stage.pair().await?;
            let offer = alice.offer().await?;
            let answer = Sdp::of(&bob.answer(&offer).await?);
            alice.set_remote(&wrong_fingerprint(&answer).answer()).await?;
            exchange(&stage, &alice, &bob).await?;
            stage.never(&alice.log, "connected", |said| said.is(Machine::Connection, "connected"));
            stage.until("the connection fails", || alice.state(Machine::Connection) == "failed").await
        })
        .engine(async |stage| {
            let mut talk = stage.caller_with(without_recovery).await?;
            let (offer, round) = talk.far.receive_offer().await?;
            let answer = talk.far.peer.answer(&offer.offer()).await?;
            let sdp = wrong_fingerprint(&Sdp::of(&answer)).text().to_owned();
            talk.far.send(Message::Answer { sdp, negotiation: round })?;
            stage.rest().await;
            talk.far.trickle()?;
            talk.far.take_candidates().await?;
            let party = &talk.party;
            stage.until("the call ends", || party.state(StateMachine::Call).starts_with("ended")).await?;
            expect_that(
                !party.states(StateMachine::Call).contains(&"connected".to_owned()),
                "it was connected",
            )
        }),
        row(
            "a-restart-offer-moves-nothing",
            "A local offer that restarts ICE leaves ICE and connection connected.",
        )
        .of(spec::CONNECTION_STATE, "RTCPeerConnection-restartIce.https.html")
        .bare(async |stage| {
            let (alice, bob) = stage.connected().await?;
            let offer = alice.create_restart().await?;
            let (ice, connection) =
                (alice.states(Machine::Ice).len(), alice.states(Machine::Connection).len());
            alice.set_local(&offer).await?;
            stage.rest().await;
            let _ = bob;
            expect(
                "ICE states that follow",
                alice.states(Machine::Ice).split_off(ice),
                Vec::<String>::new(),
            )?;
            let moved = alice.states(Machine::Connection).split_off(connection);
            expect("connection states that follow", moved, Vec::<String>::new())
        })
        .engine(async |stage| {
            let mut talk = stage.caller().await?;
            talk.answer_and_connect(&stage).await?;
            let before = talk.party.states(StateMachine::Connection).len();
            talk.party.engine.network_changed(None);
            talk.far.receive_offer().await?;
            let moved = talk.party.states(StateMachine::Connection).split_off(before);
            expect("connection states that follow", moved, Vec::<String>::new())
        }),
        row(
            "disconnected-before-failed-in-order",
            "The connection is disconnected before it is failed, never the other way round.",
        )
        .of(spec::CONNECTION_STATE, CONNECTION)
        .bare(async |stage| {
            let (alice, _bob) = stage.connected().await?;
            stage.link("bob", Link::Down);
            stage.until("it fails", || alice.state(Machine::Connection) == "failed").await?;
            stage.never(&alice.log, "disconnected after failed", |said| {
                said.is(Machine::Connection, "disconnected")
            });
            Ok(())
        })
        .engine(async |stage| {
            let (caller, _callee) = engines_without_recovery(&stage).await?;
            stage.link("bob", Link::Down);
            stage.until("the call ends", || caller.call_is("ended: connection-lost")).await?;
            caller.never_moves(&stage, StateMachine::Connection);
            Ok(())
        }),
        row("failed-does-not-heal-by-itself", "What has failed stays failed until ICE is restarted.")
            .of(spec::ICE_STATE, "RTCPeerConnection-iceConnectionState.https.html")
            .bare(async |stage| {
                let (alice, _bob) = stage.connected().await?;
                stage.link("bob", Link::Down);
                stage.until("it fails", || alice.state(Machine::Connection) == "failed").await?;
                stage.rest().await;
                stage.never(&alice.log, "state changes", |said| matches!(said, Said::State(..)));
                stage.link("bob", Link::Up);
                Ok(())
            })
            .not_applicable("the engine restarts ICE by itself, or ends the call"),
    ]
}

fn is_trouble(said: &Said) -> bool {
    matches!(said, Said::State(Machine::Ice | Machine::Connection, state) if state == "disconnected" || state == "failed")
}

fn position(party: &Party, machine: StateMachine, state: &str) -> Option<usize> {
    party.log.all().iter().position(|event| {
        matches!(event, call_engine::EngineEvent::StateChanged { to, .. } if to.machine() == machine && to.as_str() == state)
    })
}

fn without_recovery(settings: &mut Settings) {
    settings.recovery = None;
}

/// Two engines in a call, which the failure of its connection ends.
async fn engines_without_recovery(stage: &Stage) -> Result<(Party, Party), Deviation> {
    stage.engines_with(without_recovery).await
}

fn wrong_fingerprint(sdp: &Sdp) -> Sdp {
    let wrong = vec!["00"; 32].join(":");
    sdp.with("a=fingerprint:", &format!("a=fingerprint:sha-256 {wrong}"))
}

async fn exchange(stage: &Stage, alice: &Peer, bob: &Peer) -> Shown {
    stage.rest().await;
    alice.give_candidates(bob).await?;
    bob.give_candidates(alice).await?;
    Ok(())
}
