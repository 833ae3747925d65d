//! Jobs for schedulers: what is written, and what is submitted. Slurm and GNU parallel are really run by `.ci/campaign`.

use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

use crate::place::{Place, check, said};

/// A program of this name that notes what it is given, in `said-NAME`, and answers with a number.
fn stand_in(place: &Place, name: &str) {
    let path = place.path(&format!("bin/{name}"));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let log = place.path(&format!("said-{name}"));
    fs::write(&path, format!("#!/bin/sh\necho \"$*\" >> {}\necho 77\n", log.display())).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn submit(place: &Place, arguments: &[&str]) -> Command {
    let mut command = place.campaign(&[&["submit"], arguments].concat());
    let path = std::env::var("PATH").unwrap();
    command.env("PATH", format!("{}:{path}", place.path("bin").display()));
    command
}

fn text(place: &Place, name: &str) -> String {
    fs::read_to_string(place.path(name)).unwrap()
}

#[test]
fn slurm_gets_an_array_for_what_is_missing_and_a_report_after_it() {
    let place = Place::planned(&["good"], "1..40", "40");
    check(&place.shard("3"), 0, &[]);
    stand_in(&place, "sbatch");
    let submitted =
        said(&mut submit(&place, &["--slurm", "--run", "--max-array-size", "31", "--", "--partition=short"]));
    check(&submitted, 0, &["39 shards are missing: 0-2, 4-39"]);
    let log = text(&place, "said-sbatch");
    let calls: Vec<&str> = log.lines().collect();
    assert_eq!(calls.len(), 3, "{log}");
    let has = |call: &str, words: &[&str]| {
        words.iter().for_each(|word| assert!(call.contains(word), "{word} in {call}"))
    };
    has(calls[0], &["--partition=short", "--array=0-2,4-29 ", "/slurm-shard.sh 0"]);
    has(calls[1], &["--array=0-9 ", "/slurm-shard.sh 30"]);
    has(calls[2], &["--dependency=afterany:77:77", "/slurm-report.sh"]);
    has(
        &text(&place, "c/slurm-shard.sh"),
        &["#SBATCH --requeue", "#SBATCH --cpus-per-task=1", "unset SLURM_ARRAY_TASK_ID"],
    );
}

#[test]
fn kubernetes_gets_an_indexed_job_that_knows_what_to_play_again() {
    let place = Place::planned(&["good"], "1..6", "3");
    check(&place.shard("1"), 0, &[]);
    stand_in(&place, "kubectl");
    check(&said(&mut submit(&place, &["--kubernetes"])), 2, &["--image"]);
    let submitted = said(&mut submit(
        &place,
        &["--kubernetes", "--image", "registry/callsim:1", "--run", "--", "--namespace=x"],
    ));
    check(&submitted, 0, &["2 shards are missing: 0, 2"]);
    assert_eq!(text(&place, "said-kubectl").trim(), "create --filename kubernetes.yaml --namespace=x");
    let manifest = text(&place, "c/kubernetes.yaml");
    for line in [
        "completionMode: Indexed",
        "completions: 2",
        "backoffLimitPerIndex: 3",
        "values: [2, 3, 4]",
        "set -- 0 2",
        "exec callsim campaign shard --plan c/campaign.json --index \"$1\"",
        "image: \"registry/callsim:1\"",
    ] {
        assert!(manifest.contains(line), "{line} in {manifest}");
    }
    let elsewhere = said(
        submit(&place, &["--kubernetes", "--image", "i"])
            .current_dir(place.path("scenarios"))
            .arg("--plan=../c"),
    );
    assert_eq!(elsewhere.code, Some(2), "{}", elsewhere.err);
}

#[test]
fn github_gets_a_matrix_of_at_most_256_jobs() {
    let place = Place::planned(&["good"], "1..600", "300");
    stand_in(&place, "gh");
    check(&said(&mut submit(&place, &["--github", "--artifact-run", "12", "--run"])), 0, &[]);
    assert_eq!(text(&place, "said-gh").trim(), "workflow run callsim-campaign.yml --field=run=12");
    let workflow = text(&place, "c/github-workflow.yml");
    let matrix = workflow.lines().find(|line| line.contains("shards: [")).unwrap();
    assert!(matrix.contains("[\"0 1\", \"2 3\",") && matrix.ends_with("\"298 299\"]"), "{matrix}");
}

#[test]
fn what_is_whole_is_not_submitted() {
    let place = Place::planned(&["good"], "1..2", "1");
    check(&place.shard("0"), 0, &[]);
    check(&said(&mut submit(&place, &["--parallel", "--run"])), 0, &["nothing is left to submit"]);
    check(&said(&mut submit(&place, &[])), 2, &["--slurm"]);
    check(&said(&mut submit(&place, &["--slurm", "--parallel"])), 2, &["cannot be used with"]);
}

/// The script of the nightly workflow, with a `gh` that knows one of the two findings.
#[test]
fn an_issue_is_filed_for_each_fingerprint_that_is_new() {
    let has_jq = Command::new("jq").arg("--version").output().is_ok();
    if !has_jq {
        // GitHub's runners have it.
        return;
    }
    let place = Place::planned(&[], "1..3", "1");
    check(&place.shard("0"), 3, &[]);
    let report = said(&mut place.campaign(&["report", "--format", "json"]));
    let second = report
        .out
        .replace("\"findings\": [", "\"findings\": [{\"fingerprint\": \"00ff\", \"scenarios\": {}},");
    fs::write(place.path("report.json"), second).unwrap();
    stand_in(&place, "gh");
    let knows = "#!/bin/sh\necho \"$*\" >> said\ncase \"$*\" in *00ff*) echo 1 ;; *list*) echo 0 ;; esac\n";
    fs::write(place.path("bin/gh"), knows).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.github/file-findings");
    let path = format!("{}:{}", place.path("bin").display(), std::env::var("PATH").unwrap());
    let filed = said(Command::new(script).arg("report.json").current_dir(place.path("")).env("PATH", path));
    check(&filed, 0, &["00ff: known"]);
    let calls = text(&place, "said");
    let created: Vec<&str> = calls.lines().filter(|line| line.starts_with("issue create")).collect();
    assert_eq!(created.len(), 1, "{calls}");
    assert!(created[0].contains("--title outcome (") && created[0].contains(") in ill ["), "{calls}");
    assert!(calls.contains("Repeat the first: `callsim run ill --seed 1`"), "{calls}");
}
