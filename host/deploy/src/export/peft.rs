//! An adapter as PEFT writes and opens it: adapter_config.json and adapter_model.safetensors; with them what PEFT leaves to
//! the base model and Pegbox wants: config.json of the trained model, and the tokenizer.

use std::sync::Arc;

use pegbox_runtime::artifact::MAX_READ_BYTES;
use pegbox_runtime::{
    ArtifactError, Bundle, Cause, Element, Exporter, ModelView, PluginError, PluginIdentity, TensorInfo,
};
use serde_json::{Map, Value, json};

const WEIGHTS: &str = "adapter_model.safetensors";
const NAME: &str = "pegbox/peft-folder";

/// Writes a model whose tensors are an adapter's.
pub struct PeftFolder {
    /// adapter_config.json.
    pub configuration: Value,
    /// The name of a tensor in the file.
    pub rename: fn(&str) -> String,
}

impl Exporter for PeftFolder {
    fn export(&mut self, model: Arc<dyn ModelView>, bundle: Arc<dyn Bundle>) -> Result<(), PluginError> {
        self.write(&*model, &*bundle).map_err(|error| {
            let version = semver::Version::parse(env!("CARGO_PKG_VERSION"));
            let version = version.unwrap_or_else(|_| semver::Version::new(0, 0, 0));
            let by = Arc::new(PluginIdentity::built_in(NAME, version));
            PluginError::new(by, "exporter.export", Cause::Artifact(error))
        })
    }
}

impl PeftFolder {
    fn write(&self, model: &dyn ModelView, bundle: &dyn Bundle) -> Result<(), ArtifactError> {
        let put = |path: &str, content: &[u8]| {
            bundle.create(path)?;
            bundle.append(path, content)
        };
        put("adapter_config.json", format!("{:#}\n", self.configuration).as_bytes())?;
        put("config.json", format!("{}\n", model.configuration()).as_bytes())?;
        for file in model.tokenizer_files()? {
            put(&file.path, &file.content)?;
        }
        let mut tensors: Vec<(String, TensorInfo)> =
            model.tensors().into_iter().map(|tensor| ((self.rename)(&tensor.name), tensor)).collect();
        tensors.sort_by(|a, b| a.0.cmp(&b.0));
        put(WEIGHTS, &header(&tensors))?;
        for (_, tensor) in &tensors {
            let total: u64 = tensor.shape.iter().product();
            let mut at = 0;
            while at < total {
                let count = (MAX_READ_BYTES / 4).min(total - at);
                bundle.append(WEIGHTS, &model.read(&tensor.name, at, count, Element::Float32)?)?;
                at += count;
            }
        }
        Ok(())
    }
}

/// Of a safetensors file: its length, then JSON, filled up with spaces to a multiple of eight.
fn header(tensors: &[(String, TensorInfo)]) -> Vec<u8> {
    let mut entries = Map::from_iter([("__metadata__".to_owned(), json!({ "format": "pt" }))]);
    let mut offset = 0u64;
    for (name, tensor) in tensors {
        let end = offset + 4 * tensor.shape.iter().product::<u64>();
        let entry = json!({ "dtype": "F32", "shape": tensor.shape, "data_offsets": [offset, end] });
        entries.insert(name.clone(), entry);
        offset = end;
    }
    let mut text = Value::Object(entries).to_string();
    text.extend(std::iter::repeat_n(' ', text.len().next_multiple_of(8) - text.len()));
    [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat()
}
