//! How the elements of a tensor lie in a file.

use std::fmt;

/// Types of elements. The quantised ones are GGUF's: blocks of elements along a row that share their scales.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(non_camel_case_types, reason = "ggml's names")]
pub enum Dtype {
    F64,
    F32,
    F16,
    BF16,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q2_K,
    Q3_K,
    Q4_K,
    Q5_K,
    Q6_K,
    /// Integers, truth values, and floats that are not read, by their format's name.
    Other(&'static str),
}

impl Dtype {
    pub fn name(self) -> &'static str {
        match self {
            Self::F64 => "F64",
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::BF16 => "BF16",
            Self::Q4_0 => "Q4_0",
            Self::Q4_1 => "Q4_1",
            Self::Q5_0 => "Q5_0",
            Self::Q5_1 => "Q5_1",
            Self::Q8_0 => "Q8_0",
            Self::Q2_K => "Q2_K",
            Self::Q3_K => "Q3_K",
            Self::Q4_K => "Q4_K",
            Self::Q5_K => "Q5_K",
            Self::Q6_K => "Q6_K",
            Self::Other(name) => name,
        }
    }

    /// Whether values of this type are turned into float32.
    pub fn is_read(self) -> bool {
        !matches!(self, Self::Other(_))
    }

    /// Elements and bytes of a block; one element where nothing is shared. None for what is not read.
    pub fn block(self) -> Option<(usize, usize)> {
        Some(match self {
            Self::F64 => (1, 8),
            Self::F32 => (1, 4),
            Self::F16 | Self::BF16 => (1, 2),
            Self::Q4_0 => (32, 18),
            Self::Q4_1 => (32, 20),
            Self::Q5_0 => (32, 22),
            Self::Q5_1 => (32, 24),
            Self::Q8_0 => (32, 34),
            Self::Q2_K => (256, 84),
            Self::Q3_K => (256, 110),
            Self::Q4_K => (256, 144),
            Self::Q5_K => (256, 176),
            Self::Q6_K => (256, 210),
            Self::Other(_) => return None,
        })
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The elements of a tensor of `shape`; none where they are more than can be counted.
pub(crate) fn elements(shape: &[usize]) -> Option<usize> {
    // A zero makes it empty wherever it stands, and must not hide that the rest overflows.
    let product =
        shape.iter().filter(|size| **size != 0).try_fold(1usize, |all, size| all.checked_mul(*size))?;
    Some(if shape.contains(&0) { 0 } else { product })
}
