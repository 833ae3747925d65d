//! What offers and answers say, held against each other.

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
    for round in rounds(trace).iter().filter(|round| round.answer.is_some()) {
        let Some((offer, answer)) = round.descriptions() else { continue };
        let pair = Pair::new(trace, round, offer, answer, before.as_ref());
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
            let nobody = one == Setup::Passive && other == Setup::Passive;
            let both = one == Setup::Active && other == Setup::Active;
            let what = match (nobody, both, other) {
                (true, ..) => "so that both wait and nobody begins DTLS",
                (_, true, _) => "so that both begin DTLS, and neither answers",
                (_, _, Setup::ActPass) => "which no answer may say: nobody knows who begins DTLS",
                _ => return None,
            };
            Some((one, other, what))
        });
        if let Some((one, other, what)) = clash {
            let (offerer, answerer) = (self.offerer, self.answerer);
            let message = format!(
                "{offerer} offered `a=setup:{one}` and {answerer} answered `a=setup:{other}`, {what}"
            );
            findings.usual(Code::DtlsRolesClash, self.fatal(), None, self.at, message);
        }
    }

    fn lite(&self, findings: &mut Findings<'_>) {
        if self.offer.is_ice_lite() && self.answer.is_ice_lite() {
            let message =
                "both sides are ICE lite (`a=ice-lite`): each waits for the other to check".to_owned();
            findings.usual(Code::IceLiteBothSides, self.fatal(), None, self.at, message);
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
                    "{whose} described {} without `a=rtcp-mux`, which browsers refuse",
                    all_of(&kinds)
                );
                // Others may take it: a browser that did not says so.
                let severity = match (self.connected, self.refused_for_mux) {
                    (_, true) => Severity::Error,
                    (true, false) => Severity::Note,
                    (false, false) => Severity::Warning,
                };
                findings.usual(Code::RtcpMuxMissing, severity, Some(whose), self.at, message);
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
        let wrong = match differs {
            _ if offered != answered => Some(format!(
                "the offer of {} has {offered} media sections and the answer of {} has {answered}",
                self.offerer, self.answerer
            )),
            Some((one, other)) => Some(format!(
                "{} answered {} to {} of {}",
                self.answerer,
                said(other),
                said(one),
                self.offerer
            )),
            None => None,
        };
        if let Some(message) = wrong {
            findings.usual(Code::MidMismatch, self.fatal(), Some(self.answerer), self.at, message);
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
                (Some(tag), _) => {
                    format!("the BUNDLE group of {whose} names `{tag}`, and none of its sections is that")
                }
                (_, Some(tag)) => format!("{whose} bundles `{tag}`, which the offer does not"),
                _ => continue,
            };
            findings.usual(Code::BundleMismatch, self.fatal(), Some(whose), self.at, message);
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
        let message =
            format!("{} refused {} in its answer (port 0){only}", self.answerer, all_of(&deduped(kinds)));
        findings.usual(Code::MediaRefused, severity, Some(self.answerer), self.at, message);
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
        let severity = match all && !data {
            _ if self.renegotiates => Severity::Note,
            true => Severity::Error,
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
            let message = format!(
                "{} answered {} `{direction}`: it goes from {from} to {to} only",
                self.answerer,
                all_of(&deduped(kinds))
            );
            findings.usual(Code::MediaOneWay, severity, Some(self.answerer), self.at, message);
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
