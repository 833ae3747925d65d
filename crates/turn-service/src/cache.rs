//! The memory that makes a retransmitted request idempotent (RFC 8489 §6.3.1, RFC 8656 §5).
//!
//! Only answers to authenticated requests are kept: a challenge costs nothing to repeat, and a
//! stranger must leave nothing behind. A request counts as retransmitted if all its bytes are the
//! same, not just its transaction id.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::wire::FiveTuple;

/// How long an answer is kept (RFC 8489 §6.3.1).
const KEPT: Duration = Duration::from_secs(40);

type TransactionId = [u8; 12];

#[derive(Default)]
pub(crate) struct Cache {
    answers: BTreeMap<(FiveTuple, TransactionId), Answered>,
}

struct Answered {
    at: Duration,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Cache {
    /// The answer that this very request got in the last 40 s.
    pub(crate) fn recall(
        &self,
        now: Duration,
        from: FiveTuple,
        id: TransactionId,
        request: &[u8],
    ) -> Option<Vec<u8>> {
        let answered = self.answers.get(&(from, id))?;
        (now < answered.at + KEPT && answered.request == request).then(|| answered.answer.clone())
    }

    pub(crate) fn keep(
        &mut self,
        now: Duration,
        from: FiveTuple,
        id: TransactionId,
        request: &[u8],
        answer: &[u8],
    ) {
        self.answers.retain(|_, answered| now < answered.at + KEPT);
        let answered = Answered { at: now, request: request.to_vec(), answer: answer.to_vec() };
        self.answers.insert((from, id), answered);
    }

    pub(crate) fn clear(&mut self) {
        self.answers.clear();
    }
}
