//! Profiles of networks: `profiles.toml`, read with the same reader as scenarios, and `profile = "lte"`.

use std::{collections::BTreeMap, sync::LazyLock};

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
    profile::{Figure, Profile},
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

static READ: LazyLock<Vec<ProfileRead>> =
    LazyLock::new(|| read(PROFILES).unwrap_or_else(|error| panic!("{}", error.lines().collect::<String>())));

/// All profiles, in the order of their file.
pub(crate) fn all() -> &'static [ProfileRead] {
    &READ
}

/// The profile at `profile`, if there is such a one.
pub(super) fn take_profile(table: &Table<'_>) -> Option<&'static ProfileRead> {
    let doc = "What its network is like: a name that `cargo xtask profiles` lists. What is said beside it \
         replaces what it says.";
    let value = table.take("profile", doc)?;
    let known = || all().iter().map(|profile| profile.name.as_str());
    let schema = || json!({ "enum": known().collect::<Vec<_>>() });
    let DeValue::String(name) = value.leaf(schema)? else {
        return value.wrong_type("the name of a profile");
    };
    let found = all().iter().find(|profile| profile.name == **name);
    found.or_else(|| {
        value.problem(ProblemKind::UnknownName { what: "profile", found: Found::new(name, known()) })
    })
}

fn read(text: &str) -> Result<Vec<ProfileRead>, FormatError> {
    let reading = Reading::default();
    let (document, syntax) = toml::de::DeTable::parse_recoverable(text);
    syntax.iter().for_each(|error| reading.problems.syntax(error, text));
    let root = Table::root(document.get_ref(), document.span(), &reading);
    let _: Option<u64> = root.need("version", "", |value| value.integer(VERSION..=VERSION));
    let table = root.need("profiles", "", |value| value.table("[profiles]"));
    root.finish();
    let keys = table.map(|table| table.names()).unwrap_or_default();
    let profiles = keys.iter().filter_map(profile).collect();
    match reading.problems.into_sorted() {
        problems if problems.is_empty() => Ok(profiles),
        problems => Err(FormatError::new("profiles", None, text, problems)),
    }
}

fn profile(key: &Key<'_>) -> Option<ProfileRead> {
    let table = key.value.table(format!("[profiles.{}]", key.name))?;
    let summary = table.need("summary", "", Value::sentence);
    let device = table.need("device", "", |value| value.word("device"));
    let link = take_link(&table, LinkRead::DEFAULT);
    let schedule = take_schedule(&table, link);
    let gateways = gateways::take_own(&table).unwrap_or_default();
    let faults = table.take("faults", "").map(|value| faults(value, &[])).unwrap_or_default();
    let sources = table.need("sources", "", |value| value.table("sources"));
    table.finish();
    let text = |key: &Key<'_>| Some((key.name.to_owned(), key.value.sentence()?));
    let sources: BTreeMap<String, String> = sources?.names().iter().filter_map(text).collect();
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
        device: device?,
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
