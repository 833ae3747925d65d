use scenario::{plan::Plan, run::Player, timeline::Event};

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
