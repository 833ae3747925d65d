//! Profiles of networks: `profiles.toml` and `[profiles]` of a project, read with the same reader as scenarios, and
//! `profile = "lte"`.

use std::{collections::BTreeMap, path::Path, sync::LazyLock};

use serde_json::json;
use toml::de::DeValue;

use super::{
    FormatError, VERSION,
    address::Sites,
    error::{Found, ProblemKind},
    gateways::{self, GatewayRead},
    link::{LinkRead, ScheduleRead, take_link, take_schedule},
    reader::{Key, Reading, Table, Value},
    signaller::faults,
};
use crate::{
    plan::{Device, FaultsPlan},
    profile::{Figure, Profile, Profiles},
};

/// The profiles, as they are kept in the file of that name.
pub(crate) const PROFILES: &str = include_str!("../../profiles.toml");

/// A profile as it was read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ProfileRead {
    pub(crate) name: String,
    pub(super) summary: String,
    pub(crate) device: Device,
    pub(super) link: LinkRead,
    pub(super) schedule: Option<ScheduleRead>,
    pub(super) gateways: Vec<GatewayRead>,
    /// What it does to the signalling of whoever is on it.
    pub(super) faults: FaultsPlan,
    /// Where figures come from, by their key in the file; an entry speaks for all under its key.
    pub(crate) sources: BTreeMap<String, String>,
    pub(crate) figures: Vec<Figure>,
}

impl ProfileRead {
    /// With what it says put together.
    pub(crate) fn profile(&self) -> Profile {
        let mut sites = Sites::default();
        sites.add_chain(&"host".into(), &self.gateways, Vec::new());
        Profile {
            name: self.name.clone(),
            summary: self.summary.clone(),
            device: self.device,
            access: self.link.access(),
            schedule: self.schedule.as_ref().map(|schedule| schedule.over(self.link)),
            gateways: sites.gateways,
            figures: self.figures.clone(),
        }
    }
}

static BUILT_IN: LazyLock<Vec<ProfileRead>> =
    LazyLock::new(|| read(PROFILES).unwrap_or_else(|error| panic!("{}", error.lines().collect::<String>())));

/// callsim's profiles, in the order of their file.
pub(crate) fn built_in() -> &'static [ProfileRead] {
    &BUILT_IN
}

/// The profile at `profile`, if there is such a one.
pub(super) fn take_profile<'d>(table: &Table<'d>) -> Option<&'d ProfileRead> {
    let doc = "What its network is like: a name that `cargo xtask profiles` lists. What is said beside it \
         replaces what it says.";
    let value = table.take("profile", doc)?;
    let known = || table.reading.profiles.names();
    let schema = || json!({ "enum": known() });
    let DeValue::String(name) = value.leaf(schema)? else {
        return value.wrong_type("the name of a profile");
    };
    table.reading.profiles.read(name).or_else(|| {
        value.problem(ProblemKind::UnknownName { what: "profile", found: Found::new(name, known()) })
    })
}

fn read(text: &str) -> Result<Vec<ProfileRead>, FormatError> {
    reading(None, text, |root| {
        let _: Option<u64> = root.need("version", "", |value| value.integer(VERSION..=VERSION));
        let table = root.need("profiles", "", |value| value.table("[profiles]"));
        root.finish();
        table
    })
}

/// The profiles in the table `[profiles]` of a file that has other tables as well, none of which is looked at.
pub(crate) fn read_own(file: &Path, text: &str) -> Result<Vec<ProfileRead>, FormatError> {
    reading(Some(file), text, |root| {
        let table = root.take("profiles", "")?.table("[profiles]")?;
        for Key { name, span, .. } in table.names() {
            let is_letter =
                |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
            let reason = match name {
                _ if built_in().iter().any(|profile| profile.name == name) => {
                    format!("`{name}` is a profile of callsim: choose another name")
                }
                _ if name.is_empty() || !name.chars().all(is_letter) => {
                    format!("`{name}` is not the name of a profile: lower-case letters, digits and `-`")
                }
                _ => continue,
            };
            table.reading.add(ProblemKind::Impossible { reason }, span);
        }
        Some(table)
    })
}

fn reading(
    file: Option<&Path>,
    text: &str,
    table: impl for<'d> FnOnce(Table<'d>) -> Option<Table<'d>>,
) -> Result<Vec<ProfileRead>, FormatError> {
    // They may not name one another.
    let reading = Reading::with(&Profiles::none());
    let (document, syntax) = toml::de::DeTable::parse_recoverable(text);
    syntax.iter().for_each(|error| reading.problems.syntax(error, text));
    let mut profiles = Vec::new();
    // After a syntax error the rest of the document is guesswork.
    if syntax.is_empty() {
        let root = Table::root(document.get_ref(), document.span(), &reading);
        let keys = table(root).map(|table| table.names()).unwrap_or_default();
        profiles = keys.iter().filter_map(profile).collect();
    }
    match reading.problems.into_sorted() {
        problems if problems.is_empty() => Ok(profiles),
        problems => Err(FormatError::new("profiles", file, text, problems)),
    }
}

fn profile(key: &Key<'_>) -> Option<ProfileRead> {
    let table = key.value.table(format!("[profiles.{}]", key.name))?;
    let summary = table.need("summary", "", Value::sentence);
    let mut device = Device::Laptop;
    table.set_word("device", "", "device", &mut device);
    let link = take_link(&table, LinkRead::DEFAULT);
    let schedule = take_schedule(&table, link);
    let gateways = gateways::take_own(&table).unwrap_or_default();
    let faults = table.take("faults", "").map(|value| faults(value, &[])).unwrap_or_default();
    let sources = table.get("sources", "", |value| value.table("sources"));
    table.finish();
    let text = |key: &Key<'_>| Some((key.name.to_owned(), key.value.sentence()?));
    let sources = sources.map(|table| table.names()).unwrap_or_default();
    let sources: BTreeMap<String, String> = sources.iter().filter_map(text).collect();
    let mut figures = Vec::new();
    for part in ["link", "gateways", "schedule", "faults"] {
        key.value.leaves(part, &mut |key, value| {
            let source = source_of(&key, &sources).unwrap_or_default().to_owned();
            figures.push(Figure { key, value, source });
        });
    }
    Some(ProfileRead {
        name: key.name.to_owned(),
        summary: summary?,
        device,
        link,
        schedule,
        gateways,
        faults,
        sources,
        figures,
    })
}

/// The entry that speaks for `key`: its own, or that of the nearest key above it.
fn source_of<'a>(key: &str, sources: &'a BTreeMap<String, String>) -> Option<&'a str> {
    let mut at = key;
    loop {
        if let Some(source) = sources.get(at) {
            return Some(source);
        }
        at = at.rsplit_once('.')?.0;
    }
}
