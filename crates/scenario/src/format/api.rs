//! Calls of the API that a peer's application makes by itself: `{ add-track = "audio" }`, `{ set-local-description =
//! "offer" }`, `{ set-remote-description = { nth = 1 } }`, `"close"`.

use std::collections::BTreeSet;

use timeline::Name;

use super::{
    error::{ProblemKind, Problems, Span},
    reader::Value,
    values::vocabulary,
};
use crate::plan::{Action, ApiCall, LocalWord, MediaKind, Step};

/// Those that say more.
pub(super) const TABLES: [&str; 5] =
    ["add-track", "remove-track", "set-local-description", "set-remote-description", "add-ice-candidate"];

/// How many descriptions one peer may make.
const DESCRIPTIONS: u64 = 1000;

/// The call of one word.
pub(super) fn of_word(word: &str) -> Option<ApiCall> {
    Some(match word {
        "create-data-channel" => ApiCall::CreateDataChannel,
        "restart-ice" => ApiCall::RestartIce,
        "close" => ApiCall::Close,
        _ => return None,
    })
}

/// The call at one of [`TABLES`].
pub(super) fn of_table(key: &str, value: Value<'_>, problems: &Problems) -> Option<ApiCall> {
    let kind = vocabulary!("kind of media", MediaKind);
    Some(match key {
        "add-track" => ApiCall::AddTrack(value.word(&kind, problems)?),
        "remove-track" => ApiCall::RemoveTrack(value.word(&kind, problems)?),
        "set-local-description" => {
            ApiCall::SetLocalDescription(value.word(&vocabulary!("description", LocalWord), problems)?)
        }
        "set-remote-description" => {
            let mut table = value.table("set-remote-description", problems)?;
            let nth = table.integer("nth", 1..=DESCRIPTIONS, problems);
            let sdp = table.take("sdp").and_then(|value| value.sentence(problems));
            table.finish(problems);
            ApiCall::SetRemoteDescription { nth: number(nth), sdp }
        }
        _ => {
            let mut table = value.table("add-ice-candidate", problems)?;
            let nth = table.integer("nth", 1..=DESCRIPTIONS, problems);
            table.finish(problems);
            ApiCall::AddIceCandidate { nth: number(nth) }
        }
    })
}

fn number(nth: Option<u64>) -> u32 {
    nth.and_then(|nth| u32::try_from(nth).ok()).unwrap_or(1)
}

/// Calls of the API come from two peers, each of which does nothing else.
pub(super) fn check(steps: &[(Step, Span)], problems: &Problems) {
    let of = |wanted: fn(&Action) -> bool| -> BTreeSet<&Name> {
        steps.iter().filter(|(step, _)| wanted(&step.action)).map(|(step, _)| step.action.subject()).collect()
    };
    let driven = of(|action| matches!(action, Action::Api { .. }));
    if driven.is_empty() {
        return;
    }
    let place = |found: &dyn Fn(&Action) -> bool| {
        steps.iter().find(|(step, _)| found(&step.action)).map(|(_, at)| at.clone()).unwrap_or_default()
    };
    if driven.len() != 2 {
        let reason = format!("calls of the API are made by {} of the peers, and it takes two", driven.len());
        let at = place(&|action| matches!(action, Action::Api { .. }));
        problems.add(ProblemKind::Impossible { reason }, at);
    }
    let needs_engine: fn(&Action) -> bool = |action| {
        matches!(
            action,
            Action::Dial { .. }
                | Action::Accept { .. }
                | Action::Reject { .. }
                | Action::HangUp { .. }
                | Action::NegotiationNeeded { .. }
                | Action::InCall { .. }
        )
    };
    for peer in of(needs_engine).intersection(&driven) {
        let reason =
            format!("`{peer}` makes calls of the API by itself, and has no engine that could do this");
        let at = place(&|action| needs_engine(action) && action.subject() == *peer);
        problems.add(ProblemKind::Impossible { reason }, at);
    }
}
