use scenario::run::Player;

/// What participants, signaller and script do with a scenario's first seed. A change here is a change
/// of behaviour: read it, then accept it.
#[test]
fn the_first_seed_of_each_scenario_has_its_transcript() {
    for plan in super::scenarios() {
        let record = Player::new(&plan).seed(1).play().expect("the scenario plays");
        let transcript = timeline::transcript(&record.timeline);
        insta::with_settings!({ description => plan.summary(), omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(plan.name().replace('/', "__"), transcript);
        });
    }
}
