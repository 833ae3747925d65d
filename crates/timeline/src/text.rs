//! Text that fits a width: wrapped at spaces, cut nowhere. Widths are those of a terminal's cells (Unicode UAX #11).

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// What stands before a command that is meant to be copied: it is continued as a shell reads it.
const COMMAND: &str = "repeat: ";
/// What separates the time from what happened, in lines that quote a transcript.
const BAR: &str = "│ ";

/// How many cells of a terminal `text` takes.
pub fn cells(text: &str) -> usize {
    text.width()
}

/// `text` with spaces behind it, so that it takes `width` cells.
pub(crate) fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(cells(text))))
}

/// `text` in lines of at most `width` cells: broken at spaces, and within a word only where the word alone is wider.
/// What follows the first line begins with `indent`. At least one cell of each line holds text.
pub fn wrapped(text: &str, width: usize, indent: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    let mut is_empty = true;
    for word in text.split(' ') {
        let mut rest = word;
        if !is_empty && cells(&line) + 1 + cells(word) <= width {
            line.push(' ');
        } else if !is_empty {
            let full = std::mem::replace(&mut line, indent.to_owned());
            lines.push(full.trim_end().to_owned());
        }
        loop {
            let room = width.saturating_sub(cells(&line)).max(1);
            if cells(rest) <= room {
                line.push_str(rest);
                break;
            }
            let (head, tail) = rest.split_at(break_at(rest, room));
            line.push_str(head);
            lines.push(std::mem::replace(&mut line, indent.to_owned()));
            rest = tail;
        }
        is_empty = false;
    }
    lines.push(line);
    lines
}

/// Where a word is broken that is wider than `room`: behind the last sign that separates, else where it must be; never so
/// that what stands behind an escaped line feed begins a line after all.
fn break_at(word: &str, room: usize) -> usize {
    let mut end = plain_break(word, room);
    while let Some(start) = word[..end].rfind('\\') {
        let len = if word[start..].starts_with("\\u") { "\\u001b".len() } else { "\\n".len() };
        let is_within = end < start + len;
        let is_behind = end == start + len && !word[end..].starts_with('\\');
        if start == 0 || !(is_within || is_behind) {
            break;
        }
        end = start;
    }
    end
}

fn plain_break(word: &str, room: usize) -> usize {
    let mut end = 0;
    let mut used = 0;
    let mut separated = 0;
    for (at, letter) in word.char_indices() {
        used += letter.width().unwrap_or(0);
        if used > room && end > 0 {
            break;
        }
        end = at + letter.len_utf8();
        if matches!(letter, '/' | '-' | '_' | ':' | '.' | ',' | '=') && used * 2 > room {
            separated = end;
        }
    }
    if separated > 0 { separated } else { end }
}

/// `text` with every line that is wider than `width` wrapped, its indentation kept; other lines stay as they are.
///
/// A command behind `repeat:` is continued with `\`, so that it can be copied, and is broken at spaces only.
pub fn fit_lines(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (bare, end) = line.strip_suffix('\n').map_or((line, ""), |bare| (bare, "\n"));
        if cells(bare) <= width {
            out.push_str(line);
            continue;
        }
        let start = bare.len() - bare.trim_start().len();
        let lines = match bare.split_once(COMMAND) {
            Some((before, command)) if before.trim().is_empty() => {
                command_lines(&format!("{before}{COMMAND}"), command, width, start)
            }
            _ => {
                let quoted = bare[start..].starts_with(BAR);
                let indent = " ".repeat(start.min(width / 3));
                let indent = if quoted { format!("{indent}{BAR}    ") } else { indent + "  " };
                wrapped(bare, width, &indent)
            }
        };
        out.push_str(&lines.join("\n"));
        out.push_str(end);
    }
    out
}

fn command_lines(head: &str, command: &str, width: usize, start: usize) -> Vec<String> {
    let mut lines = vec![head.to_owned()];
    let indent = " ".repeat(start + 2);
    for (index, word) in command.split(' ').enumerate() {
        let line = lines.last_mut().expect("there is always a line");
        // Room for the sign of continuation.
        if index > 0 && cells(line) + 1 + cells(word) + 2 > width {
            line.push_str(" \\");
            lines.push(format!("{indent}{word}"));
        } else {
            let space = if index > 0 { " " } else { "" };
            line.push_str(space);
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, width: usize, expect: &[&str]) {
        assert_eq!(wrapped(text, width, "  "), expect);
    }

    #[test]
    fn long_lines_are_broken_at_spaces_and_long_words_where_they_separate() {
        check("short", 44, &["short"]);
        check(
            "signaling: have-local-offer → stable (setRemoteDescription(answer))",
            44,
            &["signaling: have-local-offer → stable", "  (setRemoteDescription(answer))"],
        );
        check("happy/host-candidates", 14, &["happy/host-", "  candidates"]);
        check("192.168.100.17:50000", 12, &["192.168.100.", "  17:50000"]);
        check("abcdefghij", 4, &["abcd", "  ef", "  gh", "  ij"]);
        check("漢字漢字", 4, &["漢字", "  漢", "  字"]);
    }

    #[test]
    fn what_was_escaped_begins_no_line() {
        for width in 8..40 {
            let lines = wrapped("name\\u200f\\u2028\\r\\nFORGED\\nFORGED", width, "");
            assert!(lines.iter().all(|line| !line.starts_with("FORGED")), "{width}: {lines:?}");
        }
    }

    #[test]
    fn only_lines_that_are_too_wide_are_touched() {
        let text = "  a line\n  another line that is wider than it may be\n";
        assert_eq!(fit_lines(text, 24), "  a line\n  another line that is\n    wider than it may be\n");
        assert_eq!(fit_lines("  │  1000  caller  dials", 16), "  │  1000\n  │     caller\n  │     dials");
    }

    #[test]
    fn a_command_stays_a_command() {
        let fit = fit_lines("  repeat: callsim run happy/host-candidates --seed 7\n", 40);
        assert_eq!(fit, "  repeat: callsim run \\\n    happy/host-candidates --seed 7\n");
        let shell = fit.trim().trim_start_matches("repeat: ").replace(" \\\n   ", "");
        assert_eq!(shell, "callsim run happy/host-candidates --seed 7");
    }

    #[test]
    fn nothing_is_lost_and_nothing_is_wider() {
        let text = "one two-three/four five 漢字 six.seven:eight nine ten eleven";
        for width in 4..80 {
            let lines = wrapped(text, width, "");
            assert!(lines.iter().all(|line| cells(line) <= width), "{width}: {lines:?}");
            assert_eq!(lines.concat().replace(' ', ""), text.replace(' ', ""), "{width}");
        }
    }
}
