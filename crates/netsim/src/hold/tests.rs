use proptest::prelude::*;

use super::*;
use crate::events::Events;

const USER_TIMEOUT: Duration = Duration::from_secs(120);

fn ms(ms: u64) -> VirtualTime {
    VirtualTime::from_millis(ms)
}

/// Two links in a row and a queue, as the network drives them.
struct Path {
    queue: HoldQueue<u32>,
    events: Events<Step>,
    delays: [Duration; 2],
    /// Whether the next crossings of the two links are losses; none once it is used up.
    fates: std::vec::IntoIter<bool>,
    up: bool,
    arrived: Vec<u32>,
    timed_out: bool,
}

enum Step {
    Send(u32, Order),
    Core(Parcel<u32>),
    Host(Parcel<u32>),
    Alarm(u64),
    Flap(bool),
}

impl Path {
    fn run(&mut self) {
        while let Some((now, step)) = self.events.pop_due(VirtualTime::from_nanos(u64::MAX)) {
            self.step(now, step);
        }
    }

    fn step(&mut self, now: VirtualTime, step: Step) {
        match step {
            Step::Flap(up) => self.up = up,
            Step::Send(content, order) => {
                let parcel = self.queue.accept(order, RTO, content);
                self.enter(now, parcel, 0);
            }
            Step::Core(parcel) => self.enter(now, parcel, 1),
            Step::Host(parcel) => {
                let mut ready = Vec::new();
                self.queue.arrive(parcel, &mut ready);
                self.arrived.extend(ready.into_iter().map(|parcel| parcel.content));
            }
            Step::Alarm(id) => match self.queue.ring(now, id) {
                Ring::Stale => {}
                Ring::TimedOut => self.timed_out = true,
                Ring::Retransmit => {
                    while let Some(parcel) = self.queue.pop() {
                        if !self.cross(now, parcel, 0) {
                            break;
                        }
                    }
                }
            },
        }
    }

    fn enter(&mut self, now: VirtualTime, parcel: Parcel<u32>, link: usize) {
        if self.queue.must_wait(&parcel) {
            self.queue.keep(parcel);
        } else {
            self.cross(now, parcel, link);
        }
    }

    fn cross(&mut self, now: VirtualTime, parcel: Parcel<u32>, link: usize) -> bool {
        let lost = parcel.sequence.is_some() && self.fates.next().unwrap_or(false);
        if lost || !self.up {
            if let Some(alarm) = self.queue.lose(now, parcel) {
                self.events.plan(alarm.at, Step::Alarm(alarm.id));
            }
            return false;
        }
        let step = if link == 0 { Step::Core(parcel) } else { Step::Host(parcel) };
        self.events.plan(now + self.delays[link], step);
        true
    }
}

/// A segment and how long after the one before it is sent.
fn sends() -> impl Strategy<Value = Vec<(u64, bool)>> {
    proptest::collection::vec((0..400u64, proptest::bool::weighted(0.8)), 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]
    #[test]
    fn order_is_kept_and_nothing_is_lost_or_doubled(
        sends in sends(),
        fates in proptest::collection::vec(any::<bool>(), 0..60),
        flaps in proptest::collection::vec(0..6000u64, 0..8),
        delays in [0..700u64, 0..700u64],
    ) {
        let mut events = Events::new();
        let (mut at, mut sequenced, mut loose) = (0, Vec::new(), Vec::new());
        for (content, (gap, is_sequenced)) in sends.into_iter().enumerate() {
            at += gap;
            let content = content as u32;
            let order = if is_sequenced { Order::Sequenced } else { Order::Loose };
            if is_sequenced { sequenced.push(content) } else { loose.push(content) }
            events.plan(ms(at), Step::Send(content, order));
        }
        let mut flaps = flaps;
        flaps.sort_unstable();
        let last = flaps.len();
        for (i, at) in flaps.into_iter().enumerate() {
            events.plan(ms(at), Step::Flap(i % 2 == 1 || i + 1 == last));
        }
        let mut path = Path {
            // Far above what 60 losses in a row can take.
            queue: HoldQueue::new(USER_TIMEOUT * 1000),
            events,
            delays: delays.map(Duration::from_millis),
            fates: fates.into_iter(),
            up: true,
            arrived: Vec::new(),
            timed_out: false,
        };
        path.run();
        let (mut arrived_loose, arrived): (Vec<u32>, Vec<u32>) =
            path.arrived.iter().copied().partition(|content| loose.contains(content));
        arrived_loose.sort_unstable();
        prop_assert_eq!(arrived, sequenced);
        prop_assert_eq!(arrived_loose, loose);
        prop_assert!(path.queue.is_idle() && !path.timed_out);
    }
}

#[test]
fn the_timeout_doubles_up_to_a_minute_and_ends_with_the_user_timeout() {
    let mut queue = HoldQueue::new(USER_TIMEOUT);
    let mut parcel = queue.accept(Order::Sequenced, RTO, ());
    let mut now = VirtualTime::ZERO;
    let mut gaps = Vec::new();
    loop {
        let alarm = queue.lose(now, parcel).unwrap();
        gaps.push((alarm.at - now).as_millis());
        now = alarm.at;
        match queue.ring(now, alarm.id) {
            Ring::Retransmit => parcel = queue.pop().unwrap(),
            Ring::TimedOut => break,
            Ring::Stale => unreachable!("nothing else is held"),
        }
    }
    // The tenth would be 60 s, but the user timeout comes first.
    assert_eq!(gaps, [200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 17800]);
    assert_eq!(now, VirtualTime::from(USER_TIMEOUT));
}

#[test]
fn a_syn_waits_for_a_second_and_an_earlier_loss_takes_over_the_alarm() {
    let mut queue = HoldQueue::new(USER_TIMEOUT);
    let syn = queue.accept(Order::Sequenced, SYN_RTO, 'a');
    let data = queue.accept(Order::Sequenced, RTO, 'b');
    let first = queue.lose(ms(0), data).unwrap();
    assert_eq!(first.at, ms(200));
    let second = queue.lose(ms(10), syn).unwrap();
    assert_eq!(second.at, ms(1010));
    assert_eq!(queue.ring(ms(200), first.id), Ring::Stale);
    assert_eq!(queue.ring(ms(1010), second.id), Ring::Retransmit);
    assert_eq!(queue.pop().unwrap().content, 'a');
    assert_eq!(queue.pop().unwrap().content, 'b');
}

#[test]
fn acknowledgements_overtake_and_data_waits() {
    let mut queue = HoldQueue::new(USER_TIMEOUT);
    let lost = queue.accept(Order::Sequenced, RTO, 'a');
    queue.lose(ms(0), lost);
    let data = queue.accept(Order::Sequenced, RTO, 'b');
    let ack = queue.accept(Order::Loose, RTO, 'c');
    assert!(queue.must_wait(&data));
    assert!(!queue.must_wait(&ack));
}
