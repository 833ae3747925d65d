use std::collections::BTreeSet;

use crate::{
    finding::{Finding, share},
    metric::{Better, Budget},
    value::{Distribution, Value},
    verdict::Verdict,
};

/// How many changed seeds are named.
const SEEDS_NAMED: usize = 8;

pub(super) fn values(base: &Value, new: &Value, budget: &Budget, better: Better) -> Finding {
    match (base, new) {
        (Value::Single(base), Value::Single(new)) => single(*base, *new, budget, better),
        (Value::BySeed(base), Value::BySeed(new)) if base.has_seeds_of(new) => {
            by_seed(base, new, budget, better)
        }
        (Value::BySeed(base), Value::BySeed(new)) => {
            let range = |of: &Distribution| format!("{} seeds from {}", of.outcomes().len(), of.first_seed());
            let (base, new) = (range(base), range(new));
            Finding::new(Verdict::Stale, format!("the baseline has {base}, the run {new}: accept it anew"))
        }
        _ => Finding::new(Verdict::Stale, "a number was expected where seeds were played, or the reverse"),
    }
}

fn single(base: u64, new: u64, budget: &Budget, better: Better) -> Finding {
    let verdict = figure(base, new, budget, better);
    let message = match (verdict, base == new) {
        (_, true) => "exactly as expected",
        (Verdict::Pass, false) => "changed within its budget",
        (Verdict::Regression, false) => "worse than expected",
        (_, false) => "better than expected: `gate accept` it, so that it stays so",
    };
    Finding {
        base: Some(base),
        new: Some(new),
        change: share(better.worsening(base, new), base),
        limit: Some(budget.max_change().fraction()),
        ..Finding::new(verdict, message)
    }
}

/// Judges one figure.
fn figure(base: u64, new: u64, budget: &Budget, better: Better) -> Verdict {
    let worsening = better.worsening(base, new);
    match (budget.is_exceeded(base, worsening), worsening > 0) {
        (false, _) => Verdict::Pass,
        (true, true) => Verdict::Regression,
        (true, false) => Verdict::ImprovedNotAccepted,
    }
}

fn by_seed(base: &Distribution, new: &Distribution, budget: &Budget, better: Better) -> Finding {
    let (old, now) = (base.summary(), new.summary());
    let parts = [
        ("p50", percentile(old.p50, now.p50, budget, better), shown(old.p50), shown(now.p50)),
        ("p95", percentile(old.p95, now.p95, budget, better), shown(old.p95), shown(now.p95)),
        (
            "failures",
            failures(old.failures, now.failures, budget),
            old.failures.to_string(),
            now.failures.to_string(),
        ),
    ];
    let verdict = parts.iter().map(|part| part.1).min().unwrap_or(Verdict::Pass);
    let mut grounds: Vec<String> = parts
        .iter()
        .filter(|(_, part, ..)| *part != Verdict::Pass)
        .map(|(name, _, old, now)| format!("{name} {old} → {now}"))
        .collect();
    grounds.push(seeds(&base.changed_seeds(new), base.outcomes().len()));
    let worsening = old.p95.zip(now.p95).and_then(|(old, now)| share(better.worsening(old, now), old));
    Finding {
        base: old.p95,
        new: now.p95,
        change: worsening,
        limit: Some(budget.max_change().fraction()),
        ..Finding::new(verdict, grounds.join(", "))
    }
}

/// A percentile that is no longer there: every seed failed, which the failures say.
fn percentile(base: Option<u64>, new: Option<u64>, budget: &Budget, better: Better) -> Verdict {
    match (base, new) {
        (Some(base), Some(new)) => figure(base, new, budget, better),
        _ => Verdict::Pass,
    }
}

fn failures(base: u64, new: u64, budget: &Budget) -> Verdict {
    match (base.abs_diff(new) > budget.more_failures(), new > base) {
        (false, _) => Verdict::Pass,
        (true, true) => Verdict::Regression,
        (true, false) => Verdict::ImprovedNotAccepted,
    }
}

fn shown(figure: Option<u64>) -> String {
    figure.map_or_else(|| "none".to_owned(), |figure| figure.to_string())
}

/// "3 of 200 seeds changed: 4, 17, 90".
pub(super) fn seeds(changed: &BTreeSet<u64>, of: usize) -> String {
    if changed.is_empty() {
        return format!("none of {of} seeds changed");
    }
    let named: Vec<String> = changed.iter().take(SEEDS_NAMED).map(ToString::to_string).collect();
    let more = if changed.len() > SEEDS_NAMED { ", …" } else { "" };
    format!("{} of {of} seeds changed: {}{more}", changed.len(), named.join(", "))
}
