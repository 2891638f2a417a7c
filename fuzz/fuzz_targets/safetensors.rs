//! safetensors.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| pegbox_fuzz::weights::read("model.safetensors", bytes));
