//! Simulator and oracle agree about every cell of the grid.

use std::num::NonZeroUsize;

use scenario::{
    nat_grid::{self, Part},
    suite::Cancel,
};

#[test]
fn what_is_simulated_is_what_the_rfcs_predict() {
    let rows = nat_grid::rows();
    let of = |part, turn| rows.iter().filter(|row| row.part == part && row.turn == turn).count();
    assert_eq!([of(Part::Nats, false), of(Part::Nats, true)], [81, 81]);
    assert_eq!([of(Part::Places, false), of(Part::Places, true)], [81, 81]);
    let jobs = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let cells = nat_grid::play(rows, 1, jobs, &Cancel::new(), |_| {});
    let disagreements: Vec<String> = cells
        .iter()
        .filter(|cell| !cell.agrees())
        .map(|cell| {
            let (row, simulated) = (&cell.row, &cell.simulated);
            let servers = if row.turn { "TURN" } else { "STUN" };
            format!(
                "{} calls {} with {servers}: {simulated:?}, predicted {}",
                row.caller, row.callee, row.predicted.path
            )
        })
        .collect();
    assert!(disagreements.is_empty(), "{}", disagreements.join("\n"));
}
