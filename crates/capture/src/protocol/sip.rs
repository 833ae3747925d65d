//! SIP over WebSocket (RFC 7118), as JsSIP and SIP.js speak it: one message a frame.
//!
//! Of a message its start line, five headers and its body are read; what a stack does with the rest (transactions,
//! routes, authentication) says nothing of a captured call.

use std::collections::BTreeMap;

use crate::{
    candidate::Candidate,
    reader::{Frame, FrameDirection},
    sdp::SdpType,
    trace::{Report, Signal, SignalKind},
};

use super::{described, trickled};

/// The methods of RFC 3261 and its extensions.
const METHODS: [&str; 14] = [
    "INVITE",
    "ACK",
    "BYE",
    "CANCEL",
    "OPTIONS",
    "REGISTER",
    "INFO",
    "PRACK",
    "UPDATE",
    "REFER",
    "NOTIFY",
    "SUBSCRIBE",
    "MESSAGE",
    "PUBLISH",
];

/// The word for an ACK, and for a response that asks for a password. [`settle`] takes both out again.
const ACK: &str = "ack";
const CHALLENGE: &str = "challenge";

/// Candidates on their own (RFC 8840 §9).
const FRAGMENT: &str = "application/trickle-ice-sdpfrag";

pub(super) fn text(text: &str) -> Option<Vec<Signal>> {
    let message = Message::parse(text)?;
    let call = message.header("call-id", "i").map(str::to_owned);
    let party = |name: &str, short: &str| message.header(name, short).and_then(user);
    // From and To name the caller and the called in both directions: who sent a response is whom To names.
    let (caller, called) = (party("from", "f"), party("to", "t"));
    let (from, to) = match message.start {
        Start::Request(_) => (caller, called),
        Start::Response { .. } => (called, caller),
    };
    let signals = message.signals();
    let with = |signal: Signal| Signal { call: call.clone(), from: from.clone(), to: to.clone(), ..signal };
    Some(signals.into_iter().map(with).collect())
}

/// What a message begins with.
pub(crate) enum Start<'t> {
    /// A method.
    Request(&'t str),
    /// What came of one.
    Response { code: u16, reason: &'t str },
}

/// A message, as far as it is read.
pub(crate) struct Message<'t> {
    pub(crate) start: Start<'t>,
    headers: Vec<(&'t str, &'t str)>,
    body: &'t str,
}

impl<'t> Message<'t> {
    pub(crate) fn parse(text: &'t str) -> Option<Self> {
        let text = text.trim_start();
        let (head, body) =
            text.split_once("\r\n\r\n").or_else(|| text.split_once("\n\n")).unwrap_or((text.trim_end(), ""));
        let mut lines = head.lines();
        let start = lines.next()?.trim_end();
        let start = match start.strip_prefix("SIP/2.0 ") {
            Some(status) => {
                let (code, reason) = status.split_once(' ').unwrap_or((status, ""));
                Start::Response { code: code.parse().ok()?, reason }
            }
            None => {
                let (method, rest) = start.split_once(' ')?;
                let is_sip = rest.ends_with("SIP/2.0") && METHODS.contains(&method);
                Start::Request(is_sip.then_some(method)?)
            }
        };
        let headers = lines.filter_map(|line| line.split_once(':'));
        let headers = headers.map(|(name, value)| (name.trim(), value.trim())).collect();
        Some(Self { start, headers, body })
    }

    /// By its name, or its short form (RFC 3261 §20).
    pub(crate) fn header(&self, name: &str, short: &str) -> Option<&'t str> {
        let is = |found: &str| found.eq_ignore_ascii_case(name) || found.eq_ignore_ascii_case(short);
        self.headers.iter().find(|(found, _)| is(found)).map(|(_, value)| *value)
    }

    /// The method that a response is to.
    fn answers(&self) -> &'t str {
        self.header("cseq", "cseq").and_then(|value| value.split_whitespace().nth(1)).unwrap_or_default()
    }

    /// The method that its `CSeq` names, where it is one that is known.
    pub(crate) fn of_method(&self) -> Option<&'t str> {
        Some(self.answers()).filter(|method| METHODS.contains(method))
    }

    /// A description or a fragment of one, and its type.
    pub(crate) fn described(&self) -> Option<(&'static str, &'t str)> {
        match self.sdp() {
            Some(sdp) => Some(("application/sdp", sdp)),
            None => self.has_body(FRAGMENT).then_some((FRAGMENT, self.body)),
        }
    }

    fn has_body(&self, of: &str) -> bool {
        self.header("content-type", "c").is_some_and(|value| value.to_ascii_lowercase().starts_with(of))
    }

    fn sdp(&self) -> Option<&'t str> {
        let body = self.body.trim_start();
        (self.has_body("application/sdp") || body.starts_with("v=0"))
            .then_some(body)
            .filter(|sdp| !sdp.is_empty())
    }

    fn signals(&self) -> Vec<Signal> {
        match self.start {
            Start::Request(method) => self.asked(method),
            Start::Response { code, reason } => self.answered(code, reason),
        }
    }

    fn asked(&self, method: &str) -> Vec<Signal> {
        let reason = self.header("reason", "reason").map(cause);
        let plain = |kind: SignalKind| vec![Signal { reason: reason.clone(), ..Signal::of(kind) }];
        match (method, self.sdp()) {
            ("INVITE" | "UPDATE", Some(sdp)) => vec![described(SdpType::Offer, sdp)],
            ("INVITE", None) => plain(SignalKind::Ring),
            // An answer to an offer in a 200, where the INVITE had none.
            ("ACK" | "PRACK", Some(sdp)) => vec![described(SdpType::Answer, sdp)],
            ("BYE" | "CANCEL", _) => plain(SignalKind::Bye),
            ("REGISTER", _) => plain(SignalKind::Join),
            ("INFO", _) if self.has_body(FRAGMENT) => super::whip::fragment(self.body),
            ("ACK", None) => plain(SignalKind::Other(ACK.to_owned())),
            _ => Vec::new(),
        }
    }

    fn answered(&self, code: u16, reason: &str) -> Vec<Signal> {
        if !matches!(self.answers(), "INVITE" | "UPDATE") {
            return Vec::new();
        }
        let plain =
            |kind: SignalKind| vec![Signal { reason: Some(format!("{code} {reason}")), ..Signal::of(kind) }];
        match (code, self.sdp()) {
            (101..=199, Some(sdp)) => vec![described(SdpType::Pranswer, sdp)],
            (180..=199, None) => plain(SignalKind::Ringing),
            (200..=299, Some(sdp)) if sdp.contains("a=setup:actpass") => vec![described(SdpType::Offer, sdp)],
            (200..=299, Some(sdp)) => vec![described(SdpType::Answer, sdp)],
            (200..=299, None) => plain(SignalKind::Accept),
            // A challenge is answered by the same INVITE again; 487 follows a CANCEL.
            (401 | 407, _) => plain(SignalKind::Other(CHALLENGE.to_owned())),
            (487 | 491, _) | (..=199, _) => Vec::new(),
            (480 | 486 | 600 | 603, _) => plain(SignalKind::Reject),
            _ => plain(SignalKind::Error),
        }
    }
}

/// `Q.850;cause=16;text="Terminated"`.
pub(crate) fn cause(value: &str) -> String {
    let text = value.split(';').find_map(|part| part.trim().strip_prefix("text="));
    text.unwrap_or(value).trim_matches('"').to_owned()
}

/// `alice` of `"Alice" <sip:alice@example.org>;tag=1`.
pub(crate) fn user(value: &str) -> Option<String> {
    let from = value.find("sip:").map(|at| at + 4).or_else(|| value.find("sips:").map(|at| at + 5))?;
    let rest = &value[from..];
    let end = rest.find(['@', '>', ';', ' ']).unwrap_or(rest.len());
    Some(rest[..end].to_owned()).filter(|user| !user.is_empty())
}

/// Candidates of `a=candidate:` lines, with the tags of the sections in which they stand (RFC 8840 §9).
pub(super) fn candidates(fragment: &str) -> Vec<Signal> {
    let (mut ufrag, mut mid, mut found) = (None, None, Vec::new());
    for line in fragment.lines().map(str::trim) {
        if let Some(value) = line.strip_prefix("a=ice-ufrag:") {
            ufrag = Some(value.to_owned());
        } else if let Some(value) = line.strip_prefix("a=mid:") {
            mid = Some(value.to_owned());
        } else if line.starts_with("a=candidate:") {
            let mut candidate = Candidate::new(&line[2..]);
            candidate.ufrag = candidate.ufrag.or_else(|| ufrag.clone());
            candidate.mid.clone_from(&mid);
            found.push(trickled(candidate));
        } else if line == "a=end-of-candidates" {
            found.push(trickled(Candidate { mid: mid.clone(), ..Candidate::default() }));
        }
    }
    found
}

/// A final response is sent again until its ACK comes, for 32 s (RFC 3261 §13.3.1.4).
const OFTEN: u32 = 3;

/// Takes out of the messages of one connection what SIP repeats: the offer that was challenged and then came again with
/// a password, and the answer that was sent again until it was acknowledged. That it never was is reported.
pub(crate) fn settle(frames: &mut Vec<Frame>) {
    let is = |signal: &Signal, word: &str| matches!(&signal.kind, SignalKind::Other(it) if it == word);
    let concerns =
        |signal: &Signal| signal.kind == SignalKind::Answer || is(signal, CHALLENGE) || is(signal, ACK);
    if !frames.iter().any(|frame| concerns(&frame.signal)) {
        return;
    }
    let mut gone = vec![false; frames.len()];
    // The offer that was sent last, and the challenge that it got.
    let mut offers: BTreeMap<(&str, bool), (usize, Option<usize>)> = BTreeMap::new();
    let mut answers: BTreeMap<(&str, bool), Answered> = BTreeMap::new();
    for (index, frame) in frames.iter().enumerate() {
        let Some(call) = frame.signal.call.as_deref() else { continue };
        let sent = frame.direction == FrameDirection::Sent;
        let same = |other: usize| {
            let [one, other] = [index, other].map(|index| frames[index].signal.description.as_ref());
            one.zip(other).is_some_and(|(one, other)| one.says_the_same(other))
        };
        match frame.signal.kind {
            SignalKind::Offer => {
                if let Some((before, Some(_))) = offers.insert((call, sent), (index, None))
                    && same(before)
                {
                    gone[before] = true;
                }
            }
            SignalKind::Answer => match answers.get_mut(&(call, sent)) {
                Some(answered) if same(answered.first) => {
                    answered.times += 1;
                    answered.last = index;
                    gone[index] = true;
                }
                _ => drop(answers.insert((call, sent), Answered::new(index))),
            },
            _ if is(&frame.signal, CHALLENGE) => {
                gone[index] = true;
                offers.entry((call, !sent)).and_modify(|(_, challenged)| *challenged = Some(index));
            }
            _ if is(&frame.signal, ACK) => {
                gone[index] = true;
                answers.entry((call, !sent)).and_modify(|answered| answered.acknowledged = true);
            }
            _ => {}
        }
    }
    let reports: Vec<Frame> = answers
        .into_values()
        .filter(|answered| answered.times >= OFTEN && !answered.acknowledged)
        .map(|Answered { last, times, .. }| {
            let Frame { at, direction, signal } = &frames[last];
            let report = Some(Report::NotAcknowledged { times });
            let signal = Signal { kind: SignalKind::Report, report, description: None, ..signal.clone() };
            Frame { at: *at, direction: *direction, signal }
        })
        .collect();
    // Whom the server asks for a password, and who does not come again, is refused.
    let refused: Vec<usize> = offers.into_values().filter_map(|(_, challenge)| challenge).collect();
    for challenge in refused {
        gone[challenge] = false;
        frames[challenge].signal.kind = SignalKind::Error;
    }
    let mut gone = gone.into_iter();
    frames.retain(|_| !gone.next().unwrap_or_default());
    frames.extend(reports);
    frames.sort_by_key(|frame| frame.at);
}

/// An answer, and how often it was sent.
struct Answered {
    first: usize,
    last: usize,
    times: u32,
    acknowledged: bool,
}

impl Answered {
    const fn new(index: usize) -> Self {
        Self { first: index, last: index, times: 1, acknowledged: false }
    }
}
