//! What a call of ours costs, what the library alone costs, and one by the other.

use super::table::{Table, bytes, time};
use crate::results::{Cost, Results};

/// The workloads that say what one of the two costs.
struct Columns {
    call: &'static str,
    media: &'static str,
    idle: &'static str,
    ten: &'static str,
    thousand: &'static str,
}

const OURS: Columns = Columns {
    call: "call/websocket",
    media: "media/minute",
    idle: "idle/minute",
    ten: "calls-in-one-world/10",
    thousand: "calls-in-one-world/1000",
};

const LIBRARY: Columns = Columns {
    call: "floor/driver",
    media: "floor/driver-media",
    idle: "floor/driver-idle",
    ten: "floor/driver-ten",
    thousand: "floor/driver-many",
};

/// What is derived from a column's workloads; `None` where one was not measured.
type Derive = fn(&Results, &Columns) -> Option<f64>;

/// How a figure is written.
type Show = fn(f64) -> String;

const ROWS: [(&str, Derive, Show); 6] = [
    ("a call", |results, of| cpu(results, of.call), time),
    (
        "a call ÷ its public-key operations and certificates",
        |results, of| Some(cpu(results, of.call)? / cpu(results, "floor/handshake-and-certificates")?),
        ratio,
    ),
    ("a media packet, without the set-up", media_packet, time),
    (
        "a connected idle minute, without the set-up",
        |results, of| Some(cpu(results, of.idle)? - cpu(results, of.call)?),
        time,
    ),
    (
        "a call among 1000 ÷ a call among 10",
        |results, of| Some(cpu(results, of.thousand)? / cpu(results, of.ten)?),
        ratio,
    ),
    ("memory of a call among 1000", |results, of| results.cost(of.thousand)?.memory_bytes, bytes),
];

/// A row for each figure that was measured of either.
pub(super) fn beside_the_floors(results: &Results) -> Table {
    let row = |(what, derive, show): &(&str, Derive, Show)| {
        let (ours, library) = (derive(results, &OURS), derive(results, &LIBRARY));
        ours.or(library)?;
        let cell = |figure: Option<f64>| figure.map_or_else(|| "–".to_owned(), show);
        let by_library =
            ours.zip(library).map_or_else(|| "–".to_owned(), |(ours, library)| ratio(ours / library));
        Some(vec![(*what).to_owned(), cell(ours), cell(library), by_library])
    };
    Table::new(["", "ours", "library alone", "ours ÷ library"], ROWS.iter().filter_map(row).collect())
}

/// One run is one call.
fn media_packet(results: &Results, of: &Columns) -> Option<f64> {
    let Cost { units, cpu_ns, .. } = results.cost(of.media)?;
    Some(cpu_ns - cpu(results, of.call)? / *units as f64)
}

fn cpu(results: &Results, id: &str) -> Option<f64> {
    results.cost(id).map(|cost| cost.cpu_ns)
}

fn ratio(ratio: f64) -> String {
    format!("{ratio:.2}")
}
