//! The tables of the pages.

use std::collections::BTreeMap;

use crate::{
    latency::{PHASES, attribution::Cause, summary::Summary},
    results::{Cost, Results, Worlds},
};

/// Text in rows and columns, the first column to the left.
pub(super) struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new<'a>(head: impl IntoIterator<Item = &'a str>, rows: Vec<Vec<String>>) -> Self {
        Self { head: head.into_iter().map(str::to_owned).collect(), rows }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn markdown(&self) -> String {
        let line = |cells: &[String]| {
            let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let rule = format!("|---|{}\n", "---:|".repeat(self.head.len() - 1));
        let rows: String = self.rows.iter().map(|row| line(row)).collect();
        line(&self.head) + &rule + &rows
    }

    /// Columns that stand below each other.
    pub(super) fn text(&self) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.set_header(&self.head);
        self.rows.iter().for_each(|row| {
            table.add_row(row);
        });
        format!("{table}\n")
    }

    /// For a page.
    pub(super) fn block(&self) -> ::page::Block {
        ::page::Block::Table { head: self.head.clone(), rows: self.rows.clone() }
    }
}

/// Measured by floor.
pub(super) fn floors(latency: &[Summary]) -> Table {
    let head = ["call", "connected", "p50", "p95", "mean", "floor", "mean ÷ floor", "trips"];
    let row = |summary: &Summary| {
        let mut cells = vec![summary.id.clone(), format!("{} of {}", summary.connected, summary.seeds)];
        match &summary.setup {
            None => cells.extend(["–"; 6].map(str::to_owned)),
            Some(setup) => {
                cells.extend([setup.p50_ms, setup.p95_ms, setup.mean_ms, setup.floor_ms].map(ms));
                cells.push(format!("{:.1}", setup.ratio()));
                let paths = setup
                    .paths
                    .iter()
                    .map(|(path, seeds)| format!("{seeds} {}: {}", path.as_str(), path.trips()));
                cells.push(paths.collect::<Vec<_>>().join("; "));
            }
        }
        cells
    };
    Table::new(head, latency.iter().map(row).collect())
}

/// What set-ups were spent on, the mean.
pub(super) fn causes(latency: &[Summary]) -> Table {
    let head = ["call"].into_iter().chain(Cause::ALL.map(Cause::as_str));
    let rows = latency.iter().filter_map(|summary| {
        let parts = &summary.setup.as_ref()?.parts_ms;
        Some([summary.id.clone()].into_iter().chain(Cause::ALL.map(|cause| part(parts, cause))).collect())
    });
    Table::new(head, rows.collect())
}

fn part(parts: &BTreeMap<Cause, f64>, cause: Cause) -> String {
    parts.get(&cause).map_or_else(|| "–".to_owned(), |took| ms(*took))
}

/// What each phase was spent on, of some cases: the mean over the connected seeds, from the phase before it.
pub(super) fn causes_by_phase(latency: &[Summary], has: impl Fn(&str) -> bool) -> Table {
    let head = ["call", "until"].into_iter().chain(Cause::ALL.map(Cause::as_str));
    let mut rows = Vec::new();
    for summary in latency.iter().filter(|summary| has(&summary.id)) {
        for phase in summary.phases.iter().filter(|phase| !phase.parts_ms.is_empty()) {
            let mut cells = vec![summary.id.clone(), phase.milestone.clone()];
            cells.extend(Cause::ALL.map(|cause| part(&phase.parts_ms, cause)));
            rows.push(cells);
        }
    }
    Table::new(head, rows)
}

/// Median and 95th percentile of each phase, from the dial.
pub(super) fn phases(latency: &[Summary]) -> Table {
    let head = ["call"].into_iter().chain(PHASES.map(|milestone| milestone.as_str()));
    let row = |summary: &Summary| {
        let cell = |name: &str| {
            let phase = summary.phases.iter().find(|phase| phase.milestone == name);
            phase.map_or_else(|| "–".to_owned(), |phase| format!("{:.0} / {:.0}", phase.p50_ms, phase.p95_ms))
        };
        let cells = PHASES.map(|milestone| cell(milestone.as_str()));
        [summary.id.clone()].into_iter().chain(cells).collect()
    };
    Table::new(head, latency.iter().map(row).collect())
}

/// One row for each workload.
pub(super) fn costs(results: &Results) -> Table {
    let head = ["workload", "unit", "processor time", "wall clock", "memory"];
    let row = |cost: &Cost| {
        let memory = cost.memory_bytes.filter(|_| is_call(cost)).map_or_else(|| "–".to_owned(), bytes);
        vec![cost.id.clone(), cost.unit.clone(), time(cost.cpu_ns), time(cost.wall_ns), memory]
    };
    Table::new(head, results.costs.iter().map(row).collect())
}

/// Of a run that handles a text again and again the peak says nothing.
fn is_call(cost: &Cost) -> bool {
    ["calls-in-one-world/", "floor/driver-ten", "floor/driver-many"]
        .iter()
        .any(|one| cost.id.starts_with(one))
}

/// Complete calls a second.
pub(super) fn worlds(worlds: &[Worlds]) -> Table {
    let row = |worlds: &Worlds| vec![worlds.jobs.to_string(), format!("{:.0}", worlds.per_second)];
    Table::new(["threads", "calls a second"], worlds.iter().map(row).collect())
}

fn ms(time: f64) -> String {
    match time {
        ..10.0 => format!("{time:.1} ms"),
        _ => format!("{time:.0} ms"),
    }
}

/// Three digits and the unit that fits.
pub(super) fn time(ns: f64) -> String {
    let (value, unit) = match ns {
        ..1e3 => (ns, "ns"),
        ..1e6 => (ns / 1e3, "µs"),
        ..1e9 => (ns / 1e6, "ms"),
        _ => (ns / 1e9, "s"),
    };
    let digits = if value < 10.0 {
        2
    } else if value < 100.0 {
        1
    } else {
        0
    };
    format!("{value:.digits$} {unit}")
}

pub(super) fn bytes(bytes: f64) -> String {
    format!("{:.0} KB", bytes / 1e3)
}
