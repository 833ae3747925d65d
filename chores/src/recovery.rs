//! `cargo xtask recovery`: the tables of `docs/recovery.md`, from the scenarios' pins.

use std::{fmt::Write as _, fs, path::Path};

use anyhow::Context as _;
use callsim::{
    Outcome, Plan, format,
    pins::{self, Pin, Pins},
};
use clap::Args;

use crate::{exit::Code, output};

/// The page, whose text between `<!-- NAME -->` and `<!-- end -->` this command writes.
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/recovery.md");
/// Where scenarios and pins are.
const SCENARIOS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios");
/// The end of a table.
const END: &str = "<!-- end -->";

const ABOUT: &str = "\
The figures are the pins of scenarios/ladder and scenarios/recovery; `cargo xtask scenarios --accept-pins` renews those.

Exit codes: 0 the page is current, 1 it cannot be read or written, 3 with --check, it is not";

/// The options of the command.
#[derive(Args)]
#[command(after_help = ABOUT)]
pub(crate) struct Arguments {
    /// Write nothing; exit with 3 if the page is out of date
    #[arg(long)]
    check: bool,
}

/// Writes the tables of the page, or checks them.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Code> {
    let page = fs::read_to_string(PAGE).context("cannot read docs/recovery.md")?;
    let current = current(&page)?;
    if current == page {
        output::complain("docs/recovery.md is up to date");
        return Ok(Code::Good);
    }
    if arguments.check {
        output::complain("docs/recovery.md is out of date: run `cargo xtask recovery`");
        return Ok(Code::CheckFailed);
    }
    output::write_file(Path::new(PAGE), &current)?;
    output::complain("wrote docs/recovery.md");
    Ok(Code::Good)
}

/// `page` with the tables as the pins have them.
fn current(page: &str) -> anyhow::Result<String> {
    let root = Path::new(SCENARIOS);
    let text = fs::read_to_string(root.join(pins::FILE)).context("cannot read the pins")?;
    let pins = Pins::from_json(pins::FILE, &text)?;
    let plans = format::load_dir(root).context("cannot read the scenarios")?;
    let pinned = |plan: &'_ Plan| pins.0.get(plan.name()).cloned();
    let of = |theme: &str| {
        let plans = plans.iter().filter(|plan| plan.name().starts_with(theme));
        plans.filter_map(|plan| Some((plan, pinned(plan)?))).collect::<Vec<_>>()
    };
    let page = replaced(page, "ladder", &ladder(&of("ladder/")))?;
    replaced(&page, "times", &times(&of("recovery/")))
}

fn replaced(page: &str, name: &str, table: &str) -> anyhow::Result<String> {
    let begin = format!("<!-- {name} -->\n");
    let missing = || format!("docs/recovery.md has no `{}` … `{END}`", begin.trim_end());
    let (before, rest) = page.split_once(&begin).with_context(missing)?;
    let (_, after) = rest.split_once(END).with_context(missing)?;
    Ok(format!("{before}{begin}{table}{END}{after}"))
}

/// How many calls connected, and how many must, whatever the number of seeds.
fn ladder(scenarios: &[(&Plan, Pin)]) -> String {
    let mut table = "| scenario | connected | must be |\n|---|---|---|\n".to_owned();
    for (plan, pin) in scenarios {
        let connected = pin.outcomes.get(&Outcome::Connected).copied().unwrap_or_default();
        let band = plan.expect().rates.get(&Outcome::Connected).map(ToString::to_string);
        let band = band.unwrap_or_else(|| "–".to_owned());
        let _ = writeln!(table, "| `{}` | {connected} of {} | {band} |", plan.name(), pin.seeds);
    }
    table
}

/// How long recoveries take.
fn times(scenarios: &[(&Plan, Pin)]) -> String {
    let mut table = "| scenario | p50 | p95 | what happens |\n|---|---|---|---|\n".to_owned();
    for (plan, pin) in scenarios {
        if let Some(times) = pin.recovery_ms {
            let (name, summary) = (plan.name(), plan.summary());
            let _ = writeln!(table, "| `{name}` | {} ms | {} ms | {summary} |", times.p50, times.p95);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_current() {
        let page = fs::read_to_string(PAGE).unwrap();
        assert_eq!(current(&page).unwrap(), page, "run `cargo xtask recovery`");
    }

    #[test]
    fn every_scenario_is_pinned_and_every_pin_has_a_scenario() {
        let root = Path::new(SCENARIOS);
        let pins = Pins::from_json(pins::FILE, &fs::read_to_string(root.join(pins::FILE)).unwrap()).unwrap();
        let plans = format::load_dir(root).unwrap();
        let scenarios: Vec<(&str, usize)> =
            plans.iter().map(|plan| (plan.name(), usize::try_from(plan.seeds()).unwrap())).collect();
        let pinned: Vec<(&str, usize)> =
            pins.0.iter().map(|(name, pin)| (name.as_str(), pin.seeds)).collect();
        assert_eq!(pinned, scenarios, "run `cargo xtask scenarios --accept-pins`");
    }

    #[test]
    fn a_page_without_the_place_of_a_table_is_refused() {
        let error = replaced("<!-- ladder -->\nno end", "ladder", "").unwrap_err().to_string();
        assert_eq!(error, "docs/recovery.md has no `<!-- ladder -->` … `<!-- end -->`");
        assert_eq!(
            replaced("a\n<!-- x -->\nold\n<!-- end -->\nb", "x", "new\n").unwrap(),
            "a\n<!-- x -->\nnew\n<!-- end -->\nb"
        );
    }
}
