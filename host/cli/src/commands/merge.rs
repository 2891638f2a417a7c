//! `pegbox merge`: an adapter and its base model as one model.

use pegbox_models::adapter::{ADAPTER_CONFIG, ADAPTER_WEIGHTS};
use pegbox_models::device;
use pegbox_train::{RunFolder, load_best};
use serde_json::Value;

use crate::arguments::Merge;
use crate::report::Report;
use crate::session::Session;
use crate::stages::adapter;

pub fn run(session: &Session, arguments: &Merge) -> Result<(), Box<Report>> {
    let path = &arguments.adapter;
    let (folder, weights) = match path.join("checkpoints").is_dir() {
        true => (path.join("model"), load_best(&RunFolder::open(path)?)?.weights),
        false => (path.clone(), path.join(ADAPTER_WEIGHTS)),
    };
    if !folder.join(ADAPTER_CONFIG).is_file() {
        return Err(Report::usage(format!("{} holds no adapter", path.display())).help(format!(
            "name a folder with {ADAPTER_CONFIG}, or the run of a recipe with [model.adapter]"
        )));
    }
    let stage = session.console.stage("merge");
    let device = device::parse(&session.global.device)?;
    let adapter::FromFolder { mut model, config, base, labels } =
        adapter::load(session, &folder, &weights, arguments.base.as_deref(), &device)?;
    let own = config.source().get("pegbox").cloned();
    let mut trained = config.trained(model.head(), &labels);
    if let (Some(Value::Object(own)), Some(Value::Object(now))) = (own, trained.get_mut("pegbox")) {
        for (key, value) in own {
            now.entry(key).or_insert(value);
        }
    }
    let tensors = adapter::merged(&mut model, &device);
    let count = tensors.len();
    adapter::write_folder(&arguments.out, tensors, &Value::Object(trained), &[folder, base.folder])?;
    stage.finish(&format!("{}: {count} tensors, the adapter among them", arguments.out.display()));
    Ok(())
}
