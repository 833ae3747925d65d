//! A map to look things up in.
//!
//! Worlds of thousands of hosts look up a connection some dozen times for each segment, in maps whose keys are long:
//! hashed, that takes one memory access where a tree takes one for each level. The hash has no key, so that a map is
//! the same in every run; and its own order is nobody's, since it can only be walked in the order of its keys.

#![expect(clippy::disallowed_types, reason = "its order does not come out")]

use std::{collections::HashMap, fmt, hash::Hash};

use rustc_hash::FxBuildHasher;

pub(crate) struct Lookup<K, V>(HashMap<K, V, FxBuildHasher>);

impl<K: Copy + Eq + Hash + Ord, V> Lookup<K, V> {
    pub(crate) const fn new() -> Self {
        Self(HashMap::with_hasher(FxBuildHasher))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.0.get(key)
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.0.get_mut(key)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.0.insert(key, value)
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        self.0.remove(key)
    }

    /// The keys of what `fits`, in their order.
    pub(crate) fn keys_where(&self, mut fits: impl FnMut(&K, &V) -> bool) -> Vec<K> {
        let found = self.0.iter().filter(|(key, value)| fits(key, value));
        let mut keys: Vec<K> = found.map(|(key, _)| *key).collect();
        keys.sort_unstable();
        keys
    }
}

impl<K, V> fmt::Debug for Lookup<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lookup({} entries)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_walked_in_the_order_of_its_keys_whatever_came_first() {
        for keys in [[5, 1, 900, 3, 77], [77, 3, 900, 5, 1]] {
            let mut lookup = Lookup::new();
            for key in keys {
                assert_eq!(lookup.insert(key, key % 2), None);
            }
            assert_eq!(lookup.keys_where(|_, odd| *odd == 1), [1, 3, 5, 77]);
            assert_eq!((lookup.remove(&77), lookup.remove(&77), lookup.len()), (Some(1), None, 4));
        }
    }
}
