//! The reader on good text, on bad text, and on any text.

use std::{net::IpAddr, time::Duration};

use miette::{GraphicalReportHandler, GraphicalTheme};
use proptest::prelude::*;

use super::*;
use crate::plan::{
    Access, Action, AlwaysOn, CountRange, DEFAULT_ACCESS, Dependence, Ending, FlowExpect, Gateway, Liveness,
    MediaPlan, Milestone, OnRing, Outcome, PathWord, Probability, QueueLimit, Transition, VideoPlan,
};

const EVERY_KEY: &str = include_str!("every-key.toml");

const SMALL: &str = r#"version = 1
summary = "Two people talk."

[peers.caller]
[peers.callee]

[[steps]]
at = "1s"
caller = { dial = "callee" }

[expect]
outcome = "connected"
"#;

/// As a person without colours sees it.
fn rendered(text: &str) -> String {
    let error = Plan::from_toml("theme/broken", text).expect_err("a broken file");
    let mut out = String::new();
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(100);
    handler.render_report(&mut out, &error).expect("writes to a string");
    let lines: Vec<String> = error.lines().collect();
    format!("{}\n\n{out}", lines.join("\n"))
}

/// `SMALL` with one change, and what is said about it.
macro_rules! check_broken {
    ($name:ident, $from:expr => $to:expr) => {
        #[test]
        fn $name() {
            let text = SMALL.replacen($from, $to, 1);
            assert_ne!(text, SMALL, "the change changes nothing");
            insta::assert_snapshot!(rendered(&text));
        }
    };
}

check_broken!(syntax_error, "summary = \"Two" => "summary = Two");
check_broken!(version_of_the_future, "version = 1" => "version = 3");
check_broken!(no_version, "version = 1\n" => "");
check_broken!(unknown_top_level_key, "[expect]" => "[expects]");
check_broken!(unknown_peer_key, "[peers.caller]" => "[peers.caller]\nring-timout = \"3s\"");
check_broken!(unknown_outcome, "\"connected\"" => "[\"conected\", \"busy\"]");
check_broken!(unknown_path, "outcome = \"connected\"" => "path = [\"relay\", \"prfx\"]");
check_broken!(unknown_peer_in_step, "caller = {" => "caler = {");
check_broken!(unknown_peer_dialled, "dial = \"callee\"" => "dial = \"calee\"");
check_broken!(unknown_action, "{ dial = \"callee\" }" => "\"hangup\"");
check_broken!(unknown_host, "caller = { dial = \"callee\" }" => "network = { link-down = \"signaler\" }");
check_broken!(bad_duration, "at = \"1s\"" => "at = \"1 sec and a bit\"");
check_broken!(duration_without_unit, "at = \"1s\"" => "at = 1");
check_broken!(probability_out_of_range, "[peers.callee]" => "[peers.callee]\nlink = { loss = \"120%\" }");
check_broken!(broadcast_address, "[peers.callee]" => "[peers.callee]\naddress = \"10.0.0.255\"");
check_broken!(address_twice, "[peers.callee]" => "[peers.callee]\naddress = \"10.0.0.1\"");
check_broken!(no_dial, "caller = { dial = \"callee\" }" => "caller = \"hang-up\"");
check_broken!(dials_itself, "dial = \"callee\"" => "dial = \"caller\"");
check_broken!(deadline_too_early, "version = 1" => "version = 1\ndeadline = \"1s\"");
check_broken!(one_peer, "[peers.callee]\n" => "");
check_broken!(reserved_name, "[peers.callee]" => "[peers.network]\n[peers.callee]");
check_broken!(media_between_grains,
    "outcome = \"connected\"" => "media = [{ audio = \"both-ways\", after = \"150ms\" }]");
check_broken!(unknown_state,
    "outcome = \"connected\"" => "never = [{ peer = \"callee\", connection = \"faild\" }]");
check_broken!(empty_range, "outcome = \"connected\"" => "offers = { at-least = 2, at-most = 1 }");
check_broken!(unknown_check, "outcome = \"connected\"" => "waive = { nothing-leeked = \"because\" }");
check_broken!(out_of_order,
    "[expect]" => "[[steps]]\nat = \"500ms\"\ncaller = \"hang-up\"\n\n[expect]");
check_broken!(unknown_profile, "[peers.callee]" => "[peers.callee]\nprofile = \"lann\"");
check_broken!(impossible_bursts, "[peers.callee]" => "[peers.callee]\nlink = { loss = \"90%\", burst = 2 }");
check_broken!(queue_without_rate, "[peers.callee]" => "[peers.callee]\nlink = { queue = \"50ms\" }");
check_broken!(rate_without_unit, "[peers.callee]" => "[peers.callee]\nlink = { rate = \"8 mega\" }");
check_broken!(unknown_nat, "[peers.callee]" => "[peers.callee]\nnat = \"symetric\"");
check_broken!(behind_two_gateways,
    "[peers.callee]" => "[peers.callee]\n[gateways.a]\ninside = [\"callee\"]\n[gateways.b]\ninside = [\"callee\"]");
check_broken!(gateways_in_a_circle,
    "[peers.callee]" => "[peers.callee]\n[gateways.a]\ninside = [\"b\"]\n[gateways.b]\ninside = [\"a\"]");
check_broken!(nobody_inside, "[peers.callee]" => "[peers.callee]\n[gateways.a]\ninside = [\"calee\"]");
check_broken!(unknown_ice_server,
    "[peers.callee]" => "[peers.callee]\nice-servers = [\"trun\"]\n[ice-servers.turn]");
check_broken!(gap_and_overlap, "caller = { dial = \"callee\" }" =>
    "network = { handover = { peer = \"caller\", gap = \"1s\", overlap = \"1s\" } }");
check_broken!(several_at_once,
    "[peers.callee]" => "[peers.callee]\ndevice = \"fridge\"\nlink = { dealy = \"1s\", loss = 2 }");

#[test]
fn fills_in_the_defaults() {
    let plan = Plan::from_toml("happy/small", SMALL).expect("a good file");
    assert_eq!((plan.name.as_str(), plan.seeds, plan.deadline.as_secs()), ("happy/small", 20, 60));
    let [caller, callee] = plan.peers.as_slice() else { panic!("two peers") };
    assert_eq!((caller.name.as_str(), callee.name.as_str()), ("caller", "callee"));
    assert_eq!(callee.addresses, [IpAddr::from([10, 0, 0, 2])]);
    assert_eq!(plan.signaller.address, IpAddr::from([10, 0, 1, 1]));
    assert_eq!((callee.access, callee.media), (DEFAULT_ACCESS, MediaPlan::AUDIO_VIDEO));
    assert_eq!(callee.on_ring, OnRing::Accept { after: Duration::ZERO });
    assert_eq!(plan.expect.outcomes, [Outcome::Connected]);
}

#[test]
fn peers_stand_in_the_order_of_the_file() {
    let text = SMALL.replace("[peers.caller]\n", "[peers.zoe]\n[peers.caller]\n");
    let plan = Plan::from_toml("order", &text).expect("a good file");
    let names: Vec<&str> = plan.peers.iter().map(|peer| peer.name.as_str()).collect();
    assert_eq!(names, ["zoe", "caller", "callee"]);
    assert_eq!(plan.peers[2].addresses, [IpAddr::from([10, 0, 0, 3])]);
}

#[test]
fn reads_every_key() {
    let plan =
        Plan::from_toml("every-key", EVERY_KEY).unwrap_or_else(|error| panic!("{:?}", error.problems()));
    let caller = &plan.peers[0];
    let halves = [(caller.access.up, 20, 0.05), (caller.access.down, 15, 0.25)];
    for (half, delay_ms, loss) in halves {
        let bursts = half.bursts.expect("losses in bursts");
        assert_eq!((half.delay.as_millis(), half.loss.get()), (delay_ms, 0.0));
        assert!((bursts.mean_loss().get() - loss).abs() < 1e-9, "{bursts:?}");
        assert!((1.0 / bursts.to_good.get() - 3.0).abs() < 1e-9, "{bursts:?}");
    }
    assert_eq!(caller.media.video, VideoPlan::Disabled);
    assert_eq!((plan.signaller.delays[0].nth, plan.signaller.delays.len()), (Some(2), 2));
    assert_eq!(plan.steps.len(), 18);
    assert_eq!(plan.steps[1].action, Action::LinkDown { host: "signaller".into() });
    assert!(matches!(plan.steps[6].action, Action::NegotiationNeeded { times: 5, .. }));
    let expect = &plan.expect;
    assert_eq!(expect.paths, [PathWord::Host, PathWord::None]);
    assert_eq!(expect.offers, Some(CountRange { at_least: 1, at_most: Some(1) }));
    let pairs =
        FlowExpect::Only(vec![("caller".into(), "callee".into()), ("callee".into(), "caller".into())]);
    assert_eq!(expect.media[2].flow, pairs);
    assert_eq!((expect.never.len(), expect.sequences.len(), expect.milestones.len()), (3, 5, 3));
    assert_eq!(expect.milestones[2].peer, Some("caller".into()));
    assert_eq!(expect.milestones[2].milestone, Milestone::Connected);
    assert!(expect.waived.contains_key(&AlwaysOn::NoCandidateLost));
    assert_eq!(expect.rates[&Outcome::ConnectTimeout].at_most.get(), 0.1);
}

#[test]
fn reads_a_network() {
    let plan = Plan::from_toml("every-key", EVERY_KEY).expect("a good file");
    let names: Vec<&str> = plan.gateways.iter().map(|gateway| gateway.name.as_str()).collect();
    let own = ["home", "caller/gateway", "callee/gateway", "callee/gateway-2", "caller/gateway-2"];
    assert_eq!(names, own);
    let [home, caller, inner, outer, moved] = plan.gateways.as_slice() else { panic!("five gateways") };
    let public = |gateway: &Gateway| gateway.nat.as_ref().expect("a NAT").public[0].to_string();
    assert_eq!(
        [home, caller, inner, outer].map(public),
        ["203.0.113.50", "203.0.113.99", "100.64.0.1", "203.0.113.1"]
    );
    assert_eq!((home.inside.len(), outer.inside[0].as_str(), moved.inside.len()), (2, "callee/gateway", 0));
    let nat = inner.nat.as_ref().expect("a NAT");
    assert_eq!((nat.mapping, nat.filtering), (Dependence::AddressDependent, Dependence::EndpointIndependent));
    assert_eq!((nat.timeouts.udp.as_secs(), nat.port_range.last), (30, 3000));
    let [third, fourth] = [&plan.peers[2], &plan.peers[3]];
    assert_eq!(third.addresses, [IpAddr::from([10, 0, 0, 3])]);
    assert_eq!(
        third.access.up.rate.map(|rate| (rate.bps.get(), rate.queue)),
        Some((8_000_000, QueueLimit::Bytes(65_536)))
    );
    let slow = QueueLimit::Time(Duration::from_millis(50));
    assert_eq!(third.access.down.rate.map(|rate| (rate.bps.get(), rate.queue)), Some((8_000_000, slow)));
    assert_eq!(third.access.down.bursts.map(|bursts| bursts.to_good.get()), Some(0.3));
    assert_eq!((fourth.ice_servers.len(), plan.peers[0].ice_servers.len()), (2, 2));
    let schedule = plan.peers[0].schedule.as_ref().expect("a schedule");
    assert_eq!(schedule.ending, Ending::RepeatEvery(Duration::from_secs(26)));
    let up: Vec<bool> = schedule.steps.iter().map(|(_, access)| access.up.up).collect();
    assert_eq!(up, [true, false, true]);
    let turn = &plan.ice_servers[1];
    assert_eq!(
        (turn.relay_ports.clone(), turn.quota, turn.mood.liveness),
        (50_000..=50_100, Some(4), Liveness::Dead)
    );
}

#[test]
fn a_handover_leads_to_a_network_of_its_own_and_back() {
    let plan = Plan::from_toml("every-key", EVERY_KEY).expect("a good file");
    let handovers = plan.steps.iter().filter_map(|step| match &step.action {
        Action::Handover { handover, .. } => Some(handover),
        _ => None,
    });
    let moves: Vec<_> = handovers.collect();
    let [there, back] = moves.as_slice() else { panic!("two handovers") };
    assert_eq!(there.to.gateway.as_ref().map(Name::as_str), Some("caller/gateway-2"));
    assert_eq!(there.transition, Transition::Gap(Duration::from_millis(800)));
    assert_eq!(back.to.gateway.as_ref().map(Name::as_str), Some("caller/gateway"));
    assert_eq!(back.to.addresses, plan.peers[0].addresses);
    assert_ne!(there.to.addresses, back.to.addresses);
}

/// What is said of both ways holds for each until it says something else, the profile's words before all.
#[test]
fn what_is_said_of_one_way_completes_what_is_said_of_both() {
    let text = SMALL.replace(
        "[peers.callee]",
        "[peers.callee]\nlink = { loss = \"4%\", burst = 2, rate = \"1Mbps\", up = { loss = \"1%\" }, down = { bursts = { to-bad = 0.1, to-good = 0.5 } } }",
    );
    let plan = Plan::from_toml("links", &text).expect("a good file");
    let Access { up, down } = plan.peers[1].access;
    let [up_bursts, down_bursts] = [up, down].map(|half| half.bursts.expect("bursts"));
    assert!((up_bursts.mean_loss().get() - 0.01).abs() < 1e-9 && up.loss == Probability::ZERO);
    assert_eq!((down_bursts.to_bad.get(), down.loss), (0.1, Probability::ZERO));
    assert_eq!([up.rate, down.rate].map(|rate| rate.map(|rate| rate.bps.get())), [Some(1_000_000); 2]);
}

#[test]
fn loads_a_directory_by_name_and_reports_all_bad_files() {
    let root = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| {
        let path = root.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        std::fs::write(path, text).expect("a file");
    };
    assert!(matches!(load_dir(root.path()), Err(LoadError::Nothing { .. })));
    write("ringing/busy.toml", SMALL);
    write("happy/small.toml", SMALL);
    write("schema.json", "{}");
    let plans = load_dir(root.path()).expect("two scenarios");
    let names: Vec<&str> = plans.iter().map(|plan| plan.name.as_str()).collect();
    assert_eq!(names, ["happy/small", "ringing/busy"]);
    write("loss/bad.toml", "version = 1");
    write("loss/worse.toml", "versi");
    match load_dir(root.path()) {
        Err(LoadError::Format(errors)) => assert_eq!(errors.len(), 2),
        other => panic!("{other:?}"),
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        let _ = Plan::from_toml("any", &text).map_err(|error| error.lines().collect::<Vec<_>>());
    }

    /// Bytes replaced, cut out and doubled anywhere in a file that uses every key.
    #[test]
    fn no_change_to_a_good_file_makes_it_panic(
        start in 0..EVERY_KEY.len(),
        length in 0usize..60,
        insert in "[a-z0-9\"={}\\[\\],.% \n-]{0,12}",
    ) {
        let end = (start + length).min(EVERY_KEY.len());
        let text = format!("{}{insert}{}", &EVERY_KEY[..start], &EVERY_KEY[end..]);
        if let Err(error) = Plan::from_toml("mutated", &text) {
            prop_assert!(!error.problems().is_empty());
            for problem in error.problems() {
                let (line, column) = error.position(problem);
                prop_assert!(line >= 1 && column >= 1 && line <= text.lines().count() + 1);
            }
            let mut out = String::new();
            let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor());
            handler.render_report(&mut out, &error).expect("writes to a string");
        }
    }

    /// Whatever is accepted fulfils what the rest of the crate relies on.
    #[test]
    fn what_is_accepted_is_sound(at in 0u64..100_000, loss in 0.0f64..1.5, last in 1u8..=255) {
        let text = SMALL
            .replace("at = \"1s\"", &format!("at = \"{at}ms\""))
            .replace("[peers.callee]", &format!("[peers.callee]\naddress = \"10.0.0.{last}\"\nlink = {{ loss = {loss:.3} }}"));
        let good = at < 60_000 && loss < 1.0005 && last != 255 && last != 1;
        prop_assert_eq!(Plan::from_toml("sound", &text).is_ok(), good, "{}", text);
    }
}
