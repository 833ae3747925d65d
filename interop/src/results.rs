//! What was played, kept in `interop/results.json` from run to run, and the page that is made of it.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::{
    client::{Caller, Client},
    flow::Flow,
    known,
};

/// All that is known of the matrix.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Results {
    /// 1.
    version: u32,
    /// Versions of what was played, by name.
    pub(crate) versions: BTreeMap<String, String>,
    rows: Vec<Row>,
}

/// How one flow went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) flow: Flow,
    pub(crate) client: Client,
    pub(crate) caller: Caller,
    #[serde(flatten)]
    pub(crate) verdict: Verdict,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", content = "detail", rename_all = "kebab-case")]
pub(crate) enum Verdict {
    /// It went as it should; what was measured.
    Pass(Vec<String>),
    /// It did not; what happened.
    Deviates(String),
    /// Why it was not played.
    NotRun(String),
}

/// The version of the file.
const VERSION: u32 = 1;

impl Results {
    /// Of earlier runs, if there were any.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self { version: VERSION, ..Self::default() });
            }
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        Self::parse(&text)
            .with_context(|| format!("{} is not what a run has written; remove it", path.display()))
    }

    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        let results: Self = serde_json::from_str(text)?;
        anyhow::ensure!(results.version == VERSION, "it has version {}, not {VERSION}", results.version);
        Ok(results)
    }

    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// A row takes the place of that of an earlier run.
    pub(crate) fn put(&mut self, row: Row) {
        let key = |row: &Row| (row.flow as usize, row.client as usize, row.caller);
        self.rows.retain(|known| key(known) != key(&row));
        self.rows.push(row);
        self.rows.sort_by_key(key);
    }

    fn row(&self, flow: Flow, client: Client, caller: Caller) -> Option<&Row> {
        self.rows.iter().find(|row| row.flow == flow && row.client == client && row.caller == caller)
    }

    /// `docs/interop.md`.
    pub(crate) fn page(&self) -> String {
        let mut out = String::from(HEAD);
        let versions: Vec<String> =
            self.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
        let _ = writeln!(out, "Played with {}.\n", versions.join(", "));
        let clients = Client::ALL.iter().copied();
        let titles: Vec<String> = clients
            .clone()
            .flat_map(|client| {
                [format!("engine → {}", client.title()), format!("{} → engine", client.title())]
            })
            .collect();
        let _ = writeln!(out, "| flow | {} |\n|---|{}", titles.join(" | "), "---|".repeat(titles.len()));
        let mut notes = Vec::new();
        for flow in Flow::ALL.iter().copied() {
            let mut cells = Vec::new();
            for client in clients.clone() {
                for caller in [Caller::Engine, Caller::Client] {
                    cells.push(self.cell(flow, client, caller, &mut notes));
                }
            }
            let _ = writeln!(out, "| {flow} | {} |", cells.join(" | "));
        }
        let _ = writeln!(out, "\n## What deviates, and what was not run\n");
        for (number, note) in notes.iter().enumerate() {
            let _ = writeln!(out, "{}. {note}", number + 1);
        }
        let _ = writeln!(out, "\n## What was counted\n\n| flow | who calls | what |\n|---|---|---|");
        for row in &self.rows {
            if let Verdict::Pass(facts) = &row.verdict
                && !facts.is_empty()
            {
                let who = names(row.client, row.caller);
                let _ = writeln!(out, "| {} | {who} | {} |", row.flow, facts.join("; "));
            }
        }
        out
    }

    fn cell(&self, flow: Flow, client: Client, caller: Caller, notes: &mut Vec<String>) -> String {
        let (mark, note) = match self.row(flow, client, caller).map(|row| &row.verdict) {
            None => return "not run yet".to_owned(),
            Some(Verdict::Pass(_)) => return "pass".to_owned(),
            Some(Verdict::NotRun(why)) => ("–", format!("{}: {why}.", client.title())),
            Some(Verdict::Deviates(what)) => {
                let known = known::of(flow, client, caller);
                let why = match known {
                    Some(known) => format!("{} ({})", known.why, known.fault),
                    None => "not explained yet".to_owned(),
                };
                ("deviates", format!("{flow}, {}: {what}. {why}.", names(client, caller)))
            }
        };
        let number = notes.iter().position(|known| *known == note).unwrap_or_else(|| {
            notes.push(note);
            notes.len() - 1
        });
        format!("{mark} [{}]", number + 1)
    }

    /// Deviations that nobody has explained, and explanations of what does not deviate any more.
    pub(crate) fn open_questions(&self) -> Vec<String> {
        let mut open = Vec::new();
        for row in &self.rows {
            let is_known = known::of(row.flow, row.client, row.caller).is_some();
            let who = names(row.client, row.caller);
            match (&row.verdict, is_known) {
                (Verdict::Deviates(what), false) => open.push(format!("{}, {who}: {what}", row.flow)),
                (Verdict::Pass(_), true) => {
                    open.push(format!("{}, {who}: passes, and known.rs says that it deviates", row.flow));
                }
                _ => {}
            }
        }
        open
    }
}

pub(crate) fn names(client: Client, caller: Caller) -> String {
    match caller {
        Caller::Engine => format!("engine → {}", client.title()),
        Caller::Client => format!("{} → engine", client.title()),
    }
}

const HEAD: &str = "\
# The engine against other implementations

Made by `cargo xtask interop` from `interop/results.json`; do not edit. Real programs on real sockets of one machine: the call engine on tokio, a
client of another make, and `callsim serve` between them. `interop/README.md` says how to run it and what a client must be able to do.

*pass*: both sides went through all states of the flow, ended for the same reason, and counted the media that they should, within seconds of the
step. *deviates [n]* and *– [n]* (not run) are explained below.

";

#[cfg(test)]
mod tests {
    use super::*;

    const RESULTS: &str = include_str!("../results.json");

    #[test]
    fn the_page_is_made_of_the_results() {
        let results = Results::parse(RESULTS).unwrap();
        assert_eq!(results.page(), include_str!("../../docs/interop.md"), "cargo xtask interop --render");
    }

    #[test]
    fn every_deviation_was_looked_into() {
        assert_eq!(Results::parse(RESULTS).unwrap().open_questions(), [""; 0]);
    }

    #[test]
    fn a_later_run_replaces_an_earlier_one() {
        let row =
            |verdict| Row { flow: Flow::Happy, client: Client::Roamhq, caller: Caller::Engine, verdict };
        let mut results = Results { version: VERSION, ..Results::default() };
        results.put(row(Verdict::Deviates("no media".to_owned())));
        assert!(results.page().contains("deviates [1]"));
        assert_eq!(results.open_questions().len(), 1);
        results.put(row(Verdict::Pass(Vec::new())));
        assert_eq!((results.rows.len(), results.open_questions().len()), (1, 0));
        assert!(!results.page().contains("deviates [1]"));
    }

    #[test]
    fn other_files_are_refused() {
        for text in ["", "{}", "[]", r#"{"version":2,"versions":{},"rows":[]}"#] {
            assert!(Results::parse(text).is_err(), "{text}");
        }
    }
}
