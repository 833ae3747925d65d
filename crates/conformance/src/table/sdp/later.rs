//! What stays, and what grows, from description to description.

use rtc::rtp_transceiver::RTCRtpTransceiverDirection;

use super::INITIAL;
use crate::{
    row::{Row, row},
    sdp::Sdp,
    spec,
    stage::{Deviation, Kind, Shown, Stage, expect, expect_that},
};

pub(super) fn rows() -> Vec<Row> {
    vec![
        row("the-session-id-stays", "Later descriptions of a peer connection keep the session id.")
            .of(spec::SUBSEQUENT_OFFER, INITIAL)
            .bare(async |stage| {
                let (first, second) = bare_twice(&stage).await?;
                expect("session id", origin(&second, 1), origin(&first, 1))
            })
            .engine(async |stage| {
                let (first, second) = engine_twice(&stage).await?;
                expect("session id", origin(&second, 1), origin(&first, 1))
            }),
        row("the-version-grows-by-one", "A later description that differs has the next session version.")
            .of(spec::SUBSEQUENT_OFFER, INITIAL)
            .bare(async |stage| {
                let (first, second) = bare_twice(&stage).await?;
                version_follows(&first, &second)
            })
            .engine(async |stage| {
                let mut talk = stage.callee().await?;
                let first = talk.offer_and_connect(&stage, &[Kind::Audio, Kind::Video]).await?;
                talk.party.engine.network_changed(None);
                let (second, _) = talk.far.receive_offer().await?;
                version_follows(&first, &second)
            }),
        row("mids-stay", "A later offer keeps the sections that there are, with their mids, in their order.")
            .of(spec::SUBSEQUENT_OFFER, "RTCPeerConnection-createOffer.html")
            .bare(async |stage| {
                let (first, second) = bare_twice(&stage).await?;
                mids_stay(&first, &second)
            })
            .engine(async |stage| {
                let (first, second) = engine_twice(&stage).await?;
                mids_stay(&first, &second)
            }),
        row(
            "a-removed-track-is-inactive-or-receives",
            "After removeTrack the section stays, and sends no longer.",
        )
        .of(spec::SUBSEQUENT_OFFER, "RTCPeerConnection-removeTrack.https.html")
        .bare(async |stage| {
            let (alice, bob) = (stage.peer("alice").await?, stage.peer("bob").await?);
            let sender = alice.add_track(Kind::Audio).await?;
            alice.negotiate(&bob).await?;
            alice.connection.remove_track(&sender).await?;
            let offer = Sdp::of(&alice.create_offer().await?);
            expect("sections", offer.sections().len(), 1)?;
            expect_that(offer.has("a=recvonly") || offer.has("a=inactive"), "the section still sends")
        })
        .not_applicable("an application cannot remove single tracks of the engine's call"),
        row("a-stopped-transceiver-is-rejected", "After stop the section of a transceiver has port 0.")
            .of(spec::TRANSCEIVER, "RTCRtpTransceiver-stop.html")
            .bare(async |stage| {
                let (alice, bob) = stage.pair().await?;
                let direction = RTCRtpTransceiverDirection::Recvonly;
                let transceiver = alice.add_transceiver(Kind::Audio, direction).await?;
                alice.negotiate(&bob).await?;
                transceiver.stop().await?;
                let offer = Sdp::of(&alice.create_offer().await?);
                let audio = offer.value("m=audio ").split(' ').next().map(str::to_owned);
                expect("port of the section", audio.as_deref(), Some("0"))
            })
            .not_applicable("an application cannot stop single transceivers of the engine's call"),
    ]
}

/// Two offers of one peer connection, and the second has a track more.
async fn bare_twice(stage: &Stage) -> Result<(Sdp, Sdp), Deviation> {
    let (alice, bob) = stage.pair().await?;
    let (first, _) = alice.negotiate(&bob).await?;
    alice.add_track(Kind::Audio).await?;
    let (second, _) = alice.negotiate(&bob).await?;
    Ok((first, second))
}

/// The engine's answer, and a later offer of its own.
async fn engine_twice(stage: &Stage) -> Result<(Sdp, Sdp), Deviation> {
    let mut talk = stage.callee().await?;
    talk.far.peer.add_track(Kind::Audio).await?;
    talk.far.offer(1).await?;
    let first = talk.far.take_answer().await?;
    talk.connect(stage).await?;
    Ok((first, talk.far.receive_offer().await?.0))
}

fn version_follows(first: &Sdp, second: &Sdp) -> Shown {
    let (Some(before), Some(after)) = (origin(first, 2), origin(second, 2)) else {
        return Err(Deviation::new("the version is no number"));
    };
    expect_that(before.checked_add(1) == Some(after), "the version does not grow by one")
}

fn mids_stay(first: &Sdp, second: &Sdp) -> Shown {
    let (before, mut after) = (first.values("a=mid:"), second.values("a=mid:"));
    expect_that(after.len() > before.len(), "nothing was added")?;
    after.truncate(before.len());
    expect("mids", after, before)
}

/// A field of the origin.
fn origin(sdp: &Sdp, field: usize) -> Option<u64> {
    sdp.value("o=").split(' ').nth(field)?.parse().ok()
}
