//! Links: `link = { delay = "20ms", loss = "2%", burst = 3, up = { rate = "1Mbps" } }`, and how one changes
//! in the course of time.

use std::{num::NonZeroU64, time::Duration};

use parse_size::parse_size;

use super::{
    error::{ProblemKind, Problems},
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
pub(super) fn take_link(table: &mut Table<'_>, base: LinkRead, problems: &Problems) -> LinkRead {
    let Some(mut table) = table.take("link").and_then(|value| value.table("link", problems)) else {
        return base;
    };
    let link = link_of(&mut table, base, problems);
    table.finish(problems);
    link
}

/// What `table` says of a link: for both ways, and of `up` and `down` what differs.
pub(super) fn link_of(table: &mut Table<'_>, base: LinkRead, problems: &Problems) -> LinkRead {
    let mut one_way = |key, base| {
        let base = half(table, base, problems);
        let queue_at = table.peek("queue").map(Value::span);
        let own = table.take(key).and_then(|value| value.table(format!("link.{key}"), problems));
        let (half, queue_at) = own.map_or((base, queue_at.clone()), |mut own| {
            let half = half(&mut own, base, problems);
            let own_queue = own.peek("queue").map(Value::span);
            own.finish(problems);
            (half, own_queue.or(queue_at))
        });
        if let (Some(at), None) = (queue_at, half.model.rate)
            && !problems.any()
        {
            problems.add(ProblemKind::Needs { key: "queue", other: "rate" }, at);
        }
        half
    };
    LinkRead { up: one_way("up", base.up), down: one_way("down", base.down) }
}

fn half(table: &mut Table<'_>, base: HalfRead, problems: &Problems) -> HalfRead {
    let mut half = base;
    let model = &mut half.model;
    set(&mut model.delay, table.plain_duration("delay", problems));
    set(&mut model.jitter, table.plain_duration("jitter", problems));
    set(&mut model.spread, table.take("spread").and_then(|value| spread(value, problems)));
    let correlation = table.take("correlation");
    set(&mut model.correlation, correlation.and_then(|value| value.model_number(Correlation::new, problems)));
    let reordering = table.take("reordering");
    set(&mut model.reordering, reordering.and_then(|value| reordered(value, problems)).map(Some));
    set(&mut model.duplication, table.probability("duplication", problems));
    set(&mut model.corruption, table.probability("corruption", problems));
    let mtu = table.integer("mtu", 68..=65_535, problems);
    set(&mut model.mtu_bytes, mtu.and_then(|mtu| u32::try_from(mtu).ok()).map(Some));
    losses(&mut half, table, problems);
    rate(&mut half, table, problems);
    half
}

fn losses(half: &mut HalfRead, table: &mut Table<'_>, problems: &Problems) {
    let loss = table.probability("loss", problems);
    let at = table.take("burst");
    let burst = at.and_then(|value| value.number_from(1.0, problems));
    if loss.is_some() || burst.is_some() {
        half.chain = None;
    }
    set(&mut half.loss, loss);
    set(&mut half.burst, burst.map(Some));
    if let Some(mean) = half.burst
        && let Err(error) = GilbertElliott::bursts(half.loss, mean)
    {
        let at = at.map_or_else(|| table.span(), Value::span);
        problems.add(ProblemKind::Impossible { reason: error.to_string() }, at);
        half.burst = None;
    }
    if let Some(bursts) = table.take("bursts") {
        half.chain = four_probabilities(bursts, problems);
        half.burst = None;
        half.loss = loss.unwrap_or(Probability::ZERO);
    }
}

/// `{ to-bad = "1%", to-good = "30%", loss-good = "0%", loss-bad = "100%" }`.
fn four_probabilities(value: Value<'_>, problems: &Problems) -> Option<GilbertElliott> {
    let mut table = value.table("bursts", problems)?;
    let mut required =
        |key| table.require(key, problems).and_then(|value: Value<'_>| value.probability(problems));
    let (to_bad, to_good) = (required("to-bad"), required("to-good"));
    let loss_good = table.probability("loss-good", problems).unwrap_or(Probability::ZERO);
    let loss_bad = table.probability("loss-bad", problems).unwrap_or(Probability::ONE);
    table.finish(problems);
    Some(GilbertElliott { to_bad: to_bad?, to_good: to_good?, loss_good, loss_bad })
}

fn rate(half: &mut HalfRead, table: &mut Table<'_>, problems: &Problems) {
    let rate = table.take("rate").and_then(|value| bits_a_second(value, problems));
    set(&mut half.model.rate, rate.map(|bps| Some(Rate { bps, queue: DEFAULT_QUEUE })));
    set(&mut half.queue, table.take("queue").and_then(|value| queue(value, problems)));
}

fn bits_a_second(value: Value<'_>, problems: &Problems) -> Option<NonZeroU64> {
    let accepted = "a rate such as \"500kbps\" or \"8Mbps\"";
    let text = value.string(accepted, problems)?;
    let size = text.strip_suffix("bps").and_then(|size| parse_size(size).ok()).and_then(NonZeroU64::new);
    if size.is_none() {
        problems.add(ProblemKind::BadQuantity { found: text.to_owned(), accepted }, value.span());
    }
    size
}

fn queue(value: Value<'_>, problems: &Problems) -> Option<QueueLimit> {
    let accepted = "a queue such as \"150ms\" or \"64KiB\"";
    let text = value.string(accepted, problems)?;
    if let Ok(time) = humantime::parse_duration(text) {
        return Some(QueueLimit::Time(time));
    }
    let bytes = parse_size(text).ok().map(QueueLimit::Bytes);
    if bytes.is_none() {
        problems.add(ProblemKind::BadQuantity { found: text.to_owned(), accepted }, value.span());
    }
    bytes
}

/// `{ normal = "5ms" }` or `{ tail = { scale = "4ms", index = 2.5 } }`.
fn spread(value: Value<'_>, problems: &Problems) -> Option<Spread> {
    let mut table = value.table("spread", problems)?;
    let normal = table.take("normal");
    let tail = table.take("tail");
    table.finish(problems);
    match (normal, tail) {
        (Some(sigma), None) => Some(Spread::Normal { sigma: sigma.duration(problems)? }),
        (None, Some(tail)) => {
            let mut tail = tail.table("tail", problems)?;
            let scale = tail.require("scale", problems).and_then(|value| value.duration(problems));
            let index = tail
                .require("index", problems)
                .and_then(|value| value.model_number(TailIndex::new, problems));
            tail.finish(problems);
            Some(Spread::HeavyTail { scale: scale?, index: index? })
        }
        (normal, _) => {
            let found = usize::from(normal.is_some()) * 2;
            let kind = ProblemKind::NotOne { what: "spread", found, accepted: "normal, tail".to_owned() };
            problems.add(kind, value.span());
            None
        }
    }
}

fn reordered(value: Value<'_>, problems: &Problems) -> Option<Reordering> {
    let mut table = value.table("reordering", problems)?;
    let probability = table.require("probability", problems).and_then(|value| value.probability(problems));
    let extra = table.require("extra", problems).and_then(|value| value.duration(problems));
    table.finish(problems);
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
pub(super) fn take_schedule(
    table: &mut Table<'_>,
    base: LinkRead,
    problems: &Problems,
) -> Option<ScheduleRead> {
    let mut table = table.take("schedule")?.table("schedule", problems)?;
    let repeat = table.take("repeat").and_then(|value| value.boolean(problems)).unwrap_or(false);
    let list = table.require("steps", problems);
    table.finish(problems);
    let (mut steps, mut elapsed) = (Vec::new(), Duration::ZERO);
    for value in list?.list("a list of steps", problems) {
        let Some(mut step) = value.table("a step of the schedule", problems) else { continue };
        let lasts = step.require("for", problems).and_then(|value| value.duration(problems));
        steps.push((elapsed, scheduled(&mut step, base, problems)));
        step.finish(problems);
        elapsed += lasts.unwrap_or_default();
    }
    if elapsed.is_zero() && !problems.any() {
        problems.add(ProblemKind::Empty { what: "this schedule" }, list?.span());
    }
    let ending = if repeat { Ending::RepeatEvery(elapsed) } else { Ending::Stay };
    Some(ScheduleRead { steps, ending })
}

fn scheduled(step: &mut Table<'_>, base: LinkRead, problems: &Problems) -> Scheduled {
    match step.peek("link") {
        None => Scheduled::AsEver,
        Some(link) if link.is_string() => {
            step.take("link").and_then(|value| value.known_text("link", &["down"], problems));
            Scheduled::Down
        }
        Some(_) => Scheduled::Link(Box::new(take_link(step, base, problems))),
    }
}
