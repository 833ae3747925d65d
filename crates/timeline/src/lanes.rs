//! A whole run for a person's eyes: one lane per participant and server, side by side in time, with every
//! packet in its sender's lane.

use std::fmt::Write as _;

use crate::{
    Entry, Event, Name, PacketRecord, Protocol, Timeline, Verdict, VirtualTime,
    render::{PARAGRAPH_GAP_MS, event_line},
};

/// Characters of one lane. Three of them and the time fit into 150.
const LANE: usize = 44;

const LEGEND: &str = "\
# · step of the script    → message sent    machine: from → to (cause)
# ! problem               ← message received
# ~ packet to whom, what it carries, payload bytes; what became of it where it was not delivered
# ⚡ change of the network
";

/// The timeline of a run: who did what when, side by side, with every packet. SRTP packets that are
/// delivered without anything else happening between them share a line.
pub fn side_by_side(timeline: &Timeline) -> String {
    let mut page = Page::new(timeline);
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
    out: String,
    last: Option<VirtualTime>,
    media: Vec<Media>,
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
    fn new(timeline: &Timeline) -> Self {
        let mut lanes: Vec<Name> = Vec::new();
        let senders = timeline.packets.iter().map(|packet| &packet.from_host);
        let actors = timeline.entries.iter().filter(|entry| !is_everybodys(&entry.event));
        for name in senders.chain(actors.map(|entry| &entry.actor)) {
            if !lanes.contains(name) {
                lanes.push(name.clone());
            }
        }
        let mut page = Self { lanes, out: LEGEND.to_owned(), last: None, media: Vec::new() };
        let heads: Vec<_> = page.lanes.iter().map(|name| format!("{name:<LANE$}")).collect();
        let _ = writeln!(page.out, "\n       ms │ {}", heads.join(" │ ").trim_end());
        let _ = writeln!(page.out, "{}", "─".repeat(10 + page.lanes.len() * (LANE + 3)));
        page
    }

    fn entry(&mut self, entry: &Entry) {
        self.flush_media();
        let line = event_line(&entry.event);
        if is_everybodys(&entry.event) {
            self.gap(entry.at);
            let _ = writeln!(self.out, "{:>9} │ ═══ {line} ═══", entry.at.to_string());
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
        for (row, part) in wrap(text).into_iter().enumerate() {
            let time = if row == 0 { at.to_string() } else { String::new() };
            let cells = (0..self.lanes.len()).map(|cell| if cell == index { part.as_str() } else { "" });
            let cells: Vec<_> = cells.map(|cell| format!("{cell:<LANE$}")).collect();
            let _ = writeln!(self.out, "{}", format!("{time:>9} │ {}", cells.join(" │ ")).trim_end());
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

/// Breaks a text at spaces so that it fits a lane; what follows the first line is indented.
fn wrap(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().expect("there is always a line");
        let length = last.chars().count();
        if length > 2 && length + 1 + word.chars().count() > LANE {
            lines.push(format!("  {word}"));
        } else if last.is_empty() {
            last.push_str(word);
        } else {
            last.push(' ');
            last.push_str(word);
        }
    }
    lines
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
        insta::assert_snapshot!(side_by_side(&timeline));
    }

    #[track_caller]
    fn check(text: &str, expect: &[&str]) {
        assert_eq!(wrap(text), expect);
    }

    #[test]
    fn long_lines_are_broken_at_spaces() {
        check("short", &["short"]);
        check(
            "signaling: have-local-offer → stable (setRemoteDescription(answer))",
            &["signaling: have-local-offer → stable", "  (setRemoteDescription(answer))"],
        );
    }
}
