//! The nine by nine NATs of RFC 4787, as a whole.

use nat_oracle::{Dependence, Gateway, Nat, Path, Prediction, Servers, Site, Situation, predict};

fn cell(caller: Nat, callee: Nat, servers: Servers) -> Prediction {
    let [caller, callee] = [caller, callee].map(|nat| Site::behind([Gateway::nat(nat)]));
    predict(&Situation::apart(caller, callee, servers))
}

fn grid() -> impl Iterator<Item = (Nat, Nat)> {
    Nat::all().flat_map(|caller| Nat::all().map(move |callee| (caller, callee)))
}

/// Whether two NATs let a direct path through, said in another way than the oracle says it: who can learn the
/// endpoint that the other one uses towards it, and be let in there.
fn connects(one: Nat, other: Nat) -> bool {
    use Dependence::{
        AddressAndPortDependent as Port, AddressDependent as Address, EndpointIndependent as Any,
    };
    let (one, other) = if one.mapping <= other.mapping { (one, other) } else { (other, one) };
    match (one.mapping, other.mapping) {
        // Both are where STUN saw them.
        (Any, Any) => true,
        // The other's endpoint is news, but its address is not.
        (Any, Address | Port) => one.filtering <= Address,
        // Somebody has to let a stranger in to what STUN saw; whoever then answers does so from a new endpoint.
        (Address, Address | Port) => {
            let lets_in = |one: Nat, other: Nat| one.filtering == Any && other.filtering <= Address;
            lets_in(one, other) || lets_in(other, one)
        }
        // Every answer makes a new endpoint on the other side.
        (Port, _) => false,
        (Address, Any) => unreachable!("they are in order"),
    }
}

#[test]
fn with_stun_42_of_81_connect() {
    let connected = grid().filter(|&(caller, callee)| cell(caller, callee, Servers::STUN).path != Path::None);
    assert_eq!(connected.count(), 42);
}

#[test]
fn they_are_those_that_can_learn_each_others_endpoints() {
    for (caller, callee) in grid() {
        let found = cell(caller, callee, Servers::STUN);
        assert_eq!(found.path.is_direct(), connects(caller, callee), "{caller:?} {callee:?}: {found:#?}");
        assert_eq!(found.turn_required, !connects(caller, callee));
    }
}

#[test]
fn a_path_is_server_reflexive_where_both_mappings_are_endpoint_independent_and_else_peer_reflexive() {
    for (caller, callee) in grid().filter(|&(caller, callee)| connects(caller, callee)) {
        let both_known = [caller, callee].iter().all(|nat| nat.mapping == Dependence::EndpointIndependent);
        let expect = if both_known { Path::ServerReflexive } else { Path::PeerReflexive };
        assert_eq!(cell(caller, callee, Servers::STUN).path, expect, "{caller:?} {callee:?}");
    }
}

#[test]
fn it_does_not_matter_who_calls() {
    for servers in [Servers::STUN, Servers::STUN_AND_TURN] {
        for (caller, callee) in grid() {
            let [there, back] = [cell(caller, callee, servers), cell(callee, caller, servers)];
            assert_eq!((there.path, there.turn_required), (back.path, back.turn_required));
            if there.path.is_direct() {
                assert_eq!((there.caller, there.callee), (back.callee, back.caller));
            }
        }
    }
}

#[test]
fn with_turn_all_81_connect_and_direct_ones_stay_direct() {
    for (caller, callee) in grid() {
        let [stun, turn] =
            [Servers::STUN, Servers::STUN_AND_TURN].map(|servers| cell(caller, callee, servers));
        assert_eq!(turn.turn_required, stun.turn_required);
        if stun.path == Path::None {
            assert_eq!(turn.path, Path::Relay, "{caller:?} {callee:?}: {turn:#?}");
        } else {
            assert_eq!((turn.path, turn.caller, turn.callee), (stun.path, stun.caller, stun.callee));
        }
    }
}

#[test]
fn without_servers_two_nats_are_a_wall() {
    assert!(grid().all(|(caller, callee)| cell(caller, callee, Servers::NONE).path == Path::None));
}
