//! Escapes: what code on a simulation thread asks of the machine although the simulation does not know of it.
//!
//! A real socket, a thread, the system's resolver or a real sleep makes a run depend on more than its seed,
//! or reaches a network that it must not reach. The hooks notice such a call when it is made. By default it
//! is refused with an `errno` and recorded; the simulation looks at [`take_escapes`] and says
//! so. A hook itself neither panics nor ends anything.

mod frame;

use std::{
    backtrace::Backtrace,
    cell::{Cell, RefCell},
    fmt,
    net::SocketAddr,
    time::Duration,
};

use crate::thread;

/// What happens to a call that escapes from a simulation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Escapes {
    /// It is refused (`EPERM`; a sleep returns at once) and recorded.
    #[default]
    Fail,
    /// It is let through and recorded.
    Note,
    /// It is let through.
    Allow,
}

timeline::words! {
    /// What becomes of a run in which a program called the machine past the simulated world: a real socket, a thread, the
    /// system's resolver, a real sleep. Such a run cannot be repeated.
    impl Escapes {
        /// The call is refused, and the run fails.
        Fail = "fail",
        /// The call passes, and the report mentions it.
        Note = "note",
        /// The call passes.
        Allow = "allow",
    }
}

/// One call that escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escape {
    /// The function of the C library: `connect`.
    pub call: &'static str,
    /// What it was about.
    pub what: EscapeKind,
    /// When, in virtual time.
    pub at: Duration,
    /// Who called: the innermost function outside of the standard library, `tokio` and `webrtc`, with file
    /// and line where the program has them. Where `webrtc` or `tokio` did so by itself, its own function.
    /// `None` in a program without symbols.
    pub frame: Option<String>,
}

/// What an escape was about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EscapeKind {
    /// The machine's network, through a socket.
    Socket {
        /// The address that was given, otherwise the socket's own in the simulation.
        address: Option<SocketAddr>,
    },
    /// A thread that the simulation does not wait for.
    Thread,
    /// The machine's name resolution.
    Resolver {
        /// What was looked up.
        name: Option<String>,
    },
    /// Real time that would pass while virtual time does not.
    Sleep {
        /// How long.
        length: Duration,
    },
    /// A timer of the machine.
    Timer,
    /// The machine's network interfaces: no host's task was being polled ([`crate::on_host`]).
    Interfaces,
}

impl fmt::Display for Escape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call, what, at, frame } = self;
        write!(f, "`{call}` {what} at {at:?}")?;
        frame.iter().try_for_each(|frame| write!(f, ", called in {frame}"))
    }
}

impl fmt::Display for EscapeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket { address: Some(address) } => write!(f, "on a socket of the machine ({address})"),
            Self::Socket { address: None } => f.write_str("on a socket of the machine"),
            Self::Thread => f.write_str("starts a thread outside of the simulation"),
            Self::Resolver { name: Some(name) } => write!(f, "asks the machine's resolver for {name:?}"),
            Self::Resolver { name: None } => f.write_str("asks the machine's resolver"),
            Self::Sleep { length } => write!(f, "blocks the simulation for {length:?} of real time"),
            Self::Timer => f.write_str("sets a timer of the machine"),
            Self::Interfaces => f.write_str("lists the machine's interfaces outside of any host's task"),
        }
    }
}

/// So many escapes through one function are recorded in a simulation; later ones are treated alike.
const RECORDED_PER_CALL: usize = 8;

thread_local! {
    static POLICY: Cell<Escapes> = const { Cell::new(Escapes::Fail) };
    /// The thread does for the simulation what is none of its programs' doing.
    static EXEMPT: Cell<bool> = const { Cell::new(false) };
    static PENDING: Cell<bool> = const { Cell::new(false) };
    static LOG: RefCell<Log> = const { RefCell::new(Log { records: Vec::new(), taken: 0 }) };
}

struct Log {
    records: Vec<Record>,
    /// How many of them were taken.
    taken: usize,
}

/// An escape whose frames have no names yet: to find them takes long, and more of the machine than a hook may
/// use.
struct Record {
    call: &'static str,
    what: EscapeKind,
    at: Duration,
    backtrace: Backtrace,
}

/// Sets what happens, from now on, to calls that escape from the simulation of this thread.
///
/// Without effect on ordinary threads. A simulation begins with [`Escapes::Fail`].
pub fn set_escapes(escapes: Escapes) {
    if thread::is_active() {
        POLICY.set(escapes);
    }
}

/// Whether [`take_escapes`] has something to return. It costs one look at a thread-local.
pub fn has_escaped() -> bool {
    PENDING.try_with(Cell::get).unwrap_or(false)
}

/// The escapes of this thread's simulation since the last call, in order: of all calls to one function the
/// first eight of the simulation.
///
/// Finding the names of frames may take a good part of a second of real time, once.
pub fn take_escapes() -> Vec<Escape> {
    if !has_escaped() {
        return Vec::new();
    }
    PENDING.set(false);
    let taken = LOG.try_with(|log| log.try_borrow_mut().map(|mut log| log.take()));
    taken.ok().and_then(Result::ok).unwrap_or_default()
}

/// Runs `f`, whose calls to the machine are not escapes: for what runs the simulation rather than in it, such
/// as a thread that wakes it in real time. Clocks and randomness stay simulated.
pub fn exempt<R>(f: impl FnOnce() -> R) -> R {
    let _exempt = Exempt::begin();
    f()
}

/// The thread is exempt for as long as this lives.
struct Exempt {
    before: bool,
}

impl Exempt {
    fn begin() -> Self {
        Self { before: EXEMPT.replace(true) }
    }
}

impl Drop for Exempt {
    fn drop(&mut self) {
        EXEMPT.set(self.before);
    }
}

/// A simulation begins on this thread.
pub(crate) fn reset() {
    POLICY.set(Escapes::Fail);
    EXEMPT.set(false);
    PENDING.set(false);
    LOG.set(Log { records: Vec::new(), taken: 0 });
}

/// What a hook is to do with a call that escapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Refuse,
    Pass,
}

/// The simulation thread, which is the caller, calls `call`. Does not panic, at the end of a thread neither.
pub(crate) fn seen(call: &'static str, what: EscapeKind) -> Verdict {
    let policy = POLICY.try_with(Cell::get).unwrap_or(Escapes::Allow);
    if policy == Escapes::Allow || EXEMPT.try_with(Cell::get).unwrap_or(true) {
        return Verdict::Pass;
    }
    // Nothing that recording calls is an escape.
    let recording = Exempt::begin();
    let recorded = LOG.try_with(|log| {
        if let Ok(mut log) = log.try_borrow_mut() {
            log.record(call, what);
        }
    });
    drop(recording);
    match (recorded, policy) {
        (Ok(()), Escapes::Fail) => Verdict::Refuse,
        _ => Verdict::Pass,
    }
}

impl Log {
    fn record(&mut self, call: &'static str, what: EscapeKind) {
        if self.records.iter().filter(|record| record.call == call).count() >= RECORDED_PER_CALL {
            return;
        }
        let (at, backtrace) = (thread::virtual_now(), Backtrace::force_capture());
        self.records.push(Record { call, what, at, backtrace });
        PENDING.set(true);
    }

    fn take(&mut self) -> Vec<Escape> {
        let new = self.records.get(self.taken..).unwrap_or_default();
        self.taken = self.records.len();
        new.iter().map(Record::to_escape).collect()
    }
}

impl Record {
    fn to_escape(&self) -> Escape {
        let frame = frame::responsible(&self.backtrace.to_string(), self.call);
        Escape { call: self.call, what: self.what.clone(), at: self.at, frame }
    }
}
