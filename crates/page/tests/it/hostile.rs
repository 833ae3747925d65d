//! Whatever stands in names, messages and descriptions, it stays data.

use page::{CallPage, Difference, Layout, Mark, Message, Moment, Source, Tone, Verdict, View};
use proptest::prelude::*;
use timeline::{Entry, Event, MessageKind, Name, PacketRecord, Protocol, Timeline, Transit, VirtualTime};

/// A text that tries to be something else.
fn hostile() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        Just("</script><script>alert(1)</script>".to_owned()),
        Just("<!--<script>".to_owned()),
        Just("\" onload=\"alert(1)".to_owned()),
        Just("'; }) //".to_owned()),
        Just("</title></style>&lt;&#x27;".to_owned()),
        Just("\u{2028}\u{202e}\u{0}\u{1b}]0;x\u{7}".to_owned()),
        Just("{{ data|safe }}".to_owned()),
        any::<String>(),
    ];
    prop::collection::vec(pieces, 0..4).prop_map(|pieces| pieces.concat())
}

/// A page with this text in every place that takes one.
fn page_of(text: &str) -> CallPage {
    let name = Name::new(text);
    let at = VirtualTime::from_millis(5);
    let entry = |event| Entry { at, actor: name.clone(), event };
    let what = || text.to_owned().into();
    let timeline = Timeline {
        entries: vec![
            entry(Event::Note { what: what() }),
            entry(Event::Problem { what: what() }),
            entry(Event::Action { what: what() }),
            entry(Event::Fault { what: what() }),
            entry(Event::CandidateError { url: what(), code: 701, text: what() }),
            entry(Event::MessageSent { id: 1, kind: MessageKind::Offer, to: name.clone(), detail: what() }),
        ],
        packets: vec![PacketRecord {
            at,
            from_host: name.clone(),
            to_host: Some(name.clone()),
            from: "10.0.0.1:1".parse().unwrap(),
            to: "10.0.0.2:1".parse().unwrap(),
            protocol: Protocol::Srtp,
            len: 1,
            verdict: timeline::Verdict::Delivered,
            translated: None,
            transit: Transit::default(),
        }],
    };
    let body = serde_json::json!({ "type": text, text: { "sdp": text } });
    let view = View::new(text, &timeline, at, &[])
        .messages(vec![Message { from: name, id: 1, body }])
        .source(Some(Source::new(text, text, &[])));
    CallPage {
        title: text.to_owned(),
        summary: text.to_owned(),
        verdict: Verdict {
            tone: Tone::Bad,
            word: text.to_owned(),
            sentence: text.to_owned(),
            advice: vec![text.to_owned()],
            evidence: vec![Moment { at_ms: 5.0, text: text.to_owned() }],
            consequences: vec![text.to_owned()],
            command: text.to_owned(),
        },
        marks: vec![Mark {
            at: 5.0,
            view: None,
            who: Some(text.to_owned()),
            tone: Tone::Warning,
            title: text.to_owned(),
            text: text.to_owned(),
        }],
        views: vec![view],
        difference: Some(Difference { at: [5.0, 5.0], text: text.to_owned() }),
        facts: vec![(text.to_owned(), text.to_owned())],
        layout: Layout::Stacked,
    }
}

/// The tags of a page, without what is in its own style, script and data.
fn tags(html: &str) -> Vec<&str> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        let end = rest[start..].find('>').map_or(rest.len(), |end| start + end + 1);
        let tag = &rest[start..end];
        tags.push(tag);
        rest = &rest[end..];
        for raw in ["script", "style"] {
            if tag.starts_with(&format!("<{raw}")) {
                rest = &rest[rest.find(&format!("</{raw}>")).expect("it ends")..];
            }
        }
    }
    tags
}

/// The text of the block of data.
fn data(html: &str) -> &str {
    let (_, data) = html.split_once("<script type=\"application/json\" id=\"data\">").expect("data");
    data.split_once("</script>").expect("it ends").0
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_hostile_text_adds_no_tag_and_comes_back_as_it_was(text in hostile()) {
        // Without a text some elements are left out.
        prop_assume!(!text.is_empty());
        let page = page_of(&text).render();
        let harmless = page_of("harmless").render();
        prop_assert_eq!(tags(&page), tags(&harmless));
        prop_assert_eq!(timeline::escaped_lines(&page), page.as_str());
        let data: serde_json::Value = serde_json::from_str(data(&page)).unwrap();
        prop_assert_eq!(&data["marks"][0]["text"], &text);
        prop_assert_eq!(&data["views"][0]["source"]["text"], &text);
        prop_assert_eq!(&data["views"][0]["messages"][0]["body"]["type"], &text);
        prop_assert_eq!(&data["views"][0]["entries"][0]["event"]["what"], &text);
    }
}

#[test]
fn only_its_own_script_and_style_are_allowed() {
    let page = page_of("x").render();
    let policy =
        page.split_once("Content-Security-Policy\" content=\"").unwrap().1.split_once('"').unwrap().0;
    let policy = policy.replace("&#39;", "'");
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    // Within the page itself: a pattern, a marker.
    let page = page.replace("url(#", "");
    for forbidden in ["src=", "href=\"http", "url(", "@import", "fetch(", "XMLHttpRequest", "import("] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
}
