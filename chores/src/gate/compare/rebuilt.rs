//! Instructions that were counted under other conditions: the old sources are counted under these.

use gate::{
    baseline::{Expected, Reference},
    instructions::Counts,
    metric::Tier,
    value::Value,
};

use super::{COUNTS, Session};
use crate::gate::{
    git::{Base, short},
    tier,
};

impl Session<'_> {
    /// The reference as it is, where it applies. Where compiler, C library or valgrind are others than those of the
    /// baseline, counts of the merge base's own worker take the place of its numbers, as long as there is one.
    /// What was accepted since changes them by the share that was accepted.
    pub(super) fn rebuilt_if_stale(
        &mut self,
        reference: Option<Reference>,
        measured: &tier::instructions::Measured,
    ) -> anyhow::Result<Option<Reference>> {
        let Some(mut reference) = reference else { return Ok(None) };
        let counted = measured.counts.values().any(|(_, counts)| matches!(counts, Counts::Counted(_)));
        let applies = reference.fingerprint == measured.fingerprint || !counted;
        let (false, true, Some(repository), Base::Commit { commit, what }) =
            (applies, self.is_own_worker(), &self.repository, &self.base)
        else {
            return Ok(Some(reference));
        };
        let Some(worker) = self.worker_of(repository, commit)? else { return Ok(Some(reference)) };
        let there = self.baselines.there(Tier::Instructions, repository, commit);
        let times = COUNTS[usize::from(self.arguments.release)];
        let old = tier::instructions::measure(&worker, &self.wanted, times)?;
        if old.fingerprint != measured.fingerprint {
            return Ok(Some(reference));
        }
        // Numbers of different conditions have no share to one another.
        let unscaled = reference.fingerprint_changed;
        reference.metrics.retain(|id, expected| {
            if unscaled && let Some(then) = there.as_ref().and_then(|there| there.metrics.get(id)) {
                expected.value.clone_from(&then.value);
            }
            let then = there.as_ref().and_then(|there| there.metrics.get(id));
            let counts = old.counts.get(id).map(|(_, counts)| counts);
            transfer(expected, then, counts)
        });
        reference.fingerprint.clone_from(&measured.fingerprint);
        let note = format!(
            "instructions: the baseline was counted under other conditions; {what} ({}) was built and counted here instead",
            short(commit)
        );
        self.notes.push(note);
        Ok(Some(reference))
    }
}

/// Replaces what is expected by what was counted of the old sources, changed by the share that was accepted since.
/// `false` where the old sources do not have it: then it is new.
fn transfer(expected: &mut Expected, then: Option<&Expected>, counts: Option<&Counts>) -> bool {
    let Some(Counts::Counted(counts)) = counts else { return false };
    let Some(&counted) = counts.get(counts.len() / 2) else { return false };
    let (Some(Value::Single(then)), &Value::Single(now)) = (then.map(|then| &then.value), &expected.value)
    else {
        return false;
    };
    let scaled = u128::from(counted) * u128::from(now) / u128::from((*then).max(1));
    expected.value = Value::Single(u64::try_from(scaled).unwrap_or(u64::MAX));
    true
}

#[cfg(test)]
mod tests {
    use gate::metric::{Better, Unit};

    use super::*;

    fn expected(value: u64) -> Expected {
        let value = Value::Single(value);
        Expected { unit: Unit::Instructions, better: Better::Lower, budget: None, value }
    }

    #[track_caller]
    fn check(now: u64, then: Option<u64>, counts: &[u64], expect: Option<u64>) {
        let mut here = expected(now);
        let there = then.map(expected);
        let kept = transfer(&mut here, there.as_ref(), Some(&Counts::Counted(counts.to_vec())));
        assert_eq!(kept.then_some(here.value), expect.map(Value::Single));
    }

    #[test]
    fn the_old_sources_count_and_what_was_accepted_since_moves_them_by_its_share() {
        check(1000, Some(1000), &[1190, 1200, 1210], Some(1200));
        check(1100, Some(1000), &[1200], Some(1320));
        check(1000, None, &[1200], None);
        check(1000, Some(1000), &[], None);
    }
}
