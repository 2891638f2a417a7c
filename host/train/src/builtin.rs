//! Losses and metrics that are part of Pegbox, by the same traits as plugins.

mod accuracy;
mod binary_cross_entropy;
mod counted;
mod cross_entropy;
mod exact_match;
mod gathering;
mod mean_squared_error;
mod multi_label;
mod perplexity;
mod regression;
mod retrieval;

use std::sync::Arc;

use gathering::Gathering;
use pegbox_runtime::{Cause, Loss, Metric, PluginError, PluginIdentity};
use semver::Version;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// `cross-entropy`, `focal`, `binary-cross-entropy` or `mean-squared-error`.
///
/// # Errors
/// Another name, or a configuration that it does not take.
pub fn loss(name: &str, config: &Value) -> Result<Box<dyn Loss>, PluginError> {
    match name {
        "cross-entropy" => Ok(Box::new(cross_entropy::FocalCrossEntropy::cross_entropy(name, config)?)),
        "focal" => Ok(Box::new(cross_entropy::FocalCrossEntropy::focal(name, config)?)),
        "binary-cross-entropy" => Ok(Box::new(binary_cross_entropy::BinaryCrossEntropy::new(name, config)?)),
        "mean-squared-error" => Ok(Box::new(mean_squared_error::MeanSquaredError::new(name, config)?)),
        _ => Err(unknown(
            name,
            "there are the losses cross-entropy, focal, binary-cross-entropy and mean-squared-error",
        )),
    }
}

/// `accuracy`, `perplexity`, `exact-match`, `multi-label`, `regression` or `retrieval`.
///
/// # Errors
/// As [`loss`].
pub fn metric(name: &str, config: &Value) -> Result<Box<dyn Metric>, PluginError> {
    match name {
        "accuracy" => Ok(Box::new(Gathering::<accuracy::Accuracy>::new(name, config)?)),
        "perplexity" => Ok(Box::new(Gathering::<perplexity::Perplexity>::new(name, config)?)),
        "exact-match" => Ok(Box::new(Gathering::<exact_match::ExactMatch>::new(name, config)?)),
        "multi-label" => Ok(Box::new(Gathering::<multi_label::MultiLabel>::new(name, config)?)),
        "regression" => Ok(Box::new(Gathering::<regression::Regression>::new(name, config)?)),
        "retrieval" => Ok(Box::new(Gathering::<retrieval::Retrieval>::new(name, config)?)),
        _ => Err(unknown(
            name,
            "there are the metrics accuracy, perplexity, exact-match, multi-label, regression and retrieval",
        )),
    }
}

/// Who a built-in is in errors.
pub fn identity(name: &str) -> Arc<PluginIdentity> {
    let version = Version::parse(env!("CARGO_PKG_VERSION")).unwrap_or(Version::new(0, 0, 0));
    Arc::new(PluginIdentity::built_in(name, version))
}

fn unknown(name: &str, fault: &str) -> PluginError {
    let cause = Cause::Configuration { path: String::new(), fault: fault.to_string() };
    PluginError::new(identity(name), "lifecycle.configure", cause)
}

fn configuration<T: DeserializeOwned>(name: &str, config: &Value) -> Result<T, PluginError> {
    serde_json::from_value(config.clone()).map_err(|error| {
        let cause = Cause::Configuration { path: String::new(), fault: error.to_string() };
        PluginError::new(identity(name), "lifecycle.configure", cause)
    })
}
