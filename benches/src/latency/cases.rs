//! The calls that are measured.

use scenario::{
    format::FormatError,
    plan::Plan,
    profile::{self, Profiles, USUAL_CALLEE},
};
use thiserror::Error;

use super::{Case, Weather};

/// A plan of ours that cannot be read: our mistake.
#[derive(Debug, Error)]
#[error("{id}:\n{lines}")]
pub struct BrokenPlan {
    /// The case.
    pub id: String,
    /// What is wrong, as the format shows it.
    pub lines: String,
}

macro_rules! scenarios {
    ($($name:literal: $weather:ident,)*) => {
        &[$(($name, include_str!(concat!("../../../scenarios/", $name, ".toml")), Weather::$weather)),*]
    };
}

/// Scenarios that are measured as they stand.
const SCENARIOS: &[(&str, &str, Weather)] = scenarios![
    "happy/host-candidates": Calm,
    "happy/callee-hangs-up": Calm,
    "happy/voice-only": Calm,
    "signalling/over-websocket": Calm,
    "signalling/over-rest": Calm,
    "nat/cone-to-cone": Calm,
    "nat/port-restricted-to-symmetric-with-turn": Calm,
    "turn/relay-only-both": Calm,
    "negotiation/candidates-before-offer": Calm,
    "loss/uniform-5pct": Rough,
    "loss/bursts": Rough,
    "loss/jittery-150ms": Rough,
];

/// All of them: scenarios, then a call on each named network.
///
/// # Errors
///
/// [`BrokenPlan`] where a plan cannot be read.
pub fn cases() -> Result<Vec<Case>, BrokenPlan> {
    let scenarios = SCENARIOS.iter().map(|(name, text, weather)| case(name, text, *weather));
    let profiles = Profiles::default().all();
    scenarios.chain(profiles.iter().map(|profile| on_profile(&profile.name, USUAL_CALLEE))).collect()
}

/// A voice call from somebody on the named network `caller` to somebody on `callee`: [`profile::call_between`].
///
/// # Errors
///
/// [`BrokenPlan`] where there is no such profile.
pub fn on_profile(caller: &str, callee: &str) -> Result<Case, BrokenPlan> {
    let id = format!("profiles/{caller}-to-{callee}");
    let plan = profile::call_between(&Profiles::default(), caller, callee);
    plan.map(|plan| Case { id: id.clone(), weather: Weather::Rough, plan }).map_err(broken(&id))
}

fn case(id: &str, text: &str, weather: Weather) -> Result<Case, BrokenPlan> {
    let plan = Plan::from_toml(id, text).map_err(broken(id))?;
    Ok(Case { id: id.to_owned(), weather, plan })
}

fn broken(id: &str) -> impl FnOnce(FormatError) -> BrokenPlan {
    move |error| BrokenPlan { id: id.to_owned(), lines: error.lines().collect::<Vec<_>>().join("\n") }
}
