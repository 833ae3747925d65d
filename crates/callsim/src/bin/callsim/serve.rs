//! `callsim serve`

mod descriptors;
#[cfg_attr(not(feature = "store"), path = "serve/no_store.rs")]
mod durable;
mod greeting;
mod limits;
mod lines;
mod observer;
mod secret;
mod token;

use std::{
    fs::{File, OpenOptions},
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use signaller::{
    http::{self, Clock, HttpSettings, ListenerExt as _, Origin, PageCheck, Pages},
    relay::RelaySettings,
};
use timeline::escaped;
use tokio::{net::TcpListener, sync::watch};

use self::{
    lines::{Lines, Trouble},
    secret::{Found, Source},
};
use crate::{exit::Code, output};

/// How long a terminal, or whoever reads standard error, has for the last lines.
const LAST_LINES: Duration = Duration::from_millis(500);

/// Likewise a disk for those of the log.
const LAST_LOG_LINES: Duration = Duration::from_secs(5);

const EXAMPLES: &str = "\
Examples:
  callsim serve                                             on 127.0.0.1:8080, with a secret made up for this run
  callsim serve --listen 127.0.0.1:0 --format json          on a free port, told to a machine
  callsim serve --log relay.jsonl                           keeps what `callsim replay` reads
  callsim serve --store calls.redb                          loses nothing that it has confirmed, even if it is killed
  callsim serve --open --allow-origin https://app.example   without tokens, and for the pages of that site
  CALLSIM_SECRET=… callsim serve --issue-token demo alice   a token for a server with that secret

It ends with Ctrl-C: polls are answered and WebSockets closed before it goes. A second Ctrl-C ends it at once.

Exit codes:
  0    ended by Ctrl-C, or the token was printed
  1    it cannot listen there, or failed
  2    usage, or a secret, a token or a store that cannot be used
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
    /// Admit everybody under any name, without tokens: for tests, and networks without strangers. Web pages are
    /// admitted only from this machine, and under its own names or addresses
    #[arg(long)]
    open: bool,
    /// Let web pages of this origin use the server as well: `https://app.example`. May be repeated
    #[arg(long, value_name = "ORIGIN")]
    allow_origin: Vec<Origin>,
    /// Keep what was confirmed in this file, so that nothing of it is lost if the server is killed; without it that
    /// is in memory, and lost with the process
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
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
    /// are in it, with addresses and credentials: it is created readable by its owner alone
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Say who comes, who goes and what is refused, on standard error. Lines that nobody reads in time are dropped, and
    /// counted
    #[arg(long)]
    verbose: bool,
    #[command(flatten)]
    limits: limits::LimitArguments,
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
        return match token::issue(&found.secret, call, participant, arguments.token_lifetime) {
            Ok(token) => {
                output::print(&format!("{token}\n"))?;
                Ok(Code::Good)
            }
            Err(problem) => Err(output::BadInput(problem.to_string()).into()),
        };
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
    let terminal = Lines::start(std::io::stderr(), |trouble| match trouble {
        Trouble::Dropped(count) => {
            Some(format!("{count} lines were dropped here: they came faster than they were read"))
        }
        // Nobody reads it any more.
        Trouble::Failing(_) => None,
    });
    let served = serve_with(arguments, found, &terminal).await;
    terminal.end(LAST_LINES);
    served
}

async fn serve_with(arguments: &Arguments, found: Option<Found>, terminal: &Lines) -> anyhow::Result<()> {
    let listener = TcpListener::bind(arguments.listen).await.with_context(|| {
        format!("cannot listen on {}; `--listen 127.0.0.1:0` takes a free port", arguments.listen)
    })?;
    let address = listener.local_addr().context("the listener has no address")?;
    let mut settings = http_settings(arguments, address);
    if let Err(too_few) = descriptors::raise(settings.limits.connections) {
        settings.limits.connections = too_few.connections;
        terminal.push(format!("note: {too_few}"));
    }
    let mut ctrl_c = stop_on_ctrl_c()?;
    let log = arguments.log.as_deref().map(|path| open_log(path, terminal)).transpose()?;
    let observer = observer::observer(arguments.verbose.then(|| terminal.clone()), log.clone());
    let relay_settings = relay_settings(arguments, found.as_ref())?;
    let durable::Served { relay, mut failed } =
        durable::relay(arguments.store.as_deref(), relay_settings, observer)?;
    output::print(&greeting::greeting(arguments, address, found.as_ref())?)?;
    warn(address, found.is_none(), terminal);
    // Small frames must not wait for each other's acknowledgements (RFC 896, RFC 1122 §4.2.3.2).
    let listener = listener.tap_io(|stream| {
        // A connection that is gone already needs no setting.
        let _ = stream.set_nodelay(true);
    });
    let until = async move {
        tokio::select! {
            biased;
            // Its sender lives as long as the process.
            _ = ctrl_c.wait_for(|stop| *stop) => None,
            failure = failed.failure() => Some(failure),
        }
    };
    let failure = serve_until(listener, relay, settings, until).await;
    if let Some(log) = log {
        log.end(LAST_LOG_LINES);
    }
    terminal.push("ended".to_owned());
    failure.map_or(Ok(()), Err)
}

/// Serves until `until`, which says why where something has failed.
async fn serve_until<L: http::Listener>(
    listener: L,
    relay: signaller::relay::SharedRelay,
    settings: HttpSettings,
    until: impl Future<Output = Option<anyhow::Error>> + Send,
) -> Option<anyhow::Error> {
    let mut failure = None;
    let stop = async { failure = until.await };
    http::serve(listener, relay, settings, stop).await;
    failure
}

/// The file of `--log`, which its owner alone may read where it is new.
fn open_log(path: &Path, terminal: &Lines) -> anyhow::Result<Lines> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file: File = options.open(path).with_context(|| format!("cannot write {}", path.display()))?;
    let terminal = terminal.clone();
    // A log that cannot be written any more, because the disk is full, does not end the calls.
    Ok(Lines::start(file, move |trouble| {
        terminal.push(match trouble {
            Trouble::Dropped(count) => {
                format!(
                    "note: {count} lines are missing in the log: they came faster than they could be written"
                )
            }
            Trouble::Failing(error) => {
                format!("note: cannot write the log, and what comes now is missing in it: {error}")
            }
        });
        None
    }))
}

fn relay_settings(arguments: &Arguments, found: Option<&Found>) -> anyhow::Result<RelaySettings> {
    let secret = found.map(|found| found.secret.clone());
    // Names of mailboxes begin with it. No clock: it may stand, or go back, and the name would come again.
    let epoch =
        getrandom::u64().map_err(|error| anyhow::anyhow!("the system gives no random bytes: {error}"))?;
    Ok(RelaySettings { limits: arguments.limits.relay(), secret, epoch, ..RelaySettings::default() })
}

fn http_settings(arguments: &Arguments, address: SocketAddr) -> HttpSettings {
    let check = match arguments.open {
        true => PageCheck::Everybody { any_address: !address.ip().is_loopback() },
        false => PageCheck::Readers,
    };
    let pages = Pages::new(check, arguments.allow_origin.iter().cloned());
    HttpSettings { clock: Clock::new(now), limits: arguments.limits.http(), pages }
}

/// What somebody who reaches it from outside should know.
fn warn(address: SocketAddr, is_open: bool, terminal: &Lines) {
    if address.ip().is_loopback() {
        return;
    }
    let note = "note: no TLS here; outside of a network of your own put a proxy with TLS before it";
    terminal.push(note.to_owned());
    if is_open {
        terminal.push("note: --open lets everybody who reaches it read and join every call".to_owned());
    }
}

/// A line for standard error, whatever it quotes.
fn in_one_line(text: &str) -> String {
    escaped(text).into_owned()
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
