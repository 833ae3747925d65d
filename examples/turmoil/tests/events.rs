//! What the example promises.

use example_turmoil::play;

#[test]
fn the_same_seed_gives_the_same_events() {
    for seed in [1, 2] {
        assert_eq!(play(seed).unwrap(), play(seed).unwrap(), "seed {seed}");
    }
}

#[test]
fn the_call_survives_the_partition_and_its_end_waits_for_it() {
    let events = play(1).unwrap();
    let at = |what: &str| {
        let found = events.iter().find(|event| event.contains(what));
        let line = found.unwrap_or_else(|| panic!("no `{what}` in\n{}", events.join("\n")));
        line.split_whitespace().next().unwrap().parse::<u64>().unwrap()
    };
    for who in ["caller", "callee"] {
        assert!(at(&format!("{who}  connection: connecting → connected")) < 5000);
        assert!(at(&format!("{who}  receives Audio")) < 5000);
    }
    let left = at("callee  call: connected → ended");
    assert!((10_000..11_000).contains(&left), "{left}");
    // Its media stopped meanwhile, and it tries to reconnect; it learns why once it reaches the backend
    // again.
    let learned = at("caller  call: reconnecting → ended: hung-up");
    assert!(learned > at("the partition is over"), "{learned}");
}
