//! Parameters by their Hugging Face names, and where their values come from.

use burn::tensor::{Device, Tensor};

use super::WORD_EMBEDDINGS;
use super::head::HeadLayers;
use super::layer::Layer;
use super::mean_layer::MeanLayer;
use super::{Architecture, Embeddings, Encoder, EncoderConfig};
use crate::adapter::Adaptable;
use crate::error::ModelError;
use crate::head::{Head, Pooling};
use crate::initial;
use crate::kernels::Weight;
use crate::kernels::ops::LayerNorm;
use crate::parameters::{Parameter, Parameters, norm};
use crate::weights::{Fit, LoadReport, Weights, fit};

/// What an encoder's heads are for.
pub(crate) const TASKS: [&str; 6] =
    ["classification", "multi-label", "regression", "tagging", "embeddings", "masked-lm"];

impl Encoder {
    /// Fits `weights` to a model of `config` with `head` on `device` (without autodiff).
    ///
    /// Names may have the architecture's prefix (`bert.`) or not, and the old `LayerNorm.gamma`/`beta`. A file without
    /// the head gets a new one from `seed`; so does the last layer with [`Pooling::MeanLayer`], whose place `config`
    /// must have. Anything else that is missing or of another shape is an error that lists it.
    ///
    /// # Errors
    /// The weights do not fit.
    pub fn load(
        config: EncoderConfig,
        head: Head,
        weights: Weights,
        seed: u64,
        device: &Device,
    ) -> Result<(Self, LoadReport), ModelError> {
        let mut model = Self::zeros(config, head, device)?;
        let config = model.config.clone();
        let (architecture, range) = (config.architecture, config.initializer_range);
        if head == Head::MaskedLm && !config.is_tied() {
            return Err(ModelError::Config {
                path: weights.path().into(),
                what: "config.json says `tie_word_embeddings = false`; masked language modelling is known with tied ones only".into(),
            });
        }
        let mean_layer = MeanLayer::of(&config).filter(|_| model.pools_by_a_layer());
        let initial = |name: &str, shape: &[usize]| match &mean_layer {
            Some(layer) if layer.holds(name) => Some(
                layer
                    .values(name)
                    .unwrap_or_else(|| initial::normal(name, seed, shape.iter().product(), range)),
            ),
            _ => is_head(architecture, name).then(|| initial::layer(name, shape, seed, range)),
        };
        let tied = |name: &str| {
            head == Head::MaskedLm
                && (name == architecture.masked.decoder || name == architecture.masked.bias_copy)
        };
        let rules = Fit {
            aliases: &|name| aliases(architecture, name),
            initial: &initial,
            ignored: &tied,
            ..Fit::default()
        };
        let report = fit(&mut model, weights, &rules, device)?;
        let is_new = |layer: &MeanLayer<'_>| report.initialised.iter().any(|name| layer.holds(name));
        if let Some(layer) = mean_layer.filter(is_new) {
            // The file's pooler was made for the layer before.
            for (name, mut parameter) in model.parameters() {
                if let Some(values) = layer.pooler_values(&name) {
                    parameter.set(values, device);
                }
            }
        }
        Ok((model, report))
    }

    /// A model of `config` with normally distributed weights from `seed`, as BERT is initialised.
    ///
    /// # Errors
    /// A head that an encoder does not have.
    pub fn random(config: EncoderConfig, head: Head, seed: u64, device: &Device) -> Result<Self, ModelError> {
        let mut model = Self::zeros(config, head, device)?;
        let range = model.config.initializer_range;
        initial::randomise(&mut model, seed, range, device);
        Ok(model)
    }

    fn pools_by_a_layer(&self) -> bool {
        matches!(self.head, Head::Sequence { pooling: Pooling::MeanLayer, .. })
    }

    fn zeros(config: EncoderConfig, head: Head, device: &Device) -> Result<Self, ModelError> {
        let hidden = config.hidden_size;
        let table = |rows: usize| Tensor::<2>::zeros([rows, hidden], device);
        let head_layers = HeadLayers::zeros(head, &config, device).ok_or_else(|| ModelError::Head {
            model: config.architecture.model_type.to_owned(),
            task: head.task(),
            known: TASKS.join(", "),
        })?;
        Ok(Self {
            head,
            embeddings: Embeddings {
                word: table(config.vocab_size),
                position: table(config.max_position_embeddings),
                token_type: config.architecture.has_token_types.then(|| table(config.type_vocab_size)),
                norm: LayerNorm::identity(hidden, config.layer_norm_eps, device),
            },
            layers: (0..config.layers).map(|_| Layer::zeros(&config, device)).collect(),
            head_layers,
            config,
        })
    }
}

impl Parameters for Encoder {
    fn parameters(&mut self) -> Vec<(String, Parameter<'_>)> {
        let architecture = self.config.architecture;
        let at = |name: &str| format!("{}{name}", architecture.prefix);
        let mut list = Vec::new();
        let table = &mut self.embeddings;
        list.push((at(WORD_EMBEDDINGS), Parameter::Matrix(&mut table.word)));
        list.push((at("embeddings.position_embeddings.weight"), Parameter::Matrix(&mut table.position)));
        if let Some(types) = &mut table.token_type {
            list.push((at("embeddings.token_type_embeddings.weight"), Parameter::Matrix(types)));
        }
        norm(&mut list, &at("embeddings.LayerNorm"), &mut table.norm);
        for (number, layer) in self.layers.iter_mut().enumerate() {
            layer.push(&mut list, &self.config.layer_name(number), &architecture.layer);
        }
        self.head_layers.push(&mut list, &self.config);
        list
    }
}

impl Adaptable for Encoder {
    fn weights(&mut self) -> Vec<(String, &mut Weight)> {
        let mut list = Vec::new();
        for (number, layer) in self.layers.iter_mut().enumerate() {
            layer.weights(&mut list, &self.config.layer_name(number), &self.config.architecture.layer);
        }
        self.head_layers.weights(&mut list, &self.config);
        list
    }
}

/// The names under which files carry a parameter.
pub(super) fn aliases(architecture: &Architecture, name: &str) -> Vec<String> {
    let bare = name.strip_prefix(architecture.prefix).unwrap_or(name);
    let mut names = vec![name.to_string(), bare.to_string()];
    for name in [name, bare] {
        if let Some(norm) = name.strip_suffix("LayerNorm.weight") {
            names.push(format!("{norm}LayerNorm.gamma"));
        }
        if let Some(norm) = name.strip_suffix("LayerNorm.bias") {
            names.push(format!("{norm}LayerNorm.beta"));
        }
    }
    if name == architecture.masked.bias {
        names.push(architecture.masked.bias_copy.to_string());
    }
    names
}

/// What a base model may lack.
fn is_head(architecture: &Architecture, name: &str) -> bool {
    let [dense, output] = architecture.sequence;
    let masked = &architecture.masked;
    [dense, output, "classifier", masked.dense, masked.norm, masked.bias]
        .iter()
        .any(|part| name.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}
