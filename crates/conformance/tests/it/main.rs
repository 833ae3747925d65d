//! The table: it is as pinned, it is complete, and it is the same whenever and wherever it is played.

mod guards;
mod pins;

use std::{collections::BTreeSet, num::NonZeroUsize, path::PathBuf, sync::LazyLock, thread};

use conformance::{Group, Pins, Played, Row, Verdict, judge, markdown, play, play_row, rows};

/// The whole table, played once for all tests on all cores.
static TABLE: LazyLock<Vec<Played>> = LazyLock::new(|| {
    let jobs = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    play(rows(), jobs, || false, |_| {})
});

#[test]
fn the_table_is_as_pinned() {
    let broken: Vec<String> = TABLE
        .iter()
        .flat_map(|played| [&played.bare, &played.engine].map(|verdict| (played.row.id.clone(), verdict)))
        .filter_map(|(id, verdict)| Some(format!("{id}: {}", verdict.as_ref().err()?)))
        .collect();
    assert_eq!(broken, Vec::<String>::new(), "these rows cannot be played");
    let surprises: Vec<String> =
        judge(&TABLE, &rows(), &Pins::known()).iter().map(ToString::to_string).collect();
    assert!(
        surprises.is_empty(),
        "{}\n\nto accept what was found: \
         cargo xtask conformance --format pins --out crates/conformance/pinned.toml",
        surprises.join("\n")
    );
}

#[test]
fn the_page_is_current() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/conformance.md");
    let page = std::fs::read_to_string(&path).expect("docs/conformance.md can be read");
    assert!(
        page == markdown(&TABLE, &Pins::known()),
        "docs/conformance.md is not what the table says: \
         cargo xtask conformance --format markdown --out docs/conformance.md"
    );
}

#[test]
fn every_row_gives_the_same_bytes_again() {
    for played in TABLE.iter() {
        let again = play_row(played.row.clone());
        let id = &played.row.id;
        assert_eq!((&again.bare, &again.engine), (&played.bare, &played.engine), "{id}");
        assert_eq!(again.digests, played.digests, "{id}: other bytes on the wire");
    }
}

#[test]
fn the_engine_is_clean_or_says_why_not() {
    let pins = Pins::known();
    for played in TABLE.iter() {
        if let Ok(Verdict::Deviates(found)) = &played.engine {
            let because = pins.reason(&played.row.id).unwrap_or_default();
            assert!(because.split(' ').count() > 4, "{} deviates without a reason: {found}", played.row.id);
        }
    }
}

#[test]
fn the_table_has_a_hundred_and_twenty_rows_and_all_of_the_signalling_table() {
    let rows = rows();
    assert!(rows.len() >= 120, "{} rows", rows.len());
    let table = rows.iter().filter(|row| row.group == Group::SignalingTable).count();
    assert_eq!(table, 6 * 2 * 4);
    let groups: BTreeSet<Group> = rows.iter().map(|row| row.group).collect();
    assert_eq!(groups.len(), 10, "a group without a row");
}

#[test]
fn every_row_has_a_name_of_its_own_a_sentence_a_section_and_a_test() {
    let mut ids = BTreeSet::new();
    for Row { id, says, spec, source, .. } in rows() {
        let is_kebab = id.split('-').all(|word| {
            !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        });
        assert!(is_kebab, "`{id}` is not in kebab case");
        assert!(says.ends_with('.') && says.len() > 20, "`{id}` says no sentence: {says}");
        assert!(spec.starts_with("webrtc-pc §") || spec.starts_with("RFC "), "`{id}` has no section: {spec}");
        let is_test = source.ends_with(".html")
            && ["RTC", "protocol/"].iter().any(|beginning| source.starts_with(beginning));
        assert!(is_test, "`{id}` comes from no test: {source}");
        assert!(ids.insert(id.clone()), "`{id}` is there twice");
    }
}
