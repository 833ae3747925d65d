use std::collections::BTreeMap;

/// Which keys belong together (a disjoint-set forest over texts).
#[derive(Debug, Default)]
pub(super) struct Union {
    index: BTreeMap<String, usize>,
    parent: Vec<usize>,
}

impl Union {
    /// The set of `key`, as one number for all of its members.
    pub(super) fn find(&mut self, key: &str) -> usize {
        let mut at = match self.index.get(key) {
            Some(at) => *at,
            None => {
                let at = self.parent.len();
                self.index.insert(key.to_owned(), at);
                self.parent.push(at);
                at
            }
        };
        while self.parent[at] != at {
            self.parent[at] = self.parent[self.parent[at]];
            at = self.parent[at];
        }
        at
    }

    /// The set of `key`, if anybody has named it.
    pub(super) fn known(&mut self, key: &str) -> Option<usize> {
        self.index.contains_key(key).then(|| self.find(key))
    }

    pub(super) fn join(&mut self, a: &str, b: &str) {
        let (a, b) = (self.find(a), self.find(b));
        // The older one stays, so that numbers follow the order of the input.
        self.parent[a.max(b)] = a.min(b);
    }

    /// All keys with their sets.
    pub(super) fn sets(&mut self) -> Vec<(String, usize)> {
        let keys: Vec<String> = self.index.keys().cloned().collect();
        keys.into_iter().map(|key| (key.clone(), self.find(&key))).collect()
    }
}
