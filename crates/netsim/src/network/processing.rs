//! The time a host takes over its messages: one server, first come, first served.

use timeline::{Name, VirtualTime};

use crate::{
    ProcessingDelay,
    draw::{Draws, Place, Purpose, Transport},
};

#[derive(Debug)]
pub(super) struct Processing {
    delay: ProcessingDelay,
    busy_until: VirtualTime,
    udp: Draws,
    tcp: Draws,
}

impl Processing {
    pub(super) fn new(seed: u64, host: &Name, delay: ProcessingDelay) -> Self {
        let draws = |transport| Draws::new(seed, host, Place::Host, transport);
        let (udp, tcp) = (draws(Transport::Udp), draws(Transport::Tcp));
        Self { delay, busy_until: VirtualTime::ZERO, udp, tcp }
    }

    /// The host was switched off: nothing is being handled any more.
    pub(super) const fn forget(&mut self) {
        self.busy_until = VirtualTime::ZERO;
    }

    /// When the program sees a message that arrives at `at`; `None` for at once.
    pub(super) fn admit(&mut self, at: VirtualTime, transport: Transport) -> Option<VirtualTime> {
        if self.delay == ProcessingDelay::ZERO {
            return None;
        }
        let draws = match transport {
            Transport::Udp => self.udp.next_packet(),
            Transport::Tcp => self.tcp.next_packet(),
        };
        let takes = draws.between(Purpose::Processing, self.delay.min, self.delay.max);
        self.busy_until = self.busy_until.max(at) + takes;
        Some(self.busy_until)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn messages_queue_behind_each_other() {
        let two_ms = ProcessingDelay { min: Duration::from_millis(2), max: Duration::from_millis(2) };
        let mut processing = Processing::new(1, &"phone".into(), two_ms);
        let mut admit =
            |ms| processing.admit(VirtualTime::from_millis(ms), Transport::Udp).unwrap().as_millis();
        assert_eq!([admit(10), admit(10), admit(11), admit(20)], [12, 14, 16, 22]);
    }

    #[test]
    fn a_server_sees_everything_at_once() {
        let mut processing = Processing::new(1, &"server".into(), ProcessingDelay::SERVER);
        assert_eq!(processing.admit(VirtualTime::from_millis(10), Transport::Udp), None);
    }
}
