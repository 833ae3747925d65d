//! A script as a scenario file: what is played is what can be read, kept and played again.

use std::{collections::BTreeSet, fmt::Write as _};

use super::{
    model::{Endings, FAILED, RING_TIMEOUT, Who},
    script::{FIRST_DIAL, Fault, HANGS_UP_AFTER, Script, What},
};

/// The whole file, with what the model allows as its expectation.
pub(crate) fn scenario_file(script: &Script, allowed: Option<&BTreeSet<[Endings; 2]>>) -> String {
    let mut file = String::from(
        "#:schema ../schema.json\nversion = 1\nsummary = \"Found by the property test of how calls end.\"\n\
         deadline = \"15m\"\n",
    );
    for who in Who::BOTH {
        file += &peer(script, who);
    }
    let _ =
        writeln!(file, "\n[signaller]\nadmission = \"open\"\ntransport = \"{}\"", script.setting.transport);
    let mut steps = steps(script);
    steps.sort_by_key(|(at, _)| *at);
    for (at, action) in steps {
        let _ = writeln!(file, "\n[[steps]]\nat = \"{at}ms\"\n{action}");
    }
    file += "\n[expect.peers]\n";
    for who in Who::BOTH {
        if let Some(ends) = allowed.and_then(|allowed| last_ends(allowed, who)) {
            let _ = writeln!(file, "{} = {{ ends = [{ends}], state = \"ended\" }}", who.name());
        }
    }
    file
}

/// For which reasons the last call of `who` may end; `None` where there may have been none.
fn last_ends(allowed: &BTreeSet<[Endings; 2]>, who: Who) -> Option<String> {
    let last: Option<BTreeSet<&str>> =
        allowed.iter().map(|pair| pair[who as usize].last().copied()).collect();
    let words = last?.into_iter().map(|reason| match reason {
        FAILED => r#""connect-timeout", "connection-failed", "connection-lost""#.to_owned(),
        reason => format!("\"{reason}\""),
    });
    Some(words.collect::<Vec<_>>().join(", "))
}

fn peer(script: &Script, who: Who) -> String {
    let setting = &script.setting;
    let mut peer = format!(
        "\n[peers.{}]\nmedia = \"voice\"\nframe-rate = 1\non-ring = \"ignore\"\nring-timeout = \"{RING_TIMEOUT}ms\"\n\
         connect-timeout = \"6s\"\ndata-channels = true\n",
        who.name()
    );
    if setting.recovery {
        peer += "recovery = { disconnected-wait = \"1s\", checking = \"3s\", ice-restart = \"3s\", \
                 rebuild-within = \"3s\", rebuilds = 2, give-up = \"10s\" }\n";
    }
    if !setting.granted[who as usize] {
        peer += "permission = \"denied\"\n";
    }
    peer
}

/// Each step with its moment.
fn steps(script: &Script) -> Vec<(u32, String)> {
    let mut at = FIRST_DIAL;
    let mut steps = vec![(at, action(Who::Caller, r#"{ dial = "callee" }"#))];
    for next in &script.moves {
        at += next.wait;
        steps.push((at, step(&next.what)));
        if let What::Outage(who, Some(lasts)) = next.what {
            steps.push((at + lasts, format!("network = {{ link-up = \"{}\" }}", who.name())));
        }
    }
    steps.push((at + HANGS_UP_AFTER, action(script.setting.last, "\"hang-up\"")));
    steps
}

fn step(what: &What) -> String {
    match *what {
        What::Dial(who) => action(who, &format!("{{ dial = \"{}\" }}", who.other().name())),
        What::Accept(who) => action(who, "\"accept\""),
        What::Reject(who) => action(who, "\"reject\""),
        What::HangUp(who) => action(who, "\"hang-up\""),
        What::LosePermission(who) => action(who, "\"lose-permission\""),
        What::Change(who, change) => action(who, change),
        What::Outage(who, _) => format!("network = {{ link-down = \"{}\" }}", who.name()),
        What::Loss(who, percent) => {
            format!(
                "network = {{ set-link = {{ host = \"{}\", delay = \"10ms\", loss = \"{percent}%\" }} }}",
                who.name()
            )
        }
        What::Handover(who) => format!(
            "network = {{ handover = {{ peer = \"{}\", link = {{ delay = \"30ms\" }}, gap = \"300ms\" }} }}",
            who.name()
        ),
        What::Fault(fault) => format!("signaller = {{ faults = [{}] }}", fault_text(fault)),
        What::Restart => "signaller = \"restart\"".to_owned(),
    }
}

fn action(who: Who, what: &str) -> String {
    format!("{} = {what}", who.name())
}

fn fault_text(fault: Fault) -> String {
    match fault {
        Fault::None => String::new(),
        Fault::Drop(message) => format!("{{ drop = \"{message}\" }}"),
        Fault::Duplicate(message) => format!("{{ duplicate = \"{message}\" }}"),
        Fault::Delay(message, by) => format!("{{ delay = \"{message}\", by = \"{by}ms\" }}"),
        Fault::Reorder(within) => format!("{{ reorder = \"any\", within = \"{within}ms\" }}"),
        Fault::Cut => r#"{ websocket = "cut", after = "100ms" }"#.to_owned(),
    }
}
