//! Any text as a scenario file: it is a plan, or all that is wrong with it is said in lines that steer nothing.

#![no_main]

use scenario::plan::Plan;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let Err(error) = Plan::from_toml("fuzzed", text) else { return };
    assert!(!error.problems().is_empty());
    for (line, problem) in error.lines().zip(error.problems()) {
        assert_eq!(line, timeline::escaped(&line));
        let (line, column) = error.position(problem);
        assert!(line >= 1 && column >= 1);
    }
});
