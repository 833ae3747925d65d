//! Every workload and every case at its smoke size.

mod baselines;
mod latency;
mod workloads;
