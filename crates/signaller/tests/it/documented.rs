//! The messages of `docs/signalling.md` are messages, and no type is missing.

use signaller::{Envelope, Kind, Message};

const PAGE: &str = include_str!("../../../../docs/signalling.md");

#[test]
fn every_message_of_the_page_is_read_and_written_as_it_is() {
    let documented: Vec<&str> = PAGE.lines().filter(|line| line.starts_with("{\"version\":1")).collect();
    let kinds: Vec<Kind> = documented
        .iter()
        .map(|json| {
            let envelope =
                Envelope::from_json(json.as_bytes()).unwrap_or_else(|error| panic!("{json}: {error}"));
            assert_eq!(String::from_utf8(envelope.to_json()).unwrap(), *json);
            envelope.body.kind()
        })
        .collect();
    let missing: Vec<Kind> = Message::kinds().filter(|kind| !kinds.contains(kind)).collect();
    assert_eq!(missing, []);
}
