//! Focal loss (Lin et al. 2017, <https://arxiv.org/abs/1708.02002>): cross-entropy that looks away from what
//! the model knows already.
//!
//! With p the softmax of a label's logits over the C classes, a_c the factor of class c (`alpha`), g `gamma`
//! and e `label-smoothing`:
//!
//! ```text
//! FL(c)  = -a_c (1 - p_c)^g log(p_c)
//! loss   = (1 - e) FL(y) + e/C (FL(1) + ... + FL(C))      y being the label
//! result = sum(w loss) / sum(w)                           over the labels where the mask holds, w their weights
//! ```
//!
//! With g = 0 and no `alpha` that is PyTorch's `cross_entropy(label_smoothing=e)`, with e = 0 plain
//! cross-entropy. The factors of `alpha` scale losses and are not part of the divisor: they also scale the
//! learning rate.

/// The factors of the classes.
mod alpha;
/// What the recipe may say.
mod configuration;

use configuration::{Configuration, SCHEMA};
use pegbox_plugin::{Error, Loss, Plugin, Step, Tensor};

struct Focal(Configuration);

impl Plugin for Focal {
    const NAME: &'static str = "pegbox/focal-loss";
    const CONFIGURATION_SCHEMA: &'static str = SCHEMA;

    fn configure(json: &str) -> Result<Self, Error> {
        Configuration::parse(json).map(Self)
    }
}

impl Loss for Focal {
    fn compute(&self, step: &Step) -> Result<Tensor, Error> {
        let log_p = step.logits().log_softmax(-1);
        let labels = Labels::new(step.labels());
        let factors = self.0.alpha.per_class(step, &log_p)?;
        let smoothing = self.0.label_smoothing;
        // Without sign and common factor: these come last, where they cost nothing.
        let loss = if smoothing == 0.0 {
            // Only the label's own class counts: all that follows is as small as the labels.
            let loss = self.focus(labels.pick(&log_p));
            match factors {
                Some(factors) => loss * labels.look_up(&factors),
                None => loss,
            }
        } else {
            let losses = self.focus(log_p);
            let losses = match factors {
                Some(factors) => losses * factors,
                None => losses,
            };
            labels.pick(&losses) * (1.0 - smoothing) + labels.reshape(&losses.mean(&[-1])) * smoothing
        };
        Ok(step.weighted_mean(&loss) * -self.0.alpha.common())
    }
}

impl Focal {
    /// `(1 - p)^gamma log(p)`.
    fn focus(&self, log_p: Tensor) -> Tensor {
        let gamma = self.0.gamma;
        if gamma == 0.0 {
            return log_p;
        }
        let surprise = 1.0 - log_p.exp();
        let weight = match gamma {
            1.0 => surprise,
            // The slope of x^gamma at 0 is infinite then; a p of exactly 1 must not become NaN.
            0.0..1.0 => surprise.clamp(f32::EPSILON, 1.0).powf(gamma),
            _ => surprise.powf(gamma),
        };
        weight * log_p
    }
}

/// The labels in the shapes in which they are needed.
struct Labels {
    labels: Tensor,
    shape: Vec<i32>,
}

impl Labels {
    fn new(labels: Tensor) -> Self {
        let shape = labels.shape().iter().map(|size| *size as i32).collect();
        Self { labels, shape }
    }

    /// The value of each label's own class: `[B, C]` to `[B]`, `[B, T, C]` to `[B, T]`.
    fn pick(&self, of_classes: &Tensor) -> Tensor {
        let index = self.labels.reshape(&[self.shape.as_slice(), &[1]].concat());
        self.reshape(&of_classes.gather(-1, &index))
    }

    /// The entry of each label in a list `[C]`.
    fn look_up(&self, list: &Tensor) -> Tensor {
        self.reshape(&list.gather(0, &self.labels.reshape(&[-1])))
    }

    fn reshape(&self, tensor: &Tensor) -> Tensor {
        tensor.reshape(&self.shape)
    }
}

pegbox_plugin::export!(Focal: Loss);

#[cfg(test)]
mod tests;
