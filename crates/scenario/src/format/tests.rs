//! The reader on good text, on bad text, and on any text.

use std::{net::IpAddr, time::Duration};

use ::signaller::{
    Kind,
    relay::{Fault, FaultRule, RestFault, RestRequest, WebSocketFault, Window},
};
use call_engine::Recovery;
use miette::{GraphicalReportHandler, GraphicalTheme};
use proptest::prelude::*;

use super::*;
use crate::plan::{
    Access, Action, Admission, AlwaysOn, Command, CountRange, DEFAULT_ACCESS, Dependence, Ending, EnginePlan,
    Escapes, FaultsPlan, Flaw, FlowExpect, Gateway, GuardPlan, Liveness, MediaPlan, Milestone, OnRing,
    Outcome, Path, Probability, QueueLimit, SignalingPlan, SignallerChange, SignallerPlan, StoreFate,
    Transition, TransportPlan, VideoPlan,
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

/// Each key of the file that has them all, misspelt: one mistake is one problem, which shows the word and the one that
/// was meant.
#[test]
fn a_misspelt_key_is_one_problem() {
    let mut wrong = Vec::new();
    for (at, key) in keys(EVERY_KEY) {
        let last = key.chars().last().expect("a key has letters");
        let misspelt = format!("{key}{last}");
        let text = format!("{}{misspelt}{}", &EVERY_KEY[..at], &EVERY_KEY[at + key.len()..]);
        let said: Vec<String> = match Plan::from_toml("theme/misspelt", &text) {
            Ok(_) => vec!["nothing".to_owned()],
            Err(error) => error.lines().collect(),
        };
        if !matches!(said.as_slice(), [one] if one.contains(&misspelt) && one.contains(&format!("did you mean `{key}`")))
        {
            wrong.push(format!("{misspelt}: {said:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{} keys:\n{}", wrong.len(), wrong.join("\n"));
}

/// What stands before an equals sign, and where.
fn keys(text: &str) -> Vec<(usize, &str)> {
    let before = |(at, _): (usize, &str)| {
        let start = text[..at]
            .rfind(|letter: char| !(letter.is_ascii_lowercase() || letter == '-' || letter == '_'))?;
        Some((start + 1, &text[start + 1..at])).filter(|(_, key)| !key.is_empty())
    };
    text.match_indices(" = ").filter_map(before).collect()
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
check_broken!(calls_of_the_api_beside_an_engine, "caller = { dial = \"callee\" }" => "caller = { dial = \"callee\" }\n[[steps]]\nat = \"2s\"\ncaller = \"close\"");
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
check_broken!(unknown_transport,
    "[peers.callee]" => "[peers.callee]\nsignaling = \"websockets\"");
check_broken!(unknown_client_setting,
    "[peers.callee]" => "[peers.callee]\nsignaling = { hartbeat = \"1s\", backoff = { first = \"0s\" } }");
check_broken!(unknown_fault,
    "[[steps]]" => "[signaller]\nfaults = [{ websocket = \"refuse\" }, { drop = \"ansewr\" }, { rest = \"slo\" }]\n[[steps]]");
check_broken!(fault_of_two_kinds,
    "[[steps]]" => "[signaller]\nfaults = [{ drop = \"answer\", rest = \"slow\" }, { websocket = \"cut\" }]\n[[steps]]");
check_broken!(fault_with_a_key_of_another,
    "[[steps]]" => "[signaller]\nfaults = [{ drop = \"answer\", peer = \"callee\", ends = \"0s\" }]\n[[steps]]");
check_broken!(unknown_signaller_action,
    "[expect]" => "[[steps]]\nat = \"2s\"\nsignaller = \"reboot\"\n\n[expect]");
check_broken!(power_on_with_power,
    "[expect]" => "[[steps]]\nat = \"2s\"\nsignaller = \"power-on\"\n\n[expect]");
check_broken!(tokens_on_a_stream,
    "[[steps]]" => "[signaller]\nadmission = \"token\"\n[[steps]]");
check_broken!(tokens_for_two_calls,
    "[[steps]]" => "[signaller]\ntransport = \"rest\"\nadmission = \"token\"\n[[steps]]\nat = \"0s\"\ncallee = { dial = \"caller\" }\n\n[[steps]]");
check_broken!(unknown_guard, "[expect]" => "[engine]\nhold_early_candidate = false\n\n[expect]");
check_broken!(unknown_guard_and_check,
    "[expect]" => "[guard]\noff = \"dtls_dedline\"\nfails = [\"outcom\", \"rate\"]\n\n[expect]");
check_broken!(guard_without_checks, "[expect]" => "[guard]\noff = \"dtls_deadline\"\nfails = []\n\n[expect]");
check_broken!(guard_that_is_off_already,
    "[expect]" => "[engine]\ndtls_deadline = false\n[guard]\noff = \"dtls_deadline\"\nfails = \"outcome\"\n\n[expect]");
check_broken!(a_rung_that_is_true, "[peers.callee]" => "[peers.callee]\nrecovery = { ice-restart = true }");
check_broken!(misspelt_action, "dial = \"callee\"" => "dail = \"callee\"");
check_broken!(misspelt_reaction, "[peers.callee]" => "[peers.callee]\non-ring = { acept-after = \"2s\" }");
check_broken!(engine_settings_beside_a_program,
    "[peers.callee]" => "[peers.callee]\nrecovery = true\nprogram = \"my-app\"\nring-timeout = \"3s\"");
check_broken!(a_task_for_an_engine,
    "caller = {" => "callee = { do = \"press the red button\" }\ncaller = {");
check_broken!(calls_of_the_api_by_a_program,
    "[peers.callee]" => "program = \"my-app\"\n[peers.callee]\n[[steps]]\nat = \"0s\"\ncaller = \"close\"\n");
check_broken!(unknown_answer_to_escapes, "version = 1" => "version = 1\nescapes = \"ignore\"");
check_broken!(several_at_once,
    "[peers.callee]" => "[peers.callee]\ndevice = \"fridge\"\nlink = { dealy = \"1s\", loss = 2 }");

#[test]
fn fills_in_the_defaults() {
    let plan = Plan::from_toml("happy/small", SMALL).expect("a good file");
    assert_eq!((plan.name.as_str(), plan.seeds, plan.deadline.as_secs()), ("happy/small", 20, 60));
    let [caller, callee] = plan.peers.as_slice() else { panic!("two peers") };
    assert_eq!((caller.name.as_str(), callee.name.as_str()), ("caller", "callee"));
    assert_eq!(callee.addresses, [IpAddr::from([10, 0, 0, 2])]);
    assert_eq!(plan.signaller.addresses, [IpAddr::from([10, 0, 1, 1])]);
    assert_eq!((callee.access, callee.media), (DEFAULT_ACCESS, MediaPlan::AUDIO_VIDEO));
    assert_eq!(callee.on_ring, OnRing::Accept { after: Duration::ZERO });
    assert_eq!(plan.expect.outcomes, [Outcome::Connected]);
}

#[test]
fn programs_need_not_dial() {
    let acts = SMALL.replace("{ dial = \"callee\" }", "{ do = \"wave\" }");
    let one = acts.replace("[peers.caller]", "[peers.caller]\nprogram = \"mine\"");
    let error = Plan::from_toml("one-program", &one).expect_err("an engine that never dials");
    assert_eq!(error.problems()[0].kind, ProblemKind::Plan(Flaw::NoDial));
    let both = one.replace("[peers.callee]", "[peers.callee]\nprogram = \"theirs\"");
    let plan = Plan::from_toml("two-programs", &both).expect("a good file");
    assert_eq!(plan.steps[0].action.to_string(), "does: wave");
    assert_eq!(plan.escapes(), Escapes::Fail);
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
    check_signalling(&plan);
    assert_eq!((plan.escapes, plan.steps.len()), (Escapes::Note, 42));
    assert_eq!(plan.peers[7].program.as_deref(), Some("my-app"));
    let does = Action::command("eighth", Command::Do("press the red button".to_owned()));
    assert_eq!(
        (plan.steps[40].action.to_string().as_str(), &plan.steps[40].action),
        ("does: press the red button", &does)
    );
    assert_eq!(
        plan.steps[1].action,
        Action::command("seventh", Command::Join { room: "standup".to_owned() })
    );
    assert_eq!(plan.steps[2].action, Action::command("seventh", Command::Leave));
    assert_eq!(plan.steps[3].action, Action::LinkDown { host: "signaller".into() });
    assert!(matches!(
        plan.steps[8].action,
        Action::Command { command: Command::NegotiationNeeded { times: 5 }, .. }
    ));
    let expect = &plan.expect;
    assert_eq!(expect.paths, [Path::Host, Path::None]);
    assert_eq!(expect.offers, Some(CountRange { at_least: 1, at_most: Some(1) }));
    let pairs =
        FlowExpect::Only(vec![("caller".into(), "callee".into()), ("callee".into(), "caller".into())]);
    assert_eq!(expect.media[2].flow, pairs);
    assert_eq!(expect.data[0].refused, Some(CountRange { at_least: 0, at_most: Some(3) }));
    assert_eq!((expect.data[1].from.as_str(), expect.data[1].messages), ("callee", None));
    let statistics = expect.peers["caller"].statistics.expect("expected of the statistics");
    assert_eq!(statistics.received_bps, Some(CountRange { at_least: 30_000, at_most: None }));
    assert_eq!((expect.never.len(), expect.sequences.len(), expect.milestones.len()), (3, 5, 3));
    assert_eq!(expect.milestones[2].peer, Some("caller".into()));
    assert_eq!(expect.milestones[2].milestone, Milestone::Connected);
    assert!(expect.waived.contains_key(&AlwaysOn::NoCandidateLost));
    assert_eq!(expect.rates[&Outcome::ConnectTimeout].at_most.get(), 0.1);
}

/// Two people, and `steps` instead of a call.
#[track_caller]
fn check_rooms(steps: &str, expect: &[&str]) {
    let text = format!(
        "version = 1\nsummary = \"Rooms.\"\n[peers.alice]\n[peers.bob]\n{steps}\n[expect]\n\
         media = [{{ audio = \"among alice, bob\" }}]\n"
    );
    let problems = match Plan::from_toml("rooms", &text) {
        Ok(plan) => {
            let both = vec![("alice".into(), "bob".into()), ("bob".into(), "alice".into())];
            assert_eq!(plan.expect.media[0].flow, FlowExpect::Only(both));
            Vec::new()
        }
        Err(error) => error.problems().iter().map(|problem| problem.kind.to_string()).collect(),
    };
    assert_eq!(problems.len(), expect.len(), "{problems:?}");
    assert!(problems.iter().zip(expect).all(|(found, wanted)| found.contains(wanted)), "{problems:?}");
}

#[test]
fn who_joins_calls_of_several_has_no_others() {
    let join = "[[steps]]\nat = \"1s\"\nalice = { join = \"standup\" }\nbob = { join = \"standup\" }\n";
    check_rooms(join, &[]);
    let dial = "[[steps]]\nat = \"2s\"\nbob = { dial = \"alice\" }";
    check_rooms(&format!("{join}{dial}"), &["can neither dial nor be dialled"]);
    check_rooms(&format!("{dial}\nalice = \"leave\""), &["alice leaves, and joins nothing"]);
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

#[track_caller]
fn check_signalling(plan: &Plan) {
    let ms = Duration::from_millis;
    let SignalingPlan { transport, client, .. } = &plan.peers[0].signaling;
    assert_eq!(*transport, Some(TransportPlan::WebSocketWithFallback));
    let waits = [client.connect_within, client.upgrade_within, client.welcome_within, client.heartbeat];
    assert_eq!(waits.map(|wait| wait.as_secs()), [9, 4, 3, 20]);
    let waits = [client.heartbeat_within, client.cuts_within, client.poll_wait, client.answer_within];
    assert_eq!(waits.map(|wait| wait.as_secs()), [8, 30, 20, 7]);
    assert_eq!((client.acknowledge_within, client.acknowledge_every), (ms(100), 16));
    assert_eq!((client.longest_retry_after, client.flush_within), (ms(30_000), ms(1000)));
    assert_eq!((client.backoff.first, client.backoff.longest), (ms(250), ms(10_000)));
    assert_eq!((client.probe.first, client.probe.longest), (ms(10_000), ms(300_000)));
    assert_eq!((client.attempts, client.cuts), (Some(50), 2));
    assert_eq!((client.queue, client.events, client.message_bytes), (100, 101, 50_000));
    assert_eq!(plan.peers[1].signaling.transport, Some(TransportPlan::Rest));
    let SignallerPlan { transport, faults, limits, http, .. } = &plan.signaller;
    assert_eq!(*transport, TransportPlan::WebSocket);
    let sizes = [limits.message_bytes, limits.queue, limits.participants, limits.replies, limits.calls];
    assert_eq!(sizes, [40_000, 10, 11, 12, 13]);
    assert_eq!((http.poll_bytes, http.connections, limits.idle), (14_000, 15, ms(300_000)));
    let waits = [http.longest_poll_wait, http.head_within, http.body_within, http.silence, http.stop_within];
    assert_eq!(waits.map(|wait| wait.as_secs()), [40, 20, 6, 50, 4]);
    check_faults(faults);
}

#[track_caller]
fn check_faults(faults: &FaultsPlan) {
    let ms = Duration::from_millis;
    let [dropped, duplicated, delayed, reordered] = faults.messages.as_slice() else { panic!("four") };
    let window = Window { from: ms(1000), until: Some(ms(2000)) };
    let (message, from) = (Some(Kind::Answer), Some("callee".into()));
    assert_eq!(*dropped, FaultRule { message, from, nth: Some(2), window, fault: Fault::Drop });
    assert_eq!((duplicated.message, duplicated.fault), (Some(Kind::Candidate), Fault::Duplicate));
    assert_eq!(*delayed, FaultRule::all(Fault::Delay(ms(1000))));
    assert_eq!(reordered.fault, Fault::Reorder { within: ms(1000) });
    let websocket = &faults.endpoints.websocket;
    assert_eq!((websocket[0].from.clone(), websocket[0].nth), (Some("caller".into()), Some(1)));
    assert_eq!(
        websocket.iter().map(|rule| rule.fault).collect::<Vec<_>>(),
        [
            WebSocketFault::Refused { status: 401 },
            WebSocketFault::Hangs,
            WebSocketFault::CutAfter(ms(4000)),
            WebSocketFault::CutAfterBytes(5000),
            WebSocketFault::HalfOpenAfter(ms(3000)),
            WebSocketFault::Buffered { bytes: 4096, within: ms(2000) },
        ]
    );
    let rest: Vec<_> = faults.endpoints.rest.iter().map(|rule| (rule.request, rule.fault)).collect();
    assert_eq!(
        rest,
        [
            (Some(RestRequest::Poll), RestFault::TooManyRequests { retry_after: ms(5000) }),
            (Some(RestRequest::Post), RestFault::ServerError),
            (None, RestFault::AnswerLost),
            (None, RestFault::Slow(ms(3000))),
        ]
    );
}

#[test]
fn reads_what_an_engine_does() {
    let plan = Plan::from_toml("every-key", EVERY_KEY).expect("a good file");
    let recovery = plan.peers[0].engine.recovery.expect("it recovers");
    let ms = Duration::from_millis;
    assert_eq!((recovery.ice_restart, recovery.relay_restart), (Some(ms(5000)), None));
    assert_eq!(recovery.rebuilds.map(|rebuilds| (rebuilds.attempts, rebuilds.patience)), Some((3, ms(6000))));
    assert_eq!((plan.peers[1].engine, plan.guards.hold_early_candidates), (EnginePlan::default(), false));
    assert!(plan.guards.dtls_deadline);
    let fails = vec!["outcome".to_owned(), "milestone".to_owned()];
    assert_eq!(plan.guard, Some(GuardPlan { off: "dtls_deadline".to_owned(), fails }));
    let text = SMALL.replace("[peers.callee]", "[peers.callee]\nrecovery = true");
    let plan = Plan::from_toml("recovery", &text).expect("a good file");
    assert_eq!(plan.peers[1].engine.recovery, Some(Recovery::default()));
}

#[test]
fn a_profile_brings_its_signalling_along() {
    let text = SMALL.replace("[peers.callee]", "[peers.callee]\nprofile = \"hotel\"").replace(
        "[[steps]]",
        "[signaller]\nfaults = [{ websocket = \"hangs\", peer = \"caller\" }]\n[[steps]]",
    );
    let plan = Plan::from_toml("hotel", &text).expect("a good file");
    let rules: Vec<_> = plan
        .signaller
        .faults
        .endpoints
        .websocket
        .iter()
        .map(|rule| (rule.from.clone(), rule.fault))
        .collect();
    let cut = WebSocketFault::CutAfter(Duration::from_secs(60));
    assert_eq!(rules, [(Some("caller".into()), WebSocketFault::Hangs), (Some("callee".into()), cut)]);
}

#[test]
fn tokens_and_power_are_read() {
    let text = SMALL.replace(
        "[[steps]]",
        "[signaller]\ntransport = \"rest\"\nadmission = \"token\"\ntoken-lifetime = \"20s\"\n[[steps]]",
    );
    let text = text
        .replace("[expect]", "[[steps]]\nat = \"2s\"\nsignaller = \"power-off-losing-store\"\n\n[expect]");
    let plan = Plan::from_toml("tokens", &text).expect("a good file");
    assert_eq!(plan.signaller.admission, Admission::Token { lifetime: Duration::from_secs(20) });
    let change = SignallerChange::PowerOff { store: StoreFate::Lost };
    assert_eq!(plan.steps[1].action, Action::Signaller { host: "signaller".into(), change });
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
