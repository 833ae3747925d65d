//! What to say where no mapping understood an application's messages.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use serde_json::Value;
use timeline::escaped;

/// Messages that no mapping understood.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unmapped {
    /// How many there were.
    pub count: u64,
    /// One example of each shape, texts cut short, oldest first; a few at most.
    pub examples: Vec<Value>,
    shapes: BTreeSet<u64>,
    sdp: BTreeSet<String>,
    candidates: BTreeSet<String>,
    words: BTreeMap<String, BTreeSet<String>>,
}

const MAX_EXAMPLES: usize = 5;
const MAX_PLACES: usize = 16;
const MAX_DEPTH: usize = 8;

impl Unmapped {
    /// Whether there were none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether SDP or candidates were seen among them: then a mapping file makes them useful.
    pub fn holds_signalling(&self) -> bool {
        !self.sdp.is_empty() || !self.candidates.is_empty()
    }

    /// Remembers one.
    pub(crate) fn note(&mut self, message: &Value) {
        self.count += 1;
        self.look(message, &mut String::new(), 0);
        if self.examples.len() < MAX_EXAMPLES && self.shapes.insert(shape(message, 3)) {
            self.examples.push(short(message, MAX_DEPTH));
        }
    }

    /// Adds those of another file.
    pub(crate) fn merge(&mut self, other: Self) {
        self.count += other.count;
        for example in other.examples {
            if self.examples.len() < MAX_EXAMPLES && self.shapes.insert(shape(&example, 3)) {
                self.examples.push(example);
            }
        }
        self.sdp.extend(other.sdp);
        self.candidates.extend(other.candidates);
        for (place, words) in other.words {
            self.words.entry(place).or_default().extend(words);
        }
    }

    fn look(&mut self, value: &Value, at: &mut String, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        let length = at.len();
        match value {
            Value::String(text) if text.starts_with("v=0") => place(&mut self.sdp, at),
            Value::String(text) if text.trim_start_matches("a=").starts_with("candidate:") => {
                place(&mut self.candidates, at);
            }
            // A short word near the top may be the type.
            Value::String(word) if depth <= 2 && word.len() <= 40 && self.words.len() < MAX_PLACES => {
                if !self.words.contains_key(at.as_str()) {
                    self.words.insert(at.clone(), BTreeSet::new());
                }
                let words = self.words.get_mut(at.as_str()).filter(|words| words.len() < MAX_PLACES);
                if let Some(words) = words.filter(|words| !words.contains(word)) {
                    words.insert(word.clone());
                }
            }
            Value::Object(object) => {
                for (key, value) in object {
                    at.push('/');
                    match key.contains(['~', '/']) {
                        true => at.push_str(&key.replace('~', "~0").replace('/', "~1")),
                        false => at.push_str(key),
                    }
                    self.look(value, at, depth + 1);
                    at.truncate(length);
                }
            }
            Value::Array(items) => {
                for (index, value) in items.iter().enumerate().take(MAX_PLACES) {
                    let _ = write!(at, "/{index}");
                    self.look(value, at, depth + 1);
                    at.truncate(length);
                }
            }
            _ => {}
        }
    }

    /// What was seen, and a mapping file to begin with. Several lines.
    pub fn advice(&self) -> String {
        let mut out =
            format!("{} messages were understood by no mapping. What they look like:\n", self.count);
        for example in &self.examples {
            let _ = writeln!(out, "  {}", escaped(&example.to_string()));
        }
        if !self.holds_signalling() {
            out.push_str("None of them holds SDP or a candidate: they may be no signalling at all.\n");
            return out;
        }
        out.push_str(
            "Save this as a mapping file (`--write-mapping FILE`), correct it, and pass it along:\n\n",
        );
        out + &self.draft()
    }

    /// A mapping file to begin with, for these messages.
    pub fn draft(&self) -> String {
        let mut out = "  version = 1\n  name = \"my app\"\n\n".to_owned();
        self.places(&mut out);
        out
    }

    /// A mapping file to begin with, for a server's log of which not even the lines are understood: JSON objects, one a
    /// line. `None` for anything else.
    pub fn draft_of_log(log: &str) -> Option<String> {
        let (tables, messages) = super::line::draft(log)?;
        let mut unmapped = Self::default();
        let mappings = super::Mappings::default();
        for message in &messages {
            if let super::Mapped::Unknown(message) = mappings.value(message) {
                unmapped.note(&message);
            }
        }
        let mut out = format!("  version = 1\n  name = \"my app\"\n\n{tables}\n");
        if unmapped.holds_signalling() {
            unmapped.places(&mut out);
        }
        Some(out)
    }

    fn places(&self, out: &mut String) {
        out.push_str("  [places]\n");
        let list = |places: &BTreeSet<String>| {
            places.iter().map(|place| format!("\"{}\"", escaped(place))).collect::<Vec<_>>().join(", ")
        };
        // The place with few different words is most likely the type's.
        let kinds = self.words.iter().filter(|(_, words)| words.len() < 12).map(|(place, _)| place.clone());
        let _ = writeln!(
            out,
            "  type = [{}]  # keep the one that names the message's type",
            list(&kinds.collect())
        );
        let _ = writeln!(out, "  sdp = [{}]", list(&self.sdp));
        let _ = writeln!(out, "  candidate = [{}]", list(&self.candidates));
        out.push_str(
            "  from = \"/…\"  # the sender, if it is named\n  call = \"/…\"  # the call, if it is named\n\n",
        );
        out.push_str(
            "  [types]  # your words = \"offer\", \"answer\", \"candidate\", \"bye\", \"reject\", …\n",
        );
    }
}

fn place(places: &mut BTreeSet<String>, at: &str) {
    if places.len() < MAX_PLACES {
        places.insert(at.to_owned());
    }
}

/// A number for the keys without their values: two messages of one shape need one example. Of each of a million messages it
/// is asked for, hence no text.
fn shape(value: &Value, depth: usize) -> u64 {
    let mut hash = Fnv::default();
    hash.shape(value, depth);
    hash.0
}

/// FNV-1a: two shapes with one number cost an example.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn shape(&mut self, value: &Value, depth: usize) {
        match value {
            Value::Object(object) if depth > 0 => {
                self.bytes(b"{");
                for (key, value) in object.iter().take(MAX_PLACES) {
                    self.bytes(key.as_bytes());
                    self.shape(value, depth - 1);
                    self.bytes(b",");
                }
                self.bytes(b"}");
            }
            Value::Array(items) => {
                self.bytes(b"[");
                if let Some(first) = items.first() {
                    self.shape(first, depth.saturating_sub(1));
                }
                self.bytes(b"]");
            }
            _ => {}
        }
    }
}

/// The message with long texts cut, and little enough of everything to be shown.
fn short(value: &Value, depth: usize) -> Value {
    match value {
        Value::String(text) => match text.char_indices().nth(40) {
            Some((end, _)) => Value::String(format!("{}…", &text[..end])),
            None => value.clone(),
        },
        Value::Object(_) | Value::Array(_) if depth == 0 => Value::String("…".to_owned()),
        Value::Object(object) => object
            .iter()
            .take(MAX_PLACES)
            .map(|(key, value)| (key.chars().take(40).collect(), short(value, depth - 1)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(items) => {
            items.iter().take(4).map(|item| short(item, depth - 1)).collect::<Vec<_>>().into()
        }
        other => other.clone(),
    }
}
