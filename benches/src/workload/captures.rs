//! Readers of captured calls, one per format, each over a real capture of one call.

use capture::{Limits, Mappings};

use super::{Broken, PrepareError, Prepared, Region, Size, Workload, within};

macro_rules! reader {
    ($id:literal, $about:literal, $file:literal) => {
        Workload {
            id: $id,
            about: $about,
            unit: "byte",
            prepare: |size, region| {
                let bytes = include_bytes!(concat!("../../../fixtures/happy-av/", $file));
                reader($id, $file, bytes, size, region)
            },
        }
    };
}

/// In the order in which they are shown.
pub(super) const ALL: &[Workload] = &[
    reader!("capture/webrtc-internals", "Reads a webrtc-internals dump.", "with-stats.webrtc-internals.json"),
    reader!("capture/rtcstats", "Reads an rtcstats dump.", "with-stats.rtcstats.txt"),
    reader!("capture/har", "Reads the WebSocket frames of a HAR file.", "playwright.har"),
    reader!("capture/relay-log", "Reads the log of a signalling server.", "relay.jsonl"),
    reader!("capture/page-events", "Reads the event log of a page.", "events.jsonl"),
    reader!("capture/compressed", "Reads a compressed capture.", "compressed.bin"),
];

fn reader(
    id: &'static str,
    name: &'static str,
    bytes: &'static [u8],
    size: Size,
    region: Region,
) -> Result<Prepared, PrepareError> {
    let (mappings, limits) = (Mappings::default(), Limits::default());
    let times = if size == Size::Full { 20 } else { 1 };
    let read = move || capture::read(name, bytes, &mappings, &limits);
    let recording = read().map_err(|error| PrepareError::Broken { id, what: error.into() })?;
    if recording.shows_nothing() {
        return Err(PrepareError::Broken { id, what: Broken::NothingCaptured });
    }
    Ok(Box::new(move || {
        within(region, || (0..times).for_each(|_| drop(std::hint::black_box(read()))));
        times * bytes.len() as u64
    }))
}
