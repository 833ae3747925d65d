//! `cargo xtask conformance`

mod report;

use std::{num::NonZeroUsize, time::Duration};

use clap::{Args, ValueEnum};
use conformance::{Pins, Played, Row, Surprise, judge};
use scenario::suite::Progress;

use crate::{
    exit::Code,
    interrupt, jobs, now,
    output::{self, Destination, UnknownName},
    progress::Bar,
};

const EXAMPLES: &str = "\
Examples:
  cargo xtask conformance                            the whole table, what deviates first
  cargo xtask conformance --only deviations          where one does otherwise, and how
  cargo xtask conformance candidate restart          the rows whose names contain one of these words
  cargo xtask conformance --format json --out conformance.json      for a machine
  cargo xtask conformance --format markdown --out docs/conformance.md
  cargo xtask conformance --format pins --out crates/conformance/pinned.toml

Exit codes: 0 as pinned, 1 a row could not be played, 2 usage or no such row,
3 a deviation is new, has changed or is gone, 130 stopped by Ctrl-C";

/// The options of the command.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Only rows whose names contain one of these words [default: all]
    #[arg(value_name = "ROW")]
    rows: Vec<String>,
    /// Show only these
    #[arg(long, value_enum)]
    only: Option<Only>,
    /// On how many threads [default: one per core]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// The form of the report
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    #[command(flatten)]
    report: Destination,
}

/// Which rows are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Only {
    /// Those in which one of the two deviates
    Deviations,
}

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Tables
    Human,
    /// The page docs/conformance.md
    Markdown,
    /// One object
    Json,
    /// The file crates/conformance/pinned.toml, to accept what is found
    Pins,
}

/// What the table came to.
struct Table {
    /// The rows that were played.
    played: Vec<Played>,
    /// What is known to deviate.
    pins: Pins,
    /// What differs from that.
    surprises: Vec<Surprise>,
    wall: Duration,
}

impl Table {
    fn passed(&self) -> bool {
        self.surprises.is_empty() && !self.is_broken()
    }

    fn is_broken(&self) -> bool {
        self.played.iter().any(|played| played.bare.is_err() || played.engine.is_err())
    }
}

/// Plays the table and reports it.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Code> {
    determinism::supported()?;
    let all = conformance::rows();
    let rows = chosen(&all, &arguments.rows)?;
    arguments.report.check()?;
    interrupt::listen()?;
    let (total, bar, started) = (rows.len(), Bar::new(), now());
    let show = |done| bar.show(Progress { done, total, failed: 0 });
    let stop = || interrupt::CANCEL.is_cancelled();
    let played = conformance::play(rows, jobs(arguments.jobs), stop, show);
    bar.clear();
    if played.len() < total {
        output::complain(&format!(
            "stopped: {} of {total} rows were played, nothing was written",
            played.len()
        ));
        return Ok(Code::Interrupted);
    }
    let pins = Pins::known();
    let surprises = judge(&played, &all, &pins);
    let table = Table { played, pins, surprises, wall: now().duration_since(started) };
    let text = match arguments.format {
        Format::Human => report::human(&table, arguments.only.is_some()),
        Format::Markdown => conformance::markdown(&table.played, &table.pins),
        Format::Json => report::json(&table)?,
        Format::Pins => table.pins.renewed(&table.played, &all).to_toml(),
    };
    arguments.report.write(&text)?;
    if !matches!(arguments.format, Format::Human | Format::Pins) {
        report::complaints(&table).iter().for_each(|line| output::complain(line));
    }
    Ok(verdict(&table, arguments.format))
}

fn chosen(all: &[Row], words: &[String]) -> Result<Vec<Row>, UnknownName> {
    let ids = || all.iter().map(|row| row.id.as_str());
    if let Some(unknown) = words.iter().find(|word| !ids().any(|id| id.contains(word.as_str()))) {
        return Err(UnknownName::new("row with these words in its name", unknown, ids()));
    }
    let is_chosen = |row: &&Row| words.is_empty() || words.iter().any(|word| row.id.contains(word.as_str()));
    Ok(all.iter().filter(is_chosen).cloned().collect())
}

fn verdict(table: &Table, format: Format) -> Code {
    match () {
        () if table.is_broken() => Code::ToolFailed,
        () if table.surprises.is_empty() || format == Format::Pins => Code::Good,
        () => Code::CheckFailed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(pins: Pins) -> Table {
        let all = conformance::rows();
        let row =
            all.iter().find(|row| row.id == "create-offer-in-have-remote-offer").expect("a row of this name");
        let played = vec![conformance::play_row(row.clone())];
        let surprises = judge(&played, &all, &pins);
        Table { played, pins, surprises, wall: Duration::ZERO }
    }

    #[test]
    fn as_pinned_is_0_and_anything_else_is_3() {
        let known = table(Pins::known());
        assert_eq!(verdict(&known, Format::Human), Code::Good, "{:?}", known.surprises);
        let unpinned = table(Pins { webrtc: "0.21.1".to_owned(), deviations: vec![] });
        assert_eq!(verdict(&unpinned, Format::Human), Code::CheckFailed);
        assert_eq!(verdict(&unpinned, Format::Pins), Code::Good, "they are being written");
    }

    #[test]
    fn the_object_has_the_fields_that_scripts_rely_on() {
        let text = report::json(&table(Pins::known())).unwrap();
        let object: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&object["schema"], &object["command"]), (&1.into(), &"conformance".into()));
        assert_eq!(object["passed"], true);
        let row = &object["rows"][0];
        assert_eq!(row["id"], "create-offer-in-have-remote-offer");
        assert_eq!(row["source"], "RTCPeerConnection-createOffer.html");
        assert!(row["spec"].as_str().is_some_and(|spec| spec.contains("§4.4.2.2")));
        assert_eq!((&row["bare"], &row["engine"]), (&"deviates".into(), &"not-applicable".into()));
    }

    #[test]
    fn rows_are_chosen_by_words_of_their_names() {
        let all = conformance::rows();
        assert_eq!(chosen(&all, &[]).unwrap().len(), all.len());
        let some = chosen(&all, &["closed-set".to_owned()]).unwrap();
        assert_eq!(some.len(), 8, "two methods, four types");
        let error =
            chosen(&all, &["a-dead-stun-server-is-tolt".to_owned()]).map(|rows| rows.len()).unwrap_err();
        assert!(error.to_string().contains("did you mean `a-dead-stun-server-is-told`?"), "{error}");
    }

    #[test]
    fn people_see_what_was_found_and_what_is_new() {
        let unpinned = table(Pins { webrtc: "0.21.1".to_owned(), deviations: vec![] });
        let text = report::human(&unpinned, true);
        assert!(text.contains("bare webrtc: createOffer: accepted"), "{text}");
        assert!(text.contains("which is not pinned"), "{text}");
        assert!(text.contains("NOT as pinned: 1 rows"), "{text}");
    }
}
