/// Whether `name` is one that the glob `pattern` means: `*` stands for any letters, `/` among them, `?` for one.
pub fn fits_glob(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    // Where the last star stood, and what it has swallowed so far.
    let (mut at, mut star) = ((0, 0), None);
    while at.1 < name.len() {
        match pattern.get(at.0) {
            Some(b'*') => {
                star = Some(at);
                at.0 += 1;
            }
            Some(letter) if *letter == b'?' || *letter == name[at.1] => at = (at.0 + 1, at.1 + 1),
            _ => {
                let Some((from, swallowed)) = star else { return false };
                star = Some((from, swallowed + 1));
                at = (from + 1, swallowed + 1);
            }
        }
    }
    pattern[at.0..].iter().all(|letter| *letter == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, name: &str, expect: bool) {
        assert_eq!(fits_glob(pattern, name), expect);
    }

    #[test]
    fn stars_and_question_marks() {
        check("*/callee-*", "ringing/callee-rejects", true);
        check("*b?sy", "ringing/busy", true);
        check("*b?sy", "ringing/bsy", false);
        check("a*b*c", "a-b-b-c", true);
        check("a*b", "a-b-c", false);
        check("*", "", true);
        check("", "a", false);
    }
}
