//! A page of prose, tables and pictures: what benches came to.

use askama::Template;

use crate::document;

/// A page that is read from above to below.
#[derive(Clone, Debug)]
pub struct ReportPage {
    /// What it is about.
    pub title: String,
    /// What is on it, in order.
    pub blocks: Vec<Block>,
}

/// A part of a [`ReportPage`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Block {
    /// A heading.
    Heading(String),
    /// A paragraph, in which `*this*` is emphasised and a text between backticks is code.
    Prose(String),
    /// A paragraph that leads somewhere.
    Link {
        /// Where, as a path from the page.
        to: String,
        /// What there is.
        text: String,
    },
    /// A table: its head, and its rows. Figures stay with their units.
    Table {
        /// The names of the columns.
        head: Vec<String>,
        /// The rows, as many cells each.
        rows: Vec<Vec<String>>,
    },
    /// A picture, drawn by this program: an SVG element as it is.
    Picture(String),
}

/// A part of a paragraph.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Span {
    Plain(String),
    Emphasis(String),
    Code(String),
}

#[derive(Template)]
#[template(path = "report.html")]
struct Html<'p> {
    page: &'p ReportPage,
    head: document::Head,
    data: &'static str,
}

const STYLE: &str = concat!(include_str!("../assets/page.css"), include_str!("../assets/report.css"));
const SCRIPT: &str =
    concat!("(() => {\n'use strict';\n", include_str!("../assets/common.js"), "theme.start();\n})();\n");

impl ReportPage {
    /// The page as one HTML file.
    pub fn render(&self) -> String {
        let head = document::Head::new(&self.title, STYLE, SCRIPT);
        document::rendered(&Html { page: self, head, data: "null" })
    }
}

/// The spans of a paragraph. A mark that is not closed is a character like any other.
fn spans(text: &str) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let after = &rest[letter.len_utf8()..];
        let closed = match letter {
            '`' | '*' if !after.starts_with(' ') => {
                after.split_once(letter).filter(|(inner, _)| !inner.is_empty())
            }
            _ => None,
        };
        match closed {
            Some((inner, behind)) => {
                if !plain.is_empty() {
                    spans.push(Span::Plain(std::mem::take(&mut plain)));
                }
                let inner = inner.to_owned();
                spans.push(if letter == '`' { Span::Code(inner) } else { Span::Emphasis(inner) });
                rest = behind;
            }
            None => {
                plain.push(letter);
                rest = after;
            }
        }
    }
    if !plain.is_empty() {
        spans.push(Span::Plain(plain));
    }
    spans
}

/// Whether a cell is a text that may be wrapped, rather than a figure with its unit.
fn wraps(cell: &str) -> bool {
    cell.chars().count() > 30
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_become_elements_and_what_is_not_closed_stays() {
        let plain = |text: &str| Span::Plain(text.to_owned());
        assert_eq!(
            spans("A *set-up* by `a *b*`, 2 * 3"),
            [
                plain("A "),
                Span::Emphasis("set-up".into()),
                plain(" by "),
                Span::Code("a *b*".into()),
                plain(", 2 * 3")
            ]
        );
        assert_eq!(spans("`open"), [plain("`open")]);
    }

    #[test]
    fn a_page_has_no_markdown_left_and_escapes_what_it_is_told() {
        let text = "a *b* `c` <i>";
        let page = ReportPage {
            title: "<b>".to_owned(),
            blocks: vec![
                Block::Heading("<b>".to_owned()),
                Block::Prose(text.to_owned()),
                Block::Table { head: vec!["<b>".to_owned()], rows: vec![vec!["452 ms".to_owned()]] },
            ],
        };
        let page = page.render();
        assert!(page.contains("a <em>b</em> <code>c</code> &#60;i&#62;"), "{page}");
        assert!(!page.contains("<b>"), "{page}");
    }
}
