//! Links: `link = { delay = "20ms", loss = "2%", burst = 3, up = { rate = "1Mbps" } }`, and how one changes
//! in the course of time.

use std::{num::NonZeroU64, time::Duration};

use parse_size::parse_size;
use serde_json::json;

use super::{
    error::{ProblemKind, Span},
    reader::{Table, Value},
    values::set,
};
use crate::plan::{
    Access, Correlation, DEFAULT_ACCESS, Ending, GilbertElliott, LinkModel, Probability, QueueLimit, Rate,
    Reordering, Schedule, Spread, TailIndex,
};

/// How long a packet may wait for its turn where a file gives a rate and no queue. Chosen: the buffer of a
/// router that is neither bloated nor shallow.
const DEFAULT_QUEUE: QueueLimit = QueueLimit::Time(Duration::from_millis(200));

/// One direction of a link as it was written down, so that what is said later can complete it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct HalfRead {
    model: LinkModel,
    loss: Probability,
    /// The mean length of a burst, in packets.
    burst: Option<f64>,
    /// Bursts by their four probabilities, which go before `burst`.
    chain: Option<GilbertElliott>,
    queue: QueueLimit,
}

/// Both directions, as they were written down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct LinkRead {
    up: HalfRead,
    down: HalfRead,
}

impl LinkRead {
    /// What a file that says nothing means.
    pub(super) const DEFAULT: Self =
        Self { up: HalfRead::plain(DEFAULT_ACCESS.up), down: HalfRead::plain(DEFAULT_ACCESS.down) };

    /// What the world is told.
    pub(super) fn access(&self) -> Access {
        Access { up: self.up.model(), down: self.down.model() }
    }
}

impl HalfRead {
    const fn plain(model: LinkModel) -> Self {
        Self { model, loss: Probability::ZERO, burst: None, chain: None, queue: DEFAULT_QUEUE }
    }

    fn model(&self) -> LinkModel {
        let bursts = self.burst.and_then(|mean| GilbertElliott::bursts(self.loss, mean).ok());
        let rate = self.model.rate.map(|rate| Rate { queue: self.queue, ..rate });
        match self.chain.or(bursts) {
            // The four probabilities may stand beside a loss of its own; a burst length is about that loss.
            Some(bursts) => {
                let loss = if self.chain.is_some() { self.loss } else { Probability::ZERO };
                LinkModel { bursts: Some(bursts), loss, rate, ..self.model }
            }
            None => LinkModel { loss: self.loss, rate, ..self.model },
        }
    }
}

/// The link at `link`, completed by `base`.
pub(super) fn take_link(table: &Table<'_>, base: LinkRead) -> LinkRead {
    let doc = "Its way into the network. A packet meets its sender's `up`, then its receiver's `down`. \
         Default: 10 ms each way.";
    table.get("link", doc, |value| link_table(value, base)).unwrap_or(base)
}

/// A table of a link, completed by `base`.
fn link_table(value: Value<'_>, base: LinkRead) -> Option<LinkRead> {
    value.named("link", |value| {
        let table = value.table("link")?;
        let link = link_of(&table, base);
        table.finish();
        Some(link)
    })
}

/// What `table` says of a link: for both ways, and of `up` and `down` what differs.
pub(super) fn link_of(table: &Table<'_>, base: LinkRead) -> LinkRead {
    let one_way = |key, doc, base| {
        let (both, queue_at) = half(table, base);
        let own = table.get(key, doc, |value| {
            value.named("half-link", |value| {
                let table = value.table(format!("link.{key}"))?;
                let own = half(&table, both);
                table.finish();
                Some(own)
            })
        });
        let (half, own_queue_at) = own.unwrap_or((both, None));
        if let (Some(at), None) = (own_queue_at.or(queue_at), half.model.rate)
            && !table.reading.problems.any()
        {
            table.reading.add(ProblemKind::Needs { key: "queue", other: "rate" }, at);
        }
        half
    };
    LinkRead {
        up: one_way("up", "What differs from the host into the network.", base.up),
        down: one_way("down", "What differs from the network to the host.", base.down),
    }
}

/// What `table` says of one direction, and where it says how long the queue is.
fn half(table: &Table<'_>, base: HalfRead) -> (HalfRead, Option<Span>) {
    let mut half = base;
    let model = &mut half.model;
    set(&mut model.delay, table.get("delay", "How long every packet takes. Default: 10ms.", Value::duration));
    let jitter_doc = "How much longer a packet may take, drawn evenly. Default: 0s.";
    set(&mut model.jitter, table.get("jitter", jitter_doc, Value::duration));
    let spread_doc = "What varies around the delay, next to `jitter`.";
    set(&mut model.spread, table.get("spread", spread_doc, spread));
    let correlation_doc =
        "How much the varying part of a packet's delay resembles that of the packet before. Default: 0.";
    let correlation = |value: Value<'_>| {
        value.model_number(|| json!({ "type": "number", "minimum": 0, "maximum": 1 }), Correlation::new)
    };
    set(&mut model.correlation, table.get("correlation", correlation_doc, correlation));
    let reordering_doc = "Packets that take a detour, so that later ones overtake them.";
    set(&mut model.reordering, table.get("reordering", reordering_doc, reordered).map(Some));
    let duplication_doc = "How many datagrams arrive twice. Default: 0%.";
    set(&mut model.duplication, table.get("duplication", duplication_doc, Value::probability));
    let corruption_doc = "How many datagrams arrive with one bit flipped. Default: 0%.";
    set(&mut model.corruption, table.get("corruption", corruption_doc, Value::probability));
    let mtu_doc = "The longest IP packet, in bytes; longer ones are dropped in silence. Default: any.";
    set(&mut model.mtu_bytes, table.get("mtu", mtu_doc, |value| value.integer(68..=65_535)).map(Some));
    losses(&mut half, table);
    let queue_at = rate(&mut half, table);
    (half, queue_at)
}

fn losses(half: &mut HalfRead, table: &Table<'_>) {
    let loss = table.get("loss", "How likely a packet is lost. Default: 0%.", Value::probability);
    let at = table.take(
        "burst",
        "The mean length of a burst of losses, in packets: with `loss`, a Gilbert–Elliott chain. Without it, \
         each packet is lost on its own.",
    );
    let burst = at.and_then(|value| value.number_from(1.0));
    if loss.is_some() || burst.is_some() {
        half.chain = None;
    }
    set(&mut half.loss, loss);
    set(&mut half.burst, burst.map(Some));
    if let Some(mean) = half.burst
        && let Err(error) = GilbertElliott::bursts(half.loss, mean)
    {
        let at = at.map_or_else(|| table.span(), Value::span);
        table.reading.add(ProblemKind::Impossible { reason: error.to_string() }, at);
        half.burst = None;
    }
    let chain_doc = "A Gilbert–Elliott chain by its four probabilities, next to `loss`.";
    if let Some(bursts) = table.take("bursts", chain_doc) {
        half.chain = four_probabilities(bursts);
        half.burst = None;
        half.loss = loss.unwrap_or(Probability::ZERO);
    }
}

/// `{ to-bad = "1%", to-good = "30%", loss-good = "0%", loss-bad = "100%" }`.
fn four_probabilities(value: Value<'_>) -> Option<GilbertElliott> {
    let table = value.table("bursts")?;
    let need = |key, doc| table.need(key, doc, Value::probability);
    let to_bad = need("to-bad", "How probable a change to the bad state is, at each packet in the good one.");
    let to_good =
        need("to-good", "How probable a change to the good state is, at each packet in the bad one.");
    let (mut loss_good, mut loss_bad) = (Probability::ZERO, Probability::ONE);
    let set = |key, doc, place| table.set(key, doc, place, Value::probability);
    set("loss-good", "How many packets are lost in the good state.", &mut loss_good);
    set("loss-bad", "How many packets are lost in the bad state.", &mut loss_bad);
    table.finish();
    Some(GilbertElliott { to_bad: to_bad?, to_good: to_good?, loss_good, loss_bad })
}

/// How fast, and how long what waits for its turn; where the latter is said.
fn rate(half: &mut HalfRead, table: &Table<'_>) -> Option<Span> {
    let rate_doc = "How fast it is: `500kbps`, `8Mbps`. Default: as fast as one likes.";
    let rate = table.get("rate", rate_doc, bits_a_second);
    set(&mut half.model.rate, rate.map(|bps| Some(Rate { bps, queue: DEFAULT_QUEUE })));
    let said = table.take(
        "queue",
        "What waits for its turn: a time or a size, `150ms`, `64KiB`; what finds no room is dropped. \
         Default: 200ms.",
    );
    set(&mut half.queue, said.and_then(queue));
    said.map(Value::span)
}

fn bits_a_second(value: Value<'_>) -> Option<NonZeroU64> {
    let accepted = "a rate such as \"500kbps\" or \"8Mbps\"";
    let text = value.string(accepted)?;
    let size = text.strip_suffix("bps").and_then(|size| parse_size(size).ok()).and_then(NonZeroU64::new);
    size.or_else(|| value.problem(ProblemKind::BadQuantity { found: text.to_owned(), accepted }))
}

fn queue(value: Value<'_>) -> Option<QueueLimit> {
    let accepted = "a queue such as \"150ms\" or \"64KiB\"";
    let text = value.string(accepted)?;
    if let Ok(time) = humantime::parse_duration(text) {
        return Some(QueueLimit::Time(time));
    }
    let bytes = parse_size(text).ok().map(QueueLimit::Bytes);
    bytes.or_else(|| value.problem(ProblemKind::BadQuantity { found: text.to_owned(), accepted }))
}

/// `{ normal = "5ms" }` or `{ tail = { scale = "4ms", index = 2.5 } }`.
fn spread(value: Value<'_>) -> Option<Spread> {
    let table = value.table("spread")?;
    let spread = table.one_of(
        "spread",
        value.span(),
        &[
            ("normal", "Normal around the delay, with this standard deviation.", &|value| {
                Some(Spread::Normal { sigma: value.duration()? })
            }),
            ("tail", "A heavy tail above the delay (Pareto of the second kind).", &tail),
        ],
    );
    table.finish();
    spread
}

fn tail(value: Value<'_>) -> Option<Spread> {
    let table = value.table("tail")?;
    let scale = table.need("scale", "How wide it is.", Value::duration);
    let index_doc = "The exponent, above 1: the smaller, the heavier.";
    let index = table.need("index", index_doc, |value| {
        value.model_number(|| json!({ "type": "number", "exclusiveMinimum": 1 }), TailIndex::new)
    });
    table.finish();
    Some(Spread::HeavyTail { scale: scale?, index: index? })
}

fn reordered(value: Value<'_>) -> Option<Reordering> {
    let table = value.table("reordering")?;
    let probability = table.need("probability", "How many.", Value::probability);
    let extra = table.need("extra", "How much longer it takes.", Value::duration);
    table.finish();
    Some(Reordering { probability: probability?, extra: extra? })
}

/// How a link changes in the course of time, each step relative to what the link is otherwise.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ScheduleRead {
    steps: Vec<(Duration, Scheduled)>,
    ending: Ending,
}

#[derive(Clone, Debug, PartialEq)]
enum Scheduled {
    AsEver,
    Down,
    Link(Box<LinkRead>),
}

impl ScheduleRead {
    /// What the world is told where the link is `base` otherwise.
    pub(super) fn over(&self, base: LinkRead) -> Schedule {
        let access = |scheduled: &Scheduled| match scheduled {
            Scheduled::AsEver => base.access(),
            Scheduled::Link(link) => link.access(),
            Scheduled::Down => {
                let Access { up, down } = base.access();
                Access { up: LinkModel { up: false, ..up }, down: LinkModel { up: false, ..down } }
            }
        };
        let steps = self.steps.iter().map(|(at, scheduled)| (*at, access(scheduled))).collect();
        Schedule { steps, ending: self.ending }
    }
}

/// `schedule = { repeat = true, steps = [{ for = "20s" }, { for = "4s", link = "down" }] }`. A step that
/// says nothing of the link has `base`.
pub(super) fn take_schedule(table: &Table<'_>, base: LinkRead) -> Option<ScheduleRead> {
    table.get("schedule", "How that changes in the course of time.", |value| {
        value.named("schedule", |value| schedule(value, base))
    })
}

fn schedule(value: Value<'_>, base: LinkRead) -> Option<ScheduleRead> {
    let table = value.table("schedule")?;
    let mut repeat = false;
    table.set("repeat", "Whether it begins again after its last step.", &mut repeat, Value::boolean);
    let list = table.require("steps", "What the link is like, and for how long.");
    table.finish();
    let (mut steps, mut elapsed) = (Vec::new(), Duration::ZERO);
    for value in list?.list("a list of steps", 1..) {
        let Some(step) = value.table("a step of the schedule") else { continue };
        let lasts = step.need("for", "How long it lasts.", Value::duration);
        let link_doc =
            "What the link is like: `down`, or what differs from what it is otherwise. Default: as ever.";
        let scheduled = step.get("link", link_doc, |value| {
            value.string_or(
                |value| value.word("link").map(|Down::Down| Scheduled::Down),
                |value| Some(Scheduled::Link(Box::new(link_table(value, base)?))),
            )
        });
        step.finish();
        steps.push((elapsed, scheduled.unwrap_or(Scheduled::AsEver)));
        elapsed += lasts.unwrap_or_default();
    }
    if elapsed.is_zero() && !value.reading.problems.any() {
        list?.problem::<()>(ProblemKind::Empty { what: "this schedule" });
    }
    let ending = if repeat { Ending::RepeatEvery(elapsed) } else { Ending::Stay };
    Some(ScheduleRead { steps, ending })
}

timeline::words! {
    /// What a link can be for a while, in one word.
    enum Down {
        /// Nothing passes, either way.
        Down = "down",
    }
}
