//! Artifacts of the best checkpoint.

use pegbox_deploy::{Exported, PeftFolder, TrainedModel, export};
use pegbox_models::adapter::headless_name;
use pegbox_models::weights::write_safetensors;
use pegbox_models::{Head, device};
use pegbox_runtime::Exporter;
use pegbox_train::{RunFolder, load_best};
use serde_json::{Value, json};

use super::runs::{Done, Stages, key};
use super::training::Material;
use super::{adapter, evaluation, settings, trained};
use crate::console::{Outcome, megabytes};
use crate::report::Report;
use pegbox_recipe::Export;

/// Writes every artifact that the recipe asks for, unless it is there already.
pub fn bring(material: &Material<'_>, run: &RunFolder) -> Result<Vec<Outcome>, Box<Report>> {
    if material.recipe.exports.is_empty() {
        material.session.console.say("export: the recipe asks for no artifact ([[export]])");
    }
    material
        .recipe
        .exports
        .iter()
        .enumerate()
        .map(|(index, wanted)| bring_one(material, run, index, wanted))
        .collect()
}

fn bring_one(
    material: &Material<'_>,
    run: &RunFolder,
    index: usize,
    wanted: &Export,
) -> Result<Outcome, Box<Report>> {
    let best = load_best(run)?;
    let name = format!("export {}", wanted.to.display());
    let exporter = material.plugins.exporters.get(index);
    let scores = evaluation::scores(run);
    let key = key(&[
        "export",
        &material.key()?,
        &best.step.to_string(),
        &exporter.map_or(String::new(), |exporter| exporter.identity()),
        &scores.to_string(),
    ]);
    let stage = material.session.console.stage("export");
    if Stages::read(run.path()).is_done(&name, &key) && wanted.to.join(".pegbox-export.json").is_file() {
        return Ok(stage.unchanged(&wanted.to.display().to_string()));
    }
    let classes = material.dataset.labels().names();
    let labels = match settings::head(material.recipe, classes.len()) {
        Head::Sequence { .. } | Head::Tokens { .. } => classes.to_vec(),
        // The labels tell which texts belong together; what the model gives has no names.
        Head::Embedding { .. } | Head::MaskedLm | Head::CausalLm | Head::Seq2Seq => Vec::new(),
    };
    let configuration = trained::configuration_of_run(run.path())?;
    let scratch = tempfile::tempdir()
        .map_err(|error| Report::new(format!("cannot make a temporary folder: {error}")))?;
    let mut exporter: Option<Box<dyn Exporter>> = material.plugins.make_exporter(index)?;
    let mut weights = best.weights;
    if material.recipe.model.adapter.is_some() {
        let device = device::parse(&material.session.global.device)?;
        let adapter::Adapted { mut model, adapter: described } = material.resume(&weights, &device)?;
        match (&exporter, described) {
            // Plugins get the whole model.
            (Some(_), _) => {
                weights = scratch.path().join("model.safetensors");
                write_safetensors(&weights, &adapter::merged(&mut model, &device))?;
            }
            (None, Some(described)) => {
                let headless = matches!(model.head(), Head::Embedding { .. });
                exporter = Some(Box::new(PeftFolder {
                    configuration: adapter::configuration(material.recipe, &described, false),
                    rename: if headless { headless_name } else { |name| name.to_owned() },
                }));
            }
            (None, None) => {}
        }
    }
    let Some(mut exporter) = exporter else {
        return Err(Report::new(format!("no exporter for {}", wanted.to.display())));
    };
    let model = TrainedModel {
        weights,
        configuration,
        tokenizer_files: material.base.tokenizer_files()?,
        labels,
        metrics: scores,
        provenance: provenance(material, best.step),
    };
    let Exported { files, verified_tensors, .. } = export(exporter.as_mut(), model, &wanted.to)?;
    let bytes = files.iter().map(|(_, bytes)| bytes).sum();
    let outcome = stage.finish(&format!(
        "{}: {} files, {}, {verified_tensors} tensors read back and equal",
        wanted.to.display(),
        files.len(),
        megabytes(bytes),
    ));
    Stages::note(run.path(), &name, Done { key, seconds: outcome.seconds, finished: true })?;
    Ok(outcome)
}

/// What wit/artifacts.wit promises: base model and licence, dataset, plugins, recipe, seed, Pegbox's version.
/// No paths of this machine and no times: the same run gives the same artifact.
fn provenance(material: &Material<'_>, step: u64) -> Value {
    let recipe = material.recipe;
    let plugins: Vec<Value> = material
        .plugins
        .used()
        .iter()
        .map(|plugin| plugin.identity())
        .map(|plugin| {
            json!({ "name": plugin.name, "version": plugin.version.to_string(), "digest": plugin.digest })
        })
        .collect();
    let mut base = json!({
        "source": recipe.model.source,
        "digest": material.base.model.digest,
        "licence": material.base.model.licence,
    });
    if let Some(extension) = &material.base.extension {
        base["added-tokens"] = json!({ "count": extension.tokens.len(), "digest": extension.digest });
    }
    json!({
        "base-model": base,
        "dataset": { "key": material.dataset.key(), "files": super::lock::dataset_files(material) },
        "plugins": plugins,
        "recipe": recipe.text,
        "seed": recipe.train.seed,
        "step": step,
        "pegbox": env!("CARGO_PKG_VERSION"),
    })
}
