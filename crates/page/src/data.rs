//! JSON within HTML.

use std::fmt::Write as _;

use serde::Serialize;

/// `value` as JSON that may stand in a `<script type="application/json">`: it ends no element and opens no comment
/// (HTML §4.12.1.3), and has no character that steers ([`timeline::escaped_lines`]). What it means stays the same.
pub(crate) fn json(value: &impl Serialize) -> String {
    let text =
        serde_json::to_string(value).expect("the types of this package have no keys that are not texts");
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    for letter in text.chars() {
        match letter {
            '<' | '>' | '&' => drop(write!(out, "\\u{:04x}", u32::from(letter))),
            letter => out.push(letter),
        }
    }
    timeline::escaped_lines(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_ends_a_script_or_steers_a_terminal_is_escaped() {
        let text = json(&["</script><!--", "\u{202e}\u{2028}\u{7f}", "a & b"]);
        assert_eq!(text, r#"["\u003c/script\u003e\u003c!--","\u202e\u2028\u007f","a \u0026 b"]"#);
    }

    proptest! {
        #[test]
        fn every_text_comes_back(texts in prop::collection::vec(any::<String>(), 0..4)) {
            let text = json(&texts);
            prop_assert!(!text.contains(['<', '>', '&']));
            prop_assert_eq!(timeline::escaped_lines(&text), text.as_str());
            prop_assert_eq!(serde_json::from_str::<Vec<String>>(&text).unwrap(), texts);
        }
    }
}
