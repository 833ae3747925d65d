use std::time::Duration;

use super::{Fault, FaultRule};
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

/// All rules, and how many messages each has seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    delays: Vec<(DelayRule, u32)>,
    faults: Vec<(FaultRule, u32)>,
}

impl Rules {
    pub(super) fn new(delays: Vec<DelayRule>, faults: Vec<FaultRule>) -> Self {
        let mut rules = Self { delays: delays.into_iter().map(|rule| (rule, 0)).collect(), faults: vec![] };
        rules.set_faults(faults);
        rules
    }

    /// Other fault rules, which count from 1.
    pub(super) fn set_faults(&mut self, faults: Vec<FaultRule>) {
        self.faults = faults.into_iter().map(|rule| (rule, 0)).collect();
    }

    /// What is to happen to `envelope`. Every rule counts it; the first that applies decides, delays
    /// before faults.
    pub(super) fn fault(&mut self, envelope: &Envelope, now: Duration) -> Option<Fault> {
        let mut decided = None;
        for (rule, seen) in &mut self.delays {
            if rule.matches(envelope) && is_its_turn(rule.nth, seen) {
                decided = decided.or(Some(Fault::Delay(rule.by)));
            }
        }
        for (rule, seen) in &mut self.faults {
            if rule.matches(envelope, now) && is_its_turn(rule.nth, seen) {
                decided = decided.or(Some(rule.fault));
            }
        }
        decided
    }
}

/// Counts one more, and whether it is the one that is meant.
fn is_its_turn(nth: Option<u32>, seen: &mut u32) -> bool {
    *seen = seen.saturating_add(1);
    nth.is_none_or(|nth| nth == *seen)
}

impl DelayRule {
    fn matches(&self, envelope: &Envelope) -> bool {
        self.message == envelope.body.kind() && self.from.as_ref().is_none_or(|from| *from == envelope.from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{CallId, Message, VERSION};
    use crate::relay::Window;

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
        let delays = vec![rule(Some("bob"), Some(2), 10), rule(None, None, 20), rule(None, Some(1), 30)];
        let mut rules = Rules::new(delays, Vec::new());
        let held = ["bob", "alice", "bob", "bob"].map(|who| rules.fault(&from(who), Duration::ZERO));
        assert_eq!(held, [20, 20, 10, 20].map(|ms| Some(Fault::Delay(Duration::from_millis(ms)))));
    }

    #[test]
    fn other_types_pass() {
        let delay = DelayRule { message: Kind::Offer, ..rule(None, None, 10) };
        let fault = FaultRule { message: Some(Kind::Offer), ..FaultRule::all(Fault::Drop) };
        assert_eq!(Rules::new(vec![delay], vec![fault]).fault(&from("bob"), Duration::ZERO), None);
    }

    #[test]
    fn a_rule_counts_only_in_its_window() {
        let ms = Duration::from_millis;
        let window = Window { from: ms(10), until: Some(ms(20)) };
        let rule = FaultRule { nth: Some(2), window, ..FaultRule::all(Fault::Drop) };
        let mut rules = Rules::new(Vec::new(), vec![rule]);
        let dropped = [9, 10, 19].map(|at| rules.fault(&from("bob"), ms(at)).is_some());
        assert_eq!(dropped, [false, false, true]);
        let rule = FaultRule { window, ..FaultRule::all(Fault::Drop) };
        let mut rules = Rules::new(Vec::new(), vec![rule]);
        let dropped = [9, 10, 19, 20].map(|at| rules.fault(&from("bob"), ms(at)).is_some());
        assert_eq!(dropped, [false, true, true, false]);
    }

    #[test]
    fn faults_come_after_delays_and_may_be_exchanged() {
        let mut rules = Rules::new(vec![rule(None, Some(1), 10)], vec![FaultRule::all(Fault::Drop)]);
        assert_eq!(rules.fault(&from("bob"), Duration::ZERO), Some(Fault::Delay(Duration::from_millis(10))));
        assert_eq!(rules.fault(&from("bob"), Duration::ZERO), Some(Fault::Drop));
        rules.set_faults(vec![FaultRule { nth: Some(2), ..FaultRule::all(Fault::Duplicate) }]);
        assert_eq!(rules.fault(&from("bob"), Duration::ZERO), None);
        assert_eq!(rules.fault(&from("bob"), Duration::ZERO), Some(Fault::Duplicate));
    }
}
