//! Matrix products over strided memory.

use gemm::Parallelism;

/// A matrix somewhere in a slice: `rows x cols`, element (i, j) at `offset + i * row_stride + j * col_stride`.
#[derive(Clone, Copy)]
pub struct View<'a> {
    data: &'a [f32],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a> View<'a> {
    /// A view whose rows lie `row_stride` elements apart and whose columns are adjacent.
    pub fn rows(data: &'a [f32], rows: usize, cols: usize, row_stride: usize) -> Self {
        let view = Self { data, rows, cols, row_stride, col_stride: 1 };
        assert!(view.end() <= data.len(), "matrix view leaves its slice");
        view
    }

    /// A dense row-major matrix.
    pub fn dense(data: &'a [f32], rows: usize, cols: usize) -> Self {
        Self::rows(data, rows, cols, cols)
    }

    /// The transposed matrix, same memory.
    pub fn t(self) -> Self {
        Self {
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
            ..self
        }
    }

    fn end(&self) -> usize {
        if self.rows == 0 || self.cols == 0 {
            return 0;
        }
        (self.rows - 1) * self.row_stride + (self.cols - 1) * self.col_stride + 1
    }
}

/// What becomes of the values that the output holds.
#[derive(Clone, Copy, PartialEq)]
pub enum Output {
    Overwrite,
    Add,
}

/// Whether a product is worth all threads. Small ones run inside a loop that is parallel already.
#[derive(Clone, Copy, PartialEq)]
pub enum Threads {
    One,
    All,
}

/// out = scale * a * b (+ out). The output's rows lie `out_stride` elements apart.
pub fn matmul(
    out: &mut [f32],
    out_stride: usize,
    output: Output,
    a: View<'_>,
    b: View<'_>,
    scale: f32,
    threads: Threads,
) {
    let (m, n) = (a.rows, b.cols);
    if m == 0 || n == 0 {
        return;
    }
    assert!((m - 1) * out_stride + n <= out.len(), "matrix product leaves its output");
    // SAFETY: the output was just checked; it is borrowed mutably, so it overlaps neither operand.
    unsafe { run(out.as_mut_ptr(), out_stride, output, a, b, scale, threads) }
}

/// a * b on all threads, dense and row-major, in memory that is not zeroed first.
pub fn product(a: View<'_>, b: View<'_>) -> Vec<f32> {
    let elements = a.rows * b.cols;
    let mut out: Vec<f32> = Vec::with_capacity(elements);
    if elements > 0 {
        // SAFETY: the memory is the product's own and as large as the product; `Overwrite` reads none of
        // it and writes all of it, with zeros where the inner dimension is empty.
        unsafe {
            run(out.as_mut_ptr(), b.cols, Output::Overwrite, a, b, 1.0, Threads::All);
            out.set_len(elements);
        }
    }
    out
}

/// # Safety
/// `out` must be valid for writes of every element of the product, and for reads with [`Output::Add`],
/// and overlap neither operand.
unsafe fn run(
    out: *mut f32,
    out_stride: usize,
    output: Output,
    a: View<'_>,
    b: View<'_>,
    scale: f32,
    threads: Threads,
) {
    assert_eq!(a.cols, b.rows, "matrix product of {}x{} and {}x{}", a.rows, a.cols, b.rows, b.cols);
    let parallelism = match threads {
        Threads::One => Parallelism::None,
        Threads::All => Parallelism::Rayon(0),
    };
    // SAFETY: both views were checked against their slices when they were made; the output is the
    // caller's promise.
    unsafe {
        gemm::gemm(
            a.rows,
            b.cols,
            a.cols,
            out,
            1,
            out_stride as isize,
            output == Output::Add,
            a.data.as_ptr(),
            a.col_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.col_stride as isize,
            b.row_stride as isize,
            1.0,
            scale,
            false,
            false,
            false,
            parallelism,
        );
    }
}

/// Adds up the rows of `values` (`rows x cols`) in a fixed order: blocks of 64 rows, then the blocks.
pub fn column_sums(values: &[f32], cols: usize) -> Vec<f32> {
    use rayon::prelude::*;
    let partial: Vec<Vec<f32>> = values
        .par_chunks(64 * cols)
        .map(|block| {
            let mut sums = vec![0.0; cols];
            add_rows(&mut sums, block);
            sums
        })
        .collect();
    let mut sums = vec![0.0; cols];
    for block in &partial {
        add_rows(&mut sums, block);
    }
    sums
}

super::simd::simd! {
    /// sums += each row of `rows`, one after the other.
    pub fn add_rows(sums: &mut [f32], rows: &[f32]) {
        for row in rows.chunks_exact(sums.len()) {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strides_and_transposes() {
        // [1 2; 3 4] * [5 6; 7 8], the second given transposed inside a wider matrix
        let a = [1.0, 2.0, 3.0, 4.0];
        let b = [5.0, 7.0, 9.0, 6.0, 8.0, 9.0];
        let mut out = [1.0; 4];
        let product = View::rows(&b, 2, 2, 3).t();
        matmul(&mut out, 2, Output::Add, View::dense(&a, 2, 2), product, 1.0, Threads::One);
        assert_eq!(out, [20.0, 23.0, 44.0, 51.0]);
    }

    #[test]
    fn products_in_fresh_memory() {
        let values: Vec<f32> = (0..6).map(|i| i as f32).collect();
        let a = View::dense(&values, 2, 3);
        assert_eq!(product(a, a.t()), [5.0, 14.0, 14.0, 50.0]);
        let empty = View::dense(&[], 2, 0);
        assert_eq!(product(empty, empty.t()), [0.0; 4], "an empty inner dimension");
        assert!(product(empty.t(), View::dense(&[], 2, 0)).is_empty());
    }

    #[test]
    fn sums_of_columns() {
        let values: Vec<f32> = (0..300).map(|i| i as f32).collect();
        assert_eq!(column_sums(&values, 2), vec![22_350.0, 22_500.0]);
    }
}
