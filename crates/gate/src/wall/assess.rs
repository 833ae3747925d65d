//! The decision over a family of metrics: a pure function of their epochs.

use super::{Epoch, Power, Presence, Role, Subject, WallSettings, settings::Limits};
use crate::statistics::{Bootstrap, Interval, holm, median, p_value_above, p_value_below};

/// Where a metric of the wall tier stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It cannot be compared: only one program knows it, or one failed.
    NotComparable,
    /// It needs epochs up to this number for the next look.
    Wants {
        /// How many, with those that are there.
        epochs: usize,
    },
    /// It looks like a regression and needs so many fresh epochs to confirm it.
    WantsConfirmation {
        /// How many, with those that are there.
        epochs: usize,
    },
    /// Slower, and confirmed.
    Regression,
    /// A look called it slower, the fresh epochs did not.
    NotConfirmed,
    /// Not slower than is claimed.
    Pass,
    /// Faster.
    Improved,
    /// The last look decided nothing.
    Undecided,
}

/// Where a metric stands, and the figures behind it. Effects are logarithms of ratios, positive where it
/// got worse.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessment {
    /// Where it stands.
    pub state: State,
    /// How many epochs the figures are of.
    pub epochs: usize,
    /// The median effect.
    pub effect: Option<f64>,
    /// The bootstrap interval of the median, at the level of one look on either side.
    pub interval: Option<Interval>,
    /// The chance of epochs like these where the slowdown is not above the smallest of interest.
    pub p_value: f64,
    /// How well the epochs can see.
    pub power: Option<Power>,
}

/// Assesses subjects together. Metrics guard one another against false alarms; a control stands alone.
pub fn assess(subjects: &[Subject], settings: &WallSettings) -> Vec<Assessment> {
    let effects: Vec<Effects> = subjects.iter().map(|subject| Effects::of(subject, settings)).collect();
    let metrics = effects.iter().filter(|effects| effects.role == Role::Metric && effects.comparable).count();
    let mut decided: Vec<Option<Decision>> = vec![None; subjects.len()];
    for &look in &settings.looks {
        take_look(look, &effects, &mut decided, settings);
    }
    effects
        .iter()
        .zip(decided)
        .map(|(effects, decision)| effects.assessment(decision, metrics, settings))
        .collect()
}

/// What a look said, and at how many epochs.
#[derive(Clone, Copy, Debug)]
enum Decision {
    Slower { look: usize },
    NotSlower { look: usize, state: State },
}

fn take_look(look: usize, all: &[Effects], decided: &mut [Option<Decision>], settings: &WallSettings) {
    let level = settings.alpha_of_look();
    // Whoever is decided, or lacks epochs, stays in the family with p = 1: that can only make Holm stricter.
    let p_of = |index: usize| match decided[index] {
        None => all[index].p_value(look).unwrap_or(1.0),
        Some(_) => 1.0,
    };
    let members: Vec<usize> = (0..all.len()).filter(|&index| all[index].is_member()).collect();
    let p_values: Vec<f64> = members.iter().map(|&index| p_of(index)).collect();
    let mut slower = vec![false; all.len()];
    for (&index, rejected) in members.iter().zip(holm(&p_values, level)) {
        slower[index] = rejected;
    }
    for (index, effects) in all.iter().enumerate() {
        if effects.role != Role::Metric {
            slower[index] = p_of(index) <= level;
        }
    }
    for (index, effects) in all.iter().enumerate() {
        let Some(prefix) = effects.at(look).filter(|_| decided[index].is_none()) else { continue };
        decided[index] = if slower[index] {
            Some(Decision::Slower { look })
        } else {
            not_slower(prefix, effects.limits, level).map(|state| Decision::NotSlower { look, state })
        };
    }
}

fn not_slower(effects: &[f64], limits: Limits, level: f64) -> Option<State> {
    if p_value_below(effects, -limits.min_effect) <= level {
        return Some(State::Improved);
    }
    (p_value_below(effects, limits.claim) <= level).then_some(State::Pass)
}

/// The effects of a subject's epochs.
struct Effects {
    role: Role,
    comparable: bool,
    limits: Limits,
    first: Vec<f64>,
    confirmation: Vec<f64>,
}

impl Effects {
    fn of(subject: &Subject, settings: &WallSettings) -> Self {
        let better = subject.metric.better;
        let effects = |epochs: &[Epoch]| epochs.iter().map(|epoch| epoch.effect(better)).collect();
        Self {
            role: subject.evidence.role,
            comparable: subject.evidence.presence == Presence::Both,
            limits: settings.limits(&subject.metric),
            first: effects(&subject.evidence.epochs),
            confirmation: effects(&subject.evidence.confirmation),
        }
    }

    fn is_member(&self) -> bool {
        self.role == Role::Metric && self.comparable
    }

    /// The epochs of a look, if all are there.
    fn at(&self, look: usize) -> Option<&[f64]> {
        self.first.get(..look).filter(|_| self.comparable)
    }

    fn p_value(&self, look: usize) -> Option<f64> {
        self.at(look).map(|effects| p_value_above(effects, self.limits.min_effect))
    }

    fn assessment(&self, decision: Option<Decision>, family: usize, settings: &WallSettings) -> Assessment {
        let used = match decision {
            Some(Decision::Slower { look } | Decision::NotSlower { look, .. }) => &self.first[..look],
            None => &self.first[..self.first.len().min(settings.looks.last().copied().unwrap_or_default())],
        };
        let bootstrap = Bootstrap { resamples: settings.resamples, seed: settings.seed };
        Assessment {
            state: self.state(decision, settings),
            epochs: used.len(),
            effect: median(used),
            interval: bootstrap.of_median(used, settings.alpha_of_look()),
            p_value: p_value_above(used, self.limits.min_effect),
            power: (!used.is_empty()).then(|| Power::of(used, family, self.limits, settings)),
        }
    }

    fn state(&self, decision: Option<Decision>, settings: &WallSettings) -> State {
        match decision {
            _ if !self.comparable => State::NotComparable,
            Some(Decision::NotSlower { state, .. }) => state,
            // What a control is slowed down by is known: once is enough.
            Some(Decision::Slower { .. }) if self.role != Role::Metric => State::Regression,
            Some(Decision::Slower { .. }) => self.confirmation(settings),
            None => {
                let next = settings.looks.iter().find(|look| **look > self.first.len());
                next.map_or(State::Undecided, |&epochs| State::Wants { epochs })
            }
        }
    }

    /// A regression must be seen again in fresh epochs, at as many looks as there are; it is given up when
    /// they say that the slowdown is below interest, or nothing to the end.
    fn confirmation(&self, settings: &WallSettings) -> State {
        let level = settings.alpha_of_look();
        for &look in &settings.looks {
            let Some(fresh) = self.confirmation.get(..look) else {
                return State::WantsConfirmation { epochs: look };
            };
            if p_value_above(fresh, self.limits.min_effect) <= level {
                return State::Regression;
            }
            if p_value_below(fresh, self.limits.min_effect) <= level {
                return State::NotConfirmed;
            }
        }
        State::NotConfirmed
    }
}
