//! The tables of packages in ARCHITECTURE.md are right: every package has a row, a dependency in a package's row is
//! named by no other package, and a dependency that several packages share is listed with exactly those.
//!
//! A package names what is in its `[dependencies]` and `[build-dependencies]`, on any target; what only its
//! tests need does not count.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

type Packages = BTreeMap<String, BTreeSet<String>>;

#[test]
fn every_package_has_a_row_and_every_row_a_package() {
    let rows: Vec<String> = Tables::read().packages.into_keys().collect();
    let packages: Vec<String> = named_by_packages().into_keys().collect();
    assert_eq!(rows, packages, "the rows of ARCHITECTURE.md, and the members of the workspace");
}

#[test]
fn what_only_one_package_names_no_other_names() {
    let named = named_by_packages();
    for (package, only) in Tables::read().packages {
        for dependency in only {
            let alone = BTreeSet::from([package.clone()]);
            assert_eq!(owners(&named, &dependency), alone, "who names `{dependency}`");
        }
    }
}

#[test]
fn a_shared_dependency_has_the_owners_that_are_listed() {
    let named = named_by_packages();
    let shared = Tables::read().shared;
    assert!(shared.contains_key("webrtc"), "what is under test is listed");
    for (dependency, listed) in shared {
        assert_eq!(owners(&named, &dependency), listed, "who names `{dependency}`");
    }
}

fn owners(named: &Packages, dependency: &str) -> BTreeSet<String> {
    let owners = named.iter().filter(|(_, named)| named.contains(dependency));
    owners.map(|(package, _)| package.clone()).collect()
}

/// The tables of the section "Packages".
struct Tables {
    /// What only it names, by package.
    packages: Packages,
    /// Who names it, by dependency.
    shared: BTreeMap<String, BTreeSet<String>>,
}

impl Tables {
    fn read() -> Self {
        let mut tables = Self { packages: BTreeMap::new(), shared: BTreeMap::new() };
        let page = read(&root().join("ARCHITECTURE.md"));
        let section = page.split("\n## ").find_map(|section| section.strip_prefix("Packages\n"));
        for line in section.expect("a section \"Packages\"").lines().filter(|line| line.starts_with("| `")) {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            match cells[..] {
                [package, _, only] => {
                    let [package] = &words(package)[..] else { panic!("one package a row: {line}") };
                    tables.packages.insert(package.clone(), words(only).into_iter().collect());
                }
                [dependencies, owners] => {
                    for dependency in words(dependencies) {
                        tables.shared.insert(dependency, words(owners).into_iter().collect());
                    }
                }
                _ => panic!("no row of these tables: {line}"),
            }
        }
        tables
    }
}

/// The words of a cell: in backquotes, with commas between them; or a dash for none.
fn words(cell: &str) -> Vec<String> {
    let word = |word: &str| {
        let inside = word.trim().strip_prefix('`').and_then(|word| word.strip_suffix('`'));
        inside.unwrap_or_else(|| panic!("`{word}` is not in backquotes")).to_owned()
    };
    if cell == "–" { Vec::new() } else { cell.split(',').map(word).collect() }
}

/// What each member of the workspace names.
fn named_by_packages() -> Packages {
    let manifest = read(&root().join("Cargo.toml"));
    let members = manifest.lines().find_map(|line| line.strip_prefix("members = [")?.strip_suffix(']'));
    let mut packages = Packages::new();
    for member in members.expect("members, on one line").split(',') {
        let member = member.trim().trim_matches('"');
        let folders = match member.strip_suffix("/*") {
            Some(parent) => subfolders(parent),
            None => vec![member.to_owned()],
        };
        for folder in folders {
            let manifest = root().join(&folder).join("Cargo.toml");
            if manifest.exists() {
                packages.insert(folder, named_in(&read(&manifest)));
            }
        }
    }
    packages
}

fn subfolders(parent: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join(parent)).expect("a folder of members");
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"));
    names.map(|name| format!("{parent}/{name}")).collect()
}

fn named_in(manifest: &str) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    let mut is_in_dependencies = false;
    for line in manifest.lines() {
        if let Some(section) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            let is_table = |table: &str| ["dependencies", "build-dependencies"].contains(&table);
            let mut path = section.rsplit('.');
            let (last, parent) = (path.next().unwrap_or_default(), path.next().unwrap_or_default());
            is_in_dependencies = is_table(last);
            named.extend(is_table(parent).then(|| last.to_owned()));
        } else if is_in_dependencies && let Some((key, _)) = line.split_once('=') {
            named.extend(key.split('.').next().map(|name| name.trim().to_owned()));
        }
    }
    named
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
