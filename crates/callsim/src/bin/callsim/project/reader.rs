//! Reads `callsim.toml`, and says of everything that is wrong with it where it is.

use std::{num::NonZero, ops::Range, path::Path, time::Duration};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use scenario::profile::Profiles;

use super::{Budget, Project, Quantity};

const KEYS: [&str; 7] = ["scenarios", "seeds", "jobs", "mappings", "themes", "budgets", "profiles"];

/// The project in the folder `root`; `file` is how its file is called in messages.
///
/// # Errors
/// A line for each mistake, in the order of the file.
pub(super) fn read(root: &Path, file: &str, text: &str) -> Result<Project, Vec<String>> {
    let mut reader = Reader { root, problems: Vec::new() };
    let (table, syntax) = DeTable::parse_recoverable(text);
    for error in &syntax {
        reader.wrong(error.span().unwrap_or_default(), error.message().to_owned());
    }
    let project = reader.project(table.get_ref());
    let mut problems = reader.problems;
    let profiles = Profiles::with_own(Path::new(file), text);
    if problems.is_empty()
        && let Ok(profiles) = profiles
    {
        return Ok(Project { profiles, ..project });
    }
    // After a mistake of syntax the rest of the file is guesswork.
    if !syntax.is_empty() {
        problems.truncate(syntax.len());
    }
    problems.sort_by_key(|(at, _)| *at);
    let line = |(at, message): &(usize, String)| {
        let before = text.get(..*at).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let (line, column) = (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1);
        format!("{file}:{line}:{column}: {message}")
    };
    let of_profiles = profiles.err().filter(|_| syntax.is_empty());
    let of_profiles = of_profiles.iter().flat_map(|error| error.lines());
    Err(problems.iter().map(line).chain(of_profiles).collect())
}

struct Reader<'r> {
    root: &'r Path,
    /// Each with its place, a byte offset.
    problems: Vec<(usize, String)>,
}

type Value<'t> = Spanned<DeValue<'t>>;

impl Reader<'_> {
    fn project(&mut self, table: &DeTable<'_>) -> Project {
        let mut project = Project { root: self.root.to_owned(), ..Project::default() };
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "scenarios" => project.scenarios = self.text(value).map(Into::into),
                "seeds" => project.seeds = self.count(value),
                "jobs" => {
                    let jobs: Option<NonZero<u32>> = self.count(value);
                    project.jobs = jobs.and_then(|jobs| jobs.try_into().ok());
                }
                "mappings" => {
                    let root = self.root;
                    project.mappings = self.texts(value).iter().map(|path| root.join(path)).collect();
                }
                "themes" => {
                    for (name, value) in self.table(value).into_iter().flatten() {
                        project.themes.insert(name.get_ref().to_string(), self.texts(value));
                    }
                }
                "budgets" => {
                    for (scenarios, value) in self.table(value).into_iter().flatten() {
                        let budgets = self.budgets(scenarios.get_ref(), value);
                        project.budgets.extend(budgets);
                    }
                }
                // Written as callsim's own are, and read where those are.
                "profiles" => {}
                other => self.unknown(key.span(), other, &KEYS),
            }
        }
        project
    }

    fn budgets(&mut self, scenarios: &str, value: &Value<'_>) -> Vec<Budget> {
        let mut budgets = Vec::new();
        for (key, value) in self.table(value).into_iter().flatten() {
            let Some((_, quantity)) = Quantity::ALL.iter().find(|(name, _)| *name == key.get_ref()) else {
                self.unknown(key.span(), key.get_ref(), &Quantity::ALL.map(|(name, _)| name));
                continue;
            };
            if let Some(at_most) = self.duration(value) {
                budgets.push(Budget { scenarios: scenarios.to_owned(), quantity: *quantity, at_most });
            }
        }
        budgets
    }

    fn duration(&mut self, value: &Value<'_>) -> Option<Duration> {
        let text = self.text(value)?;
        let duration = humantime::parse_duration(&text);
        if duration.is_err() {
            self.wrong(value.span(), format!("`{text}` is not a duration such as \"250ms\" or \"3s\""));
        }
        duration.ok()
    }

    fn count(&mut self, value: &Value<'_>) -> Option<NonZero<u32>> {
        let number = value.get_ref().as_integer();
        let number = number.and_then(|number| u32::from_str_radix(number.as_str(), number.radix()).ok());
        let number = number.and_then(NonZero::new);
        if number.is_none() {
            self.expected(value, "a whole number of at least 1");
        }
        number
    }

    fn texts(&mut self, value: &Value<'_>) -> Vec<String> {
        let Some(list) = value.get_ref().as_array() else {
            self.expected(value, "a list of texts");
            return Vec::new();
        };
        list.iter().filter_map(|value| self.text(value)).collect()
    }

    fn text(&mut self, value: &Value<'_>) -> Option<String> {
        let text = value.get_ref().as_str().filter(|text| !text.is_empty());
        if text.is_none() {
            self.expected(value, "a text");
        }
        text.map(str::to_owned)
    }

    fn table<'v, 't>(&mut self, value: &'v Value<'t>) -> Option<&'v DeTable<'t>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.expected(value, "a table");
        }
        table
    }

    fn expected(&mut self, value: &Value<'_>, expected: &str) {
        let found = value.get_ref().type_str();
        self.wrong(value.span(), format!("expected {expected}, found {found}"));
    }

    fn unknown(&mut self, at: Range<usize>, found: &str, accepted: &[&str]) {
        let nearest = scenario::nearest(found, accepted.iter().copied());
        let nearest = nearest.map(|nearest| format!("did you mean `{nearest}`? ")).unwrap_or_default();
        self.wrong(at, format!("unknown key `{found}` ({nearest}accepted: {})", accepted.join(", ")));
    }

    fn wrong(&mut self, at: Range<usize>, message: String) {
        self.problems.push((at.start, message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &[&str]) {
        assert_eq!(read(Path::new(""), "callsim.toml", text).unwrap_err(), expect);
    }

    #[test]
    fn every_key_has_its_effect() {
        let text = r#"
            scenarios = "calls"
            seeds = 50
            jobs = 4
            mappings = ["ours.toml"]
            themes = { smoke = ["happy", "nat/symmetric"] }
            [budgets."nat/*"]
            setup-p95 = "3s"
            recovery-p95 = "250ms"
            [profiles.our-office]
            summary = "Behind two walls."
        "#;
        let project = read(Path::new("above"), "callsim.toml", text).unwrap();
        assert!(project.profiles.named("our-office").is_ok());
        assert_eq!(project.scenarios(None), Path::new("above/calls"));
        assert_eq!(project.scenarios(Some(Path::new("mine"))), Path::new("mine"));
        assert_eq!((project.seeds.unwrap().get(), project.jobs.unwrap().get()), (50, 4));
        assert_eq!(project.mappings, [Path::new("above/ours.toml")]);
        let patterns = project.patterns(&["smoke".to_owned(), "loss".to_owned()]);
        assert_eq!(patterns, ["happy", "nat/symmetric", "loss"]);
        let budget = |quantity, ms| Budget {
            scenarios: "nat/*".to_owned(),
            quantity,
            at_most: Duration::from_millis(ms),
        };
        assert_eq!(project.budgets, [budget(Quantity::RecoveryP95, 250), budget(Quantity::SetupP95, 3000)]);
        let empty = read(Path::new(""), "callsim.toml", "").unwrap();
        assert_eq!(empty.scenarios(None), Path::new("scenarios"));
    }

    #[test]
    fn every_mistake_is_named_with_its_place() {
        check(
            "seed = 5\njobs = 0\nscenarios = 3\n[budgets.\"*\"]\nsetup-p59 = \"3s\"\nsetup-p50 = \"soon\"\n\
             [profiles.ours]\nsumary = \"?\"\n",
            &[
                "callsim.toml:1:1: unknown key `seed` (did you mean `seeds`? accepted: scenarios, seeds, jobs, \
                 mappings, themes, budgets, profiles)",
                "callsim.toml:2:8: expected a whole number of at least 1, found integer",
                "callsim.toml:3:13: expected a text, found integer",
                "callsim.toml:5:1: unknown key `setup-p59` (did you mean `setup-p50`? accepted: setup-p50, \
                 setup-p95, setup-max, recovery-p95)",
                "callsim.toml:6:13: `soon` is not a duration such as \"250ms\" or \"3s\"",
                "callsim.toml:8:1: unknown key `sumary` in [profiles.ours] (did you mean `summary`? accepted: device, \
                 faults, firewall, gateways, link, nat, public, schedule, sources, summary)",
            ],
        );
    }

    #[test]
    fn after_a_mistake_of_syntax_nothing_else_is_said() {
        let problems = read(Path::new(""), "callsim.toml", "seed = 5\njobs = \n").unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].starts_with("callsim.toml:2:"), "{problems:?}");
    }
}
