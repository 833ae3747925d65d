//! What came of it, for people, for a page of the documentation, and for machines.

use std::{
    fmt::Write as _,
    num::NonZeroUsize,
    thread,
    time::{Duration, SystemTime},
};

use anyhow::Context as _;
use comfy_table::{CellAlignment, ContentArrangement, Table, TableStyle, presets};
use scenario::plan::Device;
use serde_json::{Value, json};

use super::compare::{Comparison, P50_TOLERANCE_PERCENT, P95_TOLERANCE_PERCENT, Quantiles, Row};
use crate::TABLE_STYLE;

/// Everything that a report says.
pub(super) struct Report {
    comparisons: Vec<Comparison>,
    device: Device,
    jobs: NonZeroUsize,
    machine: Machine,
}

/// On what, and how busy it was before the command began.
pub(super) struct Machine {
    cores: usize,
    /// Over the last minute; `None` where the system does not say.
    load: Option<f64>,
    /// `2026-01-31`, UTC.
    date: String,
}

impl Machine {
    #[allow(clippy::disallowed_methods, reason = "a measurement is dated")]
    pub(super) fn now() -> Self {
        let load = std::fs::read_to_string("/proc/loadavg").ok();
        Self {
            cores: thread::available_parallelism().map_or(1, NonZeroUsize::get),
            load: load.and_then(|text| text.split_whitespace().next()?.parse().ok()),
            date: humantime::format_rfc3339(SystemTime::now()).to_string().chars().take(10).collect(),
        }
    }
}

impl Report {
    pub(super) fn new(
        comparisons: Vec<Comparison>,
        device: Device,
        jobs: NonZeroUsize,
        machine: Machine,
    ) -> Self {
        Self { comparisons, device, jobs, machine }
    }

    /// Whether virtual time tells the truth at every delay.
    pub(super) fn passed(&self) -> bool {
        self.comparisons.iter().all(Comparison::agrees)
    }

    pub(super) fn for_people(&self) -> String {
        let mut out = self.tables(TABLE_STYLE);
        out.push('\n');
        for comparison in self.comparisons.iter().filter(|comparison| !comparison.agrees()) {
            let _ =
                writeln!(out, "DOES NOT AGREE at {} one way: {}", ms(comparison.one_way), why(comparison));
        }
        if self.passed() {
            let _ =
                writeln!(out, "virtual time agrees with real time: set-up p50 within 5 %, p95 within 10 %");
        }
        out + &self.circumstances() + "\n"
    }

    pub(super) fn to_markdown(&self) -> String {
        self.circumstances() + "\n\n" + &self.tables(presets::ASCII_MARKDOWN)
    }

    pub(super) fn to_json(&self) -> anyhow::Result<String> {
        let Machine { cores, load, date } = &self.machine;
        let value = json!({
            "schema": 1,
            "command": "truth",
            "passed": self.passed(),
            "date": date,
            "cores": cores,
            "load_before": load,
            "device": self.device,
            "jobs": self.jobs,
            "tolerance_percent": { "p50": P50_TOLERANCE_PERCENT, "p95": P95_TOLERANCE_PERCENT },
            "delays": self.comparisons.iter().map(comparison_json).collect::<Vec<_>>(),
        });
        let mut text = serde_json::to_string_pretty(&value).context("cannot write the report")?;
        text.push('\n');
        Ok(text)
    }

    fn tables(&self, style: TableStyle) -> String {
        format!("{}\n\n{}\n", self.setup_table(style), self.milestone_table(style))
    }

    fn setup_table(&self, style: TableStyle) -> String {
        let head = [
            "one way",
            "virtual p50",
            "real p50",
            "differs",
            "virtual p95",
            "real p95",
            "differs",
            "late, mean",
            "at most",
            "repeated",
        ];
        let rows = self.comparisons.iter().map(|comparison| {
            let setup = comparison.setup();
            let (quantiles, differences) =
                (setup.and_then(|row| row.quantiles), setup.and_then(Row::difference));
            let of = |which: usize, part: fn(Quantiles) -> Duration| {
                quantiles.map_or_else(missing, |both| ms(part(both[which])))
            };
            let differs = |which: usize| differences.map_or_else(missing, |both| percent(both[which]));
            let late = comparison.lateness;
            vec![
                ms(comparison.one_way),
                of(0, |one| one.p50),
                of(1, |one| one.p50),
                differs(0),
                of(0, |one| one.p95),
                of(1, |one| one.p95),
                differs(1),
                ms(late.mean()),
                ms(late.most),
                comparison.repeated.to_string(),
            ]
        });
        table(style, &head, rows)
    }

    fn milestone_table(&self, style: TableStyle) -> String {
        let milestones = self.comparisons.first().map(|first| first.rows.as_slice()).unwrap_or_default();
        let names = milestones.iter().map(|row| row.milestone.as_str());
        let head: Vec<&str> = ["one way", "p50"].into_iter().chain(names).collect();
        let rows = self.comparisons.iter().flat_map(|comparison| {
            let cell = |show: fn([Quantiles; 2]) -> String| {
                move |row: &Row| row.quantiles.map_or_else(missing, show)
            };
            let line = |name: &str, show| {
                let cells = comparison.rows.iter().map(cell(show));
                [ms(comparison.one_way), name.to_owned()].into_iter().chain(cells).collect::<Vec<_>>()
            };
            [
                line("virtual", |[one, _]| ms(one.p50)),
                line("real", |[_, other]| ms(other.p50)),
                line("differs", |[one, other]| difference_ms(one.p50, other.p50)),
            ]
        });
        table(style, &head, rows)
    }

    /// `2026-01-31, 2 cores, …`
    fn circumstances(&self) -> String {
        let Machine { cores, load, date } = &self.machine;
        let load = load.map(|load| format!(" (load before: {load:.1})")).unwrap_or_default();
        let (device, jobs) = (self.device, self.jobs);
        format!(
            "{date}, {cores} cores{load}, {jobs} calls at once in real time, device in virtual time: {device}"
        )
    }
}

fn table(style: TableStyle, head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(style).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(head.iter().copied()).add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.trim_fmt()
}

fn why(comparison: &Comparison) -> String {
    match (comparison.failed, comparison.setup().and_then(Row::difference)) {
        ([0, 0], Some([p50, p95])) => format!(
            "virtual set-up differs by {} at p50 (5 % allowed) and {} at p95 (10 % allowed)",
            percent(p50),
            percent(p95)
        ),
        ([in_virtual_time, in_real_time], _) => {
            format!("{in_virtual_time} calls failed in virtual time, {in_real_time} in real time")
        }
    }
}

fn comparison_json(comparison: &Comparison) -> Value {
    let late = comparison.lateness;
    json!({
        "one_way_ms": in_ms(comparison.one_way),
        "agrees": comparison.agrees(),
        "failed": { "virtual": comparison.failed[0], "real": comparison.failed[1] },
        "repeated": comparison.repeated,
        "late_ms": { "mean": in_ms(late.mean()), "max": in_ms(late.most) },
        "setup": comparison.setup().map(row_json),
        "milestones": comparison.rows.iter().map(row_json).collect::<Vec<_>>(),
    })
}

fn row_json(row: &Row) -> Value {
    let quantiles = |one: Quantiles| json!({ "p50": in_ms(one.p50), "p95": in_ms(one.p95) });
    json!({
        "milestone": row.milestone.as_str(),
        "virtual_ms": row.quantiles.map(|[one, _]| quantiles(one)),
        "real_ms": row.quantiles.map(|[_, other]| quantiles(other)),
        "difference": row.difference().map(|[p50, p95]| json!({ "p50": rounded(p50), "p95": rounded(p95) })),
    })
}

/// For what no call reached.
fn missing() -> String {
    "–".to_owned()
}

fn ms(duration: Duration) -> String {
    let ms = in_ms(duration);
    if ms.fract() == 0.0 { format!("{ms} ms") } else { format!("{ms:.1} ms") }
}

fn in_ms(duration: Duration) -> f64 {
    rounded(duration.as_secs_f64() * 1e3)
}

/// To four decimals: a hundredth of a per cent, a tenth of a microsecond.
fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

/// With its sign: `-1.2 %`.
fn percent(fraction: f64) -> String {
    format!("{:+.1} %", fraction * 100.0)
}

fn difference_ms(one: Duration, other: Duration) -> String {
    format!("{:+.1} ms", in_ms(one) - in_ms(other))
}

#[cfg(test)]
mod tests {
    use scenario::{plan::Milestone, run::Lateness};

    use super::*;
    use crate::truth::compare::MILESTONES;

    /// One delay at which all is well, one at which virtual time is too long, one at which nothing connects.
    fn report() -> Report {
        let machine = Machine { cores: 2, load: Some(0.25), date: "2026-01-31".to_owned() };
        let lateness = Lateness {
            releases: 100,
            total: Duration::from_millis(12),
            most: Duration::from_micros(2345),
            ..Lateness::default()
        };
        let agrees = comparison(1, [0, 0], |at| Some([at, at + 10]));
        let differs = comparison(20, [0, 0], |at| Some([at + 100, at]));
        let fails = comparison(50, [0, 30], |_| None);
        let comparisons = [agrees, differs, fails].map(|comparison| Comparison { lateness, ..comparison });
        Report::new(comparisons.into(), Device::Laptop, NonZeroUsize::MIN, machine)
    }

    fn comparison(
        one_way_ms: u64,
        failed: [usize; 2],
        p50s_ms: impl Fn(u64) -> Option<[u64; 2]>,
    ) -> Comparison {
        let row = |(number, milestone): (u64, Milestone)| Row {
            milestone,
            quantiles: p50s_ms((number + 1) * 100).map(|both| {
                both.map(|ms| Quantiles {
                    p50: Duration::from_millis(ms),
                    p95: Duration::from_micros(ms * 1000 + 500),
                })
            }),
        };
        let rows = (0..).zip(MILESTONES).map(row).collect();
        let one_way = Duration::from_millis(one_way_ms);
        Comparison { one_way, rows, failed, lateness: Lateness::default(), repeated: 1 }
    }

    #[test]
    fn for_people() {
        insta::assert_snapshot!(report().for_people());
    }

    #[test]
    fn markdown_has_the_same_tables() {
        insta::assert_snapshot!(report().to_markdown());
    }

    #[test]
    fn json_is_the_documented_object() {
        insta::assert_snapshot!(report().to_json().unwrap());
    }

    #[test]
    fn one_delay_that_does_not_agree_is_enough_to_fail() {
        let mut report = report();
        assert!(!report.passed());
        report.comparisons.truncate(1);
        assert!(report.passed());
        assert!(report.for_people().contains("agrees with real time"));
    }
}
