//! `cargo run -p example-turmoil -- SEED`: plays the call and prints what happened.

use std::process::ExitCode;

fn main() -> ExitCode {
    let given = std::env::args().nth(1).unwrap_or_else(|| "1".to_owned());
    let Ok(seed) = given.parse() else {
        eprintln!("a seed is a whole number, not `{given}`");
        return ExitCode::from(2);
    };
    match example_turmoil::play(seed) {
        Ok(events) => {
            events.iter().for_each(|event| println!("{event}"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
