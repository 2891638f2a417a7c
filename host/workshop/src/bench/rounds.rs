//! One round of each kind of plugin.

use std::sync::Arc;
use std::time::Instant;

use pegbox_manifest::Kind;
use pegbox_runtime::{Cleaner, Exporter, Loss, Metric, Plugin, PluginError, RowBatch, StepView, Validator};
use pegbox_train::tensor_engine::BurnEngine;
use serde_json::Value;

use super::counting::Counting;
use super::memory_model::{CountingBundle, MemoryModel};
use super::{Operations, Setting, Speed, median};
use crate::case::Numbers;
use crate::error::WorkshopError;
use crate::random::Random;
use crate::step::{Arrays, GivenStep};

/// Classes of the logits.
const CLASSES: usize = 77;
/// Calls on tensors in one round.
const STEPS: usize = 50;

/// What one round does.
pub enum Work {
    Clean(Vec<RowBatch>),
    Validate(Vec<RowBatch>),
    Loss { step: Arc<GivenStep>, engine: Arc<Counting> },
    Metric { step: Arc<GivenStep>, engine: Arc<Counting> },
    Export(Arc<MemoryModel>),
}

/// An instance of any kind.
pub enum Instance {
    Cleaner(Box<dyn Cleaner>),
    Validator(Box<dyn Validator>),
    Loss(Box<dyn Loss>),
    Metric(Box<dyn Metric>),
    Exporter(Box<dyn Exporter>),
}

/// What one round took.
pub struct Round {
    calls: usize,
    seconds: f64,
    bytes: Option<u64>,
    operations: Option<(u64, u64)>,
}

impl Work {
    pub fn new(kind: Kind, batch: Option<usize>, setting: &Setting<'_>) -> Result<Self, WorkshopError> {
        let fields = &setting.found.manifest.records.fields;
        let rows = batch.unwrap_or(1);
        let batches = || setting.corpus.batches(fields, rows);
        let step = || -> Result<_, WorkshopError> {
            let engine = Arc::new(Counting::new(Arc::new(BurnEngine::new(setting.device))));
            let step =
                GivenStep::with_engine(&arrays(rows), setting.device, engine.clone(), kind == Kind::Loss)?;
            Ok((step, engine))
        };
        Ok(match kind {
            Kind::Cleaner => Self::Clean(batches()),
            Kind::Validator => Self::Validate(batches()),
            Kind::Loss => {
                let (step, engine) = step()?;
                Self::Loss { step, engine }
            }
            Kind::Metric => {
                let (step, engine) = step()?;
                Self::Metric { step, engine }
            }
            Kind::Exporter => Self::Export(Arc::new(MemoryModel::new())),
        })
    }

    pub fn instance(&self, plugin: &Plugin, config: &Value) -> Result<Instance, PluginError> {
        Ok(match self {
            Self::Clean(_) => Instance::Cleaner(plugin.cleaner(config)?),
            Self::Validate(_) => Instance::Validator(plugin.validator(config)?),
            Self::Loss { .. } => Instance::Loss(plugin.loss(config)?),
            Self::Metric { .. } => Instance::Metric(plugin.metric(config)?),
            Self::Export(_) => Instance::Exporter(plugin.exporter(config)?),
        })
    }

    /// The whole work `passes` times, each on an instance of its own: what a validator gathers in one pass must not
    /// weigh on the next. Making the instance does not count.
    pub fn round(&self, plugin: &Plugin, config: &Value, passes: usize) -> Result<Round, PluginError> {
        let calls = match self {
            Self::Clean(batches) | Self::Validate(batches) => batches.len(),
            Self::Loss { .. } | Self::Metric { .. } => STEPS,
            Self::Export(_) => 1,
        };
        if let Self::Loss { engine, .. } | Self::Metric { engine, .. } = self {
            engine.take();
        }
        let mut seconds = 0.0;
        for _ in 0..passes {
            let mut instance = self.instance(plugin, config)?;
            let started = Instant::now();
            for call in 0..calls {
                instance.call(self, call)?;
            }
            seconds += started.elapsed().as_secs_f64();
        }
        let (bytes, operations) = match self {
            Self::Clean(batches) | Self::Validate(batches) => {
                (Some(batches.iter().map(size).sum::<u64>()), None)
            }
            Self::Loss { engine, .. } | Self::Metric { engine, .. } => (None, Some(engine.take())),
            Self::Export(model) => (Some(model.size()), None),
        };
        let bytes = bytes.map(|bytes| bytes * passes as u64);
        Ok(Round { calls: calls * passes, seconds, bytes, operations })
    }
}

impl Round {
    /// How often the work must be done for a round to take `seconds`.
    pub fn passes_for(&self, seconds: f64) -> usize {
        (seconds / self.seconds.max(1e-6)).ceil().clamp(1.0, 1000.0) as usize
    }
}

fn size(batch: &RowBatch) -> u64 {
    batch.rows.iter().flat_map(|row| &row.values).flatten().map(|value| value.len() as u64).sum()
}

impl Instance {
    pub fn call_once(&mut self, work: &Work) -> Result<(), PluginError> {
        self.call(work, 0)
    }

    fn call(&mut self, work: &Work, number: usize) -> Result<(), PluginError> {
        match (self, work) {
            (Self::Cleaner(cleaner), Work::Clean(batches)) => {
                batches.get(number).map(|batch| cleaner.clean(batch)).transpose()?;
            }
            (Self::Validator(validator), Work::Validate(batches)) => {
                batches.get(number).map(|batch| validator.validate(batch)).transpose()?;
            }
            (Self::Loss(loss), Work::Loss { step, .. }) => {
                loss.compute(Arc::clone(step) as Arc<dyn StepView>)?;
            }
            (Self::Metric(metric), Work::Metric { step, .. }) => {
                metric.update(Arc::clone(step) as Arc<dyn StepView>)?;
            }
            (Self::Exporter(exporter), Work::Export(model)) => {
                let bundle = Arc::new(CountingBundle::default());
                exporter.export(model.clone(), bundle.clone())?;
                std::hint::black_box(bundle.written());
            }
            // `Work::instance` makes what fits.
            _ => {}
        }
        Ok(())
    }
}

pub fn speed(rounds: &[Round]) -> Speed {
    let of = |value: &dyn Fn(&Round) -> f64| median(&mut rounds.iter().map(value).collect::<Vec<_>>());
    let call = of(&|round| round.seconds / round.calls.max(1) as f64);
    let bytes = rounds.first().and_then(|round| round.bytes);
    let megabytes = bytes.map(|bytes| bytes as f64 / 1e6 / of(&|round| round.seconds));
    let operations = rounds.first().and_then(|round| round.operations).map(|(count, _)| {
        let calls = rounds.first().map_or(1, |round| round.calls.max(1)) as u64;
        let each = count.max(1) as f64;
        let library = of(&|round| round.operations.map_or(0.0, |(_, ns)| ns as f64) / each);
        let all = of(&|round| round.seconds * 1e9 / each);
        Operations { count: count / calls, library, around: (all - library).max(0.0) }
    });
    Speed { call, megabytes, operations, rounds: rounds.len() }
}

/// Seeded logits and labels.
fn arrays(rows: usize) -> Arrays {
    let (mut logits, mut labels) = (Random::new(1), Random::new(2));
    Arrays {
        shape: vec![rows, CLASSES],
        logits: (0..rows * CLASSES).map(|_| logits.between(-3.0, 3.0)).collect(),
        labels: (0..rows).map(|_| labels.below(CLASSES) as i64).collect(),
        mask: vec![true; rows],
        weights: vec![1.0; rows],
        teacher: None,
        hidden: Vec::<Numbers<f32>>::new(),
        classes: (0..CLASSES).map(|class| format!("class-{class}")).collect(),
        number: 0,
        training: None,
    }
}
