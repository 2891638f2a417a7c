//! Uneven classes of the training part: weights, or rows repeated or left out.

use pegbox_sampling::balance::{class_weights, count, imbalance, over_sample, under_sample};

use super::index::Index;
use crate::error::DataError;
use crate::job::{BalanceSettings, Balancing};
use crate::report::BalanceReport;
use crate::state::State;

/// What the training rows get.
#[derive(Debug, Default)]
pub(crate) struct Balance {
    /// The weight of a row of each class; none: 1.
    pub weights: Option<Vec<f64>>,
    /// How often each row is in the training part, by the rows of all parts; none: once.
    pub times: Option<Vec<u32>>,
    pub report: BalanceReport,
}

impl Balance {
    /// Where rows have no classes.
    pub fn none(index: &Index) -> Self {
        let rows = index.states.iter().filter(|state| **state == State::Train).count() as u64;
        let report = BalanceReport {
            method: "none".to_owned(),
            rows_before: rows,
            rows_after: rows,
            ..BalanceReport::default()
        };
        Self { report, ..Self::default() }
    }
}

/// Decides by the classes of the training rows; rows that are left out are marked.
pub(crate) fn balance(index: &mut Index, settings: &BalanceSettings) -> Result<Balance, DataError> {
    let refused = |error: pegbox_sampling::SamplingError| DataError::Balance { what: error.to_string() };
    let training = (0_u32..).zip(&index.states).filter(|(_, state)| **state == State::Train);
    let training = training.map(|(row, _)| (row, index.labels.get(row).unwrap_or_default()));
    let known = index.names.len();
    let counts = count(training.clone().map(|(_, label)| label), known).map_err(refused)?;
    let uneven = imbalance(&counts);
    let count = training.clone().count() as u64;
    let report = BalanceReport {
        ratio: uneven.ratio,
        effective_classes: uneven.effective_classes,
        method: settings.method.map_or("none", |method| method.name()).to_owned(),
        rows_before: count,
        rows_after: count,
        groups: Vec::new(),
    };
    let mut balance = Balance { report, ..Balance::default() };
    let (rows, labels): (Vec<u32>, Vec<u32>) = match settings.method {
        None => return Ok(balance),
        Some(Balancing::Weights(weighting)) => {
            balance.weights = Some(class_weights(&counts, weighting).map_err(refused)?);
            return Ok(balance);
        }
        Some(_) => training.unzip(),
    };
    let times = match settings.method {
        None | Some(Balancing::Weights(_)) => return Ok(balance),
        Some(Balancing::OverSample(target)) => over_sample(&labels, known, target, settings.seed),
        Some(Balancing::UnderSample(target)) => under_sample(&labels, known, target, settings.seed),
    };
    let times = times.map_err(refused)?;
    let mut of_all = vec![1_u32; index.states.len()];
    for (row, times) in rows.iter().zip(&times) {
        if let Some(slot) = of_all.get_mut(*row as usize) {
            *slot = *times;
        }
        if let (0, Some(state)) = (times, index.states.get_mut(*row as usize)) {
            *state = State::UnderSampled;
        }
    }
    balance.report.rows_after = times.iter().map(|times| u64::from(*times)).sum();
    balance.times = Some(of_all);
    Ok(balance)
}
