//! The shortest set-up that the protocols allow on a network: one-way trips times delay, and nothing else.
//!
//! Trips, with S those between the peers by way of the signaller and P those between the peers:
//!
//! 1. The call guide asks the callee before anything is negotiated: ring, accept. 2 S.
//! 2. The offer (RFC 3264 §5, RFC 8829 §4.1.8), with candidates that trickle beside it (RFC 8838 §3). 1 S. The
//!    answer goes back at the same time as the checks below.
//! 3. One connectivity check and its answer (RFC 8445 §7.2, §7.3). The callee knows enough for it as soon as it has
//!    the offer, and the caller must answer before it has the answer (RFC 8445 §7.3). 2 P. Nomination takes no trip:
//!    data may flow on any valid pair before it (RFC 8445 §12.1).
//! 4. The DTLS 1.2 handshake, begun by the answerer, who is active (RFC 8842 §5.3): two round trips (RFC 5246 §7.3),
//!    without the cookie exchange, which a server may leave out (RFC 6347 §4.2.1) and ICE makes needless. 4 P. The
//!    caller is connected after three of them, the callee after the fourth.
//!
//! What the path adds ([`PathClass`]): a NAT or firewall before the caller that filters (RFC 4787 §5) stops the
//! callee's check until the caller, who needs the answer for it, has sent something there: then the answer is on the
//! path, 1 S more, and the check's first trip is not. A relay of the caller's lets nobody in without a permission
//! (RFC 8656 §9), which needs the answer likewise: 1 S more, and a trip to the relay and back in place of the check's
//! first. Gathering adds nothing: it can be done while it rings.
//!
//! In any case the answer must be there for the caller to verify the callee's certificate (RFC 8827 §6.5), and a flight
//! goes to the callee after that: 4 S + 1 P is a bound too, and the greater of the two counts.
//!
//! Delays are the least that links have: no jitter, no rates, no processing, no losses.

use std::time::Duration;

use scenario::{
    metrics::FirstCall,
    plan::{Access, Dependence, Plan},
    record::{CandidateType, RunRecord},
};
use serde::{Deserialize, Serialize};
use timeline::Name;

/// What lies between the peers, as far as it adds trips.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PathClass {
    /// The callee's first check reaches the caller.
    Open,
    /// It does only after the caller has sent something.
    Filtered,
    /// As [`Self::Open`], through a relay of the callee's.
    RelayOfCallee,
    /// As [`Self::Filtered`], through a relay of the callee's.
    FilteredRelayOfCallee,
    /// Through a relay of the caller's.
    RelayOfCaller,
}

impl PathClass {
    /// Its words in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Filtered => "filtered",
            Self::RelayOfCallee => "relay of the callee",
            Self::FilteredRelayOfCallee => "filtered, relay of the callee",
            Self::RelayOfCaller => "relay of the caller",
        }
    }

    /// Its trips, for people.
    pub const fn trips(self) -> &'static str {
        match self {
            Self::Open | Self::RelayOfCallee => "3 S + 6 P",
            Self::Filtered | Self::FilteredRelayOfCallee => "4 S + 5 P",
            Self::RelayOfCaller => "4 S + 5 P + caller–relay and back",
        }
    }
}

/// The floor of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Floor {
    /// Which trips it counts.
    pub path: PathClass,
    /// From the dial until both sides can be connected.
    pub setup: Duration,
}

impl Floor {
    /// Of the first call of a run, over the path that ICE selected; `None` where it selected none.
    pub fn of(plan: &Plan, record: &RunRecord) -> Option<Self> {
        let call = FirstCall::of(plan)?;
        let [caller, callee] = [call.caller, call.callee].map(|side| record.peers.get(side)?.pair);
        let is_filtered = is_filtered(plan, call.caller);
        let path = match (caller?.local, callee?.local) {
            (CandidateType::Relayed, _) => PathClass::RelayOfCaller,
            (_, CandidateType::Relayed) if is_filtered => PathClass::FilteredRelayOfCallee,
            (_, CandidateType::Relayed) => PathClass::RelayOfCallee,
            _ if is_filtered => PathClass::Filtered,
            _ => PathClass::Open,
        };
        let setup = setup(plan, call, path)?;
        Some(Self { path, setup })
    }
}

/// Whether a gateway of `peer` stops who was not called before.
fn is_filtered(plan: &Plan, peer: &Name) -> bool {
    let of_peer = plan.gateways().iter().filter(|gateway| gateway.inside.contains(peer));
    of_peer.into_iter().any(|gateway| {
        let filters = |nat: &scenario::plan::NatConfig| nat.filtering != Dependence::EndpointIndependent;
        gateway.firewall.is_some() || gateway.nat.as_ref().is_some_and(filters)
    })
}

fn setup(plan: &Plan, call: FirstCall<'_>, path: PathClass) -> Option<Duration> {
    let caller = &plan.peer(call.caller)?.access;
    let callee = &plan.peer(call.callee)?.access;
    let signaller = &plan.signaller().access;
    let relay = plan.ice_servers().first().map(|server| &server.access);
    let is_relayed = !matches!(path, PathClass::Open | PathClass::Filtered);
    let between = if is_relayed { Some(relay?) } else { None };
    let (to_callee, to_caller) = (trip(caller, between, callee), trip(callee, between, caller));
    let ring = trip(caller, Some(signaller), callee);
    let accept = trip(callee, Some(signaller), caller);
    let (signalled, round) = (ring * 2 + accept, to_callee + to_caller);
    let direct = match path {
        PathClass::Open | PathClass::RelayOfCallee => signalled + round * 3,
        PathClass::Filtered | PathClass::FilteredRelayOfCallee => signalled + accept + to_callee + round * 2,
        PathClass::RelayOfCaller => {
            let permission = trip(caller, None, relay?) + trip(relay?, None, caller);
            signalled + accept + permission + to_callee + round * 2
        }
    };
    Some(direct.max(signalled + accept + to_callee))
}

/// The least delay from one host to another, by way of a third.
fn trip(from: &Access, by: Option<&Access>, to: &Access) -> Duration {
    let detour = by.map_or(Duration::ZERO, |host| host.down.delay + host.up.delay);
    from.up.delay + detour + to.down.delay
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latency::on_profile;

    #[track_caller]
    fn check(path: PathClass, expect_ms: u64) {
        let case = on_profile("lte", "lan").unwrap();
        let call = FirstCall::of(&case.plan).unwrap();
        assert_eq!(setup(&case.plan, call, path), Some(Duration::from_millis(expect_ms)), "{path:?}");
    }

    /// LTE is 30 ms from the core each way, LAN 1 ms, signaller and relay 10 ms.
    #[test]
    fn trips_times_delay() {
        let (signalled, direct, relayed) = (30 + 20 + 1, 30 + 1, 30 + 20 + 1);
        check(PathClass::Open, 3 * signalled + 6 * direct);
        check(PathClass::Filtered, 4 * signalled + 5 * direct);
        check(PathClass::RelayOfCallee, 3 * signalled + 6 * relayed);
        check(PathClass::RelayOfCaller, 4 * signalled + 5 * relayed + 2 * (30 + 10));
    }
}
