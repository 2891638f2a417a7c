//! Training and its observer.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pegbox_data::Dataset;
use pegbox_models::adapter::ADAPTER_CONFIG;
use pegbox_models::device::{self, Device};
use pegbox_train::{
    Event, Flow, Freeze, FrozenLayers, RunFolder, RunIdentity, Schedule, Start, TrainJob, TrainObserver,
    TrainSettings, TrainSummary, train,
};

use super::base::Base;
use super::runs::{Done, Stages, key, write_whole};
use super::settings;
use super::{adapter, dataset, trained};
use crate::console::{Outcome, Stage};
use crate::plugins::RecipePlugins;
use crate::report::Report;
use crate::session::Session;
use pegbox_recipe::{Batch, Decay, Init, Pooling, Recipe, Warmup};

/// Set by the first Ctrl-C: training commits a checkpoint and returns.
static STOP: AtomicBool = AtomicBool::new(false);

/// Everything that training works with.
pub struct Material<'a> {
    pub session: &'a Session,
    pub recipe: &'a Recipe,
    pub base: &'a Base,
    pub plugins: &'a RecipePlugins,
    pub dataset: &'a Dataset,
}

impl<'a> Material<'a> {
    /// The job, with pretrained weights in the model.
    pub fn job(&self) -> Result<TrainJob<'a>, Box<Report>> {
        Ok(self.job_and_adapter()?.0)
    }

    fn job_and_adapter(&self) -> Result<(TrainJob<'a>, Option<adapter::Described>), Box<Report>> {
        let Self { session, recipe, base, plugins, dataset } = *self;
        let classes = dataset.labels().names().to_vec();
        let device = device::parse(&session.global.device)?;
        let adapter::Adapted { model, adapter } = self.begin(&device)?;
        let mut settings = settings(recipe);
        settings.freeze.adapter = adapter.as_ref().map(|described| described.config.modules_to_save.clone());
        let job = TrainJob {
            model,
            device,
            train: dataset.train()?,
            validation: dataset.validation()?,
            batching: dataset::batching(recipe),
            masking: base.masking(recipe)?,
            writing: base.writing(recipe)?,
            classes,
            loss: plugins.make_loss()?,
            loss_identity: plugins.loss_identity(),
            lenient: plugins.lenient_losses(),
            metrics: plugins.make_metrics()?,
            settings,
            identity: self.identity()?,
        };
        Ok((job, adapter))
    }

    /// The model as training begins with it.
    pub fn begin(&self, device: &Device) -> Result<adapter::Adapted, Box<Report>> {
        let classes = self.dataset.labels().names().len();
        adapter::begin(self.session, self.recipe, self.base, classes, device)
    }

    /// The model with the weights of a checkpoint.
    pub fn resume(&self, weights: &Path, device: &Device) -> Result<adapter::Adapted, Box<Report>> {
        let classes = self.dataset.labels().names().len();
        adapter::resume(self.session, self.recipe, self.base, classes, weights, device)
    }

    /// Everything that the trained weights depend on.
    pub fn identity(&self) -> Result<RunIdentity, Box<Report>> {
        let model = &self.recipe.model;
        let pooling = match model.pooling {
            Pooling::Cls => "cls",
            Pooling::Mean => "mean",
            Pooling::MeanLayer => "mean-layer",
            Pooling::Max => "max",
        };
        let batch = match self.recipe.train.batch {
            Batch::Tokens(tokens) => format!("{tokens} tokens"),
            Batch::Rows(rows) => format!("{rows} rows"),
            Batch::Packed(tokens) => format!("{tokens} packed tokens"),
        };
        let dropout = model.dropout.map_or("the model's own".into(), |dropout| dropout.to_string());
        let metrics = self.plugins.metrics.iter().map(|metric| metric.identity()).collect::<Vec<_>>();
        let mut fixed = BTreeMap::from([
            ("base model".to_string(), self.base.model.digest.clone()),
            ("task".into(), settings::task_name(self.recipe).into()),
            ("pooling".into(), pooling.into()),
            ("dropout".into(), dropout),
            ("batch".into(), batch),
            ("loss".into(), self.plugins.loss_key()),
            ("metrics".into(), metrics.join("; ")),
            ("device".into(), self.session.global.device.clone()),
        ]);
        if model.init == Init::Random {
            fixed.insert("init".into(), "random".into());
        }
        if let Some(extension) = &self.base.extension {
            fixed.insert("tokenizer".into(), extension.digest.clone());
        }
        if let Some(chat) = &self.base.chat {
            fixed.insert("chat template".into(), key(&[&chat.template]));
        }
        if let Some(adapter) = adapter::identity(self.recipe)? {
            fixed.insert("adapter".into(), adapter);
        }
        let (recipe, dataset_key) = (self.recipe.text.clone(), self.dataset.key().to_string());
        Ok(RunIdentity { recipe, dataset_key, fixed })
    }

    /// Two trainings with the same key give the same weights.
    pub fn key(&self) -> Result<String, Box<Report>> {
        let identity = self.identity()?;
        let fixed = serde_json::to_string(&identity.fixed).unwrap_or_default();
        let settings = serde_json::to_string(&settings(self.recipe)).unwrap_or_default();
        Ok(key(&["train", &identity.dataset_key, &fixed, &settings]))
    }

    /// Trains in `run` until the end, or until Ctrl-C.
    pub fn train(&self, run: &RunFolder, start: Start) -> Result<(TrainSummary, Outcome), Box<Report>> {
        let (job, adapter) = self.job_and_adapter()?;
        trained::describe_run(run.path(), self.recipe, self.base, &job.model, self.dataset.labels().names())?;
        let key = self.key()?;
        let before = Stages::read(run.path()).done.get("train").map_or(0.0, |done| done.seconds);
        let note = |seconds: f64, finished: bool| {
            Stages::note(run.path(), "train", Done { key: key.clone(), seconds: before + seconds, finished })
        };
        note(0.0, false)?;

        let stage = self.session.console.stage("train");
        stage.say(format!("train: run {}, loss {}", run.path().display(), self.plugins.loss_name()));
        if let Some(described) = &adapter {
            let config = adapter::configuration(self.recipe, described, true);
            let path = run.path().join("model").join(ADAPTER_CONFIG);
            write_whole(&path, format!("{config:#}\n").as_bytes())?;
        }
        catch_interrupt();
        let mut observer = Observer { stage: &stage, steps: 0, epochs: 0 };
        let summary = train(job, run, start, &mut observer).map_err(|error| self.locate(error, run))?;
        let interrupted = STOP.load(Ordering::Relaxed);
        note(summary.seconds, !interrupted)?;
        if interrupted {
            return Err(Report::new("stopped by Ctrl-C")
                .safe(Some(&summary.last))
                .help(format!("`pegbox resume {}` goes on from there", self.recipe.path.display())));
        }
        let best = summary.best.as_ref().map_or("no validation".to_string(), |best| {
            format!("best {} {:.4} at step {}", best.score.name, best.score.value, best.step)
        });
        let early = if summary.stopped_early { ", stopped early" } else { "" };
        let outcome = stage.finish(&format!("{} steps, {best}{early}", summary.steps));
        Ok((summary, outcome))
    }

    /// A training error with the records' files and lines in place of their numbers.
    pub fn locate(&self, error: pegbox_train::TrainError, run: &RunFolder) -> Box<Report> {
        let records = self.dataset.origins(error.record_ids());
        let mut report: Box<Report> = error.into();
        report.records = records;
        if report.safe.is_none()
            && let Ok(last) = pegbox_train::load_last(run)
        {
            report.safe = last.weights.parent().map(|path| path.display().to_string());
        }
        report
    }
}

/// The recipe's `[train]` as the trainer takes it.
pub fn settings(recipe: &Recipe) -> TrainSettings {
    let train = &recipe.train;
    TrainSettings {
        seed: train.seed,
        epochs: train.epochs as u32,
        learning_rate: train.learning_rate,
        head_learning_rate: train.head_learning_rate.map_or(1.0, |head| head / train.learning_rate),
        schedule: Schedule {
            kind: match train.decay {
                Decay::Linear => pegbox_train::Decay::Linear,
                Decay::Cosine => pegbox_train::Decay::Cosine,
                Decay::Constant => pegbox_train::Decay::Constant,
            },
            warmup: match train.warmup {
                Warmup::Share(share) => pegbox_train::Warmup::Share(share),
                Warmup::Steps(steps) => pegbox_train::Warmup::Steps(steps),
            },
        },
        weight_decay: train.weight_decay,
        beta1: train.betas[0],
        beta2: train.betas[1],
        epsilon: train.epsilon,
        scale_parameter: train.scale_parameter,
        clip_norm: (train.clip > 0.0).then_some(train.clip),
        accumulation: train.accumulation as u32,
        freeze: Freeze {
            patterns: recipe.model.freeze.patterns.clone(),
            layers: recipe.model.freeze.layers.clone().map(|layers| match layers {
                pegbox_recipe::FrozenLayers::Lowest(count) => FrozenLayers::Lowest(count),
                pegbox_recipe::FrozenLayers::Numbers(numbers) => FrozenLayers::Numbers(numbers),
            }),
            // The modules beside an adapter are known when the model is loaded.
            adapter: None,
        },
        layer_decay: train.layer_decay,
        unfreeze_each_epoch: train
            .unfreeze_each_epoch
            .map(|layers| u32::try_from(layers).unwrap_or(u32::MAX)),
        validate_every: train.validate_every,
        checkpoint_every: train.checkpoint_every,
        keep: train.keep as u32,
        select_by: recipe.select_by().map(str::to_string),
        patience: train.patience.map(|patience| patience as u32),
    }
}

/// The first Ctrl-C asks for a checkpoint, the second ends the program.
fn catch_interrupt() {
    let handler = || {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    };
    // Somebody else's handler stays in place: then Ctrl-C ends the program, and the last checkpoint holds.
    if let Err(error) = ctrlc::set_handler(handler) {
        tracing::debug!(%error, "Ctrl-C is not caught");
    }
}

/// Tells the user how training goes.
struct Observer<'a> {
    stage: &'a Stage,
    steps: u64,
    epochs: u64,
}

impl TrainObserver for Observer<'_> {
    fn event(&mut self, event: &Event) -> Flow {
        if self.stage.is_json() {
            self.tell_json(event);
        } else {
            self.tell(event);
        }
        if STOP.load(Ordering::Relaxed) { Flow::Stop } else { Flow::Continue }
    }
}

impl Observer<'_> {
    fn tell_json(&self, event: &Event) {
        let mut value = serde_json::to_value(event).unwrap_or_default();
        if let Some(object) = value.as_object_mut() {
            object.insert("stage".into(), "train".into());
        }
        self.stage.event(value);
    }

    fn tell(&mut self, event: &Event) {
        match event {
            Event::Started { parameters, trained, steps, epochs, resumed_at } => {
                (self.steps, self.epochs) = (*steps, u64::from(*epochs));
                let from = resumed_at.map_or(String::new(), |step| format!(", resumed at step {step}"));
                self.stage.say(format!(
                    "train: {:.1} M parameters, {:.1} M of them trained, {steps} steps in {epochs} epochs{from}",
                    *parameters as f64 / 1e6,
                    *trained as f64 / 1e6,
                ));
            }
            Event::DamagedCheckpoint { path, what } => {
                self.stage.say(format!("train: skipped the damaged checkpoint {}: {what}", path.display()));
            }
            Event::Step { step, epoch, loss, learning_rate, tokens_per_second, seconds_left, .. } => {
                self.stage.update("steps", *step, Some(self.steps), || {
                    format!(
                        "train: step {step}/{}, epoch {epoch}/{}, loss {loss:.4}, rate {learning_rate:.2e}, \
                         {tokens_per_second:.0} tokens/s, {} left",
                        self.steps,
                        self.epochs,
                        duration(*seconds_left),
                    )
                });
            }
            Event::LeftOut { step, what } => {
                self.stage.say(format!("train: a batch of step {step} was left out: {what}"));
            }
            Event::Validation { step, scores, loss, best, seconds, .. } => {
                let scores = scores
                    .iter()
                    .map(|score| format!("{} {:.4}", score.name, score.value))
                    .collect::<Vec<_>>();
                let loss = loss.map_or(String::new(), |loss| format!(", loss {loss:.4}"));
                let best = if *best { ", best so far" } else { "" };
                self.stage.say(format!(
                    "train: validation at step {step}: {}{loss}{best} ({seconds:.1} s)",
                    scores.join(", ")
                ));
            }
            Event::Checkpoint { step, path, seconds } => {
                tracing::debug!(step, path = %path.display(), seconds, "checkpoint");
            }
            Event::EarlyStop { step, patience } => {
                self.stage
                    .say(format!("train: stopped at step {step}: no improvement in {patience} validations"));
            }
            Event::Finished { .. } => {}
        }
    }
}

/// `2 h 05 min`, `3 min 20 s`, `12 s`.
pub fn duration(seconds: f64) -> String {
    let seconds = Duration::try_from_secs_f64(seconds.max(0.0)).map_or(0, |duration| duration.as_secs());
    match seconds {
        3600.. => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{seconds} s"),
    }
}
