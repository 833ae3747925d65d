//! `cargo run -p example-str0m -- SEED`: plays the scenario and prints its transcript.

use std::process::ExitCode;

use callsim::{Plan, check, timeline::transcript};
use example_str0m::{SCENARIO, player};

fn main() -> ExitCode {
    let given = std::env::args().nth(1).unwrap_or_else(|| "1".to_owned());
    let Ok(seed) = given.parse() else {
        eprintln!("a seed is a whole number, not `{given}`");
        return ExitCode::from(2);
    };
    let plan = Plan::from_toml("str0m", SCENARIO).expect("the scenario is one");
    let record = player(&plan).seed(seed).play().expect("the world can be played");
    print!("{}", transcript(&record.timeline));
    println!("wire bytes: {}", record.digest);
    let failures = check(&plan, &record);
    failures.iter().for_each(|failure| eprintln!("{failure:?}"));
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
