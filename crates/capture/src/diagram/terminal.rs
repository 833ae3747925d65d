//! For a terminal: characters in columns.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use timeline::escaped;

use super::{Row, RowKind, Sequence, Tone};

/// The widths of the column of times.
const TIME_COLUMN: usize = 11;
/// A lane is not drawn narrower, whatever the terminal.
const MIN_LANE: usize = 18;

/// The sequence in lines of `columns` columns, wider only where the lanes would become unreadable. Without
/// colours: `!` and `✗` mark what went wrong.
pub fn terminal(sequence: &Sequence, columns: usize) -> String {
    let lanes = sequence.lanes.len().max(1);
    let lane_width = (columns.saturating_sub(TIME_COLUMN) / lanes).max(MIN_LANE);
    let canvas = Canvas { lanes, lane_width };
    let mut out = canvas.heading(sequence);
    for row in &sequence.rows {
        out.push_str(&canvas.row(row));
    }
    out
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
        let mut line = Line::new(self.width());
        line.put(0, self.width(), "       ms");
        for (lane, name) in sequence.lanes.iter().enumerate() {
            let shown = cut(name.as_str(), self.lane_width - 2);
            line.put(self.center(lane) - shown.width() / 2, self.lane_width, &shown);
        }
        line.finish()
    }

    /// A line with all lifelines.
    fn lifelines(&self) -> Line {
        let mut line = Line::new(self.width());
        for lane in 0..self.lanes {
            line.put(self.center(lane), 1, "│");
        }
        line
    }

    fn row(&self, row: &Row) -> String {
        let mut line = self.lifelines();
        if let RowKind::Silence(gap) = row.kind {
            line.put(0, TIME_COLUMN, &format!("{:>9}", "⋮"));
            line.put(
                self.center(0) + 2,
                self.lane_width * self.lanes,
                &format!("{:.1} s", gap.as_secs_f64()),
            );
            return line.finish();
        }
        line.put(0, TIME_COLUMN, &format!("{:>9}", row.at.as_millis()));
        match &row.kind {
            RowKind::Arrow { from, to, text, lost, inferred } => {
                self.arrow(&mut line, (*from, *to), text, *lost, *inferred)
            }
            RowKind::Event { lane, text } => self.beside(&mut line, *lane, text),
            RowKind::Finding(lane, text) => {
                let mark = if row.tone == Tone::Error { "!!" } else { "!" };
                self.beside(&mut line, lane.unwrap_or(0), &format!("{mark} {text}"));
            }
            RowKind::Silence(_) => {}
        }
        line.finish()
    }

    /// Beside the lifeline: to its right, of the last lane to its left.
    fn beside(&self, line: &mut Line, lane: usize, text: &str) {
        let center = self.center(lane);
        if lane + 1 == self.lanes && self.lanes > 1 {
            let room = self.lane_width - 3;
            let shown = cut(text, room);
            line.put(center - 1 - shown.width(), room, &shown);
        } else {
            line.put(center + 2, self.lane_width - 3, &cut(text, self.lane_width - 3));
        }
    }

    fn arrow(&self, line: &mut Line, (from, to): (usize, usize), text: &str, lost: bool, inferred: bool) {
        let (left, right) = (self.center(from.min(to)) + 1, self.center(from.max(to)) - 1);
        let dash = if inferred { "╌" } else { "─" };
        for at in left..=right {
            line.put(at, 1, dash);
        }
        let (head_at, head) = if from < to { (right, "▶") } else { (left, "◀") };
        line.put(head_at, 1, if lost { "✗" } else { head });
        let room = (right - left).saturating_sub(5);
        let shown = format!(" {} ", cut(text, room));
        line.put(left + (right - left + 1 - shown.width().min(right - left)) / 2, room + 2, &shown);
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

/// `text` cut to `columns`, with an ellipsis where something is missing. A name in a capture must not be able to
/// steer a terminal.
fn cut(text: &str, columns: usize) -> String {
    let text = escaped(text).into_owned();
    if text.width() <= columns {
        return text;
    }
    let mut out = String::new();
    let mut width = 0;
    for letter in text.chars() {
        width += letter.width().unwrap_or(0);
        if width >= columns {
            break;
        }
        out.push(letter);
    }
    out + "…"
}
