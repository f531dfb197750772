#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| veilpool_fuzz_targets::policy(bytes));
