//! Connection and ICE states, and what they are made of.

use std::time::Duration;

use call_engine::Settings;
use signaller::Message;
use timeline::{CallState, ConnectionState, EndReason, IceState, Machine, State};

use crate::{
    engine_side::Party,
    row::{Row, row},
    sdp::Sdp,
    spec,
    stage::{Deviation, History as _, Kind, Link, Peer, Said, Shown, Stage, expect_moves, expect_that},
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
                    matches!(said, Said::State(State::Connection(_) | State::Ice(_)))
                });
                alice.offer().await.map(|_| ()).map_err(Deviation::from)
            })
            .engine(async |stage| {
                let mut talk = stage.caller().await?;
                talk.far.receive_offer().await?;
                talk.party.never_moves(&stage, Machine::Connection);
                talk.party.never_moves(&stage, Machine::Ice);
                Ok(())
            }),
        row("connecting-then-connected", "The connection state goes through connecting to connected.")
            .of(spec::CONNECTION_STATE, CONNECTION)
            .bare(async |stage| {
                let (alice, bob) = stage.connected().await?;
                alice.expect_states(&[ConnectionState::Connecting, ConnectionState::Connected])?;
                bob.expect_states(&[ConnectionState::Connecting, ConnectionState::Connected])
            })
            .engine(async |stage| {
                let (caller, callee) = stage.engines().await?;
                caller.expect_states(&[ConnectionState::Connecting, ConnectionState::Connected])?;
                callee.expect_states(&[ConnectionState::Connecting, ConnectionState::Connected])
            }),
        row("checking-then-connected", "The ICE connection state goes through checking to connected.")
            .of(spec::ICE_STATE, ICE)
            .bare(async |stage| {
                let (alice, bob) = stage.connected().await?;
                for peer in [&alice, &bob] {
                    let states = peer.states();
                    let first = states.get(..2).unwrap_or(&states);
                    expect_moves("ICE connection states", first, &[IceState::Checking, IceState::Connected])?;
                }
                Ok(())
            })
            .engine(async |stage| {
                let (caller, callee) = stage.engines().await?;
                caller.expect_states(&[IceState::Checking, IceState::Connected])?;
                callee.expect_states(&[IceState::Checking, IceState::Connected])
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
                .until("ICE is completed", || [&alice, &bob].iter().any(|peer| peer.is(IceState::Completed)))
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
                let ice = said.iter().position(|said| said.is(IceState::Connected));
                let connection = said.iter().position(|said| said.is(ConnectionState::Connected));
                expect_that(ice < connection, "connected before ICE was")?;
            }
            Ok(())
        })
        .engine(async |stage| {
            let (caller, callee) = stage.engines().await?;
            for party in [&caller, &callee] {
                let entered = party.entered();
                let at = |wanted| entered.iter().position(|state| *state == wanted);
                let connection = at(State::Connection(ConnectionState::Connected));
                expect_that(at(State::Ice(IceState::Connected)) < connection, "connected before ICE was")?;
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
                party.never_moves(&stage, Machine::Connection);
                party.never_moves(&stage, Machine::Ice);
                party.never_enters(&stage, CallState::Reconnecting);
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
            alice.expect_states(&[ConnectionState::Connecting, ConnectionState::Connected])
        })
        .engine(async |stage| {
            let (caller, _callee) = stage.engines().await?;
            caller.expect_states(&[ConnectionState::Connecting, ConnectionState::Connected])
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
                stage.until("the connection fails", || peer.is(ConnectionState::Failed)).await?;
                stage.rest().await;
                {
                    use IceState::{Connected, Disconnected, Failed};
                    let states = peer.states();
                    let last = &states[states.len().saturating_sub(3)..];
                    expect_moves("last states", last, &[Connected, Disconnected, Failed])?;
                }
                use ConnectionState::{Connected, Disconnected, Failed};
                let states = peer.states();
                let last = &states[states.len().saturating_sub(3)..];
                expect_moves("last states", last, &[Connected, Disconnected, Failed])?;
            }
            Ok(())
        })
        .engine(async |stage| {
            let (caller, callee) = engines_without_recovery(&stage).await?;
            stage.link("bob", Link::Down);
            for party in [&caller, &callee] {
                stage
                    .until("the call ends", || party.is(CallState::Ended(EndReason::ConnectionLost)))
                    .await?;
            }
            // The first to see the failure says so, and the other one closes.
            let has_failed = |party: &&Party| {
                use ConnectionState::{Connected, Connecting, Disconnected, Failed};
                party.states::<ConnectionState>() == [Connecting, Connected, Disconnected, Failed]
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
            stage.never(&alice.log, "failures", |said| said.is(ConnectionState::Failed));
            stage.link("bob", Link::Down);
            stage.pass(Duration::from_secs(10)).await;
            stage.link("bob", Link::Up);
            for peer in [&alice, &bob] {
                stage
                    .until("connected again", || {
                        peer.states().ends_with(&[ConnectionState::Disconnected, ConnectionState::Connected])
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
            use ConnectionState::{Connected, Connecting, Disconnected};
            let wanted = [Connecting, Connected, Disconnected, Connected];
            for party in [&caller, &callee] {
                stage.until("connected again", || party.states::<ConnectionState>() == wanted).await?;
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
            stage.until("the connection fails", || alice.is(ConnectionState::Failed)).await?;
            stage.rest().await;
            alice.expect_state("ICE connection state", IceState::Failed)?;
            alice.expect_states(&[ConnectionState::Connecting, ConnectionState::Failed])
        })
        .engine(async |stage| {
            let mut talk = stage.caller_with(without_recovery).await?;
            let (offer, round) = talk.far.receive_offer().await?;
            stage.link("bob", Link::Down);
            talk.far.answer(&offer, round).await?;
            talk.far.trickle()?;
            let party = &talk.party;
            stage.until("the call ends", || party.call_has_ended()).await?;
            expect_that(!party.states().contains(&ConnectionState::Connected), "it was connected")
        }),
        row("no-candidates-fail", "Where the other side has no candidates at all, ICE and connection fail.")
            .of(spec::ICE_STATE, ICE)
            .bare(async |stage| {
                let (alice, bob) = stage.pair().await?;
                alice.negotiate(&bob).await?;
                stage.until("the connection fails", || alice.is(ConnectionState::Failed)).await
            })
            .engine(async |stage| {
                let mut talk = stage.caller_with(without_recovery).await?;
                let (offer, round) = talk.far.receive_offer().await?;
                talk.far.answer(&offer, round).await?;
                let party = &talk.party;
                stage.until("the call ends", || party.call_has_ended()).await
            }),
        row(
            "ice-tells-before-the-connection",
            "When ICE fails, its state is told before that of the connection.",
        )
        .of(spec::ICE_TRANSPORT, "protocol/ice-state.https.html")
        .bare(async |stage| {
            let (alice, _bob) = stage.connected().await?;
            stage.link("bob", Link::Down);
            stage.until("the connection fails", || alice.is(ConnectionState::Failed)).await?;
            stage.rest().await;
            let said = alice.log.all();
            let ice = said.iter().position(|said| said.is(IceState::Failed));
            let connection = said.iter().position(|said| said.is(ConnectionState::Failed));
            expect_that(ice < connection, "the connection's state is told first")
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
            stage.never(&alice.log, "connected", |said| said.is(ConnectionState::Connected));
            stage.until("the connection fails", || alice.is(ConnectionState::Failed)).await
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
            stage.until("the call ends", || party.call_has_ended()).await?;
            expect_that(!party.states().contains(&CallState::Connected), "it was connected")
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
                (alice.states::<IceState>().len(), alice.states::<ConnectionState>().len());
            alice.set_local(&offer).await?;
            stage.rest().await;
            let _ = bob;
            expect_moves("ICE states that follow", &alice.states::<IceState>()[ice..], &[])?;
            let moved = &alice.states::<ConnectionState>()[connection..];
            expect_moves("connection states that follow", moved, &[])
        })
        .engine(async |stage| {
            let mut talk = stage.caller().await?;
            talk.answer_and_connect(&stage).await?;
            let before = talk.party.states::<ConnectionState>().len();
            talk.party.engine.network_changed(None);
            talk.far.receive_offer().await?;
            let moved = &talk.party.states::<ConnectionState>()[before..];
            expect_moves("connection states that follow", moved, &[])
        }),
        row(
            "disconnected-before-failed-in-order",
            "The connection is disconnected before it is failed, never the other way round.",
        )
        .of(spec::CONNECTION_STATE, CONNECTION)
        .bare(async |stage| {
            let (alice, _bob) = stage.connected().await?;
            stage.link("bob", Link::Down);
            stage.until("it fails", || alice.is(ConnectionState::Failed)).await?;
            stage.never(&alice.log, "disconnected after failed", |said| {
                said.is(ConnectionState::Disconnected)
            });
            Ok(())
        })
        .engine(async |stage| {
            let (caller, _callee) = engines_without_recovery(&stage).await?;
            stage.link("bob", Link::Down);
            stage.until("the call ends", || caller.is(CallState::Ended(EndReason::ConnectionLost))).await?;
            caller.never_moves(&stage, Machine::Connection);
            Ok(())
        }),
        row("failed-does-not-heal-by-itself", "What has failed stays failed until ICE is restarted.")
            .of(spec::ICE_STATE, "RTCPeerConnection-iceConnectionState.https.html")
            .bare(async |stage| {
                let (alice, _bob) = stage.connected().await?;
                stage.link("bob", Link::Down);
                stage.until("it fails", || alice.is(ConnectionState::Failed)).await?;
                stage.rest().await;
                stage.never(&alice.log, "state changes", |said| matches!(said, Said::State(..)));
                stage.link("bob", Link::Up);
                Ok(())
            })
            .not_applicable("the engine restarts ICE by itself, or ends the call"),
    ]
}

fn is_trouble(said: &Said) -> bool {
    use ConnectionState as Connection;
    matches!(
        said,
        Said::State(
            State::Ice(IceState::Disconnected | IceState::Failed)
                | State::Connection(Connection::Disconnected | Connection::Failed)
        )
    )
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
