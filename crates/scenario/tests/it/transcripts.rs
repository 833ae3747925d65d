use scenario::{checks, run::Player};

/// What participants, signaller and script do with a scenario's first seed, and that its checks pass. A change
/// of a transcript is a change of behaviour: read it, then accept it. The other seeds are played by
/// `cargo xtask scenarios`.
#[test]
fn the_first_seed_of_each_scenario_passes_and_has_its_transcript() {
    for plan in super::scenarios() {
        let record = Player::new(&plan).seed(1).play().expect("the scenario plays");
        let failures = checks::check(&plan, &record);
        assert!(failures.is_empty(), "{}: {failures:#?}", plan.name());
        let transcript = timeline::transcript(&record.timeline);
        insta::with_settings!({ description => plan.summary(), omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(plan.name().replace('/', "__"), transcript);
        });
    }
}
