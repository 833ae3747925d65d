//! Writing and merging take no more memory for more rows. The only test of its program: what the system says of memory is of all.

#![cfg(target_os = "linux")]

use std::fs;

use campaign::{
    Campaign, Finding, Folder, Row,
    campaign::{Ingredients, PlannedScenario, Program, Sharding},
    folder::Kept,
    merge::{Coverage, merge},
    seeds::SeedRange,
    table::{Label, Writer},
};
use scenario::plan::{Outcome, Plan};

const ROWS: u64 = 1_000_000;

/// A tenth of all.
const WARM: u64 = ROWS / 10;

/// What may be added by nine more tenths: noise of the allocator, and the footer's line for each group.
const SLACK: u64 = 12 << 20;

const TALK: &str = "version = 1\nsummary = \"Two people.\"\n[peers.caller]\n[peers.callee]\n[[steps]]\nat = \"1s\"\n\
    caller = { dial = \"callee\" }\n[expect]\n";

fn row(seed: u64) -> Row {
    let failed = seed.is_multiple_of(29);
    Row {
        scenario: "test/talk".to_owned(),
        seed,
        outcome: Some(if failed { Outcome::ConnectTimeout } else { Outcome::Connected }),
        setup_ms: (!failed).then_some(500 + seed * 7919 % 2500),
        recovery_ms: None,
        elapsed_ms: 6_000 + seed % 50,
        digest: Some(u128::from(seed).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)),
        failures: u32::from(failed),
        finding: failed.then(|| Finding {
            check: "outcome".to_owned(),
            cause: "connect-timeout".to_owned(),
            last_transition: "caller call: connecting → ended: connect-timeout".to_owned(),
            last_step: ["callee dtls server-hello", "caller dtls certificate"][(seed % 2) as usize]
                .to_owned(),
            at_ms: 6_000,
            message: format!("expected connected, the call came out as connect-timeout, seed {seed}"),
        }),
    }
}

/// The most memory that this process has had, in bytes.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

#[test]
fn a_million_rows_take_no_more_memory_than_a_hundred_thousand() {
    let plan = Plan::from_toml("test/talk", TALK).unwrap();
    let ingredients = Ingredients {
        commit: None,
        program: Program { version: "0".to_owned(), hash: "0".to_owned() },
        seeds: SeedRange { first: 1, last: ROWS },
        jobs: 1,
        dir: None,
        scenarios: vec![PlannedScenario::new(&plan, "test/talk".to_owned(), 1_000)],
    };
    let place = tempfile::tempdir().unwrap();
    Folder::create(place.path(), &Campaign::new(ingredients, Sharding::Count(1))).unwrap();
    let folder = Folder::open(place.path()).unwrap();
    let label = Label { plan: folder.campaign().id.clone(), shard: 0 };
    let mut writer = Writer::new(folder.temporary(0, 1).unwrap(), &label).unwrap();
    let mut warm = 0;
    for seed in 1..=ROWS {
        writer.push(row(seed)).unwrap();
        if seed == WARM {
            warm = peak();
        }
    }
    assert_eq!(folder.keep(writer.finish().unwrap(), 0, 1).unwrap(), Kept::First);
    let written = peak();
    let merged = merge(&folder, Coverage::Whole).unwrap();
    let read = peak();
    assert_eq!((merged.scenarios[0].runs, merged.findings.len()), (ROWS, 2));
    let bytes = fs::metadata(folder.shard_path(0)).unwrap().len();
    println!(
        "peak after {WARM} rows {warm}, after {ROWS} rows {written}, after the merge {read}; {bytes} bytes in the file"
    );
    assert!(written - warm < SLACK, "{warm} bytes for {WARM} rows, {written} for {ROWS}");
    assert!(read - written < 4 * SLACK, "{written} bytes before the merge, {read} after it");
}
