//! Where the lines of somebody's own log have what a signalling server's log has: time, direction, person, message.

use serde_json::{Map, Value};
use timeline::{escaped, words};

words! {
    /// What a signalling server did, as a log line says.
    pub enum LineWord {
        /// It got a message from the person.
        In = "in",
        /// It passed a message on to the person.
        Out = "out",
        /// It did not pass a message on.
        Drop = "drop",
        /// The person's connection ended.
        Close = "close",
    }
}

/// The places of a log line, as JSON pointers (RFC 6901) that are tried in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineMapping {
    /// When: milliseconds or seconds since the epoch, or a text such as ISO 8601.
    pub time: Vec<String>,
    /// What the server did.
    pub direction: Vec<String>,
    /// At whose connection.
    pub person: Vec<String>,
    /// The message.
    pub message: Vec<String>,
    /// The log's words for what the server did, beside those that are known anyway.
    pub words: Vec<(String, LineWord)>,
}

impl LineMapping {
    /// What stands at the first of `places` that there is.
    pub(crate) fn find<'v>(line: &'v Value, places: &[String]) -> Option<&'v Value> {
        places.iter().find_map(|at| line.pointer(at)).filter(|value| !value.is_null())
    }

    /// Its places, and the log's words.
    pub(crate) fn own_words(&self) -> impl Iterator<Item = &String> {
        let places = [&self.time, &self.direction, &self.person, &self.message];
        places.into_iter().flatten().chain(self.words.iter().map(|(word, _)| word))
    }

    /// What `word` means in this log.
    pub(crate) fn meaning(&self, word: &str) -> Option<LineWord> {
        self.words.iter().find(|(own, _)| own == word).map(|(_, meaning)| *meaning)
    }

    /// Whether `line` has a time and a direction where this says.
    pub(crate) fn fits(&self, line: &Value) -> bool {
        Self::find(line, &self.time).is_some() && Self::find(line, &self.direction).is_some()
    }
}

/// How many lines are looked at for a draft.
const LINES: usize = 200;

/// Words by which logs usually say what a server did.
const USUAL: [(&str, LineWord); 22] = [
    ("in", LineWord::In),
    ("recv", LineWord::In),
    ("receive", LineWord::In),
    ("received", LineWord::In),
    ("rx", LineWord::In),
    ("inbound", LineWord::In),
    ("out", LineWord::Out),
    ("send", LineWord::Out),
    ("sent", LineWord::Out),
    ("tx", LineWord::Out),
    ("outbound", LineWord::Out),
    ("deliver", LineWord::Out),
    ("delivered", LineWord::Out),
    ("drop", LineWord::Drop),
    ("dropped", LineWord::Drop),
    ("undeliverable", LineWord::Drop),
    ("lost", LineWord::Drop),
    ("close", LineWord::Close),
    ("closed", LineWord::Close),
    ("disconnect", LineWord::Close),
    ("disconnected", LineWord::Close),
    ("left", LineWord::Close),
];

/// The tables `[line]` and `[directions]` for a log of JSON lines, guessed from its keys and words; `None` where its lines
/// are no JSON objects.
pub(super) fn draft(log: &str) -> Option<(String, Vec<Value>)> {
    let lines = log.lines().filter(|line| !line.trim().is_empty()).take(LINES);
    let lines: Vec<Map<String, Value>> = lines.filter_map(|line| serde_json::from_str(line).ok()).collect();
    let first = lines.first()?;
    let texts =
        |key: &str| -> Vec<&str> { lines.iter().filter_map(|line| line.get(key)?.as_str()).collect() };
    let meaning =
        |word: &str| USUAL.iter().find(|(usual, _)| usual.eq_ignore_ascii_case(word)).map(|(_, it)| *it);
    let direction =
        first.keys().max_by_key(|key| texts(key).iter().filter(|word| meaning(word).is_some()).count());
    let direction = direction.filter(|key| texts(key).iter().any(|word| meaning(word).is_some()));
    let time = first.iter().find(|(_, value)| is_time(value)).map(|(key, _)| key);
    let message =
        first.keys().filter(|key| lines.iter().any(|line| line.get(*key).is_some_and(Value::is_object)));
    let message = message
        .max_by_key(|key| lines.iter().filter(|line| line.get(*key).is_some_and(Value::is_object)).count());
    // Whoever is named by a short word that comes again.
    let taken = [direction, time, message];
    let person = first.keys().filter(|key| !taken.contains(&Some(*key))).filter(|key| {
        let mut words = texts(key);
        let all = words.len();
        words.sort_unstable();
        words.dedup();
        (2..=16).contains(&words.len()) && words.len() < all
    });
    let person = person.clone().find(|key| is_personal(key)).or_else(|| person.clone().next());
    let place = |name: &str, key: Option<&String>| match key {
        Some(key) => format!("  {name} = \"/{}\"\n", pointed(key)),
        None => format!("  {name} = \"/…\"  # not found: where is it?\n"),
    };
    let mut out = "  [line]                     # where a line of the log has what\n".to_owned();
    out += &place("time", time);
    out += &place("direction", direction);
    out += &place("person", person);
    out += &place("message", message);
    out += "\n  [directions]               # the log's words = \"in\", \"out\", \"drop\" or \"close\"\n";
    let mut words: Vec<&str> = direction.map(|key| texts(key)).unwrap_or_default();
    words.sort_unstable();
    words.dedup();
    for word in words {
        out += &match meaning(word) {
            Some(meaning) => format!("  {} = \"{meaning}\"\n", quoted(word)),
            None => format!("  # {} = \"…\"\n", quoted(word)),
        };
    }
    let messages = lines.iter().filter_map(|line| line.get(message?).cloned()).collect();
    Some((out, messages))
}

fn is_time(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_f64().is_some_and(|number| number > 1e9),
        Value::String(text) => crate::reader::is_moment(text),
        _ => false,
    }
}

fn is_personal(key: &str) -> bool {
    let lower = key.to_ascii_lowercase();
    ["user", "peer", "client", "person", "participant", "conn", "who", "member"]
        .iter()
        .any(|it| lower.contains(it))
}

/// A key within a JSON pointer (RFC 6901 §3) that stands in quotes.
fn pointed(key: &str) -> String {
    escaped(&key.replace('~', "~0").replace('/', "~1").replace(['"', '\\'], "")).into_owned()
}

/// A basic string of TOML: what JSON escapes, it escapes alike.
fn quoted(word: &str) -> String {
    escaped(&Value::from(word).to_string()).into_owned()
}
