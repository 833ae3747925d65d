//! Reports fit the width that there is, and have colours only where somebody sees them.

use crate::place::{GOOD, Place, check, said};

/// What a command prints at a width.
fn at(place: &Place, width: &str, arguments: &[&str]) -> String {
    let said = said(place.command("", arguments).env("COLUMNS", width));
    assert!(matches!(said.code, Some(0 | 3)), "{}{}", said.out, said.err);
    said.out
}

fn place() -> Place {
    let fails = GOOD.replace("outcome = \"connected\"", "outcome = \"busy\"");
    Place::new(&[
        ("scenarios/a/good.toml", GOOD),
        ("scenarios/a/too.toml", GOOD),
        ("scenarios/b/fails.toml", &fails),
    ])
}

#[test]
fn no_line_is_wider_than_columns_and_nothing_is_lost_where_there_is_room() {
    let place = place();
    let baseline = place.run(&["gate", "accept", "a", "--reason", "first"]);
    check(&baseline, 0, &[]);
    let commands: [&[&str]; 7] = [
        &["run", "--seeds", "3"],
        &["run", "--seeds", "3", "--all"],
        &["run", "a/good", "--seed", "1"],
        &["run", "--list"],
        &["gate", "a"],
        &["profiles"],
        &["profiles", "lte"],
    ];
    for arguments in commands {
        let words = |text: &str| {
            let mut words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
            // Frames, and what differs from run to run.
            words.retain(|word| word.chars().any(char::is_alphanumeric) && !word.contains("COLUMNS="));
            words.sort_unstable();
            words
        };
        for width in [60, 80, 100, 200] {
            let text = at(&place, &width.to_string(), arguments);
            for line in text.lines() {
                assert!(timeline::cells(line) <= width, "{arguments:?} at {width}: {line}");
            }
            assert!(!text.contains("no room for") || width < 200, "{arguments:?}: {text}");
        }
        if arguments[0] != "run" || arguments.contains(&"--seed") || arguments.contains(&"--list") {
            let timeless = |text: String| {
                text.lines().filter(|line| !line.contains(" virtual s in ")).collect::<String>()
            };
            let [wide, wider] =
                ["200", "1000"].map(|width| timeless(at(&place, width, arguments)).replace('─', ""));
            let [wide, wider] = [wide, wider].map(|text| words(&text).concat());
            let letters = |text: String| {
                let mut letters: Vec<char> = text.chars().filter(|letter| letter.is_alphanumeric()).collect();
                letters.sort_unstable();
                letters
            };
            assert_eq!(letters(wide), letters(wider), "{arguments:?}");
        }
    }
}

#[test]
fn what_is_plainly_good_is_folded_and_all_shows_it() {
    let place = place();
    let folded = at(&place, "100", &["run", "--seeds", "3"]);
    assert!(
        folded.contains("a/* (2)") && folded.contains("b/fails") && !folded.contains("a/good"),
        "{folded}"
    );
    let all = at(&place, "100", &["run", "--seeds", "3", "--all"]);
    assert!(all.contains("a/good") && all.contains("a/too") && !all.contains("a/*"), "{all}");
}

#[test]
fn colours_are_for_those_who_want_them() {
    let place = place();
    let run = |variables: &[(&str, &str)]| {
        said(place.command("", &["run", "--seeds", "1"]).envs(variables.iter().copied())).out
    };
    assert!(!run(&[]).contains('\u{1b}'), "no terminal, no colours");
    assert!(run(&[("CLICOLOR_FORCE", "1")]).contains("\u{1b}[31m"));
    assert!(!run(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]).contains('\u{1b}'));
}
