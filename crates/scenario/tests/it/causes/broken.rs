//! The broken scenarios, and what is said of them.

use std::{fs, path::PathBuf, sync::LazyLock};

use scenario::{
    cause::{Cause, Code, cause},
    checks,
    format::FormatError,
    plan::Plan,
    run::Player,
};
use serde::Deserialize;
use toml::{Table, Value};

/// A scenario that somebody broke.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Broken {
    /// What is broken, in kebab case.
    pub(super) name: String,
    /// The scenario, under `scenarios/`.
    pub(super) base: String,
    /// Keys of it that are taken out.
    #[serde(default)]
    pub(super) without: Vec<String>,
    /// What is laid over it.
    #[serde(default)]
    pub(super) with: String,
    /// The guard of the engine that is off.
    pub(super) guard: Option<String>,
    /// What is expected instead.
    pub(super) expect: Option<String>,
    #[serde(default = "first")]
    pub(super) seed: u64,
    /// The cause.
    pub(super) code: Code,
    /// A part of its sentence.
    pub(super) says: String,
}

const fn first() -> u64 {
    1
}

/// What is expected where an entry says nothing.
const CONNECTED: &str = "outcome = \"connected\"\nmedia = [{ audio = \"both-ways\" }]\n";

/// All of them.
fn all() -> Vec<Broken> {
    #[derive(Deserialize)]
    struct File {
        broken: Vec<Broken>,
    }
    toml::from_str::<File>(include_str!("broken.toml")).expect("broken.toml").broken
}

impl Broken {
    /// The scenario file.
    fn text(&self) -> String {
        let file = root().join("scenarios").join(format!("{}.toml", self.base));
        let mut table: Table = fs::read_to_string(&file).expect("a scenario").parse().expect("TOML");
        table.remove("guard");
        table.remove("expect");
        for path in &self.without {
            take_out(&mut table, path);
        }
        lay_over(&mut table, self.with.parse().expect("`with` is TOML"));
        if let Some(guard) = &self.guard {
            let engine = table.entry("engine").or_insert_with(|| Value::Table(Table::new()));
            engine.as_table_mut().expect("a table").insert(guard.clone(), Value::Boolean(false));
        }
        let expect = self.expect.as_deref().unwrap_or(CONNECTED);
        table.insert("expect".to_owned(), Value::Table(expect.parse().expect("`expect` is TOML")));
        toml::to_string(&table).expect("TOML")
    }

    /// The cause of its failure; `None` where nothing failed.
    fn cause(&self) -> Option<Cause> {
        let text = self.text();
        let plan = Plan::from_toml(&format!("broken/{}", self.name), &text).unwrap_or_else(|error| {
            panic!("{}: {:?}\n{text}", self.name, FormatError::lines(&error).collect::<Vec<_>>())
        });
        let record = Player::new(&plan).seed(self.seed).play().expect("a run");
        cause(&plan, &record, &checks::check(&plan, &record))
    }
}

/// Removes `ice-servers.turn`.
fn take_out(table: &mut Table, path: &str) {
    match path.split_once('.') {
        None => assert!(table.remove(path).is_some(), "there is no {path}"),
        Some((first, rest)) => take_out(table[first].as_table_mut().expect("a table"), rest),
    }
}

/// Tables are merged, all else is replaced.
fn lay_over(under: &mut Table, over: Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Table(under)), Value::Table(over)) if !over.is_empty() => lay_over(under, over),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

pub(super) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// All of them, and the cause of each; `None` where nothing failed. Played once.
pub(super) fn played() -> &'static [(Broken, Option<Cause>)] {
    static PLAYED: LazyLock<Vec<(Broken, Option<Cause>)>> = LazyLock::new(|| {
        let with_cause = |broken: Broken| {
            let cause = broken.cause();
            (broken, cause)
        };
        all().into_iter().map(with_cause).collect()
    });
    &PLAYED
}

/// Each leads with the cause that was put into it; `docs/causes.md` has a sentence of each code, for people.
#[test]
fn each_leads_with_the_cause_that_was_put_into_it() {
    let mut wrong = Vec::new();
    let all = played();
    for (broken, found) in all {
        let (code, sentence) = match found {
            Some(cause) => (cause.code.as_str(), cause.sentence.as_str()),
            None => ("nothing failed", ""),
        };
        if code != broken.code.as_str() || !sentence.contains(&broken.says) {
            wrong.push(format!(
                "{}: expected {} with `{}`, found {code}: {sentence}",
                broken.name, broken.code, broken.says
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), all.len(), wrong.join("\n"));
    assert!(all.len() >= 60, "there were more");
}
