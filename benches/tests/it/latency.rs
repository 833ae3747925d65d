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

mod attribution {
    use std::{collections::BTreeMap, time::Duration};

    use benches::latency::{
        Case, Weather,
        attribution::{Attribution, Cause},
        cases,
        floor::Floor,
    };
    use scenario::{plan::Plan, run::Player};

    fn attribution(plan: &Plan, seed: u64) -> Attribution {
        Attribution::of(plan, &Player::new(plan).seed(seed).play().unwrap()).expect("a connected call")
    }

    /// Two people whose machines take no time, `delay` ms from the core; `more` is put into the callee's table.
    fn call(delay: u64, more: &str) -> Attribution {
        read(&text(delay, more))
    }

    fn text(delay: u64, more: &str) -> String {
        format!(
            r#"
            version = 1
            summary = "A call of which it is known where its time goes."
            stagger = "0ms"
            [signaller]
            transport = "websocket"
            [peers.caller]
            device = "instant"
            link = {{ delay = "{delay}ms" }}
            [peers.callee]
            device = "instant"
            link = {{ delay = "{delay}ms" }}
            {more}
            [[steps]]
            at = "1s"
            caller = {{ dial = "callee" }}
            [[steps]]
            at = "20s"
            caller = "hang-up"
            [expect]
            "#
        )
    }

    fn read(text: &str) -> Attribution {
        attribution(&Plan::from_toml("attribution", text).unwrap(), 1)
    }

    fn ms(attribution: &Attribution, cause: Cause) -> u128 {
        attribution.parts().get(&cause).map_or(0, Duration::as_millis)
    }

    #[test]
    fn parts_add_up_steps_are_contiguous_and_no_set_up_is_below_its_floor() {
        for Case { id, plan, .. } in cases().unwrap() {
            for seed in 1..=2 {
                let record = Player::new(&plan).seed(seed).play().unwrap();
                let Some(found) = Attribution::of(&plan, &record) else { continue };
                let floor = Floor::of(&plan, &record).expect("a connected call has a pair").setup;
                assert!(floor <= found.total, "{id}, seed {seed}: {floor:?}, {:?}", found.total);
                assert_eq!(found.parts().values().sum::<Duration>(), found.total, "{id}, seed {seed}");
                for pair in found.steps.windows(2) {
                    assert_eq!(pair[0].to, pair[1].from, "{id}, seed {seed}");
                }
            }
        }
    }

    #[test]
    fn a_longer_way_is_propagation() {
        let (near, far) = (call(10, ""), call(20, ""));
        // But for the trips there is one wait, for the timer of the checks.
        let but_pacing = |found: &Attribution| -> BTreeMap<Cause, Duration> {
            let mut parts = found.parts();
            parts.retain(|cause, _| !matches!(cause, Cause::Propagation | Cause::CheckPacing));
            parts
        };
        assert!(but_pacing(&near).is_empty() && but_pacing(&far).is_empty(), "{near:?} {far:?}");
        // Each trip crosses two links; four go by way of the signaller, whose links stay as they are.
        let (trips, signalled) = (4 + 9, 4 * 20);
        assert_eq!(ms(&near, Cause::Propagation), trips * 20 + signalled);
        assert_eq!(ms(&far, Cause::Propagation), trips * 40 + signalled);
    }

    #[test]
    fn a_callee_who_takes_her_time_is_a_person() {
        let (at_once, later) = (call(10, ""), call(10, "on-ring = { accept-after = \"2s\" }"));
        assert_eq!([ms(&at_once, Cause::Person), ms(&later, Cause::Person)], [0, 2000]);
        assert_eq!(ms(&later, Cause::Propagation), ms(&at_once, Cause::Propagation));
    }

    #[test]
    fn a_message_that_the_server_keeps_is_signalling() {
        let kept = call(10, "[[signaller.delays]]\nmessage = \"offer\"\nby = \"700ms\"");
        assert_eq!(ms(&kept, Cause::Signalling), 700);
        assert_eq!(ms(&kept, Cause::Propagation), ms(&call(10, ""), Cause::Propagation));
    }

    #[test]
    fn a_slow_link_is_queueing_and_a_slow_machine_processing() {
        let free = call(10, "");
        assert_eq!([ms(&free, Cause::Queueing), ms(&free, Cause::Processing)], [0, 0]);
        let narrow =
            read(&text(10, "").replace("\"10ms\" }", "\"10ms\", rate = \"200kbps\", queue = \"1s\" }"));
        // A kilobyte takes 40 ms there: the descriptions alone are several, and cross two such links each.
        assert!(ms(&narrow, Cause::Queueing) >= 200, "{narrow:?}");
        assert_eq!(ms(&narrow, Cause::Processing), 0);
        let slow = read(&text(10, "").replace("instant", "phone"));
        assert!(ms(&slow, Cause::Processing) >= 13, "{slow:?}");
        assert_eq!(ms(&slow, Cause::Queueing), 0);
    }

    #[test]
    fn a_lost_packet_is_a_retransmission_timer() {
        let case = cases().unwrap().into_iter().find(|case| case.id == "loss/uniform-5pct").unwrap();
        assert_eq!(case.weather, Weather::Rough);
        let lossy = (1..=10).filter_map(|seed| {
            Attribution::of(&case.plan, &Player::new(&case.plan).seed(seed).play().unwrap())
        });
        let waited = lossy.filter(|found| ms(found, Cause::Retransmission) >= 200).count();
        assert!(waited >= 3, "{waited}");
    }
}
