//! What the readers of JSON share.

use crate::nearest::hint;

/// What the JSON reader says, without the position (shown elsewhere), and with the nearest of the names
/// that it says it expected.
pub(crate) fn reason(error: &serde_json::Error) -> String {
    let whole = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    let reason = whole.strip_suffix(&position).unwrap_or(&whole);
    let hint = meant(reason).unwrap_or_default();
    format!("{reason}{hint}")
}

/// "unknown field `valu`, expected one of `unit`, `value`" names what was found and what there is.
fn meant(reason: &str) -> Option<String> {
    let unknown = reason.strip_prefix("unknown ")?;
    let mut quoted = unknown.split('`').skip(1).step_by(2);
    let found = quoted.next()?;
    Some(hint(found, quoted))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[serde(rename = "value")]
        _value: u64,
        #[serde(rename = "unit")]
        _unit: String,
    }

    #[test]
    fn the_nearest_name_is_offered() {
        let Err(error) = serde_json::from_str::<Sample>(r#"{"valu":1}"#) else { panic!("read") };
        let expect = "unknown field `valu`, expected `value` or `unit` (did you mean `value`?)";
        assert_eq!(reason(&error), expect);
    }
}
