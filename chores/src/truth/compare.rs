//! Virtual against real: quantiles of the moments of a call, and how far they are apart.

use std::time::Duration;

use scenario::{
    metrics::{FirstCall, Milestones, percentile},
    plan::{Device, Milestone, Plan},
    record::RunRecord,
    run::Lateness,
    suite::Run,
    timeline::{Entry, Event, VirtualTime},
};

use super::{call::call, play::AtDelay};

/// How far p50 of set-up may be from real time, in per cent of it.
pub(super) const P50_TOLERANCE_PERCENT: u32 = 5;
/// How far p95 of set-up may be from real time, in per cent of it.
pub(super) const P95_TOLERANCE_PERCENT: u32 = 10;

/// What is compared, in the order of a call. Only the last is judged: the time to set up.
pub(super) const MILESTONES: [Milestone; 6] = [
    Milestone::Ringing,
    Milestone::Offer,
    Milestone::Answer,
    Milestone::IceConnected,
    Milestone::DtlsConnected,
    Milestone::Connected,
];

/// The calls at one delay, compared.
pub(super) struct Comparison {
    pub(super) one_way: Duration,
    /// One for each of [`MILESTONES`].
    pub(super) rows: Vec<Row>,
    /// Calls that did not connect, or in which something else did not hold: in virtual time, in real time.
    pub(super) failed: [usize; 2],
    pub(super) lateness: Lateness,
    /// Calls that were played again because the machine had been busy.
    pub(super) repeated: usize,
}

/// A moment of a call, measured from the dial.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) milestone: Milestone,
    /// `None` where no call reached it.
    pub(super) quantiles: Option<[Quantiles; 2]>,
}

/// Of the calls that reached it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Quantiles {
    pub(super) p50: Duration,
    pub(super) p95: Duration,
}

impl Comparison {
    pub(super) fn of(played: &AtDelay) -> Self {
        // Times do not depend on the device's name: one plan knows who calls whom in both.
        let plan = call(played.one_way, Device::Instant);
        let both = [&played.in_virtual_time, &played.in_real_time];
        let moments = both.map(|runs| Moments::of(&plan, runs));
        let rows = MILESTONES.map(|milestone| Row {
            milestone,
            quantiles: match moments.each_ref().map(|moments| moments.quantiles(milestone)) {
                [Some(in_virtual_time), Some(in_real_time)] => Some([in_virtual_time, in_real_time]),
                _ => None,
            },
        });
        let failed = both.map(|runs| runs.iter().filter(|run| !run.passed()).count());
        Self {
            one_way: played.one_way,
            rows: rows.to_vec(),
            failed,
            lateness: played.lateness,
            repeated: played.repeated,
        }
    }

    /// The row that is judged.
    pub(super) fn setup(&self) -> Option<&Row> {
        self.rows.iter().find(|row| row.milestone == Milestone::Connected)
    }

    /// Whether virtual time tells the truth here.
    pub(super) fn agrees(&self) -> bool {
        self.failed == [0, 0] && self.setup().is_some_and(Row::is_within_tolerance)
    }
}

impl Row {
    /// By what fraction of real time virtual time is longer: at p50 and at p95.
    pub(super) fn difference(&self) -> Option<[f64; 2]> {
        let [in_virtual_time, in_real_time] = self.quantiles?;
        let relative = |of: fn(&Quantiles) -> Duration| {
            let (one, other) = (of(&in_virtual_time).as_secs_f64(), of(&in_real_time).as_secs_f64());
            if one == other { 0.0 } else { (one - other) / other }
        };
        Some([relative(|quantiles| quantiles.p50), relative(|quantiles| quantiles.p95)])
    }

    pub(super) fn is_within_tolerance(&self) -> bool {
        self.quantiles.is_some_and(|[one, other]| {
            is_within(one.p50, other.p50, P50_TOLERANCE_PERCENT)
                && is_within(one.p95, other.p95, P95_TOLERANCE_PERCENT)
        })
    }
}

fn is_within(in_virtual_time: Duration, in_real_time: Duration, percent: u32) -> bool {
    in_virtual_time.abs_diff(in_real_time) * 100 <= in_real_time * percent
}

/// The milestones of many runs, each from its own dial: in real time that is a little later than planned.
struct Moments(Vec<(VirtualTime, Milestones)>);

impl Moments {
    fn of(plan: &Plan, runs: &[Run]) -> Self {
        let records = runs.iter().filter_map(|run| run.result.as_ref().ok()?.record.as_deref());
        Self(
            records
                .filter_map(|record| Some((dialled(plan, record)?, Milestones::of(plan, record))))
                .collect(),
        )
    }

    fn quantiles(&self, milestone: Milestone) -> Option<Quantiles> {
        let since_dial = |(dialled, milestones): &(VirtualTime, Milestones)| {
            Some(milestones.at(milestone, None)?.since(*dialled))
        };
        let mut times: Vec<Duration> = self.0.iter().filter_map(since_dial).collect();
        times.sort();
        Some(Quantiles { p50: percentile(&times, 50)?, p95: percentile(&times, 95)? })
    }
}

/// When the caller dialled, by what happened and not by the plan.
fn dialled(plan: &Plan, record: &RunRecord) -> Option<VirtualTime> {
    let caller = FirstCall::of(plan)?.caller;
    let acted = |entry: &&Entry| matches!(entry.event, Event::Action { .. });
    record.timeline.entries.iter().filter(acted).find(|entry| entry.actor == *caller).map(|entry| entry.at)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use scenario::{
        run::Player,
        suite::{self, Cancel, Keep, Options, Played, Seeds},
    };

    use super::*;

    fn row(in_virtual_time: [u64; 2], in_real_time: [u64; 2]) -> Row {
        let quantiles = [in_virtual_time, in_real_time]
            .map(|[p50, p95]| Quantiles { p50: Duration::from_millis(p50), p95: Duration::from_millis(p95) });
        Row { milestone: Milestone::Connected, quantiles: Some(quantiles) }
    }

    #[track_caller]
    fn check(in_virtual_time: [u64; 2], in_real_time: [u64; 2], expect: bool) {
        assert_eq!(row(in_virtual_time, in_real_time).is_within_tolerance(), expect);
    }

    #[test]
    fn p50_may_differ_by_a_twentieth_and_p95_by_a_tenth_either_way() {
        check([1050, 2200], [1000, 2000], true);
        check([950, 1800], [1000, 2000], true);
        check([1051, 2200], [1000, 2000], false);
        check([949, 1800], [1000, 2000], false);
        check([1050, 2201], [1000, 2000], false);
        check([950, 1799], [1000, 2000], false);
    }

    #[test]
    fn what_was_never_reached_does_not_agree() {
        assert!(!Row { milestone: Milestone::Connected, quantiles: None }.is_within_tolerance());
    }

    const ONE_WAY: Duration = Duration::from_millis(20);

    /// Calls without processing. Virtual time stands in for real time here: nothing waits.
    fn played() -> AtDelay {
        let play = || {
            let options = Options { seeds: Seeds::Count(2), jobs: NonZeroUsize::MIN, keep: Keep::Everything };
            let plans = [call(ONE_WAY, Device::Instant)];
            let result = suite::run(
                &plans,
                &options,
                &Cancel::new(),
                |plan, seed| Player::new(plan).seed(seed).play(),
                |_| {},
            );
            result.scenarios.into_iter().next().unwrap()
        };
        let (in_virtual_time, in_real_time) = (play(), play());
        AtDelay {
            one_way: ONE_WAY,
            in_virtual_time,
            in_real_time,
            lateness: Lateness::default(),
            repeated: 0,
        }
    }

    /// The first call in real time, to be changed.
    fn first_real(played: &mut AtDelay) -> &mut Played {
        played.in_real_time[0].result.as_mut().unwrap()
    }

    #[test]
    fn calls_agree_with_themselves() {
        let comparison = Comparison::of(&played());
        assert!(comparison.agrees());
        assert_eq!(comparison.setup().unwrap().difference(), Some([0.0, 0.0]));
        let p50 = |row: &Row| row.quantiles.unwrap()[0].p50.as_millis();
        // A ring is two crossings away, its answer two more.
        assert_eq!([p50(&comparison.rows[0]), p50(&comparison.rows[1])], [40, 80]);
    }

    #[test]
    fn a_call_is_measured_from_its_dial_and_not_from_the_planned_one() {
        let mut played = played();
        let record = first_real(&mut played).record.as_mut().unwrap();
        let acted =
            record.timeline.entries.iter_mut().find(|entry| matches!(entry.event, Event::Action { .. }));
        let dial = acted.unwrap();
        dial.at = dial.at + Duration::from_millis(7);
        let [_, in_real_time] = Comparison::of(&played).rows[0].quantiles.unwrap();
        assert_eq!([in_real_time.p50.as_millis(), in_real_time.p95.as_millis()], [33, 40]);
    }

    #[test]
    fn a_call_that_failed_is_no_agreement() {
        let mut played = played();
        let mut record = Player::new(&call(ONE_WAY, Device::Instant)).seed(1).play().unwrap();
        record.peers.values_mut().for_each(|peer| peer.connected_at = None);
        let failures = scenario::checks::check(&call(ONE_WAY, Device::Instant), &record);
        first_real(&mut played).failures =
            failures.into_iter().map(|failure| (failure, Vec::new())).collect();
        assert!(!Comparison::of(&played).agrees());
    }
}
