//! Fitting the tensors of a file to the parameters of a model.

use burn::tensor::Device;

use super::Weights;
use crate::error::ModelError;
use crate::parameters::Parameters;

/// The values of a new parameter by its name and shape.
pub type Initial<'a> = dyn Fn(&str, &[usize]) -> Option<Vec<f32>> + 'a;

/// How an architecture's parameters stand in files.
pub struct Fit<'a> {
    /// The names under which files carry a parameter, the likeliest first. The name is Hugging Face's.
    pub aliases: &'a dyn Fn(&str) -> Vec<String>,
    /// The values, row-major, with which a parameter of that name and shape begins where a file lacks it; none for
    /// one that must be there.
    pub initial: &'a Initial<'a>,
    /// Whether files carry a matrix as `[in, out]`, as GPT-2's Conv1D does, instead of `[out, in]`.
    pub transposed: &'a dyn Fn(&str) -> bool,
    /// Whether a file's tensor of that name is known to be of no use: a buffer, or the copy of a tied matrix.
    pub ignored: &'a dyn Fn(&str) -> bool,
}

impl Default for Fit<'_> {
    /// Every parameter under its own name, none missing, none transposed, nothing ignored.
    fn default() -> Self {
        Self { aliases: &own_name, initial: &required, transposed: &never, ignored: &never }
    }
}

/// What became of a file's tensors and a model's parameters.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct LoadReport {
    pub loaded: usize,
    /// Parameters that the file lacks and that were newly initialised: the head of a base model.
    pub initialised: Vec<String>,
    /// Tensors of the file that the model has no place for.
    pub unexpected: Vec<String>,
}

/// Gives every parameter of `model` its values: the file's or, where `rules` allows it, new ones.
///
/// # Errors
/// Parameters that are missing or of another shape; the error lists all of them.
pub fn fit<M: Parameters>(
    model: &mut M,
    mut weights: Weights,
    rules: &Fit<'_>,
    device: &Device,
) -> Result<LoadReport, ModelError> {
    let mut report = LoadReport::default();
    let (mut missing, mut misshapen) = (Vec::new(), Vec::new());
    for (name, mut parameter) in model.parameters() {
        let expected = parameter.shape();
        let transposed = expected.len() == 2 && (rules.transposed)(&name);
        match weights.take(&(rules.aliases)(&name)) {
            Some((shape, values)) if transposed && shape.iter().rev().eq(&expected) => {
                parameter.set(transpose(&values, expected[0], expected[1]), device);
                report.loaded += 1;
            }
            Some((shape, values)) if !transposed && shape == expected => {
                parameter.set(values, device);
                report.loaded += 1;
            }
            Some((shape, _)) => {
                let expected: Vec<usize> = match transposed {
                    true => expected.into_iter().rev().collect(),
                    false => expected,
                };
                misshapen.push(format!("{name} is {shape:?} and should be {expected:?}"));
            }
            None => {
                let new = (rules.initial)(&name, &expected);
                let list = match new.is_some_and(|values| parameter.set(values, device)) {
                    true => &mut report.initialised,
                    false => &mut missing,
                };
                list.push(name);
            }
        }
    }
    if !missing.is_empty() || !misshapen.is_empty() {
        return Err(ModelError::Weights { path: weights.path().into(), missing, misshapen });
    }
    report.unexpected = weights.left_over();
    report.unexpected.retain(|name| !(rules.ignored)(name));
    Ok(report)
}

/// `[inputs, outputs]`, row-major, as `[outputs, inputs]`.
fn transpose(values: &[f32], outputs: usize, inputs: usize) -> Vec<f32> {
    (0..outputs).flat_map(|output| (0..inputs).map(move |input| values[input * outputs + output])).collect()
}

fn own_name(name: &str) -> Vec<String> {
    vec![name.to_owned()]
}

fn required(_: &str, _: &[usize]) -> Option<Vec<f32>> {
    None
}

fn never(_: &str) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use burn::tensor::Tensor;

    use super::*;
    use crate::parameters::Parameter;
    use crate::weights::{NamedTensor, write_safetensors};

    #[derive(Clone)]
    struct Model {
        matrix: Tensor<2>,
        bias: Tensor<1>,
    }

    impl Parameters for Model {
        fn parameters(&mut self) -> Vec<(String, Parameter<'_>)> {
            vec![
                ("h.weight".into(), Parameter::Matrix(&mut self.matrix)),
                ("h.bias".into(), Parameter::Vector(&mut self.bias)),
            ]
        }
    }

    fn model() -> Model {
        let device = Device::flex();
        Model { matrix: Tensor::zeros([2, 3], &device), bias: Tensor::zeros([2], &device) }
    }

    fn fit_to(tensors: &[(&str, &[usize])], rules: &Fit<'_>) -> (Model, Result<LoadReport, ModelError>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        let tensors: Vec<NamedTensor> = tensors
            .iter()
            .map(|(name, shape)| NamedTensor {
                name: (*name).into(),
                shape: shape.to_vec(),
                values: (0..shape.iter().product::<usize>()).map(|i| i as f32).collect(),
            })
            .collect();
        write_safetensors(&path, &tensors).unwrap();
        let mut model = model();
        let report = fit(&mut model, Weights::read(&path).unwrap(), rules, &Device::flex());
        (model, report)
    }

    #[test]
    fn other_names_missing_heads_and_buffers() {
        let rules = Fit {
            aliases: &|name| vec![name.into(), format!("old.{name}")],
            initial: &|name, shape| (name == "h.bias").then(|| vec![7.0; shape[0]]),
            ignored: &|name| name == "buffer",
            ..Fit::default()
        };
        let (mut model, report) =
            fit_to(&[("old.h.weight", &[2, 3]), ("buffer", &[1]), ("other", &[1])], &rules);
        let expected =
            LoadReport { loaded: 1, initialised: vec!["h.bias".into()], unexpected: vec!["other".into()] };
        assert_eq!(report.unwrap(), expected);
        assert_eq!(model.parameters()[0].1.values(), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(model.parameters()[1].1.values(), [7.0, 7.0]);
    }

    #[test]
    fn transposed_matrices_are_turned() {
        let rules = Fit { transposed: &|name| name == "h.weight", ..Fit::default() };
        let (mut model, report) = fit_to(&[("h.weight", &[3, 2]), ("h.bias", &[2])], &rules);
        assert_eq!(report.unwrap().loaded, 2);
        assert_eq!(model.parameters()[0].1.values(), [0.0, 2.0, 4.0, 1.0, 3.0, 5.0]);
        let (_, report) = fit_to(&[("h.weight", &[2, 3]), ("h.bias", &[2])], &rules);
        assert!(report.unwrap_err().to_string().contains("h.weight is [2, 3] and should be [3, 2]"));
    }

    #[test]
    fn everything_that_does_not_fit_is_named() {
        let (_, report) = fit_to(&[("h.weight", &[3, 2])], &Fit::default());
        let error = report.unwrap_err().to_string();
        assert!(error.contains("missing: h.bias"), "{error}");
        assert!(error.contains("h.weight is [3, 2] and should be [2, 3]"), "{error}");
        let wrong = Fit { initial: &|_, _| Some(vec![0.0; 99]), ..Fit::default() };
        assert!(fit_to(&[("h.weight", &[2, 3])], &wrong).1.is_err(), "new values of another number");
    }
}
