use std::time::Duration;

use crate::message::{Envelope, Kind, ParticipantId};

/// "Hold messages of this type back for so long": others overtake them. For test scenarios.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DelayRule {
    /// The type of message.
    pub message: Kind,
    /// Only those of this sender; `None`: of any.
    pub from: Option<ParticipantId>,
    /// Only the nth that matches type and sender, counted from 1 over the relay's life; `None`: every
    /// one.
    pub nth: Option<u32>,
    /// How long, from the moment at which the relay has read the message. Resolution 1 ms, as for all
    /// timers of tokio.
    pub by: Duration,
}

/// Delay rules, and how many messages each has seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules(Vec<(DelayRule, u32)>);

impl Rules {
    pub(super) fn new(rules: Vec<DelayRule>) -> Self {
        Self(rules.into_iter().map(|rule| (rule, 0)).collect())
    }

    /// How long to hold `envelope`. Every rule counts it; the first that holds it decides.
    pub(super) fn delay(&mut self, envelope: &Envelope) -> Option<Duration> {
        let mut delay = None;
        for (rule, seen) in &mut self.0 {
            if !rule.matches(envelope) {
                continue;
            }
            *seen = seen.saturating_add(1);
            if rule.nth.is_none_or(|nth| nth == *seen) {
                delay = delay.or(Some(rule.by));
            }
        }
        delay
    }
}

impl DelayRule {
    fn matches(&self, envelope: &Envelope) -> bool {
        self.message == Kind::of(&envelope.body)
            && self.from.as_ref().is_none_or(|from| *from == envelope.from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{CallId, Message, VERSION};

    fn from(sender: &str) -> Envelope {
        let body = Message::Ringing;
        Envelope {
            version: VERSION,
            id: 1,
            call: CallId::new("c"),
            from: sender.into(),
            to: "carol".into(),
            body,
        }
    }

    fn rule(from: Option<&str>, nth: Option<u32>, ms: u64) -> DelayRule {
        let by = Duration::from_millis(ms);
        DelayRule { message: Kind::Ringing, from: from.map(Into::into), nth, by }
    }

    #[test]
    fn counts_per_rule_and_the_first_that_holds_decides() {
        let mut rules =
            Rules::new(vec![rule(Some("bob"), Some(2), 10), rule(None, None, 20), rule(None, Some(1), 30)]);
        let held = ["bob", "alice", "bob", "bob"].map(|who| rules.delay(&from(who)).unwrap().as_millis());
        assert_eq!(held, [20, 20, 10, 20]);
    }

    #[test]
    fn other_types_pass() {
        let mut rules = Rules::new(vec![DelayRule { message: Kind::Offer, ..rule(None, None, 10) }]);
        assert_eq!(rules.delay(&from("bob")), None);
    }
}
