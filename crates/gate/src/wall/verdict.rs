//! From assessments to findings.

use super::{Assessment, Power, Presence, Role, State, Subject, WallSettings, assess};
use crate::{finding::Finding, statistics::Interval, verdict::Verdict};

/// Judges the whole tier, in the order of the subjects.
pub(crate) fn judge(subjects: &[Subject], settings: &WallSettings) -> Vec<Finding> {
    let assessments = assess(subjects, settings);
    let failed =
        subjects.iter().zip(&assessments).find(|(subject, assessment)| !control_holds(subject, assessment));
    let broken = failed.map(|(control, assessment)| match assessment.state {
        State::Wants { .. } => format!("time ended before the control `{}` was decided", control.metric.id),
        _ => format!("the control `{}` failed: this machine cannot judge now", control.metric.id),
    });
    subjects
        .iter()
        .zip(&assessments)
        .map(|(subject, assessment)| {
            let finding = finding(subject, assessment, settings);
            match &broken {
                Some(reason) if subject.evidence.role == Role::Metric && is_judged(assessment) => {
                    let message = format!("{reason}; alone it would be: {}", finding.verdict);
                    Finding { verdict: Verdict::Inconclusive, message, ..finding }
                }
                _ => finding,
            }
        })
        .collect()
}

/// Whether a subject is no control, or one that came out as it must.
fn control_holds(subject: &Subject, assessment: &Assessment) -> bool {
    match subject.evidence.role {
        Role::Metric => true,
        Role::ControlSame => assessment.state == State::Pass,
        Role::ControlSlowed(_) => assessment.state == State::Regression,
    }
}

fn is_judged(assessment: &Assessment) -> bool {
    assessment.state != State::NotComparable
}

fn finding(subject: &Subject, assessment: &Assessment, settings: &WallSettings) -> Finding {
    let verdict = match subject.evidence.role {
        Role::Metric => verdict(subject, assessment.state),
        _ if control_holds(subject, assessment) => Verdict::Pass,
        _ => Verdict::Inconclusive,
    };
    let better = subject.metric.better;
    let used = subject.evidence.epochs.get(..assessment.epochs).unwrap_or_default();
    let middle = |mut values: Vec<u64>| {
        values.sort_unstable();
        values.get(values.len() / 2).copied()
    };
    let as_share =
        |interval: Interval| Interval { lower: interval.lower.exp_m1(), upper: interval.upper.exp_m1() };
    Finding {
        verdict,
        base: middle(used.iter().map(|epoch| epoch.best_base(better)).collect()),
        new: middle(used.iter().map(|epoch| epoch.best_new(better)).collect()),
        change: assessment.effect.map(f64::exp_m1),
        interval: assessment.interval.map(as_share),
        limit: Some(settings.limits(&subject.metric).min_effect.exp_m1()),
        message: message(subject, assessment),
    }
}

fn verdict(subject: &Subject, state: State) -> Verdict {
    match (state, subject.evidence.presence) {
        (State::NotComparable, Presence::BaseOnly) => Verdict::Vanished,
        (State::NotComparable, Presence::NewOnly) => Verdict::New,
        (State::NotComparable, _) => Verdict::ToolFailed,
        (State::Regression, _) => Verdict::Regression,
        (State::Pass, _) => Verdict::Pass,
        (State::Improved, _) => Verdict::Improved,
        (
            State::Wants { .. } | State::WantsConfirmation { .. } | State::NotConfirmed | State::Undecided,
            _,
        ) => Verdict::Inconclusive,
    }
}

fn message(subject: &Subject, assessment: &Assessment) -> String {
    let epochs = assessment.epochs;
    let ground = match (assessment.state, subject.evidence.presence) {
        (State::NotComparable, Presence::BaseOnly) => {
            return "the base measures it and the candidate does not: renamed, or lost?".to_owned();
        }
        (State::NotComparable, Presence::NewOnly) => {
            return "only the candidate measures it: it is compared once it was released".to_owned();
        }
        (State::NotComparable, _) => return "the worker failed while it was measured".to_owned(),
        (State::Wants { epochs: wanted }, _) => format!("time ended at {epochs} of {wanted} epochs"),
        (State::WantsConfirmation { .. }, _) => {
            "looks slower; time ended before fresh epochs confirmed it".to_owned()
        }
        (State::NotConfirmed, _) => format!("looked slower in {epochs} epochs and not in fresh ones"),
        (State::Regression, _) => format!("slower in {epochs} epochs, and again in fresh ones"),
        (State::Undecided, _) => format!("still undecided after {epochs} epochs"),
        (State::Pass | State::Improved, _) => format!("{epochs} epochs"),
    };
    let ground_of_control = match assessment.state {
        State::Wants { .. } => ground.clone(),
        _ => format!("{epochs} epochs"),
    };
    let ground = match subject.evidence.role {
        Role::Metric => ground,
        Role::ControlSame => format!("control, base against itself: {ground_of_control}"),
        Role::ControlSlowed(by) => format!("control, slowed down by {by}: {ground_of_control}"),
    };
    format!("{ground}{}", seen(assessment.power))
}

/// What the epochs could have seen.
fn seen(power: Option<Power>) -> String {
    match power {
        Some(Power { spread, detectable: Some(detectable) }) => {
            format!(", spread {:.2} %, sees {:.1} %", spread * 100.0, detectable * 100.0)
        }
        Some(Power { spread, detectable: None }) => {
            format!(", spread {:.2} %, too few to see any slowdown", spread * 100.0)
        }
        None => String::new(),
    }
}
