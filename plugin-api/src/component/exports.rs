//! What a plugin exports, in the contract's types. Everything is moved across, nothing copied.

use std::marker::PhantomData;

use pegbox_plugin_abi::lifecycle::Kind;
use pegbox_plugin_abi::measurement::{Detail, Report, Score};
use pegbox_plugin_abi::records::{Outcome, Row, RowBatch};
use pegbox_plugin_abi::validation::{Finding, Fix, Severity};

use super::bindings::cleaner::exports::pegbox::plugin::cleaning;
use super::bindings::exporter::exports::pegbox::plugin::exporting;
use super::bindings::imports::pegbox::plugin::{artifacts, records, steps, tensors, types};
use super::bindings::lifecycle::exports::pegbox::plugin::lifecycle;
use super::bindings::loss::exports::pegbox::plugin::objective;
use super::bindings::metric::exports::pegbox::plugin::measurement;
use super::bindings::validator::exports::pegbox::plugin::validation;
use super::slot::Stored;
use crate::error::Error;
use crate::export::describe;
use crate::traits::{Cleaner, Exporter, Loss, Metric, Validator};
use crate::{Bundle, Model, Step};

/// Implements the exported interfaces of the kinds that `T` is of.
pub struct Exports<T>(PhantomData<T>);

impl<T: Stored> lifecycle::Guest for Exports<T> {
    fn describe() -> lifecycle::Description {
        let description = describe::<T>();
        lifecycle::Description {
            name: description.name,
            version: description.version,
            kinds: description.kinds.into_iter().map(kind).collect(),
            configuration_schema: description.configuration_schema,
        }
    }

    fn configure(json: String) -> Result<(), types::Error> {
        T::slot().put(T::configure(&json).map_err(error)?);
        Ok(())
    }
}

impl<T: Stored + Cleaner> cleaning::Guest for Exports<T> {
    fn clean(data: records::Batch) -> Result<Vec<cleaning::Outcome>, types::Error> {
        let outcomes = T::slot().with(|plugin| plugin.clean(batch(data))).map_err(error)?;
        Ok(outcomes.into_iter().map(outcome).collect())
    }
}

impl<T: Stored + Validator> validation::Guest for Exports<T> {
    fn validate(data: records::Batch) -> Result<Vec<validation::Finding>, types::Error> {
        findings(T::slot().with(|plugin| plugin.validate(batch(data))))
    }

    fn state() -> Result<Vec<u8>, types::Error> {
        T::slot().with(|plugin| plugin.state()).map_err(error)
    }

    fn merge(state: Vec<u8>) -> Result<(), types::Error> {
        T::slot().with(|plugin| plugin.merge(&state)).map_err(error)
    }

    fn finish() -> Result<Vec<validation::Finding>, types::Error> {
        findings(T::slot().with(Validator::finish))
    }
}

impl<T: Stored + Loss> objective::Guest for Exports<T> {
    fn compute(at: &steps::Step) -> Result<tensors::Tensor, types::Error> {
        T::slot().with(|plugin| plugin.compute(step(at))).map(|loss| loss.0).map_err(error)
    }
}

impl<T: Stored + Metric> measurement::Guest for Exports<T> {
    fn update(at: &steps::Step) -> Result<(), types::Error> {
        T::slot().with(|plugin| plugin.update(step(at))).map_err(error)
    }

    fn state() -> Result<Vec<u8>, types::Error> {
        T::slot().with(|plugin| plugin.state()).map_err(error)
    }

    fn merge(state: Vec<u8>) -> Result<(), types::Error> {
        T::slot().with(|plugin| plugin.merge(&state)).map_err(error)
    }

    fn compute() -> Result<measurement::Report, types::Error> {
        T::slot().with(|plugin| plugin.compute()).map(report).map_err(error)
    }

    fn reset() {
        // Before it is configured there is nothing to forget.
        let _ = T::slot().with(|plugin| {
            plugin.reset();
            Ok(())
        });
    }
}

impl<T: Stored + Exporter> exporting::Guest for Exports<T> {
    fn export_model(source: &artifacts::Model, target: &artifacts::Bundle) -> Result<(), types::Error> {
        T::slot().with(|plugin| plugin.export(model(source), bundle(target))).map_err(error)
    }
}

// -- handles: the same thing under this SDK's name --

fn step(step: &steps::Step) -> &Step {
    // SAFETY: `Step` is a transparent wrapper.
    unsafe { &*std::ptr::from_ref(step).cast() }
}

fn model(model: &artifacts::Model) -> &Model {
    // SAFETY: `Model` is a transparent wrapper.
    unsafe { &*std::ptr::from_ref(model).cast() }
}

fn bundle(bundle: &artifacts::Bundle) -> &Bundle {
    // SAFETY: `Bundle` is a transparent wrapper.
    unsafe { &*std::ptr::from_ref(bundle).cast() }
}

// -- data --

fn error(error: Error) -> types::Error {
    let (message, help) = error.into_parts();
    types::Error { message, help }
}

fn kind(kind: Kind) -> types::Kind {
    match kind {
        Kind::Cleaner => types::Kind::Cleaner,
        Kind::Validator => types::Kind::Validator,
        Kind::Loss => types::Kind::Loss,
        Kind::Metric => types::Kind::Metric,
        Kind::Exporter => types::Kind::Exporter,
    }
}

fn batch(batch: records::Batch) -> RowBatch {
    let rows = batch.rows.into_iter().map(|row| Row { id: row.id, values: row.values }).collect();
    RowBatch { fields: batch.fields, rows }
}

fn outcome(outcome: Outcome) -> cleaning::Outcome {
    match outcome {
        Outcome::Keep => cleaning::Outcome::Keep,
        Outcome::Replace(values) => cleaning::Outcome::Replace(values),
        Outcome::Drop(reason) => cleaning::Outcome::Drop(reason),
        Outcome::Split(records) => cleaning::Outcome::Split(records),
    }
}

fn findings(found: Result<Vec<Finding>, Error>) -> Result<Vec<validation::Finding>, types::Error> {
    Ok(found.map_err(error)?.into_iter().map(finding).collect())
}

fn finding(finding: Finding) -> validation::Finding {
    validation::Finding {
        level: match finding.level {
            Severity::Info => validation::Severity::Info,
            Severity::Warning => validation::Severity::Warning,
            Severity::Error => validation::Severity::Error,
        },
        row: finding.row,
        field: finding.field,
        code: finding.code,
        message: finding.message,
        proposed_fix: finding.proposed_fix.map(|Fix { field, value }| validation::Fix { field, value }),
    }
}

fn report(report: Report) -> measurement::Report {
    let score =
        |Score { name, value, higher_is_better }| measurement::Score { name, value, higher_is_better };
    let detail = |Detail { name, media_type, content }| measurement::Detail { name, media_type, content };
    measurement::Report {
        scores: report.scores.into_iter().map(score).collect(),
        details: report.details.into_iter().map(detail).collect(),
    }
}
