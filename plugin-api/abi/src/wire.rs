//! What the bytes of [`crate::table`] mean: the methods of a plugin, the requests to the host, and one
//! encoding for all of them, postcard (<https://postcard.jamesmunns.com/wire-format>).

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::artifacts::Element;
use crate::tensors::TensorOp;

/// A method of a plugin, and what it takes and gives. `()` encodes to no bytes.
#[repr(u32)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    /// [`crate::records::RowBatch`] to `Vec<`[`crate::records::Outcome`]`>`.
    Clean = 1,
    /// [`crate::records::RowBatch`] to `Vec<`[`crate::validation::Finding`]`>`.
    Validate = 2,
    /// `()` to [`Bytes`].
    ValidatorState = 3,
    /// [`Bytes`] to `()`.
    ValidatorMerge = 4,
    /// `()` to `Vec<`[`crate::validation::Finding`]`>`.
    ValidatorFinish = 5,
    /// `()` to [`TensorHandle`]; the step is what `HostRequest::Step...` asks for.
    LossCompute = 6,
    /// `()` to `()`; the step as for `LossCompute`.
    MetricUpdate = 7,
    /// `()` to [`Bytes`].
    MetricState = 8,
    /// [`Bytes`] to `()`.
    MetricMerge = 9,
    /// `()` to [`crate::measurement::Report`].
    MetricCompute = 10,
    /// `()` to `()`.
    MetricReset = 11,
    /// `()` to `()`; model and bundle are what `HostRequest::Model...` and `Bundle...` ask for.
    ExportModel = 12,
}

impl Method {
    /// The method of that number, if there is one.
    pub fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            1 => Self::Clean,
            2 => Self::Validate,
            3 => Self::ValidatorState,
            4 => Self::ValidatorMerge,
            5 => Self::ValidatorFinish,
            6 => Self::LossCompute,
            7 => Self::MetricUpdate,
            8 => Self::MetricState,
            9 => Self::MetricMerge,
            10 => Self::MetricCompute,
            11 => Self::MetricReset,
            12 => Self::ExportModel,
            _ => return None,
        })
    }
}

/// A tensor of the host, valid for the call that got it. Never 0.
pub type TensorHandle = u64;

/// Bytes that are copied whole, not one by one.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(#[serde(with = "serde_bytes")] pub Vec<u8>);

/// What a plugin asks of the host during a call. Each variant names the type of its reply.
///
/// A call has at most one step, one model and one bundle, so they need no handles. Asking for one that
/// the call does not have fails.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum HostRequest {
    /// `u64`
    StepNumber,
    /// `bool`
    StepTraining,
    /// `Vec<u64>`
    StepRecordIds,
    /// `Vec<String>`
    StepClasses,
    /// [`TensorHandle`]
    StepLogits,
    /// [`TensorHandle`]
    StepLabels,
    /// [`TensorHandle`]
    StepMask,
    /// [`TensorHandle`]
    StepWeights,
    /// `Option<`[`TensorHandle`]`>`
    StepTeacherLogits,
    /// `u32`
    StepHiddenStateCount,
    /// [`TensorHandle`]
    StepHiddenState { layer: u32 },

    /// [`TensorHandle`]; the arguments in the order that [`TensorOp`] gives.
    TensorApply { op: TensorOp, arguments: Vec<TensorHandle> },
    /// [`TensorHandle`]
    TensorFull { shape: Vec<u32>, value: f32 },
    /// [`TensorHandle`]
    TensorFromFloats { shape: Vec<u32>, values: Vec<f32> },
    /// [`TensorHandle`]
    TensorFromInts { shape: Vec<u32>, values: Vec<i64> },
    /// `Vec<u32>`
    TensorShape { tensor: TensorHandle },
    /// [`crate::tensors::DType`]
    TensorDType { tensor: TensorHandle },
    /// `Vec<f32>`
    TensorRead { tensor: TensorHandle },
    /// `Vec<i64>`
    TensorReadInts { tensor: TensorHandle },
    /// `()`
    TensorDrop { tensor: TensorHandle },

    /// `String`
    ModelConfiguration,
    /// `Vec<`[`crate::artifacts::ModelFile`]`>`
    ModelTokenizerFiles,
    /// `Vec<String>`
    ModelLabels,
    /// `String`
    ModelMetrics,
    /// `String`
    ModelProvenance,
    /// `Vec<`[`crate::artifacts::TensorInfo`]`>`
    ModelTensors,
    /// [`Bytes`]
    ModelRead { name: String, start: u64, count: u64, element: Element },

    /// `()`
    BundleCreate { path: String },
    /// `()`
    BundleAppend { path: String, content: Bytes },
}

/// Encodes `value`.
///
/// # Errors
/// Only if a type of this crate cannot be encoded, which none is.
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, postcard::Error> {
    postcard::to_stdvec(value)
}

/// Decodes all of `bytes`.
///
/// # Errors
/// When the bytes are not the encoding of a `T`, or go on after it.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, postcard::Error> {
    let (value, rest) = postcard::take_from_bytes(bytes)?;
    if rest.is_empty() { Ok(value) } else { Err(postcard::Error::DeserializeBadEncoding) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_survives_the_wire() {
        let request =
            HostRequest::TensorApply { op: TensorOp::Clamp { low: -1.0, high: 1.0 }, arguments: vec![3, 4] };
        let bytes = encode(&request).unwrap();
        assert_eq!(decode::<HostRequest>(&bytes).unwrap(), request);
    }

    #[test]
    fn bytes_after_the_value_are_refused() {
        let mut bytes = encode(&7u64).unwrap();
        bytes.push(0);
        assert!(decode::<u64>(&bytes).is_err());
    }

    #[test]
    fn every_method_number_is_its_own() {
        for number in 1..=12 {
            assert_eq!(Method::from_number(number).map(|m| m as u32), Some(number));
        }
        assert_eq!(Method::from_number(13), None);
    }
}
