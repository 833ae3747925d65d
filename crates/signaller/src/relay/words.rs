//! What the relay says to clients about what they sent.

/// The longest reason of a refusal, in bytes: some quote what came, which may be long.
const LONGEST: usize = 512;

/// At most so much of `text`.
pub(crate) fn shortened(text: &str) -> String {
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    let end = (0..=LONGEST).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    format!("{}…", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        assert_eq!(shortened(&"x".repeat(512)).len(), 512);
        assert_eq!(shortened(&"x".repeat(513)), format!("{}…", "x".repeat(512)));
        assert_eq!(shortened(&format!("x{}", "ü".repeat(300))), format!("x{}…", "ü".repeat(255)));
    }
}
