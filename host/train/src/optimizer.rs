//! The model's updates: AdamW (Loshchilov and Hutter 2019), the gradients of an accumulation window, clipping
//! by the norm over all parameters.

use std::collections::HashSet;

use burn::tensor::{Device, Gradients};
use pegbox_models::kernels::adamw::{self, AdamW};
use pegbox_models::{Bert, Parameter, Parameters};

use crate::settings::TrainSettings;

/// Added to the norm before it divides, as `torch.nn.utils.clip_grad_norm_` does.
const CLIP_EPSILON: f64 = 1e-6;

/// The classification head: what a base model does not bring.
const HEAD: &str = "classifier.";

/// Moments of every trained parameter, in the model's order.
pub struct Optimizer {
    device: Device,
    slots: Vec<Slot>,
    /// Updates done.
    steps: u64,
}

/// One parameter's.
pub struct Slot {
    pub name: String,
    /// Empty for a frozen parameter.
    pub first: Vec<f32>,
    /// Empty for a frozen parameter.
    pub second: Vec<f32>,
    trained: bool,
    decays: bool,
    head: bool,
}

/// The gradients of the batches of one window, joined as if they had been one batch: each batch's loss is a
/// weighted mean, so it counts by its sum of weights.
#[derive(Default)]
pub struct Window {
    /// Of each parameter; none where no batch reached it. Not yet divided by `weight` if there are several
    /// batches.
    sums: Vec<Option<Vec<f32>>>,
    batches: u32,
    weight: f64,
}

impl Optimizer {
    pub fn new(model: &mut Bert, trained: &HashSet<String>, device: &Device) -> Self {
        let slots = model
            .parameters()
            .into_iter()
            .map(|(name, parameter)| {
                let trained = trained.contains(&name);
                let elements = if trained { parameter.shape().iter().product() } else { 0 };
                Slot {
                    first: vec![0.0; elements],
                    second: vec![0.0; elements],
                    trained,
                    // Vectors are biases and norms.
                    decays: matches!(parameter, Parameter::Matrix(_)),
                    head: name.starts_with(HEAD),
                    name,
                }
            })
            .collect();
        Self { device: device.clone(), slots, steps: 0 }
    }

    pub fn is_trained(&self, name: &str) -> bool {
        self.slots.iter().any(|slot| slot.trained && slot.name == name)
    }

    /// Moments by parameter, for a checkpoint.
    pub fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter().filter(|slot| slot.trained)
    }

    /// Takes the moments of a checkpoint; false if a parameter is missing or of another size.
    pub fn restore(
        &mut self,
        steps: u64,
        mut take: impl FnMut(&str) -> Option<(Vec<f32>, Vec<f32>)>,
    ) -> bool {
        self.steps = steps;
        self.slots.iter_mut().filter(|slot| slot.trained).all(|slot| match take(&slot.name) {
            Some((first, second)) if first.len() == slot.first.len() && second.len() == slot.second.len() => {
                (slot.first, slot.second) = (first, second);
                true
            }
            _ => false,
        })
    }

    /// One update of `model`, whose gradients are `window`'s, with the highest rate times `factor`.
    pub fn step(
        &mut self,
        model: &mut Bert,
        window: &Window,
        norm: f64,
        factor: f64,
        settings: &TrainSettings,
    ) {
        self.steps += 1;
        let t = i32::try_from(self.steps).unwrap_or(i32::MAX);
        let clip = settings.clip_norm.map_or(1.0, |limit| (limit / (norm + CLIP_EPSILON)).min(1.0));
        for ((slot, (_, mut parameter)), gradient) in
            self.slots.iter_mut().zip(model.parameters()).zip(&window.sums)
        {
            let Some(gradient) = gradient.as_ref().filter(|_| slot.trained) else { continue };
            let head = if slot.head { settings.head_learning_rate } else { 1.0 };
            let rule = AdamW {
                learning_rate: (settings.learning_rate * factor * head) as f32,
                weight_decay: if slot.decays { settings.weight_decay as f32 } else { 0.0 },
                beta1: settings.beta1 as f32,
                beta2: settings.beta2 as f32,
                epsilon: settings.epsilon as f32,
                correction1: (1.0 - settings.beta1.powi(t)) as f32,
                correction2: (1.0 - settings.beta2.powi(t)).sqrt() as f32,
                gradient_scale: (window.scale() * clip) as f32,
            };
            let (first, second) = (&mut slot.first, &mut slot.second);
            parameter.update_in_place(&self.device, |values| {
                adamw::step(values, gradient, first, second, rule);
            });
        }
    }
}

impl Window {
    /// Takes the gradients of a batch out of `gradients`; `graph` is the tracked model that made them, and
    /// `weight` the batch's. False if the loss reached no parameter.
    pub fn add(&mut self, graph: &mut Bert, gradients: &mut Gradients, weight: f64) -> bool {
        let parameters = graph.parameters();
        self.sums.resize_with(parameters.len(), || None);
        if self.batches == 1 {
            let weight = self.weight as f32;
            self.sums.iter_mut().flatten().flatten().for_each(|value| *value *= weight);
        }
        let mut reached = false;
        for ((_, parameter), sum) in parameters.iter().zip(&mut self.sums) {
            let Some(gradient) = parameter.take_gradient(gradients) else { continue };
            reached = true;
            let gradient = gradient.into_values();
            match sum {
                Some(sum) => adamw::add_scaled(sum, &gradient, weight as f32),
                None if self.batches == 0 => *sum = Some(gradient),
                None => {
                    let sum = sum.insert(vec![0.0; gradient.len()]);
                    adamw::add_scaled(sum, &gradient, weight as f32);
                }
            }
        }
        self.batches += 1;
        self.weight += weight;
        reached
    }

    /// L2 norm of the window's gradient over all parameters.
    pub fn norm(&self) -> f64 {
        let squares: f64 = self.sums.iter().flatten().map(|values| adamw::sum_of_squares(values)).sum();
        self.scale() * squares.sqrt()
    }

    /// What the sums are multiplied by to be the gradient.
    fn scale(&self) -> f64 {
        if self.batches <= 1 { 1.0 } else { 1.0 / self.weight }
    }
}
