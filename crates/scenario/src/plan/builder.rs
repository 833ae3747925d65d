//! The one way to a [`Plan`], which checks all that a plan promises.

use std::{path::PathBuf, time::Duration};

use call_engine::Guards;

use super::{
    Escapes, Expect, Gateway, GuardPlan, IceServerPlan, PeerPlan, Plan, Problem, SignallerPlan, Step, check,
};

/// A plan that is not checked yet. What is not set is as in a file that says nothing of it.
///
/// ```
/// use std::time::Duration;
///
/// use scenario::plan::{Action, Command, PeerPlan, Plan, Step};
///
/// let peer = |name: &str, last| {
///     let addresses = vec![[10, 0, 0, last].into()];
///     PeerPlan { addresses, ..PeerPlan::new(name.into()) }
/// };
/// let builder = Plan::builder("mine/short-call").peers(vec![peer("alice", 1), peer("bob", 2)]);
/// let problems = builder.clone().build().unwrap_err();
/// assert_eq!(problems[0].to_string(), "no step dials: without a call there is nothing to see");
///
/// let dial = Action::command("alice", Command::Dial { to: "bob".into() });
/// let plan = builder.steps(vec![Step { at: Duration::from_secs(1), action: dial }]).build().unwrap();
/// assert_eq!(plan.peers().len(), 2);
/// ```
#[derive(Clone, Debug)]
pub struct PlanBuilder(Plan);

impl Plan {
    /// A plan of this name without peers and steps, to be filled.
    pub fn builder(name: impl Into<String>) -> PlanBuilder {
        PlanBuilder(Self {
            name: name.into(),
            file: None,
            summary: String::new(),
            deadline: Self::DEFAULT_DEADLINE,
            event_budget: Self::DEFAULT_EVENT_BUDGET,
            seeds: Self::DEFAULT_SEEDS,
            escapes: Escapes::Fail,
            stagger: Self::DEFAULT_STAGGER,
            peers: Vec::new(),
            signaller: SignallerPlan::default(),
            gateways: Vec::new(),
            ice_servers: Vec::new(),
            guards: Guards::ALL_ON,
            guard: None,
            steps: Vec::new(),
            expect: Expect::default(),
        })
    }

    /// The same plan, to be changed and checked again.
    pub fn edit(&self) -> PlanBuilder {
        PlanBuilder(self.clone())
    }
}

/// A method that sets a field.
macro_rules! setters {
    ($( $(#[doc = $doc:literal])+ $field:ident: $type:ty, )+) => {
        impl PlanBuilder {
            $(
                $(#[doc = $doc])+
                #[must_use]
                pub fn $field(mut self, $field: $type) -> Self {
                    self.0.$field = $field;
                    self
                }
            )+
        }
    };
}

setters! {
    /// The file that it was read from.
    file: Option<PathBuf>,
    /// One sentence for people: who, on which network, what happens.
    summary: String,
    /// The virtual time at which the world is stopped.
    deadline: Duration,
    /// How many events the world may release before it is stopped.
    event_budget: u64,
    /// How many seeds are played if nobody asks for another number.
    seeds: u32,
    /// What becomes of a run in which something looked past the simulated world.
    escapes: Escapes,
    /// How long each peer's program takes at most to handle a signalling message.
    stagger: Duration,
    /// The peers, at least two.
    peers: Vec<PeerPlan>,
    /// The signalling server.
    signaller: SignallerPlan,
    /// NATs and firewalls.
    gateways: Vec<Gateway>,
    /// STUN and TURN servers.
    ice_servers: Vec<IceServerPlan>,
    /// The guards of all engines.
    guards: Guards,
    /// The guard that the scenario is about.
    guard: Option<GuardPlan>,
    /// What happens when, in time order.
    steps: Vec<Step>,
    /// What must hold.
    expect: Expect,
}

impl PlanBuilder {
    /// The checked plan.
    ///
    /// # Errors
    /// Everything that is wrong with it, see [`Plan`].
    pub fn build(self) -> Result<Plan, Vec<Problem>> {
        let problems = check::problems(&self.0);
        if problems.is_empty() { Ok(self.0) } else { Err(problems) }
    }
}
