//! The profiles for people, for the documentation and for machines.

use std::fmt::Write as _;

use scenario::{
    plan::{Dependence, Gateway, LinkModel, NatConfig},
    profile::{Figure, Profile, preface},
};
use serde::Serialize;
use timeline::{Column, Table, fit_lines};

use super::measure::{Calls, Measured};
use crate::typed;

const HEAD: [&str; 6] = ["profile", "device", "up", "down", "gateways", "what it is"];
const MEASURED_HEAD: [&str; 7] =
    ["profile", "to wifi: connected", "p50", "p95", "to the same: connected", "p50", "p95"];

/// A line each, of at most `width` cells of a terminal.
pub(super) fn lines(profiles: &[Profile], measured: Option<&[Measured]>, width: usize) -> String {
    let mut table = Table::new([
        Column::left(HEAD[0]),
        Column::left(HEAD[1]).wraps(8).may_go(2),
        Column::left(HEAD[2]).wraps(14).may_go(1),
        Column::left(HEAD[3]).wraps(14).may_go(1),
        Column::left(HEAD[4]).wraps(12),
        Column::left(HEAD[5]).wraps(18),
    ]);
    profiles.iter().for_each(|profile| table.push(line(profile)));
    let mut out = table.fit(width);
    if let Some(measured) = measured {
        let _ = write!(out, "\n{}", measured_table(measured).fit(width));
    }
    let _ = writeln!(out, "\n`{} NAME` shows every figure with its source", typed::command("profiles"));
    fit_lines(&out, width)
}

/// Every figure with its source, in lines of at most `width` cells of a terminal.
pub(super) fn figures(profiles: &[Profile], measured: Option<&[Measured]>, width: usize) -> String {
    let mut out = String::new();
    for profile in profiles {
        let _ = writeln!(out, "{}: {}\n", profile.name, profile.summary);
        let heads = [("figure", 12), ("value", 12), ("source", 24)];
        let mut table = Table::new(heads.map(|(head, least)| Column::left(head).wraps(least)));
        for Figure { key, value, source } in &profile.figures {
            table.push([key, value, source].map(Clone::clone));
        }
        let _ = writeln!(out, "{}", table.fit(width));
    }
    if let Some(measured) = measured {
        out += &measured_table(measured).fit(width);
    }
    fit_lines(&out, width)
}

fn measured_table(measured: &[Measured]) -> Table {
    let columns = MEASURED_HEAD.iter().enumerate().map(|(index, head)| match index {
        0 => Column::left(*head),
        // Of the two percentiles the upper goes first, then calls towards the same profile.
        3 | 6 => Column::right(*head).may_go(2),
        _ => Column::right(*head).wraps(12),
    });
    let mut table = Table::new(columns);
    measured.iter().for_each(|measured| table.push(measured_line(measured)));
    table
}

/// The page of the documentation.
pub(super) fn markdown(profiles: &[Profile], measured: Option<&[Measured]>) -> String {
    let mut out = String::from(
        "# Profiles\n\nWritten by `cargo xtask profiles --measure --format markdown --out docs/profiles.md`; the figures stand in\n\
         `crates/scenario/profiles.toml`.\n\n",
    );
    push_markdown_table(&mut out, &HEAD, profiles.iter().map(line));
    if let Some(measured) = measured {
        out.push_str("\n## How calls fare\n\n");
        let calls = measured.first().map_or(0, |first| first.to_wifi.calls);
        let _ = writeln!(
            out,
            "Voice calls with a STUN and TURN server, {calls} seeds each, towards somebody on `wifi` and towards\n\
             somebody on the same profile. Set-up in virtual milliseconds from the dial until both sides are connected, of\n\
             the calls that connect. Same seeds, same figures.\n",
        );
        push_markdown_table(&mut out, &MEASURED_HEAD, measured.iter().map(measured_line));
    }
    let _ = writeln!(out, "\n## How to read a figure, and the sources by name\n\n```\n{}```", preface());
    for profile in profiles {
        let _ = writeln!(out, "\n## {}\n\n{}\n", profile.name, profile.summary);
        let rows = profile
            .figures
            .iter()
            .map(|Figure { key, value, source }| [key, value, source].map(Clone::clone));
        push_markdown_table(&mut out, &["figure", "value", "source"], rows);
    }
    out
}

#[derive(Serialize)]
struct JsonProfiles<'a> {
    schema: u32,
    command: &'static str,
    profiles: Vec<JsonProfile<'a>>,
}

#[derive(Serialize)]
struct JsonProfile<'a> {
    name: &'a str,
    summary: &'a str,
    device: &'static str,
    figures: Vec<JsonFigure<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    measured: Option<&'a Measured>,
}

#[derive(Serialize)]
struct JsonFigure<'a> {
    key: &'a str,
    value: &'a str,
    source: &'a str,
}

/// One object, with a newline at the end.
pub(super) fn json(profiles: &[Profile], measured: Option<&[Measured]>) -> anyhow::Result<String> {
    let one = |(index, profile)| json_profile(profile, measured.and_then(|measured| measured.get(index)));
    let profiles = profiles.iter().enumerate().map(one).collect();
    Ok(serde_json::to_string_pretty(&JsonProfiles { schema: 1, command: "profiles", profiles })? + "\n")
}

fn json_profile<'a>(profile: &'a Profile, measured: Option<&'a Measured>) -> JsonProfile<'a> {
    let figure =
        |figure: &'a Figure| JsonFigure { key: &figure.key, value: &figure.value, source: &figure.source };
    JsonProfile {
        name: &profile.name,
        summary: &profile.summary,
        device: profile.device.as_str(),
        figures: profile.figures.iter().map(figure).collect(),
        measured,
    }
}

fn line(profile: &Profile) -> [String; 6] {
    [
        profile.name.clone(),
        profile.device.to_string(),
        link(&profile.access.up),
        link(&profile.access.down),
        profile.gateways.iter().map(gateway).collect::<Vec<_>>().join(", then "),
        profile.summary.clone(),
    ]
}

/// `35 ms + 8, 0.5 %, 8 Mbit/s`: delay, what varies, mean loss, rate.
fn link(link: &LinkModel) -> String {
    use scenario::plan::Spread;
    let ms = |duration: std::time::Duration| duration.as_secs_f64() * 1e3;
    let mut text = format!("{} ms", ms(link.delay));
    if !link.jitter.is_zero() {
        let _ = write!(text, " + {}", ms(link.jitter));
    }
    match link.spread {
        Spread::None => {}
        Spread::Normal { sigma } => {
            let _ = write!(text, " ± {}", ms(sigma));
        }
        Spread::HeavyTail { scale, .. } => {
            let _ = write!(text, " + tail {}", ms(scale));
        }
    }
    let loss = link.loss.get() + link.bursts.map_or(0.0, |bursts| bursts.mean_loss().get());
    if loss > 0.0 {
        let _ = write!(text, ", {} %", (loss * 1e4).round() / 100.0);
    }
    if let Some(rate) = link.rate {
        let bps = rate.bps.get();
        let _ = match bps {
            1_000_000.. if bps % 1_000_000 == 0 => write!(text, ", {} Mbit/s", bps / 1_000_000),
            1_000_000.. => write!(text, ", {}.{} Mbit/s", bps / 1_000_000, bps % 1_000_000 / 100_000),
            _ => write!(text, ", {} kbit/s", bps / 1000),
        };
    }
    text
}

fn gateway(gateway: &Gateway) -> String {
    let nat = gateway.nat.as_ref().map(nat);
    let firewall = gateway.firewall.as_ref().map(|_| "firewall".to_owned());
    [nat, firewall].into_iter().flatten().collect::<Vec<_>>().join(" + ")
}

/// As RFC 3489 called it, where it had a word; mapping and filtering otherwise.
fn nat(nat: &NatConfig) -> String {
    use Dependence::{
        AddressAndPortDependent as Port, AddressDependent as Address, EndpointIndependent as Any,
    };
    match (nat.mapping, nat.filtering) {
        (Any, Any) => "full cone".to_owned(),
        (Any, Address) => "restricted cone".to_owned(),
        (Any, Port) => "port-restricted cone".to_owned(),
        (Port, Port) => "symmetric".to_owned(),
        (mapping, filtering) => format!("{mapping:?} mapping, {filtering:?} filtering"),
    }
}

fn measured_line(measured: &Measured) -> [String; 7] {
    let cells = |calls: &Calls| {
        let ms = |ms: Option<u64>| ms.map_or("–".to_owned(), |ms| format!("{ms} ms"));
        [format!("{} of {}", calls.connected, calls.calls), ms(calls.setup_p50_ms), ms(calls.setup_p95_ms)]
    };
    let ([a, b, c], [d, e, f]) = (cells(&measured.to_wifi), cells(&measured.to_same));
    [measured.profile.clone(), a, b, c, d, e, f]
}

fn push_markdown_table<const N: usize>(
    out: &mut String,
    head: &[&str; N],
    rows: impl Iterator<Item = [String; N]>,
) {
    let _ = writeln!(out, "| {} |\n|{}", head.join(" | "), "---|".repeat(N));
    for row in rows {
        let _ = writeln!(out, "| {} |", row.map(|cell| cell.replace('|', "\\|")).join(" | "));
    }
}
