//! The model's updates: AdamW (Loshchilov and Hutter 2019), the gradients of an accumulation window, clipping
//! by the norm over all parameters.

use std::collections::HashSet;

use burn::tensor::{Device, Gradients};
use pegbox_models::kernels::adamw::AdamW;
use pegbox_models::kernels::{Buffer, sum_of_squares, update};
use pegbox_models::{Model, Parameter, Parameters};

use crate::settings::TrainSettings;

/// Added to the norm before it divides, as `torch.nn.utils.clip_grad_norm_` does.
const CLIP_EPSILON: f64 = 1e-6;

/// The classification head: what a base model does not bring.
const HEADS: [&str; 2] = ["classifier.", "pre_classifier."];

/// Moments of every trained parameter, in the model's order.
pub struct Optimizer {
    device: Device,
    slots: Vec<Slot>,
    /// Updates done.
    steps: u64,
    /// The lowest level that is trained by now.
    lowest: usize,
}

/// One parameter's.
pub struct Slot {
    pub name: String,
    /// Empty for a frozen parameter.
    pub first: Buffer,
    /// Empty for a frozen parameter.
    pub second: Buffer,
    /// Updates that it took part in.
    pub steps: u64,
    trained: bool,
    decays: bool,
    head: bool,
    /// How far up it lies, from the embeddings at 0.
    level: usize,
    /// Its rate as a multiple of the recipe's, by its depth.
    factor: f64,
}

/// The gradients of the batches of one window, joined as if they had been one batch: each batch's loss is a
/// weighted mean, so it counts by its sum of weights.
#[derive(Default)]
pub struct Window {
    /// Of each parameter; none where no batch reached it. Not yet divided by `weight` if there are several
    /// batches.
    sums: Vec<Option<Buffer>>,
    batches: u32,
    weight: f64,
}

impl Optimizer {
    pub fn new(model: &mut Model, trained: &HashSet<String>, layer_decay: f64, device: &Device) -> Self {
        let config = model.config();
        let top = config.layers() + 1;
        let slots = model
            .parameters()
            .into_iter()
            .map(|(name, parameter)| {
                let level = config.level_of(&name);
                let trained = trained.contains(&name);
                let elements = if trained { parameter.shape().iter().product() } else { 0 };
                Slot {
                    first: Buffer::zeros(elements, device),
                    second: Buffer::zeros(elements, device),
                    trained,
                    // Vectors are biases and norms.
                    decays: matches!(parameter, Parameter::Matrix(_)),
                    head: HEADS.iter().any(|head| name.starts_with(head)),
                    level,
                    factor: layer_decay.powi(i32::try_from(top.saturating_sub(level)).unwrap_or(i32::MAX)),
                    steps: 0,
                    name,
                }
            })
            .collect();
        Self { device: device.clone(), slots, steps: 0, lowest: 0 }
    }

    /// Whether a parameter is trained by now.
    pub fn is_trained(&self, name: &str) -> bool {
        self.slots.iter().any(|slot| slot.trained && slot.level >= self.lowest && slot.name == name)
    }

    /// Lets the layers be trained that gradual unfreezing has come to in `epoch`, counted from 0, with `each` layers more
    /// an epoch.
    pub fn unfreeze(&mut self, epoch: u32, each: Option<u32>) {
        let top = self.slots.iter().filter(|slot| slot.trained).map(|slot| slot.level).max().unwrap_or(0);
        self.lowest = each.map_or(0, |each| top.saturating_sub(epoch.saturating_mul(each) as usize));
    }

    /// Updates done.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Moments by parameter, for a checkpoint.
    pub fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter().filter(|slot| slot.trained)
    }

    /// Takes the moments of a checkpoint; false if a parameter is missing or of another size.
    pub fn restore(
        &mut self,
        steps: u64,
        mut take: impl FnMut(&str) -> Option<(Vec<f32>, Vec<f32>, Option<u64>)>,
    ) -> bool {
        self.steps = steps;
        self.slots.iter_mut().filter(|slot| slot.trained).all(|slot| match take(&slot.name) {
            Some((first, second, own))
                if first.len() == slot.first.len() && second.len() == slot.second.len() =>
            {
                slot.steps = own.unwrap_or(steps);
                slot.first = Buffer::new(first, &self.device);
                slot.second = Buffer::new(second, &self.device);
                true
            }
            _ => false,
        })
    }

    /// One update of `model`, whose gradients are `window`'s, with the highest rate times `factor`.
    pub fn step(
        &mut self,
        model: &mut Model,
        window: &Window,
        norm: f64,
        factor: f64,
        settings: &TrainSettings,
    ) {
        self.steps += 1;
        let clip = settings.clip_norm.map_or(1.0, |limit| (limit / (norm + CLIP_EPSILON)).min(1.0));
        for ((slot, (_, mut parameter)), gradient) in
            self.slots.iter_mut().zip(model.parameters()).zip(&window.sums)
        {
            let Some(gradient) = gradient.as_ref().filter(|_| slot.trained) else { continue };
            // Moments that began later are corrected from there on.
            slot.steps += 1;
            let t = i32::try_from(slot.steps).unwrap_or(i32::MAX);
            let head = if slot.head { settings.head_learning_rate } else { 1.0 };
            let rule = AdamW {
                learning_rate: (settings.learning_rate * factor * head * slot.factor) as f32,
                weight_decay: if slot.decays { settings.weight_decay as f32 } else { 0.0 },
                beta1: settings.beta1 as f32,
                beta2: settings.beta2 as f32,
                epsilon: settings.epsilon as f32,
                correction1: (1.0 - settings.beta1.powi(t)) as f32,
                correction2: (1.0 - settings.beta2.powi(t)).sqrt() as f32,
                gradient_scale: (window.scale() * clip) as f32,
                scale_parameter: settings.scale_parameter,
            };
            update(&mut parameter, gradient, &mut slot.first, &mut slot.second, rule);
        }
    }
}

impl Window {
    /// Takes the gradients of a batch out of `gradients`; `graph` is the tracked model that made them, and
    /// `weight` the batch's. False if the loss reached no parameter.
    pub fn add(&mut self, graph: &mut Model, gradients: &mut Gradients, weight: f64) -> bool {
        let parameters = graph.parameters();
        self.sums.resize_with(parameters.len(), || None);
        if self.batches == 1 {
            let weight = self.weight as f32;
            self.sums.iter_mut().flatten().for_each(|sum| sum.scale(weight));
        }
        let mut reached = false;
        for ((_, parameter), sum) in parameters.iter().zip(&mut self.sums) {
            let Some(gradient) = parameter.take_gradient(gradients) else { continue };
            reached = true;
            let mut gradient = Buffer::from_gradient(gradient);
            match sum {
                Some(sum) => sum.add_scaled(&gradient, weight as f32),
                None => {
                    if self.batches > 0 {
                        gradient.scale(weight as f32);
                    }
                    *sum = Some(gradient);
                }
            }
        }
        self.batches += 1;
        self.weight += weight;
        reached
    }

    /// L2 norm of the window's gradient over all parameters.
    pub fn norm(&self) -> f64 {
        self.scale() * sum_of_squares(self.sums.iter().flatten()).sqrt()
    }

    /// What the sums are multiplied by to be the gradient.
    fn scale(&self) -> f64 {
        if self.batches <= 1 { 1.0 } else { 1.0 / self.weight }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::activation::log_softmax;
    use burn::tensor::{Int, Tensor, TensorData};
    use pegbox_models::{Head, Logits, Mode, ModelConfig, Pooling, Problem, TokenBatch};

    use super::*;

    fn model() -> Model {
        let config = serde_json::json!({
            "vocab_size": 30, "hidden_size": 12, "num_hidden_layers": 1, "num_attention_heads": 2,
            "intermediate_size": 20, "max_position_embeddings": 16, "type_vocab_size": 2, "initializer_range": 0.2,
        });
        let config = ModelConfig::from_json(config.as_object().unwrap().clone()).unwrap();
        let head = Head::Sequence { outputs: 3, pooling: Pooling::Cls, problem: Problem::SingleLabel };
        Model::random(config, head, 1, &Device::flex()).unwrap()
    }

    /// Rows of unequal length, with unequal weights.
    const ROWS: [(&[u32], i64, f32); 5] = [
        (&[1, 2, 3, 4], 0, 1.0),
        (&[5], 1, 0.5),
        (&[6, 7], 2, 2.0),
        (&[8, 9, 10], 0, 0.25),
        (&[11, 12], 1, 1.5),
    ];

    /// Adds the gradients of the weighted mean loss over some rows.
    fn add(model: &Model, window: &mut Window, rows: &[(&[u32], i64, f32)]) {
        let mut graph = model.tracked(&|_| true);
        let batch = TokenBatch::new(rows.iter().map(|row| row.0), 0).unwrap().into();
        let Logits::Rows(logits) = graph.forward(&batch, Mode::default()).unwrap().logits else {
            panic!("a row a text")
        };
        let labels: Vec<i64> = rows.iter().map(|row| row.1).collect();
        let weights: Vec<f32> = rows.iter().map(|row| row.2).collect();
        let total: f32 = weights.iter().sum();
        let labels = Tensor::<2, Int>::from_data(TensorData::new(labels, [rows.len(), 1]), &Device::flex());
        let weights = Tensor::<2>::from_data(TensorData::new(weights, [rows.len(), 1]), &Device::flex());
        let loss = (log_softmax(logits, 1).gather(1, labels) * weights).sum().neg() / total;
        assert!(window.add(&mut graph, &mut loss.backward(), f64::from(total)));
    }

    fn gradients(window: &Window) -> Vec<f32> {
        let scale = window.scale() as f32;
        window
            .sums
            .iter()
            .flatten()
            .flat_map(|sum| sum.values().into_owned())
            .map(|value| value * scale)
            .collect()
    }

    #[test]
    fn accumulated_batches_give_the_gradient_of_one() {
        let model = model();
        let mut whole = Window::default();
        add(&model, &mut whole, &ROWS);
        // Also a short last batch.
        for cuts in [vec![2, 3], vec![1, 3, 1], vec![4, 1]] {
            let (mut window, mut rest) = (Window::default(), &ROWS[..]);
            for cut in &cuts {
                let (rows, after) = rest.split_at(*cut);
                add(&model, &mut window, rows);
                rest = after;
            }
            let largest = gradients(&whole).iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
            for (a, b) in gradients(&window).iter().zip(gradients(&whole)) {
                assert!((a - b).abs() < 1e-5 * largest, "{cuts:?}: {a} and {b}");
            }
            assert!((window.norm() - whole.norm()).abs() < 1e-5 * whole.norm());
        }
    }

    #[test]
    fn biases_and_norms_do_not_decay_and_the_head_has_its_own_rate() {
        let mut model = model();
        let names: HashSet<String> = model.parameters().into_iter().map(|(name, _)| name).collect();
        let optimizer = Optimizer::new(&mut model, &names, 0.5, &Device::flex());
        for slot in &optimizer.slots {
            assert_eq!(
                slot.decays,
                !slot.name.ends_with("bias") && !slot.name.contains("LayerNorm"),
                "{}",
                slot.name
            );
            assert_eq!(slot.head, slot.name.starts_with("classifier"), "{}", slot.name);
            // One layer, with the embeddings below it and pooler and classifier above.
            let depth =
                if slot.name.contains("embeddings") { 2 } else { i32::from(slot.name.contains(".layer.")) };
            assert_eq!(slot.factor, 0.5f64.powi(depth), "{}", slot.name);
        }
    }

    #[test]
    fn layers_join_from_the_top() {
        let mut model = model();
        let names: HashSet<String> = model.parameters().into_iter().map(|(name, _)| name).collect();
        let mut optimizer = Optimizer::new(&mut model, &names, 1.0, &Device::flex());
        let mut trained = |epoch, each| {
            optimizer.unfreeze(epoch, each);
            [
                "classifier.weight",
                "bert.encoder.layer.0.output.dense.weight",
                "bert.embeddings.LayerNorm.weight",
            ]
            .map(|name| optimizer.is_trained(name))
        };
        assert_eq!(trained(0, Some(1)), [true, false, false]);
        assert_eq!(trained(1, Some(1)), [true, true, false]);
        assert_eq!(trained(2, Some(1)), [true; 3]);
        assert_eq!(trained(7, Some(3)), [true; 3]);
        assert_eq!(trained(0, None), [true; 3]);
    }
}
