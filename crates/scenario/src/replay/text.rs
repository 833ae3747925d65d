//! The scenario file of a captured call: what is played, and what `--save-scenario` writes.

use std::{fmt::Write as _, time::Duration};

use capture::{
    Outcome, Trace,
    audit::{Finding, verdict},
    trace::is_closed,
};
use timeline::Machine;

use super::script::{Doing, Driver, Part, Script};
use crate::plan::{ApiCall, LocalWord, Plan};

/// What a lost connection takes in our stack to fail for good, and a margin.
const UNTIL_FAILED: Duration = Duration::from_secs(60);

/// The file.
pub(super) fn toml(script: &Script, trace: &Trace, findings: &[Finding]) -> String {
    let mut out = "#:schema ../schema.json\nversion = 1\n".to_owned();
    let summary = format!("A captured call, played again: {}", verdict(trace, findings));
    let _ = writeln!(out, "summary = {}", quoted(&summary));
    let _ = writeln!(out, "deadline = \"{}ms\"", deadline(script).as_millis());
    // The messages have their captured times.
    out.push_str("stagger = \"0ms\"\n");
    if let Some(budget) = event_budget(deadline(script)) {
        let _ = writeln!(out, "event-budget = {budget}");
    }
    for assumption in &script.assumptions {
        let _ = writeln!(out, "# {}", one_line(assumption));
    }
    peers(&mut out, script);
    signaller(&mut out, script);
    for (needed, name) in [(script.needs_stun && !script.needs_turn, "stun"), (script.needs_turn, "turn")] {
        if needed {
            let link = link(script.delay);
            let _ = writeln!(out, "\n[ice-servers.{name}]\nkind = \"{name}\"\n{link}");
        }
    }
    steps(&mut out, script);
    expect(&mut out, script, trace);
    out
}

fn deadline(script: &Script) -> Duration {
    let last = script.steps.last().map_or(script.dial, |(at, _)| *at);
    last + script.patience + UNTIL_FAILED
}

/// A long call takes more events than a scenario has by default.
fn event_budget(deadline: Duration) -> Option<u64> {
    const A_SECOND: u64 = 20_000;
    let needed = deadline.as_secs().saturating_mul(A_SECOND).min(1_000_000_000);
    (needed > Plan::DEFAULT_EVENT_BUDGET).then_some(needed)
}

fn link(delay: Duration) -> String {
    format!("link = {{ delay = \"{}ms\" }}", delay.as_millis())
}

fn peers(out: &mut String, script: &Script) {
    for part in &script.peers {
        let _ = writeln!(out, "\n[peers.{}]\n{}", part.name, link(script.delay));
        // The processing of messages is part of the captured delays.
        let _ = writeln!(out, "device = \"desktop\"");
        if script.driver == Driver::Engine {
            engine(out, script, part);
        }
        if part.relay_only {
            out.push_str("ice-transport-policy = \"relay\"\n");
        }
        if part.refused {
            out.push_str("turn-credentials = \"wrong\"\n");
        }
    }
}

/// What only an engine needs to know.
fn engine(out: &mut String, script: &Script, part: &Part) {
    let _ = writeln!(out, "media = {}", quoted(part.media));
    let patience = script.patience.as_millis();
    let _ = writeln!(out, "ring-timeout = \"{patience}ms\"\nconnect-timeout = \"{patience}ms\"");
    if script.data_channels {
        out.push_str("data-channels = true\n");
    }
}

fn signaller(out: &mut String, script: &Script) {
    out.push_str("\n[signaller]\nlink = { delay = \"0ms\" }\n");
    if !script.delays.is_empty() {
        out.push_str("delays = [\n");
        for delay in &script.delays {
            let (message, from, by) = (delay.message, &delay.from, delay.by.as_millis());
            let _ = writeln!(out, "    {{ message = \"{message}\", from = \"{from}\", by = \"{by}ms\" }},");
        }
        out.push_str("]\n");
    }
    if !script.drops.is_empty() {
        out.push_str("faults = [\n");
        for drop in &script.drops {
            let _ = writeln!(out, "    {{ drop = \"{}\", from = \"{}\" }},", drop.message, drop.from);
        }
        out.push_str("]\n");
    }
}

fn steps(out: &mut String, script: &Script) {
    let [caller, callee] = &script.peers;
    if script.driver == Driver::Engine {
        let (dial, callee) = (script.dial.as_millis(), quoted(&callee.name));
        let _ = writeln!(out, "\n[[steps]]\nat = \"{dial}ms\"\n{} = {{ dial = {callee} }}", caller.name);
    }
    for (at, doing) in &script.steps {
        let _ = writeln!(out, "\n[[steps]]\nat = \"{}ms\"", at.as_millis());
        let _ = match doing {
            Doing::HangUp(who) => writeln!(out, "{who} = \"hang-up\""),
            Doing::SetVideo(who, true) => writeln!(out, "{who} = \"enable-video\""),
            Doing::SetVideo(who, false) => writeln!(out, "{who} = \"disable-video\""),
            Doing::LinkDown(host) => writeln!(out, "network = {{ link-down = {} }}", quoted(host)),
            Doing::Api(who, call) => writeln!(out, "{who} = {}", api(call)),
            Doing::LinkUp(host) => writeln!(out, "network = {{ link-up = {} }}", quoted(host)),
        };
    }
}

/// A call of the API, as the format has it.
fn api(call: &ApiCall) -> String {
    match call {
        ApiCall::AddTrack(kind) => format!("{{ add-track = \"{kind}\" }}"),
        ApiCall::RemoveTrack(kind) => format!("{{ remove-track = \"{kind}\" }}"),
        ApiCall::CreateDataChannel => "\"create-data-channel\"".to_owned(),
        ApiCall::RestartIce => "\"restart-ice\"".to_owned(),
        ApiCall::SetLocalDescription(word) => format!("{{ set-local-description = \"{word}\" }}"),
        ApiCall::SetRemoteDescription { nth, sdp: None } => {
            format!("{{ set-remote-description = {{ nth = {nth} }} }}")
        }
        ApiCall::SetRemoteDescription { nth, sdp: Some(sdp) } => {
            format!("{{ set-remote-description = {{ nth = {nth}, sdp = {} }} }}", lines(sdp))
        }
        ApiCall::AddIceCandidate { nth } => format!("{{ add-ice-candidate = {{ nth = {nth} }} }}"),
        ApiCall::Close => "\"close\"".to_owned(),
    }
}

/// A text of several lines, on as many lines.
fn lines(text: &str) -> String {
    let mut out = "\"\"\"\n".to_owned();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let quoted = quoted(line.trim_end());
        // Within three quotation marks, one stands for itself; within one kind, neither kind does harm escaped.
        let within = match quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Some(within) => within.to_owned(),
            None => line.trim_end().replace('\\', "\\\\").replace('"', "\\\""),
        };
        out.push_str(&within);
        out.push('\n');
    }
    out + "\"\"\""
}

/// What was captured is what must hold.
fn expect(out: &mut String, script: &Script, trace: &Trace) {
    let offers = match script.driver {
        Driver::Engine => 1,
        Driver::Applications => {
            let offer = ApiCall::SetLocalDescription(LocalWord::Offer);
            script
                .steps
                .iter()
                .filter(|(_, doing)| matches!(doing, Doing::Api(_, call) if *call == offer))
                .count()
        }
    };
    let _ = writeln!(out, "\n[expect]\noffers = {offers}");
    let outcome = match (trace.outcome(), script.driver) {
        (Outcome::Connected, Driver::Engine) => "\"connected\"",
        (Outcome::Connected, Driver::Applications) => "[\"connected\", \"connected-without-media\"]",
        (Outcome::Disconnected | Outcome::Failed, _) => "[\"connection-lost\", \"connection-failed\"]",
        (Outcome::NeverConnected, _) => {
            "[\"hung-up-early\", \"cancelled\", \"connect-timeout\", \"connection-failed\"]"
        }
        (Outcome::Unknown, _) => "",
    };
    if !outcome.is_empty() {
        let _ = writeln!(out, "outcome = {outcome}");
    }
    let mut sequences = String::new();
    for peer in &trace.peers {
        let Some((part, connection)) = script.part(&peer.id).zip(peer.connections.first()) else { continue };
        for machine in [Machine::Signaling, Machine::Connection] {
            let states = connection.transitions(machine).map(|(_, state)| state);
            let states = states.filter(|state| !is_closed(*state));
            let states: Vec<String> = states.map(|state| quoted(state.as_str())).collect();
            if !states.is_empty() {
                let (name, states) = (&part.name, states.join(", "));
                let _ = writeln!(sequences, "    {{ peer = \"{name}\", {machine} = [{states}] }},");
            }
        }
    }
    if !sequences.is_empty() {
        let _ = writeln!(out, "sequence = [\n{sequences}]");
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(one_line(text)).to_string()
}

fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}
