//! adapter_model.safetensors: adapters and the modules that were trained whole, by PEFT's names.

use std::fs;
use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use serde_json::{Map, Value};

use super::{Adaptable, PREFIX, PeftConfig, bare, is_adapters, names};
use crate::error::ModelError;
use crate::kernels::Adapter;
use crate::weights::Weights;

pub const ADAPTER_CONFIG: &str = "adapter_config.json";
pub const ADAPTER_WEIGHTS: &str = "adapter_model.safetensors";

impl PeftConfig {
    /// Reads adapter_config.json in `folder`.
    ///
    /// # Errors
    /// The file, or an adapter that is not known here.
    pub fn read(folder: &Path) -> Result<Self, ModelError> {
        let path = folder.join(ADAPTER_CONFIG);
        let refuse = |what: String| ModelError::Adapter {
            what: format!("{}: {what}", path.display()),
            help: Some("Pegbox reads LoRA and DoRA adapters of linear layers, as PEFT writes them".into()),
        };
        let text = fs::read_to_string(&path).map_err(|error| refuse(format!("cannot be read: {error}")))?;
        let config: Map<String, Value> =
            serde_json::from_str(&text).map_err(|error| refuse(format!("not a JSON object: {error}")))?;
        Self::from_json(&config).map_err(refuse)
    }
}

/// Puts the adapters of a file beside the matrices of `model`, and its saved modules in their place. The modules adapted.
///
/// # Errors
/// A tensor that does not fit, or that the model has no place for; the model is to be thrown away then.
pub fn load<M: Adaptable>(
    model: &mut M,
    config: &PeftConfig,
    weights: &mut Weights,
    device: &Device,
) -> Result<Vec<String>, ModelError> {
    let path = weights.path().display().to_string();
    let unfit = |what: String| ModelError::Adapter {
        what: format!("{path}: {what}"),
        help: Some(
            "the adapter and the base model must belong together: see `base_model_name_or_path`".into(),
        ),
    };
    let mut adapted = Vec::new();
    for (module, weight) in model.weights() {
        let mut take = |part: usize| weights.take(&aliases(&names(&module)[part]));
        let (Some(a), Some(b)) = (take(0), take(1)) else { continue };
        let [outputs, inputs] = weight.outputs_inputs();
        let rank = a.0.first().copied().unwrap_or(0);
        if a.0 != [rank, inputs] || b.0 != [outputs, rank] || rank != config.settings.rank {
            return Err(unfit(format!(
                "the adapter of {module} has the shapes {:?} and {:?}; with r = {} they should be [{r}, {inputs}] and [{outputs}, {r}]",
                a.0,
                b.0,
                config.settings.rank,
                r = config.settings.rank
            )));
        }
        let magnitude = match (config.settings.magnitudes, take(2)) {
            (false, None) => None,
            (true, Some((_, values))) if values.len() == outputs => {
                Some(Tensor::from_data(TensorData::new(values, [outputs]), device))
            }
            _ => return Err(unfit(format!("the magnitudes of {module} do not go with `use_dora`"))),
        };
        weight.adapter = Some(Box::new(Adapter {
            a: Tensor::from_data(TensorData::new(a.1, [rank, inputs]), device),
            b: Tensor::from_data(TensorData::new(b.1, [outputs, rank]), device),
            magnitude,
            scale: config.settings.scale(),
            dropout: config.settings.dropout,
        }));
        adapted.push(module);
    }
    for (name, mut parameter) in model.parameters() {
        if is_adapters(&name) {
            continue;
        }
        let Some((shape, values)) = weights.take(&aliases(&format!("{PREFIX}{name}"))) else { continue };
        if shape != parameter.shape() {
            return Err(unfit(format!("{name} is {shape:?} and should be {:?}", parameter.shape())));
        }
        parameter.set(values, device);
    }
    let left = weights.left_over();
    match left.first() {
        Some(first) => {
            Err(unfit(format!("the model has no place for {} of its tensors, such as {first}", left.len())))
        }
        None if adapted.is_empty() => Err(unfit("it adapts no layer of the model".into())),
        None => Ok(adapted),
    }
}

/// The names that a tensor may have in a file.
fn aliases(name: &str) -> Vec<String> {
    let own = name.strip_prefix(PREFIX).unwrap_or(name);
    let mut list = vec![name.to_owned()];
    list.extend(bare(own).map(|own| format!("{PREFIX}{own}")));
    if name.ends_with("lora_magnitude_vector") {
        // As some versions of PEFT wrote it.
        list.push(format!("{name}.weight"));
    }
    list
}
