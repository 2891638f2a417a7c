//! The loop: steps, validations, checkpoints.

use std::path::{Path, PathBuf};
use std::time::Instant;

use pegbox_data::PaddedBatch;
use pegbox_models::{Head, Parameters};
use pegbox_runtime::{Loss, Score};

use crate::backward::backward;
use crate::checkpoint::{self, Best, State};
use crate::error::{Fault, TrainError};
use crate::evaluate::{self, Evaluation, evaluate};
use crate::event::{Event, Flow, TrainObserver};
use crate::feed::Feed;
use crate::job::{Start, TrainJob, TrainSummary};
use crate::optimizer::{Optimizer, Window};
use crate::run::RunFolder;
use crate::step::{self, Stage};
use crate::windows::Windows;

/// A training under way.
pub struct Trainer<'a> {
    job: TrainJob<'a>,
    run: &'a RunFolder,
    stage: Stage,
    optimizer: Optimizer,
    windows: Windows,
    state: State,
    /// Folder of the last checkpoint.
    last: Option<PathBuf>,
    started: Instant,
    /// Steps and seconds of training in this call, without validations and checkpoints.
    pace: (u64, f64),
}

/// What one optimizer step was.
struct Done {
    loss: f64,
    gradient_norm: f64,
    learning_rate: f64,
    tokens: u64,
    seconds: f64,
    /// Why batches were left out, one sentence each.
    left_out: Vec<String>,
}

impl<'a> Trainer<'a> {
    /// Begins where `start` says.
    pub fn begin(
        mut job: TrainJob<'a>,
        run: &'a RunFolder,
        start: Start,
        observer: &mut dyn TrainObserver,
    ) -> Result<Self, TrainError> {
        if job.train.is_empty() {
            return Err(Fault::NoRows { part: "training" }.into());
        }
        let settings = &job.settings;
        // A loss that compares texts needs two of a label in a batch.
        let pairs = matches!(job.model.head(), Head::Embedding { .. }).then(|| job.train.labels().to_vec());
        let windows = Windows::new(
            job.train.lengths(),
            pairs,
            job.batching,
            settings.seed,
            settings.epochs,
            settings.accumulation,
        );
        let names: Vec<String> = job.model.parameters().into_iter().map(|(name, _)| name).collect();
        let trained = settings.freeze.trained(&job.model.config(), &names)?;
        let mut optimizer = Optimizer::new(&mut job.model, &trained, settings.layer_decay, &job.device);

        let folder = run.checkpoints();
        pegbox_durable::clear_temporaries(&folder).map_err(TrainError::io("clear", &folder))?;
        let (mut state, mut last) = (State::default(), None);
        match start {
            Start::Fresh => run.describe(&job.identity, &job.settings)?,
            Start::Resume => {
                run.check(&job.identity, &job.settings)?;
                let (checkpoint, damages) = checkpoint::last_whole(run)?;
                for checkpoint::Damage { path, what } in damages {
                    observer.event(&Event::DamagedCheckpoint { path, what });
                }
                checkpoint::restore(
                    &checkpoint,
                    &mut job.model,
                    &mut optimizer,
                    &job.settings.freeze,
                    &job.device,
                )?;
                (state, last) = (checkpoint.state, Some(checkpoint.path));
            }
        }
        check_disk(run, &mut job, &optimizer)?;

        let elements = |(_, parameter): (String, pegbox_models::Parameter<'_>)| {
            parameter.shape().iter().product::<usize>() as u64
        };
        observer.event(&Event::Started {
            parameters: job.model.parameters().into_iter().map(elements).sum(),
            trained: optimizer.slots().map(|slot| slot.first.len() as u64).sum(),
            steps: windows.total(),
            epochs: job.settings.epochs,
            resumed_at: (start == Start::Resume).then_some(state.step),
        });
        let stage = Stage::new(&job.device, job.model.head(), &job.classes);
        Ok(Self { job, run, stage, optimizer, windows, state, last, started: Instant::now(), pace: (0, 0.0) })
    }

    /// Trains until the end, until nothing improves any more, or until the observer stops it.
    pub fn run_to_the_end(&mut self, observer: &mut dyn TrainObserver) -> Result<TrainSummary, TrainError> {
        if self.state.step == 0 {
            self.rehearse()?;
        }
        while !self.state.stopped_early {
            let epoch = self.state.cursor.epoch + 1;
            let Some(done) = self.step()? else { break };
            for what in &done.left_out {
                observer.event(&Event::LeftOut { step: self.state.step, what: what.clone() });
            }
            let flow = observer.event(&self.told(epoch, &done));
            let validated = self.is_validation_due(epoch) && !self.job.validation.is_empty();
            let mut is_best = false;
            if validated {
                is_best = self.validate(epoch, observer)?;
            }
            if flow == Flow::Stop || self.is_checkpoint_due(epoch, validated, is_best) {
                self.commit(observer)?;
            }
            if flow == Flow::Stop {
                break;
            }
        }
        // A run that was killed between its last step and its end has nothing left to do but this.
        let last = match self.last.clone() {
            Some(last) => last,
            None => self.commit(observer)?,
        };
        let seconds = self.started.elapsed().as_secs_f64();
        observer.event(&Event::Finished { steps: self.state.step, seconds });
        Ok(TrainSummary {
            steps: self.state.step,
            best: self.state.best.clone(),
            stopped_early: self.state.stopped_early,
            seconds,
            last,
        })
    }

    /// Folder of the last checkpoint.
    pub fn last_checkpoint(&self) -> Option<&Path> {
        self.last.as_deref()
    }

    /// Asks the metrics for their scores once before hours of training, on one batch: a score that nobody
    /// gives must not be found out at the first validation.
    fn rehearse(&mut self) -> Result<(), TrainError> {
        let mut metrics = std::mem::take(&mut self.job.metrics);
        let job = &self.job;
        let feed = if job.validation.is_empty() { job.training() } else { job.validating() };
        let report = evaluate::one_batch(&job.model, &self.stage, feed, &mut metrics)?;
        self.job.metrics = metrics;
        evaluate::selected(&report.scores, self.job.settings.select_by.as_deref()).map(|_| ())
    }

    /// One optimizer step; none at the end.
    fn step(&mut self) -> Result<Option<Done>, TrainError> {
        let Some((batches, after)) = self.windows.next(self.state.cursor) else { return Ok(None) };
        self.optimizer.unfreeze(self.state.cursor.epoch, self.job.settings.unfreeze_each_epoch);
        let started = Instant::now();
        let (mut window, mut losses, mut weights, mut tokens) = (Window::default(), 0.0, 0.0, 0);
        let (mut records, mut left_out) = (Vec::new(), Vec::new());
        for (rows, number) in batches.iter().zip(self.state.cursor.batches..) {
            let (pad, seed) = (self.job.model.pad_token_id(), self.job.settings.seed);
            let batch = self.job.training().batch(rows, pad, seed, number)?;
            let weight = step::weight(&batch);
            match self.backward(&batch, number, &mut window) {
                Ok(loss) => losses += weight * loss,
                Err(error) if self.may_leave_out(&error) => {
                    left_out.push(error.to_string());
                    continue;
                }
                Err(error) => return Err(error),
            }
            weights += weight;
            tokens += batch.tokens as u64;
            records.extend(batch.records);
        }
        let gradient_norm = window.norm();
        let step = self.state.step;
        if !gradient_norm.is_finite() {
            return Err(
                Fault::NotFinite { what: "gradient norm", value: gradient_norm, step, records }.into()
            );
        }
        let factor = self.job.settings.schedule.factor(step, self.windows.total());
        // Where every batch was left out there is nothing to learn from; the schedule goes on.
        if weights > 0.0 {
            self.optimizer.step(&mut self.job.model, &window, gradient_norm, factor, &self.job.settings);
        }
        self.state.step += 1;
        self.state.cursor = after;
        let seconds = started.elapsed().as_secs_f64();
        self.pace = (self.pace.0 + 1, self.pace.1 + seconds);
        Ok(Some(Done {
            loss: losses / weights,
            gradient_norm,
            learning_rate: self.job.settings.learning_rate * factor,
            tokens,
            seconds,
            left_out,
        }))
    }

    /// Whether the recipe passes over this failure of a loss.
    fn may_leave_out(&self, error: &TrainError) -> bool {
        matches!(error.fault(), Fault::Plugin(error) if self.job.lenient.contains(&error.plugin().name))
    }

    /// The loss of one batch; its gradients go into `window`.
    fn backward(&mut self, batch: &PaddedBatch, number: u64, window: &mut Window) -> Result<f64, TrainError> {
        let Self { job, stage, optimizer, state, .. } = self;
        backward(job, stage, optimizer, batch, state.step, number, window)
    }

    /// Scores of the validation part; true if they are the best so far.
    fn validate(&mut self, epoch: u32, observer: &mut dyn TrainObserver) -> Result<bool, TrainError> {
        let started = Instant::now();
        let evaluation = match self.evaluation(true) {
            // Without a loss there are still the scores.
            Err(error) if self.may_leave_out(&error) => self.evaluation(false)?,
            evaluation => evaluation?,
        };
        let scores = evaluation.report.scores;
        let score = match evaluate::selected(&scores, self.job.settings.select_by.as_deref())? {
            Some(score) => score.clone(),
            None => Score {
                name: "loss".into(),
                value: evaluation.loss.unwrap_or(f64::NAN),
                higher_is_better: false,
            },
        };
        let best = self.state.best.as_ref().is_none_or(|best| is_better(&score, &best.score));
        if best {
            self.state.best = Some(Best { step: self.state.step, score });
            self.state.stale = 0;
        } else {
            self.state.stale += 1;
        }
        observer.event(&Event::Validation {
            step: self.state.step,
            epoch,
            scores,
            loss: evaluation.loss,
            best,
            seconds: started.elapsed().as_secs_f64(),
        });
        if let Some(patience) = self.job.settings.patience.filter(|patience| self.state.stale >= *patience) {
            self.state.stopped_early = true;
            observer.event(&Event::EarlyStop { step: self.state.step, patience });
        }
        Ok(best)
    }

    fn evaluation(&mut self, with_loss: bool) -> Result<Evaluation, TrainError> {
        let job = &mut self.job;
        let feed = Feed {
            split: job.validation,
            batching: &job.batching,
            masking: job.masking.as_ref(),
            writing: job.writing.as_ref(),
        };
        let loss: Option<&mut dyn Loss> = if with_loss { Some(&mut *job.loss) } else { None };
        evaluate(&job.model, &job.device, feed, &job.classes, &mut job.metrics, loss)
    }

    /// Commits a checkpoint, and deletes those that are not kept.
    fn commit(&mut self, observer: &mut dyn TrainObserver) -> Result<PathBuf, TrainError> {
        let started = Instant::now();
        let path = checkpoint::save(
            self.run,
            &mut self.job.model,
            &self.optimizer,
            &self.state,
            &self.job.settings.freeze,
        )?;
        self.last = Some(path.clone());
        let best = self.state.best.as_ref().map(|best| best.step);
        checkpoint::prune(self.run, self.job.settings.keep, best)?;
        let seconds = started.elapsed().as_secs_f64();
        observer.event(&Event::Checkpoint { step: self.state.step, path: path.clone(), seconds });
        Ok(path)
    }

    /// True in the step that ended `epoch`, counted from 1.
    fn ends_epoch(&self, epoch: u32) -> bool {
        self.state.cursor.epoch == epoch
    }

    fn is_last(&self) -> bool {
        self.state.step == self.windows.total()
    }

    fn is_validation_due(&self, epoch: u32) -> bool {
        self.is_last()
            || match self.job.settings.validate_every {
                Some(steps) => self.state.step.is_multiple_of(steps),
                None => self.ends_epoch(epoch),
            }
    }

    /// The best must be there to be exported, whatever the interval.
    fn is_checkpoint_due(&self, epoch: u32, validated: bool, is_best: bool) -> bool {
        self.is_last()
            || is_best
            || self.state.stopped_early
            || match self.job.settings.checkpoint_every {
                Some(steps) => self.state.step.is_multiple_of(steps),
                None => validated || (self.job.validation.is_empty() && self.ends_epoch(epoch)),
            }
    }

    fn told(&self, epoch: u32, done: &Done) -> Event {
        let (steps, seconds) = self.pace;
        let left = self.windows.total().saturating_sub(self.state.step);
        Event::Step {
            step: self.state.step,
            epoch,
            loss: done.loss,
            gradient_norm: done.gradient_norm,
            learning_rate: done.learning_rate,
            tokens: done.tokens,
            tokens_per_second: done.tokens as f64 / done.seconds.max(1e-9),
            seconds_left: left as f64 * seconds / (steps.max(1)) as f64,
        }
    }
}

fn is_better(score: &Score, than: &Score) -> bool {
    if score.higher_is_better { score.value > than.value } else { score.value < than.value }
}

/// A disk that will be full after an hour is found now: the checkpoints that are kept, the best, and the one
/// that is being written.
fn check_disk(run: &RunFolder, job: &mut TrainJob<'_>, optimizer: &Optimizer) -> Result<(), TrainError> {
    let needed = checkpoint::size(&mut job.model, optimizer, &job.settings.freeze)
        * (u64::from(job.settings.keep) + 2);
    let path = run.checkpoints();
    // Where the system does not say, training begins; a full disk is an error when it comes.
    let Ok(disk) = rustix::fs::statvfs(&path) else { return Ok(()) };
    let free = disk.f_bavail * disk.f_frsize;
    if free < needed { Err(Fault::DiskFull { path, free, needed }.into()) } else { Ok(()) }
}
