//! One line of a profile.

use super::CallgrindError;

/// How much of an odd line is shown.
const SHOWN_CHARS: usize = 60;

/// What a line is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// Nothing, or a comment.
    Blank,
    /// `key: value`.
    Header { key: &'a str, value: &'a str },
    /// `key=value`: a name, a call or a jump.
    Assignment { key: &'a str, value: &'a str },
    /// Positions and numbers.
    Cost(&'a str),
}

pub(super) fn classify(text: &str, line: usize) -> Result<Line<'_>, CallgrindError> {
    let text = text.trim();
    if text.is_empty() || text.starts_with('#') {
        return Ok(Line::Blank);
    }
    if text.starts_with(|c: char| c.is_ascii_digit() || "+-*".contains(c)) {
        return Ok(Line::Cost(text));
    }
    let letters = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
    let (key, rest) = text.split_at(letters);
    match (rest.strip_prefix(':'), rest.strip_prefix('=')) {
        (Some(value), _) => Ok(Line::Header { key, value: value.trim() }),
        (_, Some(value)) => Ok(Line::Assignment { key, value: value.trim() }),
        _ => Err(CallgrindError::UnknownLine { line, found: shown(text) }),
    }
}

pub(super) fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARS).collect()
}

/// Splits `(id) name`, `(id)` or `name`.
pub(super) fn name(value: &str, line: usize) -> Result<(Option<u64>, &str), CallgrindError> {
    let compressed = value.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    // A name may itself begin with a bracket: "(below main)".
    match compressed {
        Some((id, name)) if id.bytes().all(|byte| byte.is_ascii_digit()) && !id.is_empty() => {
            Ok((Some(number(id, line)?), name.trim()))
        }
        _ => Ok((None, value)),
    }
}

pub(super) fn number(text: &str, line: usize) -> Result<u64, CallgrindError> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) if !digits.starts_with('+') => u64::from_str_radix(digits, 16).ok(),
        None if !text.starts_with('+') => text.parse().ok(),
        _ => None,
    };
    parsed.ok_or_else(|| CallgrindError::BadNumber { line, found: shown(text) })
}

/// A position: a number, a distance from the one before, or `*` for the same.
pub(super) fn check_position(text: &str, line: usize) -> Result<(), CallgrindError> {
    match text {
        "*" => Ok(()),
        _ => number(text.strip_prefix(['+', '-']).unwrap_or(text), line).map(drop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_apart() {
        let is = |text| classify(text, 1).unwrap();
        assert_eq!(is("# callgrind format"), Line::Blank);
        assert_eq!(is("cmd:  ./t a=b"), Line::Header { key: "cmd", value: "./t a=b" });
        assert_eq!(is("fn=(1) a: b"), Line::Assignment { key: "fn", value: "(1) a: b" });
        assert_eq!(is("* 17"), Line::Cost("* 17"));
        assert!(classify("what is this", 1).is_err());
    }

    #[test]
    fn names_are_compressed_or_not() {
        assert_eq!(name("(12) main", 1), Ok((Some(12), "main")));
        assert_eq!(name("(12)", 1), Ok((Some(12), "")));
        assert_eq!(name("(below main)", 1), Ok((None, "(below main)")));
        assert_eq!(name("main", 1), Ok((None, "main")));
    }

    #[test]
    fn positions_are_absolute_relative_or_the_same() {
        for position in ["12", "0x1f", "+3", "-3", "*"] {
            assert_eq!(check_position(position, 1), Ok(()), "{position}");
        }
        for position in ["", "+", "**", "x", "+-3", "0x+1"] {
            assert!(check_position(position, 1).is_err(), "{position}");
        }
    }
}
