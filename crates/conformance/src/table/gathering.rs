//! Candidates of one's own: when they are gathered, and how they are told.

use call_engine::{EngineEvent, IceServer, IceTransportPolicy};
use rtc::peer_connection::configuration::RTCIceServer;
use signaller::{Candidate, Message};
use timeline::{GatheringState, Machine, MessageKind, State};

use crate::{
    engine_side::{Change, Talk},
    row::{Row, row},
    sdp::Sdp,
    spec,
    stage::{
        Deviation, History as _, Kind, Options, Peer, Said, Shown, Stage, expect, expect_moves, expect_that,
    },
};

const STATE: &str = "RTCPeerConnection-iceGatheringState.html";
const EXCHANGE: &str = "protocol/candidate-exchange.https.html";
const NO_DESCRIPTIONS: &str = "an application does not see the engine's descriptions";
/// Where no host is.
const NOBODY: &str = "203.0.113.9:3478";

pub(super) fn rows() -> Vec<Row> {
    [states(), events(), descriptions(), servers()].concat()
}

fn states() -> Vec<Row> {
    vec![
        row("nothing-is-gathered-before-a-description", "Before setLocalDescription nothing is gathered.")
            .of(spec::GATHERING_STATE, STATE)
            .bare(async |stage| {
                let (alice, _) = stage.pair().await?;
                stage.never(&alice.log, "candidates", |said| matches!(said, Said::Candidate(_)));
                alice.create_offer().await?;
                alice.expect_states::<GatheringState>(&[])
            })
            .engine(async |stage| {
                let talk = stage.callee().await?;
                stage.never(&talk.party.log, "candidates", |event| {
                    matches!(event, EngineEvent::CandidateGathered { .. })
                });
                talk.party.expect_states::<GatheringState>(&[])
            }),
        row("gathering-then-complete", "The gathering state goes from new through gathering to complete.")
            .of(spec::GATHERING_STATE, STATE)
            .bare(async |stage| {
                let (alice, _) = stage.pair().await?;
                alice.offer().await?;
                stage.until("gathering is complete", || alice.is(GatheringState::Complete)).await?;
                alice.expect_states(&[GatheringState::Gathering, GatheringState::Complete])
            })
            .engine(async |stage| {
                let talk = stage.caller().await?;
                let party = &talk.party;
                stage.until("gathering is complete", || party.is(GatheringState::Complete)).await?;
                party.expect_states(&[GatheringState::Gathering, GatheringState::Complete])
            }),
        row(
            "an-exchange-without-restart-gathers-nothing",
            "A later exchange without an ICE restart moves no gathering state.",
        )
        .of(spec::GATHERING_STATE, STATE)
        .bare(async |stage| {
            let (alice, bob) = stage.connected().await?;
            for peer in [&alice, &bob] {
                stage.never(&peer.log, "gathering state changes", |said| {
                    matches!(said, Said::State(State::Gathering(_)))
                });
            }
            alice.add_track(Kind::Audio).await?;
            alice.negotiate(&bob).await.map(|_| ()).map_err(Deviation::from)
        })
        .engine(async |stage| {
            let mut talk = stage.callee().await?;
            talk.offer_and_connect(&stage, &[Kind::Audio]).await?;
            // The engine's own offer, for its camera.
            let (offer, round) = talk.far.receive_offer().await?;
            talk.party.never_moves(&stage, Machine::Gathering);
            talk.far.answer(&offer, round).await.map(|_| ())
        }),
        row(
            "a-restart-gathers-again",
            "An ICE restart moves the gathering state to gathering and to complete again.",
        )
        .of(spec::GATHERING_STATE, STATE)
        .bare(async |stage| {
            let (alice, bob) = stage.connected().await?;
            let before = alice.states::<GatheringState>().len();
            let offer = alice.create_restart().await?;
            alice.set_local(&offer).await?;
            alice.set_remote(&bob.answer(&offer).await?).await?;
            stage.rest().await;
            let again = &alice.states()[before..];
            expect_moves("gathering states", again, &[GatheringState::Gathering, GatheringState::Complete])
        })
        .engine(async |stage| {
            let mut talk = stage.caller().await?;
            talk.answer_and_connect(&stage).await?;
            let before = talk.party.log.len();
            talk.party.engine.network_changed(None);
            let (offer, round) = talk.far.receive_offer().await?;
            talk.far.answer(&offer, round).await?;
            talk.far.receive(MessageKind::EndOfCandidates).await?;
            let gathered = talk.party.log.since(before);
            let gathered =
                gathered.iter().any(|event| matches!(event, EngineEvent::CandidateGathered { .. }));
            expect_that(gathered, "the restart gathers no candidate")
        }),
    ]
}

fn events() -> Vec<Row> {
    vec![
        told(
            "a-candidate-tells-its-mid",
            "A gathered candidate names the mid of its section.",
            |init, sdp| expect("sdpMid", init.sdp_mid.as_deref(), Some(sdp.value("a=mid:"))),
        ),
        told(
            "a-candidate-tells-its-index",
            "A gathered candidate names the index of its section.",
            |init, _| expect("sdpMLineIndex", init.sdp_mline_index, Some(0)),
        ),
        told(
            "a-candidate-tells-its-generation",
            "A gathered candidate names the ufrag of its generation.",
            |init, sdp| {
                expect_that(
                    init.username_fragment.as_deref() == Some(sdp.value("a=ice-ufrag:")),
                    "the usernameFragment is not that of the description",
                )
            },
        ),
        told(
            "a-candidate-has-its-grammar",
            "A gathered candidate begins with candidate: and says its type.",
            |init, _| {
                expect("prefix", init.candidate.split(':').next(), Some("candidate"))?;
                expect_that(init.candidate.contains(" typ host"), "it says no type")
            },
        ),
        row("each-candidate-once", "Each candidate is told once.")
            .of(spec::CANDIDATE_EVENT, EXCHANGE)
            .bare(async |stage| {
                let (alice, _) = stage.pair().await?;
                stage.exactly(1, &alice.log, "host candidates", |said| matches!(said, Said::Candidate(_)));
                alice.offer().await.map(|_| ()).map_err(Deviation::from)
            })
            .engine(async |stage| {
                let talk = stage.caller().await?;
                expect("candidates sent", talk.party.sent(MessageKind::Candidate), 1)
            }),
        row("the-end-is-told", "After the last candidate an empty one, or none, tells the end.")
            .of(spec::TRICKLE, EXCHANGE)
            .bare(async |stage| {
                let (alice, _) = stage.pair().await?;
                alice.offer().await?;
                let is_end = |said: &Said| matches!(said, Said::Candidate(init) if init.candidate.is_empty());
                stage.exactly(1, &alice.log, "empty candidates", is_end);
                Ok(())
            })
            .engine(async |stage| {
                let mut talk = stage.caller().await?;
                stage.exactly(0, &talk.party.log, "further ends of candidates", |event| {
                    matches!(event, EngineEvent::MessageSent { kind: MessageKind::EndOfCandidates, .. })
                });
                talk.far.receive(MessageKind::EndOfCandidates).await.map(|_| ())
            }),
        row("candidates-before-complete", "Every candidate is told before the gathering is complete.")
            .of(spec::CANDIDATE_EVENT, STATE)
            .bare(async |stage| {
                let (alice, _) = stage.pair().await?;
                alice.offer().await?;
                stage.until("gathering is complete", || alice.is(GatheringState::Complete)).await?;
                stage.never(&alice.log, "candidates after complete", |said| {
                    matches!(said, Said::Candidate(_))
                });
                Ok(())
            })
            .engine(async |stage| {
                let mut talk = stage.caller().await?;
                talk.far.receive(MessageKind::EndOfCandidates).await?;
                talk.party.never_sends(&stage, MessageKind::Candidate);
                Ok(())
            }),
    ]
}

/// Something that a gathered candidate tells.
fn told(id: &'static str, says: &'static str, holds: fn(&Candidate, &Sdp) -> Shown) -> Row {
    row(id, says)
        .of(spec::CANDIDATE, EXCHANGE)
        .bare(async move |stage| {
            let (alice, _) = stage.pair().await?;
            let offer = alice.offer().await?;
            let candidates = alice.candidates();
            let Some(init) = candidates.first() else { return Err(Deviation::new("no candidate")) };
            let candidate = Candidate {
                candidate: init.candidate.clone(),
                sdp_mid: init.sdp_mid.clone(),
                sdp_mline_index: init.sdp_mline_index,
                username_fragment: init.username_fragment.clone(),
            };
            holds(&candidate, &Sdp::of(&offer))
        })
        .engine(async move |stage| {
            let mut talk = stage.caller().await?;
            let (offer, _) = talk.far.receive_offer().await?;
            match talk.far.receive(MessageKind::Candidate).await? {
                Message::Candidate(candidate) => holds(&candidate, &offer),
                _ => Err(Deviation::new("no candidate")),
            }
        })
}

fn descriptions() -> Vec<Row> {
    let gathered = async |stage: &Stage| -> Result<Sdp, Deviation> {
        let (alice, _) = stage.pair().await?;
        alice.offer().await?;
        stage.until("gathering is complete", || alice.is(GatheringState::Complete)).await?;
        Ok(Sdp::of(&alice.connection.local_description().await.unwrap_or_default()))
    };
    vec![
        row(
            "gathered-candidates-join-the-description",
            "The local description lists each gathered candidate once.",
        )
        .of(spec::ATTRIBUTES, STATE)
        .bare(async move |stage| {
            let local = gathered(&stage).await?;
            expect("a=candidate lines", local.values("a=candidate:").len(), 1)
        })
        .not_applicable(NO_DESCRIPTIONS),
        row(
            "the-gathered-end-joins-the-description",
            "The local description of a complete gathering has end-of-candidates.",
        )
        .of(spec::TRICKLE, STATE)
        .bare(async move |stage| {
            let local = gathered(&stage).await?;
            expect_that(local.has("a=end-of-candidates"), "there is no a=end-of-candidates")
        })
        .not_applicable(NO_DESCRIPTIONS),
        row(
            "no-candidate-in-the-offer",
            "An offer that was just made has no candidates: none is gathered yet.",
        )
        .of(spec::INITIAL_OFFER, "RTCPeerConnection-createOffer.html")
        .bare(async |stage| {
            let (alice, _) = stage.pair().await?;
            let offer = Sdp::of(&alice.create_offer().await?);
            expect("a=candidate lines", offer.values("a=candidate:").len(), 0)
        })
        .engine(async |stage| {
            let mut talk = stage.caller().await?;
            let (offer, _) = talk.far.receive_offer().await?;
            expect("a=candidate lines", offer.values("a=candidate:").len(), 0)
        }),
    ]
}

fn servers() -> Vec<Row> {
    let dead = |kind: &str| RTCIceServer {
        urls: vec![format!("{kind}:{NOBODY}")],
        username: "user".to_owned(),
        credential: "password".to_owned(),
    };
    let with = move |kind: &'static str| Options { servers: vec![dead(kind)], ..Options::default() };
    let error = "RTCPeerConnection-onicecandidateerror.https.html";
    vec![
        row(
            "a-dead-stun-server-ends",
            "Gathering is complete in spite of a STUN server that does not answer.",
        )
        .of(spec::GATHERING_STATE, STATE)
        .bare(async move |stage| completes(&stage, with("stun")).await)
        .engine(async |stage| engine_ends_gathering(&stage, |settings| dead_server(settings, "stun")).await),
        row(
            "a-dead-turn-server-ends",
            "Gathering is complete in spite of a TURN server that does not answer.",
        )
        .of(spec::GATHERING_STATE, STATE)
        .bare(async move |stage| completes(&stage, with("turn")).await)
        .engine(async |stage| {
            // Nothing waits for the gathering: the call connects meanwhile.
            let mut talk = stage.caller_with(|settings| dead_server(settings, "turn")).await?;
            talk.answer_and_connect(&stage).await
        }),
        row("a-dead-stun-server-is-told", "A STUN server that does not answer fires icecandidateerror.")
            .of(spec::CANDIDATE_ERROR, error)
            .bare(async move |stage| tells_error(&stage, with("stun")).await)
            .engine(async |stage| engine_tells_error(&stage, |settings| dead_server(settings, "stun")).await),
        row(
            "candidates-are-told-as-they-are-found",
            "A candidate is told when it is found, while others are still gathered.",
        )
        .of(spec::CANDIDATE_EVENT, EXCHANGE)
        .bare(async move |stage| {
            let alice = offering(&stage, with("stun")).await?;
            expect("candidates at once", alice.candidates().len(), 1)?;
            expect_that(!alice.is(GatheringState::Complete), "the gathering is complete already")
        })
        .engine(async |stage| {
            let mut talk = stage.caller_with(|settings| dead_server(settings, "stun")).await?;
            talk.far.receive(MessageKind::Candidate).await?;
            expect_that(!talk.party.is(GatheringState::Complete), "the gathering is complete already")
        }),
        row("a-dead-turn-server-is-told", "A TURN server that does not answer fires icecandidateerror.")
            .of(spec::CANDIDATE_ERROR, error)
            .bare(async move |stage| tells_error(&stage, with("turn")).await)
            .engine(async |stage| engine_tells_error(&stage, |settings| dead_server(settings, "turn")).await),
        row("relay-only-tells-no-host", "With the policy relay, no host candidate is told.")
            .of(spec::ICE_POLICY, "RTCConfiguration-iceTransportPolicy.html")
            .bare(async move |stage| {
                let alice = offering(&stage, Options { relay_only: true, ..with("turn") }).await?;
                stage.never(&alice.log, "candidates", |said| matches!(said, Said::Candidate(_)));
                expect("candidates", alice.candidates().len(), 0)
            })
            .engine(async |stage| {
                let change: Change = |settings| {
                    dead_server(settings, "turn");
                    settings.peer.constraints.ice_transport_policy = IceTransportPolicy::Relay;
                };
                let talk = stage.caller_with(change).await?;
                talk.party.never_sends(&stage, MessageKind::Candidate);
                expect("candidates", talk.party.sent(MessageKind::Candidate), 0)
            }),
    ]
}

fn dead_server(settings: &mut call_engine::Settings, kind: &str) {
    settings.peer.constraints.ice_servers = vec![IceServer {
        urls: vec![format!("{kind}:{NOBODY}")],
        username: "user".to_owned(),
        credential: "password".to_owned(),
    }];
}

async fn offering(stage: &Stage, options: Options) -> Result<Peer, Deviation> {
    let alice = stage.peer_with("alice", options).await?;
    alice.channel("first").await?;
    alice.offer().await?;
    Ok(alice)
}

async fn completes(stage: &Stage, options: Options) -> Shown {
    let alice = offering(stage, options).await?;
    stage.until("gathering is complete", || alice.is(GatheringState::Complete)).await
}

async fn tells_error(stage: &Stage, options: Options) -> Shown {
    let alice = offering(stage, options).await?;
    stage.until("icecandidateerror", || alice.log.any(|said| matches!(said, Said::CandidateError))).await
}

async fn engine_ends_gathering(stage: &Stage, change: Change) -> Shown {
    let Talk { mut far, party: _ } = stage.caller_with(change).await?;
    far.receive(MessageKind::EndOfCandidates).await.map(|_| ())
}

async fn engine_tells_error(stage: &Stage, change: Change) -> Shown {
    let mut talk = stage.caller_with(change).await?;
    talk.answer_and_connect(stage).await?;
    let log = &talk.party.log;
    stage
        .until("a candidate error", || log.any(|event| matches!(event, EngineEvent::CandidateError { .. })))
        .await
}
