//! The table as a page, docs/conformance.md.

use std::fmt::Write as _;

use crate::{Broken, Pins, Played, Verdict};

/// How often a side passed, deviated, or could not be tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// As the specification says.
    pub pass: usize,
    /// Otherwise.
    pub deviates: usize,
    /// Not tried, with a reason.
    pub not_applicable: usize,
}

/// Counts the verdicts of one side; tries that broke are left out.
pub fn counts(played: &[Played], of: impl Fn(&Played) -> &Result<Verdict, Broken>) -> Counts {
    let mut counts = Counts::default();
    for played in played {
        match of(played) {
            Ok(Verdict::Pass) => counts.pass += 1,
            Ok(Verdict::Deviates(_)) => counts.deviates += 1,
            Ok(Verdict::NotApplicable(_)) => counts.not_applicable += 1,
            Err(_) => {}
        }
    }
    counts
}

/// The page.
pub fn markdown(played: &[Played], pins: &Pins) -> String {
    let mut out = String::new();
    head(&mut out, played, pins);
    deviations(&mut out, played, pins);
    let mut groups: Vec<_> = played.iter().map(|played| played.row.group).collect();
    groups.dedup();
    for group in groups {
        let _ = writeln!(out, "\n## {}\n", group.title());
        out.push_str("| row | what is asked | section | test | bare | engine |\n|---|---|---|---|---|---|\n");
        for played in played.iter().filter(|played| played.row.group == group) {
            let row = &played.row;
            let (id, says) = (row.id.as_str(), row.says.as_str());
            let cells = [id, says, row.spec, row.source, word(&played.bare), word(&played.engine)];
            line(&mut out, &cells);
        }
    }
    not_applicable(&mut out, played);
    out
}

fn head(out: &mut String, played: &[Played], pins: &Pins) {
    let (bare, engine) = (counts(played, |played| &played.bare), counts(played, |played| &played.engine));
    let _ = write!(
        out,
        "# Conformance\n\n\
         What W3C webrtc-pc and the IETF ask of a peer connection, derived from the web-platform-tests, and what\n\
         comes of it: with bare `webrtc` {version}, and through the call engine, which applications talk to. Every\n\
         row is played twice, in a world of its own and in virtual time; that something *never* happens is proved\n\
         to the end of the run, when everything is closed and no task is left.\n\n\
         Written by `cargo xtask conformance --format markdown --out docs/conformance.md`, and checked by\n\
         `cargo test -p conformance`. Section numbers are those of the editor's draft of webrtc-pc at commit\n\
         `1a2dfb4`.\n\n\
         | | rows | pass | deviate | not applicable |\n|---|---|---|---|---|\n\
         | bare `webrtc` {version} | {rows} | {} | {} | {} |\n\
         | the engine | {rows} | {} | {} | {} |\n",
        bare.pass,
        bare.deviates,
        bare.not_applicable,
        engine.pass,
        engine.deviates,
        engine.not_applicable,
        version = pins.webrtc,
        rows = played.len(),
    );
}

fn deviations(out: &mut String, played: &[Played], pins: &Pins) {
    out.push_str(
        "\n## What bare webrtc does otherwise\n\n| row | what is asked | what was found |\n|---|---|---|\n",
    );
    for played in played {
        if let Ok(Verdict::Deviates(found)) = &played.bare {
            line(out, &[&played.row.id, &played.row.says, found]);
        }
    }
    let engine: Vec<_> = played
        .iter()
        .filter_map(|played| match &played.engine {
            Ok(Verdict::Deviates(found)) => Some((&played.row, found)),
            _ => None,
        })
        .collect();
    if engine.is_empty() {
        out.push_str("\nThe engine deviates nowhere.\n");
        return;
    }
    out.push_str("\n## What the engine does otherwise\n\n| row | what was found | why |\n|---|---|---|\n");
    for (row, found) in engine {
        line(out, &[&row.id, found, pins.reason(&row.id).unwrap_or_default()]);
    }
}

fn not_applicable(out: &mut String, played: &[Played]) {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for played in played {
        let Ok(Verdict::NotApplicable(because)) = &played.engine else { continue };
        match reasons.iter_mut().find(|(known, _)| known == because) {
            Some((_, rows)) => rows.push(&played.row.id),
            None => reasons.push((because, vec![&played.row.id])),
        }
    }
    out.push_str("\n## What the engine cannot be asked\n\n| why | rows |\n|---|---|\n");
    for (because, rows) in reasons {
        line(out, &[because, &rows.join(", ")]);
    }
}

fn word(verdict: &Result<Verdict, Broken>) -> &'static str {
    match verdict {
        Ok(Verdict::Deviates(_)) => "**deviates**",
        Ok(verdict) => verdict.word(),
        Err(_) => "broken",
    }
}

fn line(out: &mut String, cells: &[&str]) {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    let _ = writeln!(out, "| {} |", cells.join(" | "));
}
