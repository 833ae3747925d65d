//! Tables for a terminal, as wide as they may be: text columns wrap, then columns go that matter least, and what went is
//! named.

use std::fmt::Write as _;

use crate::text::{cells, padded, wrapped};

/// Between two columns.
const GAP: &str = "  ";

/// One column of a [`Table`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    head: String,
    align: Align,
    /// The narrowest that it gets while columns can go instead; `None` where its cells are not wrapped for room.
    wraps: Option<usize>,
    /// The higher, the earlier it goes; `None` where it never does.
    rank: Option<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Align {
    Left,
    Right,
}

impl Column {
    /// A column of texts, which is always there.
    pub fn left(head: impl Into<String>) -> Self {
        Self { head: head.into(), align: Align::Left, wraps: None, rank: None }
    }

    /// A column of numbers, which is always there.
    pub fn right(head: impl Into<String>) -> Self {
        Self { align: Align::Right, ..Self::left(head) }
    }

    /// Its cells may be wrapped, down to `least` terminal cells.
    #[must_use]
    pub fn wraps(self, least: usize) -> Self {
        Self { wraps: Some(least), ..self }
    }

    /// It may go where there is no room: those of the highest rank go first.
    #[must_use]
    pub fn may_go(self, rank: u8) -> Self {
        Self { rank: Some(rank), ..self }
    }
}

/// A table: a head, a line under it, rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Without rows.
    pub fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Self { columns: columns.into_iter().collect(), rows: Vec::new() }
    }

    /// Adds a row: one text per column, in which a line feed begins a new line.
    pub fn push(&mut self, row: impl IntoIterator<Item = impl Into<String>>) {
        self.rows.push(row.into_iter().map(Into::into).collect());
    }

    /// In lines of at most `width` cells, each with a line feed at its end. Columns for which there is no room are named
    /// below, with the width that shows all.
    pub fn fit(&self, width: usize) -> String {
        let natural: Vec<usize> = (0..self.columns.len()).map(|column| self.natural(column)).collect();
        let shown = self.shown(&natural, width);
        let widths = self.widths(&natural, &shown, width);
        let mut out = String::new();
        let heads: Vec<&str> = self.columns.iter().map(|column| column.head.as_str()).collect();
        self.push_row(&mut out, &heads, &shown, &widths);
        let _ = writeln!(out, "{}", "─".repeat(total(&widths)));
        for row in &self.rows {
            let row: Vec<&str> = row.iter().map(String::as_str).collect();
            self.push_row(&mut out, &row, &shown, &widths);
        }
        let gone: Vec<&str> = heads
            .iter()
            .enumerate()
            .filter(|(column, _)| !shown.contains(column))
            .map(|(_, head)| *head)
            .collect();
        if !gone.is_empty() {
            let all = total(&natural);
            let said =
                format!("(no room for: {}; COLUMNS={all} or a wider terminal shows all)", gone.join(", "));
            wrapped(&said, width, " ").iter().for_each(|line| {
                let _ = writeln!(out, "{line}");
            });
        }
        out
    }

    /// The widest cell of a column, its head among them.
    fn natural(&self, column: usize) -> usize {
        let texts = self.rows.iter().filter_map(|row| row.get(column)).flat_map(|text| text.split('\n'));
        texts.chain([self.columns[column].head.as_str()]).map(cells).max().unwrap_or(0)
    }

    /// The columns for which there is room once texts are wrapped.
    fn shown(&self, natural: &[usize], width: usize) -> Vec<usize> {
        let mut shown: Vec<usize> = (0..self.columns.len()).collect();
        let least = |column: &usize| {
            let natural = natural[*column];
            self.columns[*column].wraps.map_or(natural, |least| natural.min(least))
        };
        while total(&shown.iter().map(least).collect::<Vec<_>>()) > width {
            let Some(rank) = shown.iter().filter_map(|column| self.columns[*column].rank).max() else {
                break;
            };
            // Of several of one rank the last.
            let Some(at) = shown.iter().rposition(|column| self.columns[*column].rank == Some(rank)) else {
                break;
            };
            shown.remove(at);
        }
        shown
    }

    /// How wide each shown column is: the widest that may be wrapped give way first, down to their least, then all.
    fn widths(&self, natural: &[usize], shown: &[usize], width: usize) -> Vec<usize> {
        let mut widths: Vec<usize> = shown.iter().map(|column| natural[*column]).collect();
        let least = |index: usize| self.columns[shown[index]].wraps;
        while total(&widths) > width {
            let above_least =
                (0..widths.len()).filter(|index| least(*index).is_some_and(|it| widths[*index] > it));
            let widest = above_least
                .max_by_key(|index| widths[*index])
                .or_else(|| (0..widths.len()).max_by_key(|index| widths[*index]));
            match widest {
                Some(index) if widths[index] > 1 => widths[index] -= 1,
                _ => break,
            }
        }
        widths
    }

    fn push_row(&self, out: &mut String, row: &[&str], shown: &[usize], widths: &[usize]) {
        let cell = |(column, width): (&usize, &usize)| -> Vec<String> {
            let text = row.get(*column).copied().unwrap_or_default();
            text.split('\n').flat_map(|line| wrapped(line, *width, "")).collect()
        };
        let columns: Vec<Vec<String>> = shown.iter().zip(widths).map(cell).collect();
        for line in 0..columns.iter().map(Vec::len).max().unwrap_or(0) {
            let parts = columns.iter().zip(shown).zip(widths).map(|((lines, column), width)| {
                let text = lines.get(line).map_or("", String::as_str);
                match self.columns[*column].align {
                    Align::Left => padded(text, *width),
                    Align::Right => " ".repeat(width.saturating_sub(cells(text))) + text,
                }
            });
            let _ = writeln!(out, "{}", parts.collect::<Vec<_>>().join(GAP).trim_end());
        }
    }
}

/// With the gaps between.
fn total(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP.len() * widths.len().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new([
            Column::left("scenario").wraps(24),
            Column::right("passed"),
            Column::left("outcomes").wraps(16),
            Column::right("setup p50").may_go(1),
            Column::right("slowest").may_go(2),
        ]);
        table.push(["happy/host-candidates", "20 of 20", "20 connected", "516 ms", "seed 3: 656 ms"]);
        table.push([
            "loss/uniform-20pct",
            "20 of 20",
            "16 connected, 4 connect-timeout",
            "3189 ms",
            "seed 7: 5446 ms",
        ]);
        table
    }

    #[test]
    fn texts_wrap_before_columns_go_and_what_goes_is_named() {
        let at = |width| format!("{width}:\n{}\n", table().fit(width));
        insta::assert_snapshot!([200, 90, 70, 40, 24].map(at).concat());
    }

    #[test]
    fn no_line_is_wider_and_what_is_shown_is_whole() {
        for width in 12..120 {
            let text = table().fit(width);
            for line in text.lines() {
                assert!(cells(line) <= width, "{width}: {line}");
            }
            if width >= 40 {
                for word in ["connect-", "timeout", "uniform-", "20pct"] {
                    assert!(text.contains(word), "{width}: {word}\n{text}");
                }
            }
        }
        let all = table().fit(100);
        for word in ["16 connected, 4 connect-timeout", "3189 ms", "seed 7: 5446 ms", "slowest"] {
            assert!(all.contains(word), "{all}");
        }
    }
}
