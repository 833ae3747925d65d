//! What the doctor says of a machine, as far as a test can choose the machine.

use super::place::{Fake, Place};
use crate::said::{Said, check, said};

fn place() -> Place {
    let place = Place::new();
    place.worker("worker", &Fake::of("wall", &[("call#wall", "100000")]));
    place
}

/// With nothing on the search path but a shell, and `programs` of this place.
fn doctor(place: &Place, worker: &str) -> Said {
    let mut command = place.xtask(&["doctor", "--worker", worker]);
    said(command.env("PATH", place.search_path(&["sh"])).output().unwrap())
}

#[test]
fn without_valgrind_the_instruction_tier_cannot_be_judged_and_the_others_can() {
    let said = doctor(&place(), "./worker");
    check(&said, 4, "! valgrind   not installed: `apt-get install valgrind`\n");
    check(&said, 4, "  addresses  cannot be fixed (setarch -R)");
    check(
        &said,
        4,
        "`call#wall` against itself: 0.00 % from epoch to epoch; in 20 of them a slowdown of 2.0 % is seen\n",
    );
    check(&said, 4, "virtual: can be judged on any machine\ninstructions: cannot be judged here");
}

#[test]
fn a_valgrind_that_works_is_named_and_one_that_does_not_is_a_defect() {
    let place = place();
    place.program("bin/valgrind", "#!/bin/sh\necho valgrind-3.22.0\n");
    let found = doctor(&place, "./worker");
    assert!(found.out.contains("  valgrind   3.22.0\n"), "{}", found.out);
    assert!(found.out.contains("instructions: can be judged here\n"), "{}", found.out);
    // Whether the machine is fit in every other way is its own affair; that lines and exit code agree is not.
    let defects = found.out.lines().filter(|line| line.starts_with('!')).count();
    assert_eq!(found.code, Some(if defects == 0 { 0 } else { 4 }), "{}", found.out);
    place.program("bin/valgrind", "#!/bin/sh\necho no such processor\n");
    check(&doctor(&place, "./worker"), 4, "! valgrind   `valgrind --version` answers `no such processor`");
}

#[test]
fn a_worker_without_wall_time_is_said_to_have_none() {
    let place = place();
    place.worker("worker", &Fake::of("virtual", &[("a#x", "1")]));
    check(&doctor(&place, "./worker"), 4, "  spread     the worker has no metric of the wall tier\n");
}

#[test]
fn what_was_found_is_shown_even_where_the_worker_does_not_start() {
    let said = doctor(&place(), "./nowhere");
    check(&said, 1, "error: cannot start ./nowhere: No such file or directory (os error 2)\n");
    assert!(said.out.contains("! valgrind"), "{}", said.out);
}
