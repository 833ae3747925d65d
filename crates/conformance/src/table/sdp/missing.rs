//! What may be missing from a description, and what may not.

use signaller::Message;
use timeline::MessageKind;

use super::{FINGERPRINT, bare_offer};
use crate::{
    row::{Row, row},
    sdp::Sdp,
    spec,
    stage::{Kind, Name, Shown, Stage, accepted, expect_that, refused},
};

const MISSING: &str = "protocol/missing-fields.html";

pub(super) fn rows() -> Vec<Row> {
    vec![
        lacking(
            "an-offer-without-a-fingerprint",
            "An offer without a fingerprint is refused.",
            FINGERPRINT,
            "a=fingerprint",
            Lack::IsRefused,
        ),
        lacking(
            "an-offer-without-a-ufrag",
            "An offer without a ufrag is refused.",
            MISSING,
            "a=ice-ufrag",
            Lack::IsRefused,
        ),
        lacking(
            "an-offer-without-a-password",
            "An offer without an ICE password is refused.",
            MISSING,
            "a=ice-pwd",
            Lack::IsRefused,
        ),
        lacking(
            "an-offer-without-msids",
            "An offer without msid is accepted: its tracks have no streams.",
            "RTCPeerConnection-setRemoteDescription-nomsid.html",
            "a=msid",
            Lack::IsAccepted,
        ),
        lacking(
            "an-offer-without-mids",
            "An offer without mids is accepted: they are made up.",
            MISSING,
            "a=mid",
            Lack::IsAccepted,
        ),
        lacking(
            "an-offer-without-a-bundle",
            "An offer without a bundle group is accepted.",
            MISSING,
            "a=group:BUNDLE",
            Lack::IsAccepted,
        ),
        lacking(
            "an-offer-without-setup",
            "An offer without a DTLS role is accepted, as actpass.",
            MISSING,
            "a=setup",
            Lack::IsAccepted,
        ),
        lacking(
            "an-offer-without-rtcp-rsize",
            "An offer without rtcp-rsize is accepted.",
            MISSING,
            "a=rtcp-rsize",
            Lack::IsAccepted,
        ),
        lacking(
            "an-offer-without-extensions",
            "An offer without header extensions is accepted.",
            MISSING,
            "a=extmap",
            Lack::IsAccepted,
        ),
        row("an-unknown-attribute", "An attribute that nobody knows is ignored.")
            .of(spec::PARSING, MISSING)
            .bare(async |stage| {
                let bob = stage.peer("bob").await?;
                let offer = bare_offer(&stage).await?.with_media_line("a=x-unknown:whatever");
                accepted("the offer", bob.set_remote(&offer.offer()).await)?;
                accepted("the answer", bob.create_answer().await).map(|_| ())
            })
            .engine(async |stage| {
                engine_answers(&stage, |sdp| sdp.with_media_line("a=x-unknown:whatever")).await
            }),
        row("an-answer-without-a-fingerprint", "An answer without a fingerprint is refused.")
            .of(spec::PARSING, FINGERPRINT)
            .bare(async |stage| {
                let (alice, bob) = stage.pair().await?;
                let answer = Sdp::of(&bob.answer(&alice.offer().await?).await?).without("a=fingerprint");
                let names = &[Name::InvalidAccess, Name::Operation];
                refused("setRemoteDescription", alice.set_remote(&answer.answer()).await, names)
            })
            .engine(async |stage| {
                let mut talk = stage.caller().await?;
                let (offer, round) = talk.far.receive_offer().await?;
                let answer = Sdp::of(&talk.far.peer.answer(&offer.offer()).await?).without("a=fingerprint");
                talk.far.send(Message::Answer { sdp: answer.text().to_owned(), negotiation: round })?;
                stage.rest().await;
                expect_that(talk.party.has_problem("cannot apply the answer"), "the answer is not refused")
            }),
    ]
}

/// What becomes of an offer that lacks something.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lack {
    IsRefused,
    IsAccepted,
}

fn lacking(
    id: &'static str,
    says: &'static str,
    source: &'static str,
    prefix: &'static str,
    lack: Lack,
) -> Row {
    let section = if prefix == "a=fingerprint" { spec::SET_DESCRIPTION } else { spec::PARSING };
    row(id, says)
        .of(section, source)
        .bare(async move |stage| {
            let bob = stage.peer("bob").await?;
            let offer = bare_offer(&stage).await?.without(prefix).offer();
            let applied = bob.set_remote(&offer).await;
            match lack {
                Lack::IsRefused => {
                    refused("setRemoteDescription", applied, &[Name::InvalidAccess, Name::Operation])
                }
                Lack::IsAccepted => {
                    accepted("setRemoteDescription", applied)?;
                    accepted("createAnswer", bob.create_answer().await).map(|_| ())
                }
            }
        })
        .engine(async move |stage| match lack {
            Lack::IsAccepted => engine_answers(&stage, |sdp| sdp.without(prefix)).await,
            Lack::IsRefused => {
                let mut talk = stage.callee().await?;
                talk.far.peer.add_track(Kind::Audio).await?;
                let offer = Sdp::of(&talk.far.peer.offer().await?).without(prefix);
                talk.party.never_sends(&stage, MessageKind::Answer);
                talk.far.send_offer(&offer.offer(), 1)?;
                stage.rest().await;
                expect_that(talk.party.has_problem("cannot apply the offer"), "the offer is not refused")
            }
        })
}

/// The engine answers an offer that was changed.
async fn engine_answers(stage: &Stage, change: impl Fn(&Sdp) -> Sdp) -> Shown {
    let mut talk = stage.callee().await?;
    talk.far.peer.add_track(Kind::Audio).await?;
    talk.far.peer.add_track(Kind::Video).await?;
    let offer = change(&Sdp::of(&talk.far.peer.offer().await?));
    talk.far.send_offer(&offer.offer(), 1)?;
    talk.far.receive_answer().await.map(|_| ())
}
