//! `[[steps]]`: what happens when. A step is a moment and, per peer or for the network, one action:
//! `{ at = "1s", caller = { dial = "callee" } }`, `{ at = "5s", network = { link-down = "callee" } }`,
//! `{ at = "9s", signaller = "restart" }`.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use timeline::Name;

use super::{
    address::Sites,
    api,
    attachment::take_attachment,
    error::{Found, ProblemKind, Problems, Span},
    ice_servers::mood_of,
    link::{LinkRead, link_of},
    reader::{Key, Table, Value},
    signaller::signaller_action,
    values::{known_name, vocabulary},
};
use crate::plan::{
    Action, ApiCall, Attachment, Connections, DeliveryWord, FacingMode, Handover, InCall, Plan, Step,
    TcpWord, TrackState, Transition,
};

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
    "hold",
    "resume",
    "share-screen",
    "stop-screen",
    "lose-permission",
    "leave",
    "create-data-channel",
    "restart-ice",
    "close",
];

/// Who can be named in a step, and where they hang on the network.
pub(super) struct Cast<'a> {
    pub(super) peers: &'a [Name],
    pub(super) servers: &'a [Name],
    pub(super) starts: BTreeMap<Name, Attachment>,
    pub(super) sites: &'a mut Sites,
}

impl Cast<'_> {
    /// A host: a peer, the signaller or an ICE server.
    fn host(&self, value: Value<'_>, problems: &Problems) -> Option<Name> {
        let word = value.string("the name of a host", problems)?;
        let signaller = Name::from(Plan::SIGNALLER);
        let hosts: Vec<Name> = self.peers.iter().chain([&signaller]).chain(self.servers).cloned().collect();
        known_name("host", word, &hosts, || value.span(), problems)
    }

    fn server(&self, value: Value<'_>, problems: &Problems) -> Option<Name> {
        let word = value.string("the name of an ICE server", problems)?;
        known_name("ICE server", word, self.servers, || value.span(), problems)
    }
}

pub(super) fn read(value: Option<Value<'_>>, cast: &mut Cast<'_>, problems: &Problems) -> Vec<(Step, Span)> {
    let Some(value) = value else { return Vec::new() };
    let mut steps = Vec::new();
    let mut previous = Duration::ZERO;
    for value in value.list("a list of steps", problems) {
        let Some((at, actions)) = step(value, cast, problems) else { continue };
        if at < previous {
            problems.add(ProblemKind::StepsOutOfOrder { found: at, previous }, value.span());
        }
        previous = previous.max(at);
        steps.extend(actions.into_iter().map(|action| (Step { at, action }, value.span())));
    }
    let dials = |(step, _): &(Step, Span)| {
        let makes = |call: &ApiCall| matches!(call, ApiCall::SetLocalDescription(_));
        matches!(&step.action, Action::Dial { .. } | Action::Join { .. })
            || matches!(&step.action, Action::Api { call, .. } if makes(call))
    };
    api::check(&steps, problems);
    // With other problems about, the step that dials may be among what could not be read.
    if !steps.iter().any(dials) && !problems.any() {
        problems.add(ProblemKind::NoDial, value.span());
    }
    check_rooms(&steps, problems);
    steps
}

/// Who takes part in calls of several has no other calls.
fn check_rooms(steps: &[(Step, Span)], problems: &Problems) {
    let joins = |peer: &Name| {
        steps
            .iter()
            .any(|(step, _)| matches!(&step.action, Action::Join { peer: joins, .. } if joins == peer))
    };
    for (step, at) in steps {
        let found = match &step.action {
            Action::Dial { peer, to } => [peer, to].into_iter().find(|peer| joins(peer)),
            Action::Leave { peer } if !joins(peer) => {
                let reason = format!("{peer} leaves, and joins nothing");
                problems.add(ProblemKind::Impossible { reason }, at.clone());
                None
            }
            _ => None,
        };
        if let Some(peer) = found {
            let reason = format!("{peer} joins calls of several: it can neither dial nor be dialled");
            problems.add(ProblemKind::Impossible { reason }, at.clone());
        }
    }
}

fn step(value: Value<'_>, cast: &mut Cast<'_>, problems: &Problems) -> Option<(Duration, Vec<Action>)> {
    let peers = cast.peers;
    let mut table = value.table("a step", problems)?;
    let at = table.require("at", problems).and_then(|value| value.duration(problems));
    let network = table.take(Plan::NETWORK);
    let signaller = table.take(Plan::SIGNALLER);
    let by_peers = table.rest();
    if network.is_none() && signaller.is_none() && by_peers.is_empty() {
        let accepted =
            format!("{}, network, signaller", peers.iter().map(Name::as_str).collect::<Vec<_>>().join(", "));
        problems.add(ProblemKind::NotOne { what: "this step", found: 0, accepted }, value.span());
    }
    let network = network.and_then(|value| network_action(value, cast, problems));
    let by_peers = by_peers.iter().filter_map(|key| by_peer(key, peers, problems));
    let signaller = signaller.and_then(|value| signaller_action(value, peers, problems));
    let actions = network.into_iter().chain(signaller).chain(by_peers).collect();
    Some((at?, actions))
}

fn by_peer(key: &Key<'_>, peers: &[Name], problems: &Problems) -> Option<Action> {
    let known = [Name::from("at"), Name::from(Plan::NETWORK), Name::from(Plan::SIGNALLER)];
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
        "hold" => Action::InCall { peer, change: InCall::Hold },
        "resume" => Action::InCall { peer, change: InCall::Resume },
        "share-screen" => Action::InCall { peer, change: InCall::ShareScreen },
        "stop-screen" => Action::InCall { peer, change: InCall::StopScreen },
        "leave" => Action::Leave { peer },
        "lose-permission" => Action::InCall { peer, change: InCall::LosePermission },
        word => match api::of_word(word) {
            Some(call) => Action::Api { peer, call },
            None => Action::NegotiationNeeded { peer, times: 1 },
        },
    }
}

/// The actions that say more.
const PEER_TABLES: [&str; 11] = [
    "dial",
    "join",
    "negotiation-needed",
    "send-candidate",
    "switch-camera",
    "send-data",
    api::TABLES[0],
    api::TABLES[1],
    api::TABLES[2],
    api::TABLES[3],
    api::TABLES[4],
];

/// `{ dial = "callee" }`, `{ negotiation-needed = 5 }`, `{ send-data = { count = 10 } }`.
fn table_action(peer: Name, value: Value<'_>, peers: &[Name], problems: &Problems) -> Option<Action> {
    let mut table = value.table("this action", problems)?;
    let said: Vec<(&str, Value<'_>)> =
        PEER_TABLES.into_iter().filter_map(|key| table.take(key).map(|value| (key, value))).collect();
    table_finish(table, problems);
    let [(key, what)] = *said.as_slice() else {
        return not_one(value, said.len(), &PEER_TABLES.join(", "), problems);
    };
    match key {
        "dial" => {
            let to = what.peer(peers, problems)?;
            if to == peer {
                problems.add(ProblemKind::DialsItself { peer: peer.to_string() }, what.span());
            }
            Some(Action::Dial { peer, to })
        }
        "join" => Some(Action::Join { peer, room: what.sentence(problems)? }),
        "negotiation-needed" => {
            let times = u32::try_from(what.integer(1..=1000, problems)?).ok()?;
            Some(Action::NegotiationNeeded { peer, times })
        }
        "send-candidate" => send_candidate(peer, what, peers, problems),
        "switch-camera" => {
            let facing_mode = what.word(&vocabulary!("facing mode", FacingMode), problems)?;
            Some(Action::InCall { peer, change: InCall::SwitchCamera(facing_mode) })
        }
        "send-data" => Some(Action::InCall { peer, change: send_data(what, problems)? }),
        key => Some(Action::Api { peer, call: api::of_table(key, what, problems)? }),
    }
}

/// `{ to = "callee", address = "203.0.113.1:50000" }`.
fn send_candidate(peer: Name, value: Value<'_>, peers: &[Name], problems: &Problems) -> Option<Action> {
    let mut table = value.table("send-candidate", problems)?;
    let to = table.require("to", problems).and_then(|value| value.peer(peers, problems));
    let address = table.require("address", problems).and_then(|value| {
        let text = value.string("an address such as \"203.0.113.1:50000\"", problems)?;
        if text.parse::<SocketAddr>().is_err() {
            let reason = format!("`{text}` is not an address with a port, such as 203.0.113.1:50000");
            problems.add(ProblemKind::Impossible { reason }, value.span());
        }
        text.parse().ok()
    });
    table.finish(problems);
    Some(Action::SendCandidate { peer, to: to?, address: address? })
}

/// `{ delivery = "unordered", count = 10, bytes = 1000 }`.
fn send_data(value: Value<'_>, problems: &Problems) -> Option<InCall> {
    let mut table = value.table("send-data", problems)?;
    let delivery = table.word("delivery", &vocabulary!("delivery", DeliveryWord), problems);
    let count = table.integer("count", 1..=100_000, problems);
    let bytes = table.integer("bytes", 1..=262_144, problems);
    table.finish(problems);
    let number =
        |value: Option<u64>, default| value.and_then(|value| u32::try_from(value).ok()).unwrap_or(default);
    Some(InCall::SendData {
        delivery: delivery.unwrap_or(DeliveryWord::Ordered),
        count: number(count, 1),
        bytes: number(bytes, 100),
    })
}

/// An action that is only a word may have been written as a key: say so.
fn table_finish(table: Table<'_>, problems: &Problems) {
    for key in table.rest() {
        let found = Found::new(key.name, PEER_TABLES.into_iter().chain(PEER_WORDS.iter().copied()));
        problems.add(ProblemKind::UnknownWord { what: "action", found }, key.span);
    }
}

fn network_action(value: Value<'_>, cast: &mut Cast<'_>, problems: &Problems) -> Option<Action> {
    let mut table = value.table("network", problems)?;
    let keys = ["link-down", "link-up", "set-link", "handover", "mood", "reboot"];
    let said: Vec<(&str, Value<'_>)> =
        keys.into_iter().filter_map(|key| table.take(key).map(|value| (key, value))).collect();
    table.finish(problems);
    let [(key, what)] = *said.as_slice() else {
        return not_one(value, said.len(), &keys.join(", "), problems);
    };
    match key {
        "link-down" => Some(Action::LinkDown { host: cast.host(what, problems)? }),
        "link-up" => Some(Action::LinkUp { host: cast.host(what, problems)? }),
        "set-link" => set_link(what, cast, problems),
        "handover" => handover(what, cast, problems),
        "mood" => mood(what, cast, problems),
        _ => Some(Action::Reboot { server: cast.server(what, problems)? }),
    }
}

/// `{ host = "callee", delay = "150ms", … }`.
fn set_link(value: Value<'_>, cast: &Cast<'_>, problems: &Problems) -> Option<Action> {
    let mut table = value.table("set-link", problems)?;
    let host = table.require("host", problems).and_then(|value| cast.host(value, problems));
    let access = Box::new(link_of(&mut table, LinkRead::DEFAULT, problems).access());
    table.finish(problems);
    Some(Action::SetLink { host: host?, access })
}

/// `{ server = "turn", liveness = "dead" }`; without more than the server, it is well again.
fn mood(value: Value<'_>, cast: &Cast<'_>, problems: &Problems) -> Option<Action> {
    let mut table = value.table("mood", problems)?;
    let server = table.require("server", problems).and_then(|value| cast.server(value, problems));
    let mood = mood_of(&mut table, problems);
    table.finish(problems);
    Some(Action::SetMood { server: server?, mood })
}

/// `{ peer = "caller", profile = "lte", gap = "800ms" }`, or `{ peer = "caller", back = true, … }`.
fn handover(value: Value<'_>, cast: &mut Cast<'_>, problems: &Problems) -> Option<Action> {
    let mut table = value.table("handover", problems)?;
    let peer = table.require("peer", problems).and_then(|value| value.peer(cast.peers, problems));
    let gap = table.plain_duration("gap", problems);
    let overlap = table.duration("overlap", problems);
    let connections = table.word("tcp", &vocabulary!("fate of TCP connections", TcpWord), problems);
    let back = table.take("back").and_then(|value| value.boolean(problems)).unwrap_or(false);
    let attachment = (!back).then(|| take_attachment(&mut table, problems));
    table.finish(problems);
    let host = peer?;
    let transition = match (gap, overlap) {
        (gap, None) => Transition::Gap(gap.unwrap_or_default()),
        (None, Some((overlap, _))) => Transition::Overlap(overlap),
        (Some(_), Some((_, at))) => {
            let accepted = "gap, overlap".to_owned();
            problems.add(ProblemKind::NotOne { what: "this handover", found: 2, accepted }, at);
            return None;
        }
    };
    let (to, profile) = match attachment {
        None => (cast.starts.get(&host)?.clone(), None),
        Some(attachment) => {
            let to = attachment.place(&host, cast.sites, false, Sites::next_moved);
            (to, attachment.profile_name())
        }
    };
    let connections = connections.map_or(Connections::Reset, Into::into);
    Some(Action::Handover { host, profile, handover: Box::new(Handover { to, transition, connections }) })
}

fn not_one(value: Value<'_>, found: usize, accepted: &str, problems: &Problems) -> Option<Action> {
    let kind = ProblemKind::NotOne { what: "this action", found, accepted: accepted.to_owned() };
    problems.add(kind, value.span());
    None
}
