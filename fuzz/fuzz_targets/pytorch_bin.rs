//! State dicts of PyTorch: the archive, the stream of before version 1.6, and their pickles by themselves.

#![no_main]

use std::io::{Cursor, Write};

use libfuzzer_sys::fuzz_target;
use zip::write::{SimpleFileOptions, ZipWriter};

fuzz_target!(|bytes: &[u8]| {
    pegbox_fuzz::weights::read("model.bin", bytes);
    // The fuzzer cannot compute an archive's checksums and places, so it is helped to one with two storages.
    if bytes.starts_with(&[0x80]) {
        let archive = archive(&[("a/data.pkl", bytes), ("a/data/0", &[0x3c; 64]), ("a/data/1", &[1; 8])]);
        pegbox_fuzz::weights::read("model.bin", &archive.expect("archives can be written to memory"));
    }
});

fn archive(entries: &[(&str, &[u8])]) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, content) in entries {
        zip.start_file(*name, stored)?;
        zip.write_all(content)?;
    }
    Ok(zip.finish()?.into_inner())
}
