//! Every workload and every case at its smoke size.

mod latency;
mod workloads;
