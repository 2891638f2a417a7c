//! A loss and a metric on the labels of records. There is no model here: the logits are made up, three ways, and
//! called so.

use std::collections::BTreeSet;
use std::sync::Arc;

use burn::tensor::Device;
use pegbox_runtime::{Loss, Metric, PluginIdentity, Report};

use super::Records;
use crate::check::{Refusal, compute_loss};
use crate::error::WorkshopError;
use crate::random::Random;
use crate::step::{Arrays, GivenStep};

/// How much more the right label gets than the others, where a model is played that knows it.
const RIGHT: f32 = 4.0;

/// How logits were made up.
const WAYS: [&str; 3] = ["random, between -1 and 1", "all equal", "random, and 4 more for the right label"];

/// A loss on made-up logits.
#[derive(Clone, PartialEq, Debug)]
pub struct LossSample {
    pub rows: usize,
    pub classes: usize,
    pub values: Vec<LossValue>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct LossValue {
    /// How the logits were made up.
    pub logits: &'static str,
    pub loss: f64,
    pub gradient_norm: f64,
}

/// A metric on made-up logits: a report for each way.
#[derive(Clone, PartialEq, Debug)]
pub struct MetricSample {
    pub rows: usize,
    pub classes: usize,
    pub reports: Vec<(&'static str, Report)>,
}

/// Computes the loss of the sample's labels.
///
/// # Errors
/// The records have fewer than two labels; the plugin's; a loss that training would refuse.
pub fn loss(
    records: &Records,
    loss: &mut dyn Loss,
    identity: &Arc<PluginIdentity>,
    device: &Device,
) -> Result<LossSample, WorkshopError> {
    let (labels, classes) = labels(records)?;
    let mut values = Vec::new();
    for way in WAYS {
        let arrays = arrays(&labels, &classes, way);
        let computed = compute_loss(loss, &arrays, device, identity).map_err(usage)?;
        let squares = computed.gradients.iter().flatten().map(|value| f64::from(*value).powi(2));
        values.push(LossValue {
            logits: way,
            loss: computed.value,
            gradient_norm: squares.sum::<f64>().sqrt(),
        });
    }
    Ok(LossSample { rows: labels.len(), classes: classes.len(), values })
}

/// Measures the sample's labels, in batches.
///
/// # Errors
/// As [`loss`].
pub fn metric(
    records: &Records,
    make: &dyn Fn() -> Result<Box<dyn Metric>, pegbox_runtime::PluginError>,
    device: &Device,
) -> Result<MetricSample, WorkshopError> {
    let (labels, classes) = labels(records)?;
    let mut reports = Vec::new();
    for way in WAYS {
        let mut metric = make()?;
        for batch in labels.chunks(32) {
            metric.update(GivenStep::new(&arrays(batch, &classes, way), device, false)?)?;
        }
        reports.push((way, metric.compute()?));
    }
    Ok(MetricSample { rows: labels.len(), classes: classes.len(), reports })
}

fn usage(refusal: Refusal) -> WorkshopError {
    let what = match refusal.cause {
        Some(cause) => format!("{}: {cause}", refusal.error),
        None => refusal.error,
    };
    WorkshopError::Usage { what, help: refusal.help }
}

/// Class ids, and the classes' names in order.
fn labels(records: &Records) -> Result<(Vec<i64>, Vec<String>), WorkshopError> {
    let column: Vec<&str> = records.column("label").into_iter().flatten().collect();
    let names: BTreeSet<&str> = column.iter().copied().collect();
    if names.len() < 2 {
        return Err(WorkshopError::Usage {
            what: format!("the sample has {} labels; a loss or a metric needs two at least", names.len()),
            help: Some("draw more records with --rows, or name the field with --field label=NAME".to_owned()),
        });
    }
    let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
    let id = |label: &&str| names.binary_search_by(|name| name.as_str().cmp(label)).unwrap_or(0) as i64;
    Ok((column.iter().map(id).collect(), names))
}

fn arrays(labels: &[i64], classes: &[String], way: &str) -> Arrays {
    let mut random = Random::new(1);
    let count = classes.len();
    let mut logits: Vec<f32> = (0..labels.len() * count)
        .map(|_| if way == WAYS[1] { 0.0 } else { random.between(-1.0, 1.0) })
        .collect();
    if way == WAYS[2] {
        for (row, label) in logits.chunks_mut(count).zip(labels) {
            if let Some(right) = usize::try_from(*label).ok().and_then(|label| row.get_mut(label)) {
                *right += RIGHT;
            }
        }
    }
    Arrays {
        shape: vec![labels.len(), count],
        logits,
        labels: labels.to_vec(),
        mask: vec![true; labels.len()],
        weights: vec![1.0; labels.len()],
        teacher: None,
        hidden: Vec::new(),
        classes: classes.to_vec(),
        number: 0,
        training: None,
    }
}
