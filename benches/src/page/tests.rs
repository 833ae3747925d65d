use std::collections::BTreeMap;

use super::*;
use crate::{
    latency::{
        attribution::Cause,
        floor::PathClass,
        summary::{Phase, Setup, Summary},
    },
    results::{Cost, Results, Worlds},
};

fn sample() -> Results {
    let setup = Setup {
        p50_ms: 452.0,
        p95_ms: 460.0,
        mean_ms: 452.0,
        floor_ms: 240.0,
        paths: BTreeMap::from([(PathClass::Open, 200)]),
        parts_ms: BTreeMap::from([
            (Cause::Propagation, 300.0),
            (Cause::Person, 60.0),
            (Cause::CheckPacing, 92.0),
        ]),
    };
    let phase = Phase {
        milestone: "ringing".to_owned(),
        p50_ms: 41.0,
        p95_ms: 43.0,
        parts_ms: BTreeMap::from([(Cause::Propagation, 40.0)]),
    };
    let summary = |id: &str, setup: Option<Setup>| Summary {
        id: id.to_owned(),
        seeds: 200,
        connected: if setup.is_some() { 200 } else { 0 },
        setup,
        phases: vec![phase.clone()],
    };
    let cost = |id: &str, units, cpu_ns| Cost {
        id: id.to_owned(),
        unit: "call".to_owned(),
        units,
        runs: 5,
        cpu_ns,
        wall_ns: cpu_ns * 1.01,
        memory_bytes: Some(256_000.0),
    };
    let mut results = Results::new("two cores & a <test>".to_owned());
    results.latency =
        vec![summary("happy/host-candidates", Some(setup)), summary("profiles/office-locked", None)];
    results.costs = vec![
        cost("call/websocket", 10, 1.2e6),
        cost("media/minute", 20_000, 5e3),
        cost("idle/minute", 10, 2.4e6),
        cost("calls-in-one-world/10", 10, 1e6),
        cost("calls-in-one-world/1000", 1000, 1.5e6),
        cost("floor/handshake-and-certificates", 20, 4e5),
        cost("floor/driver", 10, 8e5),
        cost("floor/driver-media", 10_000, 4e3),
        cost("floor/driver-idle", 1, 3.2e6),
        cost("floor/driver-ten", 10, 8e5),
    ];
    results.worlds = vec![Worlds { jobs: 2, calls: 3200, per_second: 1600.0 }];
    results
}

#[test]
fn the_page_of_the_documentation() {
    insta::assert_snapshot!(markdown(&sample()));
}

#[test]
fn the_page_for_a_browser_has_charts_and_tables_and_escapes_what_it_is_told() {
    let page = html(&sample());
    assert!(page.contains("two cores &#38; a &#60;test&#62;"));
    assert_eq!((page.matches("<svg").count(), page.matches("<table>").count()), (2, 7));
    assert!(page.contains("452 ms, 1.6 × floor"), "{page}");
}

#[test]
fn ours_stands_beside_the_library_and_is_divided_by_it() {
    let row = |results: &Results, what: &str| {
        let page = markdown(results);
        let row = page.lines().find_map(|line| line.strip_prefix(&format!("| {what} |")));
        row.map(|row| row.trim_end_matches(" |").trim().to_owned())
    };
    let (mut results, media) = (sample(), "a media packet, without the set-up");
    // 5 µs − 1.2 ms ÷ 20,000 packets, 4 µs − 0.8 ms ÷ 10,000 packets.
    assert_eq!(row(&results, media).unwrap(), "4.94 µs | 3.92 µs | 1.26");
    assert_eq!(row(&results, "a call among 1000 ÷ a call among 10").unwrap(), "1.50 | – | –");
    results.costs.retain(|cost| !cost.id.starts_with("media/"));
    assert_eq!(row(&results, media).unwrap(), "– | 3.92 µs | –");
    results.costs.retain(|cost| cost.id != "floor/driver");
    assert_eq!(row(&results, media), None);
}

#[test]
fn what_was_not_measured_is_left_out() {
    let page = markdown(&Results::new(String::new()));
    assert!(!page.contains("## "), "{page}");
}
