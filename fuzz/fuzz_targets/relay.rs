#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| callsim_fuzz::relay::check(bytes));
