//! The signalling table: six states × local or remote × four types of description.

use signaller::Message;
use timeline::{CallState, EndReason, Machine, MessageKind, SignalingState as State};
use webrtc::peer_connection::{RTCSdpType, RTCSessionDescription};

use crate::{
    row::{Draft, Row, row},
    spec,
    stage::{
        Deviation, History as _, Kind, Name, Peer, Shown, Stage, accepted, expect, expect_moves, expect_that,
        refused, retyped,
    },
};

/// Which of the two methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Local,
    Remote,
}

/// `RTCSdpType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Offer,
    Answer,
    Pranswer,
    Rollback,
}

use Side::{Local, Remote};
use State::{Closed, HaveLocalOffer, HaveLocalPranswer, HaveRemoteOffer, HaveRemotePranswer, Stable};
use Type::{Answer, Offer, Pranswer, Rollback};

const TYPES: [Type; 4] = [Offer, Answer, Pranswer, Rollback];

/// What is allowed, and where it leads. Everything else is an error and changes nothing.
///
/// RFC 9429 §5.5 and §5.6 say it for descriptions. A rollback has the same effect by either method
/// (§5.7), and webrtc-pc refuses it in both `pranswer` states. An offer that meets a local one rolls that
/// back (webrtc-pc §4.4.1.4).
const LEGAL: [(State, Side, Type, State); 15] = [
    (Stable, Local, Offer, HaveLocalOffer),
    (Stable, Remote, Offer, HaveRemoteOffer),
    (HaveLocalOffer, Local, Offer, HaveLocalOffer),
    (HaveLocalOffer, Local, Rollback, Stable),
    (HaveLocalOffer, Remote, Offer, HaveRemoteOffer),
    (HaveLocalOffer, Remote, Answer, Stable),
    (HaveLocalOffer, Remote, Pranswer, HaveRemotePranswer),
    (HaveLocalOffer, Remote, Rollback, Stable),
    (HaveRemoteOffer, Local, Answer, Stable),
    (HaveRemoteOffer, Local, Pranswer, HaveLocalPranswer),
    (HaveRemoteOffer, Local, Rollback, Stable),
    (HaveRemoteOffer, Remote, Offer, HaveRemoteOffer),
    (HaveRemoteOffer, Remote, Rollback, Stable),
    (HaveLocalPranswer, Local, Pranswer, HaveLocalPranswer),
    (HaveRemotePranswer, Remote, Pranswer, HaveRemotePranswer),
];
/// The answers that end a provisional one.
const FINAL: [(State, Side, Type, State); 2] =
    [(HaveLocalPranswer, Local, Answer, Stable), (HaveRemotePranswer, Remote, Answer, Stable)];

pub(super) fn rows() -> Vec<Row> {
    let cells = State::ALL.iter().copied().flat_map(|state| {
        [Local, Remote].into_iter().flat_map(move |side| TYPES.into_iter().map(move |of| (state, side, of)))
    });
    cells.map(|(state, side, of)| cell(state, side, of)).collect()
}

fn cell(state: State, side: Side, of: Type) -> Row {
    let leads_to =
        LEGAL.iter().chain(&FINAL).find(|(from, by, what, _)| (*from, *by, *what) == (state, side, of));
    let leads_to = leads_to.map(|(.., to)| *to);
    let (method, state_name, type_name) = (side.method(), state.as_str(), of.name());
    let says = match leads_to {
        Some(to) => format!("In {state_name}, {method}({type_name}) leads to {}.", to.as_str()),
        None => format!("In {state_name}, {method}({type_name}) is an error and changes nothing."),
    };
    let id = format!("{state_name}-set-{}-{type_name}", if side == Local { "local" } else { "remote" });
    let draft = row(id, says).of(section(of, leads_to), side.test(of)).bare(async move |stage| {
        let (subject, description) = prepare(&stage, state, side, of).await?;
        let before = subject.states::<State>().len();
        let result = match side {
            Local => subject.set_local(&description).await,
            Remote => subject.set_remote(&description).await,
        };
        let what = format!("{method}({type_name})");
        match leads_to {
            Some(to) => {
                accepted(&what, result)?;
                subject.expect_state("signaling state", to)
            }
            None => {
                refused(&what, result, errors(side, of))?;
                expect_moves("signaling states after the error", &subject.states::<State>()[before..], &[])
            }
        }
    });
    through_engine(draft, state, side, of)
}

/// An error by state is an `InvalidStateError`. A local description is compared with what was last created
/// before the state is looked at, which is an `InvalidModificationError` (webrtc-pc §4.4.2.2).
const fn errors(side: Side, of: Type) -> &'static [Name] {
    match (side, of) {
        (Local, Offer | Answer | Pranswer) => &[Name::InvalidState, Name::InvalidModification],
        _ => &[Name::InvalidState],
    }
}

const fn section(of: Type, leads_to: Option<State>) -> &'static str {
    match (of, leads_to) {
        (Rollback, Some(_)) => spec::ROLLBACK,
        (_, Some(_)) => spec::SIGNALING_STATE,
        (_, None) => spec::SET_DESCRIPTION,
    }
}

/// A peer in `state`, and a description that could be meant for it.
async fn prepare(
    stage: &Stage,
    state: State,
    side: Side,
    of: Type,
) -> Result<(Peer, RTCSessionDescription), Deviation> {
    let (subject, other) = (stage.peer("alice").await?, stage.peer("bob").await?);
    subject.add_track(Kind::Audio).await?;
    other.add_track(Kind::Audio).await?;
    // The offer that is last created, before anything else happens.
    let mut own = subject.create_offer().await?;
    let mut made = foreign_answer(stage).await?;
    let mut theirs = foreign_answer(stage).await?;
    match state {
        Stable => {}
        HaveLocalOffer | HaveRemotePranswer => {
            subject.set_local(&own).await?;
            theirs = other.answer(&own).await?;
            if state == HaveRemotePranswer {
                subject.set_remote(&retyped(&theirs, RTCSdpType::Pranswer)).await?;
            }
        }
        HaveRemoteOffer | HaveLocalPranswer => {
            subject.set_remote(&other.offer().await?).await?;
            made = subject.create_answer().await?;
            if state == HaveLocalPranswer {
                subject.set_local(&retyped(&made, RTCSdpType::Pranswer)).await?;
            }
        }
        Closed => subject.connection.close().await?,
    }
    // `webrtc` has no attribute `signalingState`, and no event says `closed`.
    if state != Closed {
        subject.expect_state("signaling state to begin with", state)?;
    }
    let description = match (side, of) {
        (Local, Offer) => std::mem::take(&mut own),
        (Local, Answer | Pranswer) => retyped(&made, of.sdp_type()),
        (Remote, Offer) => foreign_offer(stage).await?,
        (Remote, Answer | Pranswer) => retyped(&theirs, of.sdp_type()),
        (_, Rollback) => RTCSessionDescription::rollback(None)?,
    };
    Ok((subject, description))
}

/// An offer of somebody else.
async fn foreign_offer(stage: &Stage) -> Result<RTCSessionDescription, Deviation> {
    let carol = stage.peer("carol").await?;
    carol.add_track(Kind::Audio).await?;
    Ok(carol.offer().await?)
}

/// An answer to somebody else.
async fn foreign_answer(stage: &Stage) -> Result<RTCSessionDescription, Deviation> {
    let dave = stage.peer("dave").await?;
    Ok(dave.answer(&foreign_offer(stage).await?).await?)
}

pub(super) const NO_PRANSWER: &str = "the engine's signalling has no provisional answers";
pub(super) const NO_ROLLBACK_MESSAGE: &str =
    "the engine's signalling has no rollback: each side takes back its own offer";
pub(super) const NOTHING_BETWEEN: &str =
    "the engine answers an offer in the step that applies it: nothing can come between";
pub(super) const ITS_OWN_CHOICE: &str = "an application cannot make the engine apply a local description";

fn through_engine(draft: Draft, state: State, side: Side, of: Type) -> Row {
    match (state, side, of) {
        (_, _, Pranswer) | (HaveLocalPranswer | HaveRemotePranswer, ..) => draft.not_applicable(NO_PRANSWER),
        (_, Remote, Rollback) => draft.not_applicable(NO_ROLLBACK_MESSAGE),
        (Stable, Local, Offer) => draft.engine(async |stage| {
            let talk = stage.caller().await?;
            talk.party.expect_states(&[HaveLocalOffer])
        }),
        (Stable, Remote, Offer) | (HaveRemoteOffer, Local, Answer) => draft.engine(async |stage| {
            let mut talk = stage.callee().await?;
            talk.far.peer.add_track(Kind::Audio).await?;
            talk.far.offer(1).await?;
            talk.far.take_answer().await?;
            expect_first(&talk.party.states(), &[HaveRemoteOffer, Stable])
        }),
        (HaveLocalOffer, Remote, Answer) => draft.engine(async |stage| {
            let mut talk = stage.caller().await?;
            let (offer, round) = talk.far.receive_offer().await?;
            talk.far.answer(&offer, round).await?;
            talk.party.expect_states(&[HaveLocalOffer, Stable])
        }),
        (HaveLocalOffer, Local, Offer) => draft.engine(async |stage| {
            let mut talk = stage.caller().await?;
            let offered = talk.far.receive_offer().await?;
            talk.party.never_sends(&stage, MessageKind::Offer);
            talk.party.engine.negotiation_needed();
            stage.rest().await;
            talk.party.expect_state("signaling state", HaveLocalOffer)?;
            expect("round of the offer", offered.1, 1)
        }),
        (HaveLocalOffer, Local, Rollback) | (HaveLocalOffer, Remote, Offer) => draft.engine(glare_at_polite),
        (Stable, Remote, Answer) => draft.engine(async |stage| {
            let mut talk = stage.caller().await?;
            talk.answer_and_connect(&stage).await?;
            talk.party.never_moves(&stage, Machine::Signaling);
            let stray = talk.far.peer.connection.local_description().await;
            let sdp = stray.map(|stray| stray.sdp).unwrap_or_default();
            talk.far.send(Message::Answer { sdp, negotiation: 1 })?;
            stage.rest().await;
            expect_that(talk.party.has_problem("ignored"), "the answer is not reported as ignored")?;
            talk.party.expect_state("call", CallState::Connected)
        }),
        (HaveRemoteOffer, ..) => draft.not_applicable(NOTHING_BETWEEN),
        (Closed, Remote, Offer | Answer) => draft.engine(async move |stage| {
            let mut talk = stage.caller().await?;
            let (offer, round) = talk.far.receive_offer().await?;
            talk.party.engine.hang_up();
            talk.far.receive(MessageKind::Bye).await?;
            let late = talk.far.peer.answer(&offer.offer()).await?;
            talk.party.never_moves(&stage, Machine::Signaling);
            talk.party.never_moves(&stage, Machine::Call);
            talk.party.never_sends(&stage, MessageKind::Answer);
            let sdp = late.sdp;
            talk.far.send(match of {
                Offer => Message::Offer { sdp, negotiation: round + 1 },
                _ => Message::Answer { sdp, negotiation: round },
            })
        }),
        (Closed, Local, Offer) => draft.engine(async |stage| {
            let (caller, callee) = stage.engines().await?;
            caller.engine.hang_up();
            stage.until("the callee knows", || callee.is(CallState::Ended(EndReason::HungUp))).await?;
            caller.never_sends(&stage, MessageKind::Offer);
            caller.engine.negotiation_needed();
            caller.engine.network_changed(None);
            Ok(())
        }),
        (_, Local, _) => draft.not_applicable(ITS_OWN_CHOICE),
    }
}

/// The engine is the polite side; its own offer is in flight when one of the far side crosses it.
pub(super) async fn glare_at_polite(stage: Stage) -> Shown {
    let mut talk = stage.callee().await?;
    talk.offer_and_connect(&stage, &[Kind::Audio, Kind::Video]).await?;
    let from = talk.party.states::<State>().len();
    talk.party.engine.network_changed(None);
    let (_, round) = talk.far.receive_offer().await?;
    talk.far.peer.add_track(Kind::Video).await?;
    talk.far.offer(round).await?;
    talk.far.take_answer().await?;
    expect_first(&talk.party.states()[from..], &[HaveLocalOffer, Stable, HaveRemoteOffer, Stable])
}

/// The machine moved so first, whatever came after.
fn expect_first(moved: &[State], wanted: &[State]) -> Shown {
    expect_moves("signaling states", &moved[..moved.len().min(wanted.len())], wanted)
}

impl Side {
    const fn method(self) -> &'static str {
        match self {
            Local => "setLocalDescription",
            Remote => "setRemoteDescription",
        }
    }

    const fn test(self, of: Type) -> &'static str {
        match (self, of) {
            (Local, Offer) => "RTCPeerConnection-setLocalDescription-offer.html",
            (Local, Answer) => "RTCPeerConnection-setLocalDescription-answer.html",
            (Local, Pranswer) => "RTCPeerConnection-setLocalDescription-pranswer.html",
            (Local, Rollback) => "RTCPeerConnection-setLocalDescription-rollback.html",
            (Remote, Offer) => "RTCPeerConnection-setRemoteDescription-offer.html",
            (Remote, Answer) => "RTCPeerConnection-setRemoteDescription-answer.html",
            (Remote, Pranswer) => "RTCPeerConnection-setRemoteDescription-pranswer.html",
            (Remote, Rollback) => "RTCPeerConnection-setRemoteDescription-rollback.html",
        }
    }
}

impl Type {
    const fn name(self) -> &'static str {
        match self {
            Offer => "offer",
            Answer => "answer",
            Pranswer => "pranswer",
            Rollback => "rollback",
        }
    }

    const fn sdp_type(self) -> RTCSdpType {
        match self {
            Offer => RTCSdpType::Offer,
            Answer => RTCSdpType::Answer,
            Pranswer => RTCSdpType::Pranswer,
            Rollback => RTCSdpType::Rollback,
        }
    }
}
