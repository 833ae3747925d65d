//! Which way to take, and how long to wait before the next attempt. Pure rules; time is handed in.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use super::{AllowedWays, FallbackSettings};
use crate::transport::Way;

#[derive(Debug)]
pub(super) struct Ways {
    settings: FallbackSettings,
    way: Way,
    /// Attempts in a row that failed.
    failures: u32,
    /// When WebSockets that stood were lost.
    cuts: VecDeque<Instant>,
    /// Since when the present WebSocket stands.
    stands_since: Option<Instant>,
    /// Probes since a WebSocket lived for long enough.
    probes: u32,
}

/// How a WebSocket was lost, or not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// There was no stream to the relay: no fault of the WebSocket.
    NoStream,
    /// The upgrade was refused.
    Refused,
    /// The upgrade was not answered, or nothing came after it.
    Hung,
    /// The stream was lost.
    Cut,
}

impl Ways {
    pub(super) fn new(settings: FallbackSettings) -> Self {
        Self {
            settings,
            way: if settings.ways == AllowedWays::Rest { Way::Rest } else { Way::WebSocket },
            failures: 0,
            cuts: VecDeque::new(),
            stands_since: None,
            probes: 0,
        }
    }

    pub(super) fn way(&self) -> Way {
        self.way
    }

    /// Whether a WebSocket is to be tried from REST.
    pub(super) fn probes(&self) -> bool {
        self.settings.ways == AllowedWays::Both
    }

    /// A WebSocket was welcomed.
    pub(super) fn websocket_stands(&mut self, now: Instant) {
        self.way = Way::WebSocket;
        self.failures = 0;
        self.stands_since = Some(now);
    }

    /// A poll was answered.
    pub(super) fn rest_stands(&mut self) {
        self.failures = 0;
    }

    /// A WebSocket was lost, or not made; how long to wait, before jitter. `None`: not at all, because
    /// another way is to be tried.
    pub(super) fn websocket_lost(&mut self, loss: Loss, now: Instant) -> Option<Duration> {
        let stood_since = self.stands_since.take();
        match loss {
            Loss::NoStream => return Some(self.failed()),
            Loss::Refused | Loss::Hung if self.settings.ways == AllowedWays::WebSocket => {
                return Some(self.failed());
            }
            Loss::Refused | Loss::Hung => self.way = Way::Rest,
            Loss::Cut => {
                if stood_since.is_some_and(|since| now - since >= self.settings.cuts_within) {
                    self.probes = 0;
                }
                self.cuts.push_back(now);
                let counts = |cut: &Instant| now - *cut < self.settings.cuts_within;
                self.cuts.retain(counts);
                if self.cuts.len() < self.settings.cuts as usize
                    || self.settings.ways == AllowedWays::WebSocket
                {
                    return Some(match stood_since {
                        Some(_) => self.settings.backoff.after(0),
                        None => self.failed(),
                    });
                }
                self.way = Way::Rest;
            }
        }
        self.cuts.clear();
        None
    }

    /// A poll failed; how long to wait, before jitter.
    pub(super) fn poll_failed(&mut self) -> Duration {
        self.failed()
    }

    /// How long to wait for the next probe, before jitter.
    pub(super) fn probe_after(&mut self) -> Duration {
        self.probes = self.probes.saturating_add(1);
        self.settings.probe.after(self.probes)
    }

    /// Whether there were as many failures as the settings allow.
    pub(super) fn gives_up(&self) -> bool {
        self.settings.attempts.is_some_and(|attempts| self.failures >= attempts)
    }

    fn failed(&mut self) -> Duration {
        self.failures = self.failures.saturating_add(1);
        self.settings.backoff.after(self.failures)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    /// Three WebSockets that stand and are cut, `apart` from each other; the way after the third.
    #[track_caller]
    fn check_cuts(apart: Duration, expect: Way) {
        let begun = Instant::now();
        let mut ways = Ways::new(FallbackSettings::default());
        for cut in 0..3 {
            ways.websocket_stands(begun);
            let _wait = ways.websocket_lost(Loss::Cut, begun + apart * cut);
        }
        assert_eq!(ways.way(), expect);
    }

    #[test]
    fn three_cuts_within_a_minute_are_reason_to_fall_back() {
        check_cuts(30 * S - Duration::from_millis(1), Way::Rest);
        check_cuts(30 * S, Way::WebSocket);
    }

    #[test]
    fn a_refusal_or_a_hang_is_reason_at_once_and_a_missing_stream_none() {
        for (loss, way, wait) in [
            (Loss::Refused, Way::Rest, None),
            (Loss::Hung, Way::Rest, None),
            (Loss::NoStream, Way::WebSocket, Some(S / 2)),
            (Loss::Cut, Way::WebSocket, Some(S / 2)),
        ] {
            let mut ways = Ways::new(FallbackSettings::default());
            assert_eq!(ways.websocket_lost(loss, Instant::now()), wait, "{loss:?}");
            assert_eq!(ways.way(), way, "{loss:?}");
        }
    }

    #[test]
    fn who_may_take_one_way_only_keeps_to_it() {
        let settings = |ways| FallbackSettings { ways, cuts: 1, ..FallbackSettings::default() };
        for loss in [Loss::Refused, Loss::Hung, Loss::Cut, Loss::NoStream] {
            let mut ways = Ways::new(settings(AllowedWays::WebSocket));
            assert_eq!(ways.websocket_lost(loss, Instant::now()), Some(S / 2), "{loss:?}");
            assert_eq!(ways.way(), Way::WebSocket, "{loss:?}");
        }
        let rest = Ways::new(settings(AllowedWays::Rest));
        assert_eq!((rest.way(), rest.probes()), (Way::Rest, false));
        assert!(Ways::new(settings(AllowedWays::Both)).probes());
    }

    #[test]
    fn probes_become_rare_until_a_websocket_lives() {
        let begun = Instant::now();
        let mut ways = Ways::new(FallbackSettings::default());
        assert_eq!([ways.probe_after(), ways.probe_after(), ways.probe_after()], [30 * S, 60 * S, 120 * S]);
        ways.websocket_stands(begun);
        let _wait = ways.websocket_lost(Loss::Cut, begun + 59 * S);
        assert_eq!(ways.probe_after(), 240 * S);
        ways.websocket_stands(begun);
        let _wait = ways.websocket_lost(Loss::Cut, begun + 60 * S);
        assert_eq!(ways.probe_after(), 30 * S);
    }

    #[test]
    fn it_gives_up_after_its_attempts_and_counts_anew_after_a_success() {
        let mut ways = Ways::new(FallbackSettings { attempts: Some(2), ..FallbackSettings::default() });
        ways.poll_failed();
        assert!(!ways.gives_up());
        ways.rest_stands();
        ways.poll_failed();
        assert!(!ways.gives_up());
        ways.poll_failed();
        assert!(ways.gives_up());
    }
}
