//! `callsim serve`

mod greeting;
mod secret;

use std::{
    fs::{File, OpenOptions},
    io::Write as _,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use signaller::{
    access::{Grant, Secret},
    http::{self, Clock, HttpLimits, HttpSettings, ListenerExt as _},
    message::CallId,
    relay::{Limits, RelayEvent, RelayLog, RelaySettings, SharedRelay},
};
use tokio::{net::TcpListener, sync::watch};

use self::secret::{Found, Source};
use crate::{exit::Code, output};

const EXAMPLES: &str = "\
Examples:
  callsim serve                                             on 127.0.0.1:8080, with a secret made up for this run
  callsim serve --listen 127.0.0.1:0 --format json          on a free port, told to a machine
  callsim serve --log relay.jsonl                           keeps what `callsim replay` reads
  CALLSIM_SECRET=… callsim serve --issue-token demo alice   a token for a server with that secret

It ends with Ctrl-C: polls are answered and WebSockets closed before it goes. A second Ctrl-C ends it at once.

Exit codes:
  0    ended by Ctrl-C, or the token was printed
  1    it cannot listen there, or failed
  2    usage, or a secret that is missing or too short
  130  ended by a second Ctrl-C";

/// The options of the command.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Take the secret of the tokens from this file [default: the variable CALLSIM_SECRET, else a new one]
    #[arg(long, value_name = "FILE", conflicts_with = "open")]
    secret_file: Option<PathBuf>,
    /// Admit everybody under any name, without tokens
    #[arg(long)]
    open: bool,
    /// Print a token for this participant of this call, and serve nothing
    #[arg(long, num_args = 2, value_names = ["CALL", "PARTICIPANT"], conflicts_with = "open")]
    issue_token: Option<Vec<String>>,
    /// How long printed tokens are valid
    #[arg(long, value_name = "TIME", default_value = "12h", value_parser = parse_duration)]
    token_lifetime: Duration,
    /// The form in which it says where it listens
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Append what passes to this file, one JSON object a line, for `callsim replay`. Descriptions and candidates
    /// are in it, with addresses and credentials: keep it as secret as those
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Say who comes, who goes and what is refused, on standard error
    #[arg(long)]
    verbose: bool,
    #[command(flatten)]
    limits: LimitArguments,
}

/// What it keeps at most. Beyond, it answers as the documentation of `signaller::relay::Limits` says.
#[derive(Args)]
#[command(next_help_heading = "Limits")]
struct LimitArguments {
    /// Longest message, in bytes of JSON
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().message_bytes)]
    message_bytes: usize,
    /// Messages that wait for one participant
    #[arg(long, value_name = "N", default_value_t = Limits::default().queue)]
    queue: usize,
    /// Participants that are remembered
    #[arg(long, value_name = "N", default_value_t = Limits::default().participants)]
    participants: usize,
    /// Calls that are remembered
    #[arg(long, value_name = "N", default_value_t = Limits::default().calls)]
    calls: usize,
    /// Connections that are open at once
    #[arg(long, value_name = "N", default_value_t = HttpLimits::default().connections)]
    connections: usize,
    /// How long a participant may be away before it is forgotten with its mail
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = parse_duration)]
    idle: Duration,
    /// How long a WebSocket may be silent before it is closed
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = parse_duration)]
    silence: Duration,
    /// How long a poll may ask to wait
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = parse_duration)]
    longest_poll_wait: Duration,
}

/// The form in which it says where it listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Addresses, and commands to try it with
    Human,
    /// One object on one line
    Json,
}

/// Serves until Ctrl-C.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Code> {
    let found = match find_secret(arguments) {
        Ok(found) => found,
        Err(complaint) => {
            output::complain(&format!("error: {complaint}"));
            return Ok(Code::BadInput);
        }
    };
    if let (Some([call, participant]), Some(found)) = (arguments.issue_token.as_deref(), &found) {
        let token = issue(&found.secret, call, participant, arguments.token_lifetime);
        output::print(&format!("{token}\n"))?;
        return Ok(Code::Good);
    }
    // Calls are small: the work is in waiting, not in computing.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start")?;
    runtime.block_on(serve(arguments, found))?;
    Ok(Code::Good)
}

/// `None`: everybody is admitted.
fn find_secret(arguments: &Arguments) -> Result<Option<Found>, secret::SecretProblem> {
    if arguments.open {
        return Ok(None);
    }
    let found = secret::find(arguments.secret_file.as_deref())?;
    if arguments.issue_token.is_some() && found.source == Source::MadeUp {
        return Err(secret::SecretProblem::Missing);
    }
    Ok(Some(found))
}

async fn serve(arguments: &Arguments, found: Option<Found>) -> anyhow::Result<()> {
    let listener = TcpListener::bind(arguments.listen).await.with_context(|| {
        format!("cannot listen on {}; `--listen 127.0.0.1:0` takes a free port", arguments.listen)
    })?;
    let address = listener.local_addr().context("the listener has no address")?;
    let mut ctrl_c = stop_on_ctrl_c()?;
    let log = match &arguments.log {
        None => None,
        Some(path) => {
            let opened = OpenOptions::new().create(true).append(true).open(path);
            let file = opened.with_context(|| format!("cannot write {}", path.display()))?;
            Some(Mutex::new((RelayLog::default(), file)))
        }
    };
    let relay = SharedRelay::new(relay_settings(arguments, found.as_ref()), observer(arguments.verbose, log));
    output::print(&greeting::greeting(arguments, address, found.as_ref())?)?;
    warn(address, found.is_none());
    // Small frames must not wait for each other's acknowledgements (RFC 896, RFC 1122 §4.2.3.2).
    let listener = listener.tap_io(|stream| {
        // A connection that is gone already needs no setting.
        let _ = stream.set_nodelay(true);
    });
    let until = async move {
        // Its sender lives as long as the process.
        let _ = ctrl_c.wait_for(|stop| *stop).await;
    };
    http::serve(listener, relay, http_settings(arguments), until).await;
    output::complain("ended");
    Ok(())
}

fn relay_settings(arguments: &Arguments, found: Option<&Found>) -> RelaySettings {
    let LimitArguments { message_bytes, queue, participants, calls, idle, .. } = arguments.limits;
    let limits = Limits { message_bytes, queue, participants, calls, idle, ..Limits::default() };
    let secret = found.map(|found| found.secret.clone());
    // Places of an earlier run mean nothing in this one.
    RelaySettings { limits, secret, epoch: now().as_secs(), ..RelaySettings::default() }
}

fn http_settings(arguments: &Arguments) -> HttpSettings {
    let LimitArguments { connections, silence, longest_poll_wait, .. } = arguments.limits;
    let limits = HttpLimits { connections, silence, longest_poll_wait, ..HttpLimits::default() };
    HttpSettings { clock: Clock::new(now), limits }
}

fn observer(verbose: bool, log: Option<Mutex<(RelayLog, File)>>) -> signaller::relay::Observer {
    Arc::new(move |event| {
        if let Some(log) = &log {
            write_log(&mut log.lock().unwrap_or_else(PoisonError::into_inner), &event);
        }
        if let Some(line) = said(&event).filter(|_| verbose) {
            output::complain(&line);
        }
    })
}

/// A log that cannot be written any more, because the disk is full, does not end the calls.
fn write_log((log, file): &mut (RelayLog, File), event: &RelayEvent) {
    let ts = u64::try_from(now().as_millis()).unwrap_or(u64::MAX);
    let lines: String = log.lines(ts, event).into_iter().map(|line| line + "\n").collect();
    if let Err(error) = file.write_all(lines.as_bytes()) {
        output::complain(&format!("cannot write the log: {error}"));
    }
}

fn said(event: &RelayEvent) -> Option<String> {
    match event {
        RelayEvent::Joined { participant, waiting, .. } => {
            Some(format!("{participant} joined, {waiting} messages wait for it"))
        }
        RelayEvent::Left { participant } => Some(format!("{participant} left")),
        RelayEvent::Forgotten { participant, waiting } => {
            Some(format!("{participant} is forgotten, with {waiting} messages"))
        }
        RelayEvent::Rejected { participant, code, reason } => {
            let who = participant.as_ref().map_or("somebody", |who| who.as_str());
            Some(format!("refused something of {who}: {code}: {reason}"))
        }
        _ => None,
    }
}

/// What somebody who reaches it from outside should know.
fn warn(address: SocketAddr, is_open: bool) {
    if address.ip().is_loopback() {
        return;
    }
    output::complain("note: no TLS here; outside of a network of your own put a proxy with TLS before it");
    if is_open {
        output::complain("note: --open lets everybody who reaches it read and join every call");
    }
}

fn issue(secret: &Secret, call: &str, participant: &str, lifetime: Duration) -> String {
    let expires_s = (now() + lifetime).as_secs();
    let grant = Grant { call: CallId::new(call), participant: participant.into(), expires_s };
    secret.issue(&grant).as_str().to_owned()
}

/// The first Ctrl-C ends it in good order, the second at once.
fn stop_on_ctrl_c() -> anyhow::Result<watch::Receiver<bool>> {
    let (stop, stopping) = watch::channel(false);
    let handler = move || {
        if stop.send_replace(true) {
            std::process::exit(i32::from(Code::Interrupted as u8));
        }
    };
    ctrlc::set_handler(handler).context("cannot listen for Ctrl-C")?;
    Ok(stopping)
}

/// Why a duration of the command line cannot be used.
#[derive(Debug, thiserror::Error)]
enum DurationError {
    #[error("shorter than 1ms")]
    Short,
    #[error("longer than a year")]
    Long,
    #[error("{0}; accepted: `250ms`, `30s`, `10m`, `12h`")]
    Unreadable(humantime::DurationError),
}

fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    match humantime::parse_duration(text).map_err(DurationError::Unreadable)? {
        duration if duration < Duration::from_millis(1) => Err(DurationError::Short),
        duration if duration > Duration::from_secs(365 * 24 * 60 * 60) => Err(DurationError::Long),
        duration => Ok(duration),
    }
}

#[allow(clippy::disallowed_methods, reason = "a server on real sockets lives in real time")]
fn now() -> Duration {
    // A clock before 1970 is taken for 1970: tokens are then valid for longer than their time.
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
