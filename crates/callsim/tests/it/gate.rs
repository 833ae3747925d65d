//! The gate of somebody's own scenarios.

use std::fs;

use crate::place::{GOOD, Place, check};

#[test]
fn what_gets_slower_is_caught_until_it_is_accepted() {
    let good = GOOD.replace("version = 1", "version = 1\nseeds = 3");
    let place = Place::new(&[("scenarios/net/turned.toml", &good), ("scenarios/other.toml", &good)]);
    check(&place.run(&["gate"]), 5, &["there is no baseline callsim-baseline.json", "callsim gate accept"]);
    check(&place.run(&["gate", "accept", "--reason", "first"]), 0, &["10 figures are expected from now on"]);
    check(&place.run_in("scenarios", &["gate"]), 0, &["all compared, all pass"]);
    check(&place.run(&["gate", "accept", "--reason", "again"]), 2, &["there is nothing to accept"]);

    let slower = good.replace("delay = \"40ms\"", "delay = \"60ms\"");
    fs::write(place.path("scenarios/net/turned.toml"), slower).unwrap();
    check(&place.run(&["gate"]), 3, &["REGRESSION", "net/turned#setup-p50", "net/turned#setup-p95"]);
    check(&place.run(&["gate", "other"]), 0, &["all compared, all pass"]);
    check(&place.run(&["gate", "accept", "turned", "--reason", "another network"]), 0, &[]);
    check(&place.run(&["gate"]), 0, &["all compared, all pass"]);

    fs::remove_file(place.path("scenarios/other.toml")).unwrap();
    check(&place.run(&["gate"]), 3, &["VANISHED", "other#setup-p50"]);
    check(&place.run(&["gate", "accept", "--reason", "given up"]), 0, &["5 figures"]);
    let baseline = fs::read_to_string(place.path("callsim-baseline.json")).unwrap();
    assert!(baseline.contains("another network") && baseline.contains("given up"), "{baseline}");
    fs::write(place.path("callsim-baseline.json"), "{").unwrap();
    check(&place.run(&["gate"]), 2, &["callsim-baseline.json"]);
}
