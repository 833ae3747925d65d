//! "Did you mean …?"

use timeline::nearest;

/// ` (did you mean …?)`, or nothing.
pub(crate) fn hint<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(found, known).map(|near| format!(" (did you mean `{near}`?)")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let known = ["happy/host-candidates#connected", "loss/burst#connected"];
        assert_eq!(hint("xyz", known), "");
        assert_eq!(hint("loss/burst#conected", known), " (did you mean `loss/burst#connected`?)");
    }
}
