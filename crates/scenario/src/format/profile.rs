//! Profiles of networks: `profiles.toml`, read with the same reader as scenarios, and `profile = "lte"`.

use std::{collections::BTreeMap, sync::LazyLock};

use super::{
    FormatError, VERSION,
    address::Sites,
    error::{Found, ProblemKind, Problems},
    gateways::{self, GatewayRead},
    link::{LinkRead, ScheduleRead, take_link, take_schedule},
    reader::{Key, Table},
    signaller::faults,
    values::vocabulary,
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
pub(super) fn take_profile(table: &mut Table<'_>, problems: &Problems) -> Option<&'static ProfileRead> {
    let value = table.take("profile")?;
    let name = value.string("the name of a profile", problems)?;
    let found = all().iter().find(|profile| profile.name == name);
    if found.is_none() {
        let known = all().iter().map(|profile| profile.name.as_str());
        let kind = ProblemKind::UnknownName { what: "profile", found: Found::new(name, known) };
        problems.add(kind, value.span());
    }
    found
}

fn read(text: &str) -> Result<Vec<ProfileRead>, FormatError> {
    let problems = Problems::default();
    let (document, syntax) = toml::de::DeTable::parse_recoverable(text);
    syntax.iter().for_each(|error| problems.syntax(error, text));
    let mut profiles = Vec::new();
    if let Some(mut root) = Table::root(document.get_ref(), document.span()) {
        if let Some(version) = root.require("version", &problems) {
            version.integer(VERSION..=VERSION, &problems);
        }
        let table =
            root.require("profiles", &problems).and_then(|value| value.table("[profiles]", &problems));
        root.finish(&problems);
        let keys = table.map(|table| table.rest()).unwrap_or_default();
        profiles.extend(keys.iter().filter_map(|key| profile(key, &problems)));
    }
    match problems.into_sorted() {
        problems if problems.is_empty() => Ok(profiles),
        problems => Err(FormatError::new("profiles", None, text, problems)),
    }
}

fn profile(key: &Key<'_>, problems: &Problems) -> Option<ProfileRead> {
    let mut table = key.value.table(format!("[profiles.{}]", key.name), problems)?;
    let summary = table.require("summary", problems).and_then(|value| value.sentence(problems));
    let device = table.require("device", problems);
    let device = device.and_then(|value| value.word(&vocabulary!("device", Device), problems));
    let link = take_link(&mut table, LinkRead::DEFAULT, problems);
    let schedule = take_schedule(&mut table, link, problems);
    let gateways = gateways::take_own(&mut table, problems).unwrap_or_default();
    let faults = table.take("faults").map(|value| faults(value, &[], problems)).unwrap_or_default();
    let sources = table.require("sources", problems).and_then(|value| value.table("sources", problems));
    table.finish(problems);
    let text = |key: &Key<'_>| Some((key.name.to_owned(), key.value.sentence(problems)?));
    let sources: BTreeMap<String, String> = sources?.rest().iter().filter_map(text).collect();
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
