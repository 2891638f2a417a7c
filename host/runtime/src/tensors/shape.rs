//! A shape of rank 1 to 8 that is copied, not allocated: operations are checked thousands of times a step.

use std::fmt;
use std::ops::Deref;

/// The contract's highest rank.
pub const MAX_RANK: usize = 8;

/// Dimension sizes, outermost first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    dims: [usize; MAX_RANK],
    rank: u8,
}

impl Shape {
    /// The shape of a scalar.
    pub const SCALAR: Self = Self { dims: [1, 0, 0, 0, 0, 0, 0, 0], rank: 1 };

    /// None unless there are 1 to 8 dimensions of at least 1 each.
    pub fn new(dims: &[usize]) -> Option<Self> {
        if dims.is_empty() || dims.len() > MAX_RANK || dims.contains(&0) {
            return None;
        }
        let mut shape = Self { dims: [0; MAX_RANK], rank: dims.len() as u8 };
        shape.dims[..dims.len()].copy_from_slice(dims);
        Some(shape)
    }

    /// The same with dimension `dim` of size `size`; unchanged if there is no such dimension.
    #[must_use]
    pub fn with(mut self, dim: usize, size: usize) -> Self {
        if dim < self.rank() {
            self.dims[dim] = size;
        }
        self
    }

    pub fn rank(&self) -> usize {
        usize::from(self.rank)
    }

    /// Number of elements; the highest number there is if that overflows.
    pub fn elements(&self) -> usize {
        self.iter().fold(1, |product, dim| product.saturating_mul(*dim))
    }
}

impl Deref for Shape {
    type Target = [usize];

    fn deref(&self) -> &[usize] {
        &self.dims[..self.rank()]
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self[..], f)
    }
}
