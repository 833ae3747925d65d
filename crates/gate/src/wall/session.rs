//! Measuring: which epoch of which metric comes next, and in what order its two processes take turns.

use super::{Epoch, Presence, Role, State, Subject, WallSettings, assess};
use crate::{metric::MetricId, statistics::Draw};

/// One of the two programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// What is compared with.
    Base,
    /// What is judged.
    New,
}

/// What an epoch is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// A look.
    Look,
    /// Confirming a regression.
    Confirmation,
}

/// An epoch to be measured, with a fresh pair of processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The metric.
    pub metric: MetricId,
    /// What the metric is there for: a control runs the base on both sides.
    pub role: Role,
    /// What the epoch is for.
    pub phase: Phase,
    /// Its number within the phase, from 0.
    pub epoch: usize,
    /// Which side runs first in each alternation; the other follows at once. Each is first in half of
    /// them, in random order.
    pub first: Vec<Side>,
}

/// Measures until every subject is decided, or `epoch` answers `None`: out of time. Epochs of all subjects,
/// controls among them, are interleaved.
///
/// # Errors
///
/// Whatever `epoch` fails with.
pub fn measure<E>(
    mut subjects: Vec<Subject>,
    settings: &WallSettings,
    mut epoch: impl FnMut(&Request) -> Result<Option<Epoch>, E>,
) -> Result<Vec<Subject>, E> {
    loop {
        let wanted = wanted(&subjects, settings);
        if wanted.iter().all(Option::is_none) {
            return Ok(subjects);
        }
        for round in 0..settings.looks.last().copied().unwrap_or_default() {
            for (subject, wanted) in subjects.iter_mut().zip(&wanted) {
                let Some(request) = request(subject, *wanted, round, settings) else { continue };
                let Some(measured) = epoch(&request)? else { return Ok(subjects) };
                match request.phase {
                    Phase::Look => subject.evidence.epochs.push(measured),
                    Phase::Confirmation => subject.evidence.confirmation.push(measured),
                }
            }
        }
    }
}

/// How many epochs each subject still wants, and for what.
fn wanted(subjects: &[Subject], settings: &WallSettings) -> Vec<Option<(Phase, usize)>> {
    // The interval that is shown decides nothing: no resamples while measuring.
    let quick = WallSettings { resamples: 1, ..settings.clone() };
    let assessments = assess(subjects, &quick);
    let wanted = assessments.iter().map(|assessment| match assessment.state {
        State::Wants { epochs } => Some((Phase::Look, epochs)),
        State::WantsConfirmation { epochs } => Some((Phase::Confirmation, epochs)),
        _ => None,
    });
    wanted.collect()
}

/// The request of this round: its number is the number of the epoch, where that one is wanted and missing.
fn request(
    subject: &Subject,
    wanted: Option<(Phase, usize)>,
    round: usize,
    settings: &WallSettings,
) -> Option<Request> {
    let (phase, epochs) = wanted.filter(|_| subject.evidence.presence == Presence::Both)?;
    let there = match phase {
        Phase::Look => subject.evidence.epochs.len(),
        Phase::Confirmation => subject.evidence.confirmation.len(),
    };
    if there != round || round >= epochs {
        return None;
    }
    let first = turns(settings, phase, round);
    Some(Request {
        metric: subject.metric.id.clone(),
        role: subject.evidence.role,
        phase,
        epoch: round,
        first,
    })
}

/// Half of the alternations begin with the one side, half with the other, shuffled.
fn turns(settings: &WallSettings, phase: Phase, epoch: usize) -> Vec<Side> {
    let stream = 2 + 2 * epoch as u64 + u64::from(phase == Phase::Confirmation);
    let mut draw = Draw::new(settings.seed, stream);
    let odd_one = usize::from(draw.coin());
    let mut turns: Vec<Side> = (0..settings.alternations)
        .map(|turn| if (turn + odd_one).is_multiple_of(2) { Side::Base } else { Side::New })
        .collect();
    // Fisher and Yates.
    for last in (1..turns.len()).rev() {
        turns.swap(last, draw.below(last + 1));
    }
    turns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_side_is_first_in_half_of_the_turns_in_an_order_of_its_own() {
        let settings = WallSettings::new(1);
        let orders: Vec<Vec<Side>> = (0..20).map(|epoch| turns(&settings, Phase::Look, epoch)).collect();
        for order in &orders {
            assert_eq!(order.iter().filter(|side| **side == Side::Base).count(), 10);
        }
        assert!(orders.windows(2).all(|pair| pair[0] != pair[1]));
        assert_ne!(orders[0], turns(&settings, Phase::Confirmation, 0));
        assert_eq!(orders[0], turns(&settings, Phase::Look, 0));
    }

    #[test]
    fn of_an_odd_number_of_turns_either_side_may_have_one_more() {
        let settings = WallSettings { alternations: 1, ..WallSettings::new(1) };
        let firsts: Vec<Side> = (0..20).map(|epoch| turns(&settings, Phase::Look, epoch)[0]).collect();
        assert!(firsts.contains(&Side::Base) && firsts.contains(&Side::New));
    }
}
