//! A small host in the process, for a plugin's unit tests (`cargo test`, with this crate's feature `testing`
//! among the plugin's dev-dependencies). It computes forwards only, in 64-bit floats, and checks shapes and
//! dtypes as the contract says.
//!
//! ```
//! use pegbox_plugin::testing::TestStep;
//!
//! let step = TestStep::classification(&[&[2.0, 0.0], &[0.0, 2.0]], &[0, 1]);
//! let right = step.run(|step| step.logits().argmax(-1).reshape(&[-1]).equal(&step.labels()).read());
//! assert_eq!(right, [1.0, 1.0]);
//! ```

/// A configuration's type and its JSON Schema.
mod configuration;
/// The contract's operations.
mod operations;
/// The host's end of the requests.
mod server;
/// A validator, fed in the ways in which the host may feed it.
mod validator;
/// Tensors in plain memory.
mod values;

use std::collections::BTreeMap;
use std::panic::resume_unwind;

use pegbox_plugin_abi::artifacts::{ModelFile, TensorInfo};
use pegbox_plugin_abi::tensors::DType;

use crate::native::host::{BundleHandle, HostFailed, ModelHandle, StepHandle};
use crate::{Bundle, Model, Step};
pub use configuration::assert_schema_describes;
use server::{Server, serve};
pub use validator::{Found, found, rows};
use values::Values;

/// What a step has. Fields that a test does not care about keep the values that the makers below give.
#[derive(Clone, Debug)]
pub struct TestStep {
    pub number: u64,
    pub training: bool,
    pub record_ids: Vec<u64>,
    pub classes: Vec<String>,
    /// Sizes of the labels' shape: `[B]` or `[B, T]`.
    pub shape: Vec<u32>,
    /// Row-major, of the labels' shape and one more dimension, C.
    pub logits: Vec<f32>,
    pub labels: Vec<i64>,
    pub mask: Vec<bool>,
    pub weights: Vec<f32>,
    pub teacher_logits: Option<Vec<f32>>,
}

impl TestStep {
    /// One row of logits and one label each; all labels count, with weight 1; classes are named `class-0` and
    /// so on.
    pub fn classification(logits: &[&[f32]], labels: &[i64]) -> Self {
        let classes = logits.first().map_or(0, |row| row.len());
        Self {
            number: 0,
            training: true,
            record_ids: (0..labels.len() as u64).collect(),
            classes: (0..classes).map(|class| format!("class-{class}")).collect(),
            shape: vec![labels.len() as u32],
            logits: logits.concat(),
            labels: labels.to_vec(),
            mask: vec![true; labels.len()],
            weights: vec![1.0; labels.len()],
            teacher_logits: None,
        }
    }

    /// The same numbers as a step of tagging: rows of `tokens` labels each.
    #[must_use]
    pub fn tagging(self, tokens: u32) -> Self {
        let rows = self.labels.len() as u32 / tokens;
        Self { shape: vec![rows, tokens], record_ids: (0..u64::from(rows)).collect(), ..self }
    }

    /// Calls `work` as the host would, in a call of its own.
    ///
    /// # Panics
    /// With the host's message when it ends the call.
    pub fn run<R>(&self, work: impl FnOnce(&Step) -> R) -> R {
        let server = Server::of_step(self.clone());
        serving(server, || work(&Step(StepHandle))).0
    }

    fn classes_last(&self) -> Vec<usize> {
        let labels: usize = self.labels.len().max(1);
        let sizes = self.shape.iter().map(|size| *size as usize);
        sizes.chain([self.logits.len() / labels]).collect()
    }

    fn like_labels(&self, dtype: DType, data: Vec<f64>) -> Values {
        Values { shape: self.shape.iter().map(|size| *size as usize).collect(), dtype, data }
    }
}

/// A trained model for exporters.
#[derive(Clone, Debug, Default)]
pub struct TestModel {
    pub configuration: String,
    pub tokenizer_files: Vec<ModelFile>,
    pub labels: Vec<String>,
    pub metrics: String,
    pub provenance: String,
    /// With their elements, row-major.
    pub tensors: Vec<(TensorInfo, Vec<f32>)>,
}

impl TestModel {
    /// Calls `work` as the host would, and returns the files that it wrote, by path.
    ///
    /// # Panics
    /// With the host's message when it ends the call.
    pub fn run<R>(&self, work: impl FnOnce(&Model, &Bundle) -> R) -> (R, BTreeMap<String, Vec<u8>>) {
        let server = Server::of_model(self.clone());
        let (result, server) = serving(server, || work(&Model(ModelHandle), &Bundle(BundleHandle)));
        (result, server.into_files())
    }
}

fn serving<R>(mut server: Server, work: impl FnOnce() -> R) -> (R, Server) {
    let result = serve(&mut server, work);
    match result {
        Ok(result) => (result, server),
        Err(payload) if payload.is::<HostFailed>() => {
            panic!("the host ended the call: {}", server.failure().unwrap_or("it does not say why"))
        }
        Err(payload) => resume_unwind(payload),
    }
}
