//! A contrastive loss for sentence embeddings: the texts of one label are drawn together, all others of the batch are
//! pushed apart.
//!
//! With z the vectors at unit length, t the `temperature`, P(i) the other rows of the batch that have i's label:
//!
//! ```text
//! l_i    = -1/|P(i)| sum over p in P(i) of log( exp(z_i z_p / t) / sum over a != i of exp(z_i z_a / t) )
//! result = sum(w_i l_i) / sum(w_i)          over the rows for which P(i) is not empty, w their weights
//! ```
//!
//! That is L_out of Khosla et al. 2020 (<https://arxiv.org/abs/2004.11362>, equation 2). Where each label stands twice
//! in a batch, it is InfoNCE (van den Oord et al. 2018) as SimCLR has it, in both directions: what sentence-transformers
//! calls MultipleNegativesSymmetricRankingLoss with a scale of 1/t, with the other anchors as further negatives.

/// What the recipe may say.
mod configuration;

use configuration::{Configuration, SCHEMA};
use pegbox_plugin::{Error, Loss, Plugin, Step, Tensor};

/// What a row's likeness to itself is taken for, so that it is nobody's neighbour.
const NEVER: f32 = -1e9;

/// Squared lengths below this are taken for it.
const SHORTEST: f32 = 1e-24;

struct Contrastive(Configuration);

impl Plugin for Contrastive {
    const NAME: &'static str = "pegbox/contrastive-loss";
    const CONFIGURATION_SCHEMA: &'static str = SCHEMA;

    fn configure(json: &str) -> Result<Self, Error> {
        Configuration::parse(json).map(Self)
    }
}

impl Loss for Contrastive {
    fn compute(&self, step: &Step) -> Result<Tensor, Error> {
        let (vectors, labels) = (step.logits(), step.labels());
        let [rows] = labels.shape()[..] else {
            let what = format!("it compares whole texts; the labels of this task are {:?}", labels.shape());
            return Err(Error::new(what).with_help("set `task = \"embeddings\"` in [model]"));
        };
        let lengths = (&vectors * &vectors).sum(&[-1]).clamp(SHORTEST, f32::MAX).sqrt();
        let vectors = vectors / lengths;
        let likeness = vectors.matmul(&vectors.transpose(0, 1)) * (1.0 / self.0.temperature);

        let (down, across) = ([rows as i32, 1], [1, rows as i32]);
        let numbers = Tensor::from_ints(&[rows], &(0..i64::from(rows)).collect::<Vec<_>>());
        let itself = numbers.reshape(&down).equal(&numbers.reshape(&across));
        let same = labels.reshape(&down).equal(&labels.reshape(&across));
        let positives = same.to_float().masked_fill(&itself, 0.0);

        let log_p = likeness.masked_fill(&itself, NEVER).log_softmax(-1);
        let count = positives.sum(&[-1]);
        let of_anchors = (log_p * &positives).sum(&[-1]) / count.clamp(1.0, f32::MAX);
        // A row whose label stands nowhere else in the batch is a negative only.
        let weights = step.weights().reshape(&down) * count.clamp(0.0, 1.0);
        Ok((of_anchors * &weights).sum(&[]) / weights.sum(&[]).clamp(f32::MIN_POSITIVE, f32::MAX) * -1.0)
    }
}

pegbox_plugin::export!(Contrastive: Loss);

#[cfg(test)]
mod tests {
    use pegbox_plugin::testing::TestStep;

    use super::*;

    fn loss(vectors: &[&[f32]], labels: &[i64]) -> f32 {
        let plugin = Contrastive::configure(r#"{"temperature": 1.0}"#).unwrap();
        TestStep::classification(vectors, labels).run(|step| plugin.compute(step).unwrap().read())[0]
    }

    #[test]
    fn by_hand() {
        // Rows 0 and 1 are one label's, row 2 is nobody's: the likeness of 0 and 1 is 1, of either with 2 is 0.
        let expected = -(1.0f32.exp() / (1.0f32.exp() + 1.0)).ln();
        let found = loss(&[&[2.0, 0.0], &[0.5, 0.0], &[0.0, 3.0]], &[1, 1, 0]);
        assert!((found - expected).abs() < 1e-6, "{found} instead of {expected}");
    }

    #[test]
    fn nothing_to_draw_together_is_no_loss() {
        assert_eq!(loss(&[&[1.0, 0.0], &[0.0, 1.0]], &[0, 1]), 0.0);
        assert_eq!(loss(&[&[1.0, 0.0]], &[0]), 0.0);
    }

    #[test]
    fn labels_of_tokens_are_refused() {
        let step = TestStep::classification(&[&[1.0, 0.0], &[0.0, 1.0]], &[0, 1]).tagging(2);
        let plugin = Contrastive::configure("{}").unwrap();
        let error = step.run(|step| plugin.compute(step).err()).unwrap();
        assert!(error.message().contains("whole texts"), "{}", error.message());
    }
}
