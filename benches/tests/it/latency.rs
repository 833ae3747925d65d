use benches::latency::{Weather, cases, metrics};
use gate::metric::Percent;
use scenario::plan::Milestone;

#[test]
fn every_calm_case_connects_and_has_its_metrics() {
    for case in cases().unwrap().into_iter().filter(|case| case.weather == Weather::Calm) {
        let latency = case.play(1).unwrap();
        assert!(latency.is_connected() && latency.failed_checks.is_empty(), "{}: {latency:?}", case.id);
        let metrics = metrics(&case, &[latency]).unwrap();
        assert!(metrics.iter().any(|(metric, _)| metric.id.as_str().ends_with("#connected")), "{}", case.id);
    }
}

#[test]
fn a_slowdown_is_in_the_links() {
    let case = cases().unwrap().swap_remove(0);
    let connected = |percent: i32| {
        let slowed = case.slowed(Percent::from_ppm(percent * 10_000));
        slowed.play(1).unwrap().reached[&Milestone::Ringing].as_millis()
    };
    // Two access links of 10 ms to the signaller and two from there, and a laptop that takes a millisecond.
    assert_eq!([connected(0), connected(50), connected(-50)], [41, 61, 21]);
}
