//! What an answer to a first offer contains.

use rtc::rtp_transceiver::RTCRtpTransceiverDirection;

use super::{INITIAL, bare_offer, every_section};
use crate::{
    row::{Row, row},
    sdp::Sdp,
    spec,
    stage::{Kind, Shown, expect, expect_that},
};

pub(super) fn rows() -> Vec<Row> {
    vec![
        answered(
            "an-answer-keeps-the-sections",
            "An answer has the sections of the offer, in its order, with its mids.",
            spec::INITIAL_ANSWER,
            "RTCPeerConnection-createAnswer.html",
            |offer, answer| {
                expect("mids", answer.values("a=mid:"), offer.values("a=mid:"))?;
                let kinds = |sdp: &Sdp| -> Vec<String> {
                    sdp.values("m=")
                        .iter()
                        .filter_map(|media| media.split(' ').next())
                        .map(str::to_owned)
                        .collect()
                };
                expect("kinds", kinds(answer), kinds(offer))
            },
        ),
        answered(
            "an-answer-picks-a-dtls-role",
            "An answer says setup:active or setup:passive.",
            spec::INITIAL_ANSWER,
            "RTCPeerConnection-createAnswer.html",
            |_, answer| {
                every_section(
                    answer,
                    |section| section.has("a=setup:active") || section.has("a=setup:passive"),
                    "a section does not",
                )
            },
        ),
        answered(
            "an-answer-has-credentials-of-its-own",
            "An answer has another ufrag and another password than the offer.",
            spec::ICE_CREDENTIALS,
            INITIAL,
            |offer, answer| {
                expect_that(offer.value("a=ice-ufrag:") != answer.value("a=ice-ufrag:"), "the same ufrag")?;
                expect_that(offer.value("a=ice-pwd:") != answer.value("a=ice-pwd:"), "the same password")
            },
        ),
        answered(
            "an-answer-keeps-payload-types",
            "An answer uses the payload types of the offer.",
            spec::INITIAL_ANSWER,
            "RTCPeerConnection-createAnswer.html",
            |offer, answer| expect("a=rtpmap", answer.values("a=rtpmap:"), offer.values("a=rtpmap:")),
        ),
        answered(
            "an-answer-bundles-what-was-offered",
            "The bundle group of an answer is that of the offer.",
            spec::INITIAL_ANSWER,
            INITIAL,
            |offer, answer| {
                expect("a=group:BUNDLE", answer.value("a=group:BUNDLE "), offer.value("a=group:BUNDLE "))
            },
        ),
        row("an-answer-turns-the-direction", "An answer to a section that only sends does not send.")
            .of(spec::INITIAL_ANSWER, "RTCRtpTransceiver-direction.html")
            .bare(async |stage| {
                let (alice, bob) = (stage.peer("alice").await?, stage.peer("bob").await?);
                alice.add_transceiver(Kind::Audio, RTCRtpTransceiverDirection::Recvonly).await?;
                bob.add_track(Kind::Audio).await?;
                let (_, answer) = alice.negotiate(&bob).await?;
                expect("a=sendonly", answer.has("a=sendonly"), true)
            })
            .engine(async |stage| {
                let mut talk = stage.callee().await?;
                let peer = talk.far.peer.clone();
                peer.add_transceiver(Kind::Audio, RTCRtpTransceiverDirection::Recvonly).await?;
                talk.far.offer(1).await?;
                let answer = talk.far.take_answer().await?;
                expect("a=sendonly", answer.has("a=sendonly"), true)
            }),
        row(
            "an-unknown-section-is-rejected",
            "A section of a kind that nobody knows is answered with port 0.",
        )
        .of(spec::INITIAL_ANSWER, "protocol/unknown-mediatypes.html")
        .bare(async |stage| {
            let bob = stage.peer("bob").await?;
            let offer = unknown_section(&bare_offer(&stage).await?);
            bob.set_remote(&offer.offer()).await?;
            rejected(&Sdp::of(&bob.create_answer().await?))
        })
        .engine(async |stage| {
            let mut talk = stage.callee().await?;
            talk.far.peer.add_track(Kind::Audio).await?;
            talk.far.peer.add_track(Kind::Video).await?;
            let offer = unknown_section(&Sdp::of(&talk.far.peer.offer().await?));
            talk.far.send_offer(&offer.offer(), 1)?;
            rejected(&talk.far.receive_answer().await?.0)
        }),
    ]
}

/// A rule for an answer to an offer of audio and video: offer, then answer.
fn answered(
    id: &'static str,
    says: &'static str,
    spec: &'static str,
    source: &'static str,
    rule: fn(&Sdp, &Sdp) -> Shown,
) -> Row {
    row(id, says)
        .of(spec, source)
        .bare(async move |stage| {
            let (alice, bob) = (stage.peer("alice").await?, stage.peer("bob").await?);
            for peer in [&alice, &bob] {
                peer.add_track(Kind::Audio).await?;
                peer.add_track(Kind::Video).await?;
            }
            let (offer, answer) = alice.negotiate(&bob).await?;
            rule(&offer, &answer)
        })
        .engine(async move |stage| {
            let mut talk = stage.callee().await?;
            talk.far.peer.add_track(Kind::Audio).await?;
            talk.far.peer.add_track(Kind::Video).await?;
            let offer = Sdp::of(&talk.far.offer(1).await?);
            rule(&offer, &talk.far.take_answer().await?)
        })
}

/// The second section, of a kind that there is not.
fn unknown_section(offer: &Sdp) -> Sdp {
    Sdp::from_text(offer.text().replace("m=video ", "m=hologram "))
}

fn rejected(answer: &Sdp) -> Shown {
    let sections = answer.sections();
    let port = sections.get(1).and_then(|section| section.value("m=").split(' ').nth(1).map(str::to_owned));
    expect("port of the second section", port.as_deref(), Some("0"))
}
