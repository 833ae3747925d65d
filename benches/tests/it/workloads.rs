use std::collections::BTreeSet;

use benches::workload::{self, Size};

#[test]
fn every_workload_does_its_units_and_the_same_again() {
    for workload in workload::all() {
        let mut run = workload.prepare(Size::Smoke, workload::plain).expect(workload.id);
        let units = run();
        assert!(units > 0, "{}", workload.id);
        assert_eq!(run(), units, "{}", workload.id);
    }
}

#[test]
fn every_workload_does_its_work_within_the_region() {
    use std::sync::atomic::{AtomicU64, Ordering};
    static ENTERED: AtomicU64 = AtomicU64::new(0);
    for workload in workload::all() {
        let before = ENTERED.load(Ordering::Relaxed);
        let region: workload::Region = |work| {
            ENTERED.fetch_add(1, Ordering::Relaxed);
            work();
        };
        workload.prepare(Size::Smoke, region).expect(workload.id)();
        assert_eq!(ENTERED.load(Ordering::Relaxed), before + 1, "{}", workload.id);
    }
}

#[test]
fn ids_are_unique() {
    let ids: BTreeSet<&str> = workload::all().map(|workload| workload.id).collect();
    assert_eq!(ids.len(), workload::all().count());
}
