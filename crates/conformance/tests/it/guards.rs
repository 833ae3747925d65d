//! The engine's column finds bugs: with one guard of the engine off, a row that passes deviates.

use call_engine::Guards;
use conformance::{Verdict, play_row_guarded, rows};

#[track_caller]
fn check(guard: &str, id: &str) {
    let row = rows().into_iter().find(|row| row.id == id).expect("a row of this name");
    let mut guards = Guards::ALL_ON;
    let on = play_row_guarded(row.clone(), guards).engine;
    assert_eq!(on, Ok(Verdict::Pass), "`{id}` with all guards on");
    guards.set(guard, false).expect("a guard of this name");
    let off = play_row_guarded(row, guards).engine;
    assert!(matches!(off, Ok(Verdict::Deviates(_))), "`{id}` without `{guard}`: {off:?}");
}

#[test]
fn candidates_that_are_not_held_are_noticed() {
    check("hold_early_candidates", "a-candidate-before-the-description");
    check("match_candidate_generation", "a-candidate-of-the-generation-before");
}

#[test]
fn candidates_that_are_told_late_or_without_end_are_noticed() {
    check("trickle_at_once", "candidates-are-told-as-they-are-found");
    check("send_end_of_candidates", "the-end-is-told");
}

#[test]
fn glare_without_a_rollback_is_noticed() {
    check("roll_back_on_glare", "the-polite-peer-yields");
}

#[test]
fn descriptions_and_offers_out_of_turn_are_noticed() {
    check("ignore_stale_descriptions", "stable-set-remote-answer");
    check("offer_only_in_stable", "have-local-offer-set-local-offer");
}

#[test]
fn restarts_that_do_not_happen_are_noticed() {
    check("offer_after_ice_restart", "restart-in-stable");
    check("restart_on_network_change", "restart-in-stable");
    check("rebind_on_restart", "a-restart-gathers-again");
}
