//! Parameters, counted by what the weights' headers say.

use std::collections::BTreeMap;
use std::path::Path;

use pegbox_models::weights::{TensorHeader, Weights};
use serde::Serialize;

use crate::report::Report;

/// How many parameters of which type.
#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Parameters {
    pub trainable: u64,
    /// By dtype.
    pub by_dtype: BTreeMap<String, u64>,
    /// Elements of integer tensors, which exports carry along and nobody trains.
    pub buffers: u64,
    pub tensors: usize,
}

/// Headers of the weights that lie in `path`, a folder or a file, without their values.
pub fn headers(path: &Path) -> Result<Vec<TensorHeader>, Box<Report>> {
    Ok(Weights::headers(path)?)
}

impl Parameters {
    pub fn of(headers: &[TensorHeader]) -> Self {
        let mut parameters = Self { tensors: headers.len(), ..Self::default() };
        for header in headers {
            // What a header claims need not be possible.
            let count = header.shape.iter().try_fold(1_u64, |all, size| all.checked_mul(*size as u64));
            let count = count.unwrap_or(u64::MAX);
            if is_integer(&header.dtype) {
                parameters.buffers = parameters.buffers.saturating_add(count);
                continue;
            }
            parameters.trainable = parameters.trainable.saturating_add(count);
            let of_type = parameters.by_dtype.entry(header.dtype.clone()).or_default();
            *of_type = of_type.saturating_add(count);
        }
        parameters
    }

    /// `22.7 M: 22.7 M F32`
    pub fn shown(&self) -> String {
        let types: Vec<String> =
            self.by_dtype.iter().map(|(dtype, count)| format!("{} {dtype}", millions(*count))).collect();
        let buffers = match self.buffers {
            0 => String::new(),
            count => format!("; {count} numbers in buffers"),
        };
        format!("{} in {} tensors ({}{buffers})", millions(self.trainable), self.tensors, types.join(", "))
    }
}

fn is_integer(dtype: &str) -> bool {
    let digits = dtype.strip_prefix(['I', 'U']);
    dtype == "BOOL" || digits.is_some_and(|digits| ["8", "16", "32", "64"].contains(&digits))
}

pub fn millions(count: u64) -> String {
    match count {
        0..100_000 => format!("{:.3} M", count as f64 / 1e6),
        _ => format!("{:.1} M", count as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_no_parameters_and_a_lie_is_no_overflow() {
        let header = |name: &str, dtype: &str, shape: &[usize]| TensorHeader {
            name: name.into(),
            shape: shape.to_vec(),
            dtype: dtype.into(),
        };
        let headers = [
            header("w", "BF16", &[1000, 300]),
            header("b", "F32", &[300]),
            header("position_ids", "I64", &[1, 512]),
        ];
        let shown = Parameters::of(&headers).shown();
        assert_eq!(shown, "0.3 M in 3 tensors (0.3 M BF16, 0.000 M F32; 512 numbers in buffers)");
        assert_eq!(Parameters::of(&[header("w", "F32", &[usize::MAX, 2])]).trainable, u64::MAX);
    }
}
