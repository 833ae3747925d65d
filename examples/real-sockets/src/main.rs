//! `cargo run -p example-real-sockets`: plays the call and prints what both sides see.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    match example_real_sockets::play().await {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
