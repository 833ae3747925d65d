//! Messages that did not reach their addressee, and participants that did not reach the signaller.

use diagnosis::{
    Cause, Code, Evidence,
    wording::{capitalised, duration, moment},
};
use timeline::{EndReason, Event, MessageKind, Name, State, Verdict, VirtualTime};

use super::{
    links,
    scene::{self, Scene},
};
use crate::{
    plan::{Action, Admission, Plan, SignallerChange, TokenHeld},
    record::{Fate, MessageRecord},
};

/// The messages that a call cannot do without, in order, and whether the caller sends them.
const NEEDED: [(MessageKind, bool); 4] = [
    (MessageKind::Ring, true),
    (MessageKind::Accept, false),
    (MessageKind::Offer, true),
    (MessageKind::Answer, false),
];

/// A message that its own sender could not hand over.
pub(super) fn message_refused(scene: &Scene<'_>) -> Option<Cause> {
    let call = scene.call?;
    let (kind, from_caller) = NEEDED.into_iter().find(|(kind, from_caller)| {
        let from = if *from_caller { call.caller } else { call.callee };
        scene.sent(from, *kind).is_none()
    })?;
    let from = if from_caller { call.caller } else { call.callee };
    let (at, what) =
        scene.problems(from).find(|(at, what)| what.starts_with("cannot send") && *at < scene.ended(from))?;
    let why = what.split_once(": ").map_or(what, |(_, why)| why);
    if why.contains("transport is closed") {
        return Some(unreachable(scene, from, at, &format!("{} of {from}", the(kind))));
    }
    let sentence = format!("{} of {from} was not sent at {}: {why}", capitalised(&the(kind)), moment(at));
    Some(
        Cause::new(Code::MessageRefused, at, sentence).about([from]).shown_by([Evidence::of(at, from, what)]),
    )
}

/// A message on which the call waited, and which did not arrive.
pub(super) fn undelivered(scene: &Scene<'_>) -> Option<Cause> {
    let call = scene.call?;
    let messages = scene.record.signalling.messages();
    NEEDED.into_iter().find_map(|(kind, from_caller)| {
        let (from, to) = match from_caller {
            true => (call.caller, call.callee),
            false => (call.callee, call.caller),
        };
        let over = scene.ended(to).min(scene.ended(from));
        let in_time = |message: &&MessageRecord| message.taken.iter().any(|(at, _)| *at <= over);
        let mut these = messages.iter().filter(|message| {
            message.kind == kind && message.from == *from && message.to == *to && message.handed_over < over
        });
        let first = these.clone().next()?;
        if these.any(|message| in_time(&message)) {
            return None;
        }
        // What is under way when a user ends the call is not lost.
        let is_harmed = matches!(first.fate, Some(fate) if fate != Fate::Duplicated);
        (is_harmed || !scene.was_cut_short(first.handed_over)).then(|| undelivered_message(scene, first))
    })
}

fn undelivered_message(scene: &Scene<'_>, message: &MessageRecord) -> Cause {
    let MessageRecord { from, to, kind, handed_over, accepted, fate, .. } = message;
    let code = match kind {
        MessageKind::Offer => Code::OfferNotDelivered,
        MessageKind::Answer => Code::AnswerNotDelivered,
        _ => Code::MessageNotDelivered,
    };
    let whose = format!("{} of {from}", capitalised(&the(*kind)));
    let sent = Evidence::of(*handed_over, from, format!("sends the {kind} to {to}"));
    let signaller = Name::new(Plan::SIGNALLER);
    let Some(accepted) = *accepted else {
        return unreachable(scene, from, *handed_over, &format!("{} of {from}", the(*kind))).shown_by([sent]);
    };
    let reached = Evidence::of(accepted, &signaller, format!("accepts the {kind} of {from}"));
    let to_signaller = format!("{whose} reached the signaller at {}", moment(accepted));
    let settled = matches!(fate, Some(Fate::Dropped | Fate::Refused | Fate::Forgotten));
    let lost = scene.record.signalling.stores_lost().iter().find(|lost| **lost >= accepted);
    if let (false, Some(lost)) = (settled, lost) {
        let sentence = format!(
            "{to_signaller}, which lost power and its store at {}, before it had passed that on",
            moment(*lost)
        );
        let evidence = [sent, reached, Evidence::of(*lost, &signaller, "loses power, and its store with it")];
        return Cause::new(code, *lost, sentence).about([from, to]).shown_by(evidence);
    }
    let (code, sentence) = match fate {
        Some(Fate::Dropped) => (code, format!("{to_signaller} and was dropped there")),
        Some(Fate::Refused) => (Code::MessageRefused, format!("{to_signaller} and was refused there")),
        Some(Fate::Held) => {
            let held =
                held_for(scene, message).map(|by| format!(" for {}", duration(by))).unwrap_or_default();
            (code, format!("{to_signaller} and was kept back there{held}; by then the call was over"))
        }
        Some(Fate::Forgotten) => (
            code,
            format!("{to_signaller} and waited there for {to}, who stayed away until it was forgotten"),
        ),
        Some(Fate::Duplicated) | None => {
            let waiting = format!("{} of {from}", the(*kind));
            return unreachable(scene, to, accepted, &waiting).shown_by([sent, reached]);
        }
    };
    Cause::new(code, accepted, sentence).about([from, to]).shown_by([sent, reached])
}

fn held_for(scene: &Scene<'_>, message: &MessageRecord) -> Option<std::time::Duration> {
    scene.record.timeline.entries.iter().find_map(|entry| match &entry.event {
        Event::MessageHeld { id, from, for_ms, .. } if *id == message.id && *from == message.from => {
            Some(std::time::Duration::from_millis(*for_ms))
        }
        _ => None,
    })
}

/// The call ended for want of signalling.
pub(super) fn ended(scene: &Scene<'_>) -> Option<Cause> {
    let side =
        scene.sides()?.into_iter().find(|side| scene.end_reason(side) == Some(EndReason::SignalingLost))?;
    Some(from_first_down(scene, side))
}

/// One side hung up, and the other never learnt of it.
pub(super) fn bye_lost(scene: &Scene<'_>) -> Option<Cause> {
    let sides = scene.sides()?;
    let (side, at) =
        sides.into_iter().find_map(|side| Some((side, super::people::hung_up_at(scene, side)?)))?;
    let other = sides.into_iter().find(|other| *other != side)?;
    let lost = matches!(scene.end_reason(other), Some(EndReason::ConnectionLost | EndReason::SignalingLost));
    if !lost || scene.received(other, MessageKind::Bye).is_some() || scene.ended(other) < at {
        return None;
    }
    let bye = scene
        .record
        .signalling
        .messages()
        .iter()
        .find(|message| message.kind == MessageKind::Bye && message.from == *side);
    Some(match bye {
        Some(bye) => undelivered_message(scene, bye),
        None => unreachable(scene, side, at, &format!("the bye of {side}")),
    })
}

/// A peer reached the signaller otherwise than expected, after it had lost it.
pub(super) fn lost(scene: &Scene<'_>) -> Option<Cause> {
    let went_down =
        |side: &&Name| scene.record.signalling.peer(side).is_some_and(|peer| !peer.downs.is_empty());
    let side =
        scene.sides()?.into_iter().find(went_down).filter(|_| scene.failed(&["ways", "reconnects"]))?;
    Some(from_first_down(scene, side))
}

fn from_first_down(scene: &Scene<'_>, side: &Name) -> Cause {
    let first = scene.record.signalling.peer(side).and_then(|peer| peer.downs.first().copied());
    unreachable(scene, side, first.unwrap_or_else(|| scene.ended(side)), "what was said after that")
}

/// Why `who` did not reach the signaller, or the signaller `who`, from about `at` on, so that `what` did not arrive.
fn unreachable(scene: &Scene<'_>, who: &Name, at: VirtualTime, what: &str) -> Cause {
    let signaller = Name::new(Plan::SIGNALLER);
    if let Some(lost) = power_lost(scene, at) {
        let sentence =
            format!("The signaller lost power at {}: {what} did not reach its addressee", moment(lost));
        let evidence = Evidence::of(lost, &signaller, "loses power");
        return Cause::new(Code::SignallingUnreachable, lost, sentence).about([who]).shown_by([evidence]);
    }
    for host in [&signaller, who] {
        if let Some(down) = links::down_at(scene, host, at) {
            return down.cause(&format!("so {what} did not arrive"));
        }
    }
    let refusal = scene.notes(who).filter(|(_, note)| note.starts_with(DOWN)).find(|(when, _)| {
        *when <= at || scene.record.signalling.peer(who).is_none_or(|peer| peer.ways.is_empty())
    });
    if let Some(cause) = unauthorized(scene, who, refusal) {
        return cause;
    }
    let blocked = scene.record.timeline.packets.iter().find(|packet| {
        packet.from_host == *who
            && packet.verdict == Verdict::FirewallBlocked
            && packet.to_host.as_ref() == Some(&signaller)
    });
    if let Some(blocked) = blocked {
        let sentence =
            format!("The firewall of {who} lets nothing through to the signaller, so {what} did not arrive");
        let cause = Cause::new(Code::SignallingUnreachable, blocked.at, sentence);
        return cause.about([who]).shown_by([scene::packet(blocked)]);
    }
    let (when, why) = match refusal {
        Some((when, note)) => (when, note.trim_start_matches(DOWN)),
        None => (at, "its connection carried nothing"),
    };
    let sentence = format!(
        "{who} did not reach the signaller from {} on ({why}), so {what} did not arrive",
        moment(when)
    );
    let evidence = refusal.map(|(when, note)| Evidence::of(when, who, note));
    Cause::new(Code::SignallingUnreachable, when, sentence).about([who]).shown_by(evidence)
}

/// How a peer says that it does not reach the signaller.
const DOWN: &str = "signalling is down: ";

fn unauthorized(scene: &Scene<'_>, who: &Name, refusal: Option<(VirtualTime, &str)>) -> Option<Cause> {
    let Admission::Token { lifetime } = scene.plan.signaller.admission else { return None };
    let held = scene.peer_plan(who)?.signaling.token;
    let (at, note) = refusal?;
    let what = match held {
        TokenHeld::Valid if at > VirtualTime::from(lifetime) => "a token whose time was over",
        TokenHeld::Valid => return None,
        TokenHeld::Missing => "no token",
        TokenHeld::Expired => "a token whose time was over",
        TokenHeld::Forged => "a token that is forged",
        TokenHeld::OfAnotherCall => "a token for another call",
        TokenHeld::Stolen => "a token of somebody else",
    };
    let sentence = format!("The signaller did not let {who} in at {}: it showed {what}", moment(at));
    let cause = Cause::new(Code::SignallingUnauthorized, at, sentence);
    Some(cause.about([who]).shown_by([Evidence::of(at, who, note)]))
}

/// When the signaller lost power before `at`, if it had none then or was restarted without what it kept.
fn power_lost(scene: &Scene<'_>, at: VirtualTime) -> Option<VirtualTime> {
    let mut lost = None;
    for (when, action) in scene.faults() {
        let Action::Signaller { change, .. } = action else { continue };
        match change {
            SignallerChange::PowerOff { .. } if when <= at || lost.is_none() => lost = Some(when),
            SignallerChange::PowerOn if when <= at => lost = None,
            _ => {}
        }
    }
    // What was under way when the power went was lost with it.
    lost.filter(|lost| *lost <= at + std::time::Duration::from_millis(500))
}

/// Whether nothing of the signalling reached `side` any more when the call ended.
pub(super) fn is_reachable(scene: &Scene<'_>, side: &Name, at: VirtualTime) -> bool {
    power_lost(scene, at).is_none() && links::down_at(scene, side, at).is_none()
}

/// `the offer`.
fn the(kind: MessageKind) -> String {
    format!("the {kind}")
}

/// When `side` was last known to be in this state.
pub(super) fn last_in(scene: &Scene<'_>, side: &Name, state: State) -> bool {
    scene
        .record
        .timeline
        .transitions(side, state.machine())
        .last()
        .is_some_and(|(_, last)| last.is_same(state))
}
