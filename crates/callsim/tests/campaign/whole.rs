//! Campaigns from plan to report.

use std::{
    fs,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use campaign::{
    Folder,
    folder::Kept,
    table::{Reader, Writer},
};
use serde_json::Value;

use crate::place::{Place, check, said};

fn report(place: &Place, folder: &str) -> Value {
    let found = place.run(&["campaign", "report", "--plan", folder, "--format", "json"]);
    assert_eq!(found.code, Some(3), "{}", found.err);
    serde_json::from_str(&found.out).unwrap()
}

#[test]
fn a_report_has_the_values_of_the_suite_however_it_is_cut() {
    let place = Place::planned(&[], "1..25", "7");
    for index in 0..7 {
        let found = place.shard(&index.to_string());
        assert!(matches!(found.code, Some(0 | 3)), "{}", found.err);
    }
    let cut = report(&place, "c");
    assert_eq!((&cut["schema"], &cut["command"], &cut["runs"]), (&1.into(), &"campaign".into(), &50.into()));
    assert_eq!(cut["disagreements"], 0);
    place.plan(&[], "1..25", "1", "whole");
    check(
        &place.run(&["campaign", "shard", "--plan", "whole", "--index", "0", "--jobs", "2"]),
        3,
        &["50 runs, 25 failed"],
    );
    assert_eq!(report(&place, "whole"), cut);
    // Named in another way, and from its own folder.
    for named in [
        place.run(&["campaign", "status", "whole/campaign.json"]),
        place.run_in("whole", &["campaign", "status"]),
    ] {
        check(&named, 0, &["1 of 1 shards are there, 50 of 50 runs"]);
    }
    let suite = place.run(&["run", "--seeds", "25", "--format", "json"]);
    let suite: Value = serde_json::from_str(&suite.out).unwrap();
    let (ours, theirs) = (cut["scenarios"].as_array().unwrap(), suite["scenarios"].as_array().unwrap());
    assert_eq!((ours.len(), theirs.len()), (2, 2));
    for (one, other) in ours.iter().zip(theirs) {
        for key in ["name", "runs", "passed", "outcomes", "setup_ms", "recovery_ms", "rates", "digest"] {
            assert_eq!(one[key], other[key], "{key}");
        }
    }
    let finding = &cut["findings"][0];
    assert_eq!(
        (&finding["count"], &finding["scenario"], &finding["seed"]),
        (&25.into(), &"ill".into(), &1.into())
    );
    assert_eq!(
        (&finding["check"], &finding["repro"]),
        (&"outcome".into(), &"callsim run ill --seed 1".into())
    );
    let junit = said(&mut place.campaign(&["report", "--format", "junit"]));
    let fingerprint = finding["fingerprint"].as_str().unwrap();
    check(&junit, 3, &[&format!("outcome {fingerprint}"), "failures=\"1\"", "callsim run ill --seed 1"]);
    let human = said(&mut place.campaign(&["report"]));
    check(
        &human,
        3,
        &[fingerprint, "25  100.0000 %  86.2815 % to 100.0000 %", "NOT all good: 50 runs, 25 failed"],
    );
}

#[test]
fn a_second_run_of_a_shard_is_compared() {
    let place = Place::planned(&["good"], "1..6", "2");
    for index in ["0", "1"] {
        check(&place.shard(index), 0, &["3 runs, 0 failed"]);
    }
    let before = place.files();
    check(&place.shard("1"), 0, &["the same as before"]);
    assert_eq!(place.files(), before);
    // As if another machine had come to something else before.
    let folder = Folder::open(&place.path("c")).unwrap();
    let mut reader = Reader::open(&folder.shard_path(1)).unwrap();
    let mut rows = reader.group().unwrap().unwrap();
    rows[2].setup_ms = Some(1);
    fs::remove_file(folder.shard_path(1)).unwrap();
    let mut writer = Writer::new(folder.temporary(1, 1).unwrap(), reader.label()).unwrap();
    rows.into_iter().for_each(|row| writer.push(row).unwrap());
    assert_eq!(folder.keep(writer.finish().unwrap(), 1, 1).unwrap(), Kept::First);
    let tampered = place.files();
    check(&place.shard("1"), 4, &["NOT the same as before: see c/shard-000001.3.parquet"]);
    let (mut after, other) = (place.files(), "shard-000001.3.parquet");
    assert_eq!(
        after.remove(other),
        before.get("shard-000001.parquet").cloned(),
        "what was played now is kept"
    );
    assert_eq!(after, tampered, "and what was there is not touched");
    let found = said(&mut place.campaign(&["report"]));
    check(&found, 4, &["good, seed 6 (shard 1) is not the same on ", "setup_ms", "1 runs that differ"]);
    let json: Value =
        serde_json::from_str(&said(&mut place.campaign(&["report", "--format", "json"])).out).unwrap();
    assert_eq!((&json["disagreements"], &json["disagreeing"][0]["seed"]), (&1.into(), &6.into()));
    check(&said(&mut place.campaign(&["status"])), 0, &["shard 1 came out otherwise on "]);
}

#[test]
fn sigterm_ends_a_shard_cleanly() {
    let place = Place::planned(&["good"], "1..1000000", "1");
    let mut shard = place.campaign(&["shard", "--index", "0"]);
    let child = shard.stderr(Stdio::piped()).spawn().unwrap();
    let is_playing = || {
        let mut entries = fs::read_dir(place.path("c")).unwrap();
        entries.any(|entry| entry.unwrap().file_name().to_string_lossy().ends_with(".tmp"))
    };
    while !is_playing() {
        #[allow(clippy::disallowed_methods, reason = "another process is waited for")]
        thread::sleep(Duration::from_millis(20));
    }
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("of 1000000 runs took place, nothing was written"), "{said}");
    assert_eq!(place.files().keys().collect::<Vec<_>>(), ["campaign.json"]);
    let attempt: Value =
        serde_json::from_slice(&fs::read(place.path("c/shard-000000.1.json")).unwrap()).unwrap();
    assert_eq!(attempt["end"], "stopped");
}

#[test]
fn a_plan_says_what_it_was_made_with() {
    let place = Place::planned(&["good", "ill"], "5..1000004", "40");
    let plan: Value = serde_json::from_slice(&fs::read(place.path("c/campaign.json")).unwrap()).unwrap();
    let runs = |shard: &Value| -> u64 {
        let pieces = shard.as_array().unwrap().iter();
        pieces.map(|piece| piece["last"].as_u64().unwrap() - piece["first"].as_u64().unwrap() + 1).sum()
    };
    let shards = plan["shards"].as_array().unwrap();
    assert_eq!((shards.len(), shards.iter().map(runs).sum::<u64>()), (40, 2_000_000));
    assert_eq!((&plan["seeds"]["first"], &plan["seeds"]["last"]), (&5.into(), &1_000_004.into()));
    for scenario in plan["scenarios"].as_array().unwrap() {
        assert!(scenario["cost_us"].as_u64().unwrap() > 100, "{scenario}");
        assert_eq!(scenario["hash"].as_str().unwrap().len(), 32);
    }
    assert_eq!(plan["program"]["hash"].as_str().unwrap().len(), 32);
}
