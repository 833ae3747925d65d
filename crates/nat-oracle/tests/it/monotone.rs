//! What makes a network looser never takes a path away.

use nat_oracle::{
    Dependence, Families, Firewall, Gateway, Hairpinning, Nat, Path, Servers, Site, Situation, predict,
};
use proptest::{prelude::*, sample::select};

fn any_dependence() -> impl Strategy<Value = Dependence> {
    select(&Dependence::ALL[..])
}

fn any_nat() -> impl Strategy<Value = Nat> {
    (any_dependence(), any_dependence(), select(&[Hairpinning::On, Hairpinning::Off][..]))
        .prop_map(|(mapping, filtering, hairpinning)| Nat { mapping, filtering, hairpinning })
}

fn any_gateway() -> impl Strategy<Value = Gateway> {
    let firewalls = [Firewall::Stateful, Firewall::UdpBlocked, Firewall::UdpOnlyTo(Servers::PORT)];
    (prop::option::weighted(0.9, any_nat()), prop::option::weighted(0.2, select(firewalls.to_vec())))
        .prop_map(|(nat, firewall)| Gateway { nat, firewall })
}

fn any_gateways() -> impl Strategy<Value = Vec<Gateway>> {
    prop::collection::vec(any_gateway(), 0..3)
}

fn any_families() -> impl Strategy<Value = Families> {
    select(&[Families::Ipv4, Families::Ipv4, Families::Both, Families::Ipv6][..])
}

fn any_servers() -> impl Strategy<Value = Servers> {
    select(&[Servers::NONE, Servers::STUN, Servers::STUN_AND_TURN][..])
}

/// Two sites, and the gateways that they share further out.
#[derive(Clone, Debug)]
struct Ground {
    own: [Vec<Gateway>; 2],
    families: [Families; 2],
    shared: Vec<Gateway>,
    servers: Servers,
}

fn any_ground() -> impl Strategy<Value = Ground> {
    let own = [any_gateways(), any_gateways()];
    let shared = prop::collection::vec(any_gateway(), 0..2);
    (own, [any_families(), any_families()], shared, any_servers())
        .prop_map(|(own, families, shared, servers)| Ground { own, families, shared, servers })
}

impl Ground {
    fn path(&self) -> Path {
        predict(&self.situation()).path
    }

    fn situation(&self) -> Situation {
        let site = |index: usize| {
            let gateways = self.own[index].iter().chain(&self.shared).copied();
            Site::behind(gateways).with_families(self.families[index])
        };
        Situation::sharing(site(0), site(1), self.shared.len(), self.servers).unwrap()
    }

    fn gateways(&mut self) -> impl Iterator<Item = &mut Gateway> {
        let [caller, callee] = &mut self.own;
        caller.iter_mut().chain(callee).chain(&mut self.shared)
    }

    fn nats(&mut self) -> impl Iterator<Item = &mut Nat> {
        self.gateways().filter_map(|gateway| gateway.nat.as_mut())
    }
}

/// One step looser.
fn looser(dependence: Dependence) -> Dependence {
    match dependence {
        Dependence::AddressAndPortDependent => Dependence::AddressDependent,
        _ => Dependence::EndpointIndependent,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    #[test]
    fn looser_filtering_never_takes_a_path_away(ground in any_ground(), index in 0..6usize) {
        let mut after = ground.clone();
        if let Some(nat) = after.nats().nth(index) {
            nat.filtering = looser(nat.filtering);
        }
        prop_assert!(ground.path() == Path::None || after.path() != Path::None);
        prop_assert!(!ground.path().is_direct() || after.path().is_direct());
    }

    #[test]
    fn looser_mapping_never_takes_a_path_away(ground in any_ground(), index in 0..6usize) {
        let mut after = ground.clone();
        if let Some(nat) = after.nats().nth(index) {
            nat.mapping = looser(nat.mapping);
        }
        prop_assert!(ground.path() == Path::None || after.path() != Path::None);
        prop_assert!(!ground.path().is_direct() || after.path().is_direct());
    }

    #[test]
    fn hairpinning_never_takes_a_path_away(ground in any_ground()) {
        let mut after = ground.clone();
        after.nats().for_each(|nat| nat.hairpinning = Hairpinning::On);
        prop_assert!(ground.path() == Path::None || after.path() != Path::None);
        prop_assert!(!ground.path().is_direct() || after.path().is_direct());
    }

    #[test]
    fn a_firewall_less_never_takes_a_path_away(ground in any_ground(), index in 0..6usize) {
        let mut after = ground.clone();
        if let Some(gateway) = after.gateways().nth(index) {
            gateway.firewall = None;
        }
        prop_assert!(ground.path() == Path::None || after.path() != Path::None);
        prop_assert!(!ground.path().is_direct() || after.path().is_direct());
    }

    #[test]
    fn servers_never_take_a_path_away(ground in any_ground()) {
        let with = |servers| Ground { servers, ..ground.clone() }.path();
        let [none, stun, turn] = [Servers::NONE, Servers::STUN, Servers::STUN_AND_TURN].map(with);
        prop_assert!(!none.is_direct() || stun.is_direct());
        // A direct path stays what it is: TURN is asked last.
        prop_assert!(stun == turn || (stun == Path::None && turn == Path::Relay));
        prop_assert!(!none.is_direct() || none == stun || stun != Path::None);
    }

    #[test]
    fn it_does_not_matter_who_calls(ground in any_ground()) {
        let [there, back] = [ground.situation(), ground.situation().turned_round()].map(|one| predict(&one));
        prop_assert_eq!(there.path, back.path);
        prop_assert_eq!(there.turn_required, back.turn_required);
    }

    #[test]
    fn a_prediction_is_of_one_piece(ground in any_ground()) {
        let found = predict(&ground.situation());
        prop_assert_eq!(found.caller.is_some(), found.path != Path::None);
        prop_assert_eq!(found.caller.is_some(), found.callee.is_some());
        if let (Some(caller), Some(callee)) = (found.caller, found.callee) {
            prop_assert_eq!((caller.local, caller.remote), (callee.remote, callee.local));
            prop_assert_eq!(found.path, Path::of(caller.local, callee.local));
            prop_assert_eq!(found.path.is_direct(), !found.turn_required);
        } else {
            prop_assert!(found.turn_required);
        }
    }
}
