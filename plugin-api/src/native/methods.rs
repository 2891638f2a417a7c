//! The methods of each kind: decode the input, call the plugin's trait, encode what it gives. Each function
//! returns `None` for a method that is not of its kind.

use pegbox_plugin_abi::wire::{Bytes, Method, decode, encode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::host::{BundleHandle, ModelHandle, StepHandle};
use crate::artifacts::{Bundle, Model};
use crate::error::Error;
use crate::step::Step;
use crate::traits::{Cleaner, Exporter, Loss, Metric, Validator};

/// A call that gave nothing.
pub enum Failure {
    /// The plugin declined.
    Refused(Error),
    /// The host asked for something that makes no sense to this plugin.
    Malformed(String),
}

/// The encoded result of a method.
type Answer = Result<Vec<u8>, Failure>;

impl Failure {
    pub fn of_another_kind(method: Method) -> Self {
        Self::Malformed(format!("the plugin has no method {method:?}"))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

pub fn cleaner<T: Cleaner>(plugin: &mut T, method: Method, input: &[u8]) -> Option<Answer> {
    match method {
        Method::Clean => Some(answer(input, |batch| plugin.clean(batch))),
        _ => None,
    }
}

pub fn validator<T: Validator>(plugin: &mut T, method: Method, input: &[u8]) -> Option<Answer> {
    Some(match method {
        Method::Validate => answer(input, |batch| plugin.validate(batch)),
        Method::ValidatorState => answer(input, |()| plugin.state().map(Bytes)),
        Method::ValidatorMerge => answer(input, |state: Bytes| plugin.merge(&state.0)),
        Method::ValidatorFinish => answer(input, |()| plugin.finish()),
        _ => return None,
    })
}

pub fn loss<T: Loss>(plugin: &mut T, method: Method, input: &[u8]) -> Option<Answer> {
    match method {
        Method::LossCompute => {
            Some(answer(input, |()| plugin.compute(&Step(StepHandle)).map(|loss| loss.0.into_number())))
        }
        _ => None,
    }
}

pub fn metric<T: Metric>(plugin: &mut T, method: Method, input: &[u8]) -> Option<Answer> {
    Some(match method {
        Method::MetricUpdate => answer(input, |()| plugin.update(&Step(StepHandle))),
        Method::MetricState => answer(input, |()| plugin.state().map(Bytes)),
        Method::MetricMerge => answer(input, |state: Bytes| plugin.merge(&state.0)),
        Method::MetricCompute => answer(input, |()| plugin.compute()),
        Method::MetricReset => answer(input, |()| {
            plugin.reset();
            Ok(())
        }),
        _ => return None,
    })
}

pub fn exporter<T: Exporter>(plugin: &mut T, method: Method, input: &[u8]) -> Option<Answer> {
    match method {
        Method::ExportModel => {
            Some(answer(input, |()| plugin.export(&Model(ModelHandle), &Bundle(BundleHandle))))
        }
        _ => None,
    }
}

fn answer<I: DeserializeOwned, O: Serialize>(
    input: &[u8],
    work: impl FnOnce(I) -> Result<O, Error>,
) -> Answer {
    let malformed = |error: &dyn std::fmt::Display| Failure::Malformed(error.to_string());
    let input = decode(input).map_err(|error| malformed(&error))?;
    encode(&work(input)?).map_err(|error| malformed(&error))
}
