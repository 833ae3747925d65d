use gate::instructions::callgrind::{CallgrindError, Profile, RegionError};

const REGION: &str = include_str!("fixtures/region.callgrind");
const ALL_OPTIONS: &str = include_str!("fixtures/instructions-jumps-caches.callgrind");

/// A profile of one event around `body`.
fn profile(body: &str) -> Result<Profile, CallgrindError> {
    Profile::parse(format!("version: 1\npositions: line\nevents: Ir\n{body}").as_bytes())
}

#[track_caller]
fn refused(body: &str, expect: CallgrindError) {
    assert_eq!(profile(body), Err(expect));
}

#[test]
fn a_region_that_callgrind_3_19_collected() {
    let profile = Profile::parse(REGION.as_bytes()).unwrap();
    assert_eq!(profile.creator.as_deref(), Some("callgrind-3.19.0"));
    assert_eq!(profile.total("Ir"), Ok(17896));
    assert_eq!(profile.region("Ir", "region"), Ok(17896));
    assert_eq!(profile.region("Ir", "leaf"), Ok(17825));
    assert_eq!(profile.functions["region"].own, [71]);
    // Its name begins with a bracket, as compressed ones do.
    assert_eq!(profile.region("Ir", "(below main)"), Ok(2 * 17896));
}

#[test]
fn instruction_positions_jumps_and_caches_change_no_count() {
    let profile = Profile::parse(ALL_OPTIONS.as_bytes()).unwrap();
    assert_eq!(profile.events.len(), 9);
    assert_eq!(profile.region("Ir", "region"), Ok(17896));
    assert_eq!((profile.total("Dr"), profile.total("Dw")), (Ok(14), Ok(13)));
    // Costs that are 0 to the end of a line are left out.
    assert_eq!(profile.region("Dw", "region"), Ok(13));
}

#[test]
fn an_unknown_region_or_event_is_answered_with_what_there_is() {
    let profile = Profile::parse(REGION.as_bytes()).unwrap();
    let error = profile.region("Ir", "regoin").unwrap_err();
    assert_eq!(error.to_string(), "no function `regoin` ran (did you mean `region`?)");
    let expect = RegionError::UnknownEvent { event: "Bc".to_owned(), counted: "Ir".to_owned() };
    assert_eq!(profile.total("Bc"), Err(expect));
}

#[test]
fn a_file_cut_off_anywhere_is_refused_and_never_counts_less() {
    let end = REGION.find("totals:").unwrap();
    for length in 0..end {
        assert!(Profile::parse(&REGION.as_bytes()[..length]).is_err(), "{length}");
    }
}

#[test]
fn parts_add_up_and_the_last_one_must_end() {
    let part = "fn=main\n1 5\ntotals: 5\n";
    assert_eq!(profile(&part.repeat(3)).unwrap().total("Ir"), Ok(15));
    refused("fn=main\n1 5\ntotals: 5\nfn=main\n2 5\n", CallgrindError::Truncated);
    refused("fn=main\n1 5\ntotals: 5\nevents: Ir\n", CallgrindError::Truncated);
}

#[test]
fn direct_recursion_is_counted_once() {
    let body = "fn=(1) walk\n1 5\ncfn=(1)\ncalls=3 1\n1 20\nfn=main\ncfn=(1)\ncalls=1 1\n9 5\ntotals: 5\n";
    let profile = profile(body).unwrap();
    assert_eq!((profile.region("Ir", "walk"), profile.region("Ir", "main")), (Ok(5), Ok(5)));
}

#[test]
fn damage_is_named_with_its_line() {
    refused("fn=main\n1 x\n", CallgrindError::BadNumber { line: 5, found: "x".to_owned() });
    refused("1 5\n", CallgrindError::CostWithoutFunction { line: 4 });
    refused("fn=(7)\n", CallgrindError::UnknownName { line: 4, id: 7 });
    refused("fn=a\ncalls=1 2\n", CallgrindError::CallWithoutCallee { line: 5 });
    refused("fn=a\n1 2 3\n", CallgrindError::TooManyNumbers { line: 5, found: 3, allowed: 2 });
    refused("what\n", CallgrindError::UnknownLine { line: 4, found: "what".to_owned() });
    refused("events: Ir Dr\n", CallgrindError::BadEvents { line: 4 });
    refused("version: 2\n", CallgrindError::UnknownVersion { line: 4, found: "2".to_owned() });
    let huge = format!("fn=a\n1 {0}\n1 {0}\n", u64::MAX);
    refused(&huge, CallgrindError::Overflow { line: 6 });
    let expect = CallgrindError::TotalsDiffer { event: "Ir".to_owned(), functions: 9, total: 8 };
    refused("fn=a\n1 9\ntotals: 8\n", expect);
}
