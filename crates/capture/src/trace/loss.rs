//! Messages that did not arrive.

use timeline::VirtualTime;

use super::{CallResult, Message, Method, Trace};
use crate::sdp::Description;

/// Where a message was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The server dropped it.
    Dropped(VirtualTime),
    /// The server got it, and passed it on to nobody.
    NotPassedOn(VirtualTime),
    /// Its sender sent it, or the server passed it on, and its addressee's end never saw it.
    NotReceived(VirtualTime),
    /// Its author made it, and its addressee's application never applied it: nobody saw which of the two lost it.
    NotApplied(VirtualTime),
}

impl Loss {
    /// The last moment at which the message was seen.
    pub const fn at(self) -> VirtualTime {
        match self {
            Self::Dropped(at) | Self::NotPassedOn(at) | Self::NotReceived(at) | Self::NotApplied(at) => at,
        }
    }
}

/// What was seen this shortly before the end of a capture may have arrived after it.
const CUT_OFF_MS: u128 = 1000;

impl Trace {
    /// Where `message` was lost; `None` where it arrived, or may have.
    pub fn loss(&self, message: &Message) -> Option<Loss> {
        let loss = self.seen_last(message)?;
        let is_cut_off =
            self.observed_until.since(loss.at()).as_millis() < CUT_OFF_MS && !self.overtaken(message);
        let dropped = matches!(loss, Loss::Dropped(_));
        (dropped || !is_cut_off && !self.came_again(message)).then_some(loss)
    }

    fn seen_last(&self, message: &Message) -> Option<Loss> {
        let addressee = message.to.as_ref().and_then(|to| self.peer(to.as_str()))?;
        if message.applied.is_some() || message.received.is_some() {
            return None;
        }
        if let Some(at) = message.dropped {
            return Some(Loss::Dropped(at));
        }
        if message.inferred {
            return self.not_applied(message);
        }
        let passes_on = self.sources.iter().any(|source| source.shows_delivery);
        match (message.relay_in, message.relay_out) {
            (Some(at), None) if passes_on && addressee.id != message.from => Some(Loss::NotPassedOn(at)),
            (_, Some(at)) if addressee.signalling_captured => Some(Loss::NotReceived(at)),
            (_, None) if addressee.signalling_captured => message.departed().map(Loss::NotReceived),
            _ => None,
        }
    }

    /// Of an answer whose messages nobody saw: both sides' connections were captured, and the offerer's goes on without
    /// it. An offer may be ignored, with good reason.
    fn not_applied(&self, message: &Message) -> Option<Loss> {
        let at = message.sent?;
        let addressee = message.to.as_ref().and_then(|to| self.peer(to.as_str()))?;
        let kind = message.signal.description.as_ref()?.kind;
        let shows_bodies = addressee.connections.iter().any(|connection| {
            connection
                .calls_of(Method::SetLocalDescription)
                .any(|(_, call)| has_body(call.description.as_ref()))
        });
        let tried = addressee.connections.iter().flat_map(|connection| {
            connection.calls_of(Method::SetRemoteDescription).filter(|(_, call)| {
                call.description.as_ref().is_none_or(|description| description.kind == kind)
                    || matches!(call.result, CallResult::Failed(_))
            })
        });
        let ended = addressee.connections.iter().filter_map(super::Connection::closed_at).min();
        let was_there = ended.is_none_or(|ended| ended.since(at).as_millis() >= CUT_OFF_MS);
        let is_answer = message.signal.kind == super::SignalKind::Answer;
        (is_answer && shows_bodies && was_there && tried.into_iter().next().is_none())
            .then_some(Loss::NotApplied(at))
    }

    /// Whether the server passed on to the same addressee what came to it later: it keeps the order.
    fn overtaken(&self, message: &Message) -> bool {
        let mut later = self.messages.iter().skip_while(|it| !std::ptr::eq(*it, message)).skip(1);
        message.relay_in.is_some_and(|at| {
            later.any(|it| {
                it.from == message.from
                    && it.to == message.to
                    && it.relay_out.is_some()
                    && it.relay_in.is_some_and(|later| later >= at)
            })
        })
    }

    /// Whether the same description went on its way more than once, and arrived.
    fn came_again(&self, message: &Message) -> bool {
        let Some(description) = &message.signal.description else { return false };
        self.messages.iter().any(|other| {
            !std::ptr::eq(other, message)
                && other.from == message.from
                && (other.received.is_some() || other.relay_out.is_some() || other.applied.is_some())
                && other.signal.description.as_ref().is_some_and(|it| it.says_the_same(description))
        })
    }
}

fn has_body(description: Option<&Description>) -> bool {
    description.is_some_and(|description| !description.sdp.trim().is_empty())
}
