//! The call that is played: happy, over a network without loss.

use std::time::Duration;

use callsim::terminal::output::UnknownName;
use scenario::plan::{Device, Plan};
use thiserror::Error;

/// The most that `--delays` takes.
const MAX_DELAY: Duration = Duration::from_secs(1);

/// Why a delay of the command line cannot be used.
#[derive(Debug, PartialEq, Error)]
pub(super) enum DelayError {
    #[error("{0}, such as 20ms")]
    Unreadable(humantime::DurationError),
    #[error("at most 1s")]
    Long,
}

/// Reads a delay of the command line: `20ms`.
pub(super) fn delay(text: &str) -> Result<Duration, DelayError> {
    let delay = humantime::parse_duration(text).map_err(DelayError::Unreadable)?;
    if delay > MAX_DELAY { Err(DelayError::Long) } else { Ok(delay) }
}

/// What stands for computing in scenarios that say nothing else.
pub(super) const DEFAULT_DEVICE: Device = Device::Laptop;

/// Reads a device class of the command line.
pub(super) fn device(text: &str) -> Result<Device, UnknownName> {
    Device::from_word(text).ok_or_else(|| UnknownName::new("device", text, Device::WORDS.iter().copied()))
}

/// The call where every host is `one_way` from every other, the signaller included.
///
/// `device` is what the peers take over a message: the default one where time is virtual,
/// [`Device::Instant`] where it is real and computing takes its own time.
pub(super) fn call(one_way: Duration, device: Device) -> Plan {
    // Half of the way is the sender's uplink, half the receiver's downlink.
    let half = format!("{}us", one_way.as_micros() / 2);
    // Before the dial everybody joins, in three crossings. A set-up takes sixteen of them, checks and handshake at
    // their timers' pace included, and 0.2 s; media crosses after that.
    let dial = Duration::from_millis(300) + 5 * one_way;
    let hang_up = dial + Duration::from_millis(1000) + 20 * one_way;
    let text = format!(
        r#"
        version = 1
        summary = "Two people on a network without loss; all hosts are equally far apart."
        # Real time is kept by one thread here, which handles together what comes together.
        stagger = "0ms"
        [signaller]
        link = {{ delay = "{half}" }}
        [peers.caller]
        link = {{ delay = "{half}" }}
        device = "{device}"
        [peers.callee]
        link = {{ delay = "{half}" }}
        device = "{device}"
        [[steps]]
        at = "{dial}ms"
        caller = {{ dial = "callee" }}
        [[steps]]
        at = "{hang_up}ms"
        caller = "hang-up"
        [expect]
        outcome = "connected"
        "#,
        dial = dial.as_millis(),
        hang_up = hang_up.as_millis(),
    );
    Plan::from_toml(&format!("truth/{one_way:?}"), &text).expect("the text above is a scenario")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_durations_of_at_most_a_second() {
        assert_eq!(delay("20ms"), Ok(Duration::from_millis(20)));
        assert_eq!(delay("1s"), Ok(MAX_DELAY));
        assert!(delay("1001ms").is_err());
        assert!(delay("20").is_err());
    }

    #[test]
    fn the_call_connects_at_the_least_and_the_greatest_delay() {
        for one_way in [Duration::ZERO, MAX_DELAY] {
            let plan = call(one_way, Device::Laptop);
            let record = scenario::run::Player::new(&plan).seed(1).play().unwrap();
            assert_eq!(scenario::checks::check(&plan, &record), [], "{one_way:?}");
        }
    }
}
