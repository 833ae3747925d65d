//! Jobs for schedulers that teams already run: thin files that start `campaign shard` for each shard that is missing.
//!
//! Whatever a scheduler does (start a shard twice, kill one, forget one), submitting again plays what is missing.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use crate::folder::{Folder, ranges};

/// What all forms need to know.
#[derive(Clone, Debug)]
pub struct Job<'a> {
    /// The campaign.
    pub folder: &'a Folder,
    /// The shards to play, ascending.
    pub shards: &'a [u64],
    /// The program, as the machines that play find it.
    pub program: &'a str,
    /// The plan's file, as the machines that play find it.
    pub plan: &'a Path,
    /// Where they play.
    pub workdir: &'a Path,
    /// More options for the scheduler's own command.
    pub options: &'a [String],
}

/// A job, ready to be submitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// The files to write into the campaign's folder: name and text.
    pub files: Vec<(String, String)>,
    /// The command that submits it: program and arguments, run in the campaign's folder.
    pub command: Vec<String>,
}

/// A Slurm array for each `max_array_size` shards, and a report when all have ended. Shards are requeued when their node fails.
pub fn slurm(job: &Job<'_>, max_array_size: u64) -> Submission {
    let jobs = job.folder.campaign().jobs;
    let (program, plan) = (quoted(job.program), quoted(&job.plan.display().to_string()));
    let shard = format!(
        "#!/bin/sh\n\
         # Plays one shard of a campaign, that of its place in the array, counted from $1.\n\
         #SBATCH --job-name=callsim-shard\n\
         #SBATCH --requeue\n\
         #SBATCH --open-mode=append\n\
         #SBATCH --ntasks=1\n\
         #SBATCH --cpus-per-task={jobs}\n\
         index=$((SLURM_ARRAY_TASK_ID + $1))\n\
         unset SLURM_ARRAY_TASK_ID\n\
         exec {program} campaign shard --plan {plan} --index \"$index\"\n"
    );
    let folder = quoted(&job.folder.path().display().to_string());
    let report = format!(
        "#!/bin/sh\n\
         # Reports a campaign, when its shards have ended.\n\
         #SBATCH --job-name=callsim-report\n\
         #SBATCH --ntasks=1\n\
         {program} campaign report --plan {plan} --format json --out {folder}/report.json\n\
         exec {program} campaign report --plan {plan} --out {folder}/report.txt\n"
    );
    let options: String = job.options.iter().map(|option| format!(" {}", quoted(option))).collect();
    let common = format!("--parsable --chdir={}{options}", quoted(&job.workdir.display().to_string()));
    let mut submit = "#!/bin/sh\n\
        # Submits the missing shards of a campaign, and its report after them.\n\
        set -eu\n\
        jobs=\n"
        .to_owned();
    // The numbers of an array's tasks are below MaxArraySize.
    let chunk = max_array_size.max(2) - 1;
    for (first, tasks) in chunks(job.shards, chunk) {
        let _ = writeln!(
            submit,
            "id=$(sbatch {common} --array={} --output={folder}/slurm-%A_%a.log {folder}/slurm-shard.sh {first})\n\
             jobs=\"$jobs:${{id%%;*}}\"",
            ranges(&tasks).replace(", ", ","),
        );
    }
    let _ = writeln!(
        submit,
        "# Shards that found something have ended with 3, and are reported all the same.\n\
         sbatch {common} --dependency=\"afterany$jobs\" --output={folder}/slurm-report.log {folder}/slurm-report.sh"
    );
    Submission {
        files: vec![
            ("slurm-shard.sh".to_owned(), shard),
            ("slurm-report.sh".to_owned(), report),
            ("slurm-submit.sh".to_owned(), submit),
        ],
        command: vec!["sh".to_owned(), "slurm-submit.sh".to_owned()],
    }
}

/// `shards` by arrays of `chunk`: the first shard of each, and the places in it.
fn chunks(shards: &[u64], chunk: u64) -> Vec<(u64, Vec<u64>)> {
    let mut found: Vec<(u64, Vec<u64>)> = Vec::new();
    for shard in shards {
        let first = shard / chunk * chunk;
        match found.last_mut() {
            Some((same, tasks)) if *same == first => tasks.push(shard - first),
            _ => found.push((first, vec![shard - first])),
        }
    }
    found
}

/// What a Kubernetes Job needs besides.
#[derive(Clone, Debug)]
pub struct Cluster<'a> {
    /// The image that has the program.
    pub image: &'a str,
    /// The claim of a volume that all nodes can write, with the project in it.
    pub claim: &'a str,
    /// How many pods may run at a time.
    pub parallelism: u64,
}

/// An Indexed Job of Kubernetes 1.33 or later. What failed for the machine's fault (exit 1) is played again, what found something
/// (3), is refused (2) or differs (4) is not.
pub fn kubernetes(job: &Job<'_>, cluster: &Cluster<'_>) -> Submission {
    let Cluster { image, claim, parallelism } = cluster;
    let (count, campaign) = (job.shards.len() as u64, job.folder.campaign());
    let name = format!("callsim-{}", campaign.id.chars().take(8).collect::<String>());
    let shards: Vec<String> = job.shards.iter().map(u64::to_string).collect();
    let play = format!(
        "set -- {}\nshift \"$JOB_COMPLETION_INDEX\"\nunset JOB_COMPLETION_INDEX\n\
         exec {} campaign shard --plan {} --index \"$1\"",
        shards.join(" "),
        quoted(job.program),
        quoted(&job.plan.display().to_string()),
    );
    let play = play.replace('\n', "\n              ");
    let (image, claim, workdir) = (yaml(image), yaml(claim), yaml(&job.workdir.display().to_string()));
    let parallelism = count.min(*parallelism);
    let manifest = format!(
        "# Plays the missing shards of a campaign: `kubectl create --filename` this file.\n\
         apiVersion: batch/v1\n\
         kind: Job\n\
         metadata:\n  \
           generateName: {name}-\n  \
           labels:\n    \
             app.kubernetes.io/name: callsim\n\
         spec:\n  \
           completionMode: Indexed\n  \
           completions: {count}\n  \
           parallelism: {parallelism}\n  \
           # A shard that ends with 1 is played again; one that ends with 2, 3 or 4 would end so again.\n  \
           backoffLimitPerIndex: 3\n  \
           maxFailedIndexes: {count}\n  \
           podFailurePolicy:\n    \
             rules:\n      \
               - action: FailIndex\n        \
                 onExitCodes:\n          \
                   containerName: shard\n          \
                   operator: In\n          \
                   values: [2, 3, 4]\n      \
               - action: Ignore\n        \
                 onPodConditions:\n          \
                   - type: DisruptionTarget\n            \
                     status: \"True\"\n  \
           template:\n    \
             spec:\n      \
               restartPolicy: Never\n      \
               containers:\n        \
                 - name: shard\n          \
                   image: {image}\n          \
                   workingDir: {workdir}\n          \
                   command:\n            \
                     - sh\n            \
                     - -c\n            \
                     - |\n              {play}\n          \
                   resources:\n            \
                     requests:\n              \
                       cpu: \"{jobs}\"\n              \
                       memory: 512Mi\n          \
                   volumeMounts:\n            \
                     - name: project\n              \
                       mountPath: {workdir}\n      \
               volumes:\n        \
                 - name: project\n          \
                   persistentVolumeClaim:\n            \
                     claimName: {claim}\n",
        jobs = campaign.jobs,
    );
    let mut command: Vec<String> =
        ["kubectl", "create", "--filename", "kubernetes.yaml"].map(str::to_owned).into();
    command.extend(job.options.iter().cloned());
    Submission { files: vec![("kubernetes.yaml".to_owned(), manifest)], command }
}

/// The most jobs that a matrix of GitHub Actions may have.
const GITHUB_JOBS: usize = 256;

/// A workflow of GitHub Actions. The program and the folder of the campaign come from the artifact `campaign` of another run,
/// that which planned: every runner has the same program.
pub fn github(job: &Job<'_>, run: Option<&str>) -> Submission {
    let campaign = job.folder.campaign();
    let each = job.shards.len().div_ceil(GITHUB_JOBS).max(1);
    let entries: Vec<String> = job
        .shards
        .chunks(each)
        .map(|shards| {
            let shards: Vec<String> = shards.iter().map(u64::to_string).collect();
            format!("\"{}\"", shards.join(" "))
        })
        .collect();
    let commit = campaign.commit.as_deref().map(|commit| commit.trim_end_matches("-dirty"));
    let reference =
        commit.map(|commit| format!("\n        with:\n          ref: {}", yaml(commit))).unwrap_or_default();
    let workflow = format!(
        r#"# Plays the missing shards of a campaign. Put it into .github/workflows/ as callsim-campaign.yml.
name: callsim campaign

on:
  workflow_dispatch:
    inputs:
      run:
        description: The run whose artifact `campaign` holds the program and the folder of the campaign.
        required: true
        type: string

permissions:
  contents: read
  actions: read

jobs:
  shard:
    runs-on: ubuntu-24.04
    strategy:
      fail-fast: false
      matrix:
        shards: [{entries}]
    steps:
      - uses: actions/checkout@v4{reference}
      - uses: actions/download-artifact@v4
        with:
          name: campaign
          path: campaign
          run-id: ${{{{ inputs.run }}}}
          github-token: ${{{{ github.token }}}}
      - name: Play
        env:
          SHARDS: ${{{{ matrix.shards }}}}
        run: |
          chmod +x campaign/callsim
          failed=0
          for index in $SHARDS; do
            code=0
            campaign/callsim campaign shard --plan campaign/campaign.json --index "$index" || code=$?
            # 3 is a finding: the report has it.
            if [ "$code" -ne 0 ] && [ "$code" -ne 3 ]; then failed=$code; fi
          done
          exit "$failed"
      - uses: actions/upload-artifact@v4
        if: always()
        with:
          name: shards-${{{{ strategy.job-index }}}}
          path: campaign/shard-*
          if-no-files-found: ignore

  report:
    needs: shard
    if: always()
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/download-artifact@v4
        with:
          name: campaign
          path: campaign
          run-id: ${{{{ inputs.run }}}}
          github-token: ${{{{ github.token }}}}
      - uses: actions/download-artifact@v4
        with:
          pattern: shards-*
          path: campaign
          merge-multiple: true
      - name: Report
        run: |
          chmod +x campaign/callsim
          campaign/callsim campaign report --plan campaign/campaign.json --format json --out report.json || true
          campaign/callsim campaign report --plan campaign/campaign.json | tee "$GITHUB_STEP_SUMMARY"
          exit "${{PIPESTATUS[0]}}"
      - uses: actions/upload-artifact@v4
        if: always()
        with:
          name: report
          path: |
            report.json
            campaign/shard-*
"#,
        entries = entries.join(", "),
    );
    let mut command: Vec<String> =
        ["gh", "workflow", "run", "callsim-campaign.yml"].map(str::to_owned).into();
    command.extend(run.map(|run| format!("--field=run={run}")));
    command.extend(job.options.iter().cloned());
    Submission { files: vec![("github-workflow.yml".to_owned(), workflow)], command }
}

/// GNU parallel, on this machine or, with a file of hosts, over ssh on several that share the folder.
pub fn parallel(job: &Job<'_>, hosts: Option<&Path>) -> Submission {
    let jobs = job.folder.campaign().jobs.max(1);
    let (program, plan) = (quoted(job.program), quoted(&job.plan.display().to_string()));
    let folder = quoted(&job.folder.path().display().to_string());
    let workdir = quoted(&job.workdir.display().to_string());
    let hosts = hosts.map(|hosts| format!(" --sshloginfile {}", quoted(&hosts.display().to_string())));
    let options: String = job.options.iter().map(|option| format!(" {}", quoted(option))).collect();
    let command = quoted(&format!("{program} campaign shard --plan {plan} --index"));
    let script = format!(
        "#!/bin/sh\n\
         # Plays the missing shards of a campaign, and reports it.\n\
         set -u\n\
         cd {workdir} || exit 1\n\
         # Shards that found something end with 3: what failed is what is missing then.\n\
         parallel --jobs {share}%{hosts} --workdir {workdir} --joblog {folder}/parallel.log{options} \\\n    \
         {command} :::: {folder}/parallel-shards.txt\n\
         {program} campaign report --plan {plan} --format json --out {folder}/report.json\n\
         exec {program} campaign report --plan {plan}\n",
        share = 100 / jobs,
        hosts = hosts.unwrap_or_default(),
    );
    let shards: String = job.shards.iter().map(|shard| format!("{shard}\n")).collect();
    Submission {
        files: vec![("parallel-shards.txt".to_owned(), shards), ("parallel.sh".to_owned(), script)],
        command: vec!["sh".to_owned(), "parallel.sh".to_owned()],
    }
}

/// The plan's file as seen from `workdir`, where it is below it: where a volume holds a project, paths outside mean nothing.
pub fn below(workdir: &Path, plan: &Path) -> Option<PathBuf> {
    plan.strip_prefix(workdir).ok().map(Path::to_owned)
}

/// `text` as one word of a shell.
fn quoted(text: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+=:@%,".contains(letter);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// `text` as a string of YAML, in the form of JSON, which is part of it.
fn yaml(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_stay_below_what_the_cluster_allows() {
        assert_eq!(chunks(&[0, 1, 2], 1000), [(0, vec![0, 1, 2])]);
        assert_eq!(
            chunks(&[3, 999, 1000, 2001], 1000),
            [(0, vec![3, 999]), (1000, vec![0]), (2000, vec![1])]
        );
    }

    #[test]
    fn paths_are_words_of_a_shell_and_of_yaml() {
        assert_eq!(quoted("/srv/a-b_c.json"), "/srv/a-b_c.json");
        assert_eq!(quoted("my calls/it's"), r"'my calls/it'\''s'");
        assert_eq!(quoted(""), "''");
        assert_eq!(yaml("a: \"b\""), r#""a: \"b\"""#);
    }
}
