//! `cargo run -p example-own-app -- SEED`: plays the scenario with our app, and prints what happened and what does not
//! hold.

use std::process::ExitCode;

use callsim::{Player, check, timeline::transcript};

fn main() -> ExitCode {
    let given = std::env::args().nth(1).unwrap_or_else(|| "1".to_owned());
    let Ok(seed) = given.parse() else {
        eprintln!("a seed is a whole number, not `{given}`");
        return ExitCode::from(2);
    };
    let plan = example_own_app::cafe().expect("the scenario of this example");
    let record = match Player::new(&plan).programs(&example_own_app::glue::programs()).seed(seed).play() {
        Ok(record) => record,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    print!("{}", transcript(&record.timeline));
    let failures = check(&plan, &record);
    for failure in &failures {
        eprintln!("{} at {} ms: {}", failure.check, failure.at.as_millis(), failure.message);
    }
    ExitCode::from(u8::from(!failures.is_empty()))
}
