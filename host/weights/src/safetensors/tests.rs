use std::path::Path;

use crate::{Weights, WeightsError};

fn file(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend_from_slice(data);
    bytes
}

fn read(bytes: Vec<u8>) -> Result<Weights, WeightsError> {
    Weights::from_bytes(Path::new("model.safetensors"), bytes)
}

fn error(header: &str, data: &[u8]) -> String {
    read(file(header, data)).unwrap_err().to_string()
}

const HALVES: &str = r#"{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"BF16","shape":[1],"data_offsets":[4,6]},"c":{"dtype":"F16","shape":[1,1],"data_offsets":[6,8]}}"#;
const ONES: [u8; 8] = [0, 0, 0x80, 0x3f, 0x80, 0x3f, 0x00, 0x3c];

#[test]
fn reads_half_and_single_precision() {
    let mut weights = read(file(HALVES, &ONES)).unwrap();
    for (name, shape) in [("a", vec![1]), ("b", vec![1]), ("c", vec![1, 1])] {
        assert_eq!(weights.take(&[name.into()]), Some((shape, vec![1.0])), "{name}");
    }
    assert!(weights.left_over().is_empty());
}

#[test]
fn integers_are_named_and_not_read() {
    let header = r#"{"n":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"e.position_ids":{"dtype":"I64","shape":[0],"data_offsets":[8,8]}}"#;
    let mut weights = read(file(header, &[0; 8])).unwrap();
    assert_eq!(weights.take(&["n".into()]), None);
    assert_eq!(weights.left_over(), ["n"]);
    assert_eq!(weights.tensors()[1].dtype, "I64");
}

#[test]
fn a_file_cut_anywhere_is_an_error() {
    let good = file(HALVES, &ONES);
    for length in 0..good.len() {
        assert!(read(good[..length].to_vec()).is_err(), "cut after {length} bytes");
    }
    assert!(read(good).is_ok());
}

#[test]
fn flipped_bits_never_panic() {
    let good = file(HALVES, &ONES);
    for position in 0..good.len() {
        for bit in 0..8 {
            let mut bytes = good.clone();
            bytes[position] ^= 1 << bit;
            if let Ok(mut weights) = read(bytes) {
                weights.take(&["a".into(), "b".into()]);
            }
        }
    }
}

#[test]
fn lies_about_sizes_are_refused() {
    let cases = [
        (r#"{"a":{"dtype":"F32","shape":[9000000000],"data_offsets":[0,8]}}"#, "tensor `a`: it has 8 bytes"),
        (
            r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,8]}}"#,
            "it has 8 bytes",
        ),
        (
            r#"{"a":{"dtype":"F32","shape":[0,18446744073709551615,2],"data_offsets":[0,0]}}"#,
            "it has 0 bytes",
        ),
        (r#"{"a":{"dtype":"F4","shape":[1],"data_offsets":[0,0]}}"#, "it has 0 bytes"),
        (r#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,8]}}"#, "its header"),
        (r#"{"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,8]}}"#, "its header"),
        (r#"{"a":{"dtype":"F32","shape":[2e0],"data_offsets":[0,8]}}"#, "its header"),
        (r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#, "it should begin at 0"),
        (
            r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,18446744073709551615]}}"#,
            "take 18446744073709551615 bytes, 8 are there",
        ),
        (r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, "the tensors take 4"),
        (r#"{"a":{"dtype":"F99","shape":[2],"data_offsets":[0,8]}}"#, "unknown variant `F99`"),
        (r#"[]"#, "not a valid safetensors file"),
    ];
    for (header, told) in cases {
        let error = error(header, &[0; 8]);
        assert!(error.contains(told), "{header}: {error}");
    }
    let mut lying = file(HALVES, &ONES);
    lying[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(read(lying).unwrap_err().to_string().contains("not a valid safetensors file: its header claims"));
}

#[test]
fn tensors_on_each_other_and_names_twice_are_refused() {
    let overlap = r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#;
    assert!(
        error(overlap, &[0; 12])
            .contains("tensor `b`: it lies at the bytes 4 to 12 of 12, it should begin at 8")
    );
    let hole = r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}"#;
    assert!(error(hole, &[0; 12]).contains("it should begin at 4"));
    let twice = r#"{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}"#;
    assert!(error(twice, &[]).contains("`a` is there twice"));
}

#[test]
fn a_header_that_nests_without_end_is_refused() {
    let deep = format!("{{\"a\":{}", "[".repeat(1 << 20));
    assert!(error(&deep, &[]).contains("its header"));
}
