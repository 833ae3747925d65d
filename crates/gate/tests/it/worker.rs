use gate::{
    baseline::Fingerprint,
    metric::{Percent, Tier},
    value::Value,
    worker::{LineError, MAX_LINE_BYTES, PROTOCOL, Request, Response, fingerprint_of},
};

use crate::cases::{id, metric, percent};

#[track_caller]
fn request(request: Request, line: &str) {
    assert_eq!(request.to_line(), line);
    assert_eq!(Request::from_line(line), Ok(request));
}

#[track_caller]
fn response(response: Response, line: &str) {
    assert_eq!(response.to_line(), line);
    assert_eq!(Response::from_line(line), Ok(response));
}

#[test]
fn requests_are_lines_of_json() {
    request(Request::List, r#""list""#);
    request(
        Request::Measure { id: id("a#b"), slowdown: Percent::ZERO, base: None },
        r#"{"measure":{"id":"a#b"}}"#,
    );
    let slowed = Request::Measure { id: id("a#b"), slowdown: percent(5.0), base: Some(1_000_000) };
    request(slowed, r#"{"measure":{"id":"a#b","slowdown_pct":5.0,"base":1000000}}"#);
}

#[test]
fn responses_are_lines_of_json() {
    let fingerprint = Fingerprint::from([("tick_us".to_owned(), "1000".to_owned())]);
    let greeting = Response::Greeting { protocol: PROTOCOL, program: "w 1".to_owned(), fingerprint };
    response(greeting, r#"{"greeting":{"protocol":1,"program":"w 1","fingerprint":{"tick_us":"1000"}}}"#);
    response(
        Response::Metrics(vec![metric("a", Tier::Wall)]),
        r#"{"metrics":[{"id":"a","tier":"wall","unit":"ns","better":"lower"}]}"#,
    );
    let measured = Response::Measured { id: id("a"), value: Value::Single(5), digest: Some("f0".to_owned()) };
    response(measured, r#"{"measured":{"id":"a","value":{"single":5},"digest":"f0"}}"#);
    response(Response::Failed { message: "no link".to_owned() }, r#"{"failed":{"message":"no link"}}"#);
}

#[test]
fn a_worker_of_another_version_is_named_as_such() {
    let line = r#"{"greeting":{"protocol":2,"program":"w 2"}}"#;
    assert_eq!(Response::from_line(line), Err(LineError::OtherProtocol { found: 2 }));
}

#[test]
fn a_line_that_is_no_message_is_shown() {
    let error = Response::from_line(r#"{"mesured":{"id":"a"}}"#).unwrap_err().to_string();
    assert!(error.contains("did you mean `measured`?"), "{error}");
    let error = Response::from_line("thread 'main' panicked").unwrap_err().to_string();
    assert!(error.contains("`thread 'main' panicked`"), "{error}");
    let long = " ".repeat(MAX_LINE_BYTES + 1);
    assert_eq!(Request::from_line(&long), Err(LineError::TooLong { size: MAX_LINE_BYTES + 1 }));
    assert_eq!(Request::from_line(&format!("{}\"list\"", " ".repeat(MAX_LINE_BYTES - 6))), Ok(Request::List));
}

#[test]
fn a_key_of_one_tier_counts_for_that_one_alone() {
    let of = |pairs: &[(&str, &str)]| -> Fingerprint {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let whole = of(&[("tick_us", "1000"), ("instructions.rustc", "1.95.0"), ("wallpaper", "blue")]);
    let exact = of(&[("tick_us", "1000"), ("wallpaper", "blue")]);
    assert_eq!(fingerprint_of(&whole, Tier::Virtual), exact);
    assert_eq!(fingerprint_of(&whole, Tier::Instructions), whole);
}
