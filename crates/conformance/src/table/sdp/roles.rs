//! Which side of the DTLS association an answer claims: the one that the first exchange has settled.

use signaller::Message;

use crate::{
    engine_side::Talk,
    row::{Row, row},
    sdp::Sdp,
    spec,
    stage::{Deviation, Kind, Options, Shown, Stage, expect},
};

const SOURCE: &str = "RTCDtlsTransport-state.html";

pub(super) fn rows() -> Vec<Row> {
    vec![
        row(
            "a-later-answer-of-the-offerer-stays-passive",
            "Who offered first and was answered with setup:active says setup:passive in a later answer.",
        )
        .of(spec::DTLS_ROLE, SOURCE)
        .bare(async |stage| {
            let (alice, bob) = stage.connected().await?;
            let (_, answer) = bob.negotiate(&alice).await?;
            says(&answer, "passive")
        })
        .engine(async |stage| {
            let mut talk = stage.caller().await?;
            talk.answer_and_connect(&stage).await?;
            later_answer_says(&mut talk, 2, "passive").await
        }),
        row(
            "a-later-answer-of-the-offerer-stays-active",
            "Who offered first and was answered with setup:passive says setup:active in a later answer.",
        )
        .of(spec::DTLS_ROLE, SOURCE)
        .bare(async |stage| {
            let alice = stage.peer("alice").await?;
            alice.channel("first").await?;
            let bob = stage.peer_with("bob", AS_SERVER).await?;
            let (_, first) = alice.negotiate(&bob).await?;
            says(&first, "passive")?;
            stage.connect(&alice, &bob).await?;
            let (_, answer) = bob.negotiate(&alice).await?;
            says(&answer, "active")
        })
        .engine(async |stage| {
            let mut talk = stage.caller().await?;
            talk.far.peer = stage.peer_with("bob", AS_SERVER).await?;
            talk.answer_and_connect(&stage).await?;
            later_answer_says(&mut talk, 2, "active").await
        }),
        row(
            "a-later-answer-of-the-answerer-stays-active",
            "Who answered setup:active says so in a later answer.",
        )
        .of(spec::DTLS_ROLE, SOURCE)
        .bare(async |stage| {
            let (alice, bob) = stage.connected().await?;
            let (_, answer) = alice.negotiate(&bob).await?;
            says(&answer, "active")
        })
        .engine(async |stage| {
            let mut talk = stage.callee().await?;
            let first = talk.offer_and_connect(&stage, &[Kind::Audio, Kind::Video]).await?;
            says(&first, "active")?;
            later_answer_says(&mut talk, 2, "active").await
        }),
        row(
            "a-later-answer-of-the-answerer-stays-passive",
            "Who answered setup:passive, to an offer with setup:active, says so in a later answer.",
        )
        .of(spec::DTLS_ROLE, SOURCE)
        .bare(async |stage| {
            let (alice, bob) = stage.pair().await?;
            let offer = active(&Sdp::of(&alice.offer().await?));
            says(&Sdp::of(&bob.answer(&offer.offer()).await?), "passive")
        })
        .engine(async |stage| {
            let mut talk = passive_callee(&stage).await?;
            later_answer_says(&mut talk, 2, "passive").await
        }),
        row(
            "an-answer-after-glare-keeps-the-role",
            "The polite peer, which takes its offer back and answers, says the role that was settled before.",
        )
        .of(spec::DTLS_ROLE, SOURCE)
        .bare(async |stage| {
            let (polite, impolite) = stage.connected().await?;
            polite.offer().await?;
            let crossing = impolite.offer().await?;
            polite.roll_back().await?;
            says(&Sdp::of(&polite.answer(&crossing).await?), "passive")
        })
        .engine(async |stage| {
            let mut talk = passive_callee(&stage).await?;
            talk.party.engine.network_changed(None);
            let (_, round) = talk.far.receive_offer().await?;
            talk.far.offer(round).await?;
            says(&talk.far.take_answer().await?, "passive")
        }),
        row(
            "an-answer-after-a-rebuild-has-a-role-of-its-own",
            "A new peer connection has a new association: its role is settled anew, and then kept.",
        )
        .of(spec::DTLS_ROLE, SOURCE)
        .bare(async |stage| {
            let (old, bob) = stage.connected().await?;
            old.connection.close().await?;
            bob.connection.close().await?;
            let alice = stage.peer("alice").await?;
            alice.channel("first").await?;
            let bob = stage.peer_with("bob", AS_SERVER).await?;
            alice.negotiate(&bob).await?;
            stage.connect(&alice, &bob).await?;
            let (_, answer) = bob.negotiate(&alice).await?;
            says(&answer, "active")
        })
        .engine(async |stage| {
            let mut talk = stage.caller().await?;
            talk.answer_and_connect(&stage).await?;
            later_answer_says(&mut talk, 2, "passive").await?;
            talk.far.peer.connection.close().await?;
            talk.far.peer = stage.peer_with("bob", AS_SERVER).await?;
            talk.far.send(Message::Renegotiate { negotiation: 2 })?;
            let (offer, round) = talk.far.receive_offer().await?;
            talk.far.answer(&offer, round).await?;
            talk.connect(&stage).await?;
            later_answer_says(&mut talk, round + 1, "active").await
        }),
    ]
}

/// A far side that is the server of its DTLS associations.
const AS_SERVER: Options = Options { servers: Vec::new(), relay_only: false, answers_passive: true };

/// An engine that was called with `setup:active`, in a call that is connected.
async fn passive_callee(stage: &Stage) -> Result<Talk, Deviation> {
    let mut talk = stage.callee().await?;
    talk.far.peer.add_track(Kind::Audio).await?;
    talk.far.peer.add_track(Kind::Video).await?;
    let offer = active(&Sdp::of(&talk.far.peer.offer().await?));
    talk.far.send_offer(&offer.offer(), 1)?;
    says(&talk.far.take_answer().await?, "passive")?;
    talk.connect(stage).await?;
    Ok(talk)
}

fn active(offer: &Sdp) -> Sdp {
    offer.with("a=setup:", "a=setup:active")
}

/// The far side makes the offer of `round`.
async fn later_answer_says(talk: &mut Talk, round: u64, role: &str) -> Shown {
    talk.far.offer(round).await?;
    says(&talk.far.take_answer().await?, role)
}

fn says(answer: &Sdp, role: &str) -> Shown {
    let roles = answer.values("a=setup:");
    expect("a=setup of every section", roles.iter().all(|said| *said == role) && !roles.is_empty(), true)
}
