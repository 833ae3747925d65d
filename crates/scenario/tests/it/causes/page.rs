//! `docs/causes.md`, made of the codes and of examples that are played here: broken scenarios for what runs fail of,
//! captured calls for what is found in those. `INSTA_UPDATE=always` writes it.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use capture::{Limits, Mappings, audit::audit, merge, read_file};
use scenario::cause::{Code, Consequence};
use timeline::Word as _;

use super::broken::{self, Broken, root};

const HEAD: &str = "\
# Causes

What `callsim run` and `callsim replay` say is wrong, by code. The codes are stable: scripts may rely on them. A failed run
begins with its cause, the first entry of `failures[]` in JSON with its `code`; the other entries of the run follow from
it, and carry the name of the check that failed. Findings of a captured call carry their `code` as well.

*error*: why a call failed, or was lost. *warning*: not as it should be, though the call may work. *note*: good to know.
In a call that connected, some matter less than is said here.

Each example is played by a test (`crates/scenario/tests/it/causes/`): a scenario that was broken as its name says, or a
captured call. This page is made of the code.
";

/// Codes whose example is another test, which says more than a scenario could.
const HELD_ELSEWHERE: &[(Code, &str)] = &[
    (Code::CandidateRejected, "crates/capture/tests/it/audit/candidates.rs"),
    (Code::DuplicateOffer, "crates/capture/tests/it/audit/descriptions.rs"),
    (Code::TrackRemoved, "crates/capture/tests/it/audit/descriptions.rs"),
    (Code::MdnsOnly, "crates/capture/tests/it/audit/candidates.rs"),
    (Code::IceServerError, "crates/capture/tests/it/audit/candidates.rs"),
    (Code::GatheringNeverCompleted, "crates/capture/tests/it/audit/candidates.rs"),
    (Code::DtlsNeverConnected, "crates/capture/tests/it/audit/connections.rs"),
    (Code::ClockSkew, "crates/capture/tests/it/merge.rs"),
    (Code::DtlsRolesClash, "crates/scenario/src/cause/tests.rs"),
    (Code::DtlsFingerprintMismatch, "crates/scenario/src/cause/tests.rs"),
    (Code::MediaNotReceived, "crates/scenario/src/cause/tests.rs"),
    (Code::MediaOneWay, "crates/scenario/src/cause/tests.rs"),
    (Code::OwnStackRefused, "crates/callsim/src/bin/callsim/replay/tests/field/cases.rs"),
    (Code::StepsUnderstood, "crates/scenario/tests/it/programs.rs"),
    (Code::NoCandidateLost, "crates/scenario/src/checks/tests.rs"),
    (Code::NothingLeaked, "crates/scenario/src/checks/tests.rs"),
    (Code::SignallingExactlyOnce, "crates/scenario/src/checks/signalling.rs"),
    (Code::Rate, "crates/scenario/src/report.rs"),
    (Code::Budget, "crates/callsim/src/bin/callsim/run/budgets.rs"),
    (Code::Pin, "crates/callsim/tests/it/project.rs"),
    (Code::Panicked, "crates/scenario/src/suite/tests.rs"),
    (Code::NotRepeatable, "crates/callsim/src/bin/callsim/run/testing.rs"),
    (Code::NotPlayed, "crates/scenario/src/report.rs"),
];

#[test]
fn every_code_is_on_the_page_with_an_example_that_is_played() {
    let (page, without) = page();
    assert_eq!(without, WITHOUT_EXAMPLE, "the codes without an example");
    let file = root().join("docs/causes.md");
    if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
        fs::write(&file, &page).expect("writes");
    }
    let written = fs::read_to_string(&file).expect("docs/causes.md");
    assert!(page == written, "docs/causes.md is not current: run with INSTA_UPDATE=always");
}

/// The page, and the codes that no example shows.
fn page() -> (String, Vec<Code>) {
    let scenarios = scenarios();
    let captures = captures();
    let (mut page, mut without) = (HEAD.to_owned(), Vec::new());
    for (code, doc) in Code::ALL.iter().zip(Code::DOCS) {
        let meaning: Vec<&str> = doc.lines().map(str::trim).collect();
        let _ = writeln!(page, "\n## `{code}`\n\n{} *{}*", meaning.join(" "), code.level());
        if !code.recommendation().is_empty() {
            let _ = writeln!(page, "\nWhat to do: {}", code.recommendation());
        }
        let elsewhere = HELD_ELSEWHERE.iter().find(|(held, _)| held == code);
        let example = match (scenarios.get(code), captures.get(code), elsewhere) {
            (Some(example), ..) | (None, Some(example), _) => example.clone(),
            (None, None, Some((_, file))) => {
                let test = fs::read_to_string(root().join(file)).expect("a test");
                let names = [code.as_str().to_owned(), format!("Code::{code:?}"), format!("{code:?}(")];
                assert!(names.iter().any(|name| test.contains(name)), "{file} says nothing of {code}");
                format!("the tests in `{file}`.")
            }
            (None, None, None) => {
                without.push(*code);
                continue;
            }
        };
        let _ = writeln!(page, "\nExample: {example}");
    }
    (page, without)
}

/// The first broken scenario of each code, and what is said of it.
fn scenarios() -> BTreeMap<Code, String> {
    let mut examples = BTreeMap::new();
    for (broken, cause) in broken::played() {
        let Some(cause) = cause.as_ref().filter(|cause| cause.code == broken.code) else { continue };
        let Broken { name, base, .. } = broken;
        let example = || format!("`{base}`, broken as `{name}`:\n> {}.", cause.sentence.trim());
        examples.entry(broken.code).or_insert_with(example);
    }
    // Checks that something always explains are examples as what follows from it.
    for (broken, cause) in broken::played() {
        for Consequence { code, sentence } in cause.iter().flat_map(|cause| &cause.consequences) {
            let Broken { name, base, code: of, .. } = broken;
            let example =
                || format!("`{base}`, broken as `{name}`, as what follows from `{of}`:\n> {sentence}.");
            examples.entry(*code).or_insert_with(example);
        }
    }
    examples
}

/// The first captured call of this repository in which each code is found.
fn captures() -> BTreeMap<Code, String> {
    let folder = root().join("fixtures");
    let mut files = Vec::new();
    collect(&folder, &mut files);
    files.sort();
    let mut examples = BTreeMap::new();
    // The page is the same wherever this repository is.
    let here = format!("{}/", root().display());
    for file in files {
        let name = file.strip_prefix(root()).expect("inside").display().to_string();
        let Ok(recording) = read_file(&file, &Mappings::default(), &Limits::default()) else { continue };
        for call in &merge(vec![recording]).calls {
            for finding in audit(call) {
                let Some(code) = Code::from_word(finding.code.as_str()) else { continue };
                let message = || finding.message.replace(&here, "");
                examples.entry(code).or_insert_with(|| {
                    format!("the captured call `{name}`:\n> {}.", message().trim_end_matches('.'))
                });
            }
        }
    }
    examples
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("fixtures") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => collect(&path, files),
            false => files.push(path),
        }
    }
}

/// Codes that no fixture of this repository shows yet.
const WITHOUT_EXAMPLE: &[Code] = &[];
