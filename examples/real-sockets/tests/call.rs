//! What the example promises.

use call_engine::{CallState, EndReason, EngineEvent, MediaKind, State};
use example_real_sockets::{Seen, play};

/// The states of the call that this side passed.
fn states(seen: &[Seen]) -> Vec<CallState> {
    seen.iter()
        .filter_map(|seen| match seen {
            Seen::Event(EngineEvent::StateChanged { to: State::Call(to), .. }) => Some(*to),
            _ => None,
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_engines_call_each_other_over_real_sockets() {
    use CallState::{Connected, Connecting, Dialling, Ended, Ringing};
    let [alice, bob] = play().await.unwrap();
    let end = Ended(EndReason::HungUp);
    assert_eq!(states(&alice), [Dialling, Ringing, Connecting, Connected, end]);
    assert_eq!(states(&bob), [Ringing, Connecting, Connected, end]);
    for side in [alice, bob] {
        for kind in [MediaKind::Audio, MediaKind::Video] {
            assert!(side.contains(&Seen::Media(kind)), "no {kind} in {side:#?}");
        }
        assert!(side.contains(&Seen::Event(EngineEvent::Released { live_tracks: 0 })), "{side:#?}");
    }
}
