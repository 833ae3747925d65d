//! Perfect negotiation: what the pattern of webrtc-pc §10.7 needs.

use signaller::Message;
use timeline::{CallState, ConnectionState, MessageKind, SignalingState};

use super::signaling::glare_at_polite;
use crate::{
    row::{Row, row},
    sdp::Sdp,
    spec,
    stage::{Deviation, History as _, Kind, Name, accepted, expect, expect_that, refused},
};

const SOURCE: &str = "RTCPeerConnection-perfect-negotiation.https.html";

pub(super) fn rows() -> Vec<Row> {
    vec![
        row(
            "the-polite-peer-yields",
            "The polite peer applies an offer that crosses its own, and answers it.",
        )
        .of(spec::PERFECT_NEGOTIATION, SOURCE)
        .bare(async |stage| {
            let (polite, impolite) = stage.pair().await?;
            impolite.channel("its own").await?;
            polite.offer().await?;
            let crossing = impolite.offer().await?;
            let answer = accepted("answering the offer", polite.answer(&crossing).await)?;
            impolite.set_remote(&answer).await?;
            stage.connect(&polite, &impolite).await
        })
        .engine(glare_at_polite),
        row(
            "the-impolite-peer-ignores",
            "The impolite peer leaves the crossing offer alone, and its own is answered.",
        )
        .of(spec::PERFECT_NEGOTIATION, SOURCE)
        .bare(async |stage| {
            let (impolite, polite) = stage.pair().await?;
            polite.channel("its own").await?;
            let offer = impolite.offer().await?;
            polite.offer().await?;
            // The polite peer's part, made explicit.
            polite.roll_back().await?;
            impolite.set_remote(&polite.answer(&offer).await?).await?;
            impolite.expect_states(&[SignalingState::HaveLocalOffer, SignalingState::Stable])?;
            stage.connect(&impolite, &polite).await
        })
        .engine(async |stage| {
            let mut talk = stage.caller().await?;
            let (offer, round) = talk.far.receive_offer().await?;
            talk.far.peer.add_track(Kind::Audio).await?;
            talk.party.never_sends(&stage, MessageKind::Answer);
            talk.far.offer(round).await?;
            stage.rest().await;
            expect_that(talk.party.has_problem("crosses ours"), "the offer is not reported as ignored")?;
            talk.far.peer.roll_back().await?;
            talk.far.answer(&offer, round).await?;
            talk.party.expect_states(&[SignalingState::HaveLocalOffer, SignalingState::Stable])?;
            talk.connect(&stage).await
        }),
        row("candidates-of-an-ignored-offer", "Candidates of an offer that was ignored do no harm.")
            .of(spec::PERFECT_NEGOTIATION, SOURCE)
            .bare(async |stage| {
                let (impolite, polite) = stage.pair().await?;
                polite.channel("its own").await?;
                let offer = impolite.offer().await?;
                polite.offer().await?;
                for candidate in polite.candidates() {
                    let result = impolite.connection.add_ice_candidate(candidate).await;
                    refused("a candidate of the ignored offer", result, &[Name::InvalidState])?;
                }
                polite.roll_back().await?;
                impolite.set_remote(&polite.answer(&offer).await?).await?;
                stage.connect(&impolite, &polite).await
            })
            .engine(async |stage| {
                let mut talk = stage.caller().await?;
                let (offer, round) = talk.far.receive_offer().await?;
                talk.far.peer.add_track(Kind::Audio).await?;
                talk.far.offer(round).await?;
                for candidate in talk.far.candidates().await {
                    talk.far.send(Message::Candidate(candidate))?;
                }
                stage.rest().await;
                talk.far.peer.roll_back().await?;
                talk.far.answer(&offer, round).await?;
                talk.connect(&stage).await
            }),
        row(
            "the-polite-peer-offers-again",
            "After yielding, negotiationneeded fires for what the polite peer had to offer.",
        )
        .of(spec::PERFECT_NEGOTIATION, SOURCE)
        .bare(async |stage| {
            let (polite, impolite) = stage.pair().await?;
            impolite.add_track(Kind::Audio).await?;
            polite.offer().await?;
            let crossing = impolite.offer().await?;
            polite.roll_back().await?;
            let before = polite.needed();
            impolite.set_remote(&polite.answer(&crossing).await?).await?;
            stage.until("negotiationneeded after yielding", || polite.needed() > before).await
        })
        .engine(async |stage| {
            let mut talk = stage.callee().await?;
            talk.offer_and_connect(&stage, &[Kind::Audio, Kind::Video]).await?;
            talk.party.engine.network_changed(None);
            let (_, round) = talk.far.receive_offer().await?;
            talk.far.peer.add_track(Kind::Video).await?;
            talk.far.offer(round).await?;
            talk.far.take_answer().await?;
            let (_, again) = talk.far.receive_offer().await?;
            expect("round of the offer that follows", again, round + 1)
        }),
        row(
            "crossing-offers-end-in-one-session",
            "Two offers that cross lead to one exchange, with both sides in stable and connected.",
        )
        .of(spec::PERFECT_NEGOTIATION, SOURCE)
        .bare(async |stage| {
            let (polite, impolite) = stage.pair().await?;
            impolite.channel("its own").await?;
            let (one, other) = (polite.offer().await?, impolite.offer().await?);
            // The impolite peer ignores the first.
            expect_that(one.sdp != other.sdp, "both made the same offer")?;
            let answer = accepted("the polite peer's answer", polite.answer(&other).await)?;
            impolite.set_remote(&answer).await?;
            for peer in [&polite, &impolite] {
                peer.expect_state("signaling state", SignalingState::Stable)?;
            }
            stage.connect(&polite, &impolite).await
        })
        .engine(async |stage| {
            let (caller, callee) = stage.engines().await?;
            for party in [&caller, &callee] {
                party.engine.network_changed(None);
            }
            stage.pass(std::time::Duration::from_secs(10)).await;
            for party in [&caller, &callee] {
                party.expect_state("signaling", SignalingState::Stable)?;
                party.expect_state("call", CallState::Connected)?;
                party.expect_state("connection", ConnectionState::Connected)?;
            }
            Ok(())
        }),
        row(
            "sections-keep-their-order-after-glare",
            "After glare the sections of the winning offer keep their places; the loser's come behind them.",
        )
        .of(spec::SUBSEQUENT_OFFER, SOURCE)
        .bare(async |stage| {
            let (polite, impolite) = (stage.peer("alice").await?, stage.peer("bob").await?);
            polite.add_track(Kind::Video).await?;
            impolite.add_track(Kind::Audio).await?;
            polite.offer().await?;
            let crossing = impolite.offer().await?;
            polite.roll_back().await?;
            impolite.set_remote(&polite.answer(&crossing).await?).await?;
            let again = Sdp::of(&polite.create_offer().await?);
            kinds_are(&again, &["audio", "video"])
        })
        .engine(async |stage| {
            let mut talk = stage.callee().await?;
            talk.offer_and_connect(&stage, &[Kind::Audio]).await?;
            let (second, _) = talk.far.receive_offer().await?;
            kinds_are(&second, &["audio", "video"])
        }),
    ]
}

fn kinds_are(sdp: &Sdp, wanted: &[&str]) -> Result<(), Deviation> {
    let kinds: Vec<&str> = sdp.values("m=").iter().filter_map(|media| media.split(' ').next()).collect();
    expect("sections", kinds, wanted)
}
