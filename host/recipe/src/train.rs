//! `[train]`.

use crate::model::Task;
use crate::plugins::{self, Provider, Term};
use crate::reader::Section;

/// How to train. Every key has a default.
#[derive(Debug, Clone, PartialEq)]
pub struct Train {
    /// `epochs`: times that every training record is seen. 3 by default.
    pub epochs: u64,
    /// `batch = { tokens = 2048 }` (default; padding counts), `{ rows = 16 }` or `{ packed = 2048 }`.
    pub batch: Batch,
    /// `accumulation`: batches joined into one optimizer step. 1 by default.
    pub accumulation: u64,
    /// `learning-rate`: the highest that the schedule reaches. 5e-5 by default.
    pub learning_rate: f64,
    /// `head-learning-rate`: a rate, too, for the classification head. As `learning-rate` by default.
    pub head_learning_rate: Option<f64>,
    /// `layer-decay`: each layer's rate is that of the layer above it times this. 1 by default.
    pub layer_decay: f64,
    /// `unfreeze-each-epoch`: training begins with the head alone, and so many layers join after each epoch. All are
    /// trained from the beginning by default.
    pub unfreeze_each_epoch: Option<u64>,
    /// `weight-decay`: decoupled, not for biases and norms. 0.01 by default.
    pub weight_decay: f64,
    /// `betas`: AdamW's decay rates of the two moments. [0.9, 0.999] by default.
    pub betas: [f64; 2],
    /// `eps`: AdamW's. 1e-8 by default.
    pub epsilon: f64,
    /// `scale-parameter`: each parameter's rate is multiplied by the root mean square of its values. False by default.
    pub scale_parameter: bool,
    /// `clip`: the highest norm of a step's gradient; 0 for none. 1.0 by default.
    pub clip: f64,
    /// `schedule = { kind = "linear", warmup = 0.1 }`
    pub decay: Decay,
    pub warmup: Warmup,
    /// `seed`: of everything random in training. 0 by default.
    pub seed: u64,
    /// `validate-every`: steps. At the end of each epoch by default.
    pub validate_every: Option<u64>,
    /// `checkpoint-every`: steps. At each validation by default.
    pub checkpoint_every: Option<u64>,
    /// `keep`: checkpoints that stay, the best aside. 2 by default.
    pub keep: u64,
    /// `patience`: validations without improvement after which training stops. Never by default.
    pub patience: Option<u64>,
    /// `loss = { plugin = "team/name@^1" }` or `{ builtin = "cross-entropy" }` (default) or
    /// `{ builtin = "focal" }`, each with `config = { ... }`; or a list of such tables with a `weight` each, whose
    /// weighted sum is the loss.
    pub loss: Vec<Term>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Batch {
    /// Rows times padded length.
    Tokens(u64),
    Rows(u64),
    /// Tokens of texts that stand one after the other, without padding.
    Packed(u64),
}

/// `kind`: how the rate falls after the warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decay {
    /// `"linear"`, to 0 at the last step (default).
    Linear,
    /// `"cosine"`, half a period, to 0 at the last step.
    Cosine,
    /// `"constant"`
    Constant,
}

/// `warmup`: a share of all steps where it is below 1, else a number of steps. 0.1 by default.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Warmup {
    Share(f64),
    Steps(u64),
}

impl Train {
    /// What a recipe for `task` means that says nothing.
    pub(crate) fn usual(task: Option<Task>) -> Self {
        Self {
            epochs: 3,
            batch: Batch::Tokens(2048),
            accumulation: 1,
            learning_rate: 5e-5,
            head_learning_rate: None,
            layer_decay: 1.0,
            unfreeze_each_epoch: None,
            weight_decay: 0.01,
            betas: [0.9, 0.999],
            epsilon: 1e-8,
            scale_parameter: false,
            clip: 1.0,
            decay: Decay::Linear,
            warmup: Warmup::Share(0.1),
            seed: 0,
            validate_every: None,
            checkpoint_every: None,
            keep: 2,
            patience: None,
            loss: vec![Term {
                provider: Provider::BuiltIn {
                    name: plugins::usual_loss(task).into(),
                    config: serde_json::json!({}),
                },
                weight: 1.0,
            }],
        }
    }
}

/// `task` is none where the recipe does not say it rightly.
pub(crate) fn read(mut section: Section<'_, '_>, task: Option<Task>) -> Option<Train> {
    let default = Train::usual(task);
    let positive = |section: &mut Section<'_, '_>, key| section.number(key, "above 0", |value| value > 0.0);
    let epochs = section.whole("epochs", 1);
    let batch = section.table("batch").and_then(|section| read_batch(section, task));
    let accumulation = section.whole("accumulation", 1);
    let learning_rate = positive(&mut section, "learning-rate");
    let head_learning_rate = positive(&mut section, "head-learning-rate");
    let layer_decay =
        section.number("layer-decay", "above 0 and at most 1", |decay| decay > 0.0 && decay <= 1.0);
    let unfreeze_each_epoch = section.whole("unfreeze-each-epoch", 1);
    let weight_decay = section.number("weight-decay", "at least 0", |value| value >= 0.0);
    let betas = read_betas(&mut section);
    let epsilon = positive(&mut section, "eps");
    let scale_parameter = section.truth("scale-parameter");
    let clip = section.number("clip", "at least 0", |value| value >= 0.0);
    let schedule = section.table("schedule").map(read_schedule);
    let (decay, warmup) = schedule.unwrap_or((None, None));
    let seed = section.whole("seed", 0);
    let validate_every = section.whole("validate-every", 1);
    let checkpoint_every = section.whole("checkpoint-every", 1);
    let keep = section.whole("keep", 1);
    let patience = section.whole("patience", 1);
    let loss = plugins::read_terms(&mut section, task);
    section.finish();
    Some(Train {
        epochs: epochs.unwrap_or(default.epochs),
        batch: batch.unwrap_or(default.batch),
        accumulation: accumulation.unwrap_or(default.accumulation),
        learning_rate: learning_rate.unwrap_or(default.learning_rate),
        head_learning_rate,
        layer_decay: layer_decay.unwrap_or(default.layer_decay),
        unfreeze_each_epoch,
        weight_decay: weight_decay.unwrap_or(default.weight_decay),
        betas: betas.unwrap_or(default.betas),
        epsilon: epsilon.unwrap_or(default.epsilon),
        scale_parameter: scale_parameter.unwrap_or(default.scale_parameter),
        clip: clip.unwrap_or(default.clip),
        decay: decay.unwrap_or(default.decay),
        warmup: warmup.unwrap_or(default.warmup),
        seed: seed.unwrap_or(default.seed),
        validate_every,
        checkpoint_every,
        keep: keep.unwrap_or(default.keep),
        patience,
        loss: loss?,
    })
}

fn read_batch(mut section: Section<'_, '_>, task: Option<Task>) -> Option<Batch> {
    let tokens = section.whole("tokens", 1);
    let rows = section.whole("rows", 1);
    let packed = section.whole("packed", 1);
    if ["tokens", "rows", "packed"].iter().filter(|key| section.holds(key)).count() != 1 {
        section.fault(
            section.span(),
            "`batch` is given either in tokens, in rows or in packed tokens",
            Some("for example: batch = { tokens = 2048 }".into()),
        );
    }
    if packed.is_some() && task.is_some_and(|task| task != Task::Generation) {
        section.fault(
            section.span_of("packed"),
            "`packed` is for another task",
            Some("use `tokens`: only `task = \"generation\"` reads several texts in one row".into()),
        );
    }
    section.finish();
    tokens.map(Batch::Tokens).or(rows.map(Batch::Rows)).or(packed.map(Batch::Packed))
}

fn read_betas(section: &mut Section<'_, '_>) -> Option<[f64; 2]> {
    let value = section.get("betas")?;
    let beta = |value: f64| (0.0..1.0).contains(&value);
    let numbers: Option<Vec<f64>> = value.get_ref().as_array().map(|array| {
        let floats = array.iter().filter_map(|item| item.get_ref().as_float());
        floats.filter_map(|float| float.as_str().parse().ok()).collect()
    });
    match numbers.as_deref() {
        Some([first, second]) if beta(*first) && beta(*second) => Some([*first, *second]),
        _ => {
            section.fault(
                value.span(),
                "`betas` must be two numbers, each at least 0 and below 1",
                Some("for example: betas = [0.9, 0.999]".into()),
            );
            None
        }
    }
}

fn read_schedule(mut section: Section<'_, '_>) -> (Option<Decay>, Option<Warmup>) {
    let kinds = [("linear", Decay::Linear), ("cosine", Decay::Cosine), ("constant", Decay::Constant)];
    let decay = section.choice("kind", &kinds);
    let rule = "a share of all steps below 1, or a whole number of steps";
    let warmup =
        section.number("warmup", rule, |value| value >= 0.0 && (value < 1.0 || value.fract() == 0.0));
    section.finish();
    let warmup =
        warmup.map(|value| if value < 1.0 { Warmup::Share(value) } else { Warmup::Steps(value as u64) });
    (decay, warmup)
}
