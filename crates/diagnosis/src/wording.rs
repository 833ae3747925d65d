//! Times, counts and lists as sentences for people have them.

use std::time::Duration;

use timeline::VirtualTime;

/// A length of time: `430 ms`, `1.2 s`, `25 s`.
pub fn duration(took: Duration) -> String {
    match took.as_millis() {
        ms @ 0..1000 => format!("{ms} ms"),
        ms @ 1000..10_000 => format!("{:.1} s", ms as f64 / 1e3),
        ms => format!("{:.0} s", ms as f64 / 1e3),
    }
}

/// A moment: `0.43 s`, `2.9 s`, `31.0 s` after the beginning.
pub fn moment(at: VirtualTime) -> String {
    match at.as_millis() {
        ms @ 0..1000 => format!("{:.2} s", ms as f64 / 1e3),
        ms => format!("{:.1} s", ms as f64 / 1e3),
    }
}

/// `3 candidates`, `1 candidate`.
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// `a`, `a and b`, `a, b and c`.
pub fn all_of<T: ToString>(items: &[T]) -> String {
    list(items, "and")
}

/// `a`, `a or b`, `a, b or c`.
pub fn one_of<T: ToString>(items: &[T]) -> String {
    list(items, "or")
}

/// With its first letter in upper case.
pub fn capitalised(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map(char::to_uppercase).into_iter().flatten().chain(letters).collect()
}

fn list<T: ToString>(items: &[T], word: &str) -> String {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    match items.as_slice() {
        [init @ .., last] if !init.is_empty() => format!("{} {word} {last}", init.join(", ")),
        items => items.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_counts_and_lists_read_well() {
        assert_eq!(duration(Duration::from_millis(430)), "430 ms");
        assert_eq!(duration(Duration::from_millis(1240)), "1.2 s");
        assert_eq!(duration(Duration::from_millis(25_400)), "25 s");
        assert_eq!(moment(VirtualTime::from_millis(430)), "0.43 s");
        assert_eq!(moment(VirtualTime::from_millis(2910)), "2.9 s");
        assert_eq!(count(1, "candidate"), "1 candidate");
        assert_eq!(count(2, "candidate"), "2 candidates");
        assert_eq!(all_of(&["a", "b", "c"]), "a, b and c");
        assert_eq!(one_of(&["a", "b"]), "a or b");
        assert_eq!(all_of::<&str>(&[]), "");
        assert_eq!(capitalised("ähnlich"), "Ähnlich");
    }
}
