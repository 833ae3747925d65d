//! Expectations about what flows and which states are passed: `media`, `never`, `sequence`.

use std::time::Duration;

use timeline::{Machine, Name, State};

use super::{
    error::{ProblemKind, Problems},
    reader::{Table, Value},
    values::known_name,
};
use crate::{
    plan::{FlowExpect, MediaExpect, MediaKind, Sequence, StateRef},
    record::MediaFlow,
};

/// `[{ audio = "both-ways" }, { video = "none", before = "3s" }]`.
pub(super) fn media(value: Option<Value<'_>>, peers: &[Name], problems: &Problems) -> Vec<MediaExpect> {
    let Some(value) = value else { return Vec::new() };
    let values = value.list("a list such as [{ audio = \"both-ways\" }]", problems).into_iter();
    values.filter_map(|value| one_media(value, peers, problems)).collect()
}

fn one_media(value: Value<'_>, peers: &[Name], problems: &Problems) -> Option<MediaExpect> {
    let mut table = value.table("this expectation", problems)?;
    let audio = table.take("audio");
    let video = table.take("video");
    let after = moment(&mut table, "after", problems);
    let before = moment(&mut table, "before", problems);
    if let (Some(after), Some(before)) = (after, before)
        && after >= before
    {
        problems.add(ProblemKind::EmptyRange, value.span());
    }
    table.finish(problems);
    let (kind, flow) = match (audio, video) {
        (Some(flow), None) => (MediaKind::Audio, flow),
        (None, Some(flow)) => (MediaKind::Video, flow),
        (audio, _) => {
            let found = usize::from(audio.is_some()) * 2;
            let kind =
                ProblemKind::NotOne { what: "this expectation", found, accepted: "audio, video".into() };
            problems.add(kind, value.span());
            return None;
        }
    };
    Some(MediaExpect { kind, flow: flow_of(flow, peers, problems)?, after, before })
}

pub(super) fn moment(table: &mut Table<'_>, key: &'static str, problems: &Problems) -> Option<Duration> {
    let (moment, span) = table.duration(key, problems)?;
    if !moment.as_nanos().is_multiple_of(MediaFlow::BUCKET.as_nanos()) {
        problems.add(ProblemKind::TooFine { found: moment, grain: MediaFlow::BUCKET }, span);
    }
    Some(moment)
}

/// `"both-ways"`, `"none"`, `"caller to callee"`, `"among alice, bob, carol"`, or a list of the last two.
fn flow_of(value: Value<'_>, peers: &[Name], problems: &Problems) -> Option<FlowExpect> {
    let mut pairs = Vec::new();
    for one in value.one_or_list() {
        let text = one.string("\"both-ways\", \"none\" or \"caller to callee\"", problems)?;
        if let Some(among) = text.strip_prefix("among ") {
            let one = |name: &str| known_name("peer", name.trim(), peers, || one.span(), problems);
            let among: Vec<Name> = among.split(',').map(one).collect::<Option<_>>()?;
            let all = among.iter().flat_map(|from| among.iter().map(move |to| (from.clone(), to.clone())));
            pairs.extend(all.filter(|(from, to)| from != to));
            continue;
        }
        if let Some((from, to)) = text.split_once(" to ") {
            let from = known_name("peer", from.trim(), peers, || one.span(), problems);
            let to = known_name("peer", to.trim(), peers, || one.span(), problems);
            pairs.push((from?, to?));
            continue;
        }
        return match one.known_text("flow", &["both-ways", "none", "CALLER to CALLEE"], problems)?.as_str() {
            "both-ways" => Some(FlowExpect::BothWays),
            _ => Some(FlowExpect::None),
        };
    }
    if pairs.is_empty() {
        problems.add(ProblemKind::Empty { what: "this list of flows" }, value.span());
        return None;
    }
    Some(FlowExpect::Only(pairs))
}

/// `[{ peer = "callee", call = "connected" }, { connection = ["failed", "closed"] }]`.
pub(super) fn never(value: Option<Value<'_>>, peers: &[Name], problems: &Problems) -> Vec<StateRef> {
    let states = machine_states(value, peers, problems).into_iter();
    let each = states.flat_map(|Sequence { peer, states, .. }| {
        states.into_iter().map(move |state| StateRef { peer: peer.clone(), state })
    });
    each.collect()
}

/// `[{ peer = "caller", connection = ["connected", "disconnected", "failed"] }]`.
pub(super) fn sequences(value: Option<Value<'_>>, peers: &[Name], problems: &Problems) -> Vec<Sequence> {
    machine_states(value, peers, problems)
}

fn machine_states(value: Option<Value<'_>>, peers: &[Name], problems: &Problems) -> Vec<Sequence> {
    let Some(value) = value else { return Vec::new() };
    let accepted = "a list such as [{ peer = \"caller\", call = \"connected\" }]";
    let values = value.list(accepted, problems).into_iter();
    values.flat_map(|value| states_of(value, peers, problems)).collect()
}

fn states_of(value: Value<'_>, peers: &[Name], problems: &Problems) -> Vec<Sequence> {
    let Some(mut table) = value.table("this expectation", problems) else { return Vec::new() };
    let peer = match table.take("peer").map(|value| value.peer(peers, problems)) {
        Some(None) => return Vec::new(),
        Some(known) => known,
        None => None,
    };
    let mut sequences = Vec::new();
    for machine in Machine::ALL.iter().copied() {
        let Some(states) = table.take(machine.as_str()) else { continue };
        let read =
            |value: Value<'_>| machine.state(&value.known_text("state", machine.states(), problems)?);
        let states: Vec<State> = states.one_or_list().into_iter().filter_map(read).collect();
        if states.is_empty() && !problems.any() {
            problems.add(ProblemKind::Empty { what: "this list of states" }, value.span());
        }
        sequences.push(Sequence { peer: peer.clone(), machine, states });
    }
    table.finish(problems);
    if sequences.is_empty() && !problems.any() {
        let accepted = Machine::WORDS.join(", ");
        problems.add(ProblemKind::NotOne { what: "this expectation", found: 0, accepted }, value.span());
    }
    sequences
}
