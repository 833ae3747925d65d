//! Scenarios as tests of a user's own.

use std::fmt::Write as _;

use scenario::{
    cause::{self, Cause},
    checks,
    record::RunRecord,
    run::Player,
};
use timeline::{escaped, transcript};

/// The variable that makes [`assert_passes`] play one seed only, with the whole transcript where it fails.
pub const SEED_VARIABLE: &str = "CALLSIM_SEED";

/// Plays a plan with every seed, and panics where something that it expects does not hold.
///
/// The message has the cause of the first seed that fails, the transcript around its moment, and one line that repeats this
/// seed alone: with [`SEED_VARIABLE`] set, only that seed is played.
///
/// ```
/// use callsim::{Plan, Player, Task, assert_passes};
///
/// let plan = Plan::from_toml("first", callsim::EXAMPLE).unwrap();
/// assert_passes(&plan, 1..=3);
///
/// // With programs of your own at some peers:
/// let (steps, _) = callsim::EXAMPLE.split_once("[expect]").unwrap();
/// let plan = Plan::from_toml("second", &format!("{steps}[expect]\noutcome = \"cancelled\"\n")).unwrap();
/// assert_passes(Player::new(&plan).program("bob", |place| Task::start(&place, async {})), 1..=3);
/// ```
///
/// # Panics
/// Where a run fails, cannot be played, or [`SEED_VARIABLE`] is no number.
#[track_caller]
pub fn assert_passes<'p>(what: impl Into<Player<'p>>, seeds: impl IntoIterator<Item = u64>) {
    let (seeds, wanted) = match std::env::var(SEED_VARIABLE) {
        Ok(text) => match text.parse() {
            Ok(seed) => (vec![seed], Detail::Whole),
            Err(_) => panic!("{SEED_VARIABLE} is `{text}`, not the number of a seed"),
        },
        Err(_) => (seeds.into_iter().collect(), Detail::Around),
    };
    if let Some(message) = failures_of(&what.into(), &seeds, wanted) {
        panic!("{message}");
    }
}

/// How much of a transcript is shown.
#[derive(Clone, Copy)]
enum Detail {
    /// The lines around the moment of the cause.
    Around,
    /// All of it.
    Whole,
}

/// What is wrong with a seed.
enum Problem {
    NotPlayed(String),
    Failed(Box<Cause>, Box<RunRecord>),
}

fn failures_of(player: &Player<'_>, seeds: &[u64], detail: Detail) -> Option<String> {
    let plan = player.plan();
    let problem = |seed: u64| match player.clone().seed(seed).play() {
        Ok(record) => {
            let cause = cause::cause(plan, &record, &checks::check(plan, &record))?;
            Some(Problem::Failed(Box::new(cause), Box::new(record)))
        }
        Err(error) => Some(Problem::NotPlayed(error.to_string())),
    };
    let failed = seeds.iter().filter_map(|seed| Some((*seed, problem(*seed)?)));
    let mut failed = failed.map(|(seed, problem)| (seed, text_of(&problem, detail)));
    let (seed, first) = failed.next()?;
    let others: Vec<String> = failed.map(|(seed, _)| seed.to_string()).collect();
    let mut message = format!("{} fails with seed {seed}", plan.name());
    if !others.is_empty() {
        let _ = write!(message, ", and also with {}", others.join(", "));
    }
    let _ = write!(message, " (of {} seeds)\n{first}repeat: {}", seeds.len(), repeat(seed));
    Some(message)
}

/// The cause, what followed from it, and the transcript.
fn text_of(problem: &Problem, detail: Detail) -> String {
    let (cause, record) = match problem {
        Problem::NotPlayed(error) => return format!("it could not be played: {error}\n"),
        Problem::Failed(cause, record) => (cause, record),
    };
    let mut text = format!("{} at {} ms: {}\n", cause.code, cause.at.as_millis(), escaped(&cause.sentence));
    for consequence in &cause.consequences {
        let _ = writeln!(text, "  so {}: {}", consequence.code, escaped(&consequence.sentence));
    }
    let lines = match detail {
        Detail::Around => cause::excerpt(&record.timeline, cause),
        Detail::Whole => transcript(&record.timeline).lines().map(str::to_owned).collect(),
    };
    for line in lines.iter().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let _ = writeln!(text, "  │ {line}");
    }
    text
}

/// The test harness names its threads after the tests.
fn repeat(seed: u64) -> String {
    let thread = std::thread::current();
    let test = thread.name().filter(|name| *name != "main");
    format!("{SEED_VARIABLE}={seed} cargo test {}", test.unwrap_or_default()).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use scenario::plan::Plan;
    use stage::Task;

    use super::*;

    fn plan(outcome: &str) -> Plan {
        let text = crate::EXAMPLE;
        Plan::from_toml("first", &text.replace("\"connected\"  ", &format!("\"{outcome}\"  "))).unwrap()
    }

    #[test]
    fn a_plan_that_holds_passes() {
        assert_eq!(failures_of(&Player::new(&plan("connected")), &[1, 2], Detail::Around), None);
    }

    #[test]
    fn a_failing_seed_says_why_and_how_to_repeat_it() {
        let plan = plan("busy");
        let player = Player::new(&plan);
        let message = failures_of(&player, &[1, 2, 3], Detail::Around).unwrap();
        assert!(
            message.starts_with("first fails with seed 1, and also with 2, 3 (of 3 seeds)\n"),
            "{message}"
        );
        assert!(
            message.contains("outcome at ") && message.contains("so outcome: expected busy"),
            "{message}"
        );
        let own = "assertion::tests::a_failing_seed_says_why_and_how_to_repeat_it";
        assert!(message.ends_with(&format!("\nrepeat: CALLSIM_SEED=1 cargo test {own}")), "{message}");
        let shown = message.lines().filter(|line| line.starts_with("  │")).count();
        assert!((1..=12).contains(&shown), "{message}");
        let whole = failures_of(&player, &[1], Detail::Whole).unwrap();
        assert!(whole.lines().count() > message.lines().count(), "{whole}");
    }

    #[test]
    fn a_peer_with_a_program_of_its_own_is_judged_too() {
        let plan = plan("connected");
        let player = Player::new(&plan).program("bob", |place| {
            let at_bob = place.clone();
            Task::start(&place, async move { at_bob.reporter().note("hears nothing") })
        });
        let message = failures_of(&player, &[1], Detail::Whole).unwrap();
        assert!(message.contains("hears nothing"), "{message}");
    }

    /// What the facade offers is shown at work.
    #[test]
    fn every_item_of_the_facade_has_an_example() {
        let source = include_str!("lib.rs");
        for (item, before) in
            source.split("\n\n").filter_map(|part| part.rsplit_once("\npub use ").map(|(b, i)| (i, b)))
        {
            assert!(before.matches("/// ```").count() == 2, "{item} has no example");
        }
    }
}
