//! For a terminal: characters in columns.

use timeline::{cells, escaped, wrapped};
use unicode_width::UnicodeWidthChar;

use super::{Row, RowKind, Sequence, Tone};

/// The widths of the column of times.
const TIME_COLUMN: usize = 11;
/// Where lanes would be narrower, rows follow each other, each with the names of whose it is.
const MIN_LANE: usize = 18;

/// The sequence in lines of at most `columns` cells: texts that are too long go on in the next line. Without colours:
/// `!` and `✗` mark what went wrong.
pub fn terminal(sequence: &Sequence, columns: usize) -> String {
    let lanes = sequence.lanes.len().max(1);
    let lane_width = columns.saturating_sub(TIME_COLUMN) / lanes;
    if lane_width < MIN_LANE {
        return rows(sequence, columns);
    }
    let canvas = Canvas { lanes, lane_width };
    let mut out = canvas.heading(sequence);
    for row in &sequence.rows {
        out.push_str(&canvas.row(row));
    }
    out
}

/// Without lanes.
fn rows(sequence: &Sequence, columns: usize) -> String {
    let name = |lane: usize| sequence.lanes.get(lane).map_or("", |name| name.as_str());
    let mut out = String::from("       ms\n");
    for row in &sequence.rows {
        let text = match &row.kind {
            RowKind::Arrow { from, to, text, lost, .. } => {
                let arrow = if *lost { "─✗" } else { "─▶" };
                format!("{} {arrow} {}: {text}", name(*from), name(*to))
            }
            RowKind::Event { lane, text } => format!("{}: {text}", name(*lane)),
            RowKind::Finding(lane, text) => format!("{} {}: {text}", mark(row), name(lane.unwrap_or(0))),
            RowKind::Silence(gap) => format!("⋮ {:.1} s", gap.as_secs_f64()),
        };
        let mut time = match row.kind {
            RowKind::Silence(_) => String::new(),
            _ => row.at.as_millis().to_string(),
        };
        for part in wrapped(&escaped(&text), columns.saturating_sub(TIME_COLUMN), "  ") {
            let line = format!("{time:>9}  {part}");
            out.push_str(line.trim_end());
            out.push('\n');
            time.clear();
        }
    }
    out
}

fn mark(row: &Row) -> &'static str {
    if row.tone == Tone::Error { "!!" } else { "!" }
}

struct Canvas {
    lanes: usize,
    lane_width: usize,
}

impl Canvas {
    fn center(&self, lane: usize) -> usize {
        TIME_COLUMN + lane * self.lane_width + self.lane_width / 2
    }

    fn width(&self) -> usize {
        TIME_COLUMN + self.lanes * self.lane_width
    }

    fn heading(&self, sequence: &Sequence) -> String {
        let room = self.lane_width - 2;
        let names: Vec<Vec<String>> =
            sequence.lanes.iter().map(|name| wrapped(&escaped(name.as_str()), room, "")).collect();
        let rows = names.iter().map(Vec::len).max().unwrap_or(1);
        let mut out = String::new();
        for row in 0..rows {
            let mut line = Line::new(self.width());
            if row == 0 {
                line.put(0, self.width(), "       ms");
            }
            for (lane, name) in names.iter().enumerate() {
                let shown = name.get(row).map_or("", String::as_str);
                line.put(self.center(lane) - cells(shown) / 2, self.lane_width, shown);
            }
            out += &line.finish();
        }
        out
    }

    /// A line with all lifelines, and with the time in the first of a row.
    fn lifelines(&self, time: &mut Option<String>) -> Line {
        let mut line = Line::new(self.width());
        for lane in 0..self.lanes {
            line.put(self.center(lane), 1, "│");
        }
        line.put(0, TIME_COLUMN, &format!("{:>9}", time.take().unwrap_or_default()));
        line
    }

    fn row(&self, row: &Row) -> String {
        let mut time = Some(row.at.as_millis().to_string());
        match &row.kind {
            RowKind::Silence(gap) => {
                let mut line = self.lifelines(&mut Some("⋮".to_owned()));
                let room = self.lane_width * self.lanes;
                line.put(self.center(0) + 2, room, &format!("{:.1} s", gap.as_secs_f64()));
                line.finish()
            }
            RowKind::Arrow { from, to, text, lost, inferred } => {
                self.arrow(&mut time, (*from, *to), text, *lost, *inferred)
            }
            RowKind::Event { lane, text } => self.beside(&mut time, *lane, text),
            RowKind::Finding(lane, text) => {
                self.beside(&mut time, lane.unwrap_or(0), &format!("{} {text}", mark(row)))
            }
        }
    }

    /// Beside the lifeline: to its right, of the last lane to its left.
    fn beside(&self, time: &mut Option<String>, lane: usize, text: &str) -> String {
        let center = self.center(lane);
        let is_last = lane + 1 == self.lanes && self.lanes > 1;
        // A lane reaches to the lifeline beside it; that of the only one, or of the first, to its own end.
        let room = if self.lanes == 1 { self.lane_width / 2 - 2 } else { self.lane_width - 3 };
        let mut out = String::new();
        for part in wrapped(&escaped(text), room, "  ") {
            let mut line = self.lifelines(time);
            let at = if is_last { center - 1 - cells(&part) } else { center + 2 };
            line.put(at, room, &part);
            out += &line.finish();
        }
        out
    }

    /// The text stands in the arrow, and what of it has no room there above it.
    fn arrow(
        &self,
        time: &mut Option<String>,
        (from, to): (usize, usize),
        text: &str,
        lost: bool,
        inferred: bool,
    ) -> String {
        let (left, right) = (self.center(from.min(to)) + 1, self.center(from.max(to)) - 1);
        let room = (right - left).saturating_sub(5);
        let mut parts = wrapped(&escaped(text), room, "");
        let last = parts.pop().unwrap_or_default();
        let mut out = String::new();
        for part in parts {
            let mut line = self.lifelines(time);
            line.put(left + (right - left + 1 - cells(&part)) / 2, room, &part);
            out += &line.finish();
        }
        let mut line = self.lifelines(time);
        let dash = if inferred { "╌" } else { "─" };
        for at in left..=right {
            line.put(at, 1, dash);
        }
        let (head_at, head) = if from < to { (right, "▶") } else { (left, "◀") };
        line.put(head_at, 1, if lost { "✗" } else { head });
        let shown = format!(" {last} ");
        line.put(left + (right - left + 1 - cells(&shown).min(right - left)) / 2, room + 2, &shown);
        out + &line.finish()
    }
}

/// A line of cells; a wide character takes two.
struct Line {
    cells: Vec<String>,
}

impl Line {
    fn new(width: usize) -> Self {
        Self { cells: vec![" ".to_owned(); width] }
    }

    /// Writes `text` from a cell on, over at most `room` cells.
    fn put(&mut self, at: usize, room: usize, text: &str) {
        let mut cell = at;
        for letter in text.chars() {
            let width = letter.width().unwrap_or(0);
            if width == 0 {
                continue;
            }
            if cell + width > (at + room).min(self.cells.len()) {
                return;
            }
            self.cells[cell] = letter.to_string();
            for taken in 1..width {
                self.cells[cell + taken].clear();
            }
            cell += width;
        }
    }

    fn finish(self) -> String {
        format!("{}\n", self.cells.concat().trim_end())
    }
}
