//! Which of several valid pairs the caller nominates.
//!
//! RFC 8445 §8.1.1 leaves that to the controlling agent. The rule here is the usual one, and that of `rtc-ice`
//! 0.21.1: the valid pair whose priority in the checklist is greatest (§6.1.2.3), where the local candidate is
//! the base that sent the check (§6.1.2.4) and the remote one is a candidate as signalled, or peer-reflexive.
//!
//! Consequences, and where a real agent's timing could show something else:
//! - Direct before relayed: with a relayed candidate on either side, the lesser of the two priorities is 0. A
//!   relayed pair may be valid much earlier than a direct one; `rtc-ice` waits 2 s before it nominates a relayed
//!   candidate (1 s peer-reflexive, 0.5 s server-reflexive), and so does what this rule says as long as the
//!   direct pair is valid by then.
//! - Between relayed pairs the greater priority decides: the caller's own socket to the callee's relayed address
//!   (host 126, relay 0) beats the caller's relayed address to anything else than the callee's host, and that
//!   too by the rule's last bit (G > D). So the callee's relay is used, unless the caller's packets do not get to
//!   it; then the caller's, to the callee's peer-reflexive (110) or server-reflexive (100) endpoint, if it lets
//!   the relay in; both relays last.
//! - A peer-reflexive endpoint beats a server-reflexive one. There is such a choice only inside a carrier's network
//!   whose NAT hairpins, where a home reaches a phone's own address and its outside endpoint too; elsewhere one
//!   endpoint alone answers from where it is asked.
//! - **A peer-reflexive candidate whose endpoint is signalled later is that candidate** (RFC 8445 §7.3.1.3: the
//!   signalling brings "the actual foundation for the candidate"). `rtc-ice` goes on calling it `prflx`, with
//!   priority and wait of one, where a check arrives before the candidate does. So whoever compares looks up the
//!   selected endpoint among all that the other side signalled, and takes the type from there.
//! - `rtc-ice` names the base as the local candidate of its selected pair, `host` or `relay`, not the mapped
//!   endpoint of the valid pair (RFC 8445 §7.2.5.3.2): [`View::base`] beside [`View::local`].
//! - `rtc-ice` pairs a peer-reflexive candidate with all local candidates (RFC 8445 §7.3.1.3: with none but the
//!   one that was reached). That can give a relayed address one permission more, never a direct path.

use std::{cmp::Reverse, fmt};

use crate::{
    checks::Valid,
    endpoint::{Base, Family},
};

/// The types of candidates (RFC 8445 §5.1.1), the one that needs least help first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CandidateType {
    /// The host's own address.
    Host,
    /// What a STUN server saw, and was signalled.
    ServerReflexive,
    /// What only the other side's checks brought to light.
    PeerReflexive,
    /// Allocated on a TURN server.
    Relay,
}

impl CandidateType {
    /// Its word in SDP (RFC 8839 §5.1): `host`, `srflx`, `prflx` or `relay`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::ServerReflexive => "srflx",
            Self::PeerReflexive => "prflx",
            Self::Relay => "relay",
        }
    }

    /// The recommended type preference (RFC 8445 §5.1.2.2).
    const fn preference(self) -> u64 {
        match self {
            Self::Host => 126,
            Self::PeerReflexive => 110,
            Self::ServerReflexive => 100,
            Self::Relay => 0,
        }
    }
}

impl fmt::Display for CandidateType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Base {
    pub(crate) const fn kind(self) -> CandidateType {
        match self {
            Self::Host(..) => CandidateType::Host,
            Self::Relay(..) => CandidateType::Relay,
        }
    }
}

/// The pair that the caller nominates; `callee_is` tells what it knows an endpoint of the callee as.
pub(crate) fn nominate(valid: &[Valid], callee_is: impl Fn(&Valid) -> CandidateType) -> Option<&Valid> {
    let rank = |pair: &&Valid| {
        // RFC 8421 §4: IPv6 first, where types are alike.
        let is_v4 = pair.caller.family() == Family::V4;
        (pair_priority(pair.caller.kind(), callee_is(pair)), Reverse(is_v4))
    };
    valid.iter().max_by_key(rank)
}

/// RFC 8445 §6.1.2.3, with type preferences for priorities: nothing else differs between candidates here.
fn pair_priority(caller: CandidateType, callee: CandidateType) -> u64 {
    let (controlling, controlled) = (caller.preference(), callee.preference());
    let (least, most) = (controlling.min(controlled), controlling.max(controlled));
    (least << 32) + 2 * most + u64::from(controlling > controlled)
}

#[cfg(test)]
mod tests {
    use super::{CandidateType::*, *};

    #[test]
    fn the_callees_relay_comes_before_the_callers() {
        let order = [
            (Host, Host),
            (Host, PeerReflexive),
            (Host, ServerReflexive),
            (Host, Relay),
            (Relay, Host),
            (Relay, PeerReflexive),
            (Relay, ServerReflexive),
            (Relay, Relay),
        ];
        let priorities = order.map(|(caller, callee)| pair_priority(caller, callee));
        assert!(priorities.is_sorted_by(|one, next| one > next), "{priorities:?}");
    }
}
