//! Candidates of the other side: which are taken, which are refused, and what they do.

use std::time::Duration;

use call_engine::EngineEvent;
use rtc::peer_connection::transport::RTCIceCandidateInit;
use signaller::{Candidate, Message};
use timeline::{CallState, ConnectionState, MessageKind};

use crate::{
    engine_side::Talk,
    row::{Row, row},
    sdp::Sdp,
    spec,
    stage::{
        Deviation, History as _, Kind, Name, Peer, Shown, Stage, accepted, expect, expect_that, refused,
    },
};

const SOURCE: &str = "RTCPeerConnection-addIceCandidate.html";
const TIMING: &str = "RTCPeerConnection-addIceCandidate-timing.https.html";
const SETUP: &str = "RTCPeerConnection-addIceCandidate-connectionSetup.html";
const TRICKLES: &str = "RTCPeerConnection-canTrickleIceCandidates.html";
const NO_DESCRIPTIONS: &str = "an application does not see the engine's descriptions";

/// One that nobody answers.
const CANDIDATE: &str = "candidate:1 1 udp 2113929471 203.0.113.100 10100 typ host";

pub(super) fn rows() -> Vec<Row> {
    [refusals(), acceptances(), effects(), trickling()].concat()
}

fn refusals() -> Vec<Row> {
    vec![
        row(
            "a-candidate-before-the-description",
            "A candidate without a remote description is an InvalidStateError.",
        )
        .of(spec::METHODS, SOURCE)
        .bare(async |stage| {
            let (alice, _) = stage.pair().await?;
            refused("addIceCandidate", alice.add(candidate()).await, &[Name::InvalidState])
        })
        .engine(async |stage| {
            let mut talk = stage.caller().await?;
            talk.far.send(Message::Candidate(signalled(CANDIDATE)))?;
            stage.rest().await;
            // No application sees the error: the candidate waits.
            let is_held = |event: &EngineEvent| matches!(event, EngineEvent::CandidateHeld { .. });
            expect("candidates held", talk.party.log.count(is_held), 1)?;
            talk.answer_and_connect(&stage).await
        }),
        refused_candidate(
            "a-candidate-of-no-section",
            "A mid that no section has is an OperationError.",
            |init| {
                init.sdp_mid = Some("nowhere".to_owned());
            },
        ),
        refused_candidate(
            "a-candidate-of-a-section-too-far",
            "An m-line index beyond the last section is an OperationError.",
            |init| {
                (init.sdp_mid, init.sdp_mline_index) = (None, Some(2));
            },
        ),
        refused_candidate(
            "a-candidate-of-no-generation",
            "A ufrag that no section has is an OperationError.",
            |init| {
                init.username_fragment = Some("unheardof".to_owned());
            },
        ),
        refused_candidate(
            "a-candidate-that-is-none",
            "A candidate that cannot be parsed is an OperationError.",
            |init| {
                init.candidate = "candidate:no candidate at all".to_owned();
            },
        ),
        row("a-candidate-of-nothing", "A candidate with neither mid nor m-line index is a TypeError.")
            .of(spec::METHODS, SOURCE)
            .bare(async |stage| {
                let alice = described(&stage).await?;
                let init = RTCIceCandidateInit { sdp_mid: None, sdp_mline_index: None, ..candidate() };
                refused("addIceCandidate", alice.add(init).await, &[Name::Type])
            })
            .not_applicable("a signalled candidate without a place belongs to the one bundled transport"),
        row("a-candidate-after-close", "A candidate after close is an InvalidStateError.")
            .of(spec::METHODS, TIMING)
            .bare(async |stage| {
                let alice = described(&stage).await?;
                alice.connection.close().await?;
                refused("addIceCandidate", alice.add(candidate()).await, &[Name::InvalidState])
            })
            .engine(async |stage| {
                let mut talk = stage.caller().await?;
                talk.far.receive_offer().await?;
                talk.party.engine.hang_up();
                talk.far.receive(MessageKind::Bye).await?;
                stage.never(&talk.party.log, "candidates applied", |event| {
                    matches!(event, EngineEvent::CandidateApplied { .. })
                });
                talk.far.send(Message::Candidate(signalled(CANDIDATE)))
            }),
    ]
}

/// A candidate that differs from a good one, and is an `OperationError`.
fn refused_candidate(id: &'static str, says: &'static str, change: fn(&mut RTCIceCandidateInit)) -> Row {
    row(id, says)
        .of(spec::METHODS, SOURCE)
        .bare(async move |stage| {
            let alice = described(&stage).await?;
            let mut init = candidate();
            change(&mut init);
            refused("addIceCandidate", alice.add(init).await, &[Name::Operation])
        })
        .engine(async move |stage| {
            let mut talk = stage.caller().await?;
            let (offer, round) = talk.far.receive_offer().await?;
            talk.far.answer(&offer, round).await?;
            let mut init = candidate();
            change(&mut init);
            let bad = Candidate {
                candidate: init.candidate,
                sdp_mid: init.sdp_mid,
                sdp_mline_index: init.sdp_mline_index,
                username_fragment: init.username_fragment,
            };
            talk.far.send(Message::Candidate(bad))?;
            stage.rest().await;
            expect_not_applied(&talk)?;
            talk.connect(&stage).await
        })
}

fn expect_not_applied(talk: &Talk) -> Shown {
    let applied = talk.party.log.count(|event| matches!(event, EngineEvent::CandidateApplied { .. }));
    expect("bad candidates applied", applied, 0)
}

fn acceptances() -> Vec<Row> {
    vec![
        accepted_candidate(
            "a-candidate-by-mid",
            "A candidate that names its section by mid is accepted.",
            |init| {
                init.sdp_mline_index = None;
            },
        ),
        accepted_candidate(
            "a-candidate-by-index",
            "A candidate that names its section by m-line index is accepted.",
            |init| {
                (init.sdp_mid, init.sdp_mline_index) = (None, Some(0));
            },
        ),
        accepted_candidate(
            "the-mid-wins-over-the-index",
            "With a good mid, a wrong m-line index does no harm.",
            |init| {
                init.sdp_mline_index = Some(7);
            },
        ),
        accepted_candidate(
            "a-candidate-without-a-generation",
            "A candidate without a ufrag is accepted.",
            |init| {
                init.username_fragment = None;
            },
        ),
        accepted_candidate("a-candidate-by-name", "A candidate with an mDNS name is accepted.", |init| {
            init.candidate = "candidate:1 1 udp 2113937151 0f1e2d3c.local 10100 typ host".to_owned();
        }),
        accepted_candidate("a-candidate-over-tcp", "A TCP candidate is accepted.", |init| {
            init.candidate =
                "candidate:2 1 tcp 1518280447 203.0.113.100 9 typ host tcptype active".to_owned();
        }),
        accepted_candidate(
            "an-unknown-extension",
            "A candidate with an extension that nobody knows is accepted.",
            |init| {
                init.candidate.push_str(" generation 0 network-cost 999 x-unknown 1");
            },
        ),
        accepted_candidate(
            "the-end-of-candidates",
            "An empty candidate, the end for its section, is accepted.",
            |init| {
                init.candidate.clear();
            },
        ),
        accepted_candidate(
            "the-end-of-all-candidates",
            "An empty candidate of no section, the end for all, is accepted.",
            |init| {
                *init = RTCIceCandidateInit::default();
            },
        ),
    ]
}

/// A candidate that differs from a usual one, and is as good.
fn accepted_candidate(id: &'static str, says: &'static str, change: fn(&mut RTCIceCandidateInit)) -> Row {
    row(id, says)
        .of(spec::METHODS, SOURCE)
        .bare(async move |stage| {
            let alice = described(&stage).await?;
            let mut init = candidate();
            change(&mut init);
            accepted("addIceCandidate", alice.add(init).await)
        })
        .engine(async move |stage| {
            let mut talk = stage.caller().await?;
            let (offer, round) = talk.far.receive_offer().await?;
            talk.far.answer(&offer, round).await?;
            let mut init = candidate();
            change(&mut init);
            let message = match init.candidate.is_empty() {
                true => Message::EndOfCandidates { sdp_mid: init.sdp_mid, username_fragment: None },
                false => Message::Candidate(Candidate {
                    candidate: init.candidate,
                    sdp_mid: init.sdp_mid,
                    sdp_mline_index: init.sdp_mline_index,
                    username_fragment: None,
                }),
            };
            talk.far.send(message)?;
            stage.rest().await;
            let applied = talk.party.log.count(|event| matches!(event, EngineEvent::CandidateApplied { .. }));
            expect("candidates applied", applied, 1)?;
            talk.connect(&stage).await
        })
}

fn effects() -> Vec<Row> {
    vec![
        row("a-candidate-joins-the-description", "A candidate that was added is in the remote description.")
            .of(spec::METHODS, SOURCE)
            .bare(async |stage| {
                let alice = described(&stage).await?;
                alice.add(candidate()).await?;
                let remote = alice.connection.remote_description().await.unwrap_or_default();
                expect_that(remote.sdp.contains("203.0.113.100"), "the candidate is not in the description")
            })
            .not_applicable(NO_DESCRIPTIONS),
        row(
            "the-end-joins-the-description",
            "The end of candidates that was added is in the remote description.",
        )
        .of(spec::METHODS, SOURCE)
        .bare(async |stage| {
            let alice = described(&stage).await?;
            alice.add(RTCIceCandidateInit { candidate: String::new(), ..candidate() }).await?;
            let remote = alice.connection.remote_description().await.unwrap_or_default();
            let has_end = Sdp::of(&remote).sections().iter().any(|part| part.has("a=end-of-candidates"));
            expect_that(has_end, "the end is not in the description")
        })
        .not_applicable(NO_DESCRIPTIONS),
        row(
            "candidates-in-the-description",
            "Candidates that stand in the descriptions connect, without a single one trickled.",
        )
        .of(spec::METHODS, "RTCPeerConnection-candidate-in-sdp.https.html")
        .bare(async |stage| {
            let (alice, bob) = stage.pair().await?;
            alice.offer().await?;
            bob.answer(&alice.connection.local_description().await.unwrap_or_default()).await?;
            alice.set_remote(&bob.connection.local_description().await.unwrap_or_default()).await?;
            until_connected(&stage, &[&alice, &bob]).await
        })
        .engine(async |stage| {
            let mut talk = stage.caller().await?;
            let (offer, round) = talk.far.receive_offer().await?;
            talk.far.peer.answer(&offer.offer()).await?;
            let answer = talk.far.peer.connection.local_description().await.unwrap_or_default();
            talk.far.send(Message::Answer { sdp: answer.sdp, negotiation: round })?;
            talk.party.until_connected(&stage).await
        }),
        row(
            "one-side-s-candidates-connect",
            "Candidates of one side alone connect: the other side's are learnt from its checks.",
        )
        .of(spec::METHODS, SETUP)
        .bare(async |stage| {
            let (alice, bob) = stage.pair().await?;
            alice.negotiate(&bob).await?;
            alice.give_candidates(&bob).await?;
            until_connected(&stage, &[&alice, &bob]).await
        })
        .engine(async |stage| {
            let mut talk = stage.caller().await?;
            let (offer, round) = talk.far.receive_offer().await?;
            talk.far.answer(&offer, round).await?;
            // The far side tells nothing of its own.
            talk.far.take_candidates().await?;
            talk.party.until_connected(&stage).await
        }),
        row("a-candidate-twice", "A candidate that is added twice does no harm.")
            .of(spec::METHODS, SETUP)
            .bare(async |stage| {
                let (alice, bob) = stage.pair().await?;
                alice.negotiate(&bob).await?;
                alice.give_candidates(&bob).await?;
                alice.give_candidates(&bob).await?;
                stage.connect(&alice, &bob).await
            })
            .engine(async |stage| {
                let mut talk = stage.caller().await?;
                let (offer, round) = talk.far.receive_offer().await?;
                talk.far.answer(&offer, round).await?;
                talk.far.trickle()?;
                talk.connect(&stage).await
            }),
        row(
            "candidates-long-after-the-answer",
            "Candidates that come seconds after the answer still connect.",
        )
        .of(spec::METHODS, TIMING)
        .bare(async |stage| {
            let (alice, bob) = stage.pair().await?;
            alice.negotiate(&bob).await?;
            stage.pass(Duration::from_secs(8)).await;
            stage.connect(&alice, &bob).await
        })
        .engine(async |stage| {
            let mut talk = stage.caller().await?;
            let (offer, round) = talk.far.receive_offer().await?;
            talk.far.answer(&offer, round).await?;
            stage.pass(Duration::from_secs(7)).await;
            talk.connect(&stage).await
        }),
        row(
            "candidates-before-the-answer-is-made",
            "The answerer takes candidates once it has the offer, before it answers.",
        )
        .of(spec::METHODS, TIMING)
        .bare(async |stage| {
            let (alice, bob) = stage.pair().await?;
            bob.set_remote(&alice.offer().await?).await?;
            alice.give_candidates(&bob).await?;
            let answer = bob.create_answer().await?;
            bob.set_local(&answer).await?;
            alice.set_remote(&answer).await?;
            until_connected(&stage, &[&alice, &bob]).await
        })
        .engine(async |stage| {
            let mut talk = stage.callee().await?;
            talk.far.peer.add_track(Kind::Audio).await?;
            let offer = talk.far.peer.offer().await?;
            // They overtake the offer.
            talk.far.trickle()?;
            stage.rest().await;
            talk.far.send_offer(&offer, 1)?;
            talk.far.take_answer().await?;
            talk.party.until_connected(&stage).await
        }),
        row(
            "a-candidate-of-the-generation-before",
            "A candidate of the ICE generation before a restart is an OperationError.",
        )
        .of(spec::METHODS, "RTCPeerConnection-restartIce.https.html")
        .bare(async |stage| {
            let (alice, bob) = stage.connected().await?;
            let old = Sdp::of(&bob.connection.local_description().await.unwrap_or_default());
            let old = old.value("a=ice-ufrag:").to_owned();
            let offer = alice.create_restart().await?;
            alice.set_local(&offer).await?;
            alice.set_remote(&bob.answer(&offer).await?).await?;
            let late = RTCIceCandidateInit { username_fragment: Some(old), ..candidate() };
            refused("addIceCandidate", alice.add(late).await, &[Name::Operation])
        })
        .engine(async |stage| {
            let mut talk = stage.caller().await?;
            talk.answer_and_connect(&stage).await?;
            let late = talk.far.candidates().await;
            talk.party.engine.network_changed(None);
            let (offer, round) = talk.far.receive_offer().await?;
            talk.far.answer(&offer, round).await?;
            stage.never(&talk.party.log, "candidates applied", |event| {
                matches!(event, EngineEvent::CandidateApplied { .. })
            });
            late.into_iter().try_for_each(|late| talk.far.send(Message::Candidate(late)))
        }),
    ]
}

fn trickling() -> Vec<Row> {
    let can_trickle = async |peer: &Peer| peer.connection.can_trickle_ice_candidates().await;
    vec![
        row(
            "can-trickle-is-unknown",
            "Before a remote description it is not known whether the other side trickles.",
        )
        .of(spec::ATTRIBUTES, TRICKLES)
        .bare(async move |stage| {
            let (alice, _) = stage.pair().await?;
            expect("canTrickleIceCandidates", can_trickle(&alice).await, None)
        })
        .not_applicable(NO_DESCRIPTIONS),
        row(
            "can-trickle-with-the-option",
            "A description with ice-options:trickle says that the other side trickles.",
        )
        .of(spec::ATTRIBUTES, TRICKLES)
        .bare(async move |stage| {
            let (alice, bob) = stage.pair().await?;
            let offer = Sdp::of(&alice.offer().await?).without("a=ice-options");
            bob.set_remote(&offer.with("t=", "t=0 0\r\na=ice-options:trickle").offer()).await?;
            expect("canTrickleIceCandidates", can_trickle(&bob).await, Some(true))
        })
        .not_applicable(NO_DESCRIPTIONS),
        row(
            "can-trickle-without-the-option",
            "A description without ice-options:trickle says that the other side does not trickle.",
        )
        .of(spec::ATTRIBUTES, TRICKLES)
        .bare(async move |stage| {
            let (alice, bob) = stage.pair().await?;
            let offer = Sdp::of(&alice.offer().await?).without("a=ice-options");
            bob.set_remote(&offer.offer()).await?;
            expect("canTrickleIceCandidates", can_trickle(&bob).await, Some(false))
        })
        .engine(async |stage| {
            let mut talk = stage.callee().await?;
            talk.far.peer.add_track(Kind::Audio).await?;
            let offer = talk.far.peer.offer().await?;
            let whole = talk.far.peer.connection.local_description().await.unwrap_or(offer);
            let plain = Sdp::of(&whole).without("a=ice-options").offer();
            talk.far.send_offer(&plain, 1)?;
            talk.far.take_answer().await?;
            talk.far.take_candidates().await?;
            talk.party.until_connected(&stage).await?;
            talk.party.expect_state("call", CallState::Connected)
        }),
    ]
}

impl Peer {
    async fn add(&self, init: RTCIceCandidateInit) -> webrtc::error::Result<()> {
        self.connection.add_ice_candidate(init).await
    }
}

/// A peer that has an offer of two sections, with mids 0 and 1.
async fn described(stage: &Stage) -> Result<Peer, Deviation> {
    let (alice, bob) = (stage.peer("alice").await?, stage.peer("bob").await?);
    bob.add_track(Kind::Audio).await?;
    bob.add_track(Kind::Video).await?;
    let offer = bob.offer().await?;
    expect("mids", Sdp::of(&offer).values("a=mid:"), ["0", "1"])?;
    alice.set_remote(&offer).await?;
    Ok(alice)
}

/// A candidate for the first section.
fn candidate() -> RTCIceCandidateInit {
    RTCIceCandidateInit {
        candidate: CANDIDATE.to_owned(),
        sdp_mid: Some("0".to_owned()),
        sdp_mline_index: Some(0),
        ..RTCIceCandidateInit::default()
    }
}

fn signalled(candidate: &str) -> Candidate {
    Candidate { candidate: candidate.to_owned(), sdp_mline_index: Some(0), ..Candidate::default() }
}

async fn until_connected(stage: &Stage, peers: &[&Peer]) -> Shown {
    for peer in peers {
        stage.until("both connect", || peer.is(ConnectionState::Connected)).await?;
    }
    Ok(())
}
