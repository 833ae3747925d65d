//! What arrives on data channels, and what the statistics say: `data`, `statistics`.

use timeline::Delivery;

use super::Findings;
use crate::{
    plan::{CountRange, DataExpect, DurationRange, Plan, StatisticsExpect},
    record::{PeerRecord, RunRecord, StatisticsSample},
};

pub(super) fn check(plan: &Plan, record: &RunRecord, findings: &mut Findings<'_>) {
    for expect in &plan.expect.data {
        check_channel(expect, record, findings);
    }
    for (name, peer) in &plan.expect.peers {
        if let (Some(expect), Some(found)) = (&peer.statistics, record.peers.get(name)) {
            check_statistics(name.as_str(), expect, found, findings);
        }
    }
}

fn check_channel(expect: &DataExpect, record: &RunRecord, findings: &mut Findings<'_>) {
    let DataExpect { delivery, from, to, .. } = expect;
    let of = format!("{delivery} messages from {from} to {to}");
    let key = (from.clone(), *delivery);
    let flow =
        record.peers.get(to).and_then(|peer| peer.data_received.get(&key)).cloned().unwrap_or_default();
    let wanted = expect.messages.unwrap_or(CountRange { at_least: 1, at_most: None });
    if !wanted.contains(flow.messages) {
        findings.add("data", format!("expected {wanted} {of}, {} arrived", flow.messages));
    }
    if *delivery == Delivery::Ordered && flow.overtaken > 0 {
        findings.add("data", format!("{} of the {of} came after later ones", flow.overtaken));
    }
    if flow.repeated > 0 {
        findings.add("data", format!("{} of the {of} came twice", flow.repeated));
    }
    let sent = record.peers.get(from).and_then(|peer| peer.data_sent.get(delivery));
    let most_buffered = sent.map_or(0, |sent| sent.most_buffered);
    if let Some(wanted) = expect.buffered.filter(|wanted| !wanted.contains(most_buffered)) {
        let of = format!("bytes of {of}");
        findings.add("data", format!("expected {wanted} {of} to be buffered at most, {most_buffered} were"));
    }
    let refused = sent.map_or(0, |sent| sent.refused);
    if let Some(wanted) = expect.refused.filter(|wanted| !wanted.contains(refused)) {
        findings.add("data", format!("expected {wanted} {of} to be refused, {refused} were"));
    }
    if let (Some(before), Some(last)) = (expect.before, flow.last)
        && last.elapsed() >= before
    {
        findings.add_at(
            last,
            "data",
            format!("expected the {of} before {before:?}, the last came at {last}"),
        );
    }
}

fn check_statistics(name: &str, expect: &StatisticsExpect, peer: &PeerRecord, findings: &mut Findings<'_>) {
    let samples = &peer.statistics;
    let count = u64::try_from(samples.len()).unwrap_or(u64::MAX);
    if let Some(wanted) = expect.samples.filter(|wanted| !wanted.contains(count)) {
        findings.add("statistics", format!("{name}: expected {wanted} samples, found {count}"));
    }
    if let Some(range) = expect.round_trip_time {
        check_round_trips(name, range, samples, findings);
    }
    let mut rates: Vec<u64> = samples.iter().map(|sample| sample.received_bps).collect();
    rates.sort_unstable();
    let median = rates.get(rates.len() / 2).copied().unwrap_or(0);
    if let Some(wanted) = expect.received_bps.filter(|wanted| !wanted.contains(median)) {
        findings
            .add("statistics", format!("{name}: expected {wanted} bits a second to arrive, found {median}"));
    }
    let lost = samples.last().map_or(0, |sample| u64::try_from(sample.packets_lost).unwrap_or(0));
    if let Some(wanted) = expect.lost.filter(|wanted| !wanted.contains(lost)) {
        findings.add("statistics", format!("{name}: expected {wanted} packets lost, found {lost}"));
    }
}

fn check_round_trips(
    name: &str,
    range: DurationRange,
    samples: &[StatisticsSample],
    findings: &mut Findings<'_>,
) {
    let measured = samples.iter().filter_map(|sample| Some((sample.at, sample.round_trip_time?)));
    let mut any = false;
    for (at, found) in measured {
        any = true;
        if let Some(wanted) = range.broken_by(found) {
            let message = format!("{name}: expected a round-trip time of {wanted}, found {found:?}");
            findings.add_at(at, "statistics", message);
        }
    }
    if !any {
        findings.add("statistics", format!("{name}: no round-trip time was measured"));
    }
}
