//! A folder that Hugging Face Transformers opens: `config.json`, `model.safetensors`, the tokenizer's files,
//! `README.md` (the model card) and `pegbox-provenance.json` (what the model was made from).

/// README.md.
mod card;
/// What the recipe may say.
mod configuration;
/// Text that stands in Markdown or YAML as it is.
mod escape;
/// What the model was made from.
mod provenance;
/// model.safetensors.
mod weights;

use configuration::{Configuration, Dtype, SCHEMA};
use pegbox_plugin::{Bundle, Error, Exporter, Model, Plugin};
use provenance::Provenance;
use serde_json::{Map, Value};

struct HfFolder(Configuration);

impl Plugin for HfFolder {
    const NAME: &'static str = "pegbox/hf-folder";
    const CONFIGURATION_SCHEMA: &'static str = SCHEMA;

    fn configure(json: &str) -> Result<Self, Error> {
        pegbox_plugin::parse_configuration(json).map(Self)
    }
}

impl Exporter for HfFolder {
    fn export(&mut self, model: &Model, bundle: &Bundle) -> Result<(), Error> {
        let config = read("config.json", &model.configuration())?;
        let metrics = read("the metrics", &model.metrics())?;
        let provenance = read("the provenance", &model.provenance())?;

        bundle.write("config.json", pretty(&with_dtype(config.clone(), self.0.dtype)).as_bytes());
        for file in model.tokenizer_files() {
            bundle.write(&file.path, &file.content);
        }
        let card = card::write(&card::Facts {
            configuration: &self.0,
            config: &config,
            labels: &model.labels(),
            metrics: &metrics,
            provenance: &Provenance::of(&provenance),
        });
        bundle.write("README.md", card.as_bytes());
        bundle.write("pegbox-provenance.json", pretty(&provenance).as_bytes());
        weights::write(model, bundle, "model.safetensors", self.0.dtype.element())
    }
}

fn read(what: &str, json: &str) -> Result<Map<String, Value>, Error> {
    serde_json::from_str(json)
        .map_err(|error| Error::new(format!("{what} that the host gives cannot be read: {error}")))
}

fn pretty(object: &Map<String, Value>) -> String {
    format!("{:#}\n", Value::Object(object.clone()))
}

/// The configuration of a model whose weights are stored in `dtype`: Transformers reads the key where it is
/// asked for `dtype="auto"`.
fn with_dtype(mut config: Map<String, Value>, dtype: Dtype) -> Map<String, Value> {
    // Newer versions of Transformers write `dtype`; all of them read `torch_dtype`.
    let key = if config.contains_key("dtype") { "dtype" } else { "torch_dtype" };
    config.insert(key.to_owned(), Value::String(dtype.name().to_owned()));
    config
}

pegbox_plugin::export!(HfFolder: Exporter);

#[cfg(test)]
mod tests;
