//! Adapters: small matrices trained beside frozen ones, in PEFT's names and files.
//!
//! LoRA (Hu et al. 2021), DoRA (Liu et al. 2024), and a base in four bits under either (QLoRA, Dettmers et al. 2023).
//! What they compute stands in [`Weight`]; here is which matrices get one, and how they are read and written.

mod config;
mod file;
mod targets;

pub use config::PeftConfig;
pub use file::{ADAPTER_CONFIG, ADAPTER_WEIGHTS, load};
pub use targets::usual_targets;

use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use crate::error::ModelError;
use crate::initial;
use crate::kernels::weight::Base;
use crate::kernels::{Adapter, Nf4, Weight};
use crate::parameters::Parameters;
use crate::weights::LoadReport;
use targets::Targets;

/// What the names of an adapter's parameters begin with, in PEFT's files and here.
pub const PREFIX: &str = "base_model.model.";

/// The module of outputs, in every encoder.
const CLASSIFIER: &str = "classifier";

/// A model whose matrices can be adapted.
pub trait Adaptable: Parameters {
    /// The matrices of its linear layers, each with its module's name in Transformers. A matrix that is the embeddings'
    /// is none of them.
    fn weights(&mut self) -> Vec<(String, &mut Weight)>;
}

/// What an adapter is like.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AdapterSettings {
    /// r: columns of B and rows of A.
    pub rank: usize,
    /// What B A is multiplied by, times r.
    pub alpha: f64,
    /// Of the inputs of A; at least 0 and below 1.
    pub dropout: f64,
    /// Modules by the end of their name, as PEFT has it, or by a pattern with `*` for the whole name; or `all-linear`.
    pub targets: Vec<String>,
    /// Divide alpha by the root of r instead of r (Kalajdzievski 2023).
    pub rank_stabilised: bool,
    /// DoRA: also train the length of each row.
    pub magnitudes: bool,
}

impl AdapterSettings {
    /// alpha / r, or alpha / sqrt(r).
    pub fn scale(&self) -> f64 {
        let rank = self.rank.max(1) as f64;
        self.alpha / if self.rank_stabilised { rank.sqrt() } else { rank }
    }
}

/// Puts new adapters beside the matrices that `settings` names, but for those of the modules `except`, which are trained
/// whole: A evenly distributed as PyTorch's linear layers are, B zero, so that nothing changes yet. The modules adapted.
///
/// # Errors
/// A pattern that is none or that fits no module; nothing is changed then.
pub fn attach<M: Adaptable>(
    model: &mut M,
    settings: &AdapterSettings,
    except: &[String],
    seed: u64,
    device: &Device,
) -> Result<Vec<String>, ModelError> {
    let modules: Vec<String> = model.weights().into_iter().map(|(module, _)| module).collect();
    let chosen = Targets::parse(&settings.targets)?.choose(&modules, except)?;
    for (module, weight) in model.weights() {
        if !chosen.contains(&module) {
            continue;
        }
        let [outputs, inputs] = weight.outputs_inputs();
        let rank = settings.rank;
        let values = initial::uniform(&names(&module)[0], seed, rank * inputs, 1.0 / (inputs as f64).sqrt());
        let magnitude = settings.magnitudes.then(|| weight.lengths(device));
        weight.adapter = Some(Box::new(Adapter {
            a: Tensor::from_data(TensorData::new(values, [rank, inputs]), device),
            b: Tensor::zeros([outputs, rank], device),
            magnitude,
            scale: settings.scale(),
            dropout: settings.dropout,
        }));
    }
    Ok(chosen)
}

/// Makes every adapted matrix the one that gives the same outputs by itself.
pub fn merge<M: Adaptable>(model: &mut M, device: &Device) {
    for (_, weight) in model.weights() {
        if weight.is_adapted() || weight.is_quantised() {
            // Through data, so that a matrix that was turned around lies in memory as its layers read it.
            weight.base = Base::Whole(Tensor::from_data(weight.merged(device).into_data(), device));
            weight.adapter = None;
        }
    }
}

/// Whether any matrix has an adapter.
pub fn is_adapted<M: Adaptable>(model: &mut M) -> bool {
    model.weights().iter().any(|(_, weight)| weight.is_adapted())
}

/// The modules that are trained whole beside an adapter, and saved with it: the classifier, and what the base model
/// lacked and is new. By Transformers' names.
pub fn modules_to_save<M: Parameters>(model: &mut M, report: &LoadReport) -> Vec<String> {
    let mut modules: Vec<String> = Vec::new();
    for (name, _) in model.parameters() {
        let Some((module, _)) = name.rsplit_once('.') else { continue };
        // PEFT goes by the end of a name, and takes DistilBERT's `pre_classifier` for one.
        let root = module.split('.').next().unwrap_or(module);
        let is_classifier = root.ends_with(CLASSIFIER);
        let module = if is_classifier { root } else { module };
        let wanted = is_classifier || report.initialised.contains(&name);
        if wanted && !modules.iter().any(|saved| saved == module) {
            modules.push(module.to_owned());
        }
    }
    modules
}

/// The name of a tensor of an adapter in the file of a model without a head.
pub fn headless_name(name: &str) -> String {
    let own = name.strip_prefix(PREFIX).unwrap_or(name);
    format!("{PREFIX}{}", bare(own).unwrap_or(own))
}

/// What became of a model's matrices in four bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quantised {
    pub matrices: usize,
    /// In float32.
    pub bytes_before: usize,
    pub bytes: usize,
}

/// Holds the matrices of all linear layers but those of the modules `except` in four bits; `double` also holds the scales
/// of their blocks in bytes. On a device other than the CPU they are rounded to what four bits hold and stay in float32.
pub fn quantise<M: Adaptable>(model: &mut M, double: bool, except: &[String], device: &Device) -> Quantised {
    let mut done = Quantised::default();
    for (module, weight) in model.weights() {
        let Base::Whole(matrix) = &weight.base else { continue };
        if except.iter().any(|saved| is_of(&module, saved)) {
            continue;
        }
        let shape = matrix.dims();
        let values: Vec<f32> = matrix.clone().into_data().iter::<f32>().collect();
        let four_bits = Nf4::quantise(&values, shape, double);
        done.matrices += 1;
        done.bytes_before += 4 * values.len();
        if crate::kernels::ops::fused(device) {
            done.bytes += four_bits.bytes();
            weight.base = Base::FourBits(four_bits);
        } else {
            done.bytes += 4 * values.len();
            let rounded = TensorData::new(four_bits.values(), shape);
            weight.base = Base::Whole(Tensor::from_data(rounded, device));
        }
    }
    done
}

/// The names of a module's A, B and magnitudes.
pub(crate) fn names(module: &str) -> [String; 3] {
    ["lora_A.weight", "lora_B.weight", "lora_magnitude_vector"].map(|part| format!("{PREFIX}{module}.{part}"))
}

/// Whether a parameter is an adapter's.
pub fn is_adapters(parameter: &str) -> bool {
    parameter.starts_with(PREFIX)
}

/// Whether a module or a parameter is `module` or in it.
pub fn is_of(name: &str, module: &str) -> bool {
    name.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The name in the model without a head: Transformers' base classes have no prefix for themselves. Encoders and decoders
/// of T5 are told apart by what would be the prefix.
pub(crate) fn bare(name: &str) -> Option<&str> {
    let (prefix, rest) = name.split_once('.')?;
    ["bert", "roberta", "distilbert", "model", "transformer"].contains(&prefix).then_some(rest)
}
