//! Offers and answers that could not be made or applied, or were not.

use diagnosis::{Cause, Code, Evidence, wording::moment};
use timeline::{Event, MessageKind, Name, SignalingState, State, VirtualTime};

use super::{
    scene::{self, Scene},
    signalling::last_in,
};
use crate::plan::{IceServerKind, IceTransportPolicy};

/// A peer connection that cannot be made.
pub(super) fn cannot_build(scene: &Scene<'_>) -> Option<Cause> {
    scene.sides()?.into_iter().find_map(|side| {
        let (at, what) = scene.problems(side).find(|(_, what)| what.starts_with("cannot build the peer"))?;
        let relay_only = scene.peer_plan(side)?.ice_transport_policy == IceTransportPolicy::Relay;
        let has_turn = scene.servers(side).any(|server| server.kind == IceServerKind::Turn);
        let evidence = Evidence::of(at, side, what);
        let cause = match relay_only && !has_turn {
            true => {
                let sentence = format!("{side} may use relayed candidates only, and has no TURN server");
                Cause::new(Code::NoCandidates, at, sentence)
            }
            false => {
                let why = what.split_once(": ").map_or(what, |(_, why)| why);
                let sentence = format!("{side} could not make a peer connection at {}: {why}", moment(at));
                Cause::new(Code::OwnStackRefused, at, sentence)
            }
        };
        Some(cause.about([side]).shown_by([evidence]))
    })
}

/// Both offered at once, and neither gave way.
pub(super) fn glare(scene: &Scene<'_>) -> Option<Cause> {
    let [one, other] = scene.sides()?;
    let waits = |side: &Name| {
        let open = State::Signaling(SignalingState::HaveLocalOffer);
        let mut last = None;
        for (at, state) in scene.record.timeline.transitions(side, open.machine()) {
            match state {
                State::Signaling(SignalingState::Closed) => {}
                state => last = Some((at, state)),
            }
        }
        last.filter(|(_, state)| state.is_same(open)).map(|(at, _)| at)
    };
    let (first, second) = (waits(one)?, waits(other)?);
    let came = |side: &Name, own: VirtualTime| {
        scene.plan.is_driven(side) || scene.all_received(side, MessageKind::Offer).any(|at| at >= own)
    };
    // Two offers of which one is lost are no glare.
    if !came(one, first) || !came(other, second) {
        return None;
    }
    let at = first.max(second);
    let sentence = format!(
        "{one} and {other} both offered at {}, and neither rolled back: each waits for the other's answer",
        moment(at)
    );
    let offers = [one, other].into_iter().flat_map(|side| scene.entries(side)).filter(|entry| {
        matches!(&entry.event, Event::MessageSent { kind: MessageKind::Offer, .. })
            && entry.at >= first.min(second)
    });
    Some(
        Cause::new(Code::GlareUnresolved, at, sentence)
            .about([one, other])
            .shown_by(offers.map(scene::entry)),
    )
}

/// A description that was refused when it was made or applied.
pub(super) fn refused(scene: &Scene<'_>) -> Option<Cause> {
    scene.sides()?.into_iter().find_map(|side| {
        let over = scene.ended(side);
        let found = scene.problems(side).filter(|(at, _)| *at <= over);
        let (at, what, attempt) =
            found.filter_map(|(at, what)| Some((at, what, Attempt::of(what)?))).next()?;
        Some(refused_at(scene, side, at, what, attempt))
    })
}

/// A description that somebody tried to set.
struct Attempt<'t> {
    kind: &'t str,
    is_local: bool,
    why: &'t str,
}

impl<'t> Attempt<'t> {
    /// `setRemoteDescription(offer) failed: …`, `cannot apply the answer: …`.
    fn of(what: &'t str) -> Option<Self> {
        if let Some(rest) = what.strip_prefix("cannot apply the ") {
            let (kind, why) = rest.split_once(": ")?;
            return Some(Self { kind, is_local: false, why });
        }
        let (is_local, rest) = match what.strip_prefix("setLocalDescription(") {
            Some(rest) => (true, rest),
            None => (false, what.strip_prefix("setRemoteDescription(")?),
        };
        let (kind, why) = rest.split_once(") failed: ")?;
        Some(Self { kind, is_local, why })
    }

    /// RFC 8829 §3.2.
    fn is_allowed(&self, state: SignalingState) -> bool {
        use SignalingState::{
            HaveLocalOffer, HaveLocalPranswer, HaveRemoteOffer, HaveRemotePranswer, Stable,
        };
        match (self.kind, self.is_local) {
            ("offer", true) => matches!(state, Stable | HaveLocalOffer),
            ("offer", false) => matches!(state, Stable | HaveRemoteOffer | HaveLocalOffer),
            (_, true) => matches!(state, HaveRemoteOffer | HaveLocalPranswer),
            (_, false) => matches!(state, HaveLocalOffer | HaveRemotePranswer),
        }
    }
}

fn refused_at(scene: &Scene<'_>, side: &Name, at: VirtualTime, what: &str, attempt: Attempt<'_>) -> Cause {
    let machine = timeline::Machine::Signaling;
    let passed = scene.record.timeline.transitions(side, machine).take_while(|(when, _)| *when <= at);
    let state = passed.fold(SignalingState::Stable, |_, (_, state)| match state {
        State::Signaling(state) => state,
        _ => SignalingState::Stable,
    });
    let Attempt { kind, is_local, why } = &attempt;
    let which = if *is_local { "local" } else { "remote" };
    let twice = scene
        .record
        .signalling
        .messages()
        .iter()
        .find(|message| message.kind.as_str() == *kind && message.to == *side && message.taken.len() > 1);
    let (code, sentence) = match twice {
        Some(message) => (
            Code::StaleAnswer,
            format!(
                "The {kind} of {} came to {side} twice, and was applied again at {}: {why}",
                message.from,
                moment(at)
            ),
        ),
        None if !attempt.is_allowed(state) => (
            Code::DescriptionInWrongState,
            format!(
                "{side} set a {which} {kind} at {}, while its signaling state was `{state}`: {why}",
                moment(at)
            ),
        ),
        None => {
            (Code::DescriptionRefused, format!("{side} refused the {which} {kind} at {}: {why}", moment(at)))
        }
    };
    Cause::new(code, at, sentence).about([side]).shown_by([Evidence::of(at, side, what)])
}

/// An offer or an answer that arrived and was not acted upon.
pub(super) fn not_answered(scene: &Scene<'_>) -> Option<Cause> {
    let sides = scene.sides()?;
    let (offerer, offered) = sides
        .into_iter()
        .filter_map(|side| Some((side, scene.sent(side, MessageKind::Offer)?)))
        .min_by_key(|(_, at)| *at)?;
    let answerer = sides.into_iter().find(|side| *side != offerer)?;
    let remote_offer = State::Signaling(SignalingState::HaveRemoteOffer);
    let Some(applied) = scene.first(answerer, &[remote_offer]) else {
        return Some(ignored(scene, MessageKind::Offer, offerer, answerer, offered));
    };
    let Some(answered) = scene.sent(answerer, MessageKind::Answer) else {
        let sentence =
            format!("{answerer} applied the offer of {offerer} at {} and never answered it", moment(applied));
        let evidence = Evidence::of(applied, answerer, format!("applies the offer of {offerer}"));
        let cause = Cause::new(Code::OfferUnanswered, applied, sentence);
        return Some(cause.about([answerer]).shown_by([evidence]));
    };
    let waits = last_in_before_end(scene, offerer, State::Signaling(SignalingState::HaveLocalOffer));
    waits.then(|| ignored(scene, MessageKind::Answer, answerer, offerer, answered))
}

fn last_in_before_end(scene: &Scene<'_>, side: &Name, state: State) -> bool {
    let passed = scene.record.timeline.transitions(side, state.machine());
    let open = passed.filter(|(_, state)| !state.is_same(State::Signaling(SignalingState::Closed)));
    open.last().is_some_and(|(_, last)| last.is_same(state)) || last_in(scene, side, state)
}

fn ignored(scene: &Scene<'_>, kind: MessageKind, from: &Name, at_whom: &Name, sent: VirtualTime) -> Cause {
    let arrived = scene.received(at_whom, kind);
    let at = arrived.unwrap_or(sent);
    let article = format!("The {kind} of {from}");
    let sentence = match arrived {
        Some(arrived) => {
            format!("{article} came to {at_whom} at {} and was not applied there", moment(arrived))
        }
        None => format!("{article}, made at {}, was never applied at {at_whom}", moment(sent)),
    };
    let evidence = [Some(Evidence::of(sent, from, format!("makes the {kind}")))]
        .into_iter()
        .chain([arrived.map(|at| Evidence::of(at, at_whom, format!("gets the {kind}")))])
        .flatten();
    Cause::new(Code::MessageNotApplied, at, sentence).about([at_whom]).shown_by(evidence)
}

/// Whether both sides have applied both descriptions of the first negotiation.
pub(super) fn are_set(scene: &Scene<'_>) -> bool {
    scene.sides().is_some_and(|sides| {
        sides.iter().all(|side| {
            scene.record.timeline.transitions(side, timeline::Machine::Signaling).any(|(at, state)| {
                state.is_same(State::Signaling(SignalingState::Stable)) && at > VirtualTime::ZERO
            })
        })
    })
}
