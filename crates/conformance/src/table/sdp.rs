//! What descriptions contain.

mod answers;
mod data;
mod later;
mod missing;
mod offers;
mod roles;

use crate::{
    row::Row,
    sdp::Sdp,
    stage::{Deviation, Kind, Shown, Stage, expect_that},
};

const INITIAL: &str = "protocol/jsep-initial-offer.https.html";
pub(super) const FINGERPRINT: &str = "protocol/dtls-fingerprint-validation.html";

pub(super) fn rows() -> Vec<Row> {
    [offers::rows(), answers::rows(), later::rows(), roles::rows(), data::rows(), missing::rows()].concat()
}

/// A first offer of audio and video.
async fn bare_offer(stage: &Stage) -> Result<Sdp, Deviation> {
    let alice = stage.peer("alice").await?;
    alice.add_track(Kind::Audio).await?;
    alice.add_track(Kind::Video).await?;
    Ok(Sdp::of(&alice.offer().await?))
}

fn every_section(sdp: &Sdp, is_so: impl Fn(&Sdp) -> bool, otherwise: &str) -> Shown {
    let sections = sdp.sections();
    expect_that(!sections.is_empty() && sections.iter().all(is_so), otherwise)
}
