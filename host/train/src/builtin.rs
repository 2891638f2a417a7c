//! Losses and metrics that are part of Pegbox, by the same traits as plugins.

mod accuracy;
mod cross_entropy;

use std::sync::Arc;

use pegbox_runtime::{Cause, Loss, Metric, PluginError, PluginIdentity};
use semver::Version;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// `cross-entropy` or `focal`.
///
/// # Errors
/// Another name, or a configuration that it does not take.
pub fn loss(name: &str, config: &Value) -> Result<Box<dyn Loss>, PluginError> {
    match name {
        "cross-entropy" => Ok(Box::new(cross_entropy::FocalCrossEntropy::cross_entropy(name, config)?)),
        "focal" => Ok(Box::new(cross_entropy::FocalCrossEntropy::focal(name, config)?)),
        _ => Err(unknown(name, "there are the losses cross-entropy and focal")),
    }
}

/// `accuracy`.
///
/// # Errors
/// As [`loss`].
pub fn metric(name: &str, config: &Value) -> Result<Box<dyn Metric>, PluginError> {
    match name {
        "accuracy" => Ok(Box::new(accuracy::Accuracy::new(name, config)?)),
        _ => Err(unknown(name, "there is the metric accuracy")),
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
