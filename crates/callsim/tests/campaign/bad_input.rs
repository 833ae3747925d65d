//! What cannot be used: a sentence, exit 2, and nothing is overwritten.

use std::fs;

use crate::place::{GOOD, Place, check, said};

/// `arguments` are refused with these words, and change nothing in the campaign's folder.
#[track_caller]
fn refused(place: &Place, arguments: &[&str], says: &[&str]) {
    let before = place.files();
    let found = said(&mut place.campaign(arguments));
    check(&found, 2, says);
    assert_eq!(found.err.lines().count(), 1, "one sentence: {}", found.err);
    assert_eq!(place.files(), before, "what is in the folder");
}

#[test]
fn an_edited_plan() {
    let place = Place::planned(&["good"], "1..6", "2");
    let path = place.path("c/campaign.json");
    let text = fs::read_to_string(&path).unwrap();
    let edited = text.replace("\"last\": 3", "\"last\": 2");
    assert_ne!(edited, text);
    fs::write(&path, edited).unwrap();
    for arguments in [&["shard", "--index", "0"][..], &["status"], &["report"], &["submit", "--slurm"]] {
        refused(&place, arguments, &["c/campaign.json was edited", "plan anew"]);
    }
    fs::write(&path, "{").unwrap();
    refused(&place, &["report"], &["c/campaign.json is no plan of a campaign"]);
    fs::remove_file(&path).unwrap();
    refused(&place, &["report"], &["cannot read c/campaign.json"]);
}

#[test]
fn a_shard_of_another_plan() {
    let place = Place::planned(&["good"], "1..6", "2");
    place.plan(&["good"], "7..12", "2", "other");
    check(&place.shard("0"), 0, &["shard 0: 3 runs, 0 failed"]);
    let other = place.run(&["campaign", "shard", "--plan", "other", "--index", "1"]);
    check(&other, 0, &["shard 1: 3 runs"]);
    fs::copy(place.path("other/shard-000001.parquet"), place.path("c/shard-000001.parquet")).unwrap();
    for arguments in [&["report"][..], &["status"], &["shard", "--index", "1"], &["submit", "--parallel"]] {
        refused(&place, arguments, &["c/shard-000001.parquet is of another campaign"]);
    }
}

#[test]
fn a_missing_shard() {
    let place = Place::planned(&["good"], "1..6", "3");
    check(&place.shard("1"), 0, &[]);
    refused(&place, &["report"], &["2 of 3 shards are missing: 0, 2", "campaign submit", "--partial"]);
    check(&said(&mut place.campaign(&["report", "--partial"])), 0, &["4 of 6 planned runs are missing"]);
    check(&said(&mut place.campaign(&["status"])), 0, &["1 of 3 shards are there", "missing: 0, 2"]);
}

#[test]
fn a_truncated_shard() {
    let place = Place::planned(&["good"], "1..6", "2");
    for index in ["0", "1"] {
        check(&place.shard(index), 0, &[]);
    }
    let path = place.path("c/shard-000001.parquet");
    let whole = fs::read(&path).unwrap();
    for length in [0, 3, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        for arguments in [&["report"][..], &["report", "--partial"], &["shard", "--index", "1"]] {
            refused(
                &place,
                arguments,
                &["c/shard-000001.parquet: it is damaged or not whole", "put it aside"],
            );
        }
    }
}

#[test]
fn an_index_past_the_end_or_none() {
    let place = Place::planned(&["good"], "1..6", "2");
    refused(&place, &["shard", "--index", "2"], &["there is no shard 2: the plan has 2, from 0 to 1"]);
    refused(&place, &["shard"], &["which shard? give --index, or one of SLURM_ARRAY_TASK_ID"]);
    let disagree = said(place.campaign(&["shard", "--index", "0"]).env("CI_NODE_INDEX", "2"));
    check(&disagree, 2, &["--index means shard 0, and CI_NODE_INDEX means shard 1"]);
    // The index of GitLab, counted from 1, is the second shard.
    check(&said(place.campaign(&["shard"]).env("CI_NODE_INDEX", "2")), 0, &["shard 1: 3 runs"]);
}

#[test]
fn two_plans_in_one_folder() {
    let place = Place::planned(&["good"], "1..6", "2");
    let before = place.files();
    let again = place.run(&["campaign", "plan", "good", "--seeds", "1..6", "--shards", "2", "--out", "c"]);
    check(&again, 2, &["there is a campaign in c already (campaign.json)"]);
    assert_eq!(place.files(), before);
    // By another name: its shards would be the first one's.
    check(&place.shard("0"), 0, &[]);
    place.plan(&["good"], "1..9", "3", "other");
    fs::copy(place.path("other/campaign.json"), place.path("c/other.json")).unwrap();
    let before = place.files();
    let second = place.run(&["campaign", "shard", "--plan", "c/other.json", "--index", "0"]);
    check(&second, 2, &["c/shard-000000.parquet is of another campaign"]);
    assert_eq!(place.files(), before);
}

#[test]
fn another_program_or_another_scenario_than_planned() {
    let place = Place::planned(&["good"], "1..6", "2");
    let slower = GOOD.replace("delay = \"40ms\"", "delay = \"41ms\"");
    assert_ne!(slower, GOOD);
    fs::write(place.path("scenarios/good.toml"), slower).unwrap();
    refused(&place, &["shard", "--index", "0"], &["the scenario good is not the one that was planned"]);
    fs::remove_file(place.path("scenarios/good.toml")).unwrap();
    let gone = said(&mut place.campaign(&["shard", "--index", "0"]));
    check(&gone, 2, &["there is no scenario `good`"]);
    fs::write(place.path("scenarios/good.toml"), GOOD).unwrap();
    check(&place.shard("0"), 0, &[]);
    // One byte more, and it is another program.
    let mut program = fs::read(env!("CARGO_BIN_EXE_callsim")).unwrap();
    program.push(0);
    fs::write(place.path("callsim"), program).unwrap();
    fs::set_permissions(
        place.path("callsim"),
        fs::metadata(env!("CARGO_BIN_EXE_callsim")).unwrap().permissions(),
    )
    .unwrap();
    for arguments in [&["shard", "--plan", "c", "--index", "1"][..], &["submit", "--plan", "c", "--slurm"]] {
        let mut other = std::process::Command::new(place.path("callsim"));
        let other = said(other.arg("campaign").args(arguments).current_dir(place.path("")));
        check(&other, 2, &["this program is not the one that was planned with: its digest is "]);
    }
    assert!(!place.path("c/shard-000001.parquet").exists());
}

#[test]
fn a_plan_of_nothing() {
    let place = Place::with_scenarios();
    let plan = |more: &[&str]| place.run(&[&["campaign", "plan", "--out", "c"], more].concat());
    check(&plan(&["good", "--seeds", "9..7"]), 2, &["no seed is in 9..7: both ends belong to it"]);
    check(&plan(&["good", "--seeds", "all"]), 2, &["`all` is no interval of seeds such as 1..1000000"]);
    check(&plan(&["goood", "--seeds", "1..2"]), 2, &["did you mean `good`?"]);
    check(&plan(&["good", "--seeds", "1..2", "--shards", "0"]), 2, &["--shards"]);
    check(&plan(&["good", "--seeds", "1..2", "--minutes-per-shard", "-1"]), 2, &[]);
    fs::write(place.path("scenarios/bad.toml"), "version = 1").unwrap();
    check(&plan(&["--seeds", "1..2"]), 2, &["bad.toml"]);
    assert!(!place.path("c").exists());
}
