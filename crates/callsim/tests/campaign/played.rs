//! Campaigns for the tests: a folder with two scenarios, a plan, and what was played of it.

use std::{collections::BTreeMap, fs, process::Command};

use crate::place::{GOOD, Place, Said, check, said};

/// What schedulers set; whatever runs these tests may be one.
const VARIABLES: [&str; 6] = [
    "SLURM_ARRAY_TASK_ID",
    "JOB_COMPLETION_INDEX",
    "AWS_BATCH_JOB_ARRAY_INDEX",
    "BUILDKITE_PARALLEL_JOB",
    "TEST_SHARD_INDEX",
    "CI_NODE_INDEX",
];

impl Place {
    /// Two scenarios: one that holds, and one that does not.
    pub(crate) fn with_scenarios() -> Self {
        let ill = GOOD.replace("outcome = \"connected\"", "outcome = \"busy\"");
        assert_ne!(ill, GOOD);
        Self::new(&[("scenarios/good.toml", GOOD), ("scenarios/ill.toml", &ill)])
    }

    /// The same with a plan in `folder`: the scenarios `names` over `seeds`, in `shards`.
    pub(crate) fn planned(names: &[&str], seeds: &str, shards: &str) -> Self {
        let place = Self::with_scenarios();
        place.plan(names, seeds, shards, "c");
        place
    }

    pub(crate) fn plan(&self, names: &[&str], seeds: &str, shards: &str, folder: &str) {
        let options = ["--seeds", seeds, "--shards", shards, "--out", folder];
        check(&self.run(&[&["campaign", "plan"], names, &options].concat()), 0, &["campaign.json: "]);
    }

    /// A command on the campaign in `c`, without what a scheduler may have set.
    pub(crate) fn campaign(&self, arguments: &[&str]) -> Command {
        let (subcommand, rest) = arguments.split_first().unwrap();
        let mut command = self.command("", &[&["campaign", subcommand, "--plan", "c"], rest].concat());
        VARIABLES.iter().for_each(|name| {
            command.env_remove(name);
        });
        command
    }

    pub(crate) fn shard(&self, index: &str) -> Said {
        said(&mut self.campaign(&["shard", "--index", index]))
    }

    /// Every file of the folder `c` that is not about attempts, and what is in it.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let entries = fs::read_dir(self.path("c")).unwrap().map(|entry| entry.unwrap());
        let files =
            entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()));
        files.filter(|(name, _)| name == "campaign.json" || !name.ends_with(".json")).collect()
    }
}
