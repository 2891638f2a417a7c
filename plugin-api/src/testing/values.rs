//! Tensors in plain memory.

use pegbox_plugin_abi::tensors::DType;

/// Row-major elements; an int or a truth value is a whole number.
#[derive(Clone, PartialEq, Debug)]
pub struct Values {
    pub shape: Vec<usize>,
    pub dtype: DType,
    pub data: Vec<f64>,
}

/// The host ends the call, and says this.
pub type Checked<T> = Result<T, String>;

impl Values {
    pub fn new(shape: Vec<usize>, dtype: DType, data: Vec<f64>) -> Checked<Self> {
        let elements: usize = shape.iter().product();
        if shape.is_empty() || shape.len() > 8 || elements == 0 {
            return Err(format!("{shape:?} is not a shape of rank 1 to 8 with sizes from 1 up"));
        }
        if elements != data.len() {
            return Err(format!("{} elements do not fill the shape {shape:?}", data.len()));
        }
        Ok(Self { shape, dtype, data })
    }

    /// The place of a dimension that counts from the end when negative.
    pub fn dim(&self, dim: i32) -> Checked<usize> {
        let rank = self.shape.len() as i32;
        let place = if dim < 0 { dim + rank } else { dim };
        if (0..rank).contains(&place) {
            Ok(place as usize)
        } else {
            Err(format!("{self} has no dimension {dim}"))
        }
    }

    pub fn expect(&self, allowed: &[DType]) -> Checked<()> {
        if allowed.contains(&self.dtype) { Ok(()) } else { Err(format!("{self} has the wrong dtype")) }
    }

    /// The same elements repeated to `shape`.
    pub fn broadcast(&self, shape: &[usize]) -> Checked<Self> {
        if self.shape == shape {
            return Ok(self.clone());
        }
        if broadcast_shape(&self.shape, shape)? != shape {
            return Err(format!("{self} does not broadcast to {shape:?}"));
        }
        let elements: usize = shape.iter().product();
        let data = (0..elements).map(|at| self.data[self.place(&coordinates(at, shape))]).collect();
        Ok(Self { shape: shape.to_vec(), dtype: self.dtype, data })
    }

    /// The index of an element; coordinates align at the last dimension, and a size of 1 repeats.
    fn place(&self, coordinates: &[usize]) -> usize {
        let coordinates = &coordinates[coordinates.len() - self.shape.len()..];
        self.shape
            .iter()
            .zip(coordinates)
            .fold(0, |at, (size, coordinate)| at * size + if *size == 1 { 0 } else { *coordinate })
    }

    /// Sizes before, at and after a dimension: an element's index is `(before * at + i) * after + j`.
    pub fn around(&self, dim: usize) -> (usize, usize, usize) {
        let product = |sizes: &[usize]| sizes.iter().product();
        (product(&self.shape[..dim]), self.shape[dim], product(&self.shape[dim + 1..]))
    }

    /// Each run of elements along `dim`, replaced by what `f` makes of it; the runs' new length becomes the
    /// size.
    pub fn along(&self, dim: usize, f: impl Fn(&[f64]) -> Vec<f64>) -> Self {
        let (before, size, after) = self.around(dim);
        let run = |b: usize, a: usize| -> Vec<f64> {
            f(&(0..size).map(|i| self.data[(b * size + i) * after + a]).collect::<Vec<_>>())
        };
        let runs: Vec<Vec<f64>> = (0..before * after).map(|at| run(at / after, at % after)).collect();
        let new = runs.first().map_or(0, Vec::len);
        let mut shape = self.shape.clone();
        shape[dim] = new;
        let data = (0..before * new * after)
            .map(|at| runs[at / (new * after) * after + at % after][at / after % new])
            .collect();
        Self { shape, dtype: self.dtype, data }
    }

    pub fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        let data = self.data.iter().map(|x| f(*x)).collect();
        Self { shape: self.shape.clone(), dtype: self.dtype, data }
    }

    pub fn zip(&self, other: &Self, f: impl Fn(f64, f64) -> f64) -> Checked<Self> {
        let shape = broadcast_shape(&self.shape, &other.shape)?;
        let (a, b) = (self.broadcast(&shape)?, other.broadcast(&shape)?);
        let data = a.data.iter().zip(&b.data).map(|(a, b)| f(*a, *b)).collect();
        Ok(Self { shape, dtype: self.dtype, data })
    }
}

impl std::fmt::Display for Values {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?}", self.dtype.name(), self.shape)
    }
}

pub fn broadcast_shape(a: &[usize], b: &[usize]) -> Checked<Vec<usize>> {
    let rank = a.len().max(b.len());
    let size = |shape: &[usize], place: usize| {
        (place + shape.len()).checked_sub(rank).map_or(1, |place| shape[place])
    };
    (0..rank)
        .map(|place| match (size(a, place), size(b, place)) {
            (a, b) if a == b => Ok(a),
            (1, size) | (size, 1) => Ok(size),
            _ => Err(format!("{a:?} and {b:?} do not broadcast")),
        })
        .collect()
}

fn coordinates(at: usize, shape: &[usize]) -> Vec<usize> {
    let mut rest = at;
    let mut found: Vec<usize> = shape
        .iter()
        .rev()
        .map(|size| {
            let coordinate = rest % size;
            rest /= size;
            coordinate
        })
        .collect();
    found.reverse();
    found
}
