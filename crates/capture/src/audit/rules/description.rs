//! What offers and answers say, held against each other.

use std::collections::{BTreeMap, BTreeSet};

use diagnosis::wording::all_of;
use timeline::{Name, VirtualTime};

use crate::{
    audit::{
        Code, Findings, Severity,
        finding::has_connected,
        rounds::{Round, rounds},
    },
    sdp::{Description, Direction, MediaSection, SdpType, Setup},
    trace::{CallResult, Method, Trace},
};

/// Each pair of an offer and its answer.
pub(in crate::audit) fn pairs(trace: &Trace, findings: &mut Findings<'_>) {
    let mut before = None;
    let rounds = rounds(trace);
    let negotiated = || rounds.iter().filter(|round| round.answer.is_some());
    // Of each kind, when it was last agreed that it flows.
    let mut flows_at: BTreeMap<String, VirtualTime> = BTreeMap::new();
    for round in negotiated().filter(|round| round.succeeded()) {
        let Some((offer, answer)) = round.descriptions() else { continue };
        let pair = Pair::new(trace, round, offer, answer, None);
        let flowing = pair.flows().into_iter().filter(|(_, [out, back])| *out || *back);
        flows_at.extend(flowing.map(|(kind, _)| (kind, pair.at)));
    }
    for round in negotiated() {
        let Some((offer, answer)) = round.descriptions() else { continue };
        let mut pair = Pair::new(trace, round, offer, answer, before.as_ref());
        let at = pair.at;
        pair.later.extend(flows_at.iter().filter(|(_, flows)| **flows > at).map(|(kind, _)| kind.clone()));
        pair.roles(findings);
        pair.lite(findings);
        pair.rtcp_mux(findings);
        pair.tags(findings);
        if round.succeeded() {
            pair.refused(findings);
            pair.inactive(findings);
            pair.one_way(findings);
            pair.codecs(findings);
            before = Some(pair.flows());
        }
    }
}

/// What flows by one negotiation: kinds with the direction from the offerer's view.
type Flows = Vec<(String, [bool; 2])>;

struct Pair<'t> {
    offer: &'t Description,
    answer: &'t Description,
    offerer: &'t Name,
    answerer: &'t Name,
    at: VirtualTime,
    sections: Vec<(MediaSection, MediaSection)>,
    counts: [usize; 2],
    connected: bool,
    /// Whether media of some kind flowed both ways before.
    renegotiates: bool,
    /// Whether a browser refused a description for the lack of `a=rtcp-mux`.
    refused_for_mux: bool,
    /// The kinds that a later negotiation lets flow.
    later: BTreeSet<String>,
}

impl<'t> Pair<'t> {
    fn new(
        trace: &Trace,
        round: &Round<'t>,
        offer: &'t Description,
        answer: &'t Description,
        before: Option<&Flows>,
    ) -> Self {
        let (offered, answered) = (offer.media(), answer.media());
        let counts = [offered.len(), answered.len()];
        Self {
            offer,
            answer,
            offerer: &round.offer.from,
            answerer: round.answer.map_or(&round.offer.from, |answer| &answer.from),
            at: round.closed().unwrap_or(round.began()),
            sections: offered.into_iter().zip(answered).collect(),
            counts,
            connected: has_connected(trace),
            refused_for_mux: refused_for_mux(trace),
            later: BTreeSet::new(),
            renegotiates: before.is_some_and(|flows| flows.iter().any(|(_, [out, back])| *out && *back)),
        }
    }

    /// The sections that the offer wants.
    fn offered(&self) -> impl Iterator<Item = &(MediaSection, MediaSection)> {
        self.sections.iter().filter(|(offered, _)| offered.active)
    }

    /// Those that both want.
    fn accepted(&self) -> impl Iterator<Item = &(MediaSection, MediaSection)> {
        self.offered().filter(|(_, answered)| answered.active)
    }

    /// How bad it is what keeps a call from connecting.
    const fn fatal(&self) -> Severity {
        if self.connected { Severity::Warning } else { Severity::Error }
    }

    fn roles(&self, findings: &mut Findings<'_>) {
        let clash = self.accepted().find_map(|(offered, answered)| {
            let (one, other) = (offered.setup?, answered.setup?);
            let (offerer, answerer) = (self.offerer, self.answerer);
            let message = match (one, other) {
                (Setup::Passive, Setup::Passive) => format!(
                    "{offerer} and {answerer} each wait for the other to begin the encryption of the call (DTLS), so that nobody does"
                ),
                (Setup::Active, Setup::Active) => format!(
                    "{offerer} and {answerer} both begin the encryption of the call (DTLS), and neither answers"
                ),
                (_, Setup::ActPass) => format!(
                    "the answer of {answerer} leaves open who begins the encryption of the call (DTLS), which no answer may"
                ),
                (_, Setup::HoldConn) => {
                    format!("the answer of {answerer} holds back the encryption of the call (DTLS), so that nobody begins")
                }
                _ => return None,
            };
            Some((one, other, message))
        });
        if let Some((one, other, message)) = clash {
            let (offerer, answerer) = (self.offerer, self.answerer);
            findings.usual(Code::DtlsRolesClash, self.fatal(), None, self.at, message);
            findings.detail(format!(
                "`a=setup:{one}` in the offer of {offerer}, `a=setup:{other}` in the answer of {answerer}"
            ));
        }
    }

    fn lite(&self, findings: &mut Findings<'_>) {
        if self.offer.is_ice_lite() && self.answer.is_ice_lite() {
            let message =
                "both sides are ICE lite, as servers are: each waits for the other to look for a way";
            findings.usual(Code::IceLiteBothSides, self.fatal(), None, self.at, message);
            findings.detail("`a=ice-lite` in offer and answer");
        }
    }

    /// Browsers refuse a section without it.
    fn rtcp_mux(&self, findings: &mut Findings<'_>) {
        let is_media = |section: &MediaSection| section.kind != "application" && section.secured;
        let lacks = |section: &MediaSection| is_media(section) && !section.rtcp_mux;
        for (whose, which) in [(self.offerer, 0), (self.answerer, 1)] {
            let kinds: Vec<&str> = self
                .accepted()
                .map(|(offered, answered)| [offered, answered][which])
                .filter(|section| lacks(section))
                .map(|section| section.kind.as_str())
                .collect();
            if !kinds.is_empty() {
                let message = format!(
                    "{whose} wants a second port for the control packets of {}, which browsers refuse",
                    all_of(&kinds)
                );
                // Others may take it: a browser that did not says so.
                let severity = match (self.connected, self.refused_for_mux) {
                    (_, true) => Severity::Error,
                    (true, false) => Severity::Note,
                    (false, false) => Severity::Warning,
                };
                findings.usual(Code::RtcpMuxMissing, severity, Some(whose), self.at, message);
                findings.detail(format!("no `a=rtcp-mux` in the sections of {}", all_of(&kinds)));
            }
        }
    }

    fn tags(&self, findings: &mut Findings<'_>) {
        let [offered, answered] = self.counts;
        let differs = self.accepted().find(|(one, other)| {
            one.mid.is_some() && other.mid.is_some() && one.mid != other.mid || one.kind != other.kind
        });
        let said = |section: &MediaSection| {
            format!("{} `a=mid:{}`", section.kind, section.mid.as_deref().unwrap_or_default())
        };
        let (offerer, answerer) = (self.offerer, self.answerer);
        let wrong = match differs {
            _ if offered != answered => {
                let message = format!(
                    "the offer of {offerer} has {offered} media sections and the answer of {answerer} has {answered}"
                );
                Some((message, String::new()))
            }
            Some((one, other)) => Some((
                format!(
                    "the answer of {answerer} has its media in another order, or under other names, than the offer of {offerer}"
                ),
                format!("{} is answered by {}", said(one), said(other)),
            )),
            None => None,
        };
        if let Some((message, detail)) = wrong {
            findings.usual(Code::MidMismatch, self.fatal(), Some(answerer), self.at, message);
            findings.detail(detail);
        }
        for (whose, description) in [(self.offerer, self.offer), (self.answerer, self.answer)] {
            let mids: Vec<String> =
                description.media().into_iter().filter_map(|section| section.mid).collect();
            let foreign = description.bundled().into_iter().find(|tag| !mids.iter().any(|mid| mid == tag));
            let not_offered = || {
                let offered = self.offer.bundled();
                let of_answer = description.kind != SdpType::Offer;
                description.bundled().into_iter().find(|tag| of_answer && !offered.contains(tag))
            };
            let message = match (foreign, not_offered()) {
                (Some(tag), _) => (
                    format!(
                        "{whose} wants to send media `{tag}` along with the others, and has none of that name"
                    ),
                    tag,
                ),
                (_, Some(tag)) => (
                    format!(
                        "{whose} wants to send media `{tag}` along with the others, which the offer does not"
                    ),
                    tag,
                ),
                _ => continue,
            };
            let (message, tag) = message;
            findings.usual(Code::BundleMismatch, self.fatal(), Some(whose), self.at, message);
            findings.detail(format!("`{tag}` in `a=group:BUNDLE` of {whose}"));
        }
    }

    fn refused(&self, findings: &mut Findings<'_>) {
        let kinds: Vec<&str> = self
            .offered()
            .filter(|(_, answered)| !answered.active)
            .map(|(offered, _)| offered.kind.as_str())
            .collect();
        if kinds.is_empty() {
            return;
        }
        let all = self.accepted().next().is_none();
        let severity = match all {
            true => Severity::Error,
            false => Severity::Warning,
        };
        let only = if all { ": nothing is left to connect" } else { "" };
        let kinds = all_of(&deduped(kinds));
        let message = format!("{} refused {kinds} in its answer{only}", self.answerer);
        findings.usual(Code::MediaRefused, severity, Some(self.answerer), self.at, message);
        findings.detail(format!("port 0 in the sections of {kinds}"));
    }

    fn inactive(&self, findings: &mut Findings<'_>) {
        let is_silent = |(offered, answered): &&(MediaSection, MediaSection)| {
            let out = offered.sends() && answered.receives();
            let back = offered.receives() && answered.sends();
            offered.kind != "application" && !out && !back
        };
        let kinds: Vec<&str> =
            self.accepted().filter(is_silent).map(|(offered, _)| offered.kind.as_str()).collect();
        if kinds.is_empty() {
            return;
        }
        let all =
            self.accepted().filter(|(offered, _)| offered.kind != "application").all(|it| is_silent(&it));
        let data = self.accepted().any(|(offered, _)| offered.kind == "application");
        // Who only wants to receive, and gets nothing for now, as in a room where nobody shows a picture yet.
        let nobody_sends = self.accepted().filter(is_silent).all(|(offered, answered)| {
            offered.direction == Direction::RecvOnly && answered.direction == Direction::Inactive
        });
        let severity = match all && !data {
            _ if self.renegotiates || kinds.iter().all(|kind| self.later.contains(*kind)) => Severity::Note,
            true => Severity::Error,
            false if nobody_sends => Severity::Note,
            false => Severity::Warning,
        };
        let who = self.accepted().filter(is_silent).find_map(|(offered, answered)| {
            let unwilling = |section: &MediaSection| section.direction == Direction::Inactive;
            match (unwilling(offered), unwilling(answered)) {
                (true, _) => Some(self.offerer),
                (_, true) => Some(self.answerer),
                _ => None,
            }
        });
        let hold = if self.renegotiates { ", as for a call on hold" } else { "" };
        let message = match who {
            Some(who) => {
                format!("{who} made {} inactive: none of it flows either way{hold}", all_of(&deduped(kinds)))
            }
            None => format!(
                "the directions of {} in offer and answer leave none of it to flow{hold}",
                all_of(&deduped(kinds))
            ),
        };
        findings.usual(Code::MediaInactive, severity, who, self.at, message);
    }

    /// The offer wanted both ways, and the answer takes one.
    fn one_way(&self, findings: &mut Findings<'_>) {
        for (direction, only) in [
            (Direction::RecvOnly, [self.offerer, self.answerer]),
            (Direction::SendOnly, [self.answerer, self.offerer]),
        ] {
            let wanted = self.accepted().filter(|(offered, answered)| {
                offered.direction == Direction::SendRecv && answered.direction == direction
            });
            let kinds: Vec<&str> = wanted.map(|(offered, _)| offered.kind.as_str()).collect();
            if kinds.is_empty() {
                continue;
            }
            let severity = if self.renegotiates { Severity::Note } else { Severity::Warning };
            let [from, to] = only;
            let kinds = all_of(&deduped(kinds));
            let only = match direction {
                Direction::RecvOnly => "receives",
                _ => "sends",
            };
            let message = format!("{} only {only} {kinds}: it goes from {from} to {to} only", self.answerer);
            findings.usual(Code::MediaOneWay, severity, Some(self.answerer), self.at, message);
            findings.detail(format!("`a={direction}` in the answer to `a=sendrecv`, of {kinds}"));
        }
    }

    fn codecs(&self, findings: &mut Findings<'_>) {
        let strangers = self.accepted().filter(|(offered, answered)| {
            !offered.codecs.is_empty()
                && !answered.codecs.is_empty()
                && !answered.codecs.iter().any(|codec| offered.codecs.contains(codec))
        });
        for (offered, answered) in strangers {
            let message = format!(
                "{} answered {} with {}, and {} had offered {}: they have no codec in common",
                self.answerer,
                offered.kind,
                all_of(&deduped(answered.codecs.iter().map(String::as_str).collect())),
                self.offerer,
                all_of(&deduped(offered.codecs.iter().map(String::as_str).collect()))
            );
            findings.usual(Code::NoCommonCodec, Severity::Error, Some(self.answerer), self.at, message);
        }
    }

    fn flows(&self) -> Flows {
        let flow = |(offered, answered): &(MediaSection, MediaSection)| {
            let out = offered.sends() && answered.receives();
            (offered.kind.clone(), [out, offered.receives() && answered.sends()])
        };
        self.accepted().map(flow).collect()
    }
}

fn refused_for_mux(trace: &Trace) -> bool {
    let mut calls = trace.peers.iter().flat_map(|peer| &peer.connections).flat_map(|it| it.calls());
    calls.any(|(_, call)| match &call.result {
        CallResult::Failed(reason) => reason.to_ascii_lowercase().contains("mux"),
        CallResult::Succeeded | CallResult::Unknown => false,
    })
}

fn deduped(mut kinds: Vec<&str>) -> Vec<&str> {
    kinds.dedup();
    kinds
}

/// A description that an application took back by itself.
pub(in crate::audit) fn rollback(trace: &Trace, findings: &mut Findings<'_>) {
    let rounds = rounds(trace);
    let last = rounds.iter().filter(|round| round.succeeded()).filter_map(Round::closed).max();
    for peer in &trace.peers {
        let calls = peer.connections.iter().flat_map(|connection| connection.calls());
        let rolls = calls.filter(|(_, call)| {
            matches!(call.method, Method::SetLocalDescription | Method::SetRemoteDescription)
                && call.description.as_ref().is_some_and(|description| description.kind == SdpType::Rollback)
        });
        for (at, _) in rolls {
            // With perfect negotiation, another one follows.
            let severity = if last >= Some(at) { Severity::Note } else { Severity::Warning };
            let message = format!("the app of {} rolled a description back", peer.id);
            findings.usual(Code::Rollback, severity, Some(&peer.id), at, message);
        }
    }
}
