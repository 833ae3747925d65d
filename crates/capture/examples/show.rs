//! Shows what files of captured calls hold: `cargo run -p callsim-capture --example show -- FILE…`.

use std::path::Path;

use capture::{Limits, Mappings, audit, diagram, merge, read_file};

fn main() {
    let mut recordings = Vec::new();
    for file in std::env::args().skip(1) {
        match read_file(Path::new(&file), &Mappings::default(), &Limits::default()) {
            Ok(recording) => recordings.push(recording),
            Err(error) => eprintln!("{error}"),
        }
    }
    let capture = merge(recordings);
    for file in &capture.files {
        if let Some(why) = &file.adds_nothing {
            println!("{}: {why}", file.file);
        }
    }
    if capture.unmapped.holds_signalling() {
        println!("{}", capture.unmapped.advice());
    }
    for call in &capture.calls {
        let findings = audit::audit(call);
        println!("== {} ({})", call.id, call.outcome().as_str());
        println!("{}", audit::verdict(call, &findings));
        for finding in &findings {
            let peer = finding.peer.as_ref().map(ToString::to_string).unwrap_or_default();
            println!(
                "  {:>9} {:<8} {:<10} {}: {}",
                finding.at.to_string(),
                finding.severity.as_str(),
                peer,
                finding.code,
                finding.message
            );
        }
        println!("\n{}", diagram::terminal(&diagram::Sequence::new(call, &findings), 120));
    }
}
