//! One peer connection in several files: the two dumps of one browser, a dump and the page's own log.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    calls::{CallParts, Place},
    participants::{MAX_COMPARED, Participants, Side, identities},
};
use crate::{
    reader::{ConnectionLog, Format, Recording},
    trace::{PeerEvent, TrackChange},
};

/// For each connection that another file shows better: that better one.
pub(super) type Twins = BTreeMap<Place, Place>;

/// Two logs are of one connection where they made the same description or candidate.
pub(super) fn find(parts: &CallParts<'_>, recordings: &[Recording], participants: &Participants) -> Twins {
    let mut twins = Twins::new();
    if parts.connections.len() > MAX_COMPARED {
        return twins;
    }
    let mut order = parts.connections.clone();
    order.sort_by_key(|(recording, place)| (worth(recordings[*recording].format), *recording, *place));
    let made: Vec<BTreeSet<String>> =
        order.iter().map(|(r, place)| made(&recordings[*r].connections[*place])).collect();
    for (index, one) in order.iter().enumerate() {
        let better = (0..index).find(|other| {
            let place = order[*other];
            // Of one participant, those that did nothing are one.
            let both_idle = made[*other].is_empty() && made[index].is_empty();
            let same_owner = participants.of_connection(place) == participants.of_connection(*one);
            let same = !made[*other].is_disjoint(&made[index]) || (both_idle && same_owner);
            place.0 != one.0 && !twins.contains_key(&place) && same
        });
        if let Some(better) = better {
            twins.insert(*one, order[better]);
        }
    }
    twins
}

/// The smaller, the more a format shows.
const fn worth(format: Format) -> u8 {
    match format {
        Format::Rtcstats => 0,
        Format::WebrtcInternals => 1,
        Format::PageEvents => 2,
        _ => 3,
    }
}

fn made(log: &ConnectionLog) -> BTreeSet<String> {
    let all = log.entries.iter().filter_map(|(_, event)| identities(event));
    all.filter(|(side, _)| *side == Side::Made).map(|(_, identity)| identity).collect()
}

/// Whether a page's own log shows this and a browser's dump does not.
pub(super) fn only_in_page_events(event: &PeerEvent) -> bool {
    match event {
        PeerEvent::CandidateHeld { .. } | PeerEvent::Note { .. } => true,
        PeerEvent::CandidateGathered { candidate } => candidate.is_end(),
        PeerEvent::RemoteTrack { change, .. } => {
            matches!(change, TrackChange::Muted | TrackChange::Unmuted | TrackChange::Ended)
        }
        _ => false,
    }
}
