//! As a picture (SVG 1.1).

use svg::{
    Document, Node,
    node::element::{Circle, Definitions, Line, Marker, Path, Rectangle, Style, Text},
};

use timeline::escaped;

use super::{Row, RowKind, Sequence, Tone};

const LANE: usize = 260;
const LEFT: usize = 90;
const TOP: usize = 50;
const ROW: usize = 22;
const LEGEND: usize = 30;

const STYLE: &str = "
text { font: 12px system-ui, sans-serif; fill: #1b1f24 }
.paper { fill: #fff }
.name { font-weight: bold; font-size: 14px; text-anchor: middle }
.time { fill: #57606a; text-anchor: end }
.life { stroke: #d4dae0 }
.message { stroke: #68717b; stroke-width: 1.6 }
.description { stroke: #0757b8 } .candidate { stroke: #0b6870 } .call { stroke: #7440d6 }
.inferred { stroke-dasharray: 4 3 }
.lost { stroke: #b91c28; stroke-dasharray: 6 3 }
.middle { text-anchor: middle }
.right { text-anchor: end }
.warning { fill: #7a4f00; stroke: #7a4f00 } .error { fill: #b91c28; stroke: #b91c28 }
text.warning, text.error { stroke: none; font-weight: bold }
.plain { fill: #57606a }
text.plain { fill: #1b1f24 }
";

/// The sequence as an SVG document. Names and texts of the capture are escaped.
pub fn svg(sequence: &Sequence) -> String {
    let width = LEFT + LANE * sequence.lanes.len().max(1);
    let height = TOP + ROW * (sequence.rows.len() + 2) + LEGEND;
    let mut document = Document::new()
        .set("width", width)
        .set("height", height)
        .set("viewBox", (0, 0, width, height))
        .add(Style::new(STYLE))
        .add(arrow_head())
        .add(Rectangle::new().set("class", "paper").set("width", "100%").set("height", "100%"));
    legend(&mut document, height - ROW);
    for (lane, name) in sequence.lanes.iter().enumerate() {
        let x = center(lane);
        document.append(text(name.as_str()).set("class", "name").set("x", x).set("y", TOP - 20));
        let line = Line::new().set("class", "life").set("x1", x).set("x2", x).set("y1", TOP - 10);
        document.append(line.set("y2", height - ROW - LEGEND));
    }
    for (index, row) in sequence.rows.iter().enumerate() {
        draw(&mut document, row, TOP + ROW * (index + 1), sequence.lanes.len());
    }
    let mut out = document.to_string();
    out.push('\n');
    out
}

const fn center(lane: usize) -> usize {
    LEFT + LANE * lane + LANE / 2
}

/// A text of the capture. Control characters have no place in XML (XML 1.0 §2.2).
fn text(content: &str) -> Text {
    Text::new(escaped(content))
}

fn arrow_head() -> Definitions {
    let head = Path::new().set("d", "M0,0 L8,4 L0,8 z").set("fill", "context-stroke");
    let marker = Marker::new().set("id", "head").set("markerWidth", 8).set("markerHeight", 8);
    Definitions::new().add(marker.set("refX", 8).set("refY", 4).set("orient", "auto").add(head))
}

fn draw(document: &mut Document, row: &Row, y: usize, lanes: usize) {
    let class = match row.tone {
        Tone::Plain => "plain",
        Tone::Warning => "warning",
        Tone::Error => "error",
    };
    if let RowKind::Silence(gap) = row.kind {
        let label = format!("⋮ {:.1} s", gap.as_secs_f64());
        document.append(text(&label).set("class", "time").set("x", LEFT - 10).set("y", y));
        return;
    }
    let time = format!("{} ms", row.at.as_millis());
    document.append(text(&time).set("class", "time").set("x", LEFT - 10).set("y", y + 4));
    match &row.kind {
        RowKind::Arrow { from, to, text: label, lost, inferred } => {
            let (start, end) = (center(*from), center(*to));
            let mut style = format!("message {}", kind(label));
            if *inferred {
                style.push_str(" inferred");
            }
            if *lost {
                style.push_str(" lost");
            }
            let end = if *lost { start.midpoint(end) } else { end };
            let line =
                Line::new().set("class", style).set("x1", start).set("x2", end).set("y1", y).set("y2", y);
            document.append(if *lost { line } else { line.set("marker-end", "url(#head)") });
            let label = if *lost { format!("{label} ✗") } else { label.clone() };
            document
                .append(text(&label).set("class", "middle").set("x", start.midpoint(end)).set("y", y - 4));
        }
        RowKind::Event { lane, text: label } => beside(document, *lane, label, class, y, lanes),
        RowKind::Finding(lane, label) => {
            beside(document, lane.unwrap_or(0), &format!("! {label}"), class, y, lanes)
        }
        RowKind::Silence(_) => {}
    }
}

/// The class of a message by its type, which its label begins with.
fn kind(label: &str) -> &'static str {
    match label.split([':', ' ']).next().unwrap_or_default() {
        "offer" | "answer" | "pranswer" => "description",
        "candidate" | "end-of-candidates" => "candidate",
        "ring" | "ringing" | "accept" | "reject" | "bye" => "call",
        _ => "other",
    }
}

/// What the lines and dots mean, in one row at `y`. Each kind also has its word beside each arrow.
fn legend(document: &mut Document, y: usize) {
    let kinds = [
        ("message description", "offer, answer"),
        ("message candidate", "candidate"),
        ("message call", "ring … bye"),
        ("message other", "other"),
        ("message inferred", "not seen itself"),
        ("message lost", "lost ✗"),
    ];
    let mut x = 12;
    for (class, label) in kinds {
        let line = Line::new().set("class", class).set("x1", x).set("x2", x + 24).set("y1", y).set("y2", y);
        document.append(if class.ends_with("lost") { line } else { line.set("marker-end", "url(#head)") });
        document.append(text(label).set("class", "key").set("x", x + 30).set("y", y + 4));
        x += 44 + 7 * label.chars().count();
    }
}

fn beside(document: &mut Document, lane: usize, label: &str, class: &str, y: usize, lanes: usize) {
    let x = center(lane);
    document.append(Circle::new().set("class", class).set("cx", x).set("cy", y).set("r", 3));
    let label = text(label);
    document.append(if lane + 1 == lanes && lanes > 1 {
        label.set("class", format!("right {class}")).set("x", x - 10).set("y", y + 4)
    } else {
        label.set("class", class).set("x", x + 10).set("y", y + 4)
    });
}
