//! The rules, by what they look at.

mod candidates;
mod connection;
mod delivery;
mod description;
mod ending;
mod flow;
mod gathering;
mod glare;
mod media;
mod negotiation;
mod refused;
mod reloaded;
mod reports;
mod sources;
mod timing;
mod tracks;

pub(super) use diagnosis::wording::{count, duration as human};

use super::finding::Findings;
use crate::trace::Trace;

/// One rule: looks at a trace, and says what it finds.
type Rule = fn(&Trace, &mut Findings<'_>);

/// All rules. Their order does not matter.
pub(super) const ALL: &[Rule] = &[
    candidates::early,
    candidates::refused,
    candidates::lost,
    connection::never_connected,
    connection::lost,
    connection::vanished_from_signalling,
    delivery::descriptions,
    description::pairs,
    description::rollback,
    ending::rejected,
    ending::unanswered,
    flow::flow,
    gathering::kinds,
    gathering::private_relays,
    gathering::servers,
    gathering::never_completed,
    glare::glare,
    media::denied,
    media::video_toggled,
    negotiation::repeated,
    negotiation::stale,
    negotiation::later_rounds,
    refused::descriptions,
    reloaded::page_reloaded,
    reports::failures,
    sources::sources,
    timing::slow_step,
    tracks::tracks,
];

/// Those that look at what the capture is worth, and not at the call.
pub(super) const OF_THE_CAPTURE: &[Rule] = &[sources::sources];
