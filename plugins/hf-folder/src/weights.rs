//! model.safetensors: an 8-byte length, a JSON header, the tensors one after another
//! (<https://huggingface.co/docs/safetensors>).

use pegbox_plugin::{Bundle, Element, Error, Model, TensorInfo};
use serde_json::json;

/// Writes the tensors piece by piece: a model may be larger than a plugin's memory.
pub fn write(model: &Model, bundle: &Bundle, path: &str, element: Element) -> Result<(), Error> {
    let tensors = model.tensors();
    bundle.create(path);
    bundle.append(path, &header(&tensors, element)?);
    for tensor in &tensors {
        for piece in model.pieces(tensor, element) {
            if !all_finite(&piece, element) {
                return Err(Error::new(format!(
                    "the tensor `{}` has values that {} cannot hold",
                    tensor.name,
                    name(element)
                ))
                .with_help("export with dtype = \"bfloat16\" or \"float32\""));
            }
            bundle.append(path, &piece);
        }
    }
    Ok(())
}

/// Length and header; the data behind them begins at a multiple of 8 bytes.
fn header(tensors: &[TensorInfo], element: Element) -> Result<Vec<u8>, Error> {
    let mut entries = vec![r#""__metadata__":{"format":"pt"}"#.to_owned()];
    let mut start: u64 = 0;
    for TensorInfo { name: tensor, shape } in tensors {
        let end = shape
            .iter()
            .try_fold(element.size(), |bytes, size| bytes.checked_mul(*size))
            .and_then(|bytes| start.checked_add(bytes))
            .ok_or_else(|| Error::new(format!("the tensor `{tensor}` is too large for a file")))?;
        let about = json!({ "dtype": name(element), "shape": shape, "data_offsets": [start, end] });
        entries.push(format!("{}:{about}", json!(tensor)));
        start = end;
    }
    let mut json = format!("{{{}}}", entries.join(",")).into_bytes();
    json.resize(json.len().next_multiple_of(8), b' ');
    Ok([(json.len() as u64).to_le_bytes().as_slice(), &json].concat())
}

/// As safetensors writes it.
fn name(element: Element) -> &'static str {
    match element {
        Element::Float32 => "F32",
        Element::Float16 => "F16",
        Element::BFloat16 => "BF16",
    }
}

/// Whether no element is NaN or infinite: then all bits of the exponent are set.
fn all_finite(bytes: &[u8], element: Element) -> bool {
    let halves =
        |exponent: u16| bytes.as_chunks().0.iter().all(|b| u16::from_le_bytes(*b) & exponent != exponent);
    match element {
        Element::Float32 => {
            const EXPONENT: u32 = 0x7f80_0000;
            bytes.as_chunks().0.iter().all(|b| u32::from_le_bytes(*b) & EXPONENT != EXPONENT)
        }
        Element::Float16 => halves(0x7c00),
        Element::BFloat16 => halves(0x7f80),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_aligned_and_its_offsets_join() {
        let tensor = |name: &str, shape: &[u64]| TensorInfo { name: name.to_owned(), shape: shape.to_vec() };
        let tensors = [tensor("a", &[2, 3]), tensor("b \"q\"", &[5])];
        let bytes = header(&tensors, Element::Float16).unwrap();
        let (length, json) = bytes.split_at(8);
        assert_eq!(u64::from_le_bytes(length.try_into().unwrap()) as usize, json.len());
        assert_eq!(bytes.len() % 8, 0);
        let read: serde_json::Value = serde_json::from_slice(json).unwrap();
        assert_eq!(read["__metadata__"]["format"], "pt");
        assert_eq!(read["a"], json!({ "dtype": "F16", "shape": [2, 3], "data_offsets": [0, 12] }));
        assert_eq!(read["b \"q\""]["data_offsets"], json!([12, 22]));
    }

    #[test]
    fn values_that_are_not_finite_are_seen() {
        assert!(all_finite(&f32::MAX.to_le_bytes(), Element::Float32));
        assert!(!all_finite(&f32::NAN.to_le_bytes(), Element::Float32));
        assert!(!all_finite(&[0, 0, 0, 0x7c], Element::Float16));
        assert!(all_finite(&[0xff, 0x7b], Element::Float16));
        assert!(!all_finite(&[0x80, 0xff], Element::BFloat16));
    }
}
