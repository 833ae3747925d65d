//! What the server keeps at most.

use std::{num::NonZeroUsize, time::Duration};

use clap::Args;
use signaller::{http::HttpLimits, relay::Limits};

/// What it keeps at most; none of these can be 0. Beyond, it answers as docs/signalling.md says, "Limits".
#[derive(Args)]
#[command(next_help_heading = "Limits")]
pub(super) struct LimitArguments {
    /// Longest message, in bytes of JSON
    #[arg(long, value_name = "BYTES", default_value = "64KiB", value_parser = parse_size)]
    message_bytes: usize,
    /// Messages that wait for one participant
    #[arg(long, value_name = "N", default_value_t = count(Limits::default().queue))]
    queue: NonZeroUsize,
    /// Participants that are remembered
    #[arg(long, value_name = "N", default_value_t = count(Limits::default().participants))]
    participants: NonZeroUsize,
    /// Calls that are remembered
    #[arg(long, value_name = "N", default_value_t = count(Limits::default().calls))]
    calls: NonZeroUsize,
    /// Participants of one call that are remembered, where tokens are wanted
    #[arg(long, value_name = "N", default_value_t = count(Limits::default().participants_per_call))]
    participants_per_call: NonZeroUsize,
    /// Participants who have not joined yet, and for whom messages of one sender wait
    #[arg(long, value_name = "N", default_value_t = count(Limits::default().unknown_per_sender))]
    unknown_per_sender: NonZeroUsize,
    /// Bytes of waiting messages of one sender
    #[arg(long, value_name = "BYTES", default_value = "4MiB", value_parser = parse_size)]
    sender_bytes: usize,
    /// Bytes of waiting messages of one call, where tokens are wanted
    #[arg(long, value_name = "BYTES", default_value = "8MiB", value_parser = parse_size)]
    call_bytes: usize,
    /// Bytes of all waiting messages. The default suits a machine with 1 GB of memory
    #[arg(long, value_name = "BYTES", default_value = "256MiB", value_parser = parse_size)]
    mail_bytes: usize,
    /// Connections that are open at once; each needs a file descriptor (ulimit -n)
    #[arg(long, value_name = "N", default_value_t = count(HttpLimits::default().connections))]
    connections: NonZeroUsize,
    /// How long a participant may be away before it is forgotten with its mail
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = super::parse_duration)]
    idle: Duration,
    /// How long a WebSocket may be silent before it is closed
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = super::parse_duration)]
    silence: Duration,
    /// How long a poll may ask to wait
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = super::parse_duration)]
    longest_poll_wait: Duration,
}

impl LimitArguments {
    pub(super) fn relay(&self) -> Limits {
        Limits {
            message_bytes: self.message_bytes,
            queue: self.queue.get(),
            participants: self.participants.get(),
            calls: self.calls.get(),
            participants_per_call: self.participants_per_call.get(),
            unknown_per_sender: self.unknown_per_sender.get(),
            sender_bytes: self.sender_bytes,
            call_bytes: self.call_bytes,
            mail_bytes: self.mail_bytes,
            idle: self.idle,
            ..Limits::default()
        }
    }

    pub(super) fn http(&self) -> HttpLimits {
        HttpLimits {
            connections: self.connections.get(),
            silence: self.silence,
            longest_poll_wait: self.longest_poll_wait,
            ..HttpLimits::default()
        }
    }
}

/// A default, which is never 0.
fn count(default: usize) -> NonZeroUsize {
    NonZeroUsize::new(default).unwrap_or(NonZeroUsize::MIN)
}

/// `64KiB`, `4MB`, `1000000`.
fn parse_size(text: &str) -> Result<usize, SizeProblem> {
    match parse_size::parse_size(text) {
        Ok(0) => Err(SizeProblem::Zero),
        Ok(bytes) => usize::try_from(bytes).map_err(|_| SizeProblem::TooLarge),
        Err(error) => Err(SizeProblem::NoSize { reason: error.to_string() }),
    }
}

/// Why text is no size.
#[derive(Debug, thiserror::Error)]
enum SizeProblem {
    #[error("0 bytes keep nothing; at least 1 is wanted")]
    Zero,
    #[error("more than this machine can address")]
    TooLarge,
    #[error("{reason}; accepted is a size such as 64KiB or 4MB")]
    NoSize { reason: String },
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Alone {
        #[command(flatten)]
        limits: LimitArguments,
    }

    #[test]
    fn what_the_help_says_is_what_the_library_does() {
        let limits = Alone::parse_from(["serve"]).limits;
        assert_eq!((limits.relay(), limits.http()), (Limits::default(), HttpLimits::default()));
    }

    #[test]
    fn nothing_can_be_limited_to_nothing() {
        for limit in [
            "--message-bytes",
            "--queue",
            "--participants",
            "--calls",
            "--participants-per-call",
            "--unknown-per-sender",
            "--sender-bytes",
            "--call-bytes",
            "--mail-bytes",
            "--connections",
            "--idle",
            "--silence",
            "--longest-poll-wait",
        ] {
            assert!(Alone::try_parse_from(["serve", limit, "0"]).is_err(), "{limit}");
            let one = if limit.ends_with('s') || limit == "--queue" { "1" } else { "1s" };
            let one =
                if limit == "--participants-per-call" || limit == "--unknown-per-sender" { "1" } else { one };
            assert!(Alone::try_parse_from(["serve", limit, one]).is_ok(), "{limit}");
        }
    }
}
