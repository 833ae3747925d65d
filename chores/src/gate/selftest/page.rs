//! The result for people, for the page, and for machines.

use std::{fmt::Write as _, time::Duration};

use gate::{
    metric::Percent,
    selftest::{Proof, Rates},
    statistics::Proportion,
};

use super::{CONFIDENCE, Tried, minutes, proofs};

pub(super) fn human(all: &[Tried], took: Duration) -> String {
    let mut out = String::new();
    for tried in all {
        let _ = writeln!(out, "{} ({:.0} s)", heading(tried), tried.took_s);
        for (rates, change) in tried.rates.iter().zip(&tried.changes) {
            let measured =
                change.map(|change| format!("; measured {:+.2} %", change * 100.0)).unwrap_or_default();
            let _ = writeln!(out, "  {}{measured}", rates.line(CONFIDENCE));
        }
        for (slowdown, proof) in proofs(tried) {
            let _ = writeln!(out, "  {}: {}", claim(slowdown), said(proof));
        }
    }
    let _ = writeln!(out, "{}; bounds hold with {} % confidence each", minutes(took), CONFIDENCE * 100.0);
    out
}

pub(super) fn json(all: &[Tried], took: Duration) -> anyhow::Result<String> {
    let object = serde_json::json!({
        "schema": 1,
        "command": "gate selftest",
        "confidence": CONFIDENCE,
        "took_s": took.as_secs_f64(),
        "tried": all,
    });
    Ok(serde_json::to_string_pretty(&object)? + "\n")
}

pub(super) fn markdown(all: &[Tried], took: Duration, machine: &str) -> String {
    let mut out = String::from(INTRODUCTION);
    let _ = writeln!(out, "Measured on {}, {machine}; {}.\n", today(), minutes(took));
    for tried in all {
        let _ = writeln!(out, "## {}\n", capitalised(&heading(tried)));
        out.push_str(
            "| slower by | measured | trials | called a regression | passed or improved | inconclusive |\n",
        );
        out.push_str("|--:|--:|--:|---|---|---|\n");
        for (rates, change) in tried.rates.iter().zip(&tried.changes) {
            let _ = writeln!(out, "{}", row(rates, *change));
        }
        out.push('\n');
        for (slowdown, proof) in proofs(tried) {
            let _ = writeln!(out, "- {}: **{}**.", capitalised(claim(slowdown)), said(proof));
        }
        let _ = writeln!(out, "- {:.1} minutes.\n", tried.took_s / 60.0);
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

const INTRODUCTION: &str = "\
# How often the gate is wrong

Written by `cargo xtask gate selftest --noisy --format markdown --out docs/gate-selftest.md`. Each trial is a judgement of one
metric on fresh measurements: fresh processes, fresh epochs. A slowdown goes through what is measured: link delay in the virtual
tier, a loop calibrated to the count in the instruction tier, spinning in the wall tier. A speed-up is a slowdown of what is
compared with. Rates come with their bounds (Clopper and Pearson), each of which holds with 95 % confidence; \"not shown\" means
that the trials are too few for the claim, not that it is wrong. \"Beside a busy neighbour\" is a second process that spins on
every core in bursts of 50 to 300 ms. What is compared are copies of one binary: what another layout of the same code costs is not
in these figures.

Virtual time has a resolution of 1 ms: a slowdown that moves nothing by a millisecond is not there, and passes.

";

fn heading(tried: &Tried) -> String {
    let neighbour = if tried.noisy { ", beside a busy neighbour" } else { "" };
    format!("{} tier, `{}`{neighbour}", tried.tier, tried.metric)
}

fn row(rates: &Rates, change: Option<f64>) -> String {
    let bounded = |rate: Proportion| {
        let (lower, upper) = (rate.lower_bound(CONFIDENCE) * 100.0, rate.upper_bound(CONFIDENCE) * 100.0);
        format!("{} ({lower:.1} % to {upper:.1} %)", rate.hits)
    };
    let good = Proportion::new(rates.passes().hits + improvements_to_accept(rates), rates.trials);
    format!(
        "| {} | {} | {} | {} | {} | {} |",
        rates.slowdown,
        change.map_or("–".to_owned(), |change| format!("{:+.2} %", change * 100.0)),
        rates.trials,
        bounded(rates.regressions()),
        bounded(good),
        bounded(rates.inconclusive())
    )
}

/// In the exact tier an improvement must be accepted: it is seen as one.
fn improvements_to_accept(rates: &Rates) -> u64 {
    rates.of(&[gate::Verdict::ImprovedNotAccepted]).hits
}

fn claim(slowdown: Percent) -> &'static str {
    if slowdown == Percent::ZERO {
        "at most 1 % of identical pairs alarm"
    } else {
        "at least 95 % of slowdowns by 5 % are caught"
    }
}

fn said(proof: Proof) -> &'static str {
    match proof {
        Proof::Shown => "shown",
        Proof::Refuted => "refuted",
        Proof::Open => "not shown, not refuted",
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[expect(clippy::disallowed_methods, reason = "which day it was measured on is real time")]
fn today() -> String {
    let now = humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string();
    now.chars().take(10).collect()
}
