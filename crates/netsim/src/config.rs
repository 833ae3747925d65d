//! What a world is made of, and whether that can be.

mod error;
mod host;

use std::{collections::BTreeSet, time::Duration};

use determinism::Escapes;

use crate::{Gateway, Pace, network::Topology};

pub use error::ConfigError;
pub(crate) use host::is_host_address;
pub use host::{HostSpec, ProcessingDelay};

/// All that a world depends on, next to the code that runs in it, and known to be possible.
#[derive(Clone, Debug)]
pub struct WorldConfig {
    pub(crate) settings: Settings,
    pub(crate) topology: Topology,
}

/// Collects what a [`WorldConfig`] consists of.
#[derive(Clone, Debug)]
#[must_use]
pub struct WorldConfigBuilder(Settings);

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) seed: u64,
    pub(crate) pace: Pace,
    pub(crate) hosts: Vec<HostSpec>,
    pub(crate) gateways: Vec<Gateway>,
    pub(crate) user_timeout: Duration,
    pub(crate) deadline: Duration,
    pub(crate) event_budget: u64,
    pub(crate) escapes: Escapes,
    pub(crate) payloads: Payloads,
}

/// Whether a world keeps what is in its packets. It changes nothing else: no draw, no time, no digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payloads {
    /// It is in the digest and nowhere else.
    Forgotten,
    /// It is handed over with the records.
    Kept,
}

impl WorldConfig {
    /// 120 s: what a Linux client takes to give up a connection attempt, rounded (`tcp_syn_retries` 6).
    pub const LINUX_USER_TIMEOUT: Duration = Duration::from_secs(120);

    /// Begins a configuration whose network draws its randomness from `seed`.
    pub const fn builder(seed: u64) -> WorldConfigBuilder {
        WorldConfigBuilder(Settings {
            seed,
            pace: Pace::Virtual,
            hosts: Vec::new(),
            gateways: Vec::new(),
            user_timeout: Self::LINUX_USER_TIMEOUT,
            deadline: Duration::from_secs(3600),
            event_budget: 10_000_000,
            escapes: Escapes::Fail,
            payloads: Payloads::Forgotten,
        })
    }

    /// Where the network's randomness comes from.
    pub const fn seed(&self) -> u64 {
        self.settings.seed
    }

    /// The hosts, in the order in which they were added.
    pub fn hosts(&self) -> &[HostSpec] {
        &self.settings.hosts
    }
}

impl WorldConfigBuilder {
    /// The hosts so far.
    pub fn hosts_so_far(&self) -> &[HostSpec] {
        &self.0.hosts
    }

    /// Adds a host. The order of hosts decides nothing but the order in which their TCP stacks are served at
    /// one instant.
    pub fn host(mut self, host: HostSpec) -> Self {
        self.0.hosts.push(host);
        self
    }

    /// Adds several hosts.
    pub fn hosts(mut self, hosts: impl IntoIterator<Item = HostSpec>) -> Self {
        self.0.hosts.extend(hosts);
        self
    }

    /// Adds a NAT or a firewall. A host that none of them names is connected to the core of the network.
    pub fn gateway(mut self, gateway: Gateway) -> Self {
        self.0.gateways.push(gateway);
        self
    }

    /// Adds several gateways.
    pub fn gateways(mut self, gateways: impl IntoIterator<Item = Gateway>) -> Self {
        self.0.gateways.extend(gateways);
        self
    }

    /// How time passes; [`Pace::Virtual`] otherwise, as everywhere but where virtual time is compared with
    /// real time.
    pub const fn pace(mut self, pace: Pace) -> Self {
        self.0.pace = pace;
        self
    }

    /// How long a TCP sender goes on retransmitting one segment before its connection times out (RFC 5482);
    /// [`WorldConfig::LINUX_USER_TIMEOUT`] otherwise.
    pub const fn user_timeout(mut self, timeout: Duration) -> Self {
        self.0.user_timeout = timeout;
        self
    }

    /// The virtual time after which the world ends, finished or not; an hour otherwise.
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.0.deadline = deadline;
        self
    }

    /// How many packets and timers the world may handle before it ends, finished or not; ten million
    /// otherwise.
    pub const fn event_budget(mut self, events: u64) -> Self {
        self.0.event_budget = events;
        self
    }

    /// What happens to calls that go past the world to the machine (a real socket, a thread, the system's
    /// resolver); [`Escapes::Fail`] otherwise.
    pub const fn escapes(mut self, escapes: Escapes) -> Self {
        self.0.escapes = escapes;
        self
    }

    /// Whether what is in packets is kept; [`Payloads::Forgotten`] otherwise.
    pub const fn payloads(mut self, payloads: Payloads) -> Self {
        self.0.payloads = payloads;
        self
    }

    /// The configuration, if such a world is possible.
    ///
    /// # Errors
    /// Where names or addresses are taken twice or belong to nobody, a host or a NAT has no address, gateways
    /// are behind each other, or a range is empty.
    pub fn build(self) -> Result<WorldConfig, ConfigError> {
        let Self(settings) = self;
        settings.check_names()?;
        settings.gateways.iter().try_for_each(check_gateway)?;
        settings.hosts.iter().try_for_each(HostSpec::check)?;
        let topology = Topology::of(settings.seed, &settings.hosts, &settings.gateways)?;
        Ok(WorldConfig { settings, topology })
    }
}

impl Settings {
    fn check_names(&self) -> Result<(), ConfigError> {
        let mut names = BTreeSet::new();
        let hosts = self.hosts.iter().map(|host| &host.name);
        match hosts.chain(self.gateways.iter().map(|gateway| &gateway.name)).find(|name| !names.insert(*name))
        {
            None => Ok(()),
            Some(name) => Err(ConfigError::DuplicateName { host: name.clone() }),
        }
    }
}

fn check_gateway(gateway: &Gateway) -> Result<(), ConfigError> {
    let Some(nat) = &gateway.nat else { return Ok(()) };
    let name = || gateway.name.clone();
    if nat.public.is_empty() {
        return Err(ConfigError::NoAddress { host: name() });
    }
    if nat.port_range.first == 0 || nat.port_range.first > nat.port_range.last {
        return Err(ConfigError::PortRange { gateway: name() });
    }
    match nat.public.iter().find(|address| !address.is_ipv4() || !is_host_address(**address)) {
        None => Ok(()),
        Some(&address) => Err(ConfigError::NotAPublicAddress { gateway: name(), address }),
    }
}
