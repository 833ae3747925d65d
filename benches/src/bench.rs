//! What the criterion benches have in common.

use criterion::{Criterion, SamplingMode, Throughput};

use crate::workload::{self, Size, Workload};

/// Set, a bench does not run those that take seconds each: `cargo xtask bench --quick` has them in its own table.
pub const QUICK: &str = "CALLSIM_BENCH_QUICK";

/// A run of these takes up to seconds: there are as few samples as criterion can do with. Last in their groups.
const LONG: [&str; 3] = ["calls-in-one-world/100", "calls-in-one-world/1000", "floor/driver-many"];
const FEW_SAMPLES: usize = 10;

/// Times every workload whose id begins with one of `prefixes`, one criterion group for each.
///
/// In criterion's test mode (`cargo test`, `--test`) at the smoke size.
///
/// # Panics
///
/// Where there is no such workload, or it cannot be run here.
pub fn time(criterion: &mut Criterion, prefixes: &[&str]) {
    for prefix in prefixes {
        let chosen: Vec<&Workload> = workload::all().filter(|one| one.id.starts_with(prefix)).collect();
        assert!(!chosen.is_empty(), "no workload begins with `{prefix}`");
        let mut group = criterion.benchmark_group(prefix.trim_end_matches('/'));
        // One run is long next to the clock's resolution, and some are seconds.
        group.sampling_mode(SamplingMode::Flat);
        for workload in chosen {
            let is_long = LONG.contains(&workload.id);
            if is_long && std::env::var_os(QUICK).is_some() {
                continue;
            }
            let name = workload.id.strip_prefix(prefix).unwrap_or(workload.id).trim_start_matches('/');
            let name = if name.is_empty() { workload.id } else { name };
            if is_long {
                group.sample_size(FEW_SAMPLES);
            }
            let mut run = ready(workload);
            group.throughput(throughput(workload, run()));
            group.bench_function(name, |bencher| bencher.iter(&mut run));
        }
        group.finish();
    }
}

fn ready(workload: &Workload) -> workload::Prepared {
    let prepared = workload.prepare(size(), workload::plain);
    prepared.unwrap_or_else(|error| panic!("{}: {error}", workload.id))
}

fn throughput(workload: &Workload, units: u64) -> Throughput {
    if workload.unit == "byte" { Throughput::Bytes(units) } else { Throughput::Elements(units) }
}

/// Full where criterion measures, smoke where it only tests.
pub fn size() -> Size {
    let asked = |flag: &str| std::env::args().any(|argument| argument == flag);
    if asked("--bench") && !asked("--test") { Size::Full } else { Size::Smoke }
}
