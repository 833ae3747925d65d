//! Lines for a terminal, a pipe or a file that may take its time: whoever has one leaves it here and goes on.

use std::{
    collections::VecDeque,
    io::Write,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

/// How much waits to be written, in bytes. Beyond, lines are dropped and counted.
const BYTES: usize = 4 * 1024 * 1024;

/// A bounded queue of lines and the one thread that writes them. Cheap to clone.
#[derive(Clone)]
pub(super) struct Lines {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<String>,
    bytes: usize,
    /// How many were dropped since the writer was told.
    dropped: u64,
    /// Whether nothing more comes.
    ended: bool,
    /// Whether everything is written, or nothing can be any more.
    finished: bool,
}

/// What the writer has to do.
struct Batch {
    lines: VecDeque<String>,
    dropped: u64,
}

impl Lines {
    /// `complain` is told how many lines were dropped, and the first error; its line, where it gives one, is written
    /// where the dropped ones are missing.
    pub(super) fn start(
        mut to: impl Write + Send + 'static,
        mut complain: impl FnMut(Trouble) -> Option<String> + Send + 'static,
    ) -> Self {
        let lines = Self { shared: Arc::default() };
        let writer = lines.clone();
        thread::spawn(move || {
            let mut is_failing = false;
            while let Some(Batch { lines, dropped }) = writer.next() {
                let mut text: String = lines.into_iter().map(|line| line + "\n").collect();
                if dropped > 0
                    && let Some(line) = complain(Trouble::Dropped(dropped))
                {
                    text.push_str(&line);
                    text.push('\n');
                }
                match to.write_all(text.as_bytes()).and_then(|()| to.flush()) {
                    Ok(()) => is_failing = false,
                    Err(error) if !is_failing => {
                        is_failing = true;
                        complain(Trouble::Failing(error));
                    }
                    Err(_) => {}
                }
            }
            writer.queue().finished = true;
            writer.shared.changed.notify_all();
        });
        lines
    }

    /// Leaves a line. Never waits for whoever reads them.
    pub(super) fn push(&self, line: String) {
        let mut queue = self.queue();
        if queue.bytes + line.len() > BYTES {
            queue.dropped += 1;
        } else {
            queue.bytes += line.len();
            queue.waiting.push_back(line);
        }
        drop(queue);
        self.shared.changed.notify_all();
    }

    /// Nothing more comes. Waits until everything is written, but no longer than `within`.
    pub(super) fn end(&self, within: Duration) {
        let mut queue = self.queue();
        queue.ended = true;
        self.shared.changed.notify_all();
        // In time or not: whoever does not read has had time.
        let _in_time = self.shared.changed.wait_timeout_while(queue, within, |queue| !queue.finished);
    }

    fn next(&self) -> Option<Batch> {
        let queue = self.queue();
        let is_idle = |queue: &mut Queue| queue.waiting.is_empty() && queue.dropped == 0 && !queue.ended;
        let mut queue =
            self.shared.changed.wait_while(queue, is_idle).unwrap_or_else(PoisonError::into_inner);
        if queue.waiting.is_empty() && queue.dropped == 0 {
            return None;
        }
        queue.bytes = 0;
        Some(Batch { lines: std::mem::take(&mut queue.waiting), dropped: std::mem::take(&mut queue.dropped) })
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a writer has to complain about.
#[derive(Debug)]
pub(super) enum Trouble {
    /// So many lines were dropped, because they came faster than they could be written.
    Dropped(u64),
    /// They cannot be written, as since when some last could.
    Failing(std::io::Error),
}

#[cfg(test)]
mod tests {
    use std::{io, sync::mpsc};

    use super::*;

    /// Takes a write only when the test lets it.
    struct Gate(mpsc::Receiver<()>, mpsc::Sender<String>);

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.recv().map_err(io::Error::other)?;
            self.1.send(String::from_utf8_lossy(bytes).into_owned()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn who_does_not_read_stops_nobody_and_is_told_what_is_missing() {
        let (open, opened) = mpsc::channel();
        let (written, seen) = mpsc::channel();
        let lines = Lines::start(Gate(opened, written), |trouble| match trouble {
            Trouble::Dropped(count) => Some(format!("{count} dropped")),
            Trouble::Failing(error) => panic!("{error}"),
        });
        // The writer takes some of them before it stands still, and a queue's length of the rest is kept.
        let line = "x".repeat(1023);
        let all = 3 * BYTES / line.len();
        (0..all).for_each(|_| lines.push(line.clone()));
        // Who ends does not wait for whoever does not read.
        lines.end(Duration::ZERO);
        (0..100).for_each(|_| open.send(()).unwrap());
        lines.end(Duration::from_secs(60));
        let text: String = seen.iter().collect();
        let kept = text.lines().filter(|line| line.starts_with('x')).count();
        let dropped = text.lines().filter_map(|line| line.strip_suffix(" dropped"));
        let dropped: usize = dropped.map(|count| count.parse::<usize>().unwrap()).sum();
        assert!(dropped > 0);
        assert_eq!(kept + dropped, all);
        assert!(text.len() <= 2 * BYTES + BYTES / 256, "bounded");
    }
}
