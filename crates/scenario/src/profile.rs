//! Named networks: what `profile = "lte"` stands for.
//!
//! Their figures stand in `profiles.toml`, each with its source; where a figure has none, it says that it
//! was chosen, and why.

use std::collections::BTreeMap;

use crate::{
    format::profile::{ProfileRead, all},
    plan::{Access, Device, Gateway, Schedule},
};

/// A named network, and the kind of device that is found on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Its name in scenario files.
    pub name: String,
    /// One line for people.
    pub summary: String,
    /// The kind of device.
    pub device: Device,
    /// The link of its devices.
    pub access: Access,
    /// How that changes in the course of time.
    pub schedule: Option<Schedule>,
    /// The gateways between it and the core, the nearest first, with the addresses of the first that is built.
    pub gateways: Vec<Gateway>,
    /// Where each figure comes from, by its key in the file: `link.up.delay`.
    pub sources: BTreeMap<String, String>,
}

/// All profiles, in the order in which they are documented.
pub fn profiles() -> Vec<Profile> {
    all().iter().map(ProfileRead::profile).collect()
}

/// Their names, in the same order.
pub fn names() -> Vec<&'static str> {
    all().iter().map(|profile| profile.name.as_str()).collect()
}
