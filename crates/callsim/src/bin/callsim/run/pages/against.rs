//! `--against`: two runs beside each other, and where they first differ.

use std::{collections::BTreeSet, path::Path};

use anyhow::anyhow;
use page::{CallPage, Difference, Layout};
use scenario::{plan::Plan, suite::Seeds};
use timeline::{Entry, Name, Timeline, event_line};

use super::{super::input::Chosen, Asked, facts, played, repeat, verdict, view};
use crate::output::BadInput;

/// The run of `plan` with `seed`, and beside it that of another seed, or of the scenario in another file.
pub(super) fn page(asked: &Asked<'_>, plan: &Plan, seed: u64, other: &str) -> anyhow::Result<CallPage> {
    let read = match other.parse::<u64>() {
        Ok(_) => None,
        Err(_) if Path::new(other).is_file() => {
            let chosen = Chosen::load(asked.project, asked.arguments.dir.as_deref(), &[other.to_owned()])
                .map_err(|_| anyhow!(BadInput(format!("--against {other}: the scenario cannot be used"))))?;
            chosen.plans.into_iter().next()
        }
        Err(_) => {
            let what = format!("--against takes a seed or a scenario's file, and `{other}` is neither");
            return Err(anyhow!(BadInput(what)));
        }
    };
    let (plans, seeds) = ([plan, read.as_ref().unwrap_or(plan)], [seed, other.parse().unwrap_or(seed)]);
    let names = match &read {
        Some(other) => [plan.name().to_owned(), other.name().to_owned()],
        None => seeds.map(|seed| format!("seed {seed}")),
    };
    let [(one, first), (two, second)] = [played(plans[0], seeds[0])?, played(plans[1], seeds[1])?];
    let difference = difference(&first.timeline, &second.timeline, &names);
    let mut verdict = verdict(&one, &format!("{} --against {other}", repeat(asked, plan, Seeds::One(seed))));
    let came = |passed: bool| if passed { "passed" } else { "failed" };
    let (passed, other_passed) = (one.failures.is_empty(), two.failures.is_empty());
    verdict.sentence = format!(
        "{} {} ({}), {} {} ({}). {} {}",
        names[0],
        came(passed),
        one.outcome,
        names[1],
        came(other_passed),
        two.outcome,
        difference.as_ref().map_or_else(
            || "Everybody does the same in both.".to_owned(),
            |it| format!("First difference: {}.", it.text)
        ),
        if passed { "" } else { verdict.sentence.as_str() }
    );
    let named = |name: &str, facts: Vec<(String, String)>| {
        facts.into_iter().map(|(fact, value)| (format!("{name}: {fact}"), value)).collect::<Vec<_>>()
    };
    Ok(CallPage {
        title: format!("{}: {} against {}", plan.name(), names[0], names[1]),
        summary: plan.summary().to_owned(),
        verdict,
        marks: Vec::new(),
        views: vec![view(&names[0], plans[0], &first), view(&names[1], plans[1], &second)],
        difference,
        facts: named(&names[0], facts(&one, &first))
            .into_iter()
            .chain(named(&names[1], facts(&two, &second)))
            .collect(),
        layout: Layout::SideBySide,
    })
}

/// The first thing that somebody does in one and not in the other. Each actor is compared for itself, without its times,
/// which differ from seed to seed.
fn difference(one: &Timeline, other: &Timeline, names: &[String; 2]) -> Option<Difference> {
    let actors: BTreeSet<&Name> =
        one.entries.iter().chain(&other.entries).map(|entry| &entry.actor).collect();
    let of = |timeline: &'_ Timeline, actor: &Name| -> Vec<Entry> {
        timeline.entries.iter().filter(|entry| entry.actor == *actor).cloned().collect()
    };
    let found = actors.into_iter().filter_map(|actor| {
        let (left, right) = (of(one, actor), of(other, actor));
        let same =
            left.iter().zip(&right).take_while(|(a, b)| event_line(&a.event) == event_line(&b.event)).count();
        let (left, right) = (left.get(same), right.get(same));
        if left.is_none() && right.is_none() {
            return None;
        }
        let at = |entry: Option<&Entry>, beside: Option<&Entry>| {
            entry.or(beside).map_or(0.0, |entry| entry.at.as_millis_f64())
        };
        let said = |name: &str, entry: Option<&Entry>| match entry {
            Some(entry) => format!("in {name} \"{}\" at {} ms", event_line(&entry.event), entry.at),
            None => format!("in {name} nothing more"),
        };
        Some(Difference {
            at: [at(left, right), at(right, left)],
            text: format!("{actor}: {}, {}", said(&names[0], left), said(&names[1], right)),
        })
    });
    found.min_by(|a, b| a.at[0].min(a.at[1]).total_cmp(&b.at[0].min(b.at[1])))
}

#[cfg(test)]
mod tests {
    use timeline::{Event, VirtualTime};

    use super::*;

    fn timeline(entries: &[(u64, &str, &'static str)]) -> Timeline {
        let entry = |&(ms, actor, what): &(u64, &str, &'static str)| Entry {
            at: VirtualTime::from_millis(ms),
            actor: actor.into(),
            event: Event::Note { what: what.into() },
        };
        Timeline { entries: entries.iter().map(entry).collect(), packets: Vec::new() }
    }

    #[test]
    fn what_differs_first_is_found_whatever_the_times_and_the_order_between_actors() {
        let names = ["seed 1".to_owned(), "seed 2".to_owned()];
        let one = timeline(&[(1, "caller", "dials"), (5, "callee", "rings"), (9, "caller", "hangs up")]);
        let same = timeline(&[(2, "callee", "rings"), (3, "caller", "dials"), (9, "caller", "hangs up")]);
        assert!(difference(&one, &same, &names).is_none());
        let other = timeline(&[(1, "caller", "dials"), (6, "callee", "is busy")]);
        let found = difference(&one, &other, &names).unwrap();
        assert_eq!(found.at, [5.0, 6.0]);
        assert_eq!(found.text, "callee: in seed 1 \"rings\" at 5 ms, in seed 2 \"is busy\" at 6 ms");
        let shorter = timeline(&[(1, "caller", "dials"), (5, "callee", "rings")]);
        let found = difference(&one, &shorter, &names).unwrap();
        assert_eq!((found.at, found.text.contains("nothing more")), ([9.0, 9.0], true));
    }
}
