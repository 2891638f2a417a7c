//! GGUF: metadata, tensors, and the configuration that is made of them.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use pegbox_weights::Gguf;

fuzz_target!(|bytes: &[u8]| {
    match Gguf::from_bytes(Path::new("model.gguf"), bytes.to_vec()) {
        Ok(file) => {
            for (key, value) in file.metadata().iter() {
                let metadata = file.metadata();
                assert!(metadata.get(key).is_some_and(|found| std::ptr::eq(found, value)));
                if let (Some(whole), Some(number)) = (metadata.u64(key), metadata.f64(key)) {
                    assert_eq!(whole as f64, number);
                }
                let _ = (metadata.i64s(key), metadata.strings(key), metadata.f32s(key), metadata.bool(key));
            }
            if let Err(error) = file.config() {
                pegbox_fuzz::weights::is_readable(&error);
            }
        }
        Err(error) => pegbox_fuzz::weights::is_readable(&error),
    }
    pegbox_fuzz::weights::read("model.gguf", bytes);
});
