//! The charts of the page, as SVG.

use svg::{
    Document,
    node::{
        Text as Characters,
        element::{Line, Rectangle, Text, Title},
    },
};

use crate::{
    latency::{
        attribution::Cause,
        summary::{Setup, Summary},
    },
    results::Cost,
};

const WIDTH: f64 = 1100.0;
/// What is left of the bars for their names.
const NAMES: f64 = 300.0;
/// What is left of the bars for their figures: `12345 ms, 10.5 × floor`.
const LABEL: f64 = 190.0;
const ROW: f64 = 24.0;
const LEGEND: f64 = 60.0;

/// One colour for each cause, told apart also where red and green are not.
const fn colour(cause: Cause) -> &'static str {
    match cause {
        Cause::Propagation => "#4477aa",
        Cause::Signalling => "#66ccee",
        Cause::Person => "#bbbbbb",
        Cause::CheckPacing => "#ccbb44",
        Cause::Nomination => "#ee6677",
        Cause::Retransmission => "#aa3377",
        Cause::Queueing => "#228833",
        Cause::Processing => "#99ddff",
        Cause::Clock => "#dddddd",
        Cause::Engine => "#222222",
    }
}

/// The mean set-up of each case as a bar of its causes, its floor as a line across it.
pub(super) fn setups(latency: &[Summary]) -> Document {
    let rows: Vec<(&str, &Setup)> =
        latency.iter().filter_map(|summary| Some((summary.id.as_str(), summary.setup.as_ref()?))).collect();
    let longest = rows.iter().map(|(_, setup)| setup.mean_ms).fold(1.0, f64::max);
    let scale = (WIDTH - NAMES - LABEL) / longest;
    let mut chart = legend(canvas(rows.len()));
    for (index, (id, setup)) in rows.into_iter().enumerate() {
        let top = LEGEND + index as f64 * ROW;
        chart = chart.add(text(id, NAMES - 8.0, top + 15.0, "end"));
        let mut left = NAMES;
        for (cause, took) in &setup.parts_ms {
            let width = took * scale;
            chart = chart.add(bar(
                left,
                top,
                width,
                colour(*cause),
                &format!("{}: {took:.1} ms", cause.as_str()),
            ));
            left += width;
        }
        let floor = NAMES + setup.floor_ms * scale;
        chart = chart.add(mark(floor, top));
        let label = format!("{:.0} ms, {:.1} × floor", setup.mean_ms, setup.ratio());
        chart = chart.add(text(&label, left + 6.0, top + 15.0, "start"));
    }
    chart
}

/// Processor time per call with 1, 10, 100 and 1000 calls in one world.
pub(super) fn growth(costs: &[Cost]) -> Document {
    let rows: Vec<&Cost> = costs.iter().filter(|cost| cost.id.starts_with("calls-in-one-world/")).collect();
    let highest = rows.iter().map(|cost| cost.cpu_ns).fold(1.0, f64::max);
    let scale = (WIDTH - NAMES - LABEL) / highest;
    let mut chart = canvas(rows.len());
    for (index, cost) in rows.into_iter().enumerate() {
        let (top, width) = (LEGEND + index as f64 * ROW, cost.cpu_ns * scale);
        chart = chart.add(text(&cost.id, NAMES - 8.0, top + 15.0, "end"));
        chart = chart.add(bar(NAMES, top, width, colour(Cause::Propagation), &cost.id));
        let label = format!("{:.2} ms a call", cost.cpu_ns / 1e6);
        chart = chart.add(text(&label, NAMES + width + 6.0, top + 15.0, "start"));
    }
    chart
}

fn canvas(rows: usize) -> Document {
    let height = LEGEND + rows as f64 * ROW + 10.0;
    Document::new()
        .set("viewBox", (0.0, 0.0, WIDTH, height))
        .set("width", WIDTH)
        .set("height", height)
        .set("font-family", "system-ui, sans-serif")
        .set("font-size", 13)
}

fn legend(chart: Document) -> Document {
    let step = WIDTH / 6.0;
    let mut chart = chart;
    for (index, cause) in Cause::ALL.into_iter().enumerate() {
        let (left, top) = (index as f64 % 6.0 * step, (index / 6) as f64 * ROW);
        chart = chart.add(bar(left, top, 16.0, colour(cause), cause.as_str()));
        chart = chart.add(text(cause.as_str(), left + 22.0, top + 15.0, "start"));
    }
    let left = Cause::ALL.len() as f64 % 6.0 * step;
    chart.add(mark(left + 8.0, ROW)).add(text("floor", left + 22.0, ROW + 15.0, "start"))
}

fn bar(left: f64, top: f64, width: f64, fill: &str, title: &str) -> Rectangle {
    let title = Title::new(title);
    let bar = Rectangle::new().set("x", rounded(left)).set("y", top + 2.0).set("width", rounded(width));
    bar.set("height", ROW - 6.0).set("fill", fill).add(title)
}

fn mark(at: f64, top: f64) -> Line {
    let line =
        Line::new().set("x1", rounded(at)).set("x2", rounded(at)).set("y1", top).set("y2", top + ROW - 2.0);
    line.set("stroke", "#000").set("stroke-width", 2)
}

fn text(text: &str, x: f64, y: f64, anchor: &str) -> Text {
    Text::new("").set("x", rounded(x)).set("y", y).set("text-anchor", anchor).add(Characters::new(text))
}

/// To a tenth of a pixel.
fn rounded(pixels: f64) -> f64 {
    (pixels * 10.0).round() / 10.0
}
