//! Session descriptions in a file of their own: bare SDP, one or several, with words between them as people paste them;
//! or as JSON, `{"type":"offer","sdp":"v=0…"}`, a list of such, or `{"offer":…,"answer":…}`. They have no times: they are
//! taken as sent one after the other.

use std::io::Read as _;

use serde_json::Value;

use super::{Frame, FrameDirection, Recording, SocketLog, input::Input};
use crate::{
    error::Position,
    json,
    limits::Limits,
    moment::Moment,
    sdp::{Description, SdpType},
    trace::{Signal, SignalKind},
};

/// More descriptions than that are no call.
const MAX: usize = 1000;

pub(super) fn read(mut recording: Recording, input: &mut Input<'_>, limits: &Limits) -> Recording {
    recording.is_virtual = true;
    let limit = u64::try_from(limits.memory_bytes / 4).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    if let Err(error) = input.take().take(limit).read_to_end(&mut bytes) {
        recording.gap(Position::default(), input.explain(&error));
    }
    let text = String::from_utf8_lossy(&bytes);
    let found = match serde_json::from_str::<Value>(&text) {
        Ok(value) => of_json(&value),
        Err(_) => of_text(&text),
    };
    if found.is_empty() {
        recording.gap(Position::default(), "no session description in it could be read");
    }
    let mut frames: Vec<Frame> = Vec::new();
    let author = found.first().map(author);
    for (index, description) in found.into_iter().take(MAX).enumerate() {
        let kind = match description.kind {
            SdpType::Offer => SignalKind::Offer,
            SdpType::Pranswer => SignalKind::Pranswer,
            SdpType::Answer => SignalKind::Answer,
            SdpType::Rollback => continue,
        };
        let direction = match Some(self::author(&description)) == author {
            true => FrameDirection::Sent,
            false => FrameDirection::Received,
        };
        let at = Moment::from_micros(1000 * i64::try_from(index).unwrap_or(i64::MAX));
        let signal = Signal { description: Some(description), ..Signal::of(kind) };
        frames.push(Frame { at, direction, signal });
    }
    if !frames.is_empty() {
        recording.sockets.push(SocketLog { frames, ..SocketLog::default() });
    }
    recording
}

/// Whose it is: by its session where that tells, else by its certificate, else by its type.
fn author(description: &Description) -> String {
    match (description.origin(), description.fingerprint()) {
        (Some((session, _)), _) => session.to_owned(),
        (None, Some(fingerprint)) => fingerprint.to_owned(),
        (None, None) => description.kind.as_str().to_owned(),
    }
}

fn of_json(value: &Value) -> Vec<Description> {
    match value {
        Value::Array(items) => items.iter().flat_map(of_json).collect(),
        Value::Object(fields) => match json::description(value)
            .filter(|it| it.sdp.trim_start().starts_with("v="))
        {
            Some(description) => vec![description],
            None => {
                ["offer", "localDescription", "local", "pranswer", "answer", "remoteDescription", "remote"]
                    .iter()
                    .filter_map(|key| Some((*key, fields.get(*key)?)))
                    .flat_map(|(key, inner)| match (inner, SdpType::from_word(key)) {
                        (Value::String(sdp), Some(kind)) if sdp.trim_start().starts_with("v=") => {
                            vec![Description { kind, sdp: sdp.clone() }]
                        }
                        (inner, _) => of_json(inner),
                    })
                    .collect()
            }
        },
        _ => Vec::new(),
    }
}

/// Each begins with `v=0`, and goes on as long as its lines are of SDP. Logs write line ends as `\r\n`.
fn of_text(text: &str) -> Vec<Description> {
    let text = match text.contains("v=0\\r\\n") || text.contains("v=0\\n") {
        true => text.replace("\\r\\n", "\n").replace("\\n", "\n"),
        false => text.to_owned(),
    };
    let mut found: Vec<Description> = Vec::new();
    let mut said = String::new();
    let mut open: Option<String> = None;
    let is_sdp = |line: &str| {
        let bytes = line.as_bytes();
        bytes.len() > 1 && bytes[0].is_ascii_lowercase() && bytes[1] == b'='
    };
    for line in text.lines().map(str::trim) {
        let begins =
            line.find("v=0").filter(|at| line[at + 3..].chars().all(|letter| !letter.is_alphanumeric()));
        if let Some(at) = begins {
            close(&mut found, open.take(), &mut said);
            said.push_str(&line[..at]);
            open = Some("v=0\r\n".to_owned());
        } else if let Some(sdp) = open.as_mut().filter(|_| is_sdp(line)) {
            sdp.push_str(line.trim_end_matches(['"', '\'', '}', ',']));
            sdp.push_str("\r\n");
        } else if !line.is_empty() {
            close(&mut found, open.take(), &mut said);
            said.push_str(line);
            said.push('\n');
        }
    }
    close(&mut found, open, &mut said);
    found
}

/// What stands before it says what it is; else its DTLS role does, which only an offer leaves open (RFC 8842 §5.2);
/// else its turn.
fn close(found: &mut Vec<Description>, sdp: Option<String>, said: &mut String) {
    let Some(sdp) = sdp.filter(|sdp| sdp.contains("\nm=") || sdp.contains("\no=")) else { return };
    let lower = said.to_ascii_lowercase();
    let named = match (lower.rfind("offer"), lower.rfind("answer")) {
        (Some(offer), Some(answer)) if offer > answer => Some(SdpType::Offer),
        (_, Some(_)) => Some(SdpType::Answer),
        (Some(_), None) => Some(SdpType::Offer),
        (None, None) => None,
    };
    let by_role = match sdp.contains("a=setup:actpass") {
        true => SdpType::Offer,
        false if found.len().is_multiple_of(2) => SdpType::Offer,
        false => SdpType::Answer,
    };
    found.push(Description { kind: named.unwrap_or(by_role), sdp });
    said.clear();
}
