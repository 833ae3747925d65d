//! The words of the findings.

use std::{fs, path::Path};

use capture::audit::Code;

use crate::fixtures::files;

#[test]
fn codes_are_words_that_do_not_change() {
    let words: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    insta::assert_snapshot!(words.join("\n"));
}

/// What the tests and the snapshots of fixtures expect, without the list of the words themselves.
fn expectations() -> String {
    let paths = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it")).into_iter();
    let paths = paths.filter(|path| !path.to_string_lossy().contains("codes_are_words"));
    paths.map(|path| fs::read_to_string(path).unwrap()).collect()
}

#[test]
fn every_code_is_expected_by_some_test_or_fixture() {
    let expectations = expectations();
    let expected = |word: &str| {
        [format!("{word}@"), format!(" {word} "), format!("\"{word}\""), format!("\"{word} ")]
            .iter()
            .any(|written| expectations.contains(written.as_str()))
    };
    let missing: Vec<&str> =
        Code::ALL.iter().map(|code| code.as_str()).filter(|word| !expected(word)).collect();
    assert!(missing.is_empty(), "nothing expects {missing:?}");
}
