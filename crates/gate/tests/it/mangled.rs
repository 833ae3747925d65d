//! Text from outside that is damaged: never a panic, and what is still read can be written and read again.

use gate::{
    baseline::Baseline,
    instructions::{Valgrind, callgrind::Profile},
    metric::MetricId,
    recompute,
    worker::{Request, Response},
};
use proptest::{collection::vec, prelude::*, sample::Index};

/// Cuts, doubled pieces and foreign bytes in a text that was sound.
#[derive(Clone, Debug)]
enum Damage {
    Replace(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, Index),
    Repeat(Index, Index),
}

fn damage() -> impl Strategy<Value = Vec<Damage>> {
    let digits = "[0-9\"{}\\[\\]:,=()*+-]{1,24}".prop_map(String::into_bytes);
    let one = prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Replace(at, byte)),
        (any::<Index>(), digits).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Damage::Remove(from, to)),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Damage::Repeat(from, to)),
    ];
    vec(one, 1..6)
}

fn mangle(text: &str, damage: &[Damage]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for one in damage {
        let places = bytes.len() + 1;
        let range = |from: &Index, to: &Index| {
            let (from, to) = (from.index(places), to.index(places));
            from.min(to)..from.max(to)
        };
        match one {
            Damage::Replace(at, byte) => {
                let at = at.index(places);
                bytes.splice(at..(at + 1).min(places - 1).max(at), [*byte]);
            }
            Damage::Insert(at, new) => {
                let at = at.index(places);
                bytes.splice(at..at, new.iter().copied());
            }
            Damage::Remove(from, to) => drop(bytes.drain(range(from, to))),
            Damage::Repeat(from, to) => {
                let range = range(from, to);
                let piece = bytes[range.clone()].to_vec();
                bytes.splice(range.start..range.start, piece);
            }
        }
    }
    bytes
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const BASELINE: &str = r#"{
"schema": 1,
"tier": "instructions",
"fingerprint": {
"rustc": "1.95.0"
},
"metrics": {
"a#b": {"unit":"instructions","better":"lower","value":100,"budget":{"max_change_pct":2.0,"at_least":5}},
"c#d": {"unit":"instructions","better":"higher","value":7}
},
"accepted": [
{"id":"a#b","entry":{"from":{"single":90},"to":{"single":100},"date":"2026-11-23","reason":"slower, and safer"}}
]
}
"#;

const REPORT: &str = r#"{"schema":1,"command":"gate","passed":true,"outcome":"passed","exit_code":0,"notes":[],
"settings":{"mode":"change","instructions":{"tolerance_pct":0.5,"unfit_pct":2.0},
"wall":{"seed":1,"looks":[2,4],"alternations":1,"alpha":0.4,"min_effect_pct":2.0,"claim_pct":5.0,"resamples":10}},
"rows":[{"case":{"metric":{"id":"w","tier":"wall","unit":"ns","better":"lower"},
"evidence":{"wall":{"role":"metric","presence":"both","epochs":[{"base":[10,11],"new":[10,12]},{"base":[9],"new":[9]}]}}},
"finding":{"verdict":"pass","base":10,"new":10,"change":0.0,"interval":{"lower":0.0,"upper":0.0},"limit":0.02,"message":""}},
{"case":{"metric":{"id":"v","tier":"virtual","unit":"us","better":"lower"},
"evidence":{"virtual":{"base":{"single":5},"runs":[{"value":{"single":5}},{"value":{"single":5}}]}}},
"finding":{"verdict":"pass","base":5,"new":5,"change":0.0,"interval":null,"limit":0.0,"message":""}}]}"#;

const CALLGRIND: &str = include_str!("fixtures/instructions-jumps-caches.callgrind");

const LINES: [&str; 6] = [
    r#"{"measure":{"id":"a#b","slowdown_pct":-5.0}}"#,
    r#""list""#,
    r#"{"greeting":{"protocol":1,"program":"w 1","fingerprint":{"tick_us":"1000"}}}"#,
    r#"{"metrics":[{"id":"a","tier":"wall","unit":"ns","better":"lower","budget":{"max_change_pct":2.0}}]}"#,
    r#"{"measured":{"id":"a","value":{"by-seed":{"first_seed":1,"outcomes":[5,null]}},"digest":"f0"}}"#,
    r#"{"failed":{"message":"no link"}}"#,
];

#[test]
fn what_is_mangled_was_sound_before() {
    let baseline = Baseline::from_json("b", BASELINE).unwrap();
    assert_eq!(baseline.to_json(), BASELINE);
    assert!(recompute(REPORT).is_ok());
    assert!(Profile::parse(CALLGRIND.as_bytes()).is_ok());
    assert!(Request::from_line(LINES[0]).is_ok() && Response::from_line(LINES[3]).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_mangled_baseline_is_read_as_what_it_says_or_refused(damage in damage()) {
        if let Ok(baseline) = Baseline::from_json("b", &text(&mangle(BASELINE, &damage))) {
            prop_assert_eq!(Baseline::from_json("b", &baseline.to_json()), Ok(baseline));
        }
    }

    #[test]
    fn a_mangled_report_is_judged_or_refused(damage in damage()) {
        if let Ok(once) = recompute(&text(&mangle(REPORT, &damage))) {
            let twice = recompute(&once.report.to_json()).unwrap();
            prop_assert!(twice.outcome_agrees && twice.disagreements.is_empty());
        }
    }

    #[test]
    fn a_mangled_profile_never_has_functions_that_cost_more_than_the_whole(damage in damage()) {
        if let Ok(profile) = Profile::parse(&mangle(CALLGRIND, &damage)) {
            for (index, total) in profile.totals.iter().enumerate() {
                let own = profile.functions.values().filter_map(|costs| costs.own.get(index));
                prop_assert!(own.map(|cost| u128::from(*cost)).sum::<u128>() <= u128::from(*total));
            }
        }
    }

    #[test]
    fn a_mangled_line_is_read_as_what_it_says_or_refused(line in 0..LINES.len(), damage in damage()) {
        let line = text(&mangle(LINES[line], &damage));
        if let Ok(request) = Request::from_line(&line) {
            prop_assert_eq!(Request::from_line(&request.to_line()), Ok(request));
        }
        if let Ok(response) = Response::from_line(&line) {
            prop_assert_eq!(Response::from_line(&response.to_line()), Ok(response));
        }
    }

    #[test]
    fn any_bytes_are_answered(bytes in vec(any::<u8>(), 0..300)) {
        let any = text(&bytes);
        prop_assert!(Baseline::from_json("b", &any).is_err());
        prop_assert!(recompute(&any).is_err());
        prop_assert!(Response::from_line(&any).is_err());
        prop_assert!(Profile::parse(&bytes).is_err());
        let _ = Valgrind::from_version_output(Some(&any));
        if let Ok(id) = MetricId::new(any.clone()) {
            prop_assert_eq!(id.as_str(), any);
        }
    }
}
