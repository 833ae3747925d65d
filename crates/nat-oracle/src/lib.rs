//! Whether two peers reach each other directly, by which candidates, and whether they need TURN: predicted from
//! the RFCs, so that a simulator can be judged by somebody who does not know it.
//!
//! [`predict`] reasons about *sets*: which endpoints a side's packets appear from (RFC 4787 §4.1), which
//! packets opened which filter (RFC 4787 §5), and which checks follow from those that arrived (RFC 8445 §7.3).
//! It has no clock, no addresses, no ports and no packets: an endpoint is known by how it came about. So
//! nothing depends on numbers, on order or on chance, and nothing is shared with the simulator but the RFCs.
//!
//! What is taken for granted:
//! - Both agents are full ICE agents that trickle; the caller is controlling and nominates once, regularly, among
//!   all valid pairs (RFC 8445 §8.1.1). Checks and their openings are repeated for as long as it takes, and
//!   mappings outlive them (RFC 4787 REQ-5: 2 minutes).
//! - Checks are symmetric: an answer counts only if it comes from where the check went (RFC 8445 §7.2.5.2.1).
//! - A NAT has one public address, or pairs each host with one (RFC 4787 REQ-2), and never gives one port to two
//!   mappings (REQ-3, no "port overloading"). *Port preservation therefore decides nothing*: the mapping that
//!   the STUN server saw may have the host's own port, but a further mapping of the same socket cannot have
//!   it too, and nobody predicts which one it gets. It is no input.
//! - What is turned round by hairpinning has the sender's outside endpoint as its source, and meets the filter as
//!   anything from outside does (RFC 4787 §6, REQ-9a).
//! - Everybody has one socket for each address family, and no port of it, of its mappings or of its relayed
//!   addresses is the one port that a firewall may be open to.
//! - No two private networks of a situation use the same addresses.
//!
//! Deliberately absent: UPnP and PCP, ICE-TCP, TURN over TCP, NAT64, expiry of mappings in mid-call, what
//! happens when packets are lost.

mod candidates;
mod checks;
mod endpoint;
mod prediction;
mod reasons;
mod selection;
mod situation;
mod terrain;

pub use prediction::{Path, Prediction, View, predict};
pub use selection::CandidateType;
pub use situation::{
    Dependence, Families, Firewall, Gateway, Hairpinning, InvalidSituation, Machines, Nat, Offer, Servers,
    Site, Situation,
};
