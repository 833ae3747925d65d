//! How sockets behave on the machine's loopback interface, in a world of `netsim` and in turmoil: a row for
//! each thing that programs rely on, a test for each row, and the table of `docs/turmoil.md`.

mod place;
mod tcp;
mod tcp_ends;
mod three;
mod udp;

use futures::future::LocalBoxFuture;
use place::Place;

/// One row of the table.
pub(crate) struct Row {
    /// The name of its test.
    name: &'static str,
    /// What is tried.
    tried: &'static str,
    /// What is observed on loopback, in a world, in turmoil; `None` where it cannot be tried.
    seen: [Option<&'static str>; 3],
    /// What goes wrong, and at the beginning of which turn.
    faults: &'static [(u32, Fault)],
    server: fn(Place) -> LocalBoxFuture<'static, ()>,
    client: fn(Place) -> LocalBoxFuture<'static, ()>,
}

/// What can go wrong in the two that are simulated.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// Nothing gets through between the two.
    Cut,
    /// Everything does again.
    Mend,
    /// The server's machine is off.
    PowerLoss,
}

/// Declares rows, with a test each, and collects them.
macro_rules! rows {
    ($(
        $name:ident: $tried:literal => [$($seen:expr),+] $(, faults [$($fault:expr),+])?;
        server |$server:ident| $serve:block
        client |$client:ident| $run:block
    )+) => {
        pub(super) const ROWS: &[super::Row] = &[$(super::Row {
            name: stringify!($name),
            tried: $tried,
            seen: [$($seen),+],
            faults: &[$($($fault),+)?],
            server: |$server| Box::pin(async move { $serve }),
            client: |$client| Box::pin(async move { $run }),
        }),+];
        $(
            #[test]
            fn $name() {
                super::check(ROWS.iter().find(|row| row.name == stringify!($name)).unwrap());
            }
        )+
    };
}
use rows;

#[track_caller]
fn check(row: &Row) {
    let plays = [three::loopback, three::world, three::turmoil];
    let seen = std::array::from_fn(|index| row.seen[index].map(|_| plays[index](row)));
    assert_eq!(seen, row.seen.map(|seen| seen.map(str::to_owned)), "loopback, world, turmoil");
}

/// Where the table is in the page.
const BEGIN: &str = "<!-- parity: made by the tests -->\n";
const END: &str = "<!-- end of parity -->\n";

fn table() -> String {
    let mut table = "| tried | loopback | a world | turmoil |\n|---|---|---|---|\n".to_owned();
    for row in [tcp::ROWS, tcp_ends::ROWS, udp::ROWS].into_iter().flatten() {
        let [loopback, world, turmoil] = row.seen;
        let cell = |seen: Option<&str>, measure: Option<&str>| match seen {
            None => "–".to_owned(),
            Some(seen) if measure.is_some_and(|measure| measure != seen) => format!("**{seen}**"),
            Some(seen) => seen.to_owned(),
        };
        let cells = [cell(loopback, None), cell(world, loopback), cell(turmoil, loopback.or(world))];
        table += &format!("| {} | {} |\n", row.tried, cells.join(" | "));
    }
    table
}

/// The page has the table that the rows make. `UPDATE_PAGE=1` writes it.
#[test]
fn the_page_has_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/turmoil.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the page has a place for the table");
    let (found, after) = rest.split_once(END).expect("the table has an end");
    if std::env::var_os("UPDATE_PAGE").is_some() {
        std::fs::write(path, format!("{before}{BEGIN}{}{END}{after}", table())).unwrap();
    } else {
        assert_eq!(found, table(), "UPDATE_PAGE=1 writes it");
    }
}
