use scenario::{
    plan::{Action, Plan},
    run::Player,
    timeline::{Event, Protocol, VirtualTime},
};

/// A fault that never strikes proves nothing.
#[test]
fn every_signalling_fault_strikes() {
    // What a profile brings along is how its network is, whether a call is there to see it or not.
    let names_faults = |plan: &&Plan| {
        !plan.signaller().faults.is_empty() && plan.peers().iter().all(|peer| peer.profile.is_none())
    };
    for plan in super::scenarios().iter().filter(names_faults) {
        let record = Player::new(plan).seed(1).play().expect("the scenario plays");
        let of_signaller =
            record.timeline.entries.iter().filter(|entry| entry.actor.as_str() == Plan::SIGNALLER);
        let strikes = of_signaller
            .filter(|entry| matches!(entry.event, Event::Fault { .. } | Event::MessageHeld { .. }));
        let (strikes, rules) = (strikes.count(), plan.signaller().faults.len());
        assert!(strikes >= rules, "{}: {rules} faults, {strikes} strikes", plan.name());
    }
}

/// From a process that is suspended no datagram comes, and after it some do.
#[test]
fn a_process_that_is_suspended_is_silent() {
    let mut suspended = 0;
    for plan in super::scenarios() {
        let suspensions = plan.steps().iter().filter_map(|step| match &step.action {
            Action::Suspend { peer, lasts } => Some((peer, step.at, step.at + *lasts)),
            _ => None,
        });
        let suspensions: Vec<_> = suspensions.collect();
        if suspensions.is_empty() {
            continue;
        }
        let record = Player::new(&plan).seed(1).play().expect("the scenario plays");
        for (peer, from, until) in suspensions {
            let (from, until) = (VirtualTime::from(from), VirtualTime::from(until));
            let sent = record.timeline.packets.iter().filter(|packet| packet.from_host == *peer);
            let of_its_own = sent.filter(|packet| !matches!(packet.protocol, Protocol::Tcp(_)));
            let during = of_its_own.filter(|packet| from < packet.at && packet.at < until).count();
            assert_eq!(during, 0, "{}: {peer} sends", plan.name());
            suspended += 1;
        }
    }
    assert!(suspended > 2, "{suspended} processes are suspended");
}
