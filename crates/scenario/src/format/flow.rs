//! Expectations about what flows and which states are passed: `media`, `never`, `sequence`.

use std::time::Duration;

use timeline::{Machine, Name, State};

use super::{
    data::pair,
    error::{Found, ProblemKind},
    reader::{Choice, Value},
    values::known_name,
};
use crate::{
    plan::{FlowExpect, MediaExpect, MediaKind, Sequence, StateRef},
    record::MediaFlow,
};

/// `[{ audio = "both-ways" }, { video = "none", before = "3s" }]`.
pub(super) fn media(value: Value<'_>, peers: &[Name]) -> Vec<MediaExpect> {
    let values = value.list("a list such as [{ audio = \"both-ways\" }]", 0..).into_iter();
    values.filter_map(|value| one_media(value, peers)).collect()
}

fn one_media(value: Value<'_>, peers: &[Name]) -> Option<MediaExpect> {
    let table = value.table("this expectation")?;
    let after_doc =
        "Only packets that arrive at this moment of the run or later count; a multiple of 100 ms.";
    let after = table.get("after", after_doc, moment);
    let before_doc = "Only packets that arrive before this moment of the run count; a multiple of 100 ms.";
    let before = table.get("before", before_doc, moment);
    if let (Some(after), Some(before)) = (after, before)
        && after >= before
    {
        value.problem::<()>(ProblemKind::EmptyRange);
    }
    let doc = "`both-ways`, `none`, pairs such as `caller to callee` and no others, or all pairs `among \
         alice, bob, carol`.";
    let of = |kind| move |flow: Value<'_>| Some((kind, flow_of(flow, peers)?));
    let choices: [Choice<'_, '_, _>; 2] =
        [("audio", doc, &of(MediaKind::Audio)), ("video", doc, &of(MediaKind::Video))];
    let said = table.one_of("this expectation", value.span(), &choices);
    table.finish();
    let (kind, flow) = said?;
    Some(MediaExpect { kind, flow, after, before })
}

fn moment(value: Value<'_>) -> Option<Duration> {
    let moment = value.duration()?;
    if !moment.as_nanos().is_multiple_of(MediaFlow::BUCKET.as_nanos()) {
        value.problem::<()>(ProblemKind::TooFine { found: moment, grain: MediaFlow::BUCKET });
    }
    Some(moment)
}

/// `"both-ways"`, `"none"`, `"caller to callee"`, `"among alice, bob, carol"`, or a list of the last two.
fn flow_of(value: Value<'_>, peers: &[Name]) -> Option<FlowExpect> {
    let mut pairs = Vec::new();
    for one in value.one_or_list(0..) {
        let pattern = r"^(both-ways|none|\S+ to \S+|among \S.*)$";
        let text = one.string_like("\"both-ways\", \"none\" or \"caller to callee\"", Some(pattern))?;
        if let Some(among) = text.strip_prefix("among ") {
            let peer = |name: &str| known_name("peer", name.trim(), peers, || one.span(), one.reading);
            let among: Vec<Name> = among.split(',').map(peer).collect::<Option<_>>()?;
            let all = among.iter().flat_map(|from| among.iter().map(move |to| (from.clone(), to.clone())));
            pairs.extend(all.filter(|(from, to)| from != to));
        } else if let Some(names) = text.split_once(" to ") {
            pairs.push(pair(one, names, peers)?);
        } else {
            return match text {
                "both-ways" => Some(FlowExpect::BothWays),
                "none" => Some(FlowExpect::None),
                other => {
                    let found = Found::new(other, ["both-ways", "none", "CALLER to CALLEE"]);
                    one.problem(ProblemKind::UnknownWord { what: "flow", found })
                }
            };
        }
    }
    if pairs.is_empty() {
        return value.problem(ProblemKind::Empty { what: "this list of flows" });
    }
    Some(FlowExpect::Only(pairs))
}

/// `[{ peer = "callee", call = "connected" }, { connection = ["failed", "closed"] }]`.
pub(super) fn never(value: Value<'_>, peers: &[Name]) -> Vec<StateRef> {
    let each = sequences(value, peers).into_iter().flat_map(|Sequence { peer, states, .. }| {
        states.into_iter().map(move |state| StateRef { peer: peer.clone(), state })
    });
    each.collect()
}

/// `[{ peer = "caller", connection = ["connected", "disconnected", "failed"] }]`.
pub(super) fn sequences(value: Value<'_>, peers: &[Name]) -> Vec<Sequence> {
    let accepted = "a list such as [{ peer = \"caller\", call = \"connected\" }]";
    let states = |value: Value<'_>| value.named("states", |value| states_of(value, peers));
    value.list(accepted, 0..).into_iter().filter_map(states).flatten().collect()
}

fn states_of(value: Value<'_>, peers: &[Name]) -> Option<Vec<Sequence>> {
    let table = value.table("this expectation")?;
    let said = table.take("peer", "Whose. Default: those of any peer.");
    let peer = said.map(|value| value.peer(peers));
    let mut sequences = Vec::new();
    for machine in Machine::ALL.iter().copied() {
        let Some(states) = table.take(machine.as_str(), doc_of(machine)) else { continue };
        let read = |value: Value<'_>| machine.state(&value.known_text("state", machine.states())?);
        let values: Vec<State> = states.one_or_list(0..).into_iter().filter_map(read).collect();
        if values.is_empty() && !value.reading.problems.any() {
            value.problem::<()>(ProblemKind::Empty { what: "this list of states" });
        }
        sequences.push((machine, values));
    }
    table.finish();
    if sequences.is_empty() && !value.reading.problems.any() {
        let accepted = Machine::WORDS.join(", ");
        value.problem::<()>(ProblemKind::NotOne { what: "this expectation", found: 0, accepted });
    }
    let peer = peer.map_or(Some(None), |known| known.map(Some))?;
    let of = |(machine, states)| Sequence { peer: peer.clone(), machine, states };
    Some(sequences.into_iter().map(of).collect())
}

const fn doc_of(machine: Machine) -> &'static str {
    match machine {
        Machine::Call => "States of the call as its user sees it.",
        Machine::Signaling => "`RTCSignalingState`.",
        Machine::Gathering => "`RTCIceGatheringState`.",
        Machine::Ice => "`RTCIceConnectionState`.",
        Machine::Connection => "`RTCPeerConnectionState`.",
    }
}
