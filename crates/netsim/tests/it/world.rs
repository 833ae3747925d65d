//! The worlds of these tests: two or three hosts, run on a simulation thread.

use std::{future::Future, net::SocketAddr, time::Duration};

use netsim::{
    Access, ConfigError, Escapes, Gateway, HostSpec, LinkModel, Outcome, Pace, Probability, ProcessingDelay,
    TcpStream, World, WorldConfig,
};

/// The hosts, in the order of their addresses 10.0.0.1 and 10.0.0.2 (2001:db8::1, …).
pub(crate) const NAMES: [&str; 2] = ["a", "b"];

pub(crate) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub(crate) fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// A link with `delay` in each half, otherwise perfect.
pub(crate) fn perfect(delay: Duration) -> Access {
    Access::symmetric(LinkModel::with_delay(delay))
}

/// The same with jitter and loss in each half.
pub(crate) fn rough(delay: Duration, jitter: Duration, loss: f64) -> Access {
    let loss = Probability::new(loss).unwrap();
    Access::symmetric(LinkModel { jitter, loss, ..LinkModel::with_delay(delay) })
}

/// A host with its addresses and its link.
pub(crate) fn host(name: &str, addresses: &[&str], access: Access) -> HostSpec {
    let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
    HostSpec { name: name.into(), addresses, access, processing: ProcessingDelay::ZERO }
}

/// A configuration that a test goes on changing.
#[derive(Clone)]
pub(crate) struct Recipe {
    pub(crate) seed: u64,
    pub(crate) pace: Pace,
    pub(crate) hosts: Vec<HostSpec>,
    pub(crate) gateways: Vec<Gateway>,
    pub(crate) user_timeout: Duration,
    pub(crate) deadline: Duration,
    pub(crate) event_budget: u64,
    pub(crate) escapes: Escapes,
}

impl Recipe {
    pub(crate) fn build(self) -> Result<WorldConfig, ConfigError> {
        let builder = WorldConfig::builder(self.seed).pace(self.pace);
        let builder = builder.hosts(self.hosts).gateways(self.gateways).user_timeout(self.user_timeout);
        builder.deadline(self.deadline).event_budget(self.event_budget).escapes(self.escapes).build()
    }
}

/// A world of these hosts, all at the core.
pub(crate) fn world_of(hosts: impl IntoIterator<Item = HostSpec>) -> Recipe {
    Recipe {
        seed: 1,
        pace: Pace::Virtual,
        hosts: hosts.into_iter().collect(),
        gateways: Vec::new(),
        user_timeout: WorldConfig::LINUX_USER_TIMEOUT,
        deadline: Duration::from_secs(3600),
        event_budget: 10_000_000,
        escapes: Escapes::Fail,
    }
}

/// Two hosts whose access links are alike.
pub(crate) fn config(seed: u64, access: Access) -> Recipe {
    let hosts = NAMES.into_iter().enumerate().map(|(i, name)| {
        host(name, &[&format!("10.0.0.{}", i + 1), &format!("2001:db8::{}", i + 1)], access)
    });
    Recipe { seed, ..world_of(hosts) }
}

/// Runs a world on a simulation thread of its own.
pub(crate) fn run<T, F>(recipe: Recipe, main: impl FnOnce(World) -> F + Send) -> Outcome<T>
where
    T: Send,
    F: Future<Output = T>,
{
    let config = recipe.build().unwrap();
    let settings = determinism::Settings { seed: config.seed(), epoch_s: 1_767_225_600 };
    determinism::on_simulation_thread(settings, || World::run(config, main))
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        .unwrap()
}

/// What `main` returned in a world that came to its end.
pub(crate) fn value<T, F>(recipe: Recipe, main: impl FnOnce(World) -> F + Send) -> T
where
    T: Send,
    F: Future<Output = T>,
{
    let outcome = run(recipe, main);
    outcome.value.unwrap_or_else(|| panic!("the world was {}", outcome.end))
}

/// A connection between the hosts, opened by `a`: its end, then `b`'s.
pub(crate) async fn connection(world: &World) -> (TcpStream, TcpStream) {
    try_connection(world).await.unwrap()
}

/// The same over links that may not let it come about.
pub(crate) async fn try_connection(world: &World) -> std::io::Result<(TcpStream, TcpStream)> {
    let [a, b] = NAMES.map(|name| world.host(&name.into()).unwrap());
    let listener = b.listen(address("10.0.0.2:80"))?;
    let (connected, accepted) = tokio::try_join!(a.connect(address("10.0.0.2:80")), listener.accept())?;
    Ok((connected, accepted.0))
}
