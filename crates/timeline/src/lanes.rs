//! A whole run for a person's eyes: one lane per participant and server, side by side in time, with every
//! packet in its sender's lane.

use std::fmt::Write as _;

use crate::{
    Entry, Event, Name, PacketRecord, Protocol, Timeline, Verdict, VirtualTime,
    render::{PARAGRAPH_GAP_MS, event_line},
    text::{cells, padded, wrapped},
};

/// A lane is no wider, however wide the terminal is.
const WIDEST_LANE: usize = 60;
/// Where lanes would be narrower, there is one for all, and a column says whose line it is.
const NARROWEST_LANE: usize = 20;
/// Between the time and the first lane, and between lanes.
const BAR: &str = " │ ";

const LEGEND: &str = "\
# · step of the script    → message sent    machine: from → to (cause)
# ! problem               ← message received
# ~ packet to whom, what it carries, payload bytes; what became of it where it was not delivered
# ⚡ change of the network
";

/// The timeline of a run: who did what when, side by side, with every packet. SRTP packets that are
/// delivered without anything else happening between them share a line.
///
/// No line is wider than `width` cells of a terminal. Where that leaves no room for lanes, lines follow each other, each
/// with the name of whose it is.
pub fn side_by_side(timeline: &Timeline, width: usize) -> String {
    let mut page = Page::new(timeline, width);
    let mut packets = timeline.packets.iter().peekable();
    for entry in &timeline.entries {
        while let Some(packet) = packets.next_if(|packet| packet.at < entry.at) {
            page.packet(packet);
        }
        page.entry(entry);
    }
    packets.for_each(|packet| page.packet(packet));
    page.finish()
}

/// The page while it is written.
struct Page {
    lanes: Vec<Name>,
    layout: Layout,
    width: usize,
    time_width: usize,
    out: String,
    last: Option<VirtualTime>,
    media: Vec<Media>,
}

/// Where the lines of somebody stand.
#[derive(Clone, Copy)]
enum Layout {
    /// Each has a lane so wide.
    Lanes(usize),
    /// All share one, beside a column so wide that says whose line it is.
    Named(usize),
}

/// SRTP packets from one host to another that share a line.
struct Media {
    first: VirtualTime,
    from: Name,
    to: String,
    packets: u64,
    bytes: u64,
}

impl Page {
    fn new(timeline: &Timeline, width: usize) -> Self {
        let mut lanes: Vec<Name> = Vec::new();
        let senders = timeline.packets.iter().map(|packet| &packet.from_host);
        let actors = timeline.entries.iter().filter(|entry| !is_everybodys(&entry.event));
        for name in senders.chain(actors.map(|entry| &entry.actor)) {
            if !lanes.contains(name) {
                lanes.push(name.clone());
            }
        }
        let last = |times: [Option<VirtualTime>; 2]| times.into_iter().flatten().max();
        let end = last([timeline.entries.last().map(|it| it.at), timeline.packets.last().map(|it| it.at)]);
        let time_width = end.map_or(0, |end| cells(&end.to_string())).max("ms".len());
        let bars = cells(BAR) * lanes.len().max(1);
        let lane = width.saturating_sub(time_width + bars) / lanes.len().max(1);
        let layout = if lane < NARROWEST_LANE {
            Layout::Named(lanes.iter().map(|name| cells(name.as_str())).max().unwrap_or(0).min(width / 4))
        } else {
            Layout::Lanes(lane.min(WIDEST_LANE))
        };
        let mut page =
            Self { lanes, layout, width, time_width, out: String::new(), last: None, media: Vec::new() };
        for line in LEGEND.lines() {
            page.push_lines(&wrapped(line, width, "#   "));
        }
        page.out.push('\n');
        let heads = page.lanes.iter().map(|name| name.as_str().to_owned()).collect::<Vec<_>>();
        let rule = match layout {
            Layout::Lanes(lane) => {
                let heads: Vec<_> = heads.iter().map(|name| wrapped(name, lane, "")).collect();
                for row in 0..heads.iter().map(Vec::len).max().unwrap_or(0) {
                    let row_of = |name: &Vec<String>| name.get(row).cloned().unwrap_or_default();
                    page.push_row(
                        if row == 0 { "ms" } else { "" },
                        &heads.iter().map(row_of).collect::<Vec<_>>(),
                    );
                }
                time_width + page.lanes.len() * (lane + cells(BAR))
            }
            Layout::Named(_) => {
                page.push_row("ms", &["who".to_owned(), "what".to_owned()]);
                width
            }
        };
        let _ = writeln!(page.out, "{}", "─".repeat(rule.min(width)));
        page
    }

    fn push_lines(&mut self, lines: &[String]) {
        for line in lines {
            let _ = writeln!(self.out, "{}", line.trim_end());
        }
    }

    /// A time and a cell for each column.
    fn push_row(&mut self, time: &str, parts: &[String]) {
        let width = match self.layout {
            Layout::Lanes(lane) => lane,
            Layout::Named(name) => name,
        };
        let parts: Vec<String> = parts.iter().map(|part| padded(part, width)).collect();
        let row = format!("{time:>0$}{BAR}{1}", self.time_width, parts.join(BAR));
        let _ = writeln!(self.out, "{}", row.trim_end());
    }

    fn entry(&mut self, entry: &Entry) {
        self.flush_media();
        let line = event_line(&entry.event);
        if is_everybodys(&entry.event) {
            self.gap(entry.at);
            let room = self.width.saturating_sub(self.time_width + cells(BAR));
            for (row, part) in wrapped(&format!("═══ {line} ═══"), room, "    ").iter().enumerate()
            {
                let time = if row == 0 { entry.at.to_string() } else { String::new() };
                let _ = writeln!(self.out, "{time:>0$}{BAR}{part}", self.time_width);
            }
            return;
        }
        self.line(entry.at, &entry.actor, &line);
    }

    fn packet(&mut self, packet: &PacketRecord) {
        let to = packet.to_host.as_ref().map_or_else(|| packet.to.to_string(), ToString::to_string);
        if packet.protocol == Protocol::Srtp && packet.verdict == Verdict::Delivered {
            return self.fold(packet, to);
        }
        self.flush_media();
        let verdict = match packet.verdict {
            Verdict::Delivered => String::new(),
            other => format!(": {other}"),
        };
        let seen =
            packet.translated.as_ref().map_or_else(String::new, |seen| format!(" (seen from {})", seen.from));
        let line = format!("~ {to}{seen}  {} {} B{verdict}", packet.protocol, packet.len);
        self.line(packet.at, &packet.from_host, &line);
    }

    fn fold(&mut self, packet: &PacketRecord, to: String) {
        let same = |media: &&mut Media| media.from == packet.from_host && media.to == to;
        match self.media.iter_mut().find(same) {
            Some(media) => {
                media.packets += 1;
                media.bytes += u64::from(packet.len);
            }
            None => self.media.push(Media {
                first: packet.at,
                from: packet.from_host.clone(),
                to,
                packets: 1,
                bytes: u64::from(packet.len),
            }),
        }
    }

    fn flush_media(&mut self) {
        for media in std::mem::take(&mut self.media) {
            let Media { first, from, to, packets, bytes } = media;
            let count = if packets == 1 { String::new() } else { format!(" × {packets},") };
            self.line(first, &from, &format!("~ {to}  srtp{count} {bytes} B"));
        }
    }

    fn line(&mut self, at: VirtualTime, lane: &Name, text: &str) {
        self.gap(at);
        let index = self.lanes.iter().position(|name| name == lane).unwrap_or_default();
        let room = match self.layout {
            Layout::Lanes(lane) => lane,
            Layout::Named(name) => self.width.saturating_sub(self.time_width + name + 2 * cells(BAR)),
        };
        let name = match self.layout {
            Layout::Lanes(_) => Vec::new(),
            Layout::Named(width) => wrapped(lane.as_str(), width, ""),
        };
        let parts = wrapped(text, room, "  ");
        for row in 0..parts.len().max(name.len()) {
            let time = if row == 0 { at.to_string() } else { String::new() };
            let part = parts.get(row).cloned().unwrap_or_default();
            let row = match self.layout {
                Layout::Named(_) => vec![name.get(row).cloned().unwrap_or_default(), part],
                Layout::Lanes(_) => {
                    let cell = |cell| if cell == index { part.clone() } else { String::new() };
                    (0..self.lanes.len()).map(cell).collect()
                }
            };
            self.push_row(&time, &row);
        }
    }

    /// An empty line after a silence.
    fn gap(&mut self, at: VirtualTime) {
        if self.last.is_some_and(|last| at.since(last).as_millis() >= u128::from(PARAGRAPH_GAP_MS)) {
            self.out.push('\n');
        }
        self.last = Some(at);
    }

    fn finish(mut self) -> String {
        self.flush_media();
        self.out
    }
}

/// What happens to the network happens to everybody.
const fn is_everybodys(event: &Event) -> bool {
    matches!(event, Event::Fault { .. })
}

#[cfg(test)]
mod tests {
    use crate::render::sample;

    use super::*;

    #[test]
    fn lanes_stand_side_by_side_and_media_is_folded() {
        let mut timeline = sample();
        // The first of them at the instant of an entry: what was done stands before what was sent.
        for ms in [1070, 1120, 1140] {
            let mut packet = timeline.packets[0].clone();
            (packet.at, packet.verdict) = (VirtualTime::from_millis(ms), Verdict::Delivered);
            packet.to_host = Some("callee".into());
            timeline.packets.push(packet);
        }
        insta::assert_snapshot!(side_by_side(&timeline, 140));
        insta::assert_snapshot!("narrow", side_by_side(&timeline, 60));
    }

    /// All that is said, without the frame.
    fn words(text: &str) -> String {
        let mut words: Vec<&str> = text.split_whitespace().filter(|word| *word != "│").collect();
        words.sort_unstable();
        words.concat().replace('─', "")
    }

    #[test]
    fn no_line_is_wider_than_the_width_and_nothing_is_lost() {
        let timeline = sample();
        for width in [60, 80, 100, 200] {
            let text = side_by_side(&timeline, width);
            for line in text.lines() {
                assert!(cells(line) <= width, "{width}: {line}");
            }
            for said in ["idle", "dialling", "10.0.0.1:50000", "goes", "link", "DROPPED"] {
                assert!(text.contains(said), "{width}: {said}\n{text}");
            }
        }
        assert_eq!(words(&side_by_side(&timeline, 200)), words(&side_by_side(&timeline, 2000)));
    }
}
