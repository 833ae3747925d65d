//! The calls that are measured.

use scenario::{plan::Plan, profile};
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

/// Whom everybody calls, and who calls them, on the named networks.
const OTHER: &str = "wifi";

/// All of them: scenarios, then a call on each named network.
///
/// # Errors
///
/// [`BrokenPlan`] where a plan cannot be read.
pub fn cases() -> Result<Vec<Case>, BrokenPlan> {
    let scenarios = SCENARIOS.iter().map(|(name, text, weather)| case(name, text, *weather));
    scenarios.chain(profile::names().into_iter().map(|name| on_profile(name, OTHER))).collect()
}

/// A voice call from somebody on the named network `caller` to somebody on `callee`, with a STUN and TURN server.
///
/// The microphones are on for seven seconds from the dial, and again when the engine's half minute is over: who connects
/// in between is heard then, and silence costs nothing.
///
/// # Errors
///
/// [`BrokenPlan`] where there is no such profile.
pub fn on_profile(caller: &str, callee: &str) -> Result<Case, BrokenPlan> {
    let text = format!(
        r#"version = 1
summary = "{caller} calls {callee}."

[peers.caller]
profile = "{caller}"
media = "audio-only"
[peers.callee]
profile = "{callee}"
media = "audio-only"

[signaller]
transport = "websocket-with-fallback"

[ice-servers.turn]

[[steps]]
at = "5s"
caller = {{ dial = "callee" }}

[[steps]]
at = "12s"
caller = "disable-audio"
callee = "disable-audio"

[[steps]]
at = "38s"
caller = "enable-audio"
callee = "enable-audio"

[[steps]]
at = "40s"
caller = "hang-up"

[expect]
"#
    );
    case(&format!("profiles/{caller}-to-{callee}"), &text, Weather::Rough)
}

fn case(id: &str, text: &str, weather: Weather) -> Result<Case, BrokenPlan> {
    let plan = Plan::from_toml(id, text).map_err(|error| BrokenPlan {
        id: id.to_owned(),
        lines: error.lines().collect::<Vec<_>>().join("\n"),
    })?;
    Ok(Case { id: id.to_owned(), weather, plan })
}
