//! Faults of the way to the relay, for test scenarios: what proxies, middleboxes and overloaded servers
//! do to WebSockets and to REST requests.

use std::time::Duration;

use super::Window;
use crate::message::ParticipantId;

/// How the endpoints misbehave. The default: not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointFaults {
    /// WebSocket upgrades. The first rule that matches decides; every rule counts.
    pub websocket: Vec<WebSocketRule>,
    /// REST requests, likewise.
    pub rest: Vec<RestRule>,
}

/// What happens to a WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebSocketRule {
    /// Only upgrades of this participant; `None`: of any.
    pub from: Option<ParticipantId>,
    /// Only the nth upgrade that matches, counted from 1 over the rule's life; `None`: every one.
    pub nth: Option<u32>,
    /// When it holds.
    pub window: Window,
    /// What happens to it.
    pub fault: WebSocketFault,
}

/// What happens to a WebSocket. Times count from the moment at which the upgrade was accepted;
/// resolution 1 ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WebSocketFault {
    /// The upgrade is answered with this HTTP status: 403 by proxies that know no WebSocket.
    Refused {
        /// 400 to 599; anything else stands for 403.
        status: u16,
    },
    /// The upgrade is never answered.
    Hangs,
    /// The connection is cut after this time, without a close frame.
    CutAfter(Duration),
    /// The connection is cut once so many bytes have passed, both directions counted together, as the
    /// network sees them (RFC 6455 §5.2): with frame headers, without the handshake.
    CutAfterBytes(u64),
    /// After this time nothing passes in either direction, and both ends believe in it.
    HalfOpenAfter(Duration),
    /// A proxy keeps what the relay sends until it has so many bytes, or for so long.
    Buffered {
        /// It passes on everything as soon as it has this much.
        bytes: usize,
        /// It passes on everything that has waited for this long.
        within: Duration,
    },
}

/// What happens to a REST request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestRule {
    /// Only requests of this type; `None`: of both.
    pub request: Option<RestRequest>,
    /// Only requests of this participant; `None`: of any.
    pub from: Option<ParticipantId>,
    /// Only the nth request that matches, counted from 1 over the rule's life; `None`: every one.
    pub nth: Option<u32>,
    /// When it holds.
    pub window: Window,
    /// What happens to it.
    pub fault: RestFault,
}

timeline::words! {
    /// The types of REST requests.
    pub enum RestRequest {
        /// Sends messages.
        Post = "post",
        /// Asks for messages.
        Poll = "poll",
    }
}

/// What happens to a REST request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RestFault {
    /// Not carried out; answered 429 (RFC 6585 §4).
    TooManyRequests {
        /// `Retry-After` (RFC 9110 §10.2.3), rounded up to whole seconds.
        retry_after: Duration,
    },
    /// Not carried out; answered 500.
    ServerError,
    /// Carried out, then answered 500: the client cannot know.
    AnswerLost,
    /// Carried out after this time.
    Slow(Duration),
}

/// What the endpoints are told, and how many requests each rule has seen.
#[derive(Debug, Default)]
pub(in crate::relay) struct EndpointRules {
    websocket: Vec<(WebSocketRule, u32)>,
    rest: Vec<(RestRule, u32)>,
}

impl EndpointRules {
    pub(in crate::relay) fn new(faults: EndpointFaults) -> Self {
        let EndpointFaults { websocket, rest } = faults;
        Self {
            websocket: websocket.into_iter().map(|rule| (rule, 0)).collect(),
            rest: rest.into_iter().map(|rule| (rule, 0)).collect(),
        }
    }

    pub(in crate::relay) fn websocket(
        &mut self,
        who: &ParticipantId,
        now: Duration,
    ) -> Option<WebSocketFault> {
        let matching =
            self.websocket.iter_mut().filter(|(rule, _)| rule.window.contains(now) && is_of(&rule.from, who));
        first(matching.map(|(rule, seen)| (rule.nth, rule.fault, seen)))
    }

    pub(in crate::relay) fn rest(
        &mut self,
        who: &ParticipantId,
        request: RestRequest,
        now: Duration,
    ) -> Option<RestFault> {
        let matching = self.rest.iter_mut().filter(|(rule, _)| {
            rule.window.contains(now)
                && is_of(&rule.from, who)
                && rule.request.is_none_or(|wanted| wanted == request)
        });
        first(matching.map(|(rule, seen)| (rule.nth, rule.fault, seen)))
    }
}

fn is_of(wanted: &Option<ParticipantId>, who: &ParticipantId) -> bool {
    wanted.as_ref().is_none_or(|wanted| wanted == who)
}

/// Lets every rule count, and takes the fault of the first that applies.
fn first<'a, F>(rules: impl Iterator<Item = (Option<u32>, F, &'a mut u32)>) -> Option<F> {
    let mut decided = None;
    for (nth, fault, seen) in rules {
        *seen = seen.saturating_add(1);
        if nth.is_none_or(|nth| nth == *seen) {
            decided = decided.or(Some(fault));
        }
    }
    decided
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(from: Option<&str>, nth: Option<u32>, status: u16) -> WebSocketRule {
        let fault = WebSocketFault::Refused { status };
        WebSocketRule { from: from.map(Into::into), nth, window: Window::ALWAYS, fault }
    }

    #[test]
    fn every_rule_counts_and_the_first_that_applies_decides() {
        let websocket =
            vec![rule(Some("bob"), Some(2), 401), rule(None, Some(1), 402), rule(None, Some(3), 403)];
        let mut rules = EndpointRules::new(EndpointFaults { websocket, rest: Vec::new() });
        let statuses =
            ["bob", "alice", "bob", "bob"].map(|who| match rules.websocket(&who.into(), Duration::ZERO) {
                Some(WebSocketFault::Refused { status }) => status,
                _ => 0,
            });
        assert_eq!(statuses, [402, 0, 401, 0]);
    }

    #[test]
    fn a_rule_holds_in_its_window() {
        let ms = Duration::from_millis;
        let window = Window { from: ms(10), until: Some(ms(20)) };
        let websocket = vec![WebSocketRule { window, ..rule(None, None, 403) }];
        let rest =
            vec![RestRule { request: None, from: None, nth: None, window, fault: RestFault::ServerError }];
        let mut rules = EndpointRules::new(EndpointFaults { websocket, rest });
        let struck = [9, 10, 19, 20].map(|at| {
            let websocket = rules.websocket(&"bob".into(), ms(at)).is_some();
            (websocket, rules.rest(&"bob".into(), RestRequest::Poll, ms(at)).is_some())
        });
        assert_eq!(struck, [(false, false), (true, true), (true, true), (false, false)]);
    }

    #[test]
    fn a_rule_may_be_for_one_type_of_request() {
        let fault = RestFault::ServerError;
        let rest = vec![RestRule {
            request: Some(RestRequest::Post),
            from: None,
            nth: None,
            window: Window::ALWAYS,
            fault,
        }];
        let mut rules = EndpointRules::new(EndpointFaults { websocket: Vec::new(), rest });
        assert_eq!(rules.rest(&"bob".into(), RestRequest::Post, Duration::ZERO), Some(fault));
        assert_eq!(rules.rest(&"bob".into(), RestRequest::Poll, Duration::ZERO), None);
        assert_eq!(rules.websocket(&"bob".into(), Duration::ZERO), None);
    }
}
