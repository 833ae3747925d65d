//! The gate as its users see it: texts and numbers in, verdicts and texts out.

mod baseline;
mod calibration;
mod callgrind;
mod cases;
mod compare;
mod exact;
mod instructions;
mod mangled;
mod noise;
mod recompute;
mod reports;
mod selftest;
mod wall;
mod worker;
