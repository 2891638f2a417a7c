//! Rows that a matrix gets when a vocabulary grows.

use crate::Weights;
use crate::error::{Fault, WeightsError};

/// A row, and the rows that it begins as the mean of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRow {
    pub row: usize,
    /// Rows that the matrix has, or that were new before this one.
    pub mean_of: Vec<usize>,
}

impl Weights {
    /// Gives the matrix that bears one of `names` at least `rows` rows and sets the `new` ones, in order. Sums are in
    /// double precision. A matrix that has the rows already, as some are padded, keeps its size.
    ///
    /// # Errors
    /// There is no such matrix, or a row begins from one that it does not have; nothing is changed then.
    pub fn grow(&mut self, names: &[String], rows: usize, new: &[NewRow]) -> Result<(), WeightsError> {
        let path = self.path().to_path_buf();
        let refuse = |what: String| Fault::damaged(what).at(&path);
        let Some((name, shape, values)) = self.matrix(names) else {
            return Err(refuse(format!("there is no matrix {}", names.first().map_or("", String::as_str))));
        };
        let (before, width) = (shape[0], shape[1]);
        let mut known = before;
        for NewRow { row, mean_of } in new {
            let reachable = |source: &usize| *source < before || (*source < known && *source < *row);
            if *row >= rows.max(before) || mean_of.is_empty() || !mean_of.iter().all(reachable) {
                return Err(refuse(format!(
                    "row {row} of {name} cannot begin as the mean of the rows {mean_of:?}: it has {before} rows"
                )));
            }
            known = known.max(row + 1);
        }
        shape[0] = rows.max(before);
        values.resize(shape[0] * width, 0.0);
        for NewRow { row, mean_of } in new {
            let mean: Vec<f32> = (0..width)
                .map(|column| {
                    let sum: f64 =
                        mean_of.iter().map(|source| f64::from(values[source * width + column])).sum();
                    (sum / mean_of.len() as f64) as f32
                })
                .collect();
            values[row * width..][..width].copy_from_slice(&mean);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NamedTensor, write_safetensors};

    fn weights(values: &[f32]) -> Weights {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        let tensor =
            NamedTensor { name: "e".into(), shape: vec![values.len() / 2, 2], values: values.to_vec() };
        write_safetensors(&path, &[tensor]).unwrap();
        Weights::read(&path).unwrap()
    }

    fn new(row: usize, mean_of: &[usize]) -> NewRow {
        NewRow { row, mean_of: mean_of.to_vec() }
    }

    #[test]
    fn new_rows_are_means_also_of_new_rows() {
        let mut weights = weights(&[1.0, 2.0, 3.0, 6.0]);
        let names = ["elsewhere".to_owned(), "e".to_owned()];
        weights.grow(&names, 4, &[new(2, &[0, 1]), new(3, &[2, 1, 1])]).unwrap();
        let (shape, values) = weights.take(&names).unwrap();
        assert_eq!(shape, [4, 2]);
        assert_eq!(values[4..], [2.0, 4.0, 8.0 / 3.0, 16.0 / 3.0]);
        assert_eq!(values[..4], [1.0, 2.0, 3.0, 6.0]);
    }

    #[test]
    fn a_padded_matrix_keeps_its_size() {
        let mut weights = weights(&[1.0, 2.0, 3.0, 6.0, 0.0, 0.0, 9.0, 9.0]);
        let names = ["e".to_owned()];
        weights.grow(&names, 3, &[new(2, &[0, 1])]).unwrap();
        assert_eq!(weights.take(&names).unwrap(), (vec![4, 2], vec![1.0, 2.0, 3.0, 6.0, 2.0, 4.0, 9.0, 9.0]));
    }

    #[test]
    fn rows_that_are_not_there_are_refused() {
        let names = ["e".to_owned()];
        for rows in [new(2, &[2]), new(2, &[7]), new(2, &[]), new(3, &[0])] {
            let mut weights = weights(&[1.0, 2.0, 3.0, 6.0]);
            let error = weights.grow(&names, 3, &[rows]).unwrap_err();
            assert!(error.to_string().contains("of e cannot begin"), "{error}");
            assert_eq!(weights.take(&names).unwrap().0, [2, 2]);
        }
        assert!(weights(&[1.0, 2.0]).grow(&["other".to_owned()], 3, &[]).is_err());
    }
}
