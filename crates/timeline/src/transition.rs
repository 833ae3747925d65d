//! How a transition is written in files: the machine once, both states as words, the reason of an end beside them.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{CallState, Cause, EndReason, Machine, State};

#[derive(Serialize, Deserialize)]
struct Written<'w> {
    machine: Machine,
    from: Cow<'w, str>,
    to: Cow<'w, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<EndReason>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cause: Option<Cause>,
}

pub(crate) fn serialize<S: Serializer>(
    from: &State,
    to: &State,
    cause: &Option<Cause>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let reason = match to {
        State::Call(state) => state.end_reason(),
        State::Signaling(_) | State::Gathering(_) | State::Ice(_) | State::Connection(_) => None,
    };
    let (machine, from, to) = (to.machine(), from.as_str().into(), to.as_str().into());
    Written { machine, from, to, reason, cause: *cause }.serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<(State, State, Option<Cause>), D::Error> {
    let Written { machine, from, to, reason, cause } = Written::deserialize(deserializer)?;
    let state = |word: &str| {
        machine.state(word).ok_or_else(|| D::Error::custom(format!("`{word}` is no state of {machine}")))
    };
    let (from, mut to) = (state(&from)?, state(&to)?);
    if let State::Call(CallState::Ended(why)) = &mut to {
        *why = reason.ok_or_else(|| D::Error::missing_field("reason"))?;
    }
    Ok((from, to, cause))
}
