//! Whether a program repeats itself: the same plan and seed, played twice.

use std::fmt;

use timeline::{Entry, PacketRecord, Timeline, VirtualTime, transcript};

use super::{RunError, SeededPlayer};
use crate::record::RunRecord;

/// The first thing in which two runs of one plan with one seed differ.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// What somebody did. `None` where one run has no more to show.
    Event {
        /// In the first run, as a line of its transcript.
        first: Option<String>,
        /// In the second.
        second: Option<String>,
    },
    /// A packet.
    Packet {
        /// In the first run: when, from where to where, of which kind and length.
        first: Option<String>,
        /// In the second.
        second: Option<String>,
    },
    /// Nothing but bytes of packets that are alike in time, addresses, kind and length: keys or randomness that do not
    /// come from the seed, as from a library with entropy of its own.
    Bytes,
}

impl SeededPlayer<'_> {
    /// Plays twice and compares: `tokio::select!` without `biased`, iterated hash maps and entropy that no hook reaches
    /// show as a difference.
    ///
    /// # Errors
    /// [`RunError::NotRepeatable`] with the first difference; otherwise as for [`SeededPlayer::play`].
    pub fn play_twice(&self) -> Result<RunRecord, RunError> {
        let (first, second) = (self.play()?, self.play()?);
        match Difference::between(&first, &second) {
            None => Ok(first),
            Some(difference) => Err(self.not_repeatable(difference)),
        }
    }
}

impl Difference {
    /// The first difference of two runs, by time: an event goes before a packet of the same moment. `None` where they
    /// are the same.
    pub fn between(first: &RunRecord, second: &RunRecord) -> Option<Self> {
        let (ours, theirs) = (&first.timeline, &second.timeline);
        let event = unequal(&ours.entries, &theirs.entries);
        let packet = unequal(&ours.packets, &theirs.packets);
        let event_at =
            event.map(|(one, other)| earlier(one.map(|entry| entry.at), other.map(|entry| entry.at)));
        let packet_at =
            packet.map(|(one, other)| earlier(one.map(|packet| packet.at), other.map(|packet| packet.at)));
        match (event, packet) {
            (Some((one, other)), _) if packet_at.is_none_or(|at| event_at <= Some(at)) => {
                Some(Self::Event { first: one.map(line), second: other.map(line) })
            }
            (_, Some((one, other))) => {
                Some(Self::Packet { first: one.map(packet_line), second: other.map(packet_line) })
            }
            _ if first.digest != second.digest => Some(Self::Bytes),
            _ => None,
        }
    }
}

/// The first place in which two lists differ.
fn unequal<'a, T: PartialEq>(ours: &'a [T], theirs: &'a [T]) -> Option<(Option<&'a T>, Option<&'a T>)> {
    let longest = ours.len().max(theirs.len());
    (0..longest).map(|at| (ours.get(at), theirs.get(at))).find(|(one, other)| one != other)
}

fn earlier(one: Option<VirtualTime>, other: Option<VirtualTime>) -> VirtualTime {
    [one, other].into_iter().flatten().min().unwrap_or_default()
}

fn line(entry: &Entry) -> String {
    let text = transcript(&Timeline { entries: vec![entry.clone()], packets: Vec::new() });
    text.lines().last().unwrap_or_default().trim().to_owned()
}

fn packet_line(packet: &PacketRecord) -> String {
    let PacketRecord { at, from, to, protocol, len, .. } = packet;
    format!("{at}  {from} → {to}  {protocol}, {len} B")
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nothing = || "nothing".to_owned();
        let (what, first, second) = match self {
            Self::Event { first, second } => ("event", first, second),
            Self::Packet { first, second } => ("packet", first, second),
            Self::Bytes => {
                return f.write_str(
                    "the bytes of packets differ, and nothing else does: some randomness does not come from the seed",
                );
            }
        };
        let [first, second] = [first, second].map(|line| line.clone().unwrap_or_else(nothing));
        write!(f, "the first {what} that differs is `{first}` in one run and `{second}` in the other")
    }
}
