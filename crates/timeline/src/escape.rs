//! Text of others on its way to a terminal, a page or a file.

use std::{borrow::Cow, fmt::Write as _};

/// `text` on one line, without a character that steers a terminal or turns the direction of writing.
///
/// Escaped are the C0 and C1 control characters (ECMA-48 §5), line feeds among them, DEL, the line and paragraph
/// separators, and the marks, embeddings, overrides and isolates of the bidirectional algorithm (Unicode UAX #9 §2). The
/// form is that of JSON (RFC 8259 §7), `\u001b`, so that an escaped text means the same within JSON and within a basic
/// string of TOML; the usual ones are `\n`, `\r` and `\t`.
pub fn escaped(text: &str) -> Cow<'_, str> {
    escaped_where(text, steers)
}

/// The same of a text of several lines: line feeds and tabs stay.
pub fn escaped_lines(text: &str) -> Cow<'_, str> {
    escaped_where(text, |letter| !matches!(letter, '\n' | '\t') && steers(letter))
}

/// Whether a character does something to its surroundings instead of being shown.
const fn steers(letter: char) -> bool {
    matches!(letter,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{61c}' | '\u{200e}' | '\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn escaped_where(text: &str, steers: impl Fn(char) -> bool) -> Cow<'_, str> {
    let Some(first) = text.find(&steers) else { return Cow::Borrowed(text) };
    let mut out = String::with_capacity(text.len() + 16);
    out.push_str(&text[..first]);
    for letter in text[first..].chars() {
        match letter {
            letter if !steers(letter) => out.push(letter),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            letter => drop(write!(out, "\\u{:04x}", u32::from(letter))),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_is_shown_and_what_is_shown_stays() {
        assert_eq!(escaped("a\u{1b}]0;x\u{7}b\u{9b}2J\u{7f}"), "a\\u001b]0;x\\u0007b\\u009b2J\\u007f");
        assert_eq!(escaped("one\r\ntwo\u{2028}\u{202e}\u{2066}"), "one\\r\\ntwo\\u2028\\u202e\\u2066");
        assert_eq!(escaped_lines("one\n\ttwo\r\u{1b}"), "one\n\ttwo\\r\\u001b");
        for plain in ["", "Zoë 日本語 👩‍👧 \\u001b", "a → b │ ✗"] {
            assert!(matches!(escaped(plain), Cow::Borrowed(same) if same == plain));
        }
    }

    #[test]
    fn within_json_the_meaning_stays() {
        let text = "x\u{9b}\u{202e}\u{7f}y";
        let json = serde_json::to_string(text).unwrap();
        let shown = escaped_lines(&json);
        assert_ne!(shown, json);
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
    }
}
