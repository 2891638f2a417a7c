//! What a training takes, before it begins: parameters, memory, arithmetic.

use std::collections::HashSet;

use pegbox_models::depth::is_table;
use pegbox_models::{BatchShape, Depth, Head, ModelConfig, Parameters};
use serde::Serialize;

/// A training as far as its costs go: by the names and shapes of parameters, whatever the architecture.
#[derive(Clone, Debug)]
pub struct Workload {
    pub config: ModelConfig,
    pub head: Head,
    /// Name and shape of every parameter.
    pub parameters: Vec<(String, Vec<usize>)>,
    /// Names of those that are trained.
    pub trained: HashSet<String>,
    /// Batches joined into one step.
    pub accumulation: u32,
}

/// Bytes that a training holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// Of all parameters.
    pub weights: u64,
    /// Of the trained ones; with accumulation also the sums of the batches before.
    pub gradients: u64,
    /// AdamW's two for each trained parameter.
    pub moments: u64,
    /// What a batch's forward pass leaves for its backward pass.
    pub activations: u64,
    /// What is made and freed again on the way.
    pub working: u64,
    /// The most at once. Gradients come as activations go, so of these two the larger counts; and while a model is
    /// loaded, its file and its parameters are both there.
    pub peak: u64,
}

/// Floating-point operations of a step, of a token: a multiplication and an addition are two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Arithmetic {
    pub forward: u64,
    pub backward: u64,
}

impl Workload {
    /// Names and shapes of a model's parameters.
    pub fn parameters_of(model: &mut impl Parameters) -> Vec<(String, Vec<usize>)> {
        model.parameters().into_iter().map(|(name, parameter)| (name, parameter.shape())).collect()
    }

    /// Parameters, and those that are trained.
    pub fn counts(&self) -> (u64, u64) {
        let of = |(_, shape): &(String, Vec<usize>)| shape.iter().product::<usize>() as u64;
        let trained = self.parameters.iter().filter(|(name, _)| self.trained.contains(name));
        (self.parameters.iter().map(of).sum(), trained.map(of).sum())
    }

    /// The shallowest place that is trained.
    fn first(&self) -> Depth {
        let trained = self.parameters.iter().filter(|(name, _)| self.trained.contains(name));
        trained.map(|(name, _)| self.config.depth_of(name)).min().unwrap_or(Depth::Above)
    }

    /// Bytes of a training in float32 whose largest batch is `batch`.
    pub fn memory(&self, batch: BatchShape) -> Memory {
        let (all, trained) = self.counts();
        let (weights, gradient) = (4 * all, 4 * trained);
        let sums = if self.accumulation > 1 { gradient } else { 0 };
        let (moments, working) = (2 * gradient, self.config.working_bytes(batch));
        let activations = self.config.kept_bytes(self.head, batch, self.first());
        let training = weights + moments + sums + working + activations.max(gradient);
        Memory {
            weights,
            gradients: gradient + sums,
            moments,
            activations,
            working,
            peak: training.max(2 * weights),
        }
    }

    /// Of a token in a row of `tokens`. A matrix of n numbers takes 2 n in the forward pass, 2 n for the gradient of its
    /// input (not below everything that is trained) and 2 n for its own (where it is trained); attention takes 2 for each
    /// product with a key or a value, and twice that on the way back (Kaplan et al. 2020, section 2.1; Chowdhery et al.
    /// 2022, appendix B). Matrices above the layers of a head that sees whole texts are counted once a row.
    pub fn arithmetic(&self, tokens: usize) -> Arithmetic {
        let (first, tokens) = (self.first(), tokens.max(1) as u64);
        let of_rows = matches!(self.head, Head::Sequence { .. });
        let mut sum = Arithmetic::default();
        for (name, shape) in &self.parameters {
            let [outputs, inputs] = shape[..] else { continue };
            if is_table(name) {
                continue;
            }
            let depth = self.config.depth_of(name);
            let product = 2 * (outputs * inputs) as u64;
            let product = if of_rows && depth == Depth::Above { product / tokens } else { product };
            sum.forward += product;
            sum.backward += if depth > first || first == Depth::Below { product } else { 0 };
            sum.backward += if self.trained.contains(name) { product } else { 0 };
        }
        let tied = 2 * self.config.tied_outputs(self.head);
        let attention = 2 * self.config.attention_products() * tokens;
        sum.forward += tied + attention;
        sum.backward += 2
            * (tied
                + attention * self.config.tracked_layers(first) as u64 / self.config.layers().max(1) as u64);
        sum
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use pegbox_models::{Model, Pooling, Problem};

    use super::*;

    fn workload(trained: impl Fn(&str) -> bool) -> Workload {
        let config = serde_json::json!({
            "vocab_size": 30, "hidden_size": 12, "num_hidden_layers": 2, "num_attention_heads": 2,
            "intermediate_size": 20, "max_position_embeddings": 16, "type_vocab_size": 2,
        });
        let config = ModelConfig::from_json(config.as_object().unwrap().clone()).unwrap();
        let head = Head::Sequence { outputs: 3, pooling: Pooling::Cls, problem: Problem::SingleLabel };
        let mut model = Model::random(config.clone(), head, 1, &Device::flex()).unwrap();
        let parameters = Workload::parameters_of(&mut model);
        let trained = parameters.iter().map(|(name, _)| name.clone()).filter(|name| trained(name)).collect();
        Workload { config, head, parameters, trained, accumulation: 1 }
    }

    #[test]
    fn full_training_takes_sixteen_bytes_a_parameter_and_the_activations() {
        let work = workload(|_| true);
        let (all, trained) = work.counts();
        let tables = (30 + 16 + 2) * 12;
        let layer = 4 * (12 * 12 + 12) + 2 * 12 * 20 + 20 + 12 + 4 * 12;
        assert_eq!((all, trained), (tables + 24 + 2 * layer + 12 * 13 + 3 * 13, all));
        let small = work.memory(BatchShape { rows: 1, tokens: 1 });
        assert_eq!(small.peak, 16 * all + small.working, "gradients are more than activations");
        let large = work.memory(BatchShape { rows: 64, tokens: 16 });
        assert_eq!(large.peak, 12 * all + large.activations + large.working);
        let joined = Workload { accumulation: 4, ..work }.memory(BatchShape { rows: 64, tokens: 16 });
        assert_eq!(joined.peak, large.peak + 4 * all);
    }

    #[test]
    fn what_is_frozen_takes_less() {
        let batch = BatchShape { rows: 8, tokens: 16 };
        let (all, upper, head) = (
            workload(|_| true),
            workload(|name| !name.contains("embeddings") && !name.contains("layer.0")),
            workload(|name| name.starts_with("classifier")),
        );
        let kept = |work: &Workload| work.memory(batch).activations;
        assert!(kept(&all) > kept(&upper) && kept(&upper) > kept(&head), "{upper:?}");
        let backward = |work: &Workload| work.arithmetic(16).backward;
        assert!(backward(&all) > backward(&upper) && backward(&upper) > backward(&head));
        assert_eq!(all.arithmetic(16).forward, head.arithmetic(16).forward);
        // Twice the forward pass, for the inputs and for the weights.
        assert_eq!(backward(&all), 2 * all.arithmetic(16).forward);
        let (parameters, _) = all.counts();
        assert_eq!(head.memory(BatchShape { rows: 1, tokens: 1 }).peak, 8 * parameters, "while it is loaded");
    }
}
