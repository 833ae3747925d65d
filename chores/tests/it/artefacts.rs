//! What `cargo xtask` builds is what `cargo test --workspace` builds: a second command does not build it again.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use serde_json::Value;

/// The graph of what a cargo command compiles, which cargo prints with its unstable option `--unit-graph`.
struct Graph(Vec<Value>);

impl Graph {
    fn of(arguments: &[&str]) -> Self {
        let cargo = Command::new(env!("CARGO"))
            .args(arguments)
            .args(["--locked", "--offline", "--unit-graph", "-Z", "unstable-options"])
            .env("RUSTC_BOOTSTRAP", "1")
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
            .output()
            .expect("cargo starts");
        assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
        let mut graph: Value = serde_json::from_slice(&cargo.stdout).expect("cargo writes JSON");
        match graph["units"].take() {
            Value::Array(units) => Self(units),
            other => panic!("no list of units: {other}"),
        }
    }

    /// What tells two artefacts apart, with all that they are built of.
    fn artefacts(&self) -> BTreeSet<String> {
        let mut known = BTreeMap::new();
        (0..self.0.len()).map(|index| self.artefact(index, &mut known)).collect()
    }

    fn artefact(&self, index: usize, known: &mut BTreeMap<usize, String>) -> String {
        if let Some(artefact) = known.get(&index) {
            return artefact.clone();
        }
        let unit = &self.0[index];
        let dependencies = unit["dependencies"].as_array().into_iter().flatten();
        let mut parts: Vec<String> = dependencies
            .filter_map(|dependency| dependency["index"].as_u64())
            .map(|dependency| self.artefact(usize::try_from(dependency).expect("an index"), known))
            .collect();
        parts.sort();
        // The profile's name is not part of an artefact; its settings are.
        let mut profile = unit["profile"].clone();
        profile.as_object_mut().expect("settings").remove("name");
        let own = [&unit["pkg_id"], &unit["target"]["name"], &unit["mode"], &unit["features"], &profile];
        let own = own.map(Value::to_string).join(" ");
        let below = xxhash_rust::xxh3::xxh3_128(parts.join("\n").as_bytes());
        let artefact = format!("{own} {below:032x}");
        known.insert(index, artefact.clone());
        artefact
    }
}

#[test]
fn tests_build_nothing_anew_that_a_command_has_built() {
    let tests = Graph::of(&["test", "--workspace", "--no-run"]).artefacts();
    for program in ["callsim", "chores"] {
        let command = Graph::of(&["build", "--bin", program]).artefacts();
        let anew: Vec<&String> = command.difference(&tests).collect();
        assert!(anew.is_empty(), "{program}: {} of {}: {anew:#?}", anew.len(), command.len());
    }
}
