//! Offers and their answers, by the messages of a trace.

use std::time::Duration;

use timeline::VirtualTime;

use crate::{
    sdp::Description,
    trace::{CallResult, Message, SignalKind, Trace},
};

/// One offer and what came of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round<'t> {
    pub(super) offer: &'t Message,
    /// The first answer to it.
    pub(super) answer: Option<&'t Message>,
    /// Whether that answer did not reach the offerer.
    lost: bool,
}

impl<'t> Round<'t> {
    /// When the offer was made, by the best evidence.
    pub(super) fn began(&self) -> VirtualTime {
        self.offer.first_seen()
    }

    /// When the offerer had the answer, or would have had it.
    pub(super) fn closed(&self) -> Option<VirtualTime> {
        let answer = self.answer.filter(|_| !self.lost)?;
        answer.arrived().or(answer.departed())
    }

    /// Whether it was answered, and the answer was neither lost nor refused.
    pub(super) fn succeeded(&self) -> bool {
        self.answer.is_some_and(|answer| !self.lost && !was_refused(answer))
    }

    /// Offer and answer, where the capture holds both.
    pub(super) fn descriptions(&self) -> Option<(&'t Description, &'t Description)> {
        Some((self.offer.signal.description.as_ref()?, self.answer?.signal.description.as_ref()?))
    }
}

pub(super) fn was_refused(message: &Message) -> bool {
    message.applied.as_ref().is_some_and(|applied| matches!(applied.result, CallResult::Failed(_)))
}

/// More offers than that are no call; what comes after them is not looked at, so that a file of nothing but
/// offers costs no more.
const MAX_ROUNDS: usize = 1000;

/// All rounds, in the order of their offers. An answer belongs to the newest offer of the other side that its
/// sender can have seen; each offer takes one.
pub(super) fn rounds(trace: &Trace) -> Vec<Round<'_>> {
    let offers =
        trace.messages.iter().filter(|message| message.signal.kind == SignalKind::Offer).take(MAX_ROUNDS);
    let mut rounds: Vec<Round<'_>> = offers.map(|offer| Round { offer, answer: None, lost: false }).collect();
    for answer in answers(trace) {
        let at = answer.first_seen();
        let open = rounds.iter_mut().filter(|round| {
            round.answer.is_none() && round.offer.from != answer.from && seen_before(round.offer, answer, at)
        });
        // The newest: whoever offered again gave up the offer before.
        if let Some(round) = open.max_by_key(|round| round.began()) {
            round.answer = Some(answer);
            round.lost = trace.loss(answer).is_some();
        }
    }
    rounds
}

/// Whether the sender of an answer that left at `at` can have seen the offer. Answers are written some time
/// after the offer was there; a clock that is a little off is forgiven.
fn seen_before(offer: &Message, answer: &Message, at: VirtualTime) -> bool {
    const FORGIVEN: Duration = Duration::from_millis(20);
    let arrived = offer.received.or(offer.applied.as_ref().map(|applied| applied.at)).or(offer.relay_out);
    // One that is known not to have arrived was not answered, where arrivals are seen at all.
    match arrived {
        Some(arrived) => arrived <= at + FORGIVEN,
        None => {
            offer.first_seen() <= at
                && offer.dropped.is_none()
                && offer.to.as_ref().is_none_or(|to| *to == answer.from)
        }
    }
}

fn answers(trace: &Trace) -> impl Iterator<Item = &Message> {
    trace.messages.iter().filter(|message| message.signal.kind == SignalKind::Answer).take(MAX_ROUNDS)
}

/// Answers that no offer was open for.
pub(super) fn surplus_answers<'t>(trace: &'t Trace, rounds: &[Round<'t>]) -> Vec<&'t Message> {
    let is_used = |answer: &Message| {
        rounds.iter().any(|round| round.answer.is_some_and(|used| std::ptr::eq(used, answer)))
    };
    answers(trace).filter(|answer| !is_used(answer)).collect()
}

/// Two offers that crossed: neither side had the other's when it made its own.
pub(super) fn crossing<'t>(rounds: &[Round<'t>]) -> Vec<(Round<'t>, Round<'t>)> {
    let mut pairs = Vec::new();
    for (index, a) in rounds.iter().enumerate() {
        for b in &rounds[index + 1..] {
            if a.offer.from != b.offer.from && crosses(a, b) {
                pairs.push((*a, *b));
            }
        }
    }
    pairs
}

/// `b` began after `a`: did its sender have `a` by then, and was `a` still open?
fn crosses(a: &Round<'_>, b: &Round<'_>) -> bool {
    let began = b.offer.departed();
    if a.closed().is_some_and(|closed| closed <= b.began()) {
        return false;
    }
    match (began, a.offer.arrived()) {
        (Some(began), Some(arrived)) => began < arrived,
        // The other side's page or server was not captured: what counts is that `a` was open when `b` came.
        (None, _) => b.offer.arrived().is_some_and(|arrived| a.began() < arrived),
        // It never arrived, or nobody saw it arrive. Ignoring an offer and making one's own later is not
        // glare; some seconds tell the two apart.
        (Some(began), None) => began.since(a.began()) < Duration::from_secs(2),
    }
}
