//! SDP and candidates: texts that every call parses and writes.

use std::{hint::black_box, io::Cursor};

use rtc::{ice::candidate::unmarshal_candidate, sdp::SessionDescription};
use serde_json::Value;

use super::{Broken, PrepareError, Prepared, Region, Size, Workload, within};

/// In the order in which they are shown.
pub(super) const ALL: &[Workload] = &[
    Workload {
        id: "sdp/parse",
        about: "Parses Chromium's offer of audio and video with all its codecs (RFC 8866).",
        unit: "description",
        prepare: |size, region| {
            let offer = offer("sdp/parse")?;
            Ok(repeated(size, region, move || drop(black_box(parse(&offer)))))
        },
    },
    Workload {
        id: "sdp/write",
        about: "Writes that offer.",
        unit: "description",
        prepare: |size, region| {
            let parsed =
                parse(&offer("sdp/write")?).map_err(|what| PrepareError::Broken { id: "sdp/write", what })?;
            Ok(repeated(size, region, move || drop(black_box(parsed.marshal()))))
        },
    },
    Workload {
        id: "candidate/parse-and-write",
        about: "Parses a candidate of each type and writes it again (RFC 8839 §5.1).",
        unit: "candidate",
        prepare: |size, region| {
            let mut at = 0;
            Ok(repeated(size, region, move || {
                let line = CANDIDATES[at % CANDIDATES.len()];
                let candidate = unmarshal_candidate(black_box(line)).expect("a candidate");
                drop(black_box(candidate.marshal()));
                at += 1;
            }))
        },
    },
    Workload {
        id: "candidate/summarise",
        about: "What our own code says of such a candidate: its type, transport and address.",
        unit: "candidate",
        prepare: |size, region| {
            let mut at = 0;
            Ok(repeated(size, region, move || {
                let candidate = capture::candidate::Candidate::new(CANDIDATES[at % CANDIDATES.len()]);
                drop(black_box(candidate.summary()));
                at += 1;
            }))
        },
    },
];

const CANDIDATES: [&str; 4] = [
    "2130706431 1 udp 2130706431 10.0.0.1 50000 typ host",
    "1694498815 1 udp 1694498815 203.0.113.7 61000 typ srflx raddr 10.0.0.1 rport 50000",
    "1862270975 1 udp 1862270975 198.51.100.9 50123 typ prflx raddr 0.0.0.0 rport 0",
    "16777215 1 udp 16777215 192.0.2.44 49170 typ relay raddr 203.0.113.7 rport 61000",
];

/// How often a text is handled in one run.
const TIMES: u64 = 200;

fn repeated(size: Size, region: Region, mut work: impl FnMut() + 'static) -> Prepared {
    let times = if size == Size::Full { TIMES } else { 4 };
    Box::new(move || {
        within(region, || (0..times).for_each(|_| work()));
        times
    })
}

fn parse(sdp: &str) -> Result<SessionDescription, Broken> {
    Ok(SessionDescription::unmarshal(&mut Cursor::new(sdp))?)
}

/// The first offer in the log of a signalling server.
fn offer(id: &'static str) -> Result<String, PrepareError> {
    const LOG: &str = include_str!("../../../fixtures/happy-av/relay.jsonl");
    let messages = LOG.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut offers = messages.filter(|line| line["msg"]["type"] == "offer");
    let offer = offers.next().and_then(|line| line["msg"]["sdp"].as_str().map(str::to_owned));
    let offer = offer.ok_or(PrepareError::Broken { id, what: Broken::NoOffer })?;
    parse(&offer).map_err(|what| PrepareError::Broken { id, what })?;
    Ok(offer)
}
