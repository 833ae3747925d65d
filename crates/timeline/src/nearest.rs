//! "Did you mean …?"

/// How alike two words must be (0 to 1, normalised Damerau–Levenshtein) to be taken for one another.
const ALIKE: f64 = 0.5;

/// The one of `known` that somebody who wrote `found` most likely meant, `None` if none is near.
pub fn nearest<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = found.to_lowercase().replace([' ', '_'], "-");
    let score = |known: &str| {
        let last = known.rsplit('/').next().unwrap_or(known);
        strsim::normalized_damerau_levenshtein(&lower, known)
            .max(strsim::normalized_damerau_levenshtein(&lower, last))
    };
    let scored = known.into_iter().map(|known| (score(known), known)).filter(|(score, _)| *score >= ALIKE);
    // The first of several that are equally near.
    scored.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(found: &str, expect: Option<&str>) {
        let known = ["hang-up", "accept", "reject", "happy/host-candidates"];
        assert_eq!(nearest(found, known), expect);
    }

    #[test]
    fn finds_what_was_meant() {
        check("hangup", Some("hang-up"));
        check("Hang_Up", Some("hang-up"));
        check("acept", Some("accept"));
        check("host-candidate", Some("happy/host-candidates"));
        check("xyz", None);
    }
}
