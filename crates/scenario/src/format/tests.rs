//! The reader on bad text, and on any text.

mod reads;

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
