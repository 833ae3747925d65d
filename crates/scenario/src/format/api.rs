//! Calls of the API that a peer's application makes by itself: `{ add-track = "audio" }`,
//! `{ set-local-description = "offer" }`, `{ set-remote-description = { nth = 1 } }`, `"close"`.

use super::reader::{Table, Value};
use crate::plan::ApiCall;

/// How many descriptions one peer may make.
const DESCRIPTIONS: u64 = 1000;

/// What is said of the calls at keys of a step: each is made without an engine.
pub(super) const ADD_TRACK: &str = "Calls `getUserMedia` and `addTrack` by itself. A peer that makes calls \
     of the API by itself has no engine.";
pub(super) const REMOVE_TRACK: &str = "Calls `removeTrack` by itself, for its newest track of this kind.";
pub(super) const SET_LOCAL: &str =
    "Makes a description and calls `setLocalDescription` by itself. The other peer gets it.";
pub(super) const SET_REMOTE: &str =
    "Calls `setRemoteDescription` by itself, once the other peer has made the description.";
pub(super) const ADD_CANDIDATE: &str =
    "Calls `addIceCandidate` by itself, for the next candidate of the other peer, once there is one.";

/// `{ nth = 1, sdp = "v=0" }`.
pub(super) fn set_remote_description(value: Value<'_>) -> Option<ApiCall> {
    let table = value.table("set-remote-description")?;
    let nth = nth(&table, "Which of those that it made, from 1; rollbacks do not count.");
    let sdp_doc =
        "Applied instead, with the ICE credentials, fingerprints and candidates of the one that was made.";
    let sdp = table.get("sdp", sdp_doc, Value::sentence);
    table.finish();
    Some(ApiCall::SetRemoteDescription { nth, sdp })
}

/// `{ nth = 1 }`.
pub(super) fn add_ice_candidate(value: Value<'_>) -> Option<ApiCall> {
    let table = value.table("add-ice-candidate")?;
    let nth = nth(&table, "After which of its descriptions, from 1, it was gathered.");
    table.finish();
    Some(ApiCall::AddIceCandidate { nth })
}

fn nth(table: &Table<'_>, doc: &str) -> u32 {
    let mut nth = 1;
    table.set("nth", doc, &mut nth, |value| value.integer(1..=DESCRIPTIONS));
    nth
}
