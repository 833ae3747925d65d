#![doc = include_str!("../README.md")]

mod assertion;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod terminal;

/// The scenario that `callsim new` writes: alice calls bob.
///
/// ```
/// let plan = callsim::Plan::from_toml("first", callsim::EXAMPLE)?;
/// assert_eq!(plan.peers().len(), 2);
/// # Ok::<(), callsim::format::FormatError>(())
/// ```
pub const EXAMPLE: &str = include_str!("example.toml");

pub use self::assertion::{SEED_VARIABLE, assert_passes};

/// A scenario that was read and checked: who takes part, over which networks, what happens, and what must hold.
///
/// ```
/// let text = callsim::EXAMPLE.replace("dial", "dail");
/// let error = callsim::Plan::from_toml("first", &text).unwrap_err();
/// let line = error.lines().next().unwrap();
/// assert!(line.starts_with("first.toml:19:11: ") && line.contains("did you mean `dial`?"), "{line}");
/// ```
#[doc(inline)]
pub use scenario::plan::Plan;

/// Plans in Rust: what a scenario file says, as types.
///
/// ```
/// use std::time::Duration;
/// use callsim::{Plan, plan::{Action, Command, PeerPlan, Step}};
///
/// let peer = |name: &str, last| PeerPlan { addresses: vec![[10, 0, 0, last].into()], ..PeerPlan::new(name.into()) };
/// let dial = Action::command("alice", Command::Dial { to: "bob".into() });
/// let steps = vec![Step { at: Duration::from_secs(1), action: dial }];
/// let plan = Plan::builder("ours/short").peers(vec![peer("alice", 1), peer("bob", 2)]).steps(steps).build();
/// assert_eq!(plan.unwrap().first_dial().unwrap().0, Duration::from_secs(1));
/// ```
#[doc(inline)]
pub use scenario::plan;

/// How a call came out.
///
/// ```
/// assert_eq!(callsim::Outcome::from_word("no-answer"), Some(callsim::Outcome::NoAnswer));
/// ```
#[doc(inline)]
pub use scenario::plan::Outcome;

/// Scenario files: where they are, and what is wrong with them.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// std::fs::write(folder.join("first.toml"), callsim::EXAMPLE)?;
/// let plans = callsim::format::load_dir(folder)?;
/// assert_eq!(plans[0].name(), "first");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(inline)]
pub use scenario::format;

/// Named networks: callsim's, and those of a project.
///
/// ```
/// let lte = callsim::profile::named("lte")?;
/// println!("{}: {}", lte.name, lte.summary);
/// assert!(callsim::profile::named("lted").unwrap_err().to_string().ends_with("did you mean `lte`?"));
/// # Ok::<(), callsim::profile::UnknownProfile>(())
/// ```
#[doc(inline)]
pub use scenario::profile;

/// The JSON Schema of scenario files, for editors.
///
/// ```
/// let schema = callsim::schema::schema_text(&callsim::profile::Profiles::default());
/// assert!(schema.contains("\"ring-timeout\""));
/// ```
#[doc(inline)]
pub use scenario::schema;

/// Plays a plan with a seed.
///
/// ```
/// # let plan = callsim::Plan::from_toml("first", callsim::EXAMPLE).unwrap();
/// use callsim::Player;
///
/// let [one, other] = [7, 7].map(|seed| Player::new(&plan).seed(seed).play().unwrap());
/// assert_eq!(one.digest, other.digest);
/// ```
#[doc(inline)]
pub use scenario::run::Player;

/// Playing: the player, programs, and how two runs of one seed differ.
///
/// ```
/// # let plan = callsim::Plan::from_toml("first", callsim::EXAMPLE).unwrap();
/// // Fails where a program is not deterministic, with the first thing that differs.
/// callsim::run::Player::new(&plan).seed(7).play_twice().unwrap();
/// ```
#[doc(inline)]
pub use scenario::run;

/// Programs of one's own, by the names that scenarios give them.
///
/// ```
/// use callsim::{Plan, Player, Programs, Task};
///
/// let text = callsim::EXAMPLE.replace("[peers.bob]", "[peers.bob]\nprogram = \"silent\"");
/// let plan = Plan::from_toml("first", &text).unwrap();
/// let programs = Programs::new().with("silent", |place| Task::start(&place, async {}));
/// let record = Player::new(&plan).programs(&programs).seed(1).play().unwrap();
/// assert_eq!(callsim::metrics::outcome(&plan, &record), callsim::Outcome::Cancelled);
/// ```
#[doc(inline)]
pub use scenario::run::Programs;

/// Why a run yields nothing.
///
/// ```
/// use callsim::{Plan, Player};
///
/// let text = callsim::EXAMPLE.replace("[peers.bob]", "[peers.bob]\nprogram = \"silent\"");
/// let plan = Plan::from_toml("first", &text).unwrap();
/// let error = Player::new(&plan).seed(1).play().unwrap_err();
/// assert!(error.to_string().contains("`silent`"), "{error}");
/// ```
#[doc(inline)]
pub use scenario::run::RunError;

/// What a run yielded: the timeline, the digest of every packet, and what became of each peer.
///
/// ```
/// # let plan = callsim::Plan::from_toml("first", callsim::EXAMPLE).unwrap();
/// let record: callsim::RunRecord = callsim::Player::new(&plan).seed(7).play().unwrap();
/// assert_eq!(record.end, callsim::record::WorldEnd::Finished);
/// assert!(record.peers["bob"].candidates.gathered > 0);
/// ```
#[doc(inline)]
pub use scenario::record::RunRecord;

/// What a record is made of.
///
/// ```
/// # let plan = callsim::Plan::from_toml("first", callsim::EXAMPLE).unwrap();
/// # let run = callsim::Player::new(&plan).seed(7).play().unwrap();
/// let bob: &callsim::record::PeerRecord = &run.peers["bob"];
/// assert_eq!(bob.end_reason.unwrap().as_str(), "hung-up");
/// ```
#[doc(inline)]
pub use scenario::record;

/// What does not hold of a run: everything that the plan expects, and what must hold in every run.
///
/// ```
/// # let plan = callsim::Plan::from_toml("first", callsim::EXAMPLE).unwrap();
/// let record = callsim::Player::new(&plan).seed(7).play().unwrap();
/// assert_eq!(callsim::check(&plan, &record), []);
/// ```
#[doc(inline)]
pub use scenario::checks::check;

/// One thing that does not hold, and when it shows.
///
/// ```
/// let text = callsim::EXAMPLE.replace("outcome = \"connected\"", "outcome = \"busy\"");
/// let plan = callsim::Plan::from_toml("first", &text).unwrap();
/// let record = callsim::Player::new(&plan).seed(7).play().unwrap();
/// let failure: &callsim::Failure = &callsim::check(&plan, &record)[0];
/// assert_eq!((failure.check, failure.seed), ("outcome", Some(7)));
/// println!("at {}: {}", failure.at, failure.message);
/// ```
#[doc(inline)]
pub use scenario::checks::Failure;

/// Why a run failed: the one cause, what to do about it, and what only followed from it.
///
/// ```
/// let text = callsim::EXAMPLE.replace("outcome = \"connected\"", "outcome = \"busy\"");
/// let plan = callsim::Plan::from_toml("first", &text).unwrap();
/// let record = callsim::Player::new(&plan).seed(7).play().unwrap();
/// let cause = callsim::cause::cause(&plan, &record, &callsim::check(&plan, &record)).unwrap();
/// println!("{} [{}]", cause.sentence, cause.code);
/// ```
#[doc(inline)]
pub use scenario::cause;

/// The checks, and the rates over all runs of a plan.
///
/// ```
/// use callsim::{Outcome, Plan, checks::{RateVerdict, rates}};
///
/// let text = format!("{}\n[expect.rates]\nconnected = {{ at-least = \"90%\" }}\n", callsim::EXAMPLE);
/// let plan = Plan::from_toml("first", &text).unwrap();
/// let outcomes = [(Outcome::Connected, 17), (Outcome::ConnectTimeout, 3)].into();
/// assert!(matches!(rates(&plan, &outcomes, 20), RateVerdict::Judged(failures) if failures.len() == 1));
/// ```
#[doc(inline)]
pub use scenario::checks;

/// What is measured of a run.
///
/// ```
/// # let plan = callsim::Plan::from_toml("first", callsim::EXAMPLE).unwrap();
/// let record = callsim::Player::new(&plan).seed(7).play().unwrap();
/// let setup = callsim::metrics::setup(&plan, &record).unwrap();
/// assert!((500..1500).contains(&setup.as_millis()), "{setup:?}");
/// ```
#[doc(inline)]
pub use scenario::metrics;

/// Many plans with many seeds, on many threads.
///
/// ```
/// # let plan = callsim::Plan::from_toml("first", callsim::EXAMPLE).unwrap();
/// use std::num::NonZeroUsize;
/// use callsim::{Player, suite::{Cancel, Keep, Options, Seeds, run}};
///
/// let options = Options { seeds: Seeds::Count(2), jobs: NonZeroUsize::MIN, keep: Keep::Nothing };
/// let play = |plan: &_, seed| Player::new(plan).seed(seed).play();
/// let result = run(&[plan], &options, &Cancel::new(), play, |progress| println!("{progress:?}"));
/// assert_eq!(result.played(), 2);
/// ```
#[doc(inline)]
pub use scenario::suite;

/// What a suite came to, as `callsim run --format json` prints it.
///
/// ```
/// # let plans = [callsim::Plan::from_toml("first", callsim::EXAMPLE).unwrap()];
/// # use callsim::suite::{Cancel, Keep, Options, Seeds, run};
/// # let options = Options { seeds: Seeds::One(1), jobs: std::num::NonZeroUsize::MIN, keep: Keep::Nothing };
/// # let play = |plan: &_, seed| callsim::Player::new(plan).seed(seed).play();
/// # let result = run(&plans, &options, &Cancel::new(), play, |_| {});
/// let repeat = |plan: &callsim::Plan, _| format!("our-tool play {}", plan.name());
/// let report = callsim::report::Report::new(&plans, &result, std::time::Duration::ZERO, &repeat);
/// assert!(report.passed && report.to_json().unwrap().contains("\"schema\": 1"));
/// ```
#[doc(inline)]
pub use scenario::report;

/// Exact figures of scenarios: what `callsim run` compares with, where a project keeps them.
///
/// ```
/// let text = r#"{"schema": 1, "scenarios": {"first": {"seeds": 20, "outcomes": {"connected": 20}}}}"#;
/// let pins = callsim::pins::Pins::from_json("pins.json", text).unwrap();
/// assert_eq!(pins.0["first"].seeds, 20);
/// ```
#[doc(inline)]
pub use scenario::pins;

/// The words of a run: states, events, packets, and the transcript.
///
/// ```
/// # let plan = callsim::Plan::from_toml("first", callsim::EXAMPLE).unwrap();
/// let record = callsim::Player::new(&plan).seed(7).play().unwrap();
/// assert!(callsim::timeline::transcript(&record.timeline).contains("call: idle → dialling (dial)"));
/// ```
#[doc(inline)]
pub use scenario::timeline;

/// What a peer's host runs instead of callsim's engine.
///
/// ```
/// use callsim::{BoxFuture, Command, Plan, Player, Program, Unsupported};
///
/// struct Deaf;
///
/// impl Program for Deaf {
///     fn act(&mut self, command: &Command) -> Result<(), Unsupported> {
///         Err(Unsupported::by("a deaf app", command))
///     }
///
///     fn stop(&mut self) -> BoxFuture<'_, ()> {
///         Box::pin(std::future::ready(()))
///     }
/// }
/// # let plan = Plan::from_toml("first", callsim::EXAMPLE).unwrap();
/// let record = Player::new(&plan).program("alice", |_| Deaf).seed(1).play().unwrap();
/// assert_eq!(record.not_understood[0].what, "a deaf app cannot: dials bob");
/// ```
#[doc(inline)]
pub use stage::Program;

/// What a step of a scenario asks of a program.
///
/// ```
/// use callsim::Command;
///
/// let step = Command::Do("press the red button".to_owned());
/// assert_eq!(step.to_string(), "does: press the red button");
/// ```
#[doc(inline)]
pub use stage::Command;

/// A program does not know a command; the run fails at this step.
///
/// ```
/// use callsim::{Command, Unsupported};
///
/// assert_eq!(Unsupported::by("our app", &Command::Hold).to_string(), "our app cannot: holds");
/// assert_eq!(Unsupported::because("nobody is there").to_string(), "nobody is there");
/// ```
#[doc(inline)]
pub use stage::Unsupported;

/// What the methods of a program return.
///
/// ```
/// let nothing: callsim::BoxFuture<'_, ()> = Box::pin(std::future::ready(()));
/// # drop(nothing);
/// ```
#[doc(inline)]
pub use stage::BoxFuture;

/// A program that only runs, such as a server.
///
/// ```
/// use callsim::{Plan, Player, Task};
///
/// # let plan = Plan::from_toml("first", callsim::EXAMPLE).unwrap();
/// let player = Player::new(&plan).program("alice", |place| {
///     let at_alice = place.clone();
///     Task::start(&place, async move { at_alice.reporter().note("is up") })
/// });
/// let record = player.seed(1).play().unwrap();
/// assert!(callsim::timeline::transcript(&record.timeline).contains("is up"));
/// ```
#[doc(inline)]
pub use stage::Task;

/// A host of a world, for the program that runs on it: its name, addresses, servers, sockets and tasks.
///
/// ```
/// use callsim::{Place, Plan, Player, Task};
///
/// /// Opens a socket, as an application would.
/// async fn app(place: Place) {
///     let socket = place.bind_udp(place.socket_addresses(5004)[0]).unwrap();
///     place.reporter().note(format!("is at {}", socket.local_addr().unwrap()));
/// }
///
/// # let plan = Plan::from_toml("first", callsim::EXAMPLE).unwrap();
/// let player = Player::new(&plan).program("alice", |place| Task::start(&place, app(place.clone())));
/// let record = player.seed(1).play().unwrap();
/// assert!(callsim::timeline::transcript(&record.timeline).contains("is at 10.0.0.1:5004"));
/// ```
#[doc(inline)]
pub use stage::Place;

/// Writes down what a program does, for the transcript and the checks.
///
/// ```
/// use callsim::{Plan, Player, Reporter, Task, timeline::Event};
///
/// fn starts(reporter: &Reporter) {
///     reporter.note("starts");
///     reporter.report(Event::Problem { what: "has no camera".into() });
/// }
///
/// # let plan = Plan::from_toml("first", callsim::EXAMPLE).unwrap();
/// let player = Player::new(&plan).program("bob", |place| {
///     starts(place.reporter());
///     Task::start(&place, async {})
/// });
/// let record = player.seed(1).play().unwrap();
/// assert!(callsim::timeline::transcript(&record.timeline).contains("has no camera"));
/// ```
#[doc(inline)]
pub use stage::Reporter;

/// A handler of any `webrtc` peer connection that reports its states, candidates, tracks and channels, and hands
/// everything on to the program's own.
///
/// ```
/// use std::sync::Arc;
/// use callsim::{Observed, Plan, Player, Task};
/// use webrtc::peer_connection::PeerConnectionEventHandler;
///
/// struct App;
/// impl PeerConnectionEventHandler for App {}
///
/// # let plan = Plan::from_toml("first", callsim::EXAMPLE).unwrap();
/// let player = Player::new(&plan).program("alice", |place| {
///     // For `PeerConnectionBuilder::with_handler`, which calls it:
///     let handler: Arc<Observed> = place.observed(Arc::new(App));
///     Task::start(&place, async move { handler.on_negotiation_needed().await })
/// });
/// let record = player.seed(1).play().unwrap();
/// assert!(callsim::timeline::transcript(&record.timeline).contains("negotiationneeded"));
/// ```
#[doc(inline)]
pub use stage::Observed;

/// Sockets with tokio's API, on the host of the program that uses them.
///
/// ```
/// use callsim::{Plan, Player, Task, net};
///
/// # let plan = Plan::from_toml("first", callsim::EXAMPLE).unwrap();
/// let server = |place: callsim::Place| Task::start(&place, async {
///     let listener = net::TcpListener::bind("0.0.0.0:80").await.unwrap();
///     listener.accept().await.unwrap();
/// });
/// let client = |place: callsim::Place| Task::start(&place.clone(), async move {
///     net::TcpStream::connect("bob.test:80").await.unwrap();
///     place.reporter().note("reached bob");
/// });
/// let record = Player::new(&plan).program("bob", server).program("alice", client).seed(1).play().unwrap();
/// assert!(callsim::timeline::transcript(&record.timeline).contains("reached bob"));
/// ```
#[doc(inline)]
pub use stage::net;

/// What runs on hosts, for worlds that are made without scenario files: servers, places, and the thread of a world.
///
/// ```
/// use std::time::Duration;
/// use callsim::{WorldConfig, profile, stage};
///
/// let phone = profile::named("lte").unwrap().host("phone");
/// let outcome = stage::run(phone.add_to(WorldConfig::builder(7)).build().unwrap(), |world| async move {
///     world.sleep(Duration::from_secs(30)).await;
/// });
/// assert_eq!(outcome.unwrap().elapsed.as_millis(), 30_000);
/// ```
#[doc(inline)]
pub use stage;

/// A running world: its clock and its network.
///
/// ```
/// # use callsim::{World, WorldConfig, profile, stage};
/// # let config = profile::named("wifi").unwrap().host("laptop").add_to(WorldConfig::builder(7)).build().unwrap();
/// use std::time::Duration;
/// use callsim::netsim::LinkState;
///
/// async fn unplugged(world: World) -> u64 {
///     world.sleep(Duration::from_secs(2)).await;
///     world.set_link_state(&"laptop".into(), LinkState::Down).unwrap();
///     world.now().as_millis()
/// }
///
/// assert_eq!(stage::run(config, unplugged).unwrap().value, Some(2000));
/// ```
#[doc(inline)]
pub use netsim::World;

/// What a world is made of: hosts, links, NATs, deadlines.
///
/// ```
/// use callsim::{WorldConfig, profile::named};
///
/// let phone = named("lte").unwrap().host("phone");
/// let twice = phone.clone().add_to(phone.add_to(WorldConfig::builder(1)));
/// assert!(twice.build().unwrap_err().to_string().contains("phone"));
/// ```
#[doc(inline)]
pub use netsim::WorldConfig;

/// The simulated network, for links, NATs and faults that scenario files cannot describe.
///
/// ```
/// use std::time::Duration;
/// use callsim::netsim::{Access, HostSpec, LinkModel, ProcessingDelay};
///
/// let link = LinkModel::with_delay(Duration::from_millis(20));
/// let host = HostSpec {
///     name: "kiosk".into(),
///     addresses: vec![[198, 51, 100, 7].into()],
///     access: Access::symmetric(link),
///     processing: ProcessingDelay::LAPTOP,
/// };
/// assert!(callsim::WorldConfig::builder(1).host(host).build().is_ok());
/// ```
#[doc(inline)]
pub use netsim;
