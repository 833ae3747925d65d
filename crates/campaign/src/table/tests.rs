use bytes::Bytes;
use proptest::prelude::*;
use scenario::plan::Outcome;

use super::*;
use crate::row::Finding;

fn label() -> Label {
    Label { plan: "0123".to_owned(), shard: 7 }
}

fn finding() -> impl Strategy<Value = Finding> {
    (".{0,6}", ".{0,6}", ".{0,20}", ".{0,20}", any::<u32>(), ".{0,40}").prop_map(
        |(check, cause, last_transition, last_step, at_ms, message)| Finding {
            check,
            cause,
            last_transition,
            last_step,
            at_ms: at_ms.into(),
            message,
        },
    )
}

fn row() -> impl Strategy<Value = Row> {
    let outcome = prop::option::of(prop::sample::select(Outcome::ALL));
    let times = (prop::option::of(0u64..100_000), prop::option::of(0u64..100_000), any::<u32>());
    (
        "[a-z/]{1,12}",
        any::<u64>(),
        outcome,
        times,
        any::<Option<u128>>(),
        prop::option::of((1u32..9, finding())),
    )
        .prop_map(|(scenario, seed, outcome, (setup_ms, recovery_ms, elapsed_ms), digest, failed)| Row {
            scenario,
            seed,
            outcome,
            setup_ms,
            recovery_ms,
            elapsed_ms: elapsed_ms.into(),
            digest,
            failures: failed.as_ref().map_or(0, |(failures, _)| *failures),
            finding: failed.map(|(_, finding)| finding),
        })
}

fn written(rows: &[Row]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), &label()).unwrap();
    rows.iter().for_each(|row| writer.push(row.clone()).unwrap());
    writer.finish().unwrap()
}

fn read(bytes: Vec<u8>) -> Result<Vec<Row>, TableError> {
    let mut reader = Reader::new(Bytes::from(bytes))?;
    let mut rows = Vec::new();
    while let Some(group) = reader.group()? {
        rows.extend(group);
    }
    Ok(rows)
}

/// One run after the other, as in a campaign.
fn run(seed: u64) -> Row {
    Row {
        scenario: "loss/uniform-5pct".to_owned(),
        seed,
        outcome: Some(Outcome::Connected),
        setup_ms: Some(900 + seed % 700),
        recovery_ms: None,
        elapsed_ms: 10_000 + seed % 700,
        digest: Some(u128::from(seed).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)),
        failures: 0,
        finding: None,
    }
}

#[test]
fn many_rows_are_read_group_by_group() {
    let rows: Vec<Row> = (0..GROUP_ROWS as u64 * 2 + 5).map(run).collect();
    let bytes = written(&rows);
    let mut reader = Reader::new(Bytes::from(bytes)).unwrap();
    assert_eq!((reader.rows(), reader.label().clone()), (rows.len() as u64, label()));
    let mut lengths = Vec::new();
    let mut seeds = Vec::new();
    while let Some(group) = reader.group().unwrap() {
        lengths.push(group.len());
        seeds.extend(group.iter().map(|row| row.seed));
    }
    assert_eq!(lengths, [GROUP_ROWS, GROUP_ROWS, 5]);
    assert!(seeds.into_iter().eq(0..rows.len() as u64));
}

/// Sixteen bytes of it are the digest.
#[test]
fn a_run_takes_twenty_bytes() {
    let rows: Vec<Row> = (0..GROUP_ROWS as u64).map(run).collect();
    let each = written(&rows).len() as f64 / rows.len() as f64;
    assert!(each < 21.0, "{each}");
}

#[test]
fn a_file_that_is_cut_off_is_refused_wherever_it_is_cut() {
    let bytes = written(&(0..50).map(run).collect::<Vec<_>>());
    for length in 0..bytes.len() {
        assert!(read(bytes[..length].to_vec()).is_err(), "{length} of {}", bytes.len());
    }
}

#[test]
fn another_parquet_file_is_refused() {
    use parquet::{file::writer::SerializedFileWriter, schema::parser::parse_message_type};
    let schema = parse_message_type("message other { required int32 number; }").unwrap();
    let file = SerializedFileWriter::new(Vec::new(), schema.into(), Default::default()).unwrap();
    let error = read(file.into_inner().unwrap()).unwrap_err().to_string();
    assert_eq!(error, "it is no shard of a campaign: it does not say so");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_read_is_what_was_written(rows in prop::collection::vec(row(), 0..40)) {
        prop_assert_eq!(read(written(&rows)).unwrap(), rows);
    }

    #[test]
    fn a_changed_file_is_refused_or_unchanged(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let rows: Vec<Row> = (0..300).map(run).collect();
        let mut bytes = written(&rows);
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Ok(found) = read(bytes) {
            prop_assert_eq!(found, rows);
        }
    }
}
