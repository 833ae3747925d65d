//! Media that did not flow although the call was connected, or flowed although it should not have.

use std::time::Duration;

use diagnosis::{
    Cause, Code, Evidence,
    wording::{capitalised, count, moment},
};
use timeline::{Event, MediaKind, Name, VirtualTime};

use super::{lost, scene::Scene};
use crate::{
    metrics::FirstCall,
    plan::{Command, FlowExpect, MediaExpect, VideoPlan},
};

/// A direction in which nothing arrived.
struct Silence<'a> {
    from: &'a Name,
    to: &'a Name,
    kind: MediaKind,
    expect: &'a MediaExpect,
}

/// What was expected and did not arrive, the first that the file says.
pub(super) fn missing(scene: &Scene<'_>) -> Option<Cause> {
    let silent = silences(scene);
    let first = silent.first()?;
    // Where nothing at all arrives, the connection is to blame, not the media.
    let both = silent
        .iter()
        .any(|other| other.from == first.to && other.to == first.from && other.kind == first.kind);
    Some(why(scene, first, both))
}

fn silences<'a>(scene: &Scene<'a>) -> Vec<Silence<'a>> {
    let plan = scene.plan;
    let ways = plan.expect.media.iter().flat_map(|expect| {
        let pairs: Vec<(&Name, &Name)> = match &expect.flow {
            FlowExpect::BothWays => FirstCall::of(plan)
                .map(|call| vec![(call.caller, call.callee), (call.callee, call.caller)])
                .unwrap_or_default(),
            FlowExpect::Only(pairs) => pairs.iter().map(|(from, to)| (from, to)).collect(),
            FlowExpect::None => Vec::new(),
        };
        pairs.into_iter().map(move |(from, to)| Silence { from, to, kind: expect.kind, expect })
    });
    let is_silent = |silence: &Silence<'_>| {
        let flow =
            scene.peer(silence.to).and_then(|peer| peer.received.get(&(silence.from.clone(), silence.kind)));
        flow.is_none_or(|flow| flow.packets_between(silence.expect.after, silence.expect.before) == 0)
    };
    ways.filter(is_silent).collect()
}

fn why(scene: &Scene<'_>, silence: &Silence<'_>, both: bool) -> Cause {
    let Silence { from, to, kind, expect } = silence;
    let window = expect.after.map_or(VirtualTime::ZERO, VirtualTime::from);
    let until = expect.before.map_or(scene.record.elapsed, VirtualTime::from);
    if let Some(cause) = muted(scene, silence, window) {
        return cause;
    }
    let sent = scene.peer(from).and_then(|peer| peer.sent.get(kind)).copied().unwrap_or_default();
    let flow = scene.peer(to).and_then(|peer| peer.received.get(&((*from).clone(), *kind)));
    if flow.is_none() && (sent == 0 || !has_track(scene, from, *kind)) {
        return never_sent(scene, silence);
    }
    let last = flow.and_then(|_| last_media(scene, from, to, window)).unwrap_or_else(|| {
        scene.sides().map_or(VirtualTime::ZERO, |sides| {
            sides.iter().filter_map(|side| scene.dtls_connected(side)).min().unwrap_or_default()
        })
    });
    let broke = lost::blame(scene, from, to, last, until.max(last));
    let explained = !matches!(broke.code, Code::ConnectionLost | Code::RemoteVanished);
    if explained {
        return broke;
    }
    let (code, sentence) = match flow {
        Some(_) => {
            (Code::MediaStopped, format!("The {kind} of {from} ceased to arrive at {to} at {}", moment(last)))
        }
        None if both => (
            Code::MediaNotReceived,
            format!("{} sent {} of {kind}, and none arrived at {to}", from, count(sent as usize, "packet")),
        ),
        None => (
            Code::MediaOneWay,
            format!(
                "{} sent {} of {kind}, and none arrived at {to}, while the other direction works",
                from,
                count(sent as usize, "packet")
            ),
        ),
    };
    let mut cause = Cause::new(code, last, sentence).about([*from, *to]);
    cause.evidence = broke.evidence;
    cause
}

/// The last moment before `window` at which media arrived.
fn last_media(scene: &Scene<'_>, from: &Name, to: &Name, window: VirtualTime) -> Option<VirtualTime> {
    let media = scene.on_the_way(from, to).rev().find(|packet| {
        packet.at <= window
            && packet.verdict.arrived()
            && packet.to_host.as_ref() == Some(to)
            && matches!(packet.protocol, timeline::Protocol::Srtp | timeline::Protocol::ChannelData)
    });
    media.map(|packet| packet.at)
}

/// What a user did so that nothing is sent: muted, put the call on hold, lost the permission.
fn muted(scene: &Scene<'_>, silence: &Silence<'_>, window: VirtualTime) -> Option<Cause> {
    let Silence { from, to, kind, .. } = silence;
    let name = from.to_string();
    let flowed = scene
        .peer(to)
        .and_then(|peer| peer.received.get(&((*from).clone(), *kind)))
        .and_then(|flow| flow.last);
    let until = match flowed {
        None => scene.record.elapsed,
        Some(_) => window.max(VirtualTime::from(Duration::from_millis(1))),
    };
    let mut found = None;
    for (at, command) in scene.commands(from).filter(|(at, _)| *at <= until) {
        match command {
            Command::Disable(what) if what == kind => {
                found = Some((at, Code::MediaStopped, format!("{name} muted its {kind}")))
            }
            Command::Enable(what) if what == kind => found = None,
            Command::Hold => found = Some((at, Code::MediaStopped, format!("{name} put the call on hold"))),
            Command::Resume => found = None,
            Command::LosePermission => {
                found = Some((
                    at,
                    Code::MediaDenied,
                    format!("{name} lost the permission for microphone and camera"),
                ));
            }
            Command::StopScreen if *kind == MediaKind::Video => {
                found = Some((at, Code::MediaStopped, format!("{name} stopped sharing its screen")));
            }
            Command::HangUp => found = found.or(Some((at, Code::HungUpEarly, format!("{name} hung up")))),
            _ => {}
        }
    }
    let held = || {
        let mut held = None;
        for (at, command) in scene.commands(to).filter(|(at, _)| *at <= until) {
            match command {
                Command::Hold => held = Some((at, Code::MediaStopped, format!("{to} put the call on hold"))),
                Command::Resume => held = None,
                Command::HangUp => {
                    held = held.or(Some((at, Code::HungUpEarly, format!("{to} hung up"))));
                }
                _ => {}
            }
        }
        held.filter(|(_, code, _)| *code != Code::HungUpEarly || flowed.is_some())
    };
    let (at, code, what) =
        found.filter(|(_, code, _)| *code != Code::HungUpEarly || flowed.is_some()).or_else(held)?;
    let code = if code == Code::MediaStopped && flowed.is_none() { Code::MediaNeverSent } else { code };
    let so = match flowed {
        Some(_) => format!("and no {kind} of it arrived at {to} after that"),
        None => format!("and no {kind} of it ever arrived at {to}"),
    };
    let sentence = format!("{what} at {}, {so}", moment(at));
    let evidence = scene.action_at(from, at).or_else(|| scene.action_at(to, at));
    Some(Cause::new(code, at, sentence).about([*from]).shown_by(evidence))
}

fn has_track(scene: &Scene<'_>, side: &Name, kind: MediaKind) -> bool {
    let Some(plan) = scene.peer_plan(side) else { return false };
    if scene.plan.is_driven(side) {
        return scene.commands(side).any(|(_, command)| {
            matches!(command, Command::Api(crate::plan::ApiCall::AddTrack(added)) if *added == kind)
        });
    }
    match kind {
        MediaKind::Audio => plan.media.audio,
        MediaKind::Video => plan.media.video != VideoPlan::None,
    }
}

fn never_sent(scene: &Scene<'_>, silence: &Silence<'_>) -> Cause {
    let Silence { from, to, kind, .. } = silence;
    let at = scene.dtls_connected(from).unwrap_or_default();
    let why = match (has_track(scene, from, *kind), kind) {
        (false, _) => format!("it has no {kind} track"),
        (true, MediaKind::Video) => "its camera was never switched on".to_owned(),
        (true, MediaKind::Audio) => "its track sent nothing".to_owned(),
    };
    let sentence = format!("{from} never sent {kind} to {to}: {why}");
    let evidence = Evidence::of(at, from, "is connected");
    Cause::new(Code::MediaNeverSent, at, sentence).about([*from]).shown_by([evidence])
}

/// Media that arrived where none should.
pub(super) fn unexpected(scene: &Scene<'_>) -> Option<Cause> {
    let failure = scene.failures.iter().find(|failure| {
        ["media-none", "media-only"].contains(&failure.check) && failure.message.contains(" packets of ")
    })?;
    let first = scene
        .record
        .timeline
        .entries
        .iter()
        .find(|entry| entry.at >= failure.at && matches!(entry.event, Event::Media { .. }));
    let cause = Cause::new(Code::MediaUnexpected, failure.at, capitalised(&failure.message));
    Some(cause.shown_by(first.map(super::scene::entry)))
}
