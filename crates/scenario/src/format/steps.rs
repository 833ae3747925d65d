//! `[[steps]]`: what happens when. A step is a moment and, per peer or for the network, one action:
//! `{ at = "1s", caller = { dial = "callee" } }`, `{ at = "5s", network = { link-down = "callee" } }`,
//! `{ at = "9s", signaller = "restart" }`.

use std::time::Duration;

use timeline::Name;

use super::{
    error::{Found, ProblemKind, Problems, Span},
    peers::{access_of, host},
    reader::{Key, Table, Value},
    signaller::signaller_action,
    values::known_name,
};
use crate::plan::{Action, Plan, Step, TrackState};

/// The actions that are one word.
pub(crate) const PEER_WORDS: &[&str] = &[
    "accept",
    "reject",
    "hang-up",
    "enable-audio",
    "disable-audio",
    "enable-video",
    "disable-video",
    "negotiation-needed",
];

pub(super) fn read(value: Option<Value<'_>>, peers: &[Name], problems: &Problems) -> Vec<(Step, Span)> {
    let Some(value) = value else { return Vec::new() };
    let mut steps = Vec::new();
    let mut previous = Duration::ZERO;
    for value in value.list("a list of steps", problems) {
        let Some((at, actions)) = step(value, peers, problems) else { continue };
        if at < previous {
            problems.add(ProblemKind::StepsOutOfOrder { found: at, previous }, value.span());
        }
        previous = previous.max(at);
        steps.extend(actions.into_iter().map(|action| (Step { at, action }, value.span())));
    }
    let dials = |(step, _): &(Step, Span)| matches!(step.action, Action::Dial { .. });
    // With other problems about, the step that dials may be among what could not be read.
    if !steps.iter().any(dials) && !problems.any() {
        problems.add(ProblemKind::NoDial, value.span());
    }
    steps
}

fn step(value: Value<'_>, peers: &[Name], problems: &Problems) -> Option<(Duration, Vec<Action>)> {
    let mut table = value.table("a step", problems)?;
    let at = table.require("at", problems).and_then(|value| value.duration(problems));
    let network = table.take("network");
    let signaller = table.take(Plan::SIGNALLER);
    let by_peers = table.rest();
    if network.is_none() && signaller.is_none() && by_peers.is_empty() {
        let accepted =
            format!("{}, network, signaller", peers.iter().map(Name::as_str).collect::<Vec<_>>().join(", "));
        problems.add(ProblemKind::NotOne { what: "this step", found: 0, accepted }, value.span());
    }
    let network = network.and_then(|value| network_action(value, peers, problems));
    let by_peers = by_peers.iter().filter_map(|key| by_peer(key, peers, problems));
    let signaller = signaller.and_then(|value| signaller_action(value, peers, problems));
    let actions = network.into_iter().chain(signaller).chain(by_peers).collect();
    Some((at?, actions))
}

fn by_peer(key: &Key<'_>, peers: &[Name], problems: &Problems) -> Option<Action> {
    let known = [Name::from("at"), Name::from("network"), Name::from(Plan::SIGNALLER)];
    let subjects: Vec<Name> = peers.iter().cloned().chain(known).collect();
    let peer = known_name("peer", key.name, &subjects, || key.span.clone(), problems)?;
    if key.value.is_string() {
        let word = key.value.known_text("action", PEER_WORDS, problems)?;
        return Some(simple_action(peer, &word));
    }
    if !key.value.is_table() {
        key.value.wrong_type("an action such as \"hang-up\" or { dial = \"callee\" }", problems);
        return None;
    }
    table_action(peer, key.value, peers, problems)
}

fn simple_action(peer: Name, word: &str) -> Action {
    match word {
        "accept" => Action::Accept { peer },
        "reject" => Action::Reject { peer },
        "hang-up" => Action::HangUp { peer },
        "enable-audio" => Action::SetAudio { peer, state: TrackState::Enabled },
        "disable-audio" => Action::SetAudio { peer, state: TrackState::Disabled },
        "enable-video" => Action::SetVideo { peer, state: TrackState::Enabled },
        "disable-video" => Action::SetVideo { peer, state: TrackState::Disabled },
        _ => Action::NegotiationNeeded { peer, times: 1 },
    }
}

/// `{ dial = "callee" }` or `{ negotiation-needed = 5 }`.
fn table_action(peer: Name, value: Value<'_>, peers: &[Name], problems: &Problems) -> Option<Action> {
    let mut table = value.table("this action", problems)?;
    let dial = table.take("dial");
    let needed = table.take("negotiation-needed");
    table_finish(table, problems);
    match (dial, needed) {
        (Some(dial), None) => {
            let to = dial.peer(peers, problems)?;
            if to == peer {
                problems.add(ProblemKind::DialsItself { peer: peer.to_string() }, dial.span());
            }
            Some(Action::Dial { peer, to })
        }
        (None, Some(times)) => {
            let times = u32::try_from(times.integer(1..=1000, problems)?).ok()?;
            Some(Action::NegotiationNeeded { peer, times })
        }
        (dial, _) => not_one(value, usize::from(dial.is_some()) * 2, "dial, negotiation-needed", problems),
    }
}

/// An action that is only a word may have been written as a key: say so.
fn table_finish(table: Table<'_>, problems: &Problems) {
    for key in table.rest() {
        let accepted = ["dial", "negotiation-needed"];
        let found = Found::new(key.name, accepted.into_iter().chain(PEER_WORDS.iter().copied()));
        problems.add(ProblemKind::UnknownWord { what: "action", found }, key.span);
    }
}

fn network_action(value: Value<'_>, peers: &[Name], problems: &Problems) -> Option<Action> {
    let mut table = value.table("network", problems)?;
    let down = table.take("link-down");
    let up = table.take("link-up");
    let set = table.take("set-link");
    table.finish(problems);
    match (down, up, set) {
        (Some(down), None, None) => Some(Action::LinkDown { host: host(down, peers, problems)? }),
        (None, Some(up), None) => Some(Action::LinkUp { host: host(up, peers, problems)? }),
        (None, None, Some(set)) => set_link(set, peers, problems),
        (down, up, set) => {
            let found = [down, up, set].iter().flatten().count();
            not_one(value, found, "link-down, link-up, set-link", problems)
        }
    }
}

/// `{ host = "callee", delay = "150ms", … }`.
fn set_link(value: Value<'_>, peers: &[Name], problems: &Problems) -> Option<Action> {
    let mut table = value.table("set-link", problems)?;
    let host = table.require("host", problems).and_then(|value| host(value, peers, problems));
    let access = access_of(&mut table, problems);
    table.finish(problems);
    Some(Action::SetLink { host: host?, access })
}

fn not_one(value: Value<'_>, found: usize, accepted: &str, problems: &Problems) -> Option<Action> {
    let kind = ProblemKind::NotOne { what: "this action", found, accepted: accepted.to_owned() };
    problems.add(kind, value.span());
    None
}
