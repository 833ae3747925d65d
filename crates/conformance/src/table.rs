//! The rows, group by group.

mod candidates;
mod close;
mod descriptions;
mod gathering;
mod glare;
mod needed;
mod restart;
mod sdp;
mod signaling;
mod states;

use crate::row::{Group, Row};

/// Every row, in the order of the table.
pub fn rows() -> Vec<Row> {
    let groups: [(Group, Vec<Row>); 10] = [
        (Group::SignalingTable, signaling::rows()),
        (Group::Descriptions, descriptions::rows()),
        (Group::PerfectNegotiation, glare::rows()),
        (Group::NegotiationNeeded, needed::rows()),
        (Group::RemoteCandidates, candidates::rows()),
        (Group::Gathering, gathering::rows()),
        (Group::ConnectionStates, states::rows()),
        (Group::IceRestart, restart::rows()),
        (Group::Close, close::rows()),
        (Group::Sdp, sdp::rows()),
    ];
    let in_group = |(group, rows): (Group, Vec<Row>)| rows.into_iter().map(move |row| Row { group, ..row });
    groups.into_iter().flat_map(in_group).collect()
}
