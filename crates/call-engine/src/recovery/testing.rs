//! What several tests of the ladder begin with.

use std::time::Duration;

use super::{Input, Ladder};

/// What an ordinary call tells its ladder until it is connected.
pub(super) const CONNECTS: [Input; 4] =
    [Input::Negotiating, Input::Checking, Input::IceConnected, Input::Connected];

/// The ladder of a call that is connected from the beginning on.
#[track_caller]
pub(super) fn connected(mut ladder: Ladder) -> Ladder {
    for input in CONNECTS {
        assert_eq!(ladder.on(Duration::ZERO, input), [], "an ordinary call needs no recovery");
    }
    ladder
}
