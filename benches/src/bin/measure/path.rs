//! The critical path of one call, for people.

use std::fmt::Write as _;

use benches::latency::{attribution::Attribution, cases, floor::Floor, on_profile};
use scenario::{profile::Profiles, run::Player};

use super::{MeasureError, Result};

/// Every step of it, and what it adds up to.
pub(super) fn of(id: &str, seed: u64) -> Result<String> {
    let mut cases = cases()?;
    for profile in Profiles::default().all() {
        cases.push(on_profile(&profile.name, &profile.name)?);
    }
    let case = cases.iter().find(|case| case.id == id).ok_or_else(|| {
        let nearest = scenario::nearest(id, cases.iter().map(|case| case.id.as_str()));
        MeasureError::UnknownCase { id: id.to_owned(), nearest: nearest.map(str::to_owned) }
    })?;
    let record = Player::new(&case.plan).seed(seed).play()?;
    let Some(found) = Attribution::of(&case.plan, &record) else {
        return Ok(format!("{id}, seed {seed}: not connected\n"));
    };
    let ms = |time: std::time::Duration| time.as_secs_f64() * 1e3;
    let mut out =
        String::from("   from ms      to ms    took ms  what for                where       until\n");
    for step in &found.steps {
        let [from, to] = [step.from, step.to].map(|at| at.as_millis_f64());
        let took = ms(step.to.since(step.from));
        let (cause, host) = (step.cause.as_str(), step.host.as_str());
        let _ = writeln!(out, "{from:>10.3} {to:>10.3} {took:>10.3}  {cause:<22}  {host:<10}  {}", step.what);
    }
    let _ = writeln!(out, "\n{:>10.3} ms in all", ms(found.total));
    for (cause, took) in found.parts() {
        let _ = writeln!(out, "{:>10.3} ms {}", ms(took), cause.as_str());
    }
    if let Some(floor) = Floor::of(&case.plan, &record) {
        let (path, trips) = (floor.path.as_str(), floor.path.trips());
        let _ = writeln!(out, "{:>10.3} ms floor: {path}, {trips}", ms(floor.setup));
    }
    Ok(out)
}
