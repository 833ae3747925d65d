//! Why a run failed: the one cause, first in every report, of which the other failures are consequences.
//!
//! A rule looks at one kind of trouble, and says nothing unless the run shows it. The first rule that speaks is right:
//! they are asked in the order in which a call comes about, so that what could not work at all goes before what did
//! not come of it. What no rule explains is its own cause, under the name of the check that failed.
//!
//! Invariants:
//! - A cause is a pure function of plan, record and failures.
//! - A run that failed has a cause, one that did not has none.

mod candidates;
mod counts;
mod data;
mod descriptions;
mod dtls;
mod excerpt;
mod ice;
mod links;
mod lost;
mod media;
mod people;
mod restart;
mod run;
mod scene;
mod servers;
mod signalling;
mod theory;

pub use diagnosis::{Cause, Code, Consequence, Evidence, Level, wording::moment};

pub use self::excerpt::excerpt;
pub(crate) use self::excerpt::tail;
use self::scene::Scene;
use crate::{checks::Failure, plan::Plan, record::RunRecord};

/// A rule: what it finds, if it finds something.
type Rule = fn(&Scene<'_>) -> Option<Cause>;

/// Why a call did not come about, in the order in which it would have.
const SET_UP: &[Rule] = &[
    people::denied,
    signalling::message_refused,
    signalling::undelivered,
    signalling::ended,
    people::unwilling,
    people::cancelled,
    descriptions::cannot_build,
    descriptions::glare,
    descriptions::refused,
    descriptions::not_answered,
    theory::no_way,
    candidates::rejected,
    candidates::never_signalled,
    candidates::never_relayed,
    candidates::never_applied,
    servers::failed,
    ice::never_connected,
    dtls::never_connected,
    people::hung_up,
];

/// What went wrong with a call that was connected.
const IN_MID_CALL: &[Rule] = &[
    people::denied,
    descriptions::refused,
    restart::failed,
    signalling::ended,
    media::missing,
    signalling::bye_lost,
    lost::lost,
    signalling::lost,
    media::unexpected,
];

/// What is not about whether the call works.
const BESIDES: &[Rule] = &[data::missing, counts::offers, counts::ends, counts::slow, run::stopped];

/// The cause of the `failures` of a run; `None` where there are none.
pub fn cause(plan: &Plan, record: &RunRecord, failures: &[Failure]) -> Option<Cause> {
    let first = failures.first()?;
    let scene = Scene::new(plan, record, failures);
    let found = run::broken(&scene)
        .or_else(|| scene.missed().then(|| ask(SET_UP, &scene)).flatten())
        .or_else(|| scene.broke().then(|| ask(IN_MID_CALL, &scene)).flatten())
        .or_else(|| ask(BESIDES, &scene));
    let mut cause = found.unwrap_or_else(|| its_own(first));
    cause.consequences = failures.iter().map(consequence).collect();
    Some(cause)
}

fn ask(rules: &[Rule], scene: &Scene<'_>) -> Option<Cause> {
    rules.iter().find_map(|rule| rule(scene))
}

/// A failure that nothing else explains.
fn its_own(failure: &Failure) -> Cause {
    let Failure { check, at, message, .. } = failure;
    let sentence = match message.starts_with("expected") {
        true => format!("{check}: {message}"),
        false => message.clone(),
    };
    Cause::new(code_of(check), *at, sentence)
}

fn consequence(failure: &Failure) -> Consequence {
    Consequence { code: code_of(failure.check), sentence: failure.message.clone() }
}

/// The code of a check that failed.
pub(crate) fn code_of(check: &str) -> Code {
    Code::from_word(check).unwrap_or(Code::Outcome)
}

#[cfg(test)]
mod tests;
