//! What a report is shown on: how wide it is, and whether it has colours.

use std::{env, path::Path};

use console::{Style, Term};

/// Where nothing says how wide lines may be.
const WIDTH: usize = 100;
/// Narrower, nobody could read anything.
const NARROWEST: usize = 40;

/// How many cells a line of a report may take that goes to `out`, or to standard output: those of the terminal; where it
/// is none, what `COLUMNS` says; else 100.
pub fn width(out: Option<&Path>) -> usize {
    let terminal = Term::stdout();
    let of_terminal = (out.is_none() && terminal.is_term())
        .then(|| terminal.size_checked())
        .flatten()
        .map(|(_, columns)| usize::from(columns));
    chosen(of_terminal, env::var("COLUMNS").ok().as_deref())
}

fn chosen(of_terminal: Option<usize>, columns: Option<&str>) -> usize {
    let said = || columns.and_then(|columns| columns.trim().parse().ok());
    of_terminal.or_else(said).filter(|width| *width > 0).unwrap_or(WIDTH).max(NARROWEST)
}

/// Whether standard output shows colours, and nobody has asked for none (<https://no-color.org>).
pub fn shows_colours() -> bool {
    let unwanted = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !unwanted && console::colors_enabled()
}

/// `text`, whose words are escaped already, with colours on what its readers look for. They stand beside words that say
/// the same: who sees no colours misses nothing.
pub fn in_colours(text: &str) -> String {
    let style = |style: Style| style.force_styling(true);
    let (bad, good) = (style(Style::new().red().bold()), style(Style::new().green()));
    let (notable, quiet) = (style(Style::new().yellow()), style(Style::new().dim()));
    const BAD: [&str; 8] =
        ["FAILED", "NOT CAUGHT", "NOT all good", "REGRESSION", "REGRESSED", "DROPPED", "TOOL ERROR", "✗"];
    let mut out = String::with_capacity(text.len() + 64);
    for line in text.split_inclusive('\n') {
        let (bare, end) = line.strip_suffix('\n').map_or((line, ""), |bare| (bare, "\n"));
        let is_rule = !bare.is_empty() && bare.chars().all(|letter| letter == '─');
        if is_rule || bare.starts_with("# ") {
            out += &quiet.apply_to(bare).to_string();
        } else if bare.starts_with("all good") || bare.starts_with("all compared, all pass") {
            out += &good.apply_to(bare).to_string();
        } else if bare.contains('⚡') || bare.starts_with("INCONCLUSIVE") {
            out += &notable.apply_to(bare).to_string();
        } else {
            let paint = |line: String, word: &&str| line.replace(*word, &bad.apply_to(*word).to_string());
            out += &BAD.iter().fold(bare.to_owned(), paint);
        }
        out += end;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_terminal_goes_before_columns_and_columns_before_what_nobody_said() {
        assert_eq!(chosen(Some(132), Some("80")), 132);
        assert_eq!(chosen(None, Some("80")), 80);
        for nonsense in [None, Some(""), Some("wide"), Some("-1"), Some("0")] {
            assert_eq!(chosen(None, nonsense), 100, "{nonsense:?}");
        }
        assert_eq!(chosen(Some(3), None), NARROWEST);
    }

    #[test]
    fn colours_change_no_word() {
        let text = "# legend\nFAILED  a/b\n────\n 1000 │ ⚡ link goes down\n ~ DROPPED, ✗\nall good: 2 runs\nplain\n";
        let painted = in_colours(text);
        assert_eq!(console::strip_ansi_codes(&painted), text);
        assert_eq!(painted.matches("\u{1b}[31m").count(), 3, "{painted:?}");
        assert!(painted.ends_with("plain\n"));
    }
}
