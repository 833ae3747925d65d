//! What calls and their parts cost in wall-clock time on this machine.

use benches::bench::time;
use criterion::{Criterion, criterion_group, criterion_main};

fn call(criterion: &mut Criterion) {
    time(criterion, &["call/"]);
}

fn media(criterion: &mut Criterion) {
    time(criterion, &["media/"]);
}

fn idle(criterion: &mut Criterion) {
    time(criterion, &["idle/"]);
}

fn calls_in_one_world(criterion: &mut Criterion) {
    time(criterion, &["calls-in-one-world/"]);
}

/// Beside our call in the same run, so that their ratio is taken on one machine in one minute.
fn floor(criterion: &mut Criterion) {
    time(criterion, &["floor/"]);
}

fn parts(criterion: &mut Criterion) {
    time(criterion, &["wire/", "digest/", "sdp/", "candidate/", "capture/"]);
}

criterion_group!(whole, call, floor, media, idle, calls_in_one_world);
criterion_group!(of_calls, parts);
criterion_main!(whole, of_calls);
