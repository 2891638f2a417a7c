//! A loss's case: its value, its gradient, and that the gradient is that of the value.

use std::sync::Arc;

use burn::tensor::Device;
use pegbox_runtime::{Loss, PluginIdentity};
use pegbox_train::tensor_engine::into_floats;
use serde_json::{Value, json};

use super::gradient::{self, Comparison, GradientCheck};
use super::{Checked, Make, Refusal, at, broken, close};
use crate::case::loss::LossCase;
use crate::report::Failure;
use crate::step::{Arrays, GivenStep};

/// Wrong derivatives that are shown.
const SHOWN: usize = 3;

pub fn check(
    case: &LossCase,
    source: &str,
    device: &Device,
    identity: &Arc<PluginIdentity>,
    make: Make<'_, dyn Loss>,
) -> Result<Checked, Refusal> {
    let arrays = case.batch.as_ref().arrays(&case.batch.span()).map_err(|fault| Refusal {
        error: fault.what,
        cause: None,
        help: fault.help,
    })?;
    let mut loss = make()?;
    let Computed { value, gradients } = compute(loss.as_mut(), &arrays, device, identity)?;
    let mut checked = Checked { tolerance: case.tolerance, ..Checked::default() };

    if let Some(expected) = case.loss
        && !close(expected, value, case.tolerance)
    {
        let line = crate::error::line_of(source, key(source, "loss"));
        checked.failures.push(Failure::of("the loss", expected.to_string(), value.to_string()).at(line));
    }
    if let Some(expected) = &case.gradient {
        checked.failures.extend(
            compare(expected.as_ref(), &gradients[0], case.tolerance)
                .map(|failure| at(failure, source, expected.span())),
        );
    }
    if case.loss.is_none() && case.gradient.is_none() {
        let rows = shaped(&arrays.shape, &gradients[0]);
        checked.golden = Some(json!({ "loss": value, "gradient": rows }));
    }

    let again = plain_value(loss.as_mut(), &arrays, device)?;
    if again.to_bits() != value.to_bits() && !close(value, again, 1e-6) {
        let help = "a loss must not remember earlier calls, nor depend on anything but its step";
        let what = "the loss of the same step, computed again";
        checked.failures.push(Failure::of(what, value.to_string(), again.to_string()).help(help));
    }

    let values = leaves(&arrays);
    let compared = gradient::check(&values, &gradients, &mut |values| {
        plain_value(loss.as_mut(), &with_leaves(&arrays, values), device)
    })?;
    checked.notes.push(format!(
        "gradient within {:.1e} of finite differences in {} places",
        compared.worst(),
        compared.places.len()
    ));
    checked.failures.extend(
        failures(&compared, &arrays).into_iter().map(|failure| at(failure, source, case.batch.span())),
    );
    Ok(checked)
}

/// A loss, and its derivatives with respect to the logits and each hidden state.
pub struct Computed {
    pub value: f64,
    pub gradients: Vec<Vec<f32>>,
}

/// The loss of one step as training computes it, with what training refuses refused.
///
/// # Errors
/// The plugin's; a loss that is not finite, or not connected to anything; a derivative that is not finite.
pub fn compute(
    loss: &mut dyn Loss,
    arrays: &Arrays,
    device: &Device,
    identity: &Arc<PluginIdentity>,
) -> Result<Computed, Refusal> {
    let (step, leaves) = GivenStep::tracked(arrays, device)?;
    let result = loss.compute(step)?;
    let result = into_floats::<1>("compute", &result)?;
    let value = f64::from(result.clone().into_scalar::<f32>());
    if !value.is_finite() {
        let help = "look for a logarithm of 0, a division by 0 or an overflow; training would stop here";
        return Err(broken(identity, "loss.compute", format!("the loss is {value}"), help).into());
    }
    if !result.is_tracked() {
        let what = "the loss does not depend on the logits, so there is nothing to learn from it".to_owned();
        let help =
            "compute it from the step's logits without `detach`, or join its gradient by `with-gradient`";
        return Err(broken(identity, "loss.compute", what, help).into());
    }
    let gradients = leaves.gradients(&result.backward());
    if let Some(bad) = gradients.iter().flatten().find(|value| !value.is_finite()) {
        let what = format!("the loss is {value}, but its gradient holds {bad}");
        let help = "a value that is masked out still has a derivative: 0 times infinity is not a number. Make the \
                    values harmless before the operation, for example with `masked-fill` or `clamp`";
        return Err(broken(identity, "loss.compute", what, help).into());
    }
    Ok(Computed { value, gradients })
}

/// The loss alone, outside autodiff.
fn plain_value(loss: &mut dyn Loss, arrays: &Arrays, device: &Device) -> Result<f64, Refusal> {
    let result = loss.compute(GivenStep::new(arrays, device, true)?)?;
    Ok(f64::from(into_floats::<1>("compute", &result)?.into_scalar::<f32>()))
}

fn leaves(arrays: &Arrays) -> Vec<Vec<f32>> {
    let hidden = arrays.hidden.iter().map(|state| state.values.clone());
    std::iter::once(arrays.logits.clone()).chain(hidden).collect()
}

fn with_leaves(arrays: &Arrays, values: &[Vec<f32>]) -> Arrays {
    let mut arrays = arrays.clone();
    if let Some((logits, hidden)) = values.split_first() {
        arrays.logits.clone_from(logits);
        for (state, values) in arrays.hidden.iter_mut().zip(hidden) {
            state.values.clone_from(values);
        }
    }
    arrays
}

fn failures(check: &GradientCheck, arrays: &Arrays) -> Vec<Failure> {
    if let Some(place) = check.undecided().filter(|_| check.wrong().is_none()) {
        let what = format!("the gradient at {} cannot be judged", name(place, arrays));
        let found = format!("finite differences allow anything within {:.1e}", place.allowed);
        let mut failure = Failure::new(what);
        failure.found = Some(found);
        return vec![failure.help("the loss bends too much there: take smaller logits in this case")];
    }
    let mut wrong: Vec<&Comparison> = check.places.iter().filter(|place| !place.is_right()).collect();
    wrong.sort_by(|a, b| (b.autodiff - b.differences).abs().total_cmp(&(a.autodiff - a.differences).abs()));
    let count = wrong.len();
    let mut failures: Vec<Failure> = wrong
        .into_iter()
        .take(SHOWN)
        .map(|place| {
            let expected =
                format!("{:.6} by finite differences, give or take {:.1e}", place.differences, place.allowed);
            let found = format!("{:.6} from the plugin", place.autodiff);
            Failure::of(format!("the gradient at {}", name(place, arrays)), expected, found)
        })
        .collect();
    if let Some(last) = failures.last_mut() {
        let shown = if count > SHOWN {
            format!("wrong in {count} of {} places; ", check.places.len())
        } else {
            String::new()
        };
        last.help = Some(format!(
            "{shown}look for a `detach` too many and for what is given to `with-gradient`; if the loss has a kink here \
             (relu, abs, clamp, max), move the logits away from it"
        ));
    }
    failures
}

/// `logits[0, 3]`.
fn name(place: &Comparison, arrays: &Arrays) -> String {
    let (tensor, shape) = match place.tensor.checked_sub(1) {
        None => ("logits".to_owned(), &arrays.shape),
        Some(layer) => match arrays.hidden.get(layer) {
            Some(state) => (format!("hidden-states {layer}"), &state.shape),
            None => (format!("hidden-states {layer}"), &arrays.shape),
        },
    };
    match place.element {
        Some(element) => format!("{tensor}{:?}", index(shape, element)),
        None => format!("{tensor}, along a direction through all elements"),
    }
}

fn index(shape: &[usize], mut element: usize) -> Vec<usize> {
    let mut index: Vec<usize> = shape
        .iter()
        .rev()
        .map(|size| {
            let place = element % size;
            element /= size;
            place
        })
        .collect();
    index.reverse();
    index
}

fn compare(
    expected: &crate::case::Numbers<f64>,
    found: &[f32],
    tolerance: f64,
) -> impl Iterator<Item = Failure> {
    let wrong =
        expected.values.iter().zip(found).enumerate().filter_map(move |(element, (expected, found))| {
            let found = f64::from(*found);
            (!close(*expected, found, tolerance)).then_some((element, *expected, found))
        });
    wrong.take(SHOWN).map(move |(element, wanted, found)| {
        let what = format!("the gradient at logits{:?}", index(&expected.shape, element));
        Failure::of(what, wanted.to_string(), found.to_string())
    })
}

/// Nested as the logits are.
fn shaped(shape: &[usize], values: &[f32]) -> Value {
    match shape {
        [] | [_] => values.iter().map(|value| json!(value)).collect(),
        [_, inner @ ..] => {
            let size: usize = inner.iter().product();
            values.chunks(size.max(1)).map(|part| shaped(inner, part)).collect()
        }
    }
}

/// Where the top-level `key` stands.
fn key(source: &str, key: &str) -> usize {
    let mut start = 0;
    for line in source.split_inclusive('\n') {
        if line.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('=')) {
            return start;
        }
        start += line.len();
    }
    0
}
