//! Places in messages, made ready to be asked: parsed once, and those that begin alike passed over together.
//!
//! The built-in mappings have some hundred places each, and most messages hold few of the keys with which those begin.
//! What a message holds of them is looked up once ([`Seen`]); a place whose first key is not there costs nothing.

use std::collections::BTreeSet;

use serde_json::Value;

/// The first keys of all places of all mappings, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Roots(Vec<String>);

/// A message, and what of it is under each of the first keys.
pub(super) struct Seen<'m> {
    pub(super) message: &'m Value,
    roots: Vec<Option<&'m Value>>,
}

impl Roots {
    pub(super) fn of<'p>(pointers: impl Iterator<Item = &'p String>) -> Self {
        let roots: BTreeSet<String> = pointers.filter_map(|pointer| keys(pointer).next()).collect();
        Self(roots.into_iter().collect())
    }

    pub(super) fn see<'m>(&self, message: &'m Value) -> Seen<'m> {
        let roots = match message {
            Value::Object(object) => {
                let mut roots = vec![None; self.0.len()];
                for (key, value) in object {
                    if let Some(root) = self.index(key) {
                        roots[root] = Some(value);
                    }
                }
                roots
            }
            Value::Array(_) => self.0.iter().map(|root| step(message, root)).collect(),
            _ => vec![None; self.0.len()],
        };
        Seen { message, roots }
    }

    fn index(&self, key: &str) -> Option<usize> {
        self.0.binary_search_by(|root| root.as_str().cmp(key)).ok()
    }
}

/// Places that are tried in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Places(Vec<Run>);

/// Places one after the other that begin with the same key.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Run {
    /// The key's place among the roots; `None` for the message as a whole.
    root: Option<usize>,
    /// The further keys of each.
    rest: Vec<Vec<String>>,
}

impl Places {
    pub(super) fn new(pointers: &[String], roots: &Roots) -> Self {
        let mut runs: Vec<Run> = Vec::new();
        for pointer in pointers {
            let mut keys = keys(pointer);
            let root = keys.next().and_then(|root| roots.index(&root));
            let rest = keys.collect();
            match runs.last_mut().filter(|run| run.root == root) {
                Some(run) => run.rest.push(rest),
                None => runs.push(Run { root, rest: vec![rest] }),
            }
        }
        Self(runs)
    }

    /// What stands at each of them, and what it stands in.
    pub(super) fn found<'p, 'm>(
        &'p self,
        seen: &'p Seen<'m>,
    ) -> impl Iterator<Item = (&'m Value, &'m Value)> + use<'p, 'm> {
        self.0.iter().flat_map(move |run| {
            let root = match run.root {
                Some(root) => seen.roots.get(root).copied().flatten(),
                None => Some(seen.message),
            };
            root.into_iter().flat_map(move |root| {
                run.rest.iter().filter_map(move |rest| {
                    let mut within = seen.message;
                    let mut value = root;
                    for key in rest {
                        within = value;
                        value = step(value, key)?;
                    }
                    Some((value, within))
                })
            })
        })
    }

    pub(super) fn values<'p, 'm>(
        &'p self,
        seen: &'p Seen<'m>,
    ) -> impl Iterator<Item = &'m Value> + use<'p, 'm> {
        self.found(seen).map(|(value, _)| value)
    }
}

/// The keys of a JSON pointer (RFC 6901 §4).
fn keys(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(|key| key.replace("~1", "/").replace("~0", "~"))
}

fn step<'m>(value: &'m Value, key: &str) -> Option<&'m Value> {
    match value {
        Value::Object(object) => object.get(key),
        Value::Array(items) => {
            // RFC 6901 §4: without leading zeros.
            let is_index = key == "0" || !key.starts_with(['0', '+']);
            items.get(key.parse::<usize>().ok().filter(|_| is_index)?)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn pointers() -> Vec<String> {
        let keys =
            ["", "/a", "/a/b", "/b/0", "/b/0/a", "/0", "/0/a", "/a~1b/c", "/m~0n", "/a/b/c", "/b", "/01"];
        keys.map(str::to_owned).to_vec()
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(json!(1)), Just(json!("x")), Just(Value::Null)];
        leaf.prop_recursive(4, 40, 4, |inner| {
            let key = prop_oneof![Just("a"), Just("b"), Just("c"), Just("a/b"), Just("m~n"), Just("0")];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                prop::collection::btree_map(key.prop_map(str::to_owned), inner, 0..4)
                    .prop_map(|object| Value::Object(object.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn they_find_what_a_pointer_finds(message in value()) {
            let pointers = pointers();
            let roots = Roots::of(pointers.iter());
            let places = Places::new(&pointers, &roots);
            let seen = roots.see(&message);
            let found: Vec<&Value> = places.values(&seen).collect();
            let expect: Vec<&Value> = pointers.iter().filter_map(|pointer| message.pointer(pointer)).collect();
            prop_assert_eq!(found, expect);
        }
    }
}
