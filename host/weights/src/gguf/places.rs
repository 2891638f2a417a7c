//! Where a GGUF file's tensors lie.

use std::collections::BTreeSet;
use std::ops::Range;

use super::Metadata;
use super::cursor::Cursor;
use crate::dtype::{Dtype, elements};
use crate::error::{Fault, quoted};

/// ggml's own limit of dimensions.
const DIMENSIONS: u32 = 4;
const ALIGNMENT: u64 = 32;

/// A tensor of a GGUF file, under llama.cpp's name.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    pub name: String,
    /// Row-major, as everywhere here: the reverse of the order in the file.
    pub shape: Vec<usize>,
    pub dtype: Dtype,
    /// Bytes of the file.
    pub(crate) range: Range<usize>,
}

impl Place {
    /// Whether it holds numbers in blocks that are not read.
    pub(super) fn is_quantised_otherwise(&self) -> bool {
        matches!(self.dtype, Dtype::Other(name) if !matches!(name, "I8" | "I16" | "I32" | "I64"))
    }
}

/// ggml's types: number, type, elements and bytes of a block. Those that are not here were withdrawn or are newer.
const TYPES: [(u32, Dtype, usize, usize); 30] = [
    (0, Dtype::F32, 1, 4),
    (1, Dtype::F16, 1, 2),
    (2, Dtype::Q4_0, 32, 18),
    (3, Dtype::Q4_1, 32, 20),
    (6, Dtype::Q5_0, 32, 22),
    (7, Dtype::Q5_1, 32, 24),
    (8, Dtype::Q8_0, 32, 34),
    (9, Dtype::Other("Q8_1"), 32, 40),
    (10, Dtype::Q2_K, 256, 84),
    (11, Dtype::Q3_K, 256, 110),
    (12, Dtype::Q4_K, 256, 144),
    (13, Dtype::Q5_K, 256, 176),
    (14, Dtype::Q6_K, 256, 210),
    (15, Dtype::Other("Q8_K"), 256, 292),
    (16, Dtype::Other("IQ2_XXS"), 256, 66),
    (17, Dtype::Other("IQ2_XS"), 256, 74),
    (18, Dtype::Other("IQ3_XXS"), 256, 98),
    (19, Dtype::Other("IQ1_S"), 256, 50),
    (20, Dtype::Other("IQ4_NL"), 32, 18),
    (21, Dtype::Other("IQ3_S"), 256, 110),
    (22, Dtype::Other("IQ2_S"), 256, 82),
    (23, Dtype::Other("IQ4_XS"), 256, 136),
    (24, Dtype::Other("I8"), 1, 1),
    (25, Dtype::Other("I16"), 1, 2),
    (26, Dtype::Other("I32"), 1, 4),
    (27, Dtype::Other("I64"), 1, 8),
    (28, Dtype::F64, 1, 8),
    (29, Dtype::Other("IQ1_M"), 256, 56),
    (30, Dtype::BF16, 1, 2),
    (39, Dtype::Other("MXFP4"), 32, 17),
];

/// `length` is the whole file's.
pub(super) fn read(
    cursor: &mut Cursor<'_>,
    tensors: usize,
    metadata: &Metadata,
    length: usize,
) -> Result<Vec<Place>, Fault> {
    let mut names = BTreeSet::new();
    let mut places = Vec::with_capacity(tensors);
    for _ in 0..tensors {
        let name = cursor.string()?;
        if !names.insert(name) {
            return Err(Fault::damaged(format!("the tensor {} is there twice", quoted(name))));
        }
        places.push(place(cursor, name).map_err(|fault| fault.inside(&format!("tensor {}", quoted(name))))?);
    }
    let start = (cursor.position() as u64).next_multiple_of(alignment(metadata)?);
    for place in &mut places {
        move_to(place, start, length)
            .map_err(|fault| fault.inside(&format!("tensor {}", quoted(&place.name))))?;
    }
    no_overlap(&places)?;
    Ok(places)
}

/// A tensor whose range still counts from where the tensors begin.
fn place(cursor: &mut Cursor<'_>, name: &str) -> Result<Place, Fault> {
    let count = cursor.u32()?;
    if count > DIMENSIONS {
        return Err(Fault::damaged(format!("it has {count} dimensions, there are at most {DIMENSIONS}")));
    }
    let sizes = cursor.values(count as usize, u64::from_le_bytes)?;
    let too_large = || Fault::damaged(format!("its sizes {sizes:?} are too large"));
    let shape: Vec<usize> = sizes
        .iter()
        .rev()
        .map(|size| usize::try_from(*size).ok())
        .collect::<Option<_>>()
        .ok_or_else(too_large)?;
    let kind = cursor.u32()?;
    let (_, dtype, block, size) = *TYPES
        .iter()
        .find(|(number, ..)| *number == kind)
        .ok_or_else(|| Fault::unsupported(format!("it is of ggml's type {kind}, which is unknown here")))?;
    let row = shape.last().copied().unwrap_or(1);
    if row % block != 0 {
        return Err(Fault::damaged(format!(
            "a row of {row} elements is not made of {dtype}'s blocks of {block}"
        )));
    }
    let bytes = elements(&shape).and_then(|count| (count / block).checked_mul(size)).ok_or_else(too_large)?;
    let offset = usize::try_from(cursor.u64()?).map_err(|_| Fault::damaged("its offset is too large"))?;
    let end = offset.checked_add(bytes).ok_or_else(too_large)?;
    Ok(Place { name: name.to_owned(), shape, dtype, range: offset..end })
}

/// Where the tensors begin, and each of them, is a multiple of this.
fn alignment(metadata: &Metadata) -> Result<u64, Fault> {
    match metadata.get("general.alignment") {
        None => Ok(ALIGNMENT),
        Some(value) => value
            .as_u64()
            .filter(|bytes| bytes.is_power_of_two() && *bytes <= u64::from(u32::MAX))
            .ok_or_else(|| Fault::damaged(format!("its alignment is {value:?}, it must be a power of two"))),
    }
}

fn move_to(place: &mut Place, start: u64, length: usize) -> Result<(), Fault> {
    let (start, end) = (start as u128 + place.range.start as u128, start as u128 + place.range.end as u128);
    if end > length as u128 {
        return Err(Fault::damaged(format!("it ends at byte {end}, beyond the file's {length}")));
    }
    // Both lie within the file now.
    place.range = start as usize..end as usize;
    Ok(())
}

fn no_overlap(places: &[Place]) -> Result<(), Fault> {
    let mut sorted: Vec<&Place> = places.iter().filter(|place| !place.range.is_empty()).collect();
    sorted.sort_by_key(|place| place.range.start);
    match sorted.windows(2).find(|pair| pair[1].range.start < pair[0].range.end) {
        None => Ok(()),
        Some(pair) => Err(Fault::damaged(format!(
            "the tensors {} and {} overlap",
            quoted(&pair[0].name),
            quoted(&pair[1].name)
        ))),
    }
}
