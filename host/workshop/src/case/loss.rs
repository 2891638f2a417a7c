//! A case of a loss: one batch, the loss, and its gradient.

use pegbox_manifest::Kind;
use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use super::batch::Batch;
use super::numbers::Numbers;
use super::{Fault, no_configuration};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LossCase {
    #[serde(rename = "kind")]
    _kind: Option<Kind>,
    pub summary: Option<String>,
    #[serde(default = "no_configuration")]
    pub config: Value,
    pub error: Option<String>,
    pub batch: Spanned<Batch>,
    /// The expected value.
    pub loss: Option<f64>,
    /// The expected derivative with respect to the logits.
    pub gradient: Option<Spanned<Numbers<f64>>>,
    #[serde(default = "tolerance")]
    pub tolerance: f64,
}

/// Single precision, a few operations in a row.
pub fn tolerance() -> f64 {
    1e-5
}

impl LossCase {
    pub(super) fn check(&self) -> Result<(), Fault> {
        let arrays = self.batch.as_ref().arrays(&self.batch.span())?;
        match &self.gradient {
            Some(gradient) if gradient.as_ref().shape != arrays.shape => Err(Fault::at(
                gradient.span(),
                format!("the gradient is {:?}, the logits are {:?}", gradient.as_ref().shape, arrays.shape),
            )),
            _ => Ok(()),
        }
    }
}
