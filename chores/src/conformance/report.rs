//! The table for people and for machines.

use std::fmt::Write as _;

use comfy_table::Table as Grid;
use conformance::{Broken, Played, Verdict, counts};
use serde::Serialize;

use super::Table;
use crate::TABLE_STYLE;

/// Group by group, what deviates first; then what was found, what differs from the pins, and the totals.
pub(super) fn human(table: &Table, only_deviations: bool) -> String {
    let mut out = String::new();
    let mut groups: Vec<_> = table.played.iter().map(|played| played.row.group).collect();
    groups.dedup();
    for group in groups {
        let mut rows: Vec<&Played> = table.played.iter().filter(|played| played.row.group == group).collect();
        rows.sort_by_key(|played| !deviates(played));
        rows.retain(|played| deviates(played) || !only_deviations);
        if !rows.is_empty() {
            let _ = writeln!(out, "{}\n{}\n", group.title(), grid(&rows));
        }
    }
    for played in table.played.iter().filter(|played| deviates(played)) {
        found(&mut out, table, played);
    }
    complaints(table).iter().for_each(|line| {
        let _ = writeln!(out, "\n{line}");
    });
    let _ = writeln!(out, "\n{}", totals(table));
    out
}

/// What differs from the pins, and what could not be played.
pub(super) fn complaints(table: &Table) -> Vec<String> {
    let broken = table.played.iter().flat_map(|played| {
        [("bare webrtc", &played.bare), ("the engine", &played.engine)].into_iter().filter_map(
            |(who, verdict)| {
                let error = verdict.as_ref().err()?;
                Some(format!("cannot play `{}` with {who}: {error}", played.row.id))
            },
        )
    });
    broken.chain(table.surprises.iter().map(ToString::to_string)).collect()
}

/// One object: the same bytes every time.
pub(super) fn json(table: &Table) -> anyhow::Result<String> {
    let object = JsonTable {
        schema: 1,
        command: "conformance",
        passed: table.passed(),
        webrtc: &table.pins.webrtc,
        surprises: table.surprises.iter().map(ToString::to_string).collect(),
        rows: table.played.iter().map(json_row).collect(),
    };
    Ok(format!("{}\n", serde_json::to_string_pretty(&object)?))
}

#[derive(Serialize)]
struct JsonTable<'a> {
    schema: u32,
    command: &'static str,
    passed: bool,
    webrtc: &'a str,
    surprises: Vec<String>,
    rows: Vec<JsonRow<'a>>,
}

#[derive(Serialize)]
struct JsonRow<'a> {
    id: &'a str,
    group: &'static str,
    says: &'a str,
    spec: &'a str,
    source: &'a str,
    bare: &'static str,
    engine: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    bare_note: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    engine_note: Option<String>,
}

fn json_row(played: &Played) -> JsonRow<'_> {
    JsonRow {
        id: &played.row.id,
        group: played.row.group.title(),
        says: &played.row.says,
        spec: played.row.spec,
        source: played.row.source,
        bare: word(&played.bare),
        engine: word(&played.engine),
        bare_note: note(&played.bare),
        engine_note: note(&played.engine),
    }
}

fn grid(rows: &[&Played]) -> Grid {
    let mut grid = Grid::new();
    grid.load_style(TABLE_STYLE);
    grid.set_header(["row", "bare webrtc", "engine", "source"]);
    for played in rows {
        let id = played.row.id.as_str();
        grid.add_row([id, word(&played.bare), word(&played.engine), played.row.source]);
    }
    grid
}

fn found(out: &mut String, table: &Table, played: &Played) {
    let row = &played.row;
    let _ = writeln!(out, "{}\n    {} ({})", row.id, row.says, row.spec);
    for (who, verdict) in [("bare webrtc", &played.bare), ("the engine", &played.engine)] {
        if let Ok(Verdict::Deviates(found)) = verdict {
            let _ = writeln!(out, "    {who}: {found}");
        }
    }
    if let Some(because) = table.pins.reason(&row.id) {
        let _ = writeln!(out, "    the engine may: {because}");
    }
}

fn totals(table: &Table) -> String {
    let (bare, engine) = (counts(&table.played, |p| &p.bare), counts(&table.played, |p| &p.engine));
    format!(
        "{}: {} rows; bare webrtc {}: {} pass, {} deviate; engine: {} pass, {} deviate, {} not applicable; {:.1} s",
        if table.passed() { "as pinned" } else { "NOT as pinned" },
        table.played.len(),
        table.pins.webrtc,
        bare.pass,
        bare.deviates,
        engine.pass,
        engine.deviates,
        engine.not_applicable,
        table.wall.as_secs_f64(),
    )
}

fn deviates(played: &Played) -> bool {
    let is_so =
        |verdict: &Result<Verdict, Broken>| !matches!(verdict, Ok(Verdict::Pass | Verdict::NotApplicable(_)));
    is_so(&played.bare) || is_so(&played.engine)
}

fn word(verdict: &Result<Verdict, Broken>) -> &'static str {
    verdict.as_ref().map_or("broken", Verdict::word)
}

fn note(verdict: &Result<Verdict, Broken>) -> Option<String> {
    match verdict {
        Ok(verdict) => verdict.note().map(str::to_owned),
        Err(error) => Some(error.to_string()),
    }
}
