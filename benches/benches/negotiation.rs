//! How long calls take to stand on each named network, in virtual time: criterion's plots show simulated
//! milliseconds, one sample per seed.

use std::{num::NonZeroUsize, thread::available_parallelism, time::Duration};

use benches::{
    bench::size,
    latency::{Case, PHASES, cases, play_all},
    virtual_time::VirtualTime,
    workload::Size,
};
use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};

fn negotiation(criterion: &mut Criterion<VirtualTime>) {
    let cases: Vec<Case> =
        cases().expect("our own plans").into_iter().filter(|case| case.is_on_profile()).collect();
    let (seeds, networks) = if size() == Size::Full { (1..=samples(), usize::MAX) } else { (1..=1, 1) };
    let cases: Vec<Case> = cases.into_iter().take(networks).collect();
    let jobs = available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let played = play_all(&cases, seeds, jobs).expect("calls can be played");
    for (case, latencies) in cases.iter().zip(&played) {
        let mut group = criterion.benchmark_group(&case.id);
        group.sampling_mode(SamplingMode::Flat);
        // Nothing is waited for: the calls have been played.
        group.warm_up_time(Duration::from_nanos(1)).measurement_time(Duration::from_millis(10));
        for phase in PHASES {
            let times: Vec<Duration> =
                latencies.iter().filter_map(|latency| latency.reached.get(&phase).copied()).collect();
            if times.is_empty() {
                continue;
            }
            let mut next = times.iter().cycle();
            group.bench_function(phase.as_str(), |bencher| {
                let time = *next.next().expect("a cycle of at least one");
                bencher.iter_custom(|iterations| time.mul_f64(iterations as f64));
            });
        }
        group.finish();
    }
}

/// One for each seed, if `--sample-size` says nothing.
const SAMPLES: usize = 200;

/// How many criterion takes.
fn samples() -> u64 {
    let asked = std::env::args().skip_while(|argument| argument != "--sample-size").nth(1);
    asked.and_then(|samples| samples.parse().ok()).unwrap_or(SAMPLES as u64)
}

fn simulated() -> Criterion<VirtualTime> {
    Criterion::default().with_measurement(VirtualTime).sample_size(SAMPLES)
}

criterion_group!(name = benches; config = simulated(); targets = negotiation);
criterion_main!(benches);
