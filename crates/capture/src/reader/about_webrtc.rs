//! The page `about:webrtc` of Firefox, as it saves itself: of each peer connection the descriptions that were set, with
//! their times, the candidate pair in use, and how many packets came and went. It has no states, and no words that do not
//! change with the language: what is read stands in attributes and texts of the protocol.

use std::io::Read as _;

use serde_json::Value;
use timeline::MediaKind;
use tl::{HTMLTag, Node, NodeHandle, Parser, ParserOptions, VDom};

use super::{ConnectionLog, Recording, TimedSample, input::Input};
use crate::{
    candidate::CandidateType,
    error::Position,
    limits::Limits,
    moment::Moment,
    sdp::{Description, SdpType},
    trace::{ApiCall, CallResult, Flow, Method, PeerEvent, SelectedPair, StatsSample},
};

/// What the page's elements are named by.
pub(super) const SIGN: &[u8] = b"about-webrtc-";

pub(super) fn read(mut recording: Recording, input: &mut Input<'_>, limits: &Limits) -> Recording {
    let limit = u64::try_from(limits.memory_bytes / 16).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    if let Err(error) = input.take().take(limit).read_to_end(&mut bytes) {
        recording.gap(Position::default(), input.explain(&error));
    }
    let text = String::from_utf8_lossy(&bytes);
    match tl::parse(&text, ParserOptions::default()) {
        Ok(page) => fill(&mut recording, &page),
        Err(error) => recording.gap(Position::default(), format!("the page is damaged: {error}")),
    }
    if recording.connections.is_empty() {
        recording.gap(Position::default(), "the page shows no peer connection");
    }
    recording
}

fn fill(recording: &mut Recording, page: &VDom<'_>) {
    let parser = page.parser();
    // In the order of the page; an explicit stack, for a page may be nested as deep as it likes.
    let mut open: Vec<NodeHandle> = page.children().iter().rev().copied().collect();
    let mut log: Option<ConnectionLog> = None;
    let mut now = None;
    let mut kind = None;
    while let Some(tag) = open.pop().map(|handle| handle.get(parser)) {
        let Some(Node::Tag(tag)) = tag else { continue };
        if has_class(tag, "peer-connection") {
            recording.connections.extend(log.take());
            let key = format!("connection-{}", recording.connections.len() + 1);
            log = Some(ConnectionLog { key, ..ConnectionLog::default() });
        }
        if let Some(log) = &mut log {
            let arguments = arguments(tag);
            let of = |key: &str| arguments.get(key).and_then(Value::as_str);
            if let (Some(at), Some(url)) = (of("now").and_then(super::times::moment), of("url")) {
                now = Some(at);
                recording.observe(at);
                log.url = Some(url.to_owned());
            }
            log.entries.extend(described(tag, parser));
            kind = kind_of_stream(tag, parser).or(kind);
            if let Some(at) = now {
                if let Some(selected) = selected(tag, parser) {
                    sample_at(log, at).selected = Some(selected);
                }
                if let Some((kind, (received, packets))) = kind.zip(counted(tag, parser)) {
                    let sample = sample_at(log, at);
                    let flow = if kind == MediaKind::Audio { &mut sample.audio } else { &mut sample.video };
                    let count = if received { &mut flow.received } else { &mut flow.sent };
                    *count = Some(count.unwrap_or_default().saturating_add(packets));
                }
            }
        }
        let below: Vec<NodeHandle> = tag.children().top().iter().copied().collect();
        open.extend(below.into_iter().rev());
    }
    recording.connections.extend(log);
    for log in &mut recording.connections {
        log.entries.sort_by_key(|(at, _)| *at);
        begin_at_zero(log);
    }
    recording.connections.retain(|log| !log.entries.is_empty() || !log.stats.is_empty());
}

/// Connected this long after the last description, or never.
const TO_CONNECT_US: i64 = 2_000_000;

/// The page has counters of one moment. They began at nothing when the connection was made.
fn begin_at_zero(log: &mut ConnectionLog) {
    let Some(last) = log.entries.last().map(|(at, _)| at.shifted(TO_CONNECT_US)) else { return };
    let [only] = log.stats.as_slice() else { return };
    let counts = |flow: Flow| flow.received.is_some() || flow.sent.is_some();
    if only.at > last
        && only.sample.selected.is_some()
        && (counts(only.sample.audio) || counts(only.sample.video))
    {
        log.stats.insert(0, TimedSample { at: last, sample: StatsSample::default() });
    }
}

fn sample_at(log: &mut ConnectionLog, at: Moment) -> &mut StatsSample {
    if log.stats.is_empty() {
        log.stats.push(TimedSample { at, sample: StatsSample::default() });
    }
    let last = log.stats.len() - 1;
    &mut log.stats[last].sample
}

/// The heading of a stream: `<h5>audio/opus - SSRC 1729445797`.
fn kind_of_stream(tag: &HTMLTag<'_>, parser: &Parser<'_>) -> Option<MediaKind> {
    if tag.name().as_utf8_str() != "h5" {
        return None;
    }
    let heading = text(tag, parser);
    let (kind, _) = heading.split_once('/')?;
    MediaKind::ALL.iter().copied().find(|known| known.as_str() == kind.trim())
}

/// A line of a stream's statistics: `<div>…<span>01:28:14 … inbound-rtp<span …received-label… {"packets":405}>`. Whether
/// they were received, and how many.
fn counted(tag: &HTMLTag<'_>, parser: &Parser<'_>) -> Option<(bool, u64)> {
    if tag.name().as_utf8_str() != "div" {
        return None;
    }
    let (mut received, mut sent) = (None, None);
    let (mut comes, mut goes) = (false, false);
    for child in children(tag, parser) {
        let packets = || arguments(child).get("packets").and_then(Value::as_u64);
        match attribute(child, "data-l10n-id").as_str() {
            "about-webrtc-received-label" => received = packets(),
            "about-webrtc-sent-label" => sent = packets(),
            "" => {
                let words = text(child, parser);
                comes |= words.ends_with(" inbound-rtp");
                goes |= words.ends_with(" outbound-rtp");
            }
            _ => {}
        }
    }
    match (comes, goes) {
        (true, false) => received.map(|packets| (true, packets)),
        (false, true) => sent.map(|packets| (false, packets)),
        _ => None,
    }
}

/// An entry of the history: `<div><h4 …local…><h5 …timestamp…><pre>v=0…`.
fn described(tag: &HTMLTag<'_>, parser: &Parser<'_>) -> Option<(Moment, PeerEvent)> {
    let (mut at, mut local, mut sdp) = (None, None, None);
    for child in children(tag, parser) {
        match child.name().as_utf8_str().as_ref() {
            "h4" => {
                let id = attribute(child, "data-l10n-id");
                local = Some(id.contains("local")).filter(|_| id.contains("local") || id.contains("remote"));
            }
            "h5" => {
                at = arguments(child).get("timestamp").and_then(Value::as_f64).and_then(Moment::from_millis)
            }
            "pre" => sdp = Some(text(child, parser)),
            _ => {}
        }
    }
    let (at, local, sdp) = (at?, local?, sdp?);
    if !sdp.trim_start().starts_with("v=") {
        return None;
    }
    // Only an offer leaves the DTLS role open (RFC 8842 §5.2).
    let kind = if sdp.contains("a=setup:actpass") { SdpType::Offer } else { SdpType::Answer };
    let method = if local { Method::SetLocalDescription } else { Method::SetRemoteDescription };
    let mut call = ApiCall::new(method);
    (call.description, call.result) = (Some(Description { kind, sdp }), CallResult::Succeeded);
    Some((at, PeerEvent::Call(call)))
}

/// A row of the table of pairs: state, nominated, selected, local candidate, remote candidate.
fn selected(tag: &HTMLTag<'_>, parser: &Parser<'_>) -> Option<SelectedPair> {
    if tag.name().as_utf8_str() != "tr" {
        return None;
    }
    let cells: Vec<String> = children(tag, parser).map(|cell| text(cell, parser)).take(5).collect();
    let [_, nominated, selected, local, remote] = cells.as_slice() else { return None };
    if nominated != "true" || selected != "true" {
        return None;
    }
    // `10.0.0.1:52250/udp(host) [non-proxied]`
    let kind = |cell: &str| {
        let (_, rest) = cell
            .split_once('(')
            .filter(|_| !cell.starts_with('('))
            .or_else(|| cell.get(1..).and_then(|rest| rest.split_once('(')))?;
        CandidateType::from_word(rest.split(')').next()?)
    };
    let protocol = if local.contains("/tcp") { "tcp" } else { "udp" };
    Some(SelectedPair { local: kind(local)?, remote: kind(remote)?, protocol: protocol.to_owned() })
}

fn children<'p, 'b>(tag: &'p HTMLTag<'b>, parser: &'p Parser<'b>) -> impl Iterator<Item = &'p HTMLTag<'b>> {
    tag.children()
        .top()
        .iter()
        .filter_map(|handle| handle.get(parser)?.as_tag())
        .collect::<Vec<_>>()
        .into_iter()
}

/// The text that stands in an element itself.
fn text(tag: &HTMLTag<'_>, parser: &Parser<'_>) -> String {
    let parts = tag
        .children()
        .top()
        .iter()
        .filter_map(|handle| match handle.get(parser)? {
            Node::Raw(bytes) => Some(bytes.as_utf8_str().into_owned()),
            Node::Tag(_) | Node::Comment(_) => None,
        })
        .collect::<Vec<_>>();
    decoded(&parts.concat())
}

fn attribute(tag: &HTMLTag<'_>, name: &str) -> String {
    let value = tag.attributes().get(name).flatten();
    value.map(|value| decoded(&value.as_utf8_str())).unwrap_or_default()
}

/// What the page gives its translators.
fn arguments(tag: &HTMLTag<'_>) -> Value {
    serde_json::from_str(&attribute(tag, "data-l10n-args")).unwrap_or_default()
}

fn has_class(tag: &HTMLTag<'_>, name: &str) -> bool {
    attribute(tag, "class").split_whitespace().any(|class| class == name)
}

fn decoded(text: &str) -> String {
    let named = text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&#39;", "'");
    named.replace("&amp;", "&")
}
