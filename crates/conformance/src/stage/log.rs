use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What somebody said, in order; all clones are one.
#[derive(Debug)]
pub(crate) struct Log<T>(Arc<Mutex<Vec<T>>>);

impl<T: Clone> Log<T> {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    pub(crate) fn push(&self, said: T) {
        self.list().push(said);
    }

    /// All of it.
    pub(crate) fn all(&self) -> Vec<T> {
        self.list().clone()
    }

    /// What was said after the first `from`.
    pub(crate) fn since(&self, from: usize) -> Vec<T> {
        self.list().get(from..).unwrap_or_default().to_vec()
    }

    pub(crate) fn len(&self) -> usize {
        self.list().len()
    }

    pub(crate) fn any(&self, is_meant: impl Fn(&T) -> bool) -> bool {
        self.list().iter().any(is_meant)
    }

    pub(crate) fn count(&self, is_meant: impl Fn(&T) -> bool) -> usize {
        self.list().iter().filter(|said| is_meant(said)).count()
    }

    fn list(&self) -> MutexGuard<'_, Vec<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Clone for Log<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}
