//! "Did you mean …?"

/// How alike two words must be (0 to 1, normalised Damerau–Levenshtein) to be taken for one another.
const ALIKE: f64 = 0.5;

/// The one of `known` that somebody who wrote `found` most likely meant; `None` if none is near.
pub fn nearest<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let scored = known.into_iter().map(|known| (strsim::normalized_damerau_levenshtein(found, known), known));
    let alike = scored.filter(|(score, _)| *score >= ALIKE);
    // The first of several that are equally near.
    alike.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, known)| known)
}

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
        assert_eq!(nearest("happy/host-candidate#connected", known), Some(known[0]));
        assert_eq!(nearest("loss/bursts#connected", known), Some(known[1]));
        assert_eq!(nearest("xyz", known), None);
        assert_eq!(hint("loss/burst#conected", known), " (did you mean `loss/burst#connected`?)");
    }
}
