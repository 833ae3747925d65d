//! The calls that are over: what is still on its way of one must not start it again.

use std::collections::VecDeque;

use signaller::{CallId, ParticipantId};

/// The newest calls that are over here, or that the other side has given up before they were heard of.
#[derive(Debug, Default)]
pub(super) struct CallsOver {
    newest_last: VecDeque<(CallId, ParticipantId)>,
}

impl CallsOver {
    /// Messages are late by seconds; nobody ends so many calls meanwhile.
    const MOST: usize = 32;

    /// The call `id` with `remote` is over.
    pub(super) fn add(&mut self, id: CallId, remote: ParticipantId) {
        if self.contains(&id, &remote) {
            return;
        }
        if self.newest_last.len() == Self::MOST {
            self.newest_last.pop_front();
        }
        self.newest_last.push_back((id, remote));
    }

    /// Whether the call `id` with `remote` is over.
    pub(super) fn contains(&self, id: &CallId, remote: &ParticipantId) -> bool {
        self.newest_last.iter().any(|(over, with)| (over, with) == (id, remote))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_calls_are_remembered_and_no_more() {
        let mut over = CallsOver::default();
        let id = |n: usize| CallId::from(format!("call-{n}").as_str());
        (0..=CallsOver::MOST).for_each(|n| over.add(id(n), "alice".into()));
        over.add(id(5), "alice".into());
        assert!(!over.contains(&id(0), &"alice".into()), "the oldest is forgotten");
        assert!(over.contains(&id(1), &"alice".into()), "adding one again makes no room");
        assert!(!over.contains(&id(1), &"bob".into()), "it is another call with somebody else");
    }
}
