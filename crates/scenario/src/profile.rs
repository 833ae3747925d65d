//! Named networks: what `profile = "lte"` stands for.
//!
//! Their figures stand in `profiles.toml`, each with its source; where a figure has none, it says that it
//! was chosen, and why. A project may have some of its own, [`Profiles::with_own`].

use std::{path::Path, sync::Arc};

use netsim::{HostSpec, NatConfig, WorldConfigBuilder};
use timeline::{Name, nearest};

use crate::{
    format::{
        FormatError,
        profile::{self, ProfileRead, built_in},
    },
    plan::{Access, Device, Gateway, Plan, Schedule},
};

/// Whom everybody calls where profiles are measured: somebody on a good home network.
pub const USUAL_CALLEE: &str = "wifi";

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
    /// Its figures as they were written down, in the order of the file.
    pub figures: Vec<Figure>,
}

/// A figure of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// Its key in the file, with list items counted from 0: `link.up.delay`, `gateways.0.nat.udp-timeout`.
    pub key: String,
    /// Its value as it is written there.
    pub value: String,
    /// Where it comes from; empty for words that are no figures.
    pub source: String,
}

/// No profile has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no profile `{name}`{}", .nearest.as_ref().map(|nearest| format!("; did you mean `{nearest}`?")).unwrap_or_default())]
pub struct UnknownProfile {
    /// What was asked for.
    pub name: String,
    /// The nearest name of a profile.
    pub nearest: Option<String>,
}

/// callsim's profile of this name.
///
/// # Errors
/// Where there is none, with the nearest name.
pub fn named(name: &str) -> Result<Profile, UnknownProfile> {
    Profiles::default().named(name)
}

/// The named networks that scenarios may mention: callsim's, and those of a project.
#[derive(Clone, Debug)]
pub struct Profiles {
    built_in: &'static [ProfileRead],
    own: Arc<[ProfileRead]>,
}

/// callsim's alone.
impl Default for Profiles {
    fn default() -> Self {
        Self { built_in: built_in(), own: Arc::default() }
    }
}

impl Profiles {
    /// callsim's, and those in the table `[profiles]` of a TOML `text`, such as a project's `callsim.toml`; its other
    /// tables are not looked at. Each is written like those of callsim, but needs no `sources`.
    ///
    /// ```
    /// use std::path::Path;
    /// use scenario::profile::Profiles;
    ///
    /// let text = r#"
    ///     [profiles.our-office]
    ///     summary = "The guests' Wi-Fi, behind two walls."
    ///     link = { delay = "30ms", jitter = "10ms", loss = "0.5%" }
    ///     nat = "symmetric"
    /// "#;
    /// let profiles = Profiles::with_own(Path::new("callsim.toml"), text).unwrap();
    /// assert_eq!(profiles.named("our-offce").unwrap_err().nearest.as_deref(), Some("our-office"));
    /// ```
    ///
    /// # Errors
    /// All that is wrong with the table; a name that callsim has, or that is not of lower-case letters, digits and `-`.
    pub fn with_own(file: &Path, text: &str) -> Result<Self, FormatError> {
        Ok(Self { own: profile::read_own(file, text)?.into(), ..Self::default() })
    }

    /// None at all: for what is read while there are none.
    pub(crate) fn none() -> Self {
        Self { built_in: &[], own: Arc::default() }
    }

    /// The one of this name.
    ///
    /// # Errors
    /// Where there is none, with the nearest name.
    pub fn named(&self, name: &str) -> Result<Profile, UnknownProfile> {
        let unknown = || {
            let nearest = nearest(name, self.names()).map(str::to_owned);
            UnknownProfile { name: name.to_owned(), nearest }
        };
        self.read(name).map(ProfileRead::profile).ok_or_else(unknown)
    }

    /// All of them: callsim's in the order in which they are documented, then the project's.
    pub fn all(&self) -> Vec<Profile> {
        self.each().map(ProfileRead::profile).collect()
    }

    /// Their names, in the same order.
    pub fn names(&self) -> Vec<&str> {
        self.each().map(|profile| profile.name.as_str()).collect()
    }

    pub(crate) fn read(&self, name: &str) -> Option<&ProfileRead> {
        self.each().find(|profile| profile.name == name)
    }

    fn each(&self) -> impl Iterator<Item = &ProfileRead> {
        self.built_in.iter().chain(&*self.own)
    }
}

/// A host on a named network, for a world that is made without a scenario file.
///
/// ```
/// use scenario::profile;
/// use netsim::WorldConfig;
///
/// let phone = profile::named("lte").unwrap().host("phone");
/// let laptop = profile::named("wifi").unwrap().host("laptop");
/// let config = laptop.add_to(phone.add_to(WorldConfig::builder(7))).build().unwrap();
/// assert_eq!(config.hosts().len(), 2);
/// ```
#[derive(Clone, Debug)]
pub struct ProfileHost {
    name: Name,
    profile: Profile,
}

impl Profile {
    /// A host of this name on this network.
    pub fn host(self, name: impl Into<Name>) -> ProfileHost {
        ProfileHost { name: name.into(), profile: self }
    }
}

impl ProfileHost {
    /// How the network's links change over time, for [`World::schedule_access`](netsim::World::schedule_access).
    pub fn schedule(&self) -> Option<&Schedule> {
        self.profile.schedule.as_ref()
    }

    /// Adds the host and its gateways. Its addresses follow from how many hosts there are already: the host number *n*
    /// has 192.168.*n*.2 behind a NAT whose public address is 203.0.113.*n*, and 198.51.100.*n* without one (RFC 5737);
    /// between two NATs is 100.64.*n*.0/24 (RFC 6598).
    pub fn add_to(self, mut builder: WorldConfigBuilder) -> WorldConfigBuilder {
        let number = u8::try_from(builder.hosts_so_far().len() + 1).unwrap_or(u8::MAX);
        let Profile { access, device, gateways, .. } = self.profile;
        let nats = gateways.iter().filter(|gateway| gateway.nat.is_some()).count();
        let own = if nats == 0 { [198, 51, 100, number] } else { [192, 168, number, 2] };
        builder = builder.host(HostSpec {
            name: self.name.clone(),
            addresses: vec![own.into()],
            access,
            processing: device.into(),
        });
        let (mut inside, mut nats_left) = (self.name.clone(), nats);
        for (place, gateway) in (1_u8..).zip(gateways) {
            let name = Name::from(format!("{}/gateway-{place}", self.name));
            let nat = gateway.nat.map(|nat| {
                nats_left -= 1;
                let public = if nats_left == 0 { [203, 0, 113, number] } else { [100, 64, number, place] };
                NatConfig { public: vec![public.into()], ..nat }
            });
            builder = builder.gateway(Gateway { name: name.clone(), inside: vec![inside], nat, ..gateway });
            inside = name;
        }
        builder
    }
}

/// What stands before the profiles in their file: how to read a figure, and the sources by name.
pub fn preface() -> String {
    let lines = profile::PROFILES.lines().take_while(|line| line.starts_with('#'));
    lines.map(|line| line.trim_start_matches('#').strip_prefix(' ').unwrap_or_default()).fold(
        String::new(),
        |mut text, line| {
            text.push_str(line);
            text.push('\n');
            text
        },
    )
}

/// A voice call from somebody on the network `caller` to somebody on `callee`, both of `profiles`, dialled after 5 s and ended
/// after 40 s, with a STUN and TURN server; nothing is expected of it. Its name is `profiles/{caller}-to-{callee}`.
///
/// The microphones are on for seven seconds from the dial, and again when the engine's half minute is over: who connects
/// in between is heard then, and silence costs nothing.
///
/// # Errors
/// Where there is no such profile.
pub fn call_between(profiles: &Profiles, caller: &str, callee: &str) -> Result<Plan, FormatError> {
    let text = format!(
        r#"version = 1
summary = "{caller} calls {callee}."

[peers.caller]
profile = "{caller}"
media = "audio-only"
[peers.callee]
profile = "{callee}"
media = "audio-only"

[signaller]
transport = "websocket-with-fallback"

[ice-servers.turn]

[[steps]]
at = "5s"
caller = {{ dial = "callee" }}

[[steps]]
at = "12s"
caller = "disable-audio"
callee = "disable-audio"

[[steps]]
at = "38s"
caller = "enable-audio"
callee = "enable-audio"

[[steps]]
at = "40s"
caller = "hang-up"

[expect]
"#
    );
    Plan::from_toml_with(&format!("profiles/{caller}-to-{callee}"), &text, profiles)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_figure_has_a_source() {
        for profile in Profiles::default().all() {
            assert!(!profile.figures.is_empty(), "{}", profile.name);
            for figure in &profile.figures {
                let is_figure = figure.value.contains(|c: char| c.is_ascii_digit());
                assert!(
                    !is_figure || !figure.source.is_empty(),
                    "{}: {} has no source",
                    profile.name,
                    figure.key
                );
            }
        }
    }

    #[test]
    fn every_source_is_of_a_figure() {
        for profile in built_in() {
            for key in profile.sources.keys() {
                let speaks_for =
                    |figure: &Figure| figure.key == *key || figure.key.starts_with(&format!("{key}."));
                let is_of_nothing = !profile.figures.iter().any(speaks_for);
                // Where there is no gateway, that is a choice as well.
                assert!(
                    !is_of_nothing || key == "gateways",
                    "{}: a source for `{key}`, which is not there",
                    profile.name
                );
            }
        }
    }

    #[test]
    fn every_profile_makes_hosts_of_one_world() {
        let profiles = Profiles::default();
        let hosts = profiles.all().into_iter().map(|profile| {
            let name = format!("on-{}", profile.name);
            profile.host(name)
        });
        let builder = hosts.fold(netsim::WorldConfig::builder(1), |builder, host| host.add_to(builder));
        let config = builder.build().expect("names and addresses differ");
        assert_eq!(config.hosts().len(), profiles.names().len());
    }

    #[test]
    fn an_unknown_profile_is_answered_with_the_nearest() {
        let unknown = named("lted").expect_err("there is none");
        assert_eq!(unknown.to_string(), "there is no profile `lted`; did you mean `lte`?");
    }

    #[test]
    fn networks_differ_where_reality_does() {
        let [wifi, lte, subway] = ["wifi", "lte", "subway"].map(|name| named(name).expect("a profile"));
        let bps = |profile: &Profile| {
            [profile.access.up, profile.access.down].map(|half| half.rate.expect("a rate").bps.get())
        };
        assert!(bps(&wifi)[0] < bps(&wifi)[1] && bps(&lte)[0] < bps(&lte)[1]);
        assert_eq!((wifi.device, lte.device), (Device::Laptop, Device::Phone));
        let outages = subway.schedule.expect("outages").steps;
        assert_eq!(outages.iter().filter(|(_, access)| !access.up.up).count(), 1);
    }

    const OFFICE: &str = r#"
        seeds = 3
        [profiles.our-office]
        summary = "Behind two walls."
        link = { delay = "12ms", loss = "0.5%" }
        nat = "symmetric"
    "#;

    #[test]
    fn a_project_has_profiles_of_its_own() {
        let profiles = Profiles::with_own(Path::new("callsim.toml"), OFFICE).expect("profiles");
        assert_eq!(profiles.names().len(), built_in().len() + 1);
        let office = profiles.named("our-office").expect("it is there");
        assert_eq!((office.device, office.gateways.len()), (Device::Laptop, 1));
        let plan = call_between(&profiles, "our-office", "lte").expect("a plan");
        assert_eq!(plan.peers()[0].profile.as_deref(), Some("our-office"));
        assert_eq!(plan.peers()[0].access, office.access);
        let unknown = call_between(&profiles, "our-ofice", "lte").expect_err("there is none");
        let lines: Vec<String> = unknown.lines().collect();
        assert!(
            lines[0].contains("there is no profile `our-ofice`") && lines[0].contains("`our-office`"),
            "{lines:?}"
        );
        assert!(call_between(&Profiles::default(), "our-office", "lte").is_err());
    }

    #[test]
    fn what_is_wrong_with_a_profile_is_named_with_its_place() {
        let check = |text: &str, expect: &[&str]| {
            let error = Profiles::with_own(Path::new("callsim.toml"), text).expect_err("it is wrong");
            let lines: Vec<String> = error.lines().collect();
            assert_eq!(lines.len(), expect.len(), "{lines:#?}");
            for (line, expect) in lines.iter().zip(expect) {
                assert!(line.starts_with(expect), "{line}");
            }
        };
        check(
            "[profiles.lte]\nsummary = \"Ours.\"\n[profiles.\"Our Office\"]\nlink = { dealy = \"1ms\" }\n",
            &[
                "callsim.toml:1:11: this cannot be: `lte` is a profile of callsim: choose another name",
                "callsim.toml:3:1: [profiles.Our Office] has no `summary`",
                "callsim.toml:3:11: this cannot be: `Our Office` is not the name of a profile",
                "callsim.toml:4:10: unknown key `dealy`",
            ],
        );
        check("profiles = 3\n", &["callsim.toml:1:12: "]);
        check("[profiles\n", &["callsim.toml:1:"]);
    }

    proptest! {
        /// Whatever the file holds, its profiles are read or refused with its name.
        #[test]
        fn mangled_profiles_are_read_or_refused(at in any::<prop::sample::Index>(), cut in 0..9_usize, put in ".{0,6}") {
            let mut letters: Vec<char> = OFFICE.chars().collect();
            let from = at.index(letters.len());
            letters.splice(from..(from + cut).min(letters.len()), put.chars());
            let text: String = letters.into_iter().collect();
            if let Err(error) = Profiles::with_own(Path::new("callsim.toml"), &text) {
                prop_assert!(error.lines().all(|line| line.starts_with("callsim.toml:")), "{}", error);
            }
        }
    }
}
