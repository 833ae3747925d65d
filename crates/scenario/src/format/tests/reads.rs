//! The reader on good text: what each key means.

use super::*;

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
