//! What a workload costs on this machine.

use std::{
    fs,
    num::NonZeroUsize,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};

use benches::{
    results::{Cost, Worlds},
    workload::{self, Prepared, Size, Workload},
};
use cpu_time::ProcessTime;

use super::{MeasureError, Result, clock::now};

/// The cost of one unit of the workload `id`, run again and again for `time`.
pub(super) fn of(id: &str, size: Size, time: Duration) -> Result<Cost> {
    let workload = find(id)?;
    let mut run = ready(workload, size)?;
    let before = memory("VmRSS:");
    let units = run();
    let memory = before.zip(memory("VmHWM:")).map(|(before, peak)| peak.saturating_sub(before));
    let (mut cpu, mut wall) = (Vec::new(), Vec::new());
    let started = now();
    while wall.is_empty() || started.elapsed() < time {
        let (began, cpu_began) = (now(), ProcessTime::now());
        run();
        cpu.push(cpu_began.elapsed());
        wall.push(began.elapsed());
    }
    Ok(Cost {
        id: id.to_owned(),
        unit: workload.unit.to_owned(),
        units,
        runs: wall.len() as u64,
        cpu_ns: median(cpu) / units as f64,
        wall_ns: median(wall) / units as f64,
        memory_bytes: memory.map(|bytes| bytes as f64 / units as f64),
    })
}

/// How many happy calls a second `jobs` threads play.
pub(super) fn worlds(jobs: NonZeroUsize, time: Duration) -> Result<Worlds> {
    let workload = find("call/websocket")?;
    // Once, so that what is made once is there.
    ready(workload, Size::Smoke)?();
    let (calls, started) = (AtomicU64::new(0), now());
    let play = || -> Result<()> {
        let mut run = ready(workload, Size::Full)?;
        while started.elapsed() < time {
            calls.fetch_add(run(), Ordering::Relaxed);
        }
        Ok(())
    };
    thread::scope(|scope| {
        let players: Vec<_> = (0..jobs.get()).map(|_| scope.spawn(play)).collect();
        players.into_iter().try_for_each(|player| player.join().map_err(|_| MeasureError::Panicked)?)
    })?;
    let calls = calls.into_inner();
    Ok(Worlds { jobs: jobs.get(), calls, per_second: calls as f64 / started.elapsed().as_secs_f64() })
}

fn find(id: &str) -> Result<&'static Workload> {
    workload::find(id).ok_or_else(|| {
        let nearest = scenario::nearest(id, workload::all().map(|workload| workload.id));
        MeasureError::UnknownWorkload { id: id.to_owned(), nearest: nearest.map(str::to_owned) }
    })
}

fn ready(workload: &Workload, size: Size) -> Result<Prepared> {
    workload.prepare(size, workload::plain).map_err(|error| MeasureError::Prepare { id: workload.id, error })
}

/// In nanoseconds.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    let middle = times.len() / 2;
    let at = |index: usize| times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1e9);
    if times.len().is_multiple_of(2) {
        f64::midpoint(at(middle.wrapping_sub(1)), at(middle))
    } else {
        at(middle)
    }
}

/// A line of this process's status, in bytes (proc(5)): `VmRSS` what it has now, `VmHWM` the most it had.
fn memory(key: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}
