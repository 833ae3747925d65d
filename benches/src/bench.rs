//! What the criterion benches have in common.

use criterion::{Criterion, SamplingMode, Throughput};

use crate::workload::{self, Size, Workload};

/// A run of these may take seconds.
const LONG: [&str; 2] = ["calls-in-one-world/", "floor/driver-many"];
/// Then there are so many, criterion's least.
const FEW_SAMPLES: usize = 10;
/// Otherwise as many as criterion takes by itself.
const SAMPLES: usize = 100;

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
            let name = workload.id.strip_prefix(prefix).unwrap_or(workload.id).trim_start_matches('/');
            let name = if name.is_empty() { workload.id } else { name };
            let is_long = LONG.iter().any(|long| workload.id.starts_with(long));
            group.sample_size(if is_long { FEW_SAMPLES } else { SAMPLES });
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
