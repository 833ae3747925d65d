//! What is built of others comes from where `deny.toml` allows, under licences that it allows, and in as many versions as it
//! says. cargo-deny asks the same, and for advisories as well, where it is installed: `.github/workflows/supply-chain.yml`.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use serde_json::Value;

/// The packages of the build, and `deny.toml`.
struct Build {
    packages: Vec<Value>,
    deny: toml::Table,
}

impl Build {
    fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let arguments = [
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--offline",
            "--all-features",
            "--filter-platform",
        ];
        let cargo = Command::new(env!("CARGO"))
            .args(arguments)
            .arg("x86_64-unknown-linux-gnu")
            .current_dir(&root)
            .output()
            .expect("cargo starts");
        assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
        let metadata: Value = serde_json::from_slice(&cargo.stdout).expect("cargo writes JSON");
        let nodes = metadata["resolve"]["nodes"].as_array().expect("the graph");
        let built: BTreeSet<&str> = nodes.iter().filter_map(|node| node["id"].as_str()).collect();
        let packages = metadata["packages"].as_array().expect("packages");
        let is_built = |package: &&Value| package["id"].as_str().is_some_and(|id| built.contains(id));
        let packages = packages.iter().filter(is_built).cloned().collect();
        let deny = std::fs::read_to_string(root.join("deny.toml")).expect("deny.toml");
        Self { packages, deny: deny.parse().expect("TOML") }
    }

    fn list(&self, table: &str, key: &str) -> BTreeSet<&str> {
        let list = self.deny[table][key].as_array().expect("a list");
        list.iter().filter_map(toml::Value::as_str).collect()
    }
}

fn text<'v>(package: &'v Value, key: &str) -> &'v str {
    package[key].as_str().unwrap_or_default()
}

#[test]
fn every_licence_is_one_that_is_allowed() {
    let build = Build::read();
    let allowed = build.list("licenses", "allow");
    assert!(build.packages.len() > 300, "the whole build is looked at");
    let refused: Vec<String> = build
        .packages
        .iter()
        .filter(|package| !is_allowed(text(package, "license"), &allowed))
        .map(|package| format!("{}: {}", text(package, "name"), text(package, "license")))
        .collect();
    assert_eq!(refused, [""; 0]);
}

#[test]
fn everything_is_ours_or_from_crates_io() {
    let build = Build::read();
    let allowed = build.list("sources", "allow-registry");
    for package in &build.packages {
        let source = text(package, "source");
        let known =
            source.is_empty() || source.strip_prefix("registry+").is_some_and(|url| allowed.contains(url));
        assert!(known, "{} comes from {source}", text(package, "name"));
    }
}

#[test]
fn of_a_crate_as_many_versions_are_built_as_are_listed() {
    let build = Build::read();
    let mut versions: BTreeMap<&str, Vec<(Vec<u64>, &str)>> = BTreeMap::new();
    for package in &build.packages {
        let version = text(package, "version");
        let order = version.split(['.', '-', '+']).map(|part| part.parse().unwrap_or(0)).collect();
        versions.entry(text(package, "name")).or_default().push((order, version));
    }
    let mut older = BTreeSet::new();
    for (name, mut all) in versions {
        all.sort();
        all.pop();
        older.extend(all.iter().map(|(_, version)| format!("{name}@={version}")));
    }
    let listed: BTreeSet<String> = build.list("bans", "skip").into_iter().map(str::to_owned).collect();
    assert_eq!(older, listed, "the older versions in Cargo.lock, and `skip` in deny.toml");
}

/// Whether a licence expression (SPDX) can be fulfilled with licences that are allowed.
fn is_allowed(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let is_allowed = any(&mut rest, allowed);
    rest.is_empty() && is_allowed
}

/// `A OR B`; AND binds more closely.
fn any(words: &mut &[&str], allowed: &BTreeSet<&str>) -> bool {
    let mut is_allowed = all(words, allowed);
    while let ["OR", rest @ ..] = *words {
        *words = rest;
        is_allowed |= all(words, allowed);
    }
    is_allowed
}

fn all(words: &mut &[&str], allowed: &BTreeSet<&str>) -> bool {
    let mut is_allowed = one(words, allowed);
    while let ["AND", rest @ ..] = *words {
        *words = rest;
        is_allowed &= one(words, allowed);
    }
    is_allowed
}

fn one(words: &mut &[&str], allowed: &BTreeSet<&str>) -> bool {
    match *words {
        ["(", rest @ ..] => {
            *words = rest;
            let is_allowed = any(words, allowed);
            *words = words.strip_prefix(&[")"]).unwrap_or_default();
            is_allowed
        }
        [licence, "WITH", exception, rest @ ..] => {
            *words = rest;
            allowed.contains(format!("{licence} WITH {exception}").as_str())
        }
        [licence, rest @ ..] => {
            *words = rest;
            allowed.contains(licence)
        }
        [] => false,
    }
}

#[test]
fn an_expression_is_fulfilled_or_not() {
    let allowed = BTreeSet::from(["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"]);
    for good in
        ["MIT", "MIT OR GPL-3.0", "GPL-3.0/MIT", "(GPL-3.0 OR ISC) AND MIT", "Apache-2.0 WITH LLVM-exception"]
    {
        assert!(is_allowed(good, &allowed), "{good}");
    }
    for bad in ["", "GPL-3.0", "MIT AND GPL-3.0", "(GPL-3.0 OR ISC) AND X", "Apache-2.0", "MIT MIT"] {
        assert!(!is_allowed(bad, &allowed), "{bad}");
    }
}
