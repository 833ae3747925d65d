//! `getStats()` (W3C webrtc-stats), as much of it as a call's timeline needs.

use std::{sync::Arc, time::Duration};

use rtc::statistics::{
    StatsSelector,
    report::{RTCStatsReport, RTCStatsReportEntry},
};
use timeline::{CandidateAddress, CandidateRef, IceProtocol};
use webrtc::{peer_connection::PeerConnection, runtime::Runtime};

/// One sample of a call's statistics.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statistics {
    /// `currentRoundTripTime` of the selected pair: the newest STUN check's. `None` before there is one.
    pub round_trip_time: Option<Duration>,
    /// What was sent since the sample before, in bits a second. 0 for the first sample.
    pub sent_bps: f64,
    /// What arrived since the sample before, in bits a second. 0 for the first sample.
    pub received_bps: f64,
    /// RTP packets that arrived since the call began, of all tracks.
    pub packets_received: u64,
    /// RTP packets that were lost on the way here since the call began (RFC 3550 §6.4.1); negative where
    /// there were more repeated than lost ones.
    pub packets_lost: i64,
    /// The selected candidate pair, local and remote.
    pub selected_pair: Option<(CandidateRef, CandidateRef)>,
}

/// Takes samples, each against the one before.
#[derive(Debug, Default)]
pub(crate) struct Sampler {
    before: Option<Totals>,
}

#[derive(Clone, Copy, Debug)]
struct Totals {
    at: std::time::Instant,
    sent: u64,
    received: u64,
}

impl Sampler {
    pub(crate) async fn sample(
        &mut self,
        connection: &Arc<dyn PeerConnection>,
        runtime: &Arc<dyn Runtime>,
    ) -> Statistics {
        let now = runtime.now();
        let report = connection.get_stats(now, StatsSelector::None).await;
        let mut statistics = Statistics::default();
        for stream in report.inbound_rtp_streams() {
            statistics.packets_received += stream.received_rtp_stream_stats.packets_received;
            statistics.packets_lost += stream.received_rtp_stream_stats.packets_lost;
        }
        let Some(transport) = report.transport() else { return statistics };
        let totals = Totals { at: now, sent: transport.bytes_sent, received: transport.bytes_received };
        if let Some(before) = self.before.replace(totals) {
            let seconds = now.duration_since(before.at).as_secs_f64();
            statistics.sent_bps = rate(before.sent, totals.sent, seconds);
            statistics.received_bps = rate(before.received, totals.received, seconds);
        }
        let selected = &transport.selected_candidate_pair_id;
        let pair = report.candidate_pairs().find(|pair| pair.stats.id == *selected);
        if let Some(pair) = pair {
            let measured = pair.current_round_trip_time > 0.0;
            statistics.round_trip_time =
                measured.then(|| Duration::from_secs_f64(pair.current_round_trip_time));
            let local = candidate(&report, &format!("RTCLocalIceCandidate_{}", pair.local_candidate_id));
            let remote = candidate(&report, &format!("RTCRemoteIceCandidate_{}", pair.remote_candidate_id));
            statistics.selected_pair = local.zip(remote);
        }
        statistics
    }
}

/// Bits a second; 0 where no time has passed.
fn rate(before: u64, now: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { now.saturating_sub(before) as f64 * 8.0 / seconds } else { 0.0 }
}

/// The candidate `id`: `webrtc` 0.21.1 names candidates with a prefix and refers to them without.
fn candidate(report: &RTCStatsReport, id: &str) -> Option<CandidateRef> {
    let (RTCStatsReportEntry::LocalCandidate(found) | RTCStatsReportEntry::RemoteCandidate(found)) =
        report.get(id)?
    else {
        return None;
    };
    Some(CandidateRef {
        kind: timeline::webrtc::candidate_type(found.candidate_type)?,
        protocol: IceProtocol::from_word(&found.protocol)?,
        address: CandidateAddress::new(found.address.as_deref().unwrap_or("?"), found.port),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_bits_a_second() {
        assert_eq!(rate(1_000, 2_000, 2.0), 4_000.0);
        assert_eq!(rate(2_000, 1_000, 2.0), 0.0, "counters of a rebuilt peer begin anew");
        assert_eq!(rate(0, 1_000, 0.0), 0.0);
    }
}
