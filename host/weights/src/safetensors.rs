//! safetensors: a header in JSON, then the tensors one after the other. The format:
//! <https://github.com/huggingface/safetensors#format>.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use ::safetensors::tensor::{Dtype as Element, TensorInfo};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use crate::dtype::{Dtype, elements};
use crate::error::{Fault, quoted, said};
use crate::mapped::Mapped;
use crate::tensor::{Order, StoredTensor};

/// Headers above this are damaged, as the reference reader has it.
const HEADER_LIMIT: u64 = 100_000_000;

/// Whether a file may be one: it begins with a header of possible length in JSON.
pub(crate) fn looks_like(bytes: &[u8]) -> bool {
    let Some((length, rest)) = bytes.split_first_chunk() else { return false };
    u64::from_le_bytes(*length) <= HEADER_LIMIT && rest.first() == Some(&b'{')
}

/// All tensors, in the order in which they lie.
pub(crate) fn read(file: &Arc<Mapped>) -> Result<Vec<(String, StoredTensor)>, Fault> {
    let bytes = file.bytes();
    let (header, start) = header(bytes).map_err(|fault| fault.inside("not a valid safetensors file"))?;
    let length = bytes.len() - start;
    let Header(mut tensors) = header;
    tensors.sort_by_key(|(_, info)| info.data_offsets);

    let end = tensors.iter().map(|(_, info)| info.data_offsets.1).max().unwrap_or(0);
    if end > length {
        return Err(Fault::damaged(format!(
            "it is cut short: its tensors take {end} bytes, {length} are there"
        )));
    }

    let mut list = Vec::with_capacity(tensors.len());
    let mut expected = 0;
    for (name, info) in tensors {
        let inside = |fault: Fault| fault.inside(&format!("tensor {}", quoted(&name)));
        let (from, to) = info.data_offsets;
        check(&info, expected, length).map_err(inside)?;
        expected = to;
        let (dtype, range) = (dtype(info.dtype), start + from..start + to);
        let tensor =
            StoredTensor::new(info.shape, dtype, file.clone(), range, Order::RowMajor).map_err(inside)?;
        list.push((name, tensor));
    }
    if expected != length {
        return Err(Fault::damaged(format!("{length} bytes follow its header, the tensors take {expected}")));
    }
    Ok(list)
}

/// The header, and where the tensors begin.
fn header(bytes: &[u8]) -> Result<(Header, usize), Fault> {
    let (length, rest) =
        bytes.split_first_chunk().ok_or_else(|| Fault::damaged("it ends before its header does"))?;
    let length = u64::from_le_bytes(*length);
    if length > HEADER_LIMIT || length > rest.len() as u64 {
        return Err(Fault::damaged(format!("its header claims {length} bytes, {} are there", rest.len())));
    }
    // Both are at most the file's length now.
    let length = length as usize;
    let header = serde_json::from_slice(&rest[..length])
        .map_err(|error| Fault::damaged(format!("its header: {}", said(error))))?;
    Ok((header, 8 + length))
}

/// Whether a tensor begins where the one before ended, ends inside the file, and has the bytes that it needs.
fn check(info: &TensorInfo, expected: usize, length: usize) -> Result<(), Fault> {
    let (from, to) = info.data_offsets;
    if from != expected || to < from || to > length {
        return Err(Fault::damaged(format!(
            "it lies at the bytes {from} to {to} of {length}, it should begin at {expected}"
        )));
    }
    let bits = elements(&info.shape).and_then(|count| count.checked_mul(info.dtype.bitsize()));
    if bits.is_none_or(|bits| bits % 8 != 0 || bits / 8 != to - from) {
        return Err(Fault::damaged(format!(
            "it has {} bytes, which is not what a shape of {:?} in {} takes",
            to - from,
            info.shape,
            info.dtype
        )));
    }
    Ok(())
}

fn dtype(element: Element) -> Dtype {
    match element {
        Element::F64 => Dtype::F64,
        Element::F32 => Dtype::F32,
        Element::F16 => Dtype::F16,
        Element::BF16 => Dtype::BF16,
        Element::BOOL => Dtype::Other("BOOL"),
        Element::U8 => Dtype::Other("U8"),
        Element::I8 => Dtype::Other("I8"),
        Element::U16 => Dtype::Other("U16"),
        Element::I16 => Dtype::Other("I16"),
        Element::U32 => Dtype::Other("U32"),
        Element::I32 => Dtype::Other("I32"),
        Element::U64 => Dtype::Other("U64"),
        Element::I64 => Dtype::Other("I64"),
        Element::C64 => Dtype::Other("C64"),
        Element::F8_E4M3 => Dtype::Other("F8_E4M3"),
        Element::F8_E5M2 => Dtype::Other("F8_E5M2"),
        Element::F8_E8M0 => Dtype::Other("F8_E8M0"),
        _ => Dtype::Other("another"),
    }
}

/// Names and places in the order of the header; a name that is there twice is an error, which a map would hide.
struct Header(Vec<(String, TensorInfo)>);

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeaderVisitor)
    }
}

struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = Header;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tensors by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
        let mut tensors = BTreeMap::new();
        while let Some(name) = map.next_key::<String>()? {
            if name == "__metadata__" {
                map.next_value::<BTreeMap<String, String>>()?;
                continue;
            }
            let info = map.next_value::<TensorInfo>()?;
            if tensors.contains_key(&name) {
                return Err(A::Error::custom(format!("the tensor {} is there twice", quoted(&name))));
            }
            tensors.insert(name, info);
        }
        Ok(Header(tensors.into_iter().collect()))
    }
}

#[cfg(test)]
mod tests;
