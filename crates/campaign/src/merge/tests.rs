use std::{fs, path::Path};

use proptest::prelude::*;
use scenario::{metrics::percentile, plan::Probability};

use super::*;
use crate::{
    campaign::{Ingredients, Program, Sharding},
    folder::Kept,
    report::Report,
    seeds::SeedRange,
    table::{Label, Writer},
    testing,
};

const SEEDS: SeedRange = SeedRange { first: 1, last: 1_000 };

fn campaign(shards: u64) -> Campaign {
    let scenarios = testing::plans().map(|plan| PlannedScenario::new(&plan, plan.name().to_owned(), 3_000));
    let program = Program { version: "0.1.0".to_owned(), hash: "f00d".to_owned() };
    let ingredients =
        Ingredients { commit: None, program, seeds: SEEDS, jobs: 1, dir: None, scenarios: scenarios.into() };
    Campaign::new(ingredients, Sharding::Count(shards))
}

/// A run as its seed has it: every seventh times out in one of two ways.
fn row(scenario: &str, seed: u64) -> Row {
    let finding = seed.is_multiple_of(7).then(|| Finding {
        check: "outcome".to_owned(),
        cause: "connect-timeout".to_owned(),
        last_transition: "caller connection: connecting → failed".to_owned(),
        last_step: if seed.is_multiple_of(2) {
            "callee dtls server-hello"
        } else {
            "caller dtls certificate"
        }
        .to_owned(),
        at_ms: 30_000 + seed,
        message: format!("seed {seed}"),
    });
    Row {
        scenario: scenario.to_owned(),
        seed,
        outcome: Some(if finding.is_some() { Outcome::ConnectTimeout } else { Outcome::Connected }),
        setup_ms: finding.is_none().then_some(400 + seed * 37 % 900),
        recovery_ms: None,
        elapsed_ms: 5_000,
        digest: Some(u128::from(seed) << 64 | scenario.len() as u128),
        failures: u32::from(finding.is_some()),
        finding,
    }
}

/// A folder with a campaign, all of its shards played.
fn played(path: &Path, shards: u64) -> Folder {
    let plan = Folder::create(path, &campaign(shards)).unwrap();
    let folder = Folder::open(&plan).unwrap();
    (0..shards).for_each(|index| assert_eq!(play(&folder, index, 1, &|row| row), Kept::First));
    folder
}

/// Writes a shard as attempt number `attempt`, its rows as `change` has them.
fn play(folder: &Folder, index: u64, attempt: u32, change: &dyn Fn(Row) -> Row) -> Kept {
    let campaign = folder.campaign();
    let label = Label { plan: campaign.id.clone(), shard: index };
    let mut writer = Writer::new(folder.temporary(index, attempt).unwrap(), &label).unwrap();
    for piece in campaign.shard(index).unwrap() {
        for seed in piece.first..=piece.last {
            writer.push(change(row(&campaign.scenarios[piece.scenario].name, seed))).unwrap();
        }
    }
    folder.keep(writer.finish().unwrap(), index, attempt).unwrap()
}

fn json(folder: &Folder) -> String {
    let repeat = |name: &str, seed: Option<u64>| format!("callsim run {name} {seed:?}");
    Report::new(folder.campaign(), &merge(folder, Coverage::Whole).unwrap(), &repeat).to_json().unwrap()
}

#[track_caller]
fn refused(folder: &Folder, expect: &str) {
    let error = merge(folder, Coverage::Whole).unwrap_err().to_string();
    assert!(error.contains(expect), "{error}");
}

#[test]
fn however_it_is_cut_the_report_is_the_same() {
    let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let reports: Vec<String> =
        folders.iter().zip([1, 7, 40]).map(|(folder, shards)| json(&played(folder.path(), shards))).collect();
    assert_eq!(reports[0], reports[1]);
    assert_eq!(reports[0], reports[2]);
    let report: serde_json::Value = serde_json::from_str(&reports[0]).unwrap();
    assert_eq!(
        (&report["schema"], &report["command"], &report["runs"]),
        (&1.into(), &"campaign".into(), &2_000.into())
    );
    assert_eq!(report["scenarios"][0]["outcomes"]["connect-timeout"], 142);
    let findings = report["findings"].as_array().unwrap();
    let counts: Vec<_> =
        findings.iter().map(|finding| (finding["count"].as_u64(), finding["seed"].as_u64())).collect();
    assert_eq!(counts, [(Some(142), Some(14)), (Some(142), Some(7))]);
    assert_eq!(findings[1]["repro"], "callsim run test/well Some(7)");
}

#[test]
fn what_two_machines_do_not_agree_on_is_kept_and_listed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = played(folder.path(), 4);
    let mut attempts = ["alpha", "beta"].map(|machine| Attempt {
        schema: 1,
        plan: folder.campaign().id.clone(),
        shard: 2,
        machine: machine.to_owned(),
        ..Attempt::default()
    });
    for (attempt, end) in attempts.iter_mut().zip([End::Written, End::Different]) {
        folder.begin(attempt).unwrap();
        attempt.end = Some(end);
        folder.end(attempt).unwrap();
    }
    let before = fs::read(folder.shard_path(2)).unwrap();
    assert_eq!(play(&folder, 2, 2, &|row| row), Kept::Same);
    let other = play(&folder, 2, 2, &|row| match row.seed {
        5 => Row { digest: Some(1), setup_ms: Some(9), ..row },
        _ => row,
    });
    assert!(matches!(other, Kept::Different(_)), "{other:?}");
    assert_eq!(fs::read(folder.shard_path(2)).unwrap(), before);
    let merged = merge(&folder, Coverage::Whole).unwrap();
    assert_eq!(merged.disagreements.count, 1);
    let row = &merged.disagreements.rows[0];
    assert_eq!((row.scenario.as_str(), row.seed, row.shard), ("test/ill", 5, 2));
    assert_eq!(row.columns, ["setup_ms", "digest"]);
    assert_eq!((row.machine.as_deref(), row.other_machine.as_deref()), (Some("alpha"), Some("beta")));
}

#[test]
fn missing_shards_are_named_and_left_out_where_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let folder = played(folder.path(), 10);
    for index in [3, 4, 8] {
        fs::remove_file(folder.shard_path(index)).unwrap();
    }
    assert_eq!(folder.missing().unwrap(), [3, 4, 8]);
    refused(&folder, "3 of 10 shards are missing: 3-4, 8");
    let merged = merge(&folder, Coverage::Partial).unwrap();
    let report = Report::new(folder.campaign(), &merged, &|_, _| String::new());
    assert_eq!((report.runs, report.missing_runs), (1_400, 600));
}

#[test]
fn damaged_and_strange_shards_are_refused() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (folder, others) = (played(one.path(), 4), played(other.path(), 5));
    let (path, whole) = (folder.shard_path(1), fs::read(folder.shard_path(1)).unwrap());
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    refused(&folder, "shard-000001.parquet: it is damaged or not whole");
    fs::write(&path, "").unwrap();
    refused(&folder, "shard-000001.parquet: it is damaged or not whole");
    fs::copy(others.shard_path(1), &path).unwrap();
    refused(&folder, "shard-000001.parquet is of another campaign: its plan is");
    fs::copy(folder.shard_path(2), &path).unwrap();
    refused(&folder, "shard-000001.parquet is shard 2, not 1");
    let label = Label { plan: folder.campaign().id.clone(), shard: 1 };
    let mut writer = Writer::new(fs::File::create(&path).unwrap(), &label).unwrap();
    (501..=1_000).for_each(|seed| writer.push(row("test/well", seed + 1)).unwrap());
    writer.finish().unwrap();
    refused(&folder, "it has test/well, seed 502, where test/well, seed 501 is planned");
    fs::write(&path, &whole).unwrap();
    assert!(merge(&folder, Coverage::Whole).is_ok());
    fs::copy(&path, folder.shard_path(4)).unwrap();
    refused(&folder, "there is no shard 4: the plan has 4, from 0 to 3");
}

#[test]
fn a_folder_is_for_one_campaign() {
    let folder = tempfile::tempdir().unwrap();
    let first = played(folder.path(), 2);
    let text = fs::read(folder.path().join("campaign.json")).unwrap();
    let error = Folder::create(folder.path(), &campaign(3)).unwrap_err().to_string();
    assert!(error.contains("there is a campaign in") && error.contains("campaign.json"), "{error}");
    // Shards alone are somebody's as well.
    fs::remove_file(folder.path().join("campaign.json")).unwrap();
    let error = Folder::create(folder.path(), &campaign(3)).unwrap_err().to_string();
    assert!(error.contains("shard-000000.parquet"), "{error}");
    // A second plan under another name: its shards would be the first one's.
    fs::write(folder.path().join("campaign.json"), text).unwrap();
    fs::write(folder.path().join("other.json"), campaign(3).to_json()).unwrap();
    let second = Folder::open(&folder.path().join("other.json")).unwrap();
    assert!(second.shard(0).map(drop).unwrap_err().to_string().contains("is of another campaign"));
    assert!(merge(&first, Coverage::Whole).is_ok());
}

#[test]
fn rates_are_judged_over_all_shards() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = campaign(3);
    for (scenario, most) in plan.scenarios.iter_mut().zip([0.15, 0.1]) {
        scenario.rates.insert(Outcome::ConnectTimeout, [0.0, most]);
    }
    assert!(Probability::new(0.15).is_ok());
    let merge = {
        let mut merge = Merge::new(&plan);
        let piece = |scenario| Piece { scenario, first: 1, last: 1_000 };
        for (place, scenario) in plan.scenarios.iter().enumerate() {
            (1..=1_000).for_each(|seed| merge.take(row(&scenario.name, seed), &piece(place)));
        }
        merge
    };
    let scenarios = merge.scenarios(&plan);
    assert_eq!(scenarios[0].rates, RateVerdict::Judged(Vec::new()));
    let RateVerdict::Judged(failures) = &scenarios[1].rates else { panic!("judged") };
    assert!(failures[0].message.contains("found 142 of 1000"), "{failures:?}");
    drop(folder);
}

proptest! {
    #[test]
    fn percentiles_are_those_of_reports(mut values in prop::collection::vec(0u64..50, 1..200)) {
        let mut distribution = Distribution::default();
        values.iter().zip(1..).for_each(|(ms, seed)| distribution.add(*ms, seed));
        let slowest = values.iter().zip(1u64..).max_by_key(|(ms, seed)| (**ms, std::cmp::Reverse(*seed)));
        prop_assert_eq!(distribution.times().map(|times| (times.max, times.slowest_seed)), slowest.map(|(ms, seed)| (*ms, seed)));
        values.sort_unstable();
        for percent in [1, 10, 50, 90, 95, 99, 100] {
            prop_assert_eq!(distribution.percentile(percent), percentile(&values, percent as usize));
        }
    }
}
