//! `[[steps]]`: what happens when. A step is a moment and, per peer or for the network, one action:
//! `{ at = "1s", caller = { dial = "callee" } }`, `{ at = "5s", network = { link-down = "callee" } }`,
//! `{ at = "9s", signaller = "restart" }`.

use std::{cell::RefCell, collections::BTreeMap, time::Duration};

use timeline::Name;

use super::{
    address::Sites,
    api,
    attachment::take_attachment,
    error::{Found, ProblemKind, Span},
    ice_servers::mood_of,
    link::{LinkRead, link_of},
    reader::{Choice, Key, Table, Value},
    signaller::signaller_action,
};
use crate::plan::{
    Action, ApiCall, Attachment, Command, Connections, Delivery, Handover, MediaKind, Plan, Step, Transition,
};

/// Who can be named in a step, and where they are attached to the network.
pub(super) struct Cast<'a> {
    pub(super) peers: &'a [Name],
    pub(super) servers: Vec<Name>,
    pub(super) starts: BTreeMap<Name, Attachment>,
    pub(super) sites: RefCell<Sites>,
}

impl Cast<'_> {
    /// A host: a peer, the signaller or an ICE server.
    fn host(&self, value: Value<'_>) -> Option<Name> {
        let signaller = Name::from(Plan::SIGNALLER);
        let hosts: Vec<Name> = self.peers.iter().chain([&signaller]).chain(&self.servers).cloned().collect();
        value.one_called("host", "the name of a host", &hosts)
    }

    fn server(&self, value: Value<'_>) -> Option<Name> {
        value.one_called("ICE server", "the name of an ICE server", &self.servers)
    }
}

/// A step as it was read.
pub(super) struct StepRead {
    pub(super) step: Step,
    pub(super) at: Span,
    /// Where its action says what happens.
    pub(super) what: Span,
}

pub(super) fn read(value: Option<Value<'_>>, cast: &Cast<'_>) -> Vec<StepRead> {
    let Some(value) = value else { return Vec::new() };
    let mut steps = Vec::new();
    for value in value.list("a list of steps", 1..) {
        let Some((at, actions)) = step(value, cast) else { continue };
        let read = |(action, what)| StepRead { step: Step { at, action }, at: value.span(), what };
        steps.extend(actions.into_iter().map(read));
    }
    steps
}

fn step(value: Value<'_>, cast: &Cast<'_>) -> Option<(Duration, Vec<(Action, Span)>)> {
    let peers = cast.peers;
    let table = value.table("a step")?;
    let at = table.need("at", "When, counted from the beginning of the run.", Value::duration);
    let network_doc = "What happens to the network. A host is a peer, an ICE server, or `signaller`.";
    let network = table.take(Plan::NETWORK, network_doc);
    let signaller = table.take(Plan::SIGNALLER, "What happens to the signalling server.");
    let by_peers = table.names();
    if network.is_none() && signaller.is_none() && by_peers.is_empty() {
        let accepted =
            format!("{}, network, signaller", peers.iter().map(Name::as_str).collect::<Vec<_>>().join(", "));
        table.problem(ProblemKind::NotOne { what: "this step", found: 0, accepted });
    }
    let network = network.and_then(|value| Some((network_action(value, cast)?, value.span())));
    let by_peers: Vec<_> = by_peers.iter().filter_map(|key| by_peer(key, peers)).collect();
    let signaller = signaller.and_then(|value| Some((signaller_action(value, peers)?, value.span())));
    Some((at?, network.into_iter().chain(signaller).chain(by_peers).collect()))
}

fn by_peer(key: &Key<'_>, peers: &[Name]) -> Option<(Action, Span)> {
    let known = [Name::from("at"), Name::from(Plan::NETWORK), Name::from(Plan::SIGNALLER)];
    let subjects: Vec<Name> = peers.iter().cloned().chain(known).collect();
    let peer = key.known("peer", &subjects)?;
    let word = |value: Value<'_>| Some((simple_command(value.word("action")?), value.span()));
    let table = |value: Value<'_>| {
        value.table_or(
            |value| table_command(value, peers),
            |value| value.wrong_type("an action such as \"hang-up\" or { dial = \"callee\" }"),
        )
    };
    let (command, at) = key.value.named("action", |value| value.string_or(word, table))?;
    Some((Action::Command { peer, command }, at))
}

timeline::words! {
    /// The actions that are one word.
    pub(crate) enum PeerWord {
        /// Takes the call that rings.
        Accept = "accept",
        /// Declines the call that rings.
        Reject = "reject",
        /// Leaves its call; while it rings at the other end this cancels it.
        HangUp = "hang-up",
        /// Turns its audio track on.
        EnableAudio = "enable-audio",
        /// Turns its audio track off.
        DisableAudio = "disable-audio",
        /// Turns its video track on.
        EnableVideo = "enable-video",
        /// Turns its video track off.
        DisableVideo = "disable-video",
        /// Fires `negotiationneeded` though nothing needs it.
        NegotiationNeeded = "negotiation-needed",
        /// Puts the call on hold.
        Hold = "hold",
        /// Takes it up again.
        Resume = "resume",
        /// Shares the screen, as a second video track.
        ShareScreen = "share-screen",
        /// Shares it no longer.
        StopScreen = "stop-screen",
        /// Loses the permission for microphone and camera.
        LosePermission = "lose-permission",
        /// Leaves the call of several that it is in.
        Leave = "leave",
        /// Calls `createDataChannel` by itself.
        CreateDataChannel = "create-data-channel",
        /// Calls `restartIce` by itself.
        RestartIce = "restart-ice",
        /// Calls `close` by itself.
        Close = "close",
    }
}

const fn simple_command(word: PeerWord) -> Command {
    match word {
        PeerWord::Accept => Command::Accept,
        PeerWord::Reject => Command::Reject,
        PeerWord::HangUp => Command::HangUp,
        PeerWord::EnableAudio => Command::Enable(MediaKind::Audio),
        PeerWord::DisableAudio => Command::Disable(MediaKind::Audio),
        PeerWord::EnableVideo => Command::Enable(MediaKind::Video),
        PeerWord::DisableVideo => Command::Disable(MediaKind::Video),
        PeerWord::NegotiationNeeded => Command::NegotiationNeeded { times: 1 },
        PeerWord::Hold => Command::Hold,
        PeerWord::Resume => Command::Resume,
        PeerWord::ShareScreen => Command::ShareScreen,
        PeerWord::StopScreen => Command::StopScreen,
        PeerWord::LosePermission => Command::LosePermission,
        PeerWord::Leave => Command::Leave,
        PeerWord::CreateDataChannel => Command::Api(ApiCall::CreateDataChannel),
        PeerWord::RestartIce => Command::Api(ApiCall::RestartIce),
        PeerWord::Close => Command::Api(ApiCall::Close),
    }
}

/// `{ dial = "callee" }`, `{ negotiation-needed = 5 }`, `{ send-data = { count = 10 } }`.
fn table_command(value: Value<'_>, peers: &[Name]) -> Option<(Command, Span)> {
    let table = value.table("this action")?;
    let api = |call| Some(Command::Api(call));
    let choices: [Choice<'_, '_, Command>; 12] = [
        ("dial", "Calls this peer.", &|to| Some(Command::Dial { to: to.peer(peers)? })),
        ("join", "Joins the call of several of this name, and dials everybody who is in it.", &|room| {
            Some(Command::Join { room: room.sentence()? })
        }),
        ("do", "Does what its program knows by these words. For peers that run one.", &|what| {
            Some(Command::Do(what.sentence()?))
        }),
        (
            "negotiation-needed",
            "Fires `negotiationneeded` this many times though nothing needs it.",
            &|times| Some(Command::NegotiationNeeded { times: times.integer(1..=1000)? }),
        ),
        (
            "send-candidate",
            "Sends a candidate by itself, whatever its engine does, as apps do that offer while it still \
             rings.",
            &|candidate| send_candidate(candidate, peers),
        ),
        ("switch-camera", "Goes over to this camera; nothing is negotiated.", &|camera| {
            Some(Command::SwitchCamera(camera.word("facing mode")?))
        }),
        ("send-data", "Sends messages on a data channel.", &send_data),
        ("add-track", api::ADD_TRACK, &|kind| api(ApiCall::AddTrack(kind.word("kind of media")?))),
        ("remove-track", api::REMOVE_TRACK, &|kind| api(ApiCall::RemoveTrack(kind.word("kind of media")?))),
        ("set-local-description", api::SET_LOCAL, &|description| {
            api(ApiCall::SetLocalDescription(description.word("description")?))
        }),
        ("set-remote-description", api::SET_REMOTE, &|nth| api(api::set_remote_description(nth)?)),
        ("add-ice-candidate", api::ADD_CANDIDATE, &|nth| api(api::add_ice_candidate(nth)?)),
    ];
    let action = table.one_of("this action", value.span(), &choices);
    let at = choices.iter().find_map(|(key, ..)| table.span_of(key)).unwrap_or(value.span());
    finish(table, &choices.map(|(key, ..)| key));
    Some((action?, at))
}

/// An action that is only a word may have been written as a key: say so.
fn finish(table: Table<'_>, keys: &[&str]) {
    let unknown = table.rest();
    for key in &unknown {
        let found = Found::new(key.name, keys.iter().chain(PeerWord::WORDS).copied());
        table.reading.add(ProblemKind::UnknownWord { what: "action", found }, key.span.clone());
    }
    if unknown.is_empty() {
        table.leave();
    }
}

/// `{ to = "callee", address = "203.0.113.1:50000" }`.
fn send_candidate(value: Value<'_>, peers: &[Name]) -> Option<Command> {
    let table = value.table("send-candidate")?;
    let to = table.need("to", "Who gets it.", |value| value.peer(peers));
    let address = table.need("address", "The address that it names, with its port.", Value::socket_address);
    table.finish();
    Some(Command::SendCandidate { to: to?, address: address? })
}

/// `{ delivery = "unordered", count = 10, bytes = 1000 }`.
fn send_data(value: Value<'_>) -> Option<Command> {
    let table = value.table("send-data")?;
    let (mut delivery, mut count, mut bytes) = (Delivery::Ordered, 1, 100);
    table.set_word("delivery", "On which channel.", "delivery", &mut delivery);
    table.set("count", "How many.", &mut count, |value| value.integer(1..=100_000));
    let bytes_doc = "How long each is, in bytes. `webrtc` 0.21.1 takes up to 65,536.";
    table.set("bytes", bytes_doc, &mut bytes, |value| value.integer(1..=262_144));
    table.finish();
    Some(Command::SendData { delivery, count, bytes })
}

fn network_action(value: Value<'_>, cast: &Cast<'_>) -> Option<Action> {
    let table = value.table("network")?;
    let choices: [Choice<'_, '_, Action>; 6] = [
        ("link-down", "Nothing passes this host's link any more, either way.", &|host| {
            Some(Action::LinkDown { host: cast.host(host)? })
        }),
        ("link-up", "This host's link works again.", &|host| Some(Action::LinkUp { host: cast.host(host)? })),
        ("set-link", "A host's link becomes another one.", &|value| set_link(value, cast)),
        ("handover", "A peer moves to another network.", &|value| handover(value, cast)),
        ("mood", "Something goes wrong with a STUN or TURN server, or it gets well again.", &|value| {
            mood(value, cast)
        }),
        ("reboot", "This STUN or TURN server restarts: its allocations are gone.", &|server| {
            Some(Action::Reboot { server: cast.server(server)? })
        }),
    ];
    let action = table.one_of("this action", value.span(), &choices);
    table.finish();
    action
}

/// `{ host = "callee", delay = "150ms", … }`.
fn set_link(value: Value<'_>, cast: &Cast<'_>) -> Option<Action> {
    let table = value.table("set-link")?;
    let host = table.need("host", "Whose.", |value| cast.host(value));
    let access = Box::new(link_of(&table, LinkRead::DEFAULT).access());
    table.finish();
    Some(Action::SetLink { host: host?, access })
}

/// `{ server = "turn", liveness = "dead" }`; without more than the server, it is well again.
fn mood(value: Value<'_>, cast: &Cast<'_>) -> Option<Action> {
    let table = value.table("mood")?;
    let server = table.need("server", "Which.", |value| cast.server(value));
    let mood = mood_of(&table);
    table.finish();
    Some(Action::SetMood { server: server?, mood })
}

/// `{ peer = "caller", profile = "lte", gap = "800ms" }`, or `{ peer = "caller", back = true, … }`.
fn handover(value: Value<'_>, cast: &Cast<'_>) -> Option<Action> {
    let table = value.table("handover")?;
    let peer = table.need("peer", "Who moves.", |value| value.peer(cast.peers));
    let gap_doc = "How long it has no network in between. Default: 0s.";
    let gap = table.get("gap", gap_doc, Value::duration);
    let overlap = table.take("overlap", "How long it has both networks.");
    let overlap = overlap.and_then(|value| Some((value.duration()?, value)));
    let mut connections = Connections::Reset;
    let tcp_doc = "What becomes of TCP connections whose address goes.";
    table.set_word("tcp", tcp_doc, "fate of TCP connections", &mut connections);
    let mut back = false;
    let back_doc = "Back to the network that it had at the start; then nothing else is said of it.";
    table.set("back", back_doc, &mut back, Value::boolean);
    let attachment = (!back).then(|| take_attachment(&table));
    table.finish();
    let host = peer?;
    let transition = match (gap, overlap) {
        (gap, None) => Transition::Gap(gap.unwrap_or_default()),
        (None, Some((overlap, _))) => Transition::Overlap(overlap),
        (Some(_), Some((_, value))) => {
            let accepted = "gap, overlap".to_owned();
            return value.problem(ProblemKind::NotOne { what: "this handover", found: 2, accepted });
        }
    };
    let (to, profile) = match attachment {
        None => (cast.starts.get(&host)?.clone(), None),
        Some(attachment) => {
            let to = attachment.place(&host, &mut cast.sites.borrow_mut(), false, Sites::next_moved);
            (to, attachment.profile_name())
        }
    };
    Some(Action::Handover { host, profile, handover: Box::new(Handover { to, transition, connections }) })
}
