//! `pegbox models`: what a base model is.

use std::fs;
use std::path::Path;

use pegbox_models::{Weights, model};
use serde_json::Value;

use crate::arguments::InspectModel;
use crate::console::{megabytes, print};
use crate::report::Report;
use crate::session::Session;
use crate::stages::base;

pub fn inspect(session: &Session, arguments: &InspectModel) -> Result<(), Box<Report>> {
    let found = base::fetch(session, &arguments.source, Path::new("."))?;
    let config = read_json(&found.folder.join("config.json"))?;
    let headers = Weights::headers(&found.folder.join("model.safetensors"))?;
    let tokenizer = read_json(&found.folder.join("tokenizer.json"))?;

    let text = |name: &str| config.get(name).map_or("not stated".to_string(), plain);
    let architecture =
        config.get("architectures").and_then(|list| list.get(0)).map_or("not stated".into(), plain);
    let parameters: usize = headers.iter().map(|header| header.shape.iter().product::<usize>()).sum();
    let mut dtypes: Vec<&str> = headers.iter().map(|header| header.dtype.as_str()).collect();
    dtypes.sort_unstable();
    dtypes.dedup();
    let bytes = fs::metadata(found.folder.join("model.safetensors")).map_or(0, |meta| meta.len());
    // Transformers writes `LABEL_0`, `LABEL_1` where a model was never trained to classify.
    let labels = config.as_object().and_then(|config| model::labels(config).ok()).unwrap_or_default();
    let labels = match labels.iter().all(|label| label.starts_with("LABEL_")) {
        true => "none".to_string(),
        false => format!("{}: {}", labels.len(), labels.join(", ")),
    };
    let kind = tokenizer.pointer("/model/type").map_or("not stated".into(), plain);
    let vocabulary = match tokenizer.pointer("/model/vocab") {
        Some(Value::Object(map)) => map.len(),
        Some(Value::Array(list)) => list.len(),
        _ => 0,
    };
    print(&format!(
        "{}\n  architecture  {architecture} ({}), {} layers, hidden size {}, {} heads\n  parameters    {:.1} M \
         in {} tensors, {}, {}\n  positions     {}\n  labels        {labels}\n  tokenizer     {kind}, \
         vocabulary of {vocabulary}\n  licence       {}\n  digest        {}\n  folder        {}\n",
        arguments.source,
        text("model_type"),
        text("num_hidden_layers"),
        text("hidden_size"),
        text("num_attention_heads"),
        parameters as f64 / 1e6,
        headers.len(),
        dtypes.join(", "),
        megabytes(bytes),
        text("max_position_embeddings"),
        found.licence.as_deref().unwrap_or("not stated"),
        found.digest,
        found.folder.display(),
    ));
    if arguments.tensors {
        for header in &headers {
            print(&format!("  {:<64} {:<5} {:?}\n", header.name, header.dtype, header.shape));
        }
    }
    Ok(())
}

fn read_json(path: &Path) -> Result<Value, Box<Report>> {
    let fail = |what: String| Report::new(format!("{}: {what}", path.display()));
    let bytes = fs::read(path).map_err(|error| fail(error.to_string()))?;
    serde_json::from_slice(&bytes).map_err(|error| fail(format!("not JSON: {error}")))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_string)
}
