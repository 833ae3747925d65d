//! The worker of the gate: answers on standard output, a line for a line (`gate::worker`).
//!
//! Each tier has its slowdown on the way that is measured: links that delay more, a calibrated loop in the region that
//! valgrind counts, spinning for a share of the time that a run took.

mod error;
mod processor;
mod region;
mod virtual_time;

use std::{
    error::Error,
    io::{self, BufRead, Read as _, Write as _},
};

use gate::{
    baseline::Fingerprint,
    metric::{Metric, MetricId, Percent, Tier},
    nearest,
    worker::{MAX_LINE_BYTES, PROTOCOL, Request, Response},
};

use self::{error::WorkerError, processor::Processor, virtual_time::VirtualTime};

fn main() -> io::Result<()> {
    let mut worker = Worker { virtual_time: VirtualTime::new(), processor: Processor::new() };
    answer(&greeting())?;
    let mut input = io::stdin().lock();
    while let Some(line) = next_line(&mut input)? {
        let response = match Request::from_line(&line) {
            Ok(request) => worker.response(&request).unwrap_or_else(|error| failed(&error)),
            Err(error) => failed(&error),
        };
        answer(&response)?;
    }
    Ok(())
}

fn failed(error: &impl Error) -> Response {
    Response::Failed { message: error.to_string() }
}

fn answer(response: &Response) -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{}", response.to_line())?;
    output.flush()
}

/// The next line that is not empty; of one that is too long, as much as shows that it is.
fn next_line(input: &mut impl BufRead) -> io::Result<Option<String>> {
    loop {
        let mut bytes = Vec::new();
        input.by_ref().take(MAX_LINE_BYTES as u64 + 2).read_until(b'\n', &mut bytes)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&bytes).trim().to_owned();
        if !line.is_empty() {
            return Ok(Some(line));
        }
    }
}

/// What must be equal for numbers to be comparable. A key that begins with a tier counts for that one.
fn greeting() -> Response {
    let pairs = [
        ("virtual.resolution_us", "1000".to_owned()),
        ("virtual.seeds", benches::latency::GATED_SEEDS.to_string()),
        ("instructions.profile", if cfg!(debug_assertions) { "dev" } else { "release" }.to_owned()),
        ("instructions.processor", std::env::consts::ARCH.to_owned()),
        ("instructions.rustc", env!("BENCHES_RUSTC").to_owned()),
    ];
    let fingerprint: Fingerprint = pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    let program = format!("callsim {}", env!("CARGO_PKG_VERSION"));
    Response::Greeting { protocol: PROTOCOL, program, fingerprint }
}

struct Worker {
    virtual_time: VirtualTime,
    processor: Processor,
}

impl Worker {
    fn response(&mut self, request: &Request) -> Result<Response, WorkerError> {
        match request {
            Request::List => self.metrics().map(Response::Metrics),
            Request::Measure { slowdown, .. } if *slowdown < Percent::ZERO => {
                Err(WorkerError::NegativeSlowdown)
            }
            Request::Measure { id, slowdown, base } => self.measure(id, *slowdown, *base),
            _ => Err(WorkerError::UnknownRequest),
        }
    }

    fn metrics(&mut self) -> Result<Vec<Metric>, WorkerError> {
        let mut metrics = self.virtual_time.metrics()?;
        metrics.extend(Processor::metrics()?);
        Ok(metrics)
    }

    fn measure(
        &mut self,
        id: &MetricId,
        slowdown: Percent,
        base: Option<u64>,
    ) -> Result<Response, WorkerError> {
        let measured = |value, digest| Response::Measured { id: id.clone(), value, digest };
        if let Some((of, tier)) = processor::workload_of(id) {
            let value = match tier {
                Tier::Instructions => self.processor.counted(of, slowdown, base)?,
                _ => self.processor.timed(of, slowdown)?,
            };
            return Ok(measured(value, None));
        }
        if let Some((value, digest)) = self.virtual_time.measure(id, slowdown)? {
            return Ok(measured(value, Some(digest)));
        }
        let known = self.metrics()?;
        let nearest = nearest(id.as_str(), known.iter().map(|metric| metric.id.as_str()));
        Err(WorkerError::UnknownMetric { id: id.clone(), nearest: nearest.map(str::to_owned) })
    }
}
