//! WHIP and WHEP (RFC 9725): an offer is posted as `application/sdp` and answered in the response; candidates come as
//! fragments (RFC 8840) in `PATCH`; `DELETE` is the end.

use crate::{
    sdp::SdpType,
    trace::{Report, Signal, SignalKind},
};

use super::described;

/// What a request and its answer say. `None` where neither is about SDP.
pub(crate) fn exchange(method: &str, asked: &str, status: u16, answered: &str) -> Option<[Vec<Signal>; 2]> {
    let is_sdp = |body: &str| body.trim_start().starts_with("v=0");
    let method = method.to_ascii_uppercase();
    let refused = || {
        let reason = format!("HTTP {status} {}", answered.lines().next().unwrap_or_default());
        let reason = reason.trim().chars().take(200).collect();
        Signal { report: Some(Report::Failed { reason }), ..Signal::of(SignalKind::Report) }
    };
    match method.as_str() {
        "POST" | "PUT" if is_sdp(asked) => {
            let back = match status {
                400.. => vec![refused()],
                _ if is_sdp(answered) => vec![described(SdpType::Answer, answered)],
                _ => Vec::new(),
            };
            Some([vec![described(SdpType::Offer, asked)], back])
        }
        // WHEP servers of the first drafts make the offer.
        "POST" if is_sdp(answered) => Some([Vec::new(), vec![described(SdpType::Offer, answered)]]),
        "PATCH" if is_sdp(asked) => Some([vec![described(SdpType::Answer, asked)], Vec::new()]),
        "PATCH" if asked.contains("a=ice-ufrag:") || asked.contains("a=candidate:") => {
            Some([fragment(asked), fragment(answered)])
        }
        _ => None,
    }
}

/// The candidates of a fragment.
pub(super) fn fragment(body: &str) -> Vec<Signal> {
    super::sip::candidates(body)
}
