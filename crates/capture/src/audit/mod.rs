//! A trace against the rules of JSEP (RFC 8829), ICE (RFC 8445, RFC 8838) and the call guide.
//!
//! A rule looks at one kind of trouble and knows nothing of the others. Rules are as loose as the order of
//! events in real browsers demands: ICE may start to check, and even connect, before the offerer has got the
//! answer; states of ICE and of the connection come in either order; gathering is cut short when ICE
//! connects. What is normal in some calls and a hint in others is a note; a healthy call yields no warning.

mod finding;
mod media;
mod rounds;
mod rules;
mod thresholds;
mod verdict;
mod waits;

pub use diagnosis::{Code, Level as Severity};
pub use finding::Finding;
pub use media::{MediaState, media};
pub use thresholds::Thresholds;
pub use verdict::verdict;
pub use waits::{Wait, WaitKind, waits};

use crate::trace::Trace;
use finding::Findings;

/// What is worth saying about a call, in the order of time.
pub fn audit(trace: &Trace) -> Vec<Finding> {
    audit_with(trace, &Thresholds::default())
}

/// As [`audit`], with other thresholds.
pub(crate) fn audit_with(trace: &Trace, thresholds: &Thresholds) -> Vec<Finding> {
    let mut findings = Findings::new(trace, thresholds);
    // Of a connection that stood already, no rule can tell how it came to that.
    let rules = if verdict::was_found(trace) { rules::OF_THE_CAPTURE } else { rules::ALL };
    for rule in rules {
        rule(trace, &mut findings);
    }
    findings.finish()
}
