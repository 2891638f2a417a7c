//! Between Flex tensors and slices.

use burn::tensor::{Bytes, DType, Shape};
use burn_flex::{FlexTensor, Layout};
use rayon::prelude::*;
use std::mem::MaybeUninit;

/// A float32 tensor's elements in row-major order; copies only a tensor that is not contiguous.
pub fn contiguous(tensor: FlexTensor) -> FlexTensor {
    if tensor.is_contiguous() && tensor.layout().start_offset() == 0 {
        tensor
    } else {
        tensor.to_contiguous()
    }
}

/// The elements of a tensor that [`contiguous`] returned.
pub fn slice(tensor: &FlexTensor) -> &[f32] {
    let elements = tensor.layout().num_elements();
    &tensor.storage::<f32>()[..elements]
}

/// The dimensions of a tensor.
pub fn dims(tensor: &FlexTensor) -> &[usize] {
    tensor.layout().shape().as_slice()
}

/// A tensor of `shape` from its row-major elements.
pub fn tensor(values: Vec<f32>, shape: &[usize]) -> FlexTensor {
    debug_assert_eq!(values.len(), shape.iter().product::<usize>());
    FlexTensor::new(Bytes::from_elems(values), Layout::contiguous(Shape::from(shape.to_vec())), DType::F32)
}

/// Zeroed memory for `elements` floats. Large buffers are zeroed by all threads: one core writes memory
/// more slowly than two, and everyone would wait for it.
pub fn buffer(elements: usize) -> Vec<f32> {
    const PIECE: usize = 1 << 16;
    if elements <= PIECE {
        return vec![0.0; elements];
    }
    written(elements, |memory| {
        memory.par_chunks_mut(PIECE).for_each(|piece| {
            piece.fill(MaybeUninit::new(0.0));
        });
    })
}

/// As many copies of the concatenated `parts` as make `rows` rows, one after the other.
pub fn repeated(parts: &[&[f32]], rows: usize) -> Vec<f32> {
    let width: usize = parts.iter().map(|part| part.len()).sum();
    if width == 0 {
        return Vec::new();
    }
    written(rows * width, |memory| {
        memory.par_chunks_mut(64 * width).for_each(|block| {
            for row in block.chunks_exact_mut(width) {
                let mut rest = row;
                for part in parts {
                    let (head, tail) = rest.split_at_mut(part.len());
                    head.write_copy_of_slice(part);
                    rest = tail;
                }
            }
        });
    })
}

/// A vector whose every element `write` writes; private, because the compiler cannot check that.
fn written(elements: usize, write: impl FnOnce(&mut [MaybeUninit<f32>])) -> Vec<f32> {
    let mut values = Vec::with_capacity(elements);
    write(&mut values.spare_capacity_mut()[..elements]);
    // SAFETY: both callers in this file write all of the first `elements` elements: their chunks cover
    // the slice, and each chunk is filled or copied to its end.
    unsafe { values.set_len(elements) };
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_buffers_are_written() {
        for elements in [0, 1, 1 << 16, (1 << 16) + 1, 200_003] {
            assert_eq!(buffer(elements), vec![0.0; elements]);
        }
        assert_eq!(repeated(&[&[1.0, 2.0], &[3.0]], 2), [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]);
        assert_eq!(repeated(&[&[1.0], &[2.0]], 1000).len(), 2000);
        assert!(repeated(&[], 5).is_empty());
    }
}
