//! A tensor where it lies.

use std::ops::Range;
use std::sync::Arc;

use crate::convert;
use crate::dtype::{Dtype, elements};
use crate::error::Fault;
use crate::mapped::Mapped;

/// A tensor in a file: its shape, and where and how its elements lie. They are turned into float32 when they are
/// asked for, and not before.
#[derive(Debug, Clone)]
pub struct StoredTensor {
    shape: Vec<usize>,
    dtype: Dtype,
    file: Arc<Mapped>,
    range: Range<usize>,
    order: Order,
}

/// The order of a tensor's elements.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Order {
    RowMajor,
    /// PyTorch's: elements from one to the next along each dimension.
    Strided(Vec<usize>),
    /// A matrix that the file has with rows and columns exchanged.
    Transposed,
    /// The rows of each of `heads` heads stand in llama.cpp's order for rotary embeddings: the first of the first
    /// half, the first of the second half, the second of the first half… (its converter's `permute`). Hugging Face
    /// has the halves one after the other.
    RotaryPairs {
        heads: usize,
    },
}

impl StoredTensor {
    /// `range` are the bytes of `file` that hold the elements; they must be exactly, or for strided tensors at
    /// least, those that `shape` needs.
    pub(crate) fn new(
        shape: Vec<usize>,
        dtype: Dtype,
        file: Arc<Mapped>,
        range: Range<usize>,
        order: Order,
    ) -> Result<Self, Fault> {
        let tensor = Self { shape, dtype, file, range, order };
        tensor.check()?;
        Ok(tensor)
    }

    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    pub fn dtype(&self) -> Dtype {
        self.dtype
    }

    /// The bytes as they lie, little-endian, where they are row-major.
    pub fn bytes(&self) -> Option<&[u8]> {
        (self.order == Order::RowMajor).then(|| self.stored())
    }

    /// Row-major, in float32. Empty for a dtype that is not read.
    pub fn values(&self) -> Vec<f32> {
        let Some(count) = elements(&self.shape).filter(|_| self.dtype.is_read()) else { return Vec::new() };
        let bytes = self.stored();
        match &self.order {
            Order::RowMajor => convert::floats(self.dtype, bytes, count),
            Order::Strided(strides) => convert::strided(self.dtype, bytes, &self.shape, strides, count),
            Order::Transposed => {
                convert::transpose(&convert::floats(self.dtype, bytes, count), self.shape[0])
            }
            Order::RotaryPairs { heads } => convert::halves(self.dtype, bytes, self.shape[0], *heads, count),
        }
    }

    fn stored(&self) -> &[u8] {
        &self.file.bytes()[self.range.clone()]
    }

    /// Everything that [`StoredTensor::values`] relies on.
    fn check(&self) -> Result<(), Fault> {
        let Self { shape, dtype, file, range, order } = self;
        let too_large = || Fault::damaged(format!("its sizes {shape:?} are too large"));
        let count = elements(shape).ok_or_else(too_large)?;
        if range.start > range.end || range.end > file.bytes().len() {
            return Err(Fault::damaged(format!(
                "its bytes {range:?} are beyond the file's {}",
                file.bytes().len()
            )));
        }
        let Some((block, size)) = dtype.block() else { return Ok(()) };
        let exact = |count: usize| {
            let bytes = (count / block).checked_mul(size).ok_or_else(too_large)?;
            if count.is_multiple_of(block) && range.len() == bytes {
                return Ok(());
            }
            Err(Fault::damaged(format!(
                "its shape {shape:?} of {dtype} takes {bytes} bytes, but it has {}",
                range.len()
            )))
        };
        match order {
            Order::RowMajor => exact(count),
            Order::Transposed if shape.len() == 2 => exact(count),
            Order::Transposed => {
                Err(Fault::damaged(format!("it should be a matrix, its shape is {shape:?}")))
            }
            Order::RotaryPairs { heads } => {
                exact(count)?;
                let rows = shape.first().copied().unwrap_or(0);
                let fits = count > 0 && rows.is_multiple_of(*heads) && (rows / heads).is_multiple_of(2);
                if fits && (count / rows).is_multiple_of(block) {
                    return Ok(());
                }
                Err(Fault::damaged(format!("its shape {shape:?} cannot be divided among {heads} heads")))
            }
            Order::Strided(strides) => within(shape, strides, count, range.len() / size),
        }
    }
}

/// Whether all elements of a strided tensor lie within `available` elements. Those are also all that it may have, so
/// that a stride of 0 cannot make a large tensor of a small file.
fn within(shape: &[usize], strides: &[usize], count: usize, available: usize) -> Result<(), Fault> {
    if shape.len() != strides.len() {
        return Err(Fault::damaged(format!("it has {} sizes and {} strides", shape.len(), strides.len())));
    }
    let last = shape.iter().zip(strides).try_fold(0usize, |last, (size, stride)| {
        last.checked_add(size.saturating_sub(1).checked_mul(*stride)?)
    });
    if count == 0 || (last.is_some_and(|last| last < available) && count <= available) {
        return Ok(());
    }
    Err(Fault::damaged(format!(
        "its shape {shape:?} with strides {strides:?} reaches beyond the {available} elements that there are"
    )))
}
